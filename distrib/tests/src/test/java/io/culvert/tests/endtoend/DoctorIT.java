package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bin/culvert doctor} of the installed gateway says of a street with troubles. */
class DoctorIT {
  @TempDir Path folder;

  @Test
  void namesTheDeadUnitTheNoisyLineAndTheHealthOfTheOthers() throws Exception {
    try (Simulator simulator = Simulator.run(folder, DoctorIT::street);
        Platform platform = new Platform(simulator.mqttPort());
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), site(simulator.site()))) {
      gateway.start();
      await("the doctor has heard enough")
          .atMost(Duration.ofSeconds(120))
          .pollInterval(Duration.ofSeconds(1))
          .ignoreExceptions()
          .untilAsserted(
              () -> {
                JsonNode troubled = lane(gateway, "dead");
                assertThat(troubled.get("findings")).hasSize(1);
                assertThat(troubled.at("/findings/0/cause").asText()).isEqualTo("address");
                assertThat(troubled.at("/findings/0/devices").toString()).isEqualTo("[\"dead\"]");
                assertThat(answered(troubled, "near")).isPositive();
                assertThat(answered(troubled, "dead")).isZero();

                JsonNode noisy = lane(gateway, "noisy-001");
                assertThat(noisy.at("/findings/0/cause").asText()).isEqualTo("wiring");
                assertThat(noisy.at("/findings/0/evidence").asText())
                    .startsWith("broken answers of every device: ");

                JsonNode well = lane(gateway, "pump-001");
                assertThat(well.get("devices")).hasSize(2);
                assertThat(well.at("/findings/0/cause").asText()).isEqualTo("healthy");
              });

      InstalledGateway.Answer said = gateway.command("doctor");
      assertThat(said.exit()).as(said.text()).isZero();
      assertThat(said.oneLine())
          .contains("dead never answered, though near does", "Check the unit number", "Healthy:");
      assertThat(said.text().lines()).allMatch(line -> line.length() <= 80);
      assertThat(gateway.command("doctor", "nobody").exit()).isEqualTo(1);
      assertThat(gateway.stop()).isZero();
    }
  }

  /** The lane of a device. */
  private static JsonNode lane(InstalledGateway gateway, String device) throws Exception {
    InstalledGateway.Answer said = gateway.command("doctor", device, "--json");
    assertThat(said.exit()).as(said.text()).isZero();
    return new ObjectMapper().readTree(said.text()).get("lanes").get(0);
  }

  private static long answered(JsonNode lane, String id) {
    for (JsonNode device : lane.get("devices")) {
      if (device.get("id").asText().equals(id)) {
        return device.at("/exchanges/answered").asLong();
      }
    }
    throw new AssertionError("no " + id + " in " + lane);
  }

  private static String site(ObjectNode site) {
    for (JsonNode device : site.get("devices")) {
      ((ObjectNode) device).put("interval", "500ms");
    }
    for (String silent : List.of("dead", "noisy-001", "noisy-002")) {
      Simulator.device(site, silent).put("timeout", "1s").remove("settings");
    }
    return site.toPrettyString();
  }

  private static String street(int portBase) {
    return """
        schema: culvert-street/1
        title: A street for the doctor
        seed: 9
        devices:
          - {id: dead, profile: underpass-water, port: %1$d, faults: [{kind: no-answer}]}
          - {id: near, profile: water-main, port: %1$d, first-unit: 2}
          - id: noisy
            count: 2
            profile: underpass-water
            port: %3$d
            units-per-port: 2
            framing: rtu
            faults: [{kind: checksum, probability: 0.3}]
          - {id: pump, count: 2, profile: underpass-water, port: %2$d, units-per-port: 2}
        """
        .formatted(portBase + 1, portBase + 2, portBase + 3);
  }
}
