package io.culvert.plugins;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.ZipFile;
import jdk.security.jarsigner.JarSigner;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TSPAlgorithms;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;

/** Vendors, authorities and their certificates, as many as a test asks for. */
final class Pki {
  private static final AtomicLong SERIAL = new AtomicLong(1000);

  private Pki() {}

  /**
   * Somebody with a key.
   *
   * @param path certificates from its own to a root's
   */
  record Identity(KeyPair keys, List<X509Certificate> path) {
    X509Certificate certificate() {
      return path.get(0);
    }

    /** Signs as {@code jarsigner} does. */
    byte[] sign(byte[] jar) {
      return sign(jar, "SIGNER", signer -> {});
    }

    byte[] sign(byte[] jar, String name, Consumer<JarSigner.Builder> options) {
      try {
        Path file = Files.createTempFile("unsigned", ".jar");
        try {
          Files.write(file, jar);
          java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
          JarSigner.Builder builder =
              new JarSigner.Builder(
                      keys.getPrivate(),
                      CertificateFactory.getInstance("X.509").generateCertPath(path))
                  .signerName(name);
          options.accept(builder);
          try (ZipFile zip = new ZipFile(file.toFile())) {
            builder.build().sign(zip, out);
          }
          return out.toByteArray();
        } finally {
          Files.delete(file);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** How a certificate shall be. */
  static final class Order {
    private final String name;
    private Identity issuer;
    private String key = "EC";
    private int bits = 256;
    private String digest = "SHA256";
    private boolean authority;
    private List<KeyPurposeId> purposes = List.of();
    private Integer usage;
    private Instant from = Instant.now().minus(Duration.ofDays(10));
    private Instant to = Instant.now().plus(Duration.ofDays(10));

    private Order(String name) {
      this.name = name;
    }

    Order by(Identity issuer) {
      this.issuer = issuer;
      return this;
    }

    Order key(String algorithm, int bits) {
      key = algorithm;
      this.bits = bits;
      return this;
    }

    Order digest(String digest) {
      this.digest = digest;
      return this;
    }

    Order authority() {
      authority = true;
      return this;
    }

    Order purpose(KeyPurposeId... purposes) {
      this.purposes = List.of(purposes);
      return this;
    }

    Order usage(int usage) {
      this.usage = usage;
      return this;
    }

    Order valid(Instant from, Instant to) {
      this.from = from;
      this.to = to;
      return this;
    }

    Identity make() {
      try {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(key);
        generator.initialize(bits);
        KeyPair keys = generator.generateKeyPair();
        KeyPair signing = issuer == null ? keys : issuer.keys;
        X500Name subject = new X500Name(name);
        JcaX509v3CertificateBuilder builder =
            new JcaX509v3CertificateBuilder(
                issuer == null
                    ? subject
                    : X500Name.getInstance(
                        issuer.certificate().getSubjectX500Principal().getEncoded()),
                BigInteger.valueOf(SERIAL.incrementAndGet()),
                Date.from(from),
                Date.from(to),
                subject,
                keys.getPublic());
        if (authority) {
          builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        }
        if (!purposes.isEmpty()) {
          builder.addExtension(
              Extension.extendedKeyUsage,
              true,
              new ExtendedKeyUsage(purposes.toArray(new KeyPurposeId[0])));
        }
        if (usage != null) {
          builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        }
        X509Certificate made =
            new JcaX509CertificateConverter()
                .getCertificate(builder.build(signer(signing, digest)));
        List<X509Certificate> path = new ArrayList<>(List.of(made));
        if (issuer != null) {
          path.addAll(issuer.path);
        }
        return new Identity(keys, path);
      } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  static Order order(String name) {
    return new Order(name);
  }

  private static org.bouncycastle.operator.ContentSigner signer(KeyPair keys, String digest)
      throws OperatorCreationException {
    String algorithm = keys.getPrivate().getAlgorithm();
    return new JcaContentSignerBuilder(
            digest + "with" + (algorithm.equals("EC") ? "ECDSA" : algorithm))
        .build(keys.getPrivate());
  }

  static String pem(X509Certificate... certificates) {
    StringBuilder pem = new StringBuilder();
    try {
      for (X509Certificate each : certificates) {
        pem.append("-----BEGIN CERTIFICATE-----\n")
            .append(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(each.getEncoded()))
            .append("\n-----END CERTIFICATE-----\n");
      }
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
    return pem.toString();
  }

  /** Revokes a certificate. */
  static X509CRL revocations(
      Identity issuer, X509Certificate revoked, Instant since, int reason, Instant nextUpdate)
      throws Exception {
    return revocations(issuer, revoked, since, reason, null, nextUpdate);
  }

  /**
   * Revokes a certificate.
   *
   * @param invalid when its key was no longer good; {@code null} if the list doesn't say
   */
  static X509CRL revocations(
      Identity issuer,
      X509Certificate revoked,
      Instant since,
      int reason,
      Instant invalid,
      Instant nextUpdate)
      throws Exception {
    X509v2CRLBuilder builder =
        new X509v2CRLBuilder(
            X500Name.getInstance(issuer.certificate().getSubjectX500Principal().getEncoded()),
            Date.from(since));
    builder.setNextUpdate(Date.from(nextUpdate));
    if (invalid == null) {
      builder.addCRLEntry(revoked.getSerialNumber(), Date.from(since), reason);
    } else {
      builder.addCRLEntry(revoked.getSerialNumber(), Date.from(since), reason, Date.from(invalid));
    }
    return new JcaX509CRLConverter().getCRL(builder.build(signer(issuer.keys, "SHA256")));
  }

  /** An authority for time-stamps (RFC 3161) on a port of its own, whose clock says anything. */
  static final class Clock implements AutoCloseable {
    private final HttpServer server;

    Clock(Identity authority, Supplier<Instant> clock) throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext(
          "/",
          exchange -> {
            byte[] answer;
            try {
              answer = answer(authority, clock, exchange.getRequestBody().readAllBytes());
            } catch (Exception e) {
              throw new IOException(e);
            }
            exchange.getResponseHeaders().add("Content-Type", "application/timestamp-reply");
            exchange.sendResponseHeaders(200, answer.length);
            try (OutputStream out = exchange.getResponseBody()) {
              out.write(answer);
            }
          });
      server.start();
    }

    private static byte[] answer(Identity authority, Supplier<Instant> clock, byte[] request)
        throws Exception {
      TimeStampTokenGenerator tokens =
          new TimeStampTokenGenerator(
              new JcaSimpleSignerInfoGeneratorBuilder()
                  .setSignedAttributeGenerator(new AttributeTable(new java.util.Hashtable<>()))
                  .build("SHA256withECDSA", authority.keys.getPrivate(), authority.certificate()),
              new JcaDigestCalculatorProviderBuilder()
                  .build()
                  .get(
                      new org.bouncycastle.asn1.x509.AlgorithmIdentifier(
                          new ASN1ObjectIdentifier("2.16.840.1.101.3.4.2.1"))),
              new ASN1ObjectIdentifier("1.2.3.4"));
      tokens.addCertificates(new JcaCertStore(authority.path));
      return new TimeStampResponseGenerator(tokens, TSPAlgorithms.ALLOWED)
          .generate(
              new TimeStampRequest(request),
              BigInteger.valueOf(SERIAL.incrementAndGet()),
              Date.from(clock.get()))
          .getEncoded();
    }

    URI url() {
      return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }
}
