package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Devices that answer garbage, late, short, for another unit or transaction, with exceptions or not
 * at all, each beside a good one behind the same port.
 */
class HostileStreetIT {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final Duration HOSTILE = Duration.ofSeconds(20);

  /** How the bad devices fail, by chance and for as long as the street is hostile. */
  private static final List<String> FAULTS =
      List.of(
          "kind: garbage",
          "kind: short",
          "kind: wrong-unit",
          "kind: wrong-transaction",
          "kind: no-answer",
          "kind: gap",
          "kind: late, delay: 700ms",
          "kind: exception, code: 4");

  /** Those that answer something to the request, and what is told of it instead of a value. */
  private static final Map<String, String> TOLD =
      Map.of(
          "bad-short", "BadCommunicationError",
          "bad-wrong-unit", "BadCommunicationError",
          "bad-exception", "BadDeviceFailure");

  @TempDir Path folder;

  @Test
  void nothingOfAHostileDeviceHarmsAnother() throws Exception {
    try (Simulator simulator = Simulator.run(folder, HostileStreetIT::street);
        Platform platform = new Platform(simulator.mqttPort());
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), site(simulator.site()))) {
      gateway.start();
      await("every device has been read in the end")
          .pollDelay(HOSTILE)
          .pollInterval(Duration.ofSeconds(1))
          .atMost(Duration.ofSeconds(90))
          .untilAsserted(
              () -> {
                for (JsonNode device : status(gateway).get("devices")) {
                  assertThat(device.get("state").asText())
                      .as(device.toString())
                      .isEqualTo("online");
                }
              });
      JsonNode status = status(gateway);
      Simulator.Audit audit = simulator.end();

      assertThat(audit.exit()).as(audit.text()).isZero();
      assertThat(audit.report().at("/lost").asLong()).isZero();
      for (JsonNode device : status.get("devices")) {
        String id = device.get("id").asText();
        String told = TOLD.get(id);
        if (told != null) {
          // It did answer, so what it says is a quality and no gap.
          assertThat(platform.qualities(id)).as(id).contains("Good", told);
          assertThat(audit.ledgerOf(id)).as(id).isEmpty();
        } else if (id.startsWith("bad-")) {
          assertThat(device.get("failures").asLong()).as(id).isPositive();
          assertThat(audit.ledgerOf(id)).as(() -> id + " in " + audit.text()).isNotEmpty();
        } else {
          assertThat(device.get("failures").asLong()).as(device.toString()).isZero();
          assertThat(platform.qualities(id)).as(id).containsOnly("Good");
          assertThat(audit.ledgerOf(id)).as(id).isEmpty();
        }
        if (id.startsWith("far-")) {
          List<Instant> polls = platform.polls(id);
          assertThat(polls).hasSizeGreaterThan(10);
          // The first ones may be late: a gateway that starts on a busy machine.
          assertThat(platform.missed(id, INTERVAL, polls.get(2)))
              .as("polls of " + id + " left out: " + polls)
              .isZero();
        }
      }
      assertThat(gateway.stop()).isZero();
    }
  }

  private static JsonNode status(InstalledGateway gateway) throws Exception {
    return new ObjectMapper().readTree(gateway.command("status", "--json").text());
  }

  private static String site(ObjectNode site) {
    for (JsonNode device : site.get("devices")) {
      ((ObjectNode) device).put("interval", INTERVAL.toMillis() + "ms").put("timeout", "400ms");
    }
    return site.toPrettyString();
  }

  private static String street(int portBase) {
    StringBuilder yaml =
        new StringBuilder(
            """
            schema: culvert-street/1
            title: Hostile street
            seed: 5
            devices:
              - {id: far, count: 6, profile: underpass-water, units-per-port: 3}
            """);
    int port = portBase + 2;
    for (String fault : FAULTS) {
      String kind = fault.split("[ ,]+")[1];
      yaml.append(
          """
            - id: bad-%1$s
              profile: underpass-water
              port: %2$d
              faults: [{%3$s, probability: 0.4, for: %4$ds}]
            - {id: near-%1$s, profile: water-main, port: %2$d, first-unit: 2}
          """
              .formatted(kind, port++, fault, HOSTILE.toSeconds()));
    }
    return yaml.toString();
  }
}
