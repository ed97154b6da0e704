package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  /** Those whose requests stay open. The others have long to answer, as the good ones have. */
  private static final List<String> SILENT =
      List.of("bad-wrong-transaction", "bad-no-answer", "bad-late");

  /** Those that answer something to the request, and what is told of it instead of a value. */
  private static final Map<String, String> TOLD =
      Map.of(
          "bad-short", "BadCommunicationError",
          "bad-wrong-unit", "BadCommunicationError",
          "bad-exception", "BadDeviceFailure");

  @TempDir Path folder;

  @Test
  void nothingOfAHostileDeviceHarmsAnother() throws Exception {
    OneOfThree.keeps(round -> broken(Files.createDirectory(folder.resolve("round-" + round))));
  }

  /** What was wrong in one round that may be for want of time. */
  private static String broken(Path folder) throws Exception {
    StringBuilder broken = new StringBuilder();
    try (Simulator simulator = Simulator.run(folder, HostileStreetIT::street);
        Platform platform = new Platform(simulator.mqttPort());
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), site(simulator.site()))) {
      gateway.start();
      await("every device has been read in the end")
          .pollDelay(HOSTILE)
          .pollInterval(Duration.ofSeconds(1))
          .atMost(Duration.ofSeconds(180))
          .untilAsserted(
              () -> {
                for (JsonNode device : status(gateway).get("devices")) {
                  assertThat(device.get("state").asText())
                      .as(device.toString())
                      .isEqualTo("online");
                  String id = device.get("id").asText();
                  if (id.startsWith("far-")) {
                    assertThat(platform.polls(id)).as(id).hasSizeGreaterThan(10);
                  }
                }
              });
      JsonNode status = status(gateway);
      // Before the street falls silent, which is no harm done by a neighbour.
      Map<String, Set<String>> qualities = platform.qualities();
      Simulator.Audit audit = simulator.end();

      assertThat(audit.exit()).as(audit.text()).isZero();
      assertThat(audit.report().at("/lost").asLong()).isZero();
      for (JsonNode device : status.get("devices")) {
        String id = device.get("id").asText();
        String told = TOLD.get(id);
        if (told != null) {
          // It did answer, so what it says is a quality and no gap.
          if (!qualities.get(id).containsAll(List.of("Good", told))) {
            broken.append(id).append(" had ").append(qualities.get(id)).append('\n');
          }
          assertThat(audit.ledgerOf(id)).as(id).isEmpty();
        } else if (id.startsWith("bad-")) {
          if (device.get("failures").asLong() == 0 || audit.ledgerOf(id).isEmpty()) {
            broken.append(id).append(" has never failed, or not in the ledger\n");
          }
        } else {
          assertThat(device.get("failures").asLong()).as(device.toString()).isZero();
          assertThat(qualities.get(id)).as(id).containsOnly("Good");
          assertThat(audit.ledgerOf(id)).as(id).isEmpty();
        }
        if (id.startsWith("far-")) {
          List<Instant> polls = platform.polls(id);
          // The first ones may be late: a gateway that starts on a busy machine.
          if (platform.missed(id, INTERVAL, polls.get(2)) != 0) {
            broken.append("polls of ").append(id).append(" left out: ").append(polls).append('\n');
          }
        }
      }
      assertThat(gateway.stop()).isZero();
    }
    return broken.toString();
  }

  private static JsonNode status(InstalledGateway gateway) throws Exception {
    InstalledGateway.Answer said = gateway.command("status", "--json");
    assertThat(said.exit()).as(said.text()).isZero();
    return new ObjectMapper().readTree(said.text());
  }

  private static String site(ObjectNode site) {
    for (JsonNode device : site.get("devices")) {
      ((ObjectNode) device).put("interval", INTERVAL.toMillis() + "ms");
    }
    SILENT.forEach(id -> Simulator.device(site, id).put("timeout", "400ms"));
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
