package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole line between servers none of us wrote: a slave on pymodbus or libmodbus, the shipped
 * gateway, Mosquitto.
 */
class ForeignPeersIT {
  private static final String PROFILE =
      """
      schema: culvert-profile/1
      id: foreign
      title: {en: Foreign slave, zh-CN: 第三方从站}
      scheme: modbus-tcp
      interval: 200ms
      points:
        - {id: depth, title: {en: Depth}, address: "holding:0", type: uint16, access: read-write, scale: 0.001, unit: m, range: [0, 10]}
        - {id: air, title: {en: Air}, address: "holding:1", type: int16, scale: 0.1, unit: Cel}
        - {id: pressure, title: {en: Pressure}, address: "holding:2", type: float32, unit: MPa}
        - {id: total, title: {en: Total}, address: "holding:4", type: uint32, unit: m3}
        - {id: swapped, title: {en: Swapped}, address: "holding:6;order=cdab", type: uint32}
        - {id: far, title: {en: Far away}, address: "holding:100", type: uint16}
        - {id: flow, title: {en: Flow}, address: "input:9;order=cdab", type: float32, unit: m3/h}
        - {id: pump, title: {en: Pump}, address: "coil:3", type: bool, access: read-write, class: state}
        - {id: door, title: {en: Door}, address: "discrete:5", type: bool, class: state}
        - {id: nowhere, title: {en: Nowhere}, address: "holding:9000", type: uint16}
      """;

  /** For the registers of {@code slave.c}. */
  private static final String LIBMODBUS =
      """
      schema: culvert-profile/1
      id: foreign
      title: {en: Slave on libmodbus}
      scheme: modbus-tcp
      interval: 200ms
      points:
        - {id: unit, title: {en: Unit asked}, address: "input:0", type: uint16}
        - {id: depth, title: {en: Depth}, address: "holding:0", type: uint16, scale: 0.001, unit: m}
        - {id: below, title: {en: Below}, address: "holding:1", type: int16, scale: 0.1, unit: Cel}
        - {id: wide, title: {en: Wide}, address: "holding:16", type: int64}
        - {id: abcd, title: {en: Order abcd}, address: "holding:20", type: float32}
        - {id: cdab, title: {en: Order cdab}, address: "holding:22;order=cdab", type: float32}
        - {id: badc, title: {en: Order badc}, address: "holding:24;order=badc", type: float32}
        - {id: dcba, title: {en: Order dcba}, address: "holding:26;order=dcba", type: float32}
        - {id: digits, title: {en: BCD}, address: "holding:40;bcd", type: uint16, scale: 0.01, unit: m}
        - {id: bits, title: {en: Bits}, address: "holding:2;bits=12-15", type: uint16}
        - {id: model, title: {en: Model}, address: "holding:41;length=2", type: text, class: state}
        - {id: clock, title: {en: Clock}, address: "holding:43;time=bcd6", type: text}
        - {id: big, title: {en: Big}, address: "holding:46", type: uint64}
        - {id: last, title: {en: Last register}, address: "holding:0xFFFF", type: uint16}
        - {id: coil, title: {en: Coil}, address: "coil:3", type: bool, class: state}
        - {id: failed, title: {en: Refused with 04}, address: "holding:304", type: uint16}
      """;

  @TempDir Path folder;

