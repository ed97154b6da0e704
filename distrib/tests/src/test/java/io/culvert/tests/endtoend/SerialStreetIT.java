package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Six devices on one RS-485 line of the gateway: four good ones, one that is off, one whose answers
 * the wire spoils at times.
 */
class SerialStreetIT {
  private static final Duration SPOILED = Duration.ofSeconds(25);

  @TempDir Path folder;

  @Test
  void aDeadDeviceAndABadStubOnALineCostTheOthersNothing() throws Exception {
    Path line = folder.resolve("line");
    int[] port = new int[1];
    try (Simulator simulator =
            Simulator.run(
                folder,
                base -> {
                  port[0] = base;
                  return street(base);
                });
        Platform platform = new Platform(simulator.mqttPort());
        Peer wire = Peer.socat(line, port[0])) {
      // A register that isn't there: what another master is shown would be missing in the account.
      assertThat(Peer.mbpoll(line, 1, 99))
          .as("the line, to a master none of us wrote")
          .contains("Illegal data address");

      try (InstalledGateway gateway =
          InstalledGateway.unpack(folder.resolve("gateway"), site(simulator.site(), line))) {
        gateway.start();
        await("all but one have been read")
            .pollInterval(Duration.ofSeconds(1))
            .atMost(Duration.ofSeconds(90))
            .untilAsserted(
                () -> {
                  assertThat(platform.polls("good-004")).hasSizeGreaterThan(30);
                  assertThat(state(gateway, "spoiled")).isEqualTo("online");
                });
        String doctor = gateway.command("doctor").oneLine();
        Map<String, Set<String>> qualities = platform.qualities();
        Simulator.Audit audit = simulator.end();

        assertThat(audit.exit()).as(audit.text()).isZero();
        for (int i = 1; i <= 4; i++) {
          String id = "good-00" + i;
          assertThat(audit.ledgerOf(id)).as(() -> id + " in " + audit.text()).isEmpty();
          assertThat(qualities.get(id)).as(id).containsOnly("Good");
        }
        assertThat(state(gateway, "dead")).isEqualTo("offline");
        assertThat(doctor).contains("serial:" + line, "dead never answered", "spoiled");
        assertThat(gateway.stop()).isZero();
      }
    }
  }

  private static String state(InstalledGateway gateway, String id) throws Exception {
    JsonNode status = new ObjectMapper().readTree(gateway.command("status", "--json").text());
    for (JsonNode device : status.get("devices")) {
      if (device.get("id").asText().equals(id)) {
        return device.get("state").asText();
      }
    }
    return "";
  }

  /** The simulator's site, with its TCP port replaced by the serial line that leads there. */
  private static String site(ObjectNode site, Path line) {
    for (JsonNode device : site.get("devices")) {
      String endpoint = device.get("endpoint").asText();
      ((ObjectNode) device)
          .put(
              "endpoint",
              "modbus-rtu://"
                  + line
                  + "?baud=19200&parity=even&"
                  + endpoint.substring(endpoint.indexOf("unit=")))
          .put("interval", "1s");
    }
    for (String silent : List.of("dead", "spoiled")) {
      Simulator.device(site, silent).put("timeout", "400ms");
    }
    return site.toPrettyString();
  }

  private static String street(int port) {
    return """
        schema: culvert-street/1
        title: One line
        seed: 11
        devices:
          - {id: good, count: 4, profile: underpass-water, framing: rtu, port: %1$d}
          - {id: dead, profile: underpass-water, framing: rtu, port: %1$d, first-unit: 5,
             faults: [{kind: no-answer}]}
          - {id: spoiled, profile: underpass-water, framing: rtu, port: %1$d, first-unit: 6,
             faults: [{kind: checksum, probability: 0.3, for: %2$ds}]}
        """
        .formatted(port, SPOILED.toSeconds());
  }
}
