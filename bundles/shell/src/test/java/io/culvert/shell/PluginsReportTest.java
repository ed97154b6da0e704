package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.Drivers.Quarantine;
import io.culvert.api.service.Plugins;
import io.culvert.api.service.Plugins.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class PluginsReportTest {
  private static final Instant NOW = Instant.parse("2026-11-21T03:00:00Z");
  private static final Quarantine QUARANTINE =
      new Quarantine(
          "read of lamp-1 hasn't returned 12s after it should have",
          2,
          NOW.minusSeconds(5),
          NOW.plusSeconds(15));

  private static final PluginsReport REPORT =
      new PluginsReport(
          List.of(
              plugin("lamp.jar", "io.acme.lamp", "acme", Stage.RUNNING, true, ""),
              plugin("pump.jar", "io.acme.pump", "", Stage.TRIAL, false, ""),
              plugin("bad.jar", "", "", Stage.REFUSED, false, "found no whole jar")),
          List.of(new Plugins.Process("io.acme.lamp", 4711, 61_000_000, Duration.ofSeconds(75), 2)),
          List.of(
              StatusReportTest.driver("io.acme.lamp", 1, QUARANTINE),
              StatusReportTest.driver("io.acme.pump", 0, null)),
          NOW);

  private static Plugins.Status plugin(
      String file, String name, String signer, Stage stage, boolean hosted, String message) {
    return new Plugins.Status(
        file,
        name,
        name.isEmpty() ? "" : "1.2.0",
        name.isEmpty() ? "" : "Acme Ltd",
        signer,
        stage,
        hosted,
        message);
  }

  @Test
  void whoseTheyAreAndWhatTheyCostFitsAScreen() {
    assertThat(REPORT.text().lines().toList())
        .startsWith(
            "plug-in       version  vendor    signed by  stage",
            "io.acme.lamp    1.2.0  Acme Ltd  acme       running, hosted",
            "io.acme.pump    1.2.0  Acme Ltd  unsigned   trial",
            "bad.jar                                     refused",
            "io.acme.lamp, in process 4711 of its own: 61 MB, 75 s of CPU time",
            "bad.jar: found no whole jar",
            "",
            "driver of     devices  threads  time  samples   size  errors",
            "io.acme.lamp       12        9   5 %   12,345  98 kB       3  quarantine 2",
            "io.acme.pump       12        9   5 %   12,345  98 kB       3")
        .anyMatch(line -> line.startsWith("io.acme.lamp: in quarantine since 2026-11-21 "))
        .allMatch(line -> line.length() <= Text.COLUMNS);
    assertThat(REPORT.text().replaceAll("\\s+", " "))
        .contains("it is tried again in 15 s: read of lamp-1 hasn't returned 12s after");
  }

  @Test
  void twoVersionsOfOneAreToldApart() {
    DriverStatus one = StatusReportTest.driver("io.acme.lamp", 0, null);
    assertThat(new PluginsReport(List.of(), List.of(), List.of(one, one), NOW).costs())
        .contains("io.acme.lamp 1.2.0");
  }

  @Test
  void programsReadTheSame() throws Exception {
    assertThat(REPORT.json())
        .contains("\"stage\" : \"running\"", "\"hosted\" : true", "\"signer\" : \"acme\"")
        .contains("\"devices\" : 12", "\"threads\" : 9", "\"stuck\" : 1", "\"calls\" : 100")
        .contains(
            "\"pid\" : 4711",
            "\"ends\" : 2",
            "\"secondsInCalls\" : 5.0",
            "\"seconds\" : 100.0",
            "\"samples\" : 12345")
        .contains("\"bytes\" : 98760", "\"refused\" : 7", "\"errors\" : 3")
        .contains("\"times\" : 2", "\"since\" : \"2026-11-21T02:59:55Z\"");
  }

  @Test
  void withoutDriversThereIsOneTable() {
    assertThat(new PluginsReport(REPORT.plugins(), List.of(), List.of(), NOW).text())
        .doesNotContain("driver of");
  }
}
