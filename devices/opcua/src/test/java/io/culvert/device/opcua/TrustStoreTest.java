package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.culvert.device.opcua.Pki.Draft;
import io.culvert.device.opcua.Pki.Signed;
import io.culvert.device.opcua.TrustStore.Entry;
import io.culvert.device.opcua.TrustStore.Expected;
import io.culvert.device.opcua.TrustStore.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which servers are trusted (OPC 10000-4, 6.1.3), and what a person does about it. */
class TrustStoreTest {
  private static final Expected EXPECTED = new Expected(Pki.URI, "127.0.0.1", false);

  @TempDir Path folder;
  private TrustStore trust;

  @BeforeEach
  void create() {
    trust = new TrustStore(folder, Clock.systemUTC());
  }

  private void trusted(Signed... all) throws IOException {
    put("trusted", all);
  }

  private void put(String where, Signed... all) throws IOException {
    for (Signed each : all) {
      Pki.put(
          folder.resolve(where),
          Certificates.thumbprint(each.certificate()) + ".der",
          each.certificate());
    }
  }

  private RefusedException refused(Expected expected, X509Certificate... sent) {
    return catchThrowableOfType(RefusedException.class, () -> trust.check(List.of(sent), expected));
  }

  private void taken(Expected expected, X509Certificate... sent) {
    assertThatCode(() -> trust.check(List.of(sent), expected)).doesNotThrowAnyException();
  }

  @Test
  void whatIsTrustedItselfIsTaken() throws IOException {
    Signed server = Pki.server().selfSigned();
    trusted(server);

    taken(EXPECTED, server.certificate());
    taken(new Expected(Pki.URI, "LocalHost", false), server.certificate());
  }

  @Test
  void anUnknownOneIsRefusedWithTheCommandToTypeWhichThenLetsItIn() throws IOException {
    X509Certificate server = Pki.server().selfSigned().certificate();
    String thumbprint = Certificates.thumbprint(server);

    RefusedException e = refused(EXPECTED, server);
    assertThat(e.status()).isEqualTo(StatusCodes.Bad_CertificateUntrusted);
    String typed = thumbprint.substring(0, 8).toLowerCase();
    assertThat(e)
        .hasMessageContaining("O=Example")
        .hasMessageContaining(thumbprint)
        .hasMessageEndingWith("bin/culvert opcua trust add " + typed);
    assertThat(trust.entries())
        .singleElement()
        .satisfies(entry -> assertThat(entry.state()).isEqualTo(State.REJECTED));

    Entry added = trust.trust(typed);
    assertThat(added.file().getFileName()).hasToString("Plant-server-" + thumbprint + ".der");
    taken(EXPECTED, server);
    assertThat(trust.entries()).extracting(Entry::state).containsExactly(State.TRUSTED);

    trust.remove(typed);
    assertThat(refused(EXPECTED, server).status()).isEqualTo(StatusCodes.Bad_CertificateUntrusted);
    assertThat(trust.entries()).extracting(Entry::state).containsExactly(State.REJECTED);
    trust.remove(typed);
    assertThat(trust.entries()).isEmpty();
  }

  @Test
  void whatATrustedAuthorityIssuedIsTakenAndWhatAKnownOneIssuedIsNot() throws IOException {
    Signed root = Pki.authority("Root").selfSigned();
    Draft draft = Pki.authority("Plants");
    draft.keys = Pki.keys("RSA", 2048, "intermediate");
    Signed intermediate = draft.by(root);
    Signed server = Pki.server().by(intermediate);

    put("issuers", root, intermediate);
    assertThat(refused(EXPECTED, server.certificate()).status())
        .isEqualTo(StatusCodes.Bad_CertificateUntrusted);

    trusted(root);
    taken(EXPECTED, server.certificate());

    Files.delete(
        folder.resolve("issuers/" + Certificates.thumbprint(intermediate.certificate()) + ".der"));
    // The server may send what completes the chain.
    taken(EXPECTED, server.certificate(), intermediate.certificate());
    RefusedException e = refused(EXPECTED, server.certificate());
    assertThat(e.status()).isEqualTo(StatusCodes.Bad_CertificateUntrusted);
  }