  @Test
  void theValuesOfAForeignSlaveReachAForeignBroker() throws Exception {
    try (Peer broker = Peer.mosquitto(folder);
        Peer slave = Peer.pymodbus(folder);
        Platform platform = new Platform(broker.port());
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), site(broker.port(), slave.port()))) {
      gateway.write("etc/profiles/foreign.yaml", PROFILE);
      gateway.start();

      for (String device : new String[] {"unit-1", "unit-7"}) {
        awaitSeen(platform, gateway, device + "/door");
        awaitSeen(platform, gateway, device + "/nowhere");
        expect(platform, device + "/depth", "1.234", "m", "Good");
        expect(platform, device + "/air", "-21.5", "Cel", "Good");
        expect(platform, device + "/pressure", "0.4375", "MPa", "Good");
        expect(platform, device + "/total", "4000000001", "m3", "Good");
        expect(platform, device + "/swapped", "123456789", "", "Good");
        expect(platform, device + "/far", "77", "", "Good");
        expect(platform, device + "/flow", "-12.625", "m3/h", "Good");
        expect(platform, device + "/pump", "true", "", "Good");
        expect(platform, device + "/door", "true", "", "Good");
        // The one address that the slave doesn't have harms none of its neighbours.
        expect(platform, device + "/nowhere", "null", "", "BadNotFound");
      }

      String topic = "$oc/devices/unit-1/sys/commands/request_id=";
      platform.publish(
          "$oc/devices/city-gw/sys/properties/set/request_id=r1",
          """
          {"object_device_id":"unit-1","services":[{"service_id":"telemetry","properties":{"depth":2.5}}]}
          """);
      await("answer to the command; " + topic)
          .atMost(Duration.ofSeconds(60))
          .until(() -> !platform.messages("properties/set/response/request_id=r1").isEmpty());
      assertThat(
              platform
                  .messages("properties/set/response/request_id=r1")
                  .get(0)
                  .body()
                  .get("result_code")
                  .asInt())
          .isZero();
      await("the written value is read from the slave")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> expect(platform, "unit-1/depth", "2.5", "m", "Good"));
      expect(platform, "unit-7/depth", "1.234", "m", "Good");

      assertThat(gateway.stop()).isZero();
    }
  }

  @Test
  void theValuesOfLibmodbusReachAForeignBroker() throws Exception {
    try (Peer broker = Peer.mosquitto(folder);
        Peer slave = Peer.libmodbus(folder);
        Platform platform = new Platform(broker.port());
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), site(broker.port(), slave.port()))) {
      gateway.write("etc/profiles/foreign.yaml", LIBMODBUS);
      gateway.start();

      for (String device : new String[] {"unit-1", "unit-7"}) {
        awaitSeen(platform, gateway, device + "/coil");
        awaitSeen(platform, gateway, device + "/failed");
      }
      expect(platform, "unit-1/unit", "1", "", "Good");
      expect(platform, "unit-7/unit", "7", "", "Good");
      for (String device : new String[] {"unit-1", "unit-7"}) {
        expect(platform, device + "/depth", "1.234", "m", "Good");
        expect(platform, device + "/below", "-0.2", "Cel", "Good");
        expect(platform, device + "/wide", "-1234567890123456789", "", "Good");
        for (String order : new String[] {"abcd", "cdab", "badc", "dcba"}) {
          Platform.Seen seen = platform.latest(device + "/" + order);
          assertThat((float) seen.value().asDouble()).as(order).isEqualTo(123456.789f);
        }
        expect(platform, device + "/digits", "12.34", "m", "Good");
        expect(platform, device + "/bits", "8", "", "Good");
        expect(platform, device + "/model", "\"CM5\"", "", "Good");
        expect(platform, device + "/clock", "\"2026-11-21T02:03:18Z\"", "", "Good");
        expect(platform, device + "/big", "4611686018427387905", "", "Good");
        expect(platform, device + "/last", "65535", "", "Good");
        expect(platform, device + "/coil", "true", "", "Good");
        expect(platform, device + "/failed", "null", "", "BadDeviceFailure");
      }
      assertThat(gateway.stop()).isZero();
    }
  }

  private static void awaitSeen(Platform platform, InstalledGateway gateway, String point) {
    await(point + " at the platform")
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat(platform.latest(point))
                    .as(() -> "nothing yet; the gateway says:\n" + gateway.log())
                    .isNotNull());
  }

  private static void expect(
      Platform platform, String point, String value, String unit, String quality) {
    Platform.Seen seen = platform.latest(point);
    assertThat(seen).as(point).isNotNull();
    assertThat(seen.value().toString()).as(point).isEqualTo(value);
    assertThat(seen.unit()).as("unit of " + point).isEqualTo(unit);
    assertThat(seen.quality()).as("quality of " + point).isEqualTo(quality);
  }

  private static String site(int broker, int slave) {
    return """
    {
      "gateway": {"id": "city-gw"},
      "platforms": [{"id": "city", "url": "mqtt://127.0.0.1:%d", "dialect": "iotda"}],
      "devices": [
        {"id": "unit-1", "profile": "foreign", "endpoint": "modbus-tcp://127.0.0.1:%d?unit=1",
         "timeout": "10s", "settings": {"responseTimeout": "4s"}},
        {"id": "unit-7", "profile": "foreign", "endpoint": "modbus-tcp://127.0.0.1:%d?unit=7",
         "timeout": "10s", "settings": {"responseTimeout": "4s"}}
      ]
    }
    """
        .formatted(broker, slave, slave);
  }
}
