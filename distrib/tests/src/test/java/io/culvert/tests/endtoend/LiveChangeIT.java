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

/** A site of 200 devices that is edited while it runs. */
class LiveChangeIT {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final Duration FOLLOWS = Duration.ofSeconds(3);
  private static final Duration PATIENCE = Duration.ofSeconds(180);

  private static final String STREET =
      """
      schema: culvert-street/1
      title: A street that is edited
      seed: 3
      devices:
        - {id: uw, count: 201, profile: underpass-water, units-per-port: 20}
      """;

  private static final String ADDED = "uw-007";
  private static final String CHANGED = "uw-100";
  private static final String REMOVED = "uw-193";

  @TempDir Path folder;

  @Test
  void aChangeOfThreeDevicesIsNothingToTheOthers() throws Exception {
    try (Simulator simulator = Simulator.run(folder, portBase -> STREET);
        Platform platform = new Platform(simulator.mqttPort())) {
      ObjectNode all = simulator.site();
      ObjectNode before = Simulator.without(all, ADDED);
      ObjectNode after = Simulator.without(all, REMOVED);
      Simulator.device(after, CHANGED).put("interval", "250ms");
      try (InstalledGateway gateway =
          InstalledGateway.unpack(folder.resolve("gateway"), before.toPrettyString())) {
        gateway.start();
        await("every device is read")
            .atMost(PATIENCE)
            .untilAsserted(
                () -> {
                  for (JsonNode device : before.get("devices")) {
                    assertThat(platform.polls(device.get("id").asText())).hasSizeGreaterThan(3);
                  }
                });

        OneOfThree.keeps(
            round -> {
              String broken = edit(gateway, platform, after);
              if (!broken.isEmpty()) {
                Instant back = Instant.now();
                gateway.site(before.toPrettyString());
                await("the change is taken back")
                    .atMost(PATIENCE)
                    .until(() -> since(platform, REMOVED, back) >= 3);
              }
              return broken;
            });

        JsonNode status = new ObjectMapper().readTree(gateway.command("status", "--json").text());
        Simulator.Audit audit = simulator.end();
        assertThat(audit.exit()).as(audit.text()).isZero();
        assertThat(status.get("devices")).hasSize(200);
        for (JsonNode device : status.get("devices")) {
          String id = device.get("id").asText();
          assertThat(device.get("failures").asLong()).as(device.toString()).isZero();
          assertThat(audit.ledgerOf(id))
              .as("ledger of " + id)
              .filteredOn(entry -> !ofItsOwnChange(id, entry))
              .isEmpty();
        }
        assertThat(gateway.stop()).isZero();
      }
    }
  }

  /** What wasn't as promised when the site was edited, that may be for want of time. */
  private static String edit(InstalledGateway gateway, Platform platform, ObjectNode after)
      throws Exception {
    Map<String, String> then = gateway.since();
    Instant edited = Instant.now();
    gateway.site(after.toPrettyString());
    await("the added device is read, and the changed one more often")
        .atMost(PATIENCE)
        .until(() -> since(platform, ADDED, edited) > 0 && often(platform.polls(CHANGED), edited));
    Duration took = Duration.between(edited, Instant.now());
    int removed = platform.polls(REMOVED).size();
    await("the others go on")
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              for (JsonNode device : after.get("devices")) {
                String id = device.get("id").asText();
                assertThat(since(platform, id, edited)).as(id).isGreaterThanOrEqualTo(7);
              }
            });
    assertThat(platform.polls(REMOVED).size()).isEqualTo(removed);

    Map<String, String> now = gateway.since();
    then.keySet().removeAll(List.of(ADDED, CHANGED, REMOVED));
    assertThat(now).as("the others were never anything but online").containsAllEntriesOf(then);

    StringBuilder broken = new StringBuilder();
    if (took.compareTo(FOLLOWS) > 0) {
      broken.append("the change took ").append(took).append('\n');
    }
    for (JsonNode device : after.get("devices")) {
      String id = device.get("id").asText();
      if (!id.equals(CHANGED) && platform.missed(id, INTERVAL, edited.minusSeconds(2)) != 0) {
        broken.append("polls of ").append(id).append(" left out: ").append(platform.polls(id));
        broken.append('\n');
      }
    }
    return broken.toString();
  }

  /** Whether it tells of the one poll that was under way, or waited, when the site was edited. */
  private static boolean ofItsOwnChange(String id, String entry) {
    return id.equals(CHANGED) && entry.contains("its configuration changed")
        || id.equals(ADDED) && entry.contains("it was removed from the site");
  }

  /** Whether there were four polls in a row in the time of one at the old interval. */
  private static boolean often(List<Instant> polls, Instant from) {
    List<Instant> after = polls.stream().filter(from::isBefore).toList();
    int n = after.size();
    return n >= 4 && Duration.between(after.get(n - 4), after.get(n - 1)).compareTo(INTERVAL) < 0;
  }

  private static long since(Platform platform, String device, Instant from) {
    List<Instant> polls = platform.polls(device);
    return polls.stream().filter(from::isBefore).count();
  }
}