  @Test
  void aTrustedOneOfAnIssuerThatNobodyKnowsIsRefused() throws IOException {
    Signed root = Pki.authority("Root").selfSigned();
    Signed server = Pki.server().by(root);
    trusted(server);

    RefusedException e = refused(EXPECTED, server.certificate());
    assertThat(e.status()).isEqualTo(StatusCodes.Bad_CertificateChainIncomplete);
    assertThat(e).hasMessageContaining("CN=Root").hasMessageContaining("etc/opcua/issuers");

    put("issuers", root);
    taken(EXPECTED, server.certificate());
  }

  @Test
  void whatAServerIssuedIsNotTakenAlthoughTheServerIsTrusted() throws IOException {
    Signed server = Pki.server().selfSigned();
    Draft other = Pki.server();
    other.subject = "CN=Impostor";
    other.keys = Pki.keys("RSA", 2048, "impostor");
    Signed issued = other.by(server);
    trusted(server);

    assertThat(refused(EXPECTED, issued.certificate(), server.certificate()).status())
        .isEqualTo(StatusCodes.Bad_CertificateUntrusted);
  }

  @Test
  void theNameOfATrustedOneIsNotEnough() throws IOException {
    trusted(Pki.server().selfSigned());
    Draft impostor = Pki.server();
    impostor.keys = Pki.keys("RSA", 2048, "impostor");

    assertThat(refused(EXPECTED, impostor.selfSigned().certificate()).status())
        .isEqualTo(StatusCodes.Bad_CertificateUntrusted);
  }

  @Test
  void whatAnAuthorityRevokedIsRefusedAlsoIfItIsTrustedItself() throws IOException {
    Signed root = Pki.authority("Root").selfSigned();
    Signed server = Pki.server().by(root);
    Signed other = Pki.server().by(root);
    trusted(root, server);
    Path list = folder.resolve("trusted/root.crl");
    Files.write(list, Pki.revoked(root, Instant.now().plusSeconds(9999), server.certificate()));

    RefusedException e = refused(EXPECTED, server.certificate());
    assertThat(e.status()).isEqualTo(StatusCodes.Bad_CertificateRevoked);
    assertThat(e)
        .hasMessageContaining("CN=Root")
        .hasMessageContaining("etc/opcua/trusted/root.crl");
    taken(EXPECTED, other.certificate());

    Files.delete(list);
    taken(EXPECTED, server.certificate());
  }

  @Test
  void whatARevokedAuthorityIssuedIsRefused() throws IOException {
    Signed root = Pki.authority("Root").selfSigned();
    Draft draft = Pki.authority("Plants");
    draft.keys = Pki.keys("RSA", 2048, "intermediate");
    Signed intermediate = draft.by(root);
    Signed server = Pki.server().by(intermediate);
    trusted(intermediate);
    put("issuers", root);
    Files.write(
        folder.resolve("issuers/root.crl"),
        Pki.revoked(root, Instant.now().plusSeconds(9999), intermediate.certificate()));

    assertThat(refused(EXPECTED, server.certificate()).status())
        .isEqualTo(StatusCodes.Bad_CertificateIssuerRevoked);
  }

  @Test
  void aRevocationListThatCannotBeReadLetsNobodyIn() throws IOException {
    Signed root = Pki.authority("Root").selfSigned();
    Signed server = Pki.server().by(root);
    trusted(root);
    Files.writeString(folder.resolve("trusted/root.crl"), "half a l");

    RefusedException e = refused(EXPECTED, server.certificate());
    assertThat(e.status()).isEqualTo(StatusCodes.Bad_CertificateRevocationUnknown);
    assertThat(e).hasMessageContaining("etc/opcua/trusted/root.crl");
  }

