package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person can write, and what they are told. */
class ValidationTest {
  private final ModbusTcpDriver driver = new ModbusTcpDriver();

  @AfterEach
  void deactivate() {
    driver.deactivate();
  }

  private List<String> told(String endpoint, Map<String, String> settings, Point... points) {
    Device device = new Device("d", "p", URI.create(endpoint), settings);
    return driver.validate(device, List.of(points)).stream().map(Object::toString).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "modbus-tcp://192.168.3.17",
        "modbus-tcp://plc:1502?unit=0",
        "modbus-tcp://plc.site.example/?unit=255",
        "modbus-tcp://[fe80::1]:502?unit=0x10",
        "MODBUS-TCP://PLC?unit=247"
      })
  void takesEndpoints(String endpoint) {
    assertThat(told(endpoint, Map.of())).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modbus-tcp:plc:502 | endpoint: found modbus-tcp:plc:502; expected modbus-tcp://host:port?unit=N (with // after the colon)",
        "modbus-rtu://plc | endpoint: found scheme modbus-rtu; expected modbus-tcp://host:port?unit=N",
        "modbus-tcp://my_plc:502 | endpoint: found modbus-tcp://my_plc:502; expected modbus-tcp://host:port?unit=N, a host of letters, digits, - and ., and a port of digits",
        "modbus-tcp://plc:70000 | endpoint: found port 70000; expected 1–65535",
        "modbus-tcp://plc/3 | endpoint: found path /3; expected no path; the unit is written ?unit=N",
        "modbus-tcp://plc?unit=256 | endpoint: found unit=256; expected unit=0–255",
        "modbus-tcp://plc?unit | endpoint: found unit; expected unit=0–255",
        "modbus-tcp://plc?unt=3 | endpoint: found unt=3; expected unit=N",
        "modbus-tcp://plc?order=cdab | endpoint: found order=cdab; expected only unit=N; whatever else the driver is told stands in settings",
        "modbus-tcp://plc?unit=1&unit=2 | endpoint: found unit twice; expected one unit; each unit is a device of its own",
        "modbus-tcp://root:hidden@plc | endpoint: found user information before @; expected none: Modbus has no users",
      })
  void tellsWhatIsWrongWithAnEndpoint(String endpoint, String told) {
    assertThat(told(endpoint, Map.of())).containsExactly(told);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "order | abc | settings.order: found abc; expected abcd? (one of abcd, cdab, badc, dcba)",
        "order | big | settings.order: found big; expected one of abcd, cdab, badc, dcba",
        "maxgap | 4 | settings.maxgap: found maxgap; expected maxGap? (one of order, maxGap, maxBlock, responseTimeout)",
        "maxGap | -1 | settings.maxGap: found -1; expected 0–124 registers",
        "maxBlock | 126 | settings.maxBlock: found 126; expected 4–125 registers",
        "maxBlock | many | settings.maxBlock: found many; expected 4–125 registers",
        "responseTimeout | 0.8 s | settings.responseTimeout: found 0.8 s; expected 10ms–60s, such as 800ms",
        "responseTimeout | 61s | settings.responseTimeout: found 61s; expected 10ms–60s, such as 800ms",
      })
  void tellsWhatIsWrongWithASetting(String key, String value, String told) {
    assertThat(told("modbus-tcp://plc", Map.of(key, value))).containsExactly(told);
  }

  @ParameterizedTest
  @CsvSource({
    "coil:0, bool, READ_WRITE",
    "discrete:65535, bool, READ",
    "input:0x1F, int16, READ",
    "holding:65535, uint16, READ_WRITE",
    "holding:65534;order=dcba, float32, READ_WRITE",
    "holding:65532, float64, READ_WRITE",
    "holding:3;bit=15, bool, READ_WRITE",
    "input:3;order=badc;bit=0, bool, READ",
  })
  void takesAddresses(String address, String type, Access access) {
    assertThat(told("modbus-tcp://plc", Map.of(), point(address, type, access))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holding:70000 | uint16 | READ | address: found 70000; expected 0–65535, or 0x0–0xFFFF",
        "holding:99999999999 | uint16 | READ | address: found 99999999999; expected 0–65535, or 0x0–0xFFFF",
        "holding: | uint16 | READ | address: found no number after holding:; expected 0–65535, or 0x0–0xFFFF",
        "holding:65535 | uint32 | READ | address: found holding:65535 as uint32; expected 0–65534, since it takes 2 registers",
        "holding:65533 | float64 | READ | address: found holding:65533 as float64; expected 0–65532, since it takes 4 registers",
        "holdng:7 | uint16 | READ | address: found holdng:7; expected holding:7? (coil:N, discrete:N, input:N or holding:N)",
        "Holding:7 | uint16 | READ | address: found Holding:7; expected holding:7? (coil:N, discrete:N, input:N or holding:N)",
        "hr7 | uint16 | READ | address: found hr7; expected coil:N, discrete:N, input:N or holding:N",
        "40001 | uint16 | READ | address: found 40001; expected holding:0? (the number in the request, counted from 0)",
        "300017 | uint16 | READ | address: found 300017; expected input:16? (the number in the request, counted from 0)",
        "holding:7;ordr=cdab | uint32 | READ | address: found ordr=cdab; expected order=…? (order=abcd, cdab, badc or dcba; bit=0 to bit=15)",
        "holding:7;order=cadb | uint32 | READ | address: found cadb; expected one of abcd, cdab, badc, dcba",
        "holding:7;order=abcd;order=abcd | uint32 | READ | address: found order twice; expected each option once",
        "holding:7; | uint16 | READ | address: found an empty option; expected order=abcd, cdab, badc or dcba; bit=0 to bit=15",
        "holding:7;bit=16 | bool | READ | address: found bit=16; expected bit=0 to bit=15",
        "holding:7 | bool | READ | address: found holding:7 as bool, without a bit; expected holding:7;bit=0 to holding:7;bit=15, for one bit of the register",
        "holding:7;bit=1 | uint16 | READ | type: found uint16; expected bool, since the address names one bit of a register",
        "coil:7 | uint16 | READ | type: found uint16; expected bool: a coil is one bit; or a register's address",
        "coil:7;bit=1 | bool | READ | address: found bit=1; expected no options: a coil is one bit",
        "holding:7 | text | READ | type: found text; expected bool, int16, uint16, int32, uint32, int64, float32 or float64",
        "input:7 | uint16 | READ_WRITE | access: found read-write; expected read: nothing can be written to input; coil and holding can",
        "discrete:7 | bool | WRITE | access: found write; expected read: nothing can be written to discrete; coil and holding can",
      })
  void tellsWhatIsWrongWithAPoint(String address, String type, Access access, String told) {
    assertThat(told("modbus-tcp://plc", Map.of(), point(address, type, access)))
        .containsExactly("points.p." + told);
  }

  @Test
  void tellsAllAtOnce() {
    assertThat(
            told(
                "modbus-tcp://plc:0?unit=300",
                Map.of("order", "x"),
                point("holding:70000;bit=99", "bool", Access.READ),
                point("input:1", "uint16", Access.WRITE)))
        .hasSize(6);
  }

  @Test
  void unitsBehindOneAddressShareALane() {
    assertThat(lane("modbus-tcp://PLC?unit=1"))
        .isEqualTo(lane("modbus-tcp://plc:502?unit=2"))
        .isEqualTo("tcp:plc:502");
    assertThat(lane("modbus-tcp://[::1]:1502")).isEqualTo("tcp:[::1]:1502");
  }

  private String lane(String endpoint) {
    return driver.lane(new Device("d", "p", URI.create(endpoint), Map.of()));
  }

  private static Point point(String address, String type, Access access) {
    return new Point("p", address, DataType.valueOf(type.toUpperCase(Locale.ROOT)), access);
  }
}
