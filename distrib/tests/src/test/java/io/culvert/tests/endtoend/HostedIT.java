package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shipped Modbus bundle in a process of its own, in the gateway as it is installed. */
class HostedIT {
  private static final String MODBUS = "io.culvert.device.modbus";
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private static final String STREET =
      """
      schema: culvert-street/1
      title: A street behind a process of its own
      seed: 3
      devices:
        - {id: uw, count: 20, profile: underpass-water, units-per-port: 20}
      """;

  @TempDir Path folder;

  @Test
  void aStreetIsReadKilledUnderWayMovedInAndOutAndNothingIsLeftBehind() throws Exception {
    try (Simulator simulator = Simulator.run(folder, portBase -> STREET);
        Platform platform = new Platform(simulator.mqttPort())) {
      ObjectNode inside = simulator.site();
      ObjectNode hosted = inside.deepCopy();
      hosted.putObject("plugins").putArray("hosted").add(MODBUS);
      try (InstalledGateway gateway =
          InstalledGateway.unpack(folder.resolve("gateway"), hosted.toPrettyString())) {
        gateway.start();
        awaitReadings(platform, 3);
        JsonNode first = process(gateway);
        assertThat(first.get("memory").asLong()).isBetween(10L << 20, 256L << 20);
        assertThat(plugin(gateway).get("hosted").asBoolean()).isTrue();
        assertThat(gateway.command("status").oneLine())
            .contains(MODBUS + " 0.1.0.SNAPSHOT, in process " + first.get("pid").asLong());

        ProcessHandle.of(first.get("pid").asLong()).orElseThrow().destroyForcibly();
        gateway.awaitLog("its process was killed from outside (signal 9); it is started again");
        awaitReadings(platform, 3);
        assertThat(gateway.command("status").oneLine())
            .contains("its process was killed from outside (signal 9)", "it runs again");
        long second = process(gateway).get("pid").asLong();
        assertThat(second).isNotEqualTo(first.get("pid").asLong());

        gateway.site(inside.toPrettyString());
        await("moved in")
            .atMost(PATIENCE)
            .untilAsserted(() -> assertThat(plugin(gateway).get("hosted").asBoolean()).isFalse());
        await("the process has ended")
            .atMost(PATIENCE)
            .until(() -> ProcessHandle.of(second).filter(ProcessHandle::isAlive).isEmpty());
        awaitReadings(platform, 3);

        gateway.site(hosted.toPrettyString());
        await("moved out")
            .atMost(PATIENCE)
            .untilAsserted(() -> assertThat(plugin(gateway).get("hosted").asBoolean()).isTrue());
        awaitReadings(platform, 3);
        ProcessHandle last = ProcessHandle.of(process(gateway).get("pid").asLong()).orElseThrow();

        Simulator.Audit audit = simulator.end();
        assertThat(audit.exit()).as(audit.text()).isZero();
        assertThat(gateway.stop()).isZero();
        await("the process has ended").atMost(PATIENCE).until(() -> !last.isAlive());
        assertThat(gateway.log()).doesNotContain("even when interrupted");
      }
    }
  }

  private static void awaitReadings(Platform platform, int more) {
    int before = platform.polls("uw-001").size();
    int last = platform.polls("uw-020").size();
    await("readings")
        .atMost(PATIENCE)
        .until(
            () ->
                platform.polls("uw-001").size() >= before + more
                    && platform.polls("uw-020").size() >= last + more);
  }

  private static JsonNode status(InstalledGateway gateway) throws Exception {
    return new ObjectMapper().readTree(gateway.command("status", "--json").text());
  }

  private static JsonNode process(InstalledGateway gateway) throws Exception {
    for (JsonNode process : status(gateway).get("processes")) {
      if (process.get("plugin").asText().equals(MODBUS)) {
        return process;
      }
    }
    throw new AssertionError("no process of " + MODBUS + "; log:\n" + gateway.log());
  }

  private static JsonNode plugin(InstalledGateway gateway) throws Exception {
    for (JsonNode plugin : status(gateway).get("plugins")) {
      if (plugin.get("symbolicName").asText().equals(MODBUS)) {
        return plugin;
      }
    }
    throw new AssertionError("no plug-in " + MODBUS);
  }
}
