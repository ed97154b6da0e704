package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The shipped gateway before a server of OPC UA that wants security, closed by the audit of the
 * ground truth: every change of every variable, by its source time.
 */
class PlantIT {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private JsonNode demo(String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of("--plant"));
    all.addAll(List.of("--plant-port", Integer.toString(Peer.freePort())));
    all.addAll(List.of(options));
    return Demo.run(folder, InstalledGateway.SHIPPED, 1, PATIENCE, all.toArray(String[]::new))
        .exact();
  }

  private static Stream<String> entries(JsonNode audit, String reason) {
    return Stream.iterate(0, i -> i < audit.get("ledgerEntries").size(), i -> i + 1)
        .map(i -> audit.get("ledgerEntries").get(i).asText())
        .filter(entry -> entry.startsWith(reason));
  }

  /** Its server hangs half-open, closes its channels in a burst, and forgets everything. */
  @Test
  void whatCannotBeHadAnyMoreStandsInTheLedgerAndNothingElseIsLost() throws Exception {
    JsonNode audit =
        demo("--seconds", "4", "--plant-fault", "hang,cut,restart", "--plant-down", "3");

    assertThat(audit.at("/lost").asLong()).isZero();
    assertThat(audit.at("/confirmed").asLong()).isGreaterThan(300);
    assertThat(audit.at("/figures/plantConnections").asLong())
        .as("three devices on one session")
        .isEqualTo(1);
    assertThat(entries(audit, "never read")).as("of the restart").isNotEmpty();
  }

  @Test
  void whatTheDevicesKeptIsFilledInAfterARestart() throws Exception {
    JsonNode audit =
        demo("--seconds", "4", "--plant-history", "--plant-fault", "restart", "--plant-down", "3");

    assertThat(audit.at("/lost").asLong()).isZero();
    // The server has no history of its events: an alarm in that time may be in the ledger.
    audit
        .get("byClass")
        .fields()
        .forEachRemaining(
            one ->
                assertThat(one.getKey().equals("alarm") ? 0 : one.getValue().get("ledger").asLong())
                    .as("%s in %s", one.getKey(), audit)
                    .isZero());
    assertThat(entries(audit, "recovered")).isNotEmpty();
  }

  @Test
  void commandsReachThePlantAndItsAlarmsArriveAndAreAcknowledged() throws Exception {
    Path certificate = folder.resolve("plant.der");
    int plant = Peer.freePort();
    try (Simulator simulator =
            Simulator.run(
                folder,
                base -> street(plant),
                Peer.freePort(),
                "--plant-certificate",
                certificate.toString());
        Platform platform = new Platform(simulator.mqttPort());
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), simulator.site().toString())) {
      gateway.start();
      introduce(gateway, certificate);
      for (String device : List.of("first", "second")) {
        // Each refusal makes the pause before the next attempt longer, up to a minute.
        await(device + " is heard")
            .atMost(PATIENCE)
            .untilAsserted(
                () -> {
                  // What is told first is that it wasn't trusted yet.
                  Platform.Seen seen = platform.latest(device + "/start_level");
                  assertThat(seen).as(gateway::log).isNotNull();
                  assertThat(seen.value().asDouble()).as(gateway::log).isEqualTo(1.6);
                });
      }

      assertThat(command(platform, "c1", "first", "start_level", "2.25")).isZero();
      await("the written value is told")
          .atMost(SOON)
          .untilAsserted(
              () ->
                  assertThat(platform.latest("first/start_level").value().asDouble())
                      .isEqualTo(2.25));
      assertThat(platform.latest("second/start_level").value().asDouble()).isEqualTo(1.6);
      assertThat(command(platform, "c2", "first", "start_level", "0.6"))
          .as("below the level at which it stops")
          .isNotZero();

      assertThat(command(platform, "c3", "second", "start", "true")).isZero();
      await("the pump runs by hand")
          .atMost(SOON)
          .untilAsserted(
              () -> assertThat(platform.latest("second/automatic").value().asBoolean()).isFalse());

      assertThat(command(platform, "c4", "second", "high_level", "0.5")).isZero();
      JsonNode alarm = awaitAlarm(platform, "active", true);
      assertThat(alarm.get("message").asText()).startsWith("High water level at second");
      ObjectNode acknowledge = JSON.createObjectNode();
      acknowledge.set("event", alarm.get("event"));
      acknowledge.put("comment", "seen");
      assertThat(command(platform, "c5", "second", "acknowledge", acknowledge.toString())).isZero();
      assertThat(awaitAlarm(platform, "acked", true).get("comment").asText()).isEqualTo("seen");

      Simulator.Audit audit = simulator.end();
      assertThat(audit.exit()).as(audit.text() + gateway.log()).isZero();
      assertThat(audit.report().at("/byClass/alarm/confirmed").asLong()).isGreaterThan(1);
    }
  }

  /** As the guide has it: a first connection that is refused, and what status says to type. */
  private void introduce(InstalledGateway gateway, Path plant) throws Exception {
    String[] typed = new String[1];
    await("status says what to type")
        .atMost(SOON)
        .untilAsserted(
            () -> {
              String status = gateway.command("status").oneLine();
              Matcher line =
                  Pattern.compile("bin/culvert (opcua trust add [0-9a-f]{8})").matcher(status);
              assertThat(line.find()).as(() -> status + gateway.log()).isTrue();
              typed[0] = line.group(1);
            });
    byte[] certificate = Files.readAllBytes(plant);
    assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(certificate)))
        .as("the plant's own certificate")
        .startsWith(typed[0].replaceFirst("^.* ", ""));

    Path own = folder.resolve("gateway.der");
    InstalledGateway.Answer exported = gateway.command("opcua", "own", "export", own.toString());
    assertThat(exported.exit()).as(exported.text()).isZero();
    assertThat(own).hasSameBinaryContentAs(gateway.home().resolve("etc/opcua/own.der"));

    InstalledGateway.Answer trusted = gateway.command(typed[0].split(" "));
    assertThat(trusted.exit()).as(trusted.text()).isZero();
    assertThat(gateway.home().resolve("etc/opcua/trusted"))
        .isDirectoryContaining(file -> file.getFileName().toString().endsWith(".der"));
  }

  private static String street(int port) {
    return """
        schema: culvert-street/1
        speed: 10
        plant:
          port: %d
          devices:
            - {id: first, profile: opcua-pump-station}
            - {id: second, profile: opcua-pump-station}
        """
        .formatted(port);
  }

  /** Writes a point as the platform does; what the gateway answers, 0 for done. */
  private static int command(
      Platform platform, String id, String device, String point, String value) throws Exception {
    platform.publish(
        "$oc/devices/cabinet-17/sys/properties/set/request_id=" + id,
        """
        {"object_device_id":"%s","services":[{"service_id":"state","properties":{"%s":%s}}]}
        """
            .formatted(device, point, value));
    String answer = "properties/set/response/request_id=" + id;
    await("answer to " + point).atMost(SOON).until(() -> !platform.messages(answer).isEmpty());
    return platform.messages(answer).get(0).body().get("result_code").asInt();
  }

  private static JsonNode awaitAlarm(Platform platform, String field, boolean value) {
    await("an alarm that is " + field)
        .atMost(SOON)
        .until(
            () -> {
              Platform.Seen seen = platform.latest("second/alarm");
              return seen != null && seen.value().path(field).asBoolean() == value;
            });
    return platform.latest("second/alarm").value();
  }
}
