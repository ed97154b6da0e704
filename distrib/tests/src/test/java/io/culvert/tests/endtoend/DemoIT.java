package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo as {@code ./culvert demo} starts it, ended by the audit of the ground truth. */
class DemoIT {
  private static final Path MAKER_A =
      Path.of("../../devices/profiles/src/main/resources/profiles/maker-a-gas.yaml");

  @TempDir Path folder;

  @Test
  void everyValueIsConfirmedWhenNothingGoesWrong() throws Exception {
    JsonNode audit = demo("--seconds", "8");
    assertThat(audit.at("/lost").asLong()).isZero();
    assertThat(audit.at("/duplicates").asLong()).isZero();
    assertThat(audit.at("/confirmed").asLong()).isGreaterThan(3_000);
  }

  @Test
  void nothingIsLostWhenTheBrokerGoesAway() throws Exception {
    JsonNode audit = demo("--seconds", "12", "--broker-down", "4");
    assertThat(audit.at("/lost").asLong()).isZero();
  }

  @Test
  void nothingAcceptedIsLostWhenTheGatewayIsKilled() throws Exception {
    JsonNode audit = demo("--seconds", "10", "--kills", "1");
    assertThat(audit.at("/lost").asLong()).isZero();
    // Whether anything was between answer and commit at that moment is chance; the entry isn't.
    assertThat(audit.at("/ledgerEntries"))
        .as("the interruption is in the ledger")
        .anySatisfy(entry -> assertThat(entry.asText()).startsWith("interruption"));
  }

  @Test
  void theSameHoldsOnMosquitto() throws Exception {
    JsonNode audit = demo("--seconds", "5", "--broker", "mosquitto");
    assertThat(audit.at("/lost").asLong()).isZero();
  }

  @Test
  void aWrongScaleInAProfileCannotHide() throws Exception {
    // The simulated device is written from its maker's map, so that it doesn't share the mistake.
    String right = Files.readString(MAKER_A);
    assertThat(right).contains("offset: -40");
    try (InstalledGateway gateway =
        InstalledGateway.unpack(
            folder.resolve("gateway"),
            Files.readString(InstalledGateway.SHIPPED.resolve("etc/site.json")))) {
      gateway.write("etc/profiles/maker-a-gas.yaml", right.replace("offset: -40", "offset: -30"));

      JsonNode audit = demo(gateway.home(), 1, "--seconds", "5");
      assertThat(audit.at("/violations/wrong_value").asLong()).isPositive();
      assertThat(audit.at("/examples/wrong_value"))
          .allSatisfy(example -> assertThat(example.asText()).contains("/temperature"));
      assertThat(audit.at("/lost").asLong()).isZero();
    }
  }

  private JsonNode demo(String... options) throws IOException, InterruptedException {
    return demo(InstalledGateway.SHIPPED, 0, options);
  }

  private JsonNode demo(Path gateway, int exit, String... options)
      throws IOException, InterruptedException {
    Path report = folder.resolve("audit.json");
    Path output = folder.resolve("demo.txt");
    List<String> line =
        new ArrayList<>(
            List.of(
                Simulator.java(),
                "-jar",
                Simulator.jar().toString(),
                "demo",
                "--gateway",
                gateway.toString(),
                "--devices",
                "50",
                "--points-per-second",
                "1000",
                "--mqtt-port",
                Integer.toString(Peer.freePort()),
                "--port-base",
                // 50 devices of the demo's street lie behind fewer.
                Integer.toString(Peer.freePorts(30)),
                "--report",
                report.toString()));
    line.addAll(List.of(options));
    Process demo =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      assertThat(demo.waitFor(180, TimeUnit.SECONDS)).as("the demo ends by itself").isTrue();
    } finally {
      demo.descendants().forEach(ProcessHandle::destroyForcibly);
      demo.destroyForcibly();
    }
    assertThat(demo.exitValue()).as(() -> read(output)).isEqualTo(exit);
    return new ObjectMapper().readTree(report.toFile());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
