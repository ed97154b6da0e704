package io.culvert.device.opcua;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.fail;

import io.culvert.api.Device;
import io.culvert.device.opcua.Pki.Signed;
import io.culvert.testkit.RecordingSink;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPrivateKey;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.eclipse.milo.opcua.sdk.client.DiscoveryClient;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfig;
import org.eclipse.milo.opcua.sdk.client.OpcUaClientConfigBuilder;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.security.CertificateValidator;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sessions with a real server, by every policy, mode and kind of user, and those it refuses. */
class SecureSessionTest {
  private static final Signed CERTIFICATE = Pki.server().selfSigned();
  private static final Signed USER = user();
  private static SecureServer server;
  private static List<EndpointDescription> offered;

  /** One key of the gateway for all tests: making it takes longer than everything else. */
  @TempDir static Path made;

  @TempDir Path folder;
  private Security security;
  private final Map<String, String> secrets =
      new HashMap<>(Map.of("plc", SecureServer.PASSWORD, "key", "the key's"));

  private static Signed user() {
    Pki.Draft draft = Pki.server();
    draft.subject = "CN=Operator";
    draft.keys = Pki.keys("RSA", 2048, "user");
    return draft.selfSigned();
  }

  @BeforeAll
  static void start() throws Exception {
    server = SecureServer.start(CERTIFICATE);
    server.knows(USER.certificate());
    offered = DiscoveryClient.getEndpoints(server.endpoint().url()).get(60, TimeUnit.SECONDS);
    new OwnCertificate(made, name -> Optional.empty(), Clock.systemUTC()).get();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void install() throws IOException {
    Files.copy(made.resolve("own.p12"), folder.resolve("own.p12"));
    Pki.store(folder.resolve("operator.p12"), USER, "the key's");
    Pki.put(folder.resolve("trusted"), "server.der", CERTIFICATE.certificate());
    security =
        new Security(folder, name -> Optional.ofNullable(secrets.get(name)), Clock.systemUTC());
    server.trusts(true);
  }

  @AfterEach
  void close() {
    security.close();
  }

  private static SecuritySettings settings(String security, String who) {
    Map<String, String> all = new HashMap<>(Map.of("security", security));
    switch (who) {
      case "user" -> all.putAll(Map.of("user", SecureServer.USER, "password", "secret:plc"));
      case "certificate" ->
          all.putAll(
              Map.of("userCertificate", "operator.p12", "userCertificatePassword", "secret:key"));
      default -> assertThat(who).isEqualTo("nobody");
    }
    return SecuritySettings.parse(all, problem -> fail(problem.toString()));
  }

  private OpcUaClient client(SecuritySettings settings) throws Exception {
    EndpointDescription endpoint = security.endpoint(offered, server.endpoint(), settings);
    OpcUaClientConfigBuilder builder = OpcUaClientConfig.builder().setEndpoint(endpoint);
    security.configure(builder, endpoint, settings);
    return OpcUaClient.create(builder.build());
  }

  private void reads(SecuritySettings settings) throws Exception {
    OpcUaClient client = client(settings);
    try {
      client.connectAsync().get(60, TimeUnit.SECONDS);
      assertThat(
              client
                  .readValuesAsync(
                      0, TimestampsToReturn.Both, List.of(NodeIds.Server_ServerStatus_State))
                  .get(60, TimeUnit.SECONDS)
                  .get(0)
                  .statusCode()
                  .isGood())
          .isTrue();
    } finally {
      client.disconnectAsync().get(60, TimeUnit.SECONDS);
    }
  }

  private Throwable failure(SecuritySettings settings) throws Exception {
    OpcUaClient client = client(settings);
    try {
      return catchThrowable(() -> client.connectAsync().get(60, TimeUnit.SECONDS));
    } finally {
      client.disconnectAsync().get(60, TimeUnit.SECONDS);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Basic256Sha256/sign, nobody",
    "Basic256Sha256/sign-and-encrypt, user",
    "Basic256Sha256/sign, certificate",
    "Aes128_Sha256_RsaOaep/sign-and-encrypt, nobody",
    "Aes128_Sha256_RsaOaep/sign, user",
    "Aes128_Sha256_RsaOaep/sign-and-encrypt, certificate",
    "Aes256_Sha256_RsaPss/sign, nobody",
    "Aes256_Sha256_RsaPss/sign-and-encrypt, user",
    "Aes256_Sha256_RsaPss/sign, certificate",
    "none, nobody",
    "none, user",
    "none, certificate"
  })
  void everyPolicyAndModeCarriesEveryKindOfUser(String policy, String who) throws Exception {
    reads(settings(policy, who));

    if (!policy.equals("none")) {
      assertThat(server.lastClient())
          .isEqualTo(
              new OwnCertificate(folder, name -> Optional.empty(), Clock.systemUTC())
                  .certificate()
                  .orElseThrow());
    }
  }

  @Test
  void noLogAtAnyLevelHasAPasswordOrAKey() throws Exception {
    secrets.put("key", "geheim-8a1d");
    Pki.store(folder.resolve("operator.p12"), USER, "geheim-8a1d");
    LogCapture.start();
    try {
      reads(settings("strongest", "user"));
      reads(settings("none", "user"));
      reads(settings("strongest", "certificate"));
      secrets.put("plc", "wrong-geheim-1234");
      failure(settings("strongest", "user"));
      secrets.put("key", "wrong-geheim-1234");
      catchThrowable(() -> client(settings("strongest", "certificate")));
      security.remind();
    } finally {
      String all = String.join("\n", LogCapture.stop());
      RSAPrivateKey own =
          (RSAPrivateKey)
              new OwnCertificate(folder, name -> Optional.empty(), Clock.systemUTC()).get().key();
      assertThat(all)
          .contains("Sending ActivateSessionRequest")
          .doesNotContain("geheim")
          .doesNotContainIgnoringCase(own.getPrivateExponent().toString(16))
          .doesNotContain(own.getPrivateExponent().toString())
          .doesNotContain(Arrays.toString(SecureServer.PASSWORD.getBytes(UTF_8)))
          .doesNotContainIgnoringCase(
              HexFormat.of().formatHex(SecureServer.PASSWORD.getBytes(UTF_8)));
    }
  }

  @Test
  void aWrongPasswordIsSaidSoWithoutIt() throws Exception {
    secrets.put("plc", "wrong-geheim-1234");
    SecuritySettings settings = settings("strongest", "user");

    Throwable failure = failure(settings);

    assertThat(security.explain(failure, settings).orElseThrow())
        .startsWith("The server doesn't let user operator in (Bad_")
        .contains("user and password");
    StringWriter all = new StringWriter();
    failure.printStackTrace(new PrintWriter(all));
    all.append(settings.toString());
    assertThat(all.toString()).doesNotContain("geheim");
  }

  @Test
  void aUserWhomTheServerDoesNotKnowIsSaidSo() throws Exception {
    Pki.store(folder.resolve("operator.p12"), CERTIFICATE, "the key's");
    SecuritySettings settings = settings("strongest", "certificate");

    assertThat(security.explain(failure(settings), settings).orElseThrow())
        .startsWith("The server doesn't let the owner of operator.p12 in")
        .contains("userCertificate");
  }

  @Test
  void aServerThatDoesNotTrustTheGatewayIsSaidSoWithWhatItNeeds() throws Exception {
    server.trusts(false);
    SecuritySettings settings = settings("strongest", "nobody");

    assertThat(security.explain(failure(settings), settings).orElseThrow())
        .startsWith("The server doesn't take this gateway's certificate (Bad_")
        .contains("etc/opcua/own.der")
        .contains(Certificates.thumbprint(server.lastClient()));
    server.trusts(true);
    reads(settings);
  }

  @Test
  void anUnknownServerIsLetInByTheCommandThatItsRefusalNames() throws Exception {
    Files.delete(folder.resolve("trusted/server.der"));
    SecuritySettings settings = settings("strongest", "user");

    Throwable refusal = catchThrowable(() -> client(settings));
    assertThat(refusal).isInstanceOf(RefusedException.class);
    String typed =
        refusal.getMessage().replaceFirst("(?s).*bin/culvert opcua trust add ([0-9a-f]{8})$", "$1");
    new TrustStore(folder, Clock.systemUTC()).trust(typed);

    reads(settings);
  }

  @Test
  void aDeviceSaysInItsStateWhatToTypeAndIsOpenedAfterThat() throws Exception {
    Files.delete(folder.resolve("trusted/server.der"));
    OpcUaDriver driver = new OpcUaDriver(security, Clock.systemUTC(), System::nanoTime);
    Device device =
        new Device(
            "pump",
            "p",
            URI.create(server.endpoint().url()),
            Map.of("user", SecureServer.USER, "password", "secret:plc"));
    try {
      assertThat(driver.validate(device, List.of())).isEmpty();
      Throwable failure =
          catchThrowable(
              () ->
                  driver
                      .open(device, new RecordingSink())
                      .toCompletableFuture()
                      .get(60, TimeUnit.SECONDS));
      assertThat(failure.getCause().getClass()).isEqualTo(IOException.class);
      String typed =
          failure
              .getMessage()
              .replaceFirst("(?s).*bin/culvert opcua trust add ([0-9a-f]{8})$", "$1");
      new TrustStore(folder, Clock.systemUTC()).trust(typed);

      driver
          .open(device, new RecordingSink())
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS)
          .close();
    } finally {
      driver.deactivate();
      // As close() after each test.
      Algorithms.acquire();
    }
  }

