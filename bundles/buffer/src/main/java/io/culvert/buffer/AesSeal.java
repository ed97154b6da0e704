package io.culvert.buffer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * Encrypts with AES in Galois/Counter Mode (NIST SP 800-38D): nonce of 96 random bits, then the
 * text and its tag of 128 bits. The place is authenticated with it, so that nothing can be moved.
 *
 * <p>Random nonces are safe for 2^32 texts with one key (section 8.3): at ten rows a second, two
 * texts each, that is seven years.
 */
final class AesSeal implements Seal {
  /** Alias of the key in the keystore. */
  static final String ALIAS = "culvert-buffer";

  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private final SecretKey key;
  private final SecureRandom random = new SecureRandom();

  AesSeal(SecretKey key) {
    this.key = key;
  }

  /**
   * The key of a keystore.
   *
   * @param file PKCS #12
   * @return {@code null} if there is no such file
   * @throws IOException if there is and holds no such key, saying what to do
   */
  static AesSeal load(Path file, char[] password) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, password);
      Key key = store.getKey(ALIAS, password);
      if (key instanceof SecretKey secret && secret.getEncoded().length == 32) {
        return new AesSeal(secret);
      }
      throw new IOException(
          file
              + ": expected an AES key of 256 bits under the alias "
              + ALIAS
              + ", found "
              + (key == null ? "none" : key.getAlgorithm())
              + "; make one with: "
              + makeKey(file));
    } catch (NoSuchFileException e) {
      return null;
    } catch (GeneralSecurityException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  static String makeKey(Path file) {
    return "keytool -genseckey -alias "
        + ALIAS
        + " -keyalg AES -keysize 256 -storetype PKCS12 -keystore "
        + file;
  }

  @Override
  public byte[] close(byte[] content, long place) {
    try {
      byte[] nonce = new byte[NONCE_BYTES];
      random.nextBytes(nonce);
      Cipher cipher = cipher(Cipher.ENCRYPT_MODE, nonce, place);
      byte[] sealed = Arrays.copyOf(nonce, NONCE_BYTES + cipher.getOutputSize(content.length));
      cipher.doFinal(content, 0, content.length, sealed, NONCE_BYTES);
      return sealed;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES/GCM is part of every Java runtime", e);
    }
  }

  @Override
  public byte[] open(byte[] sealed, long place) throws DamagedException {
    if (sealed.length < NONCE_BYTES + TAG_BITS / 8) {
      throw new DamagedException("Too short to be encrypted");
    }
    try {
      Cipher cipher = cipher(Cipher.DECRYPT_MODE, Arrays.copyOf(sealed, NONCE_BYTES), place);
      return cipher.doFinal(sealed, NONCE_BYTES, sealed.length - NONCE_BYTES);
    } catch (GeneralSecurityException e) {
      throw new DamagedException("Can't be decrypted: changed, or of another key", e);
    }
  }

  private Cipher cipher(int mode, byte[] nonce, long place) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(ByteBuffer.allocate(Long.BYTES).putLong(place).array());
    return cipher;
  }
}
