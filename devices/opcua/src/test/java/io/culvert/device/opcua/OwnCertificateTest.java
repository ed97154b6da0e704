package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.service.Secrets;
import io.culvert.device.opcua.OwnCertificate.Identity;
import io.culvert.device.opcua.Pki.Signed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.eclipse.milo.opcua.stack.core.util.validation.CertificateValidationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The gateway's own certificate: made once, kept, renewed, and never lost by oversight. */
class OwnCertificateTest {
  private static final Secrets NONE = name -> Optional.empty();

  @TempDir Path folder;

  private OwnCertificate own(Secrets secrets) {
    return own(secrets, Clock.systemUTC());
  }

  private OwnCertificate own(Secrets secrets, Clock clock) {
    return new OwnCertificate(folder.resolve("opcua"), secrets, clock);
  }

  private Path file(String name) {
    return folder.resolve("opcua").resolve(name);
  }

  @Test
  void isMadeAtFirstNeedAsTheSpecificationAsksAndKept() throws Exception {
    assertThat(own(NONE).certificate()).isEmpty();
    Identity made = own(NONE).get();
    X509Certificate certificate = made.certificate();

    assertThat(((RSAPublicKey) certificate.getPublicKey()).getModulus().bitLength())
        .isEqualTo(OwnCertificate.BITS);
    assertThat(certificate.getSigAlgName()).isEqualTo("SHA256withRSA");
    assertThat(certificate.getVersion()).isEqualTo(3);
    certificate.verify(certificate.getPublicKey());
    certificate.checkValidity();
    assertThat(Duration.between(Instant.now(), certificate.getNotAfter().toInstant()).toDays())
        .isBetween(3650L, 3653L);
    assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
    assertThat(certificate.getCriticalExtensionOIDs())
        .containsExactlyInAnyOrder("2.5.29.15", "2.5.29.19");
    assertThat(Certificates.applicationUri(certificate))
        .matches("urn:culvert:[a-z0-9.-]+:[0-9a-f]{8}");
    assertThat(Certificates.hosts(certificate)).contains(OwnCertificate.host());
    // What a server on Milo would check, and Java's own reader.
    CertificateValidationUtil.checkEndEntityKeyUsage(certificate);
    CertificateValidationUtil.checkEndEntityExtendedKeyUsage(certificate, true);
    CertificateValidationUtil.checkApplicationUri(
        certificate, Certificates.applicationUri(certificate));
    byte[] id =
        SubjectKeyIdentifier.getInstance(
                ASN1OctetString.getInstance(certificate.getExtensionValue("2.5.29.14")).getOctets())
            .getKeyIdentifier();
    AuthorityKeyIdentifier issuer =
        AuthorityKeyIdentifier.getInstance(
            ASN1OctetString.getInstance(certificate.getExtensionValue("2.5.29.35")).getOctets());
    assertThat(issuer.getKeyIdentifierOctets()).isEqualTo(id);
    assertThat(issuer.getAuthorityCertSerialNumber()).isEqualTo(certificate.getSerialNumber());
    assertThat(issuer.getAuthorityCertIssuer().getNames()).hasSize(1);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file("own.p12"))))
        .isEqualTo("rw-------");
    assertThat(Files.readAllBytes(file("own.der"))).isEqualTo(certificate.getEncoded());

    Identity again = own(NONE).get();
    assertThat(again.certificate()).isEqualTo(certificate);
    assertThat(again.key()).isEqualTo(made.key());
  }

  @Test
  void thoseWhoNeedItAtOnceGetTheSame() throws Exception {
    ExecutorService all = Executors.newFixedThreadPool(4);
    try {
      List<Future<Identity>> made =
          Stream.generate(() -> all.submit(() -> own(NONE).get())).limit(4).toList();
      X509Certificate first = made.get(0).get().certificate();
      for (Future<Identity> each : made) {
        assertThat(each.get().certificate()).isEqualTo(first);
      }
    } finally {
      all.shutdownNow();
    }
  }

  @Test
  void renewingKeepsTheApplicationUriAndTheOldKeyAside() throws IOException {
    existing(Pki.server(), "culvert");
    X509Certificate old = own(NONE).get().certificate();

    Path aside = own(NONE).renew().orElseThrow();

    X509Certificate renewed = own(NONE).get().certificate();
    assertThat(renewed.getPublicKey()).isNotEqualTo(old.getPublicKey());
    assertThat(Certificates.applicationUri(renewed)).isEqualTo(Pki.URI);
    assertThat(aside).hasParent(file("").toAbsolutePath());
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(aside)))
        .isEqualTo("rw-------");
    assertThat(OwnCertificate.load(aside, "aside", "culvert", "nowhere").certificate())
        .isEqualTo(old);
  }

  @Test
  void whatAnAuthorityIssuedIsNotRenewedHere() throws IOException {
    Signed signed = Pki.server().by(Pki.authority("Root").selfSigned());
    Files.createDirectories(file(""));
    Pki.store(file("own.p12"), signed, "culvert");

    assertThat(own(NONE).get().certificate()).isEqualTo(signed.certificate());
    assertThatThrownBy(() -> own(NONE).renew())
        .hasMessageContaining("was issued by")
        .hasMessageContaining("CN=Root");
    assertThat(own(NONE).get().certificate()).isEqualTo(signed.certificate());
  }

  private Signed existing(Pki.Draft draft, String password) throws IOException {
    Signed signed = draft.selfSigned();
    Files.createDirectories(file(""));
    Pki.store(file("own.p12"), signed, password);
    return signed;
  }

  @Test
  void aPasswordOfTheSiteIsUsedAndNeverSeen() throws IOException {
    existing(Pki.server(), "geheim-7f3c");
    Secrets secrets = name -> Optional.ofNullable(Map.of("opcua-own", "geheim-7f3c").get(name));
    Identity own = own(secrets).get();

    assertThat(own.toString()).doesNotContain("geheim").contains("thumb-print");
    assertThat(own.toString()).doesNotContain(own.key().toString());
    byte[] before = Files.readAllBytes(file("own.p12"));
    assertThatThrownBy(() -> own(NONE).get())
        .hasMessageContaining("etc/opcua/own.p12")
        .hasMessageContaining("etc/secrets/opcua-own")
        .satisfies(e -> assertThat(whole(e)).doesNotContain("geheim"));
    Secrets wrong = name -> Optional.of("geheim-0000");
    assertThatThrownBy(() -> own(wrong).get())
        .satisfies(e -> assertThat(whole(e)).doesNotContain("geheim"));
    assertThat(Files.readAllBytes(file("own.p12"))).isEqualTo(before);
  }

  private static String whole(Throwable e) {
    java.io.StringWriter out = new java.io.StringWriter();
    e.printStackTrace(new java.io.PrintWriter(out));
    return out.toString();
  }

  @Test
  void aDamagedOrForeignFileIsLeftAsItIs() throws IOException {
    existing(Pki.server(), "culvert");
    byte[] good = Files.readAllBytes(file("own.p12"));
    byte[] flipped = good.clone();
    flipped[good.length / 2] ^= 1;
    for (byte[] bad :
        List.of(
            new byte[0],
            "not a key store".getBytes(StandardCharsets.UTF_8),
            java.util.Arrays.copyOf(good, good.length / 2),
            flipped,
            new byte[100_000])) {
      Files.write(file("own.p12"), bad);

      assertThatThrownBy(() -> own(NONE).get()).hasMessageStartingWith("etc/opcua/own.p12: ");
      assertThatThrownBy(() -> own(NONE).renew()).hasMessageStartingWith("etc/opcua/own.p12: ");
      assertThat(own(NONE).problem()).isPresent();
      assertThat(Files.readAllBytes(file("own.p12"))).isEqualTo(bad);
    }
    Pki.Draft nameless = Pki.server();
    nameless.uri = null;
    existing(nameless, "culvert");
    assertThatThrownBy(() -> own(NONE).get()).hasMessageContaining("names no application URI");
  }

  @Test
  void rightsOfOthersAreTakenAway() throws IOException {
    existing(Pki.server(), "culvert");
    Files.setPosixFilePermissions(file("own.p12"), PosixFilePermissions.fromString("rw-r--r--"));

    own(NONE).get();

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file("own.p12"))))
        .isEqualTo("rw-------");
  }

  @Test
  void itIsToldAMonthAheadThatItExpires() throws IOException {
    Signed signed = existing(Pki.server(), "culvert");
    Instant end = signed.certificate().getNotAfter().toInstant();

    assertThat(own(NONE, at(end.minus(Duration.ofDays(31)))).problem()).isEmpty();
    assertThat(own(NONE, at(end.minus(Duration.ofDays(29)))).problem().orElseThrow())
        .contains("expires on " + TrustStore.day(end))
        .contains("bin/culvert opcua own renew");
    assertThat(own(NONE, at(end.plusSeconds(1))).problem().orElseThrow())
        .contains("has expired on");
  }

  private static Clock at(Instant instant) {
    return Clock.fixed(instant, ZoneOffset.UTC);
  }

  @Test
  void aClockThatWasNeverSetMakesNone() {
    assertThatThrownBy(() -> own(NONE, at(Instant.EPOCH)).get())
        .hasMessageContaining("1970-01-01")
        .hasMessageContaining("set the clock");
    assertThat(file("own.p12")).doesNotExist();
  }
}
