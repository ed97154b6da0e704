package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.testkit.LeakDetector;
import io.culvert.testkit.RecordingSink;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DriverTest {
  private static final Point TICK =
      new Point("tick", PlantServer.address("Tick"), DataType.INT32, Access.READ);

  private static List<Problem> problems(String endpoint, Map<String, String> settings) {
    OpcUaDriver driver = new OpcUaDriver();
    try {
      return driver.validate(new Device("d1", "p", URI.create(endpoint), settings), List.of(TICK));
    } finally {
      driver.deactivate();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "http://plc:4840          | endpoint | scheme http",
        "opc.tcp://me:pw@plc:4840 | endpoint | user information before @",
        "opc.tcp://plc:0          | endpoint | port 0",
        "opc.tcp://plc:99999      | endpoint | port 99999",
        "opc.tcp://plc?x=1        | endpoint | opc.tcp://plc?x=1",
        "opc.tcp://_plc_          | endpoint | opc.tcp://_plc_",
        "opc.tcp:plc              | endpoint | opc.tcp:plc",
      })
  void aWrongEndpointIsNamed(String endpoint, String key, String found) {
    assertThat(problems(endpoint, Map.of()))
        .singleElement()
        .satisfies(
            problem -> {
              assertThat(problem.key()).isEqualTo(key);
              assertThat(problem.found()).isEqualTo(found);
              assertThat(problem.toString()).doesNotContain("pw");
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "publishing | 5ms            | 10ms–60min, such as 250ms or 5s",
        "publishing | fast           | 10ms–60min, such as 250ms or 5s",
        "sampling   | -1ms           | 0ms–60min, such as 250ms or 5s",
        "queue      | 0              | 1–100000 values",
        "queue      | many           | 1–100000 values",
        "deadband   | 0              | a number above 0, or a percentage of the range such as 2%",
        "deadband   | 200%           | a number above 0, or a percentage of the range such as 2%",
        "trigger    | always         | status, value or timestamp",
        "mode       | push           | subscribe or poll",
        "time       | now            | source or server",
        "keepAlive  | 0s             | 1s–1min, such as 250ms or 5s",
        "timeout    | 2h             | 1s–1min, such as 250ms or 5s",
      })
  void aWrongSettingIsNamedWithWhatMayStandThere(String key, String found, String expected) {
    assertThat(problems("opc.tcp://plc", Map.of(key, found)))
        .containsExactly(new Problem("settings." + key, found, expected));
  }

  @Test
  void furtherServersAreEndpointsToo() {
    assertThat(problems("opc.tcp://plc", Map.of("servers", "opc.tcp://b, opc.tcp://c:4841/x")))
        .isEmpty();
    assertThat(problems("opc.tcp://plc", Map.of("servers", "opc.tcp://b,plc c")))
        .singleElement()
        .satisfies(problem -> assertThat(problem.key()).isEqualTo("settings.servers"));
  }

  @Test
  void aSecretInClearIsNotRepeated() {
    assertThat(problems("opc.tcp://plc", Map.of("user", "me", "password", "pw1234")))
        .isNotEmpty()
        .allSatisfy(problem -> assertThat(problem.toString()).doesNotContain("pw1234"));
  }

  @Test
  void deactivationLeavesNothingBehindWhateverWasUnderWay() throws Exception {
    // What connects to one that doesn't accept waits for an answer.
    try (PlantServer plant = new PlantServer();
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      URI silent = URI.create("opc.tcp://127.0.0.1:" + server.getLocalPort());
      use(plant.endpoint(), silent);
      LeakDetector.Mark mark = LeakDetector.mark();
      use(plant.endpoint(), silent);
      mark.nothingLeft();
    }
  }

  private static void use(URI answering, URI silent) throws Exception {
    OpcUaDriver driver = new OpcUaDriver();
    Map<String, String> settings = new HashMap<>(Map.of("security", "none"));
    OpcUaConnection subscribed =
        (OpcUaConnection)
            driver
                .open(new Device("d1", "p", answering, settings), new RecordingSink())
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
    ((SubscribedConnection) subscribed)
        .subscribe(List.of(TICK))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
    settings.put("mode", "poll");
    OpcUaConnection polled =
        (OpcUaConnection)
            driver
                .open(new Device("d2", "p", answering, settings), new RecordingSink())
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
    polled.prepare(List.of(TICK)).read().toCompletableFuture().get(60, TimeUnit.SECONDS);
    CompletableFuture<?> opening =
        driver
            .open(new Device("d3", "p", silent, settings), new RecordingSink())
            .toCompletableFuture();
    driver.deactivate();
    assertThat(opening).failsWithin(60, TimeUnit.SECONDS);
    assertThat(polled.prepare(List.of(TICK)).read().toCompletableFuture())
        .failsWithin(60, TimeUnit.SECONDS);
    assertThat(
            driver
                .open(new Device("d1", "p", answering, settings), new RecordingSink())
                .toCompletableFuture())
        .failsWithin(60, TimeUnit.SECONDS);
  }
}