  @Test
  void aListOfSomebodyElseRevokesNothing() throws IOException {
    Signed root = Pki.authority("Root").selfSigned();
    Signed server = Pki.server().by(root);
    trusted(root);
    Draft draft = Pki.authority("Root");
    draft.keys = Pki.keys("RSA", 2048, "impostor");
    Files.write(
        folder.resolve("trusted/root.crl"),
        Pki.revoked(draft.selfSigned(), Instant.now().plusSeconds(9999), server.certificate()));

    taken(EXPECTED, server.certificate());
    assertThat(trust.problems())
        .singleElement()
        .asString()
        .startsWith("etc/opcua/trusted/root.crl: not signed by anybody");
  }

  /** What is wrong with a certificate, what it is called, and what the sentence must name. */
  static Stream<Arguments> wrong() {
    Instant now = Instant.now();
    return Stream.of(
        wrong(
            d -> d.to = now.minus(Duration.ofDays(1)),
            StatusCodes.Bad_CertificateTimeInvalid,
            "has expired on",
            "acceptExpired: true"),
        wrong(
            d -> d.from = now.plus(Duration.ofDays(1)),
            StatusCodes.Bad_CertificateTimeInvalid,
            "is valid from",
            "set the clock"),
        wrong(
            d -> d.host("plc-17", "10.0.0.17"),
            StatusCodes.Bad_CertificateHostNameInvalid,
            "is for plc-17, 10.0.0.17, not for 127.0.0.1",
            "serverName: plc-17"),
        wrong(
            d -> d.names.clear(),
            StatusCodes.Bad_CertificateHostNameInvalid,
            "names no host",
            "serverName: \"*\""),
        wrong(
            d -> d.uri = "urn:example:other",
            StatusCodes.Bad_CertificateUriInvalid,
            "urn:example:other",
            "the server calls itself " + Pki.URI),
        wrong(
            d -> d.uri = null,
            StatusCodes.Bad_CertificateUriInvalid,
            "names no application URI",
            Pki.URI),
        wrong(
            d -> d.usage = KeyUsage.cRLSign,
            StatusCodes.Bad_CertificateUseNotAllowed,
            "isn't made to sign with",
            "as OPC UA asks"),
        wrong(
            d -> d.usage = KeyUsage.digitalSignature,
            StatusCodes.Bad_CertificateUseNotAllowed,
            "isn't made to encrypt with",
            "as OPC UA asks"),
        wrong(
            d -> d.purpose = KeyPurposeId.id_kp_clientAuth,
            StatusCodes.Bad_CertificateUseNotAllowed,
            "isn't made to be a server's",
            "as OPC UA asks"),
        wrong(
            d -> d.algorithm = "SHA1withRSA",
            StatusCodes.Bad_CertificatePolicyCheckFailed,
            "SHA1withRSA",
            "SHA-256"),
        wrong(
            d -> d.keys = Pki.keys("RSA", 1024, "weak"),
            StatusCodes.Bad_CertificatePolicyCheckFailed,
            "an RSA key of 1024 bits",
            "2048"),
        wrong(
            d -> {
              d.keys = Pki.keys("EC", 256, "curve");
              d.algorithm = "SHA256withECDSA";
            },
            StatusCodes.Bad_CertificatePolicyCheckFailed,
            "a key of EC",
            "2048"),
        wrong(
            d -> d.oddExtension = true,
            StatusCodes.Bad_CertificateInvalid,
            "critical extension",
            "make another"));
  }

