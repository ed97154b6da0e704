package io.culvert.device.opcua;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;

/** What stands in certificates and how they are called (OPC 10000-6, 6.2.2). */
final class Certificates {
  private static final String SUBJECT_ALT_NAME = "2.5.29.17";

  /** Bit of a key usage. */
  private static final int KEY_CERT_SIGN = 5;

  private static final int CRL_SIGN = 6;

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

  private Certificates() {}

  /** The name that OPC UA has for a certificate: SHA-1 over its DER form, in capitals. */
  static String thumbprint(X509Certificate certificate) {
    return digest("SHA-1", certificate);
  }

  static String sha256(X509Certificate certificate) {
    return digest("SHA-256", certificate);
  }

  private static String digest(String algorithm, X509Certificate certificate) {
    try {
      return HexFormat.of()
          .withUpperCase()
          .formatHex(MessageDigest.getInstance(algorithm).digest(certificate.getEncoded()));
    } catch (NoSuchAlgorithmException | CertificateEncodingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a person types for a certificate. */
  static String typed(X509Certificate certificate) {
    return thumbprint(certificate).substring(0, TrustStore.SHORTEST);
  }

  /** Subject and thumb-print, for sentences. */
  static String called(X509Certificate certificate) {
    return subject(certificate) + " (thumb-print " + thumbprint(certificate) + ")";
  }

  /**
   * Its subject on one line, and no longer than a sentence bears: whoever made it chose the text.
   */
  static String subject(X509Certificate certificate) {
    return plain(certificate.getSubjectX500Principal());
  }

  /** As {@link #subject}, of who issued it. */
  static String issuer(X509Certificate certificate) {
    return plain(certificate.getIssuerX500Principal());
  }

  private static String plain(X500Principal principal) {
    String name = principal.getName();
    if (name.isEmpty()) {
      return "somebody without a name";
    }
    String plain = name.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
    return plain.length() > 200 ? plain.substring(0, 200) + "…" : plain;
  }

  /** The first URI among its alternative names; {@code null} if there is none. */
  static String applicationUri(X509Certificate certificate) {
    List<String> uris = names(certificate, GeneralName.uniformResourceIdentifier);
    return uris.isEmpty() ? null : uris.get(0);
  }

  /** DNS names and IP addresses among its alternative names. */
  static List<String> hosts(X509Certificate certificate) {
    List<String> hosts = new ArrayList<>(names(certificate, GeneralName.dNSName));
    hosts.addAll(names(certificate, GeneralName.iPAddress));
    return hosts;
  }

  /** Java's own reader takes no URI that isn't quite one, and servers have such. */
  private static List<String> names(X509Certificate certificate, int kind) {
    List<String> found = new ArrayList<>();
    byte[] extension = certificate.getExtensionValue(SUBJECT_ALT_NAME);
    if (extension == null) {
      return found;
    }
    try {
      byte[] names = ASN1OctetString.getInstance(extension).getOctets();
      for (GeneralName name : GeneralNames.getInstance(names).getNames()) {
        if (name.getTagNo() == kind) {
          found.add(
              kind == GeneralName.iPAddress
                  ? InetAddress.getByAddress(
                          ASN1OctetString.getInstance(name.getName()).getOctets())
                      .getHostAddress()
                  : name.getName().toString());
        }
      }
    } catch (IllegalArgumentException | IllegalStateException | UnknownHostException e) {
      // Names that can't be read are none.
    }
    return found;
  }

  /** Whether its key signs certificates, by what it says of itself. */
  static boolean isAuthority(X509Certificate certificate) {
    boolean[] usage = certificate.getKeyUsage();
    return certificate.getBasicConstraints() >= 0 && (usage == null || usage[KEY_CERT_SIGN]);
  }

  static boolean isSelfIssued(X509Certificate certificate) {
    return certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
  }

  static boolean isSigned(X509Certificate certificate, X509Certificate issuer) {
    if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
      return false;
    }
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** Whether a list comes from this issuer, who may issue lists. */
  static boolean isSigned(X509CRL list, X509Certificate issuer) {
    boolean[] usage = issuer.getKeyUsage();
    if (!list.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())
        || (usage != null && !usage[CRL_SIGN])) {
      return false;
    }
    try {
      list.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /**
   * The certificates in a file, one in DER or any number in PEM.
   *
   * @throws IOException if there is none; the message says what there is
   */
  static List<X509Certificate> read(byte[] file) throws IOException {
    List<X509Certificate> found = new ArrayList<>();
    if (file.length > 0 && file[0] == 0x30) {
      found.add(parse(file));
      return found;
    }
    Matcher block = BLOCK.matcher(new String(file, StandardCharsets.ISO_8859_1));
    while (block.find()) {
      if (block.group(1).contains("PRIVATE KEY")) {
        throw new IOException("found a private key; expected certificates only, take it away");
      }
      if (block.group(1).equals("CERTIFICATE")) {
        found.add(parse(decoded(block.group(2))));
      }
    }
    if (found.isEmpty()) {
      throw new IOException("found no certificate; expected X.509 in DER or PEM");
    }
    return found;
  }

  private static X509Certificate parse(byte[] der) throws IOException {
    try {
      return (X509Certificate)
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(der));
    } catch (CertificateException e) {
      throw new IOException(
          "found a certificate that can't be read; expected X.509 in DER or PEM", e);
    }
  }

  /** A revocation list, in DER or PEM. */
  static X509CRL readList(byte[] file) throws IOException {
    byte[] der = file;
    if (file.length == 0 || file[0] != 0x30) {
      Matcher block = BLOCK.matcher(new String(file, StandardCharsets.ISO_8859_1));
      if (!block.find() || !block.group(1).equals("X509 CRL")) {
        throw new IOException("found no revocation list; expected an X.509 CRL in DER or PEM");
      }
      der = decoded(block.group(2));
    }
    try {
      return (X509CRL)
          CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(der));
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "found a revocation list that can't be read; expected an X.509 CRL in DER or PEM", e);
    }
  }

  private static byte[] decoded(String base64) throws IOException {
    try {
      return Base64.getMimeDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IOException("found damaged Base64; expected X.509 in DER or PEM", e);
    }
  }
}
