package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A maker's map on an installed gateway: its command, and the gateway that takes the profile up.
 */
class RegisterMapIT {
  private static final Path MAPS = Path.of("../../docs/guides/register-map").toAbsolutePath();

  @TempDir Path folder;

  @Test
  void aRunningGatewayTakesUpWhatIsImported() throws Exception {
    String site =
        """
        {"gateway": {"id": "g"}, "devices": [
          {"id": "level-1", "profile": "rl-80", "endpoint": "modbus-tcp://127.0.0.1:%d?unit=1"}]}
        """
            .formatted(Peer.freePort());
    try (InstalledGateway gateway = InstalledGateway.unpack(folder.resolve("gateway"), site)) {
      gateway.start();
      gateway.awaitLog("rl-80");

      InstalledGateway.Answer refused =
          gateway.command("profile", "import", MAPS.resolve("maker.csv").toString());
      assertThat(refused.exit()).as(refused.text()).isEqualTo(1);
      assertThat(refused.text()).contains("row 9, column E", "Cel", "nothing is written");

      InstalledGateway.Answer made =
          gateway.command(
              "profile",
              "import",
              MAPS.resolve("mended.csv").toString(),
              "--id",
              "rl-80",
              "--table",
              "holding",
              "--base",
              "0");
      assertThat(made.text()).contains("profile rl-80 with 8 points");
      assertThat(made.exit()).isZero();

      await("the gateway knows the device")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () -> {
                JsonNode status =
                    new ObjectMapper().readTree(gateway.command("status", "--json").text());
                assertThat(status.get("devices").findValuesAsText("id")).containsExactly("level-1");
              });
    }
  }

  @Test
  void aShippedProfileGoesOutAndComesBackWithoutAGateway() throws Exception {
    try (InstalledGateway gateway = InstalledGateway.unpack(folder.resolve("gateway"), "{}")) {
      assertThat(gateway.command("profile", "list").text().lines())
          .contains("bridge-strain", "energy-meter", "sewer-flow")
          .hasSizeGreaterThanOrEqualTo(15);
      String map = folder.resolve("meter.xlsx").toString();

      assertThat(gateway.command("profile", "export", "energy-meter", map).text())
          .isEqualTo("energy-meter with 14 points: " + map + "\n");
      assertThat(gateway.command("profile", "import", map).exit()).isZero();
      assertThat(gateway.home().resolve("etc/profiles/energy-meter.yaml"))
          .content()
          .contains("scale: {point: [voltage_ratio, current_ratio], times: 0.01}");
    }
  }
}
