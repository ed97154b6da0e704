package io.culvert.device.opcua;

import static io.culvert.device.opcua.NodeOpcuaTest.answer;
import static io.culvert.device.opcua.NodeOpcuaTest.point;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Subscribable;
import io.culvert.device.opcua.Pki.Signed;
import io.culvert.testkit.RecordingSink;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against a server that none of us wrote, with all its policies and with users. */
@Timeout(180)
class NodeOpcuaSecurityTest {
  private static final int NODES = 1000;
  private static final int TIMES = 10;
  private static final Signed USER = user();

  @TempDir static Path folder;
  private static NodeServer server;
  private static OpcUaDriver driver;
  private final RecordingSink sink = new RecordingSink();

  private static Signed user() {
    Pki.Draft draft = Pki.server();
    draft.subject = "CN=Operator";
    draft.keys = Pki.keys("RSA", 2048, "user");
    return draft.selfSigned();
  }

  @BeforeAll
  static void start() throws Exception {
    server =
        NodeServer.with(
            folder,
            "\"security\": true, \"nodes\": "
                + NODES
                + ", \"users\": {\"operator\": \"wasser-17\"}");
    Path trusted = folder.resolve("opcua/trusted");
    Files.createDirectories(trusted);
    Files.copy(folder.resolve("pki/own/certs/certificate.pem"), trusted.resolve("server.pem"));
    Security security =
        new Security(
            folder.resolve("opcua"),
            name -> name.equals("plc") ? Optional.of("wasser-17") : Optional.of("wrong"),
            Clock.systemUTC());
    Pki.store(folder.resolve("opcua/operator.p12"), USER, "wrong");
    driver = new OpcUaDriver(security, Clock.systemUTC(), System::nanoTime);
  }

  @AfterAll
  static void stop() throws Exception {
    driver.deactivate();
    server.close();
  }

  private Connection open(String security, String secret) throws Exception {
    return open(Map.of("security", security, "user", "operator", "password", "secret:" + secret));
  }

  private Connection open(Map<String, String> who) throws Exception {
    Map<String, String> settings = new HashMap<>(who);
    settings.putAll(Map.of("publishing", "50ms", "sampling", "0ms", "serverName", "*"));
    return answer(driver.open(new Device("d", "p", server.endpoint(), settings), sink));
  }

  @ParameterizedTest
  @CsvSource({
    "strongest, " + NODES,
    "Basic256Sha256/sign, 100",
    "Basic256Sha256/sign-and-encrypt, 100",
    "Aes128_Sha256_RsaOaep/sign-and-encrypt, 100",
    "Aes256_Sha256_RsaPss/sign-and-encrypt, 100"
  })
  void everyValueArrivesWithEachPolicy(String security, int nodes) throws Exception {
    try (Connection connection = open(security, "plc")) {
      List<Point> points =
          IntStream.range(0, nodes)
              .mapToObj(i -> point("C" + i, DataType.UINT32, Access.READ))
              .toList();
      answer(((Subscribable) connection).subscribe(points));
      await().atMost(Duration.ofSeconds(60)).until(() -> sink.samples().size() >= nodes);
      server.tell("pulse", "\"times\": " + TIMES, "\"every\": 100", "\"from\": 1000");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> sink.samples().size() >= (TIMES + 1) * nodes);
      Map<String, List<Long>> values =
          sink.samples().stream()
              .skip(nodes)
              .collect(
                  Collectors.groupingBy(
                      Sample::point,
                      Collectors.mapping(
                          sample -> ((Value.Int) sample.value()).value(), Collectors.toList())));
      List<Long> all = LongStream.rangeClosed(1001, 1000 + TIMES).boxed().toList();
      assertThat(values)
          .hasSize(nodes)
          .allSatisfy((point, told) -> assertThat(told).isEqualTo(all));
    }
  }

  @Test
  void aUserWithACertificateIsLetInIfTheServerKnowsIt() throws Exception {
    Map<String, String> who =
        Map.of("userCertificate", "operator.p12", "userCertificatePassword", "secret:key");
    assertThatThrownBy(() -> open(who))
        .cause()
        .hasMessageContaining("doesn't let the owner of operator.p12 in");
    String certificate = Base64.getEncoder().encodeToString(USER.certificate().getEncoded());
    server.tell("trust", "\"certificate\": \"" + certificate + "\"");
    try (Connection connection = open(who)) {
      assertThat(connection).isInstanceOf(Subscribable.class);
    }
  }

  @Test
  void aWrongPasswordIsToldInWords() {
    assertThatThrownBy(() -> open("strongest", "none"))
        .cause()
        .isExactlyInstanceOf(java.io.IOException.class)
        .hasMessageContaining("doesn't let user operator in");
  }
}
