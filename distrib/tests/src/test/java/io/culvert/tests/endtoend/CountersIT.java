package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A counter that rolls over, on a foreign slave, behind a gateway that is stopped and killed. */
class CountersIT {
  /** The register at 0 is set by a command and counted by another point; 100 holds 77. */
  private static final String PROFILE =
      """
      schema: culvert-profile/1
      id: counting
      title: {en: Counting slave}
      scheme: modbus
      interval: 200ms
      points:
        - {id: raw, address: "holding:0", type: uint16, access: read-write}
        - {id: total, address: "holding:0", type: uint16, counter: {modulus: 65536}}
        - {id: scaled, address: "holding:0", type: uint16, scale: {point: ratio, times: 0.1}, counter: {modulus: 65536}}
        - {id: ratio, address: "holding:100", type: uint16, interval: 1m}
        - {id: none, address: "holding:100", type: uint16, notAvailable: [77]}
      """;

  private static final String SITE =
      """
      {
        "gateway": {"id": "city-gw"},
        "platforms": [{"id": "city", "url": "mqtt://127.0.0.1:%d", "dialect": "iotda"}],
        "devices": [
          {"id": "meter", "profile": "counting", "endpoint": "modbus-tcp://127.0.0.1:%d?unit=1",
           "timeout": "10s", "settings": {"responseTimeout": "4s"}}
        ]
      }
      """;

  @TempDir Path folder;

  @Test
  void aTotalGoesOnOverARollOverAStopAndAKill() throws Exception {
    try (Peer broker = Peer.mosquitto(folder);
        Peer slave = Peer.pymodbus(folder);
        Platform platform = new Platform(broker.port());
        InstalledGateway gateway =
            InstalledGateway.unpack(
                folder.resolve("gateway"), SITE.formatted(broker.port(), slave.port()))) {
      gateway.write("etc/profiles/counting.yaml", PROFILE);
      gateway.start();
      shows(platform, gateway, 1234);
      set(gateway, 65_000);
      shows(platform, gateway, 65_000);
      set(gateway, 10);
      shows(platform, gateway, 65_546);

      assertThat(gateway.stop()).isZero();
      int before = platform.reports("meter");
      gateway.start();
      await("it is read again")
          .atMost(Duration.ofSeconds(60))
          .until(() -> platform.reports("meter") > before + 3);
      shows(platform, gateway, 65_546);
      set(gateway, 20_000);
      shows(platform, gateway, 85_536);

      gateway.kill();
      int killed = platform.reports("meter");
      gateway.start();
      await("it is read again")
          .atMost(Duration.ofSeconds(60))
          .until(() -> platform.reports("meter") > killed + 3);
      set(gateway, 20_001);
      shows(platform, gateway, 85_537);

      assertThat(platform.latest("meter/none").quality()).isEqualTo("BadNoData");
      assertThat(platform.latest("meter/ratio").value().asInt()).isEqualTo(77);
      // No total was ever in doubt, and no scale unknown.
      assertThat(platform.qualities("meter")).containsExactlyInAnyOrder("Good", "BadNoData");
      assertThat(gateway.stop()).isZero();
    }
  }

  private static void set(InstalledGateway gateway, int raw) throws Exception {
    InstalledGateway.Answer answer =
        gateway.command("shell", "write", "meter", "raw", Integer.toString(raw));
    assertThat(answer.exit()).as(answer.text()).isZero();
  }

  private static void shows(Platform platform, InstalledGateway gateway, long total) {
    await("total " + total)
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              Platform.Seen seen = platform.latest("meter/total");
              assertThat(seen).as(() -> "nothing yet; it says:\n" + gateway.log()).isNotNull();
              assertThat(seen.value().asLong()).isEqualTo(total);
              assertThat(platform.latest("meter/scaled").value().decimalValue())
                  .isEqualByComparingTo(java.math.BigDecimal.valueOf(total * 77, 1));
            });
  }
}