  /** A clock that a test sets. */
  private final class Now extends Clock {
    private volatile Instant now;

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      throw new UnsupportedOperationException();
    }

    /** Takes the place of the clock of all that this test makes. */
    void rules() {
      security.close();
      security = new Security(folder, name -> Optional.ofNullable(secrets.get(name)), this);
    }
  }

  private List<String> reminded() {
    LogCapture.start();
    security.remind();
    String ours = "WARN " + Security.class.getName();
    return LogCapture.stop().stream().filter(line -> line.startsWith(ours)).toList();
  }

  @Test
  void itIsToldAMonthAheadThatACertificateExpiresThatAnAuthorityLetIn() throws Exception {
    Signed root = Pki.authority("Root").selfSigned();
    Pki.put(folder.resolve("trusted"), "root.der", root.certificate());
    Pki.Draft draft = Pki.server();
    Now clock = new Now();
    clock.now = Instant.now();
    draft.to = clock.now.plus(Duration.ofDays(40));
    Signed leaf = draft.by(root);
    clock.rules();
    SecuritySettings settings = settings("strongest", "nobody");
    EndpointDescription endpoint = security.endpoint(offered, server.endpoint(), settings);
    OpcUaClientConfigBuilder builder = OpcUaClientConfig.builder();
    security.configure(builder, endpoint, settings);
    CertificateValidator validator = builder.build().getCertificateValidator();
    validator.validateCertificateChain(List.of(leaf.certificate()), null, null);

    assertThat(reminded()).isEmpty();
    assertThat(security.warnings()).isEmpty();

    clock.now = clock.now.plus(Duration.ofDays(11));
    String warning =
        server.endpoint()
            + ": the server's certificate "
            + Certificates.called(leaf.certificate())
            + " expires on "
            + TrustStore.day(draft.to)
            + "; have it renewed at the server, by "
            + Certificates.subject(root.certificate());
    assertThat(reminded()).singleElement().asString().endsWith(warning);
    assertThat(security.warnings()).containsExactly(warning);
    assertThat(reminded()).as("on the same day").isEmpty();
    assertThat(security.warnings()).containsExactly(warning);
    clock.now = clock.now.plus(Duration.ofDays(1));
    assertThat(reminded()).as("on the next").hasSize(1);

    draft.to = clock.now.plus(Duration.ofDays(400));
    validator.validateCertificateChain(List.of(draft.by(root).certificate()), null, null);
    clock.now = clock.now.plus(Duration.ofDays(1));
    assertThat(reminded()).isEmpty();
    assertThat(security.warnings()).isEmpty();
  }

  @Test
  void itIsToldAMonthAheadThatAUsersCertificateExpires() throws Exception {
    Now clock = new Now();
    clock.now = Instant.now();
    clock.rules();
    reads(settings("strongest", "certificate"));
    security.remind();
    assertThat(security.warnings()).isEmpty();

    Instant end = USER.certificate().getNotAfter().toInstant();
    clock.now = end.minus(Duration.ofDays(29));
    assertThat(reminded())
        .filteredOn(line -> line.contains("operator.p12"))
        .singleElement()
        .asString()
        .endsWith(
            "etc/opcua/operator.p12: the user's certificate "
                + Certificates.called(USER.certificate())
                + " expires on "
                + TrustStore.day(end)
                + "; put a key store with a new one in its place, and have the servers know that");
    assertThat(security.warnings())
        .as("of the user and of the server, which is in a folder and told of once")
        .hasSize(2);

    Files.writeString(folder.resolve("operator.p12"), "damaged");
    assertThat(reminded())
        .singleElement()
        .asString()
        .contains("etc/opcua/operator.p12: found something that is no key store");
    Files.delete(folder.resolve("operator.p12"));
    security.remind();
    assertThat(security.warnings()).hasSize(1);
  }

  @Test
  void aRefusedFirstConnectionHasMadeTheCertificateThatTheServerWillWant() throws Exception {
    Files.delete(folder.resolve("trusted/server.der"));
    Files.delete(folder.resolve("own.p12"));
    OpcUaDriver driver = new OpcUaDriver(security, Clock.systemUTC(), System::nanoTime);
    URI endpoint = URI.create(server.endpoint().url());
    try {
      driver
          .open(new Device("open", "p", endpoint, Map.of("security", "none")), new RecordingSink())
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS)
          .close();
      assertThat(folder.resolve("own.p12")).doesNotExist();

      assertThatThrownBy(
              () ->
                  driver
                      .open(new Device("pump", "p", endpoint, Map.of()), new RecordingSink())
                      .toCompletableFuture()
                      .get(60, TimeUnit.SECONDS))
          .hasMessageContaining("isn't trusted");
      X509Certificate own =
          new OwnCertificate(folder, name -> Optional.empty(), Clock.systemUTC())
              .certificate()
              .orElseThrow();
      assertThat(folder.resolve("own.der")).hasBinaryContent(own.getEncoded());
    } finally {
      driver.deactivate();
      // As close() after each test.
      Algorithms.acquire();
    }
  }

  @Test
  void whatIsTrustedNoMoreIsRefusedByTheChannelToo() throws Exception {
    SecuritySettings settings = settings("strongest", "user");
    OpcUaClient client = client(settings);
    Files.delete(folder.resolve("trusted/server.der"));
    try {
      Throwable failure = catchThrowable(() -> client.connectAsync().get(60, TimeUnit.SECONDS));

      assertThat(security.explain(failure, settings).orElseThrow())
          .contains("isn't trusted")
          .contains("opcua trust add");
    } finally {
      client.disconnectAsync().get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void aChannelThatLeadsToAnotherServerIsRefusedAlthoughThatIsTrusted() throws Exception {
    Pki.Draft draft = Pki.server();
    draft.uri = "urn:example:other";
    draft.keys = Pki.keys("RSA", 2048, "other");
    Signed other = draft.selfSigned();
    Pki.put(folder.resolve("trusted"), "other.der", other.certificate());
    SecuritySettings settings = settings("strongest", "nobody");
    EndpointDescription endpoint = security.endpoint(offered, server.endpoint(), settings);
    OpcUaClientConfigBuilder builder = OpcUaClientConfig.builder();
    security.configure(builder, endpoint, settings);

    assertThatThrownBy(
            () ->
                builder
                    .build()
                    .getCertificateValidator()
                    .validateCertificateChain(List.of(other.certificate()), null, null))
        .hasMessageContaining("is of the application urn:example:other");
  }
}
