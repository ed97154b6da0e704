package io.culvert.device.opcua;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Certificates as servers and authorities have them, good and bad. Keys are made once for all
 * tests: they take longer than everything else.
 */
final class Pki {
  static final String URI = "urn:example:plant";

  private static final Map<String, KeyPair> KEYS = new ConcurrentHashMap<>();
  private static final AtomicInteger SERIAL = new AtomicInteger(1);

  private Pki() {}

  /** A certificate with its key. */
  record Signed(KeyPair keys, X509Certificate certificate) {}

  static KeyPair keys(String algorithm, int bits, String who) {
    return KEYS.computeIfAbsent(
        algorithm + bits + who,
        k -> {
          try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(bits);
            return generator.generateKeyPair();
          } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** What a server's certificate says; change what is to be wrong. */
  static final class Draft {
    String subject = "CN=Plant server, O=Example";
    String uri = URI;
    List<GeneralName> names =
        new ArrayList<>(
            List.of(
                new GeneralName(GeneralName.dNSName, "localhost"),
                new GeneralName(GeneralName.iPAddress, "127.0.0.1")));
    Instant from = Instant.now().minus(Duration.ofDays(2));
    Instant to = Instant.now().plus(Duration.ofDays(365));
    Integer usage =
        KeyUsage.digitalSignature
            | KeyUsage.nonRepudiation
            | KeyUsage.keyEncipherment
            | KeyUsage.dataEncipherment;
    KeyPurposeId purpose = KeyPurposeId.id_kp_serverAuth;
    boolean authority;
    boolean oddExtension;
    String algorithm = "SHA256withRSA";
    KeyPair keys = Pki.keys("RSA", 2048, "server");

    Draft host(String... hosts) {
      names.clear();
      for (String host : hosts) {
        boolean address = host.matches("[0-9.]+") || host.contains(":");
        names.add(new GeneralName(address ? GeneralName.iPAddress : GeneralName.dNSName, host));
      }
      return this;
    }

    Signed selfSigned() {
      return sign(null);
    }

    Signed by(Signed issuer) {
      return sign(issuer);
    }

    private Signed sign(Signed issuer) {
      try {
        X500Principal name = new X500Principal(subject);
        JcaX509v3CertificateBuilder builder =
            new JcaX509v3CertificateBuilder(
                issuer == null ? name : issuer.certificate.getSubjectX500Principal(),
                BigInteger.valueOf(SERIAL.getAndIncrement()),
                Date.from(from),
                Date.from(to),
                name,
                keys.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
        if (usage != null) {
          builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        }
        if (purpose != null) {
          builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
        }
        List<GeneralName> all = new ArrayList<>(names);
        if (uri != null) {
          all.add(0, new GeneralName(GeneralName.uniformResourceIdentifier, uri));
        }
        if (!all.isEmpty()) {
          builder.addExtension(
              Extension.subjectAlternativeName,
              false,
              new GeneralNames(all.toArray(GeneralName[]::new)));
        }
        if (oddExtension) {
          builder.addExtension(
              new ASN1ObjectIdentifier("1.3.6.1.4.1.99999.1"), true, new DERUTF8String("odd"));
        }
        X509Certificate certificate =
            new JcaX509CertificateConverter()
                .getCertificate(
                    builder.build(
                        new JcaContentSignerBuilder(algorithm)
                            .build((issuer == null ? keys : issuer.keys).getPrivate())));
        return new Signed(keys, certificate);
      } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  static Draft server() {
    return new Draft();
  }

  static Draft authority(String name) {
    Draft draft = new Draft();
    draft.subject = "CN=" + name + ", O=Example";
    draft.uri = null;
    draft.names.clear();
    draft.usage = KeyUsage.keyCertSign | KeyUsage.cRLSign;
    draft.purpose = null;
    draft.authority = true;
    draft.keys = keys("RSA", 2048, "authority");
    return draft;
  }

  static byte[] revoked(Signed issuer, Instant next, X509Certificate... revoked) {
    try {
      X509v2CRLBuilder builder =
          new X509v2CRLBuilder(
              X500Name.getInstance(issuer.certificate.getSubjectX500Principal().getEncoded()),
              Date.from(Instant.now().minus(Duration.ofDays(1))));
      builder.setNextUpdate(Date.from(next));
      for (X509Certificate each : revoked) {
        builder.addCRLEntry(
            each.getSerialNumber(),
            Date.from(Instant.now().minus(Duration.ofHours(1))),
            CRLReason.keyCompromise);
      }
      return builder
          .build(new JcaContentSignerBuilder("SHA256withRSA").build(issuer.keys.getPrivate()))
          .getEncoded();
    } catch (IOException | OperatorCreationException e) {
      throw new IllegalStateException(e);
    }
  }

  static Path put(Path folder, String file, X509Certificate certificate) throws IOException {
    try {
      Files.createDirectories(folder);
      return Files.write(folder.resolve(file), certificate.getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  static void store(Path file, Signed signed, String password) throws IOException {
    try (var out = Files.newOutputStream(file)) {
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(null, null);
      keys.setKeyEntry(
          "it",
          signed.keys.getPrivate(),
          password.toCharArray(),
          new Certificate[] {signed.certificate});
      keys.store(out, password.toCharArray());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
