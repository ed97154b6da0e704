package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.util.List;
import javax.crypto.Cipher;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The algorithms under Milo's names are those that Bouncy Castle has under them. */
class AlgorithmsTest {
  private static final Provider OTHER = new BouncyCastleProvider();
  private static final KeyPair KEYS = Pki.keys("RSA", 2048, "server");
  private static final byte[] TEXT = "a message".getBytes(StandardCharsets.UTF_8);

  @BeforeEach
  void acquire() {
    Algorithms.acquire();
  }

  @AfterEach
  void release() {
    Algorithms.release();
  }

  @Test
  void theNamesAreMilos() {
    assertThat(Algorithms.PSS)
        .isEqualTo(
            SecurityPolicy.Aes256_Sha256_RsaPss.getAsymmetricSignatureAlgorithm()
                .getTransformation());
    assertThat(Algorithms.OAEP)
        .isEqualTo(
            SecurityPolicy.Aes256_Sha256_RsaPss.getAsymmetricEncryptionAlgorithm()
                .getTransformation());
    assertThat(Algorithms.usable()).isTrue();
  }

  @Test
  void whatOneSignsTheOtherVerifies() throws Exception {
    for (boolean ours : List.of(true, false)) {
      Signature signing =
          ours
              ? Signature.getInstance(Algorithms.PSS)
              : Signature.getInstance(Algorithms.PSS, OTHER);
      Signature verifying =
          ours
              ? Signature.getInstance(Algorithms.PSS, OTHER)
              : Signature.getInstance(Algorithms.PSS);
      signing.initSign(KEYS.getPrivate());
      signing.update(TEXT);
      byte[] signature = signing.sign();
      verifying.initVerify(KEYS.getPublic());
      verifying.update(ByteBuffer.wrap(TEXT));
      assertThat(verifying.verify(signature)).isTrue();
      verifying.update(new byte[] {1});
      assertThat(verifying.verify(signature)).isFalse();
    }
  }

  @Test
  void whatOneEncryptsTheOtherReads() throws Exception {
    for (boolean ours : List.of(true, false)) {
      Cipher writing =
          ours ? Cipher.getInstance(Algorithms.OAEP) : Cipher.getInstance(Algorithms.OAEP, OTHER);
      Cipher reading =
          ours ? Cipher.getInstance(Algorithms.OAEP, OTHER) : Cipher.getInstance(Algorithms.OAEP);
      writing.init(Cipher.ENCRYPT_MODE, KEYS.getPublic());
      ByteBuffer secret = ByteBuffer.allocate(256);
      writing.doFinal(ByteBuffer.wrap(TEXT), secret);
      reading.init(Cipher.DECRYPT_MODE, KEYS.getPrivate());
      assertThat(reading.doFinal(secret.array())).isEqualTo(TEXT);
    }
  }

  /** Counted from the start, in a loader of its own: other tests of this process have theirs. */
  @Test
  void nothingStaysRegisteredWhenTheLastOneGoes() throws Exception {
    Algorithms.release();
    try (URLClassLoader loader =
        new URLClassLoader(
            new URL[] {Algorithms.class.getProtectionDomain().getCodeSource().getLocation()},
            null)) {
      Class<?> fresh = loader.loadClass(Algorithms.class.getName());
      Method acquire = fresh.getDeclaredMethod("acquire");
      Method release = fresh.getDeclaredMethod("release");
      acquire.setAccessible(true);
      release.setAccessible(true);

      acquire.invoke(null);
      acquire.invoke(null);
      release.invoke(null);
      Provider[] all = Security.getProviders();
      assertThat(all[all.length - 1].getClass()).isEqualTo(fresh);
      release.invoke(null);
      assertThat(Security.getProviders()).noneMatch(p -> p.getClass().equals(fresh));
    } finally {
      Algorithms.acquire();
    }
  }
}
