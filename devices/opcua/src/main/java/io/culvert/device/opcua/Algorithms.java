package io.culvert.device.opcua;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.Signature;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.function.Supplier;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.CipherSpi;
import javax.crypto.IllegalBlockSizeException;
import javax.crypto.NoSuchPaddingException;
import javax.crypto.ShortBufferException;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;

/**
 * The two algorithms of the policy Aes256_Sha256_RsaPss (OPC 10000-7) under the names that Milo
 * asks for, which are Bouncy Castle's. Java's own do the work, under their own names. That is all
 * that is registered with this process, after everybody else's, and only while somebody needs it.
 */
final class Algorithms extends Provider {
  private static final long serialVersionUID = 1;

  static final String PSS = "SHA256withRSA/PSS";
  static final String OAEP = "RSA/ECB/OAEPWithSHA256AndMGF1Padding";

  private static final String NAME = "Culvert-OPC-UA";

  private static Algorithms registered;
  private static int users;

  private Algorithms() {
    super(NAME, "1.0", "RSA-PSS and RSA-OAEP with SHA-256, for OPC UA");
    putService(new Offer(this, "Signature", PSS, Pss::new));
    putService(new Offer(this, "Cipher", OAEP, Oaep::new));
  }

  /** Registers them, for somebody who will {@link #release}. */
  static synchronized void acquire() {
    if (users++ == 0) {
      // Of a version of this bundle that is going.
      Security.removeProvider(NAME);
      registered = new Algorithms();
      Security.addProvider(registered);
    }
  }

  static synchronized void release() {
    if (--users == 0) {
      if (Security.getProvider(NAME) == registered) {
        Security.removeProvider(NAME);
      }
      registered = null;
    }
  }

  /** Whether this Java takes them: some want ciphers signed by their own authority. */
  static boolean usable() {
    try {
      Cipher.getInstance(OAEP);
      Signature.getInstance(PSS);
      return true;
    } catch (GeneralSecurityException | SecurityException e) {
      return false;
    }
  }

  private static final class Offer extends Service {
    private final Supplier<Object> maker;

    Offer(Provider provider, String type, String algorithm, Supplier<Object> maker) {
      super(provider, type, algorithm, "", null, null);
      this.maker = maker;
    }

    @Override
    public Object newInstance(Object parameter) {
      return maker.get();
    }
  }

  /** RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt as long as the digest. */
  private static final class Pss extends SignatureSpi {
    private final Signature signature;

    Pss() {
      try {
        signature = Signature.getInstance("RSASSA-PSS");
        signature.setParameter(
            new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
      } catch (GeneralSecurityException e) {
        throw new ProviderException(e);
      }
    }

    @Override
    protected void engineInitVerify(PublicKey key) throws InvalidKeyException {
      signature.initVerify(key);
    }

    @Override
    protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
      signature.initSign(key);
    }

    @Override
    protected void engineUpdate(byte b) throws SignatureException {
      signature.update(b);
    }

    @Override
    protected void engineUpdate(byte[] bytes, int from, int length) throws SignatureException {
      signature.update(bytes, from, length);
    }

    @Override
    protected byte[] engineSign() throws SignatureException {
      return signature.sign();
    }

    @Override
    protected boolean engineVerify(byte[] bytes) throws SignatureException {
      return signature.verify(bytes);
    }

    @Override
    @Deprecated
    protected void engineSetParameter(String name, Object value) {
      throw new UnsupportedOperationException(name);
    }

    @Override
    @Deprecated
    protected Object engineGetParameter(String name) {
      throw new UnsupportedOperationException(name);
    }
  }

  /** RSA-OAEP with SHA-256 and MGF1 with SHA-256; Java's default for MGF1 is SHA-1. */
  private static final class Oaep extends CipherSpi {
    private static final OAEPParameterSpec SHA256 =
        new OAEPParameterSpec(
            "SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);

    private final Cipher cipher;

    Oaep() {
      try {
        cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
      } catch (GeneralSecurityException e) {
        throw new ProviderException(e);
      }
    }

    @Override
    protected void engineSetMode(String mode) throws NoSuchAlgorithmException {
      throw new NoSuchAlgorithmException(mode);
    }

    @Override
    protected void engineSetPadding(String padding) throws NoSuchPaddingException {
      throw new NoSuchPaddingException(padding);
    }

    @Override
    protected int engineGetBlockSize() {
      return cipher.getBlockSize();
    }

    @Override
    protected int engineGetOutputSize(int length) {
      return cipher.getOutputSize(length);
    }

    @Override
    protected byte[] engineGetIV() {
      return null;
    }

    @Override
    protected AlgorithmParameters engineGetParameters() {
      return cipher.getParameters();
    }

    @Override
    protected void engineInit(int mode, Key key, SecureRandom random) throws InvalidKeyException {
      try {
        cipher.init(mode, key, SHA256, random);
      } catch (InvalidAlgorithmParameterException e) {
        throw new InvalidKeyException(e);
      }
    }

    @Override
    protected void engineInit(
        int mode, Key key, AlgorithmParameterSpec parameters, SecureRandom random)
        throws InvalidAlgorithmParameterException {
      throw new InvalidAlgorithmParameterException("has its own");
    }

    @Override
    protected void engineInit(
        int mode, Key key, AlgorithmParameters parameters, SecureRandom random)
        throws InvalidAlgorithmParameterException {
      throw new InvalidAlgorithmParameterException("has its own");
    }

    @Override
    protected byte[] engineUpdate(byte[] bytes, int from, int length) {
      return cipher.update(bytes, from, length);
    }

    @Override
    protected int engineUpdate(byte[] bytes, int from, int length, byte[] to, int at)
        throws ShortBufferException {
      return cipher.update(bytes, from, length, to, at);
    }

    @Override
    protected byte[] engineDoFinal(byte[] bytes, int from, int length)
        throws IllegalBlockSizeException, BadPaddingException {
      return cipher.doFinal(bytes, from, length);
    }

    @Override
    protected int engineDoFinal(byte[] bytes, int from, int length, byte[] to, int at)
        throws ShortBufferException, IllegalBlockSizeException, BadPaddingException {
      return cipher.doFinal(bytes, from, length, to, at);
    }
  }
}