  private static Arguments wrong(Consumer<Draft> change, long status, String... words) {
    return Arguments.of(change, status, List.of(words));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void aTrustedOneThatIsWrongIsRefusedBySayingWhy(
      Consumer<Draft> change, long status, List<String> words) throws IOException {
    Draft draft = Pki.server();
    change.accept(draft);
    Signed server = draft.selfSigned();
    trusted(server);

    RefusedException e = refused(EXPECTED, server.certificate());
    assertThat(e.status()).isEqualTo(status);
    assertThat(e.getMessage())
        .contains(words)
        .contains(Certificates.thumbprint(server.certificate()))
        .contains("Plant server");
  }

  @Test
  void whatTheSiteAcceptsByItsWordIsTaken() throws IOException {
    Draft draft = Pki.server().host("plc-17");
    draft.to = Instant.now().minus(Duration.ofDays(1));
    X509Certificate server = draft.selfSigned().certificate();
    Pki.put(folder.resolve("trusted"), "a.crt", server);

    taken(new Expected(Pki.URI, "PLC-17", true), server);
    taken(new Expected(Pki.URI, null, true), server);
    assertThat(refused(new Expected(Pki.URI, "plc-17", false), server)).isNotNull();
  }

  @Test
  void anExpiredIssuerIsNoIssuer() throws IOException {
    Draft draft = Pki.authority("Root");
    draft.to = Instant.now().minus(Duration.ofDays(1));
    Signed root = draft.selfSigned();
    Signed server = Pki.server().by(root);
    trusted(root);

    assertThat(refused(EXPECTED, server.certificate()).status())
        .isEqualTo(StatusCodes.Bad_CertificateIssuerTimeInvalid);

    // The same authority with a new certificate over the same key.
    trusted(Pki.authority("Root").selfSigned());
    taken(EXPECTED, server.certificate());
  }

  @Test
  void whatMayNotIssueDoesNot() throws IOException {
    Draft draft = Pki.authority("Root");
    draft.usage = KeyUsage.digitalSignature;
    Signed root = draft.selfSigned();
    trusted(root);

    assertThat(refused(EXPECTED, Pki.server().by(root).certificate()).status())
        .isEqualTo(StatusCodes.Bad_CertificateUntrusted);
  }

  @Test
  void anApplicationUriThatIsNoUriCounts() throws IOException {
    Draft draft = Pki.server();
    draft.uri = "urn:DESKTOP 7:Plant server";
    X509Certificate server = draft.selfSigned().certificate();
    Pki.put(folder.resolve("trusted"), "a.der", server);

    taken(new Expected("urn:DESKTOP 7:Plant server", "localhost", false), server);
  }

  @Test
  void certificatesMayBeTextAndSeveralInAFile() throws IOException {
    X509Certificate one = Pki.server().selfSigned().certificate();
    X509Certificate two = Pki.server().selfSigned().certificate();
    Files.createDirectories(folder.resolve("trusted"));
    Files.writeString(
        folder.resolve("trusted/both.pem"), OwnCertificate.pem(one) + OwnCertificate.pem(two));

    taken(EXPECTED, one);
    taken(EXPECTED, two);
    assertThatThrownBy(() -> trust.remove(Certificates.typed(one)))
        .hasMessageContaining("etc/opcua/trusted/both.pem holds 2 certificates");
    taken(EXPECTED, one);
  }

  @Test
  void filesThatAreNoneAreNamedAndTheOthersCount() throws IOException {
    Signed server = Pki.server().selfSigned();
    trusted(server);
    Files.writeString(folder.resolve("trusted/readme.pem"), "hello");
    Files.writeString(
        folder.resolve("trusted/key.pem"),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    Files.write(folder.resolve("trusted/long.der"), new byte[TrustStore.MAX_CERTIFICATE + 1]);
    Files.write(folder.resolve("trusted/broken.der"), new byte[] {0x30, 0x05, 1, 2});
    Files.writeString(folder.resolve("trusted/notes.txt"), "not looked at");

    taken(EXPECTED, server.certificate());
    assertThat(trust.problems())
        .hasSize(4)
        .anyMatch(p -> p.startsWith("etc/opcua/trusted/readme.pem: found no certificate"))
        .anyMatch(p -> p.startsWith("etc/opcua/trusted/key.pem: found a private key"))
        .anyMatch(p -> p.startsWith("etc/opcua/trusted/long.der: found more than 64 KiB"))
        .anyMatch(p -> p.startsWith("etc/opcua/trusted/broken.der: found a certificate that can't"))
        .allMatch(p -> p.contains("expected"));
  }

  @Test
  void whatIsRejectedIsKeptWithinBoundsAndTheOldestGoFirst() throws IOException {
    Path rejected = Files.createDirectories(folder.resolve("rejected"));
    X509Certificate first = Pki.server().selfSigned().certificate();
    refused(EXPECTED, first);
    Path oldest =
        trust.entries().stream().filter(e -> e.state() == State.REJECTED).findFirst().get().file();
    Files.setLastModifiedTime(oldest, FileTime.from(Instant.now().minus(Duration.ofDays(9))));
    for (int i = 1; i < TrustStore.MAX_REJECTED; i++) {
      Path file = Files.write(rejected.resolve(i + ".der"), new byte[] {1});
      Files.setLastModifiedTime(
          file, FileTime.from(Instant.now().minus(Duration.ofDays(8)).plusSeconds(i)));
    }

    X509Certificate last = Pki.server().selfSigned().certificate();
    refused(EXPECTED, last);
    refused(EXPECTED, last);

    assertThat(rejected.toFile().list()).hasSize(TrustStore.MAX_REJECTED);
    assertThat(oldest).doesNotExist();
    assertThat(trust.entries()).singleElement().matches(e -> e.certificate().equals(last));
  }

  @Test
  void aPersonTypesEnoughOfAThumbPrint() throws IOException {
    Signed server = Pki.server().selfSigned();
    trusted(server);
    String thumbprint = Certificates.thumbprint(server.certificate());
    String spaced = thumbprint.toLowerCase().replaceAll("(..)", "$1:").replaceFirst(":$", "");

    assertThat(trust.find(spaced).certificate()).isEqualTo(server.certificate());
    assertThat(trust.find(Certificates.sha256(server.certificate()).substring(0, 12)).thumbprint())
        .isEqualTo(thumbprint);
    assertThatThrownBy(() -> trust.find("0".repeat(39)))
        .hasMessageContaining("no certificate begins with");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1234567", "../../etc", "zzzzzzzz", "0123456789 g"})
  void whatIsNoThumbPrintIsSaidSo(String text) {
    assertThatThrownBy(() -> trust.find(text)).hasMessageContaining("hexadecimal digits");
  }

  @Test
  void itIsToldAMonthAheadThatTrustedOnesExpire() throws IOException {
    Instant now = Instant.now();
    trust = new TrustStore(folder, Clock.fixed(now, ZoneOffset.UTC));
    Draft draft = Pki.server();
    draft.to = now.plus(Duration.ofDays(31));
    trusted(draft.selfSigned());
    assertThat(trust.problems()).isEmpty();

    draft.to = now.plus(Duration.ofDays(29));
    Signed soon = draft.selfSigned();
    trusted(soon);
    assertThat(trust.problems())
        .singleElement()
        .asString()
        .contains("expires on " + TrustStore.day(draft.to))
        .contains(Certificates.thumbprint(soon.certificate()));
    taken(EXPECTED, soon.certificate());
  }

  @Test
  void aListOutOfDateStillCountsAndIsTold() throws IOException {
    Signed root = Pki.authority("Root").selfSigned();
    Signed server = Pki.server().by(root);
    trusted(root);
    Files.write(
        folder.resolve("trusted/root.crl"),
        Pki.revoked(root, Instant.now().minusSeconds(3600), server.certificate()));

    assertThat(refused(EXPECTED, server.certificate()).status())
        .isEqualTo(StatusCodes.Bad_CertificateRevoked);
    assertThat(trust.problems()).singleElement().asString().contains("out of date since");
  }

  @Test
  void nobodyIsNotTrusted() {
    assertThat(refused(EXPECTED)).hasMessageContaining("no certificate");
  }

  @Test
  void aSubjectWithBreaksAndColoursStaysOneLine() {
    Draft draft = Pki.server();
    draft.subject = "CN=\"evil\u001b[31m\nINFO all is well\"";

    assertThat(refused(EXPECTED, draft.selfSigned().certificate()).getMessage())
        .doesNotContain("\n", "\u001b");
  }
}
