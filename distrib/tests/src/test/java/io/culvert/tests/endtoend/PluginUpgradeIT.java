package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.culvert.tests.endtoend.fixture.OtherModbus;
import io.culvert.tests.endtoend.fixture.SilentModbus;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The plug-in of a street's devices is upgraded while the street of another plug-in goes on. */
class PluginUpgradeIT {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final int OWN = 12;
  private static final int OTHERS = 4;
  private static final String MODBUS = "io.culvert.device.modbus";

  @TempDir Path folder;

  @Test
  void aGoodUpgradeStaysABadOneIsTakenBackAndDevicesOfAnotherPluginNoticeNeither()
      throws Exception {
    try (Simulator simulator = Simulator.run(folder, PluginUpgradeIT::street);
        Platform platform = new Platform(simulator.mqttPort());
        InstalledGateway gateway = gateway(simulator)) {
      gateway.start();
      awaitReadings(platform, Instant.EPOCH, 5);

      int rounds = OneOfThree.keeps(round -> upgrade(gateway, platform, round));

      String status = gateway.command("status").oneLine();
      assertThat(status)
          .contains(
              MODBUS
                  + " 0.%d.0 was taken back: 12 of 12 devices that were good are not: uw-0"
                      .formatted(2 * rounds + 1),
              "back to 0.%d.0".formatted(2 * rounds),
              "Plug-in %s 0.%d.0".formatted(MODBUS, 2 * rounds));
      Map<String, Set<String>> qualities = platform.qualities();
      Simulator.Audit audit = simulator.end();
      assertThat(audit.exit()).as(audit.text()).isZero();
      assertThat(audit.report().at("/lost").asLong()).isZero();
      for (String id : others()) {
        assertThat(audit.ledgerOf(id)).as("ledger of " + id).isEmpty();
        assertThat(qualities.get(id)).as(id).containsOnly("Good");
      }
      for (String id : own()) {
        assertThat(audit.ledgerOf(id)).as("ledger of " + id).isNotEmpty();
      }
      assertThat(gateway.stop()).isZero();
    }
  }

  /**
   * An upgrade that stays and one that is taken back; the turns that others missed meanwhile, which
   * may be for want of time.
   */
  private static String upgrade(InstalledGateway gateway, Platform platform, int round)
      throws Exception {
    String good = "0.%d.0".formatted(2 * round);
    String bad = "0.%d.0".formatted(2 * round + 1);
    Map<String, String> before = gateway.since();
    Instant begin = Instant.now();
    put(gateway, next(good));
    gateway.awaitLog(MODBUS + " " + good + " is on trial");
    gateway.awaitLog(MODBUS + " " + good + " is in force");
    awaitReadings(platform, Instant.now(), 3);

    put(gateway, silent(bad));
    gateway.awaitLog(MODBUS + " " + bad + " is on trial");
    gateway.awaitLog(MODBUS + " " + bad + " was taken back");
    awaitReadings(platform, Instant.now(), 3);

    StringBuilder broken = new StringBuilder();
    Map<String, String> after = gateway.since();
    for (String id : others()) {
      assertThat(after.get(id)).as(id + " was never anything but online").isEqualTo(before.get(id));
      if (platform.missed(id, INTERVAL, begin.minusSeconds(2)) != 0) {
        broken.append("polls of ").append(id).append(" left out: ").append(platform.polls(id));
        broken.append('\n');
      }
    }
    return broken.toString();
  }

