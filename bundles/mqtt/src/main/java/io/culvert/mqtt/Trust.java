package io.culvert.mqtt;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Collections;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Whose certificates a link believes. */
final class Trust {

  private Trust() {}

  /**
   * Reads the file anew, so that a renewed certificate needs no restart.
   *
   * @param file PEM or PKCS#12; {@code null} for what the Java runtime trusts
   * @param password of the PKCS#12 file, {@code null} if it has none
   * @throws IOException with words for a person if the file is missing or of no use
   */
  static SSLContext context(Path file, char[] password)
      throws IOException, GeneralSecurityException {
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(file == null ? null : load(file, password));
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  private static KeyStore load(Path file, char[] password)
      throws IOException, GeneralSecurityException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new IOException("trust: there is no file " + file);
    } catch (IOException e) {
      throw new IOException("trust: " + file + " can't be read: " + e.getMessage());
    }
    KeyStore store = KeyStore.getInstance("PKCS12");
    if (new String(bytes, StandardCharsets.ISO_8859_1).contains("-----BEGIN CERTIFICATE-----")) {
      store.load(null, null);
      int n = 0;
      for (Certificate certificate : pem(file, bytes)) {
        store.setCertificateEntry("trusted-" + n++, certificate);
      }
    } else {
      try {
        store.load(new ByteArrayInputStream(bytes), password);
        if (store.size() == 0 && password == null) {
          // Tools that can't do without a password take the empty one.
          store.load(new ByteArrayInputStream(bytes), new char[0]);
        }
      } catch (IOException e) {
        throw new IOException(
            "trust: " + file + " is neither PEM nor PKCS#12 that trustPassword opens");
      }
      trustAll(store);
    }
    if (store.size() == 0) {
      throw new IOException("trust: " + file + " holds no certificate that can be read");
    }
    return store;
  }

  private static Collection<? extends Certificate> pem(Path file, byte[] bytes) throws IOException {
    try {
      return CertificateFactory.getInstance("X.509")
          .generateCertificates(new ByteArrayInputStream(bytes));
    } catch (CertificateException e) {
      throw new IOException("trust: " + file + " holds a broken certificate: " + e.getMessage());
    }
  }

  /** OpenSSL writes certificates without the mark by which Java knows those to be trusted. */
  private static void trustAll(KeyStore store) throws GeneralSecurityException {
    for (String alias : Collections.list(store.aliases())) {
      if (!store.isCertificateEntry(alias)
          && store.getCertificate(alias) instanceof X509Certificate certificate) {
        store.setCertificateEntry("trusted-" + alias, certificate);
      }
    }
  }
}
