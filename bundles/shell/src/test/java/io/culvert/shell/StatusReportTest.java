package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.Drivers.Quarantine;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Plugins;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatusReportTest {
  private static final Instant NOW = Instant.parse("2026-11-21T03:00:00Z");

  private List<DriverStatus> drivers = List.of();

  @Test
  void whatIsNotRightComesFirstEachWithAWayToMendIt() {
    String text =
        report(
                List.of(
                    device("ok", Monitor.State.ONLINE, ""),
                    device("cut", Monitor.State.OFFLINE, "no answer in 2 s; check its cable"),
                    device(
                        "odd", Monitor.State.WAITING, "no driver for hj212; put it in plugins/")),
                new Buffer.Status(
                    10,
                    0,
                    5,
                    2_000_000,
                    1L << 31,
                    0,
                    Buffer.Disk.WORKING,
                    "",
                    List.of(new Buffer.Forwarding("city", false, 7, 0, 1234, 0, 0))),
                List.of(
                    new Plugins.Status(
                        "bad.jar",
                        "",
                        "",
                        "",
                        "",
                        Plugins.Stage.REFUSED,
                        false,
                        "found no whole jar")))
            .text();

    assertThat(text.lines().toList())
        .startsWith("Gateway cabinet-17: 1 of 3 devices online, up 2 h 0 min", "", "To mend:");
    assertThat(text)
        .containsSubsequence(
            "plugins/bad.jar: found no whole jar",
            "5 readings deleted unconfirmed",
            "platform city isn't reached, 1,234 unconfirmed readings on disk",
            "device cut offline for 60 s: no answer in 2 s; check its cable",
            "device odd waiting",
            "Devices   1 online, 1 offline, 1 waiting",
            "Platform  city not reached: 7 confirmed");
    assertThat(text.lines()).allMatch(line -> line.length() <= Text.COLUMNS);
  }

  @Test
  void aHundredDevicesOffStillFitAScreen() {
    List<Monitor.DeviceStatus> devices = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      devices.add(device("d" + i, Monitor.State.OFFLINE, "no answer"));
    }
    StatusReport report =
        report(
            devices,
            new Buffer.Status(0, 0, 0, 0, 1, 0, Buffer.Disk.WORKING, "", List.of()),
            List.of());

    assertThat(report.text().lines().count()).isLessThan(24);
    assertThat(report.text()).contains("and 92 more");
    assertThat(report.findings()).hasSize(100);
  }

  @Test
  void whereAllIsWellItSaysSo() {
    assertThat(
            report(
                    List.of(device("ok", Monitor.State.ONLINE, "")),
                    new Buffer.Status(0, 0, 0, 0, 1, 0, Buffer.Disk.WORKING, "", List.of()),
                    List.of())
                .text())
        .contains("Nothing wrong.");
  }

  @Test
  void aDiskThatRefusesIsAFinding() throws Exception {
    StatusReport report =
        report(
            List.of(),
            new Buffer.Status(
                10,
                77,
                0,
                1,
                2_000_000,
                5_000_000,
                Buffer.Disk.FULL,
                "The disk with data/buffer is full. Free space on it.",
                List.of()),
            List.of());
    assertThat(report.findings())
        .contains("buffer: The disk with data/buffer is full. Free space on it.");
    assertThat(report.text()).contains("77 pending").contains("written in a day");
    assertThat(report.json())
        .contains("\"disk\" : \"full\"", "\"maxBytes\" : 2000000", "\"written\" : 5000000");
  }

  @Test
  void aPlugInInQuarantineIsOneFindingAndNotOneForEachOfItsDevices() throws Exception {
    drivers =
        List.of(
            driver("io.acme.lamp", 0, new Quarantine("it floods", 3, NOW.minusSeconds(20), NOW)),
            driver("io.acme.well", 0, null),
            driver("io.acme.slow", 2, null),
            driver("io.acme.key", 0, null, "The key of plc-1 expires on 2026-12-01; renew it."));
    StatusReport report =
        report(
            List.of(device("lamp", Monitor.State.QUARANTINED, "it floods")),
            new Buffer.Status(0, 0, 0, 0, 1, 0, Buffer.Disk.WORKING, "", List.of()),
            List.of());

    assertThat(report.findings())
        .containsExactly(
            "plug-in io.acme.lamp 1.2.0 in quarantine for 20 s, 12 devices without readings: it"
                + " floods; it is tried again now. Tell its maker, or go back to the version"
                + " before",
            "plug-in io.acme.slow 1.2.0: 2 calls don't return; its driver blocks, which it may"
                + " not: tell its maker",
            "io.acme.key: The key of plc-1 expires on 2026-12-01; renew it.");
    assertThat(report.text()).contains("Devices   1 quarantined");
    assertThat(report.json())
        .contains("\"plugin\" : \"io.acme.lamp\"", "\"reason\" : \"it floods\"")
        .contains("\"warnings\" : [ \"The key of plc-1 expires on 2026-12-01; renew it.\" ]")
        .contains("\"times\" : 3", "\"until\" : \"2026-11-21T03:00:00Z\"");
  }

  static DriverStatus driver(String plugin, int stuck, Quarantine quarantine, String... warnings) {
    return new DriverStatus(
        plugin,
        "1.2.0",
        List.of("lamp"),
        12,
        9,
        stuck,
        100,
        Duration.ofSeconds(5),
        Duration.ofSeconds(100),
        12_345,
        98_760,
        7,
        3,
        List.of(warnings),
        quarantine);
  }

  @Test
  void aMissingPartIsNamed() {
    Services none = new Services(null, null, null, null, null, null, null, null);

    assertThat(StatusReport.of(none, NOW, Duration.ofSeconds(1)).text())
        .contains("buffer doesn't run", "core doesn't run", "plugins doesn't run");
  }

  @Test
  void whatIsWrongWithAllPluginsStandsBeforeWhatIsWrongWithOne() {
    Plugins plugins =
        new Plugins() {
          @Override
          public List<Status> plugins() {
            return List.of(
                new Status("a.jar", "", "", "", "", Stage.REFUSED, false, "it is unsigned"));
          }

          @Override
          public List<String> problems() {
            return List.of("unsigned plug-ins are allowed");
          }
        };
    assertThat(
            StatusReport.of(
                    new Services(null, null, null, null, null, null, plugins, null),
                    NOW,
                    Duration.ZERO)
                .findings())
        .containsSubsequence("unsigned plug-ins are allowed", "plugins/a.jar: it is unsigned");
  }

  private static Monitor.DeviceStatus device(String id, Monitor.State state, String message) {
    return new Monitor.DeviceStatus(
        id, "p", "test://x", "lane", state, message, NOW.minusSeconds(60), NOW, 10, 1);
  }

  private StatusReport report(
      List<Monitor.DeviceStatus> devices, Buffer.Status buffer, List<Plugins.Status> plugins) {
    Monitor monitor =
        new Monitor() {
          @Override
          public List<DeviceStatus> devices() {
            return devices;
          }

          @Override
          public List<Reading> latest(String device) {
            return List.of();
          }

          @Override
          public String gateway() {
            return "cabinet-17";
          }

          @Override
          public Figures figures() {
            return new Figures(1, 0, 1, 0);
          }

          @Override
          public Watch watch(Listener listener) {
            return () -> {};
          }
        };
    FakeBuffer fixed = new FakeBuffer();
    fixed.status = buffer;
    return StatusReport.of(
        new Services(monitor, null, fixed, null, null, null, () -> plugins, () -> drivers),
        NOW,
        Duration.ofHours(2));
  }
}