  @Test
  void whenTheGatewayIsKilledDuringATrialTheVersionBeforeIsInForceAgain() throws Exception {
    try (Simulator simulator = Simulator.run(folder, PluginUpgradeIT::street);
        Platform platform = new Platform(simulator.mqttPort());
        InstalledGateway gateway = gateway(simulator)) {
      gateway.start();
      awaitReadings(platform, Instant.EPOCH, 3);
      put(gateway, silent("0.3.0"));
      gateway.awaitLog(MODBUS + " 0.3.0 is on trial");
      gateway.kill();
      gateway.start();
      awaitReadings(platform, Instant.now(), 3);

      assertThat(gateway.command("status").oneLine())
          .contains(MODBUS + " 0.3.0 was taken back: the gateway ended while it was on trial");
      Simulator.Audit audit = simulator.end();
      // What was sent and not confirmed before the kill is sent once more.
      audit
          .report()
          .get("violations")
          .fields()
          .forEachRemaining(
              violation ->
                  assertThat(
                          violation.getKey().equals("duplicated")
                              ? 0
                              : violation.getValue().asLong())
                      .as(() -> violation + " in " + audit.text())
                      .isZero());
      assertThat(audit.report().at("/lost").asLong()).isZero();
      assertThat(gateway.stop()).isZero();
    }
  }

  private InstalledGateway gateway(Simulator simulator) throws Exception {
    ObjectNode site = simulator.site();
    site.putObject("plugins").put("allowUnsigned", true).put("probeSeconds", 20);
    for (JsonNode each : site.get("devices")) {
      ObjectNode device = (ObjectNode) each;
      device.put("interval", INTERVAL.toMillis() + "ms");
      if (device.get("id").asText().startsWith("other-")) {
        device.put(
            "endpoint", device.get("endpoint").asText().replace("modbus-tcp:", "modbus-other:"));
      }
    }
    InstalledGateway gateway =
        InstalledGateway.unpack(folder.resolve("gateway"), site.toPrettyString());
    gateway.write(
        "plugins/other.jar",
        PluginJar.from(PluginJar.shipped("culvert-device-modbus"))
            .header("Bundle-SymbolicName", "com.example.other")
            .header("Bundle-Vendor", "Example")
            .header("Culvert-Schemes", "modbus-other")
            .header("Culvert-Opens", "tcp")
            .activator(OtherModbus.class)
            .bytes());
    return gateway;
  }

  private static byte[] next(String version) throws Exception {
    return PluginJar.from(PluginJar.shipped("culvert-device-modbus"))
        .header("Bundle-Version", version)
        .bytes();
  }

  private static byte[] silent(String version) throws Exception {
    return PluginJar.from(PluginJar.shipped("culvert-device-modbus"))
        .header("Bundle-Version", version)
        .activator(SilentModbus.class, Class.forName(SilentModbus.class.getName() + "$Silent"))
        .bytes();
  }

  /** In place of the shipped one, whole at once. */
  private static void put(InstalledGateway gateway, byte[] jar) throws Exception {
    gateway.write("plugins/" + PluginJar.shipped("culvert-device-modbus").getFileName(), jar);
  }

  private static void awaitReadings(Platform platform, Instant from, int most) {
    List<String> all = new ArrayList<>(own());
    all.addAll(others());
    await("every device is read")
        .atMost(Duration.ofSeconds(120))
        .untilAsserted(
            () -> {
              for (String id : all) {
                assertThat(platform.polls(id))
                    .as(id)
                    .filteredOn(from::isBefore)
                    .hasSizeGreaterThanOrEqualTo(most);
              }
            });
  }

  private static List<String> own() {
    return names("uw-%03d", OWN);
  }

  private static List<String> others() {
    return names("other-%d", OTHERS);
  }

  private static List<String> names(String form, int count) {
    List<String> names = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      names.add(form.formatted(i));
    }
    return names;
  }

  private static String street(int portBase) {
    StringBuilder yaml =
        new StringBuilder(
            """
            schema: culvert-street/1
            title: Street of two vendors
            seed: 7
            devices:
              - {id: uw, count: %d, profile: underpass-water, units-per-port: 4}
            """
                .formatted(OWN));
    for (int i = 1; i <= OTHERS; i++) {
      yaml.append(
          "  - {id: other-%d, profile: underpass-water, port: %d, first-unit: %d}\n"
              .formatted(i, portBase + 3, i));
    }
    return yaml.toString();
  }
}
