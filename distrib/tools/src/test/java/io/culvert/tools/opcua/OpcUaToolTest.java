package io.culvert.tools.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.device.opcua.OwnCertificate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person does about certificates at the cabinet, without a gateway that runs. */
class OpcUaToolTest {

  /** Two that somebody made elsewhere: to the tool it is the same whose they are. */
  @TempDir static Path elsewhere;

  private static byte[] server;
  private static byte[] other;

  @TempDir Path home;
  private Path opcua;
  private String said;
  private Clock clock = Clock.systemUTC();

  @BeforeAll
  static void make() throws IOException {
    server = made("server");
    other = made("other");
  }

  private static byte[] made(String name) throws IOException {
    Path folder = elsewhere.resolve(name);
    new OwnCertificate(folder, secret -> Optional.empty(), Clock.systemUTC()).renew();
    return Files.readAllBytes(folder.resolve("own.der"));
  }

  @BeforeEach
  void install() {
    opcua = home.resolve("etc/opcua");
  }

  private int run(String... words) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int exit = Main.run(List.of(words), home, clock, out, out);
    said = bytes.toString(StandardCharsets.UTF_8);
    return exit;
  }

  private static String thumbprint(String algorithm, byte[] der) throws GeneralSecurityException {
    return HexFormat.of()
        .withUpperCase()
        .formatHex(MessageDigest.getInstance(algorithm).digest(der));
  }

  private void rejected(byte[] der) throws IOException {
    Files.createDirectories(opcua.resolve("rejected"));
    Files.write(opcua.resolve("rejected/server.der"), der);
  }

  /** A key of the gateway as of a run before. */
  private void owned() throws IOException {
    Files.createDirectories(opcua);
    Files.copy(elsewhere.resolve("server/own.p12"), opcua.resolve("own.p12"));
  }

  @Test
  void whatWasRefusedIsListedLookedAtTrustedAndTrustedNoMore() throws Exception {
    assertThat(run("trust", "list")).isZero();
    assertThat(said).startsWith("no certificates yet");
    rejected(server);
    String thumbprint = thumbprint("SHA-1", server);

    assertThat(run("trust", "list")).isZero();
    assertThat(said)
        .startsWith("rejected  CN=Culvert on ")
        .contains("          application  urn:culvert:")
        .contains("          thumb-print  " + thumbprint + "\n")
        .contains("          SHA-256      " + thumbprint("SHA-256", server) + "\n")
        .contains("          valid until  20")
        .contains("culvert opcua trust add");

    assertThat(run("trust", "add", thumbprint.substring(0, 8).toLowerCase())).as(said).isZero();
    assertThat(said).contains("trusted from the next connection on", "state        trusted");
    assertThat(run("trust", "list")).isZero();
    assertThat(said).startsWith("trusted   CN=Culvert on ").doesNotContain("rejected");
    assertThat(opcua.resolve("rejected")).isEmptyDirectory();

    assertThat(run("trust", "show", thumbprint)).isZero();
    assertThat(said).contains("hosts ", "issuer ", "valid from ", "SHA256withRSA", "file ");

    assertThat(run("trust", "remove", thumbprint)).isZero();
    assertThat(said).startsWith("no longer trusted");
    assertThat(run("trust", "list")).isZero();
    assertThat(said).startsWith("rejected ");
    assertThat(run("trust", "remove", thumbprint)).isZero();
    assertThat(said).startsWith("forgotten: ");
    assertThat(run("trust", "list")).isZero();
    assertThat(said).startsWith("no certificates yet");
  }

  @Test
  void whatIsNotThereIsSaidSo() throws IOException {
    rejected(server);

    assertThat(run("trust", "add", "0123456789abcdef")).isOne();
    assertThat(said).contains("culvert opcua: no certificate begins with 0123456789abcdef");
    assertThat(run("trust", "add", "0123")).isOne();
    assertThat(said).contains("expected 8 or more hexadecimal digits");
  }

  @Test
  void ownCertificateIsShownExportedAndRenewedAndItsKeyNeverSeen() throws Exception {
    assertThat(run("own")).isOne();
    assertThat(said).contains("there is no certificate of this gateway yet");
    owned();

    assertThat(run("own", "show")).isZero();
    assertThat(said)
        .contains("this gateway's own")
        .contains("thumb-print  " + thumbprint("SHA-1", server))
        .contains("etc/opcua/own.der, never own.p12");

    Path der = home.resolve("gateway.der");
    Path pem = home.resolve("gateway.pem");
    assertThat(run("own", "export", der.toString())).isZero();
    assertThat(Files.readAllBytes(der)).isEqualTo(server);
    assertThat(run("own", "export", pem.toString())).isZero();
    assertThat(Files.readString(pem))
        .startsWith("-----BEGIN CERTIFICATE-----\n")
        .doesNotContain("PRIVATE");
    assertThat(run("own", "export", pem.toString())).isOne();
    assertThat(said).contains("is there already");

    assertThat(run("own", "renew")).isZero();
    assertThat(said).contains("the old key is kept in ").contains("have them trust it");
    assertThat(said).doesNotContain(thumbprint("SHA-1", server));
    assertThat(Files.readAllBytes(opcua.resolve("own.der"))).isNotEqualTo(server);
    assertThat(Files.readAllBytes(Path.of(said.replaceFirst("(?s).*kept in ([^;]*);.*", "$1"))))
        .isEqualTo(Files.readAllBytes(elsewhere.resolve("server/own.p12")));
  }

  @Test
  void whatWillExpireIsSaidWithTheList() throws IOException {
    owned();
    Files.createDirectories(opcua.resolve("trusted"));
    Files.write(opcua.resolve("trusted/other.der"), other);
    clock = Clock.fixed(Instant.now().plus(Duration.ofDays(365 * 10 - 10)), ZoneOffset.UTC);

    assertThat(run("trust", "list")).isZero();
    assertThat(said)
        .contains("to mend: etc/opcua/own.p12: this gateway's own certificate expires on ")
        .contains("to mend: etc/opcua/trusted/other.der: ");
  }

  @Test
  void aDamagedKeyStoreIsSaidSoAndLeftAsItIs() throws IOException {
    Files.createDirectories(opcua);
    Files.writeString(opcua.resolve("own.p12"), "not a key");

    for (String what : List.of("show", "renew")) {
      assertThat(run("own", what)).isOne();
      assertThat(said).contains("culvert opcua: etc/opcua/own.p12: found something that is no key");
    }
    assertThat(opcua.resolve("own.p12")).hasContent("not a key");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"trust", "trust add", "trust list all", "own sell", "own export", "teach"})
  void otherWordsAreNotUnderstood(String words) {
    assertThat(run(words.split(" "))).isEqualTo(2);
    assertThat(said).contains("found \"" + words + "\"").contains("culvert opcua help");
  }

  @Test
  void helpNamesEveryCommand() {
    assertThat(run("help")).isZero();
    assertThat(said)
        .contains(
            "trust list", "trust show", "trust add", "trust remove", "own export", "own renew");
  }
}
