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
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Subscribable;
import io.culvert.testkit.RecordingSink;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a server that none of us wrote, with all its policies and with users. */
@Timeout(180)
class NodeOpcuaSecurityTest {
  private static final int NODES = 100;

  @TempDir static Path folder;
  private static NodeServer server;
  private static OpcUaDriver driver;
  private final RecordingSink sink = new RecordingSink();

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
    driver = new OpcUaDriver(security, Clock.systemUTC(), System::nanoTime);
  }

  @AfterAll
  static void stop() throws Exception {
    driver.deactivate();
    server.close();
  }

  private Connection open(String security, String secret) throws Exception {
    Map<String, String> settings =
        Map.of(
            "security", security,
            "user", "operator",
            "password", "secret:" + secret,
            "publishing", "50ms",
            "sampling", "0ms",
            "serverName", "*");
    return answer(driver.open(new Device("d", "p", server.endpoint(), settings), sink));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "strongest",
        "Basic256Sha256/sign",
        "Basic256Sha256/sign-and-encrypt",
        "Aes128_Sha256_RsaOaep/sign-and-encrypt",
        "Aes256_Sha256_RsaPss/sign-and-encrypt"
      })
  void everyValueArrivesWithEachPolicy(String security) throws Exception {
    try (Connection connection = open(security, "plc")) {
      List<Point> points =
          IntStream.range(0, NODES)
              .mapToObj(i -> point("C" + i, DataType.UINT32, Access.READ))
              .toList();
      answer(((Subscribable) connection).subscribe(points));
      await().atMost(Duration.ofSeconds(60)).until(() -> sink.samples().size() >= NODES);
      server.tell("pulse", "\"times\": 10", "\"every\": 50", "\"from\": 1000");
      await().atMost(Duration.ofSeconds(60)).until(() -> sink.samples().size() >= 11 * NODES);
      for (Point point : points) {
        assertThat(
                sink.samples().stream()
                    .filter(sample -> sample.point().equals(point.id()))
                    .skip(1)
                    .map(sample -> ((Value.Int) sample.value()).value()))
            .containsExactlyElementsOf(
                IntStream.rangeClosed(1001, 1010).mapToObj(Long::valueOf).toList());
      }
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
