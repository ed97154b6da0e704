package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.southbound.SerialLines;
import io.culvert.api.southbound.SerialLines.Parity;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
        "modbus-tpc://plc | endpoint: found scheme modbus-tpc; expected modbus-tcp? (one of modbus-tcp, modbus-rtu-tcp, modbus-ascii-tcp, modbus-rtu, modbus-ascii)",
        "modbus-tcp://my_plc:502 | endpoint: found modbus-tcp://my_plc:502; expected modbus-tcp://host:port?unit=N, a host of letters, digits, - and ., and a port of digits",
        "modbus-tcp://plc:70000 | endpoint: found port 70000; expected 1–65535",
        "modbus-tcp://plc/3 | endpoint: found path /3; expected no path; the unit is written ?unit=N",
        "modbus-tcp://plc?unit=256 | endpoint: found unit=256; expected unit=0–255",
        "modbus-tcp://plc?unit | endpoint: found unit; expected unit=0–255",
        "modbus-tcp://plc?unt=3 | endpoint: found unt=3; expected unit=0–255",
        "modbus-tcp://plc?order=cdab | endpoint: found order=cdab; expected only unit, line; whatever else the driver is told stands in settings",
        "modbus-tcp://plc?unit=1&unit=2 | endpoint: found unit twice; expected one unit; each unit is a device of its own",
        "modbus-tcp://root:hidden@plc | endpoint: found user information before @; expected none: Modbus has no users",
        "modbus-tcp://plc?line=a/b | endpoint: found line=a/b; expected line=NAME of 1–32 letters, digits, ., _ or -",
        "modbus-tcp://plc?baud=9600 | endpoint: found baud=9600; expected only unit, line; whatever else the driver is told stands in settings",
        "modbus-rtu-tcp://plc?line=a | endpoint: found line=a; expected only unit; whatever else the driver is told stands in settings",
        "modbus-rtu-tcp://plc?unit=0 | endpoint: found unit=0; expected unit=1–247; 0 is all units at once, which takes the setting broadcast: true and points that are only written",
        "modbus-rtu://dev/ttyS1 | endpoint: found modbus-rtu://dev/ttyS1; expected modbus-rtu:///dev/ttyS1?baud=9600&parity=none&unit=N (three slashes before the device file)",
        "modbus-rtu:///?unit=3 | endpoint: found modbus-rtu:///?unit=3; expected modbus-rtu:///dev/ttyS1?baud=9600&parity=none&unit=N",
        "modbus-rtu:///dev/ttyS1?baud=9600&bauds=9600 | endpoint: found bauds=9600; expected baud=50–4000000",
        "modbus-rtu:///dev/ttyS1?baud=fast | endpoint: found baud=fast; expected baud=50–4000000",
        "modbus-rtu:///dev/ttyS1?parity=evn | endpoint: found parity=evn; expected even? (one of none, even, odd)",
        "modbus-rtu:///dev/ttyS1?data=7 | endpoint: found data=7; expected data=8: RTU needs all bits",
        "modbus-rtu:///dev/ttyS1?stop=3 | endpoint: found stop=3; expected stop=1–2",
        "modbus-rtu:///dev/ttyS1?echo=yes | endpoint: found echo=yes; expected echo=true or echo=false",
        "modbus-rtu:///dev/ttyS1?echo=true&echo=true | endpoint: found echo twice; expected each option once",
        "modbus-rtu:///dev/ttyS1?echo | endpoint: found echo; expected echo=true or false",
        "modbus-rtu:///dev/ttyS1?pause=2s | endpoint: found pause=2s; expected pause=0ms–1000ms",
        "modbus-rtu:///dev/ttyS1?unit=256 | endpoint: found unit=256; expected unit=0–255",
        "modbus-rtu:///dev/ttyS1#3 | endpoint: found #3; expected nothing after the query; modbus-rtu:///dev/ttyS1?baud=9600&parity=none&unit=N",
      })
  void tellsWhatIsWrongWithAnEndpoint(String endpoint, String told) {
    assertThat(told(endpoint, Map.of())).containsExactly(told);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "order | abc | settings.order: found abc; expected abcd? (one of abcd, cdab, badc, dcba, efghabcd, cdabghef, fehgbadc, dcbahgfe)",
        "order | big | settings.order: found big; expected one of abcd, cdab, badc, dcba, efghabcd, cdabghef, fehgbadc, dcbahgfe",
        "maxgap | 4 | settings.maxgap: found maxgap; expected maxGap? (one of order, maxGap, maxBlock, align, forbidden, inFlight, responseTimeout, write, zone, broadcast)",
        "maxGap | -1 | settings.maxGap: found -1; expected 0–124 registers",
        "maxBlock | 126 | settings.maxBlock: found 126; expected 4–125 registers",
        "maxBlock | many | settings.maxBlock: found many; expected 4–125 registers",
        "align | 126 | settings.align: found 126; expected 1–125 registers, maxBlock at most",
        "inFlight | 17 | settings.inFlight: found 17; expected 1–16 requests",
        "inFlight | 0 | settings.inFlight: found 0; expected 1–16 requests",
        "forbidden | 100-120 | settings.forbidden: found 100-120; expected table:first-last, such as holding:100-120,4096-5000,input:7",
        "forbidden | holding:120-100 | settings.forbidden: found holding:120-100; expected table:first-last, such as holding:100-120,4096-5000,input:7",
        "forbidden | holding:1,,2 | settings.forbidden: found an empty part; expected table:first-last, such as holding:100-120,4096-5000,input:7",
        "forbidden | holding:1,65536 | settings.forbidden: found 65536; expected table:first-last, such as holding:100-120,4096-5000,input:7",
        "forbidden | file:1 | settings.forbidden: found file:1; expected table:first-last, such as holding:100-120,4096-5000,input:7",
        "write | both | settings.write: found both; expected single (functions 05 and 06 only) or multiple (15 and 16 only); without it, what the device knows",
        "zone | Peking | settings.zone: found Peking; expected a time zone such as Asia/Shanghai, UTC or +08:00",
        "broadcast | yes | settings.broadcast: found yes; expected true or false",
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
    "holding:3;order=hgfedcba, uint64, READ_WRITE",
    "holding:3;order=efghabcd, float64, READ_WRITE",
    "holding:3;bcd, uint64, READ_WRITE",
    "input:3;bits=0-31;order=cdab, uint32, READ",
    "holding:3;length=123, text, READ_WRITE",
    "input:3;length=125;charset=utf-16be, text, READ",
    "input:3;length=1;order=badc, bytes, READ",
    "holding:3;time=iec4;order=dcba, text, READ_WRITE",
    "file:4:17;length=2, text, READ_WRITE",
    "file:0xFFFF:9999, uint16, READ_WRITE",
    "file:4:17;bit=3, bool, READ_WRITE",
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
        "holdng:7 | uint16 | READ | address: found holdng:7; expected holding:7? (coil:N, discrete:N, input:N, holding:N or file:F:R)",
        "Holding:7 | uint16 | READ | address: found Holding:7; expected holding:7? (coil:N, discrete:N, input:N, holding:N or file:F:R)",
        "hr7 | uint16 | READ | address: found hr7; expected coil:N, discrete:N, input:N, holding:N or file:F:R",
        "40001 | uint16 | READ | address: found 40001; expected holding:0? (the number in the request, counted from 0)",
        "300017 | uint16 | READ | address: found 300017; expected input:16? (the number in the request, counted from 0)",
        "holding:7;ordr=cdab | uint32 | READ | address: found ordr=cdab; expected order=…? (order=cdab; bit=3; bits=4-7; bcd; length=10; charset=gbk; time=unix32)",
        "holding:7;order=cadb | uint32 | READ | address: found cadb; expected one of abcd, cdab, badc, dcba, efghabcd, cdabghef, fehgbadc, dcbahgfe",
        "holding:7;order=abcd;order=abcd | uint32 | READ | address: found order twice; expected each option once",
        "holding:7; | uint16 | READ | address: found an empty option; expected order=cdab; bit=3; bits=4-7; bcd; length=10; charset=gbk; time=unix32",
        "holding:7;bit=16 | bool | READ | address: found bit=16; expected bit=0 to bit=15",
        "holding:7 | bool | READ | address: found holding:7 as bool, without a bit; expected holding:7;bit=0 to holding:7;bit=15, for one bit of the register",
        "holding:7 | struct | READ | type: found struct; expected a number, bool, text or bytes: registers hold no structures",
        "holding:7;bit=1 | uint16 | READ | type: found uint16; expected bool, since the address names one bit of a register",
        "coil:7 | uint16 | READ | type: found uint16; expected bool: a coil is one bit; or a register's address",
        "coil:7;bit=1 | bool | READ | address: found bit=1; expected no options: a coil is one bit",
        "holding:7 | text | READ | address: found holding:7 as text, without a length; expected length=1 to length=125, in registers; or time=",
        "holding:7;length=0 | text | READ | address: found length=0; expected length=1 to length=125, in registers; or time=",
        "holding:7;length=124 | bytes | READ_WRITE | address: found length=124; expected length=1 to length=123, in registers",
        "file:4:7;length=122 | bytes | READ | address: found length=122; expected length=1 to length=121, in registers",
        "holding:7;length=4;charset=gb | text | READ | address: found charset=gb; expected gbk? (one of ascii, gbk, utf-8, utf-16be)",
        "holding:7;length=4;order=efghabcd | text | READ | address: found order=efghabcd; expected abcd, cdab, badc or dcba: the others are of 64-bit numbers",
        "holding:7;length=4 | uint16 | READ | address: found length at type uint16; expected length at text and bytes, but not with time",
        "holding:7;charset=gbk;length=4 | bytes | READ | address: found charset at type bytes; expected charset at text",
        "holding:7;time=unix | text | READ | address: found time=unix; expected unix32? (one of unix32, unix64, unixms64, y2k32, bytes6, bcd6, registers6, registers7, iec4)",
        "holding:7;time=bcd6;length=3 | text | READ | address: found length at type text; expected length at text and bytes, but not with time",
        "holding:7;time=unix32 | uint32 | READ | address: found time at type uint32; expected time at text",
        "holding:65534;time=bcd6 | text | READ | address: found holding:65534 as text; expected 0–65533, since it takes 3 registers",
        "holding:7;bcd=1 | uint16 | READ | address: found bcd=1; expected bcd? (order=cdab; bit=3; bits=4-7; bcd; length=10; charset=gbk; time=unix32)",
        "holding:7;bcd | int16 | READ | type: found int16; expected uint16, uint32 or uint64, since the address says bcd",
        "holding:7;bits=0-3 | float32 | READ | type: found float32; expected uint16, uint32 or uint64, since the address says bits",
        "holding:7;bcd;bits=0-3 | uint16 | READ | address: found bcd and bits; expected one of the two",
        "holding:7;bits=4 | uint16 | READ | address: found bits=4; expected bits=LOWEST-HIGHEST within 0–15, such as bits=4-7",
        "holding:7;bits=4-16 | uint16 | READ | address: found bits=4-16; expected bits=LOWEST-HIGHEST within 0–15, such as bits=4-7",
        "holding:7;bits=7-4 | uint32 | READ | address: found bits=7-4; expected bits=LOWEST-HIGHEST within 0–31, such as bits=4-7",
        "file:4 | uint16 | READ | address: found file:4; expected file:F:R with file 1–65535 and record 0–9999, such as file:4:17",
        "file:0:1 | uint16 | READ | address: found file:0:1; expected file:F:R with file 1–65535 and record 0–9999, such as file:4:17",
        "file:1:9999 | uint32 | READ | address: found file:1:9999 as uint32; expected file:1:0–9998, since it takes 2 registers",
        "input:7 | uint16 | READ_WRITE | access: found read-write; expected read: nothing can be written to input; coil, holding and file can",
        "discrete:7 | bool | WRITE | access: found write; expected read: nothing can be written to discrete; coil, holding and file can",
      })
  void tellsWhatIsWrongWithAPoint(String address, String type, Access access, String told) {
    assertThat(told("modbus-tcp://plc", Map.of(), point(address, type, access)))
        .containsExactly("points.p." + told);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holding:7 | uint32 | READ | forbidden | holding:8-9 | address: found holding:7; expected a place outside settings.forbidden holding:8-9",
        "coil:7 | bool | READ | forbidden | holding:8,coil:0-100 | address: found coil:7; expected a place outside settings.forbidden coil:0-100",
        "holding:7;length=11 | text | READ | maxBlock | 10 | address: found length=11; expected length=1 to length=10, in registers; or time=",
        "holding:7 | uint32 | READ | align | 125 | ",
        "holding:124 | uint32 | READ | align | 125 | address: found holding:124, read as holding:0–249; expected at most settings.maxBlock 125",
      })
  void tellsWhatIsWrongWithAPointUnderItsSettings(
      String address, String type, Access access, String key, String value, String told) {
    assertThat(told("modbus-tcp://plc", Map.of(key, value), point(address, type, access)))
        .isEqualTo(told == null ? List.of() : List.of("points.p." + told));
  }

  @Test
  void aBroadcastIsToUnit0AndOnlyWritten() {
    Map<String, String> all = Map.of("broadcast", "true");
    Point written = point("holding:7", "uint16", Access.WRITE);
    assertThat(told("modbus-tcp://plc?unit=0", all, written)).isEmpty();
    assertThat(told("modbus-tcp://plc?unit=3", all, written))
        .containsExactly(
            "settings.broadcast: found true with unit=3; expected unit=0, which is all units at"
                + " once");
    assertThat(
            told("modbus-tcp://plc?unit=0", all, point("holding:7", "uint16", Access.READ_WRITE)))
        .containsExactly(
            "points.p.access: found read-write; expected write: nobody answers a broadcast");
    assertThat(told("modbus-tcp://plc?unit=0", Map.of(), written)).isEmpty();
    List<String> told = new ArrayList<>();
    Settings.DEFAULT.check(0, true, List.of(written), problem -> told.add(problem.toString()));
    assertThat(told)
        .containsExactly(
            "endpoint: found unit=0; expected unit=1–247; 0 is all units at once, which takes the"
                + " setting broadcast: true and points that are only written");
  }

  @Test
  void whatIsOnlyWrittenMayLieWhereNothingIsRead() {
    assertThat(
            told(
                "modbus-tcp://plc",
                Map.of("forbidden", "holding:7"),
                point("holding:7", "uint16", Access.WRITE)))
        .isEmpty();
  }

  @Test
  void takesEveryExampleOfTheGuide() throws Exception {
    String guide = Files.readString(Path.of("../../docs/guides/modbus.md"));
    Matcher examples =
        Pattern.compile("\\{id: \\w+, +address: \"([^\"]+)\", +type: (\\w+)(.*)}").matcher(guide);
    int found = 0;
    while (examples.find()) {
      Access access = examples.group(3).contains("write") ? Access.READ_WRITE : Access.READ;
      Point point = point(examples.group(1), examples.group(2), access);
      assertThat(told("modbus-tcp://plc", Map.of(), point)).isEmpty();
      found++;
    }
    assertThat(found).isGreaterThanOrEqualTo(8);
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

  @Test
  void linesBehindOneAddressHaveLanesOfTheirOwnAndOneConnection() {
    assertThat(lane("modbus-tcp://plc?unit=1&line=roof")).isEqualTo("tcp:plc:502#roof");
    assertThat(endpoint("modbus-tcp://plc?unit=1&line=roof").link())
        .isEqualTo(endpoint("modbus-tcp://plc?unit=2&line=cellar").link())
        .isEqualTo(endpoint("modbus-tcp://plc?unit=3").link());
    assertThat(lane("modbus-rtu-tcp://plc?unit=1")).isEqualTo("tcp:plc:502");
    assertThat(endpoint("modbus-rtu-tcp://plc").link())
        .isNotEqualTo(endpoint("modbus-tcp://plc").link());
  }

  @Test
  void unitsOnOneSerialLineShareALaneHoweverTheyWriteItAndSpeak() {
    assertThat(lane("modbus-rtu:///dev/ttyS1?unit=1"))
        .isEqualTo(lane("modbus-ascii:///dev//./ttyS1?unit=2&baud=1200"))
        .isEqualTo("serial:/dev/ttyS1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modbus-rtu:///dev/ttyS1 | 19200 | 8 | EVEN | 1 | 2005",
        "modbus-rtu:///dev/ttyS1?parity=none | 19200 | 8 | NONE | 2 | 2005",
        "modbus-rtu:///dev/ttyS1?parity=none&stop=1 | 19200 | 8 | NONE | 1 | 1822",
        "modbus-rtu:///dev/ttyS1?baud=9600&parity=odd | 9600 | 8 | ODD | 1 | 4010",
        "modbus-rtu:///dev/ttyS1?baud=115200 | 115200 | 8 | EVEN | 1 | 1750",
        "modbus-rtu:///dev/ttyS1?pause=20ms | 19200 | 8 | EVEN | 1 | 20000",
        "modbus-ascii:///dev/ttyS1 | 19200 | 7 | EVEN | 1 | 1822",
        "modbus-ascii:///dev/ttyS1?data=8&parity=none | 19200 | 8 | NONE | 2 | 2005",
      })
  void aSerialLineHasTheDefaultsOfTheSpecification(
      String endpoint, int baud, int data, Parity parity, int stop, long pauseMicros) {
    SerialLines.Settings settings = ((Endpoint.Serial) endpoint(endpoint)).settings();
    assertThat(settings)
        .extracting("baud", "dataBits", "parity", "stopBits", "rs485", "echo")
        .containsExactly(baud, data, parity, stop, false, false);
    assertThat(settings.pause().toNanos() / 1000).isEqualTo(pauseMicros);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "modbus-tcp://plc:502?unit=7",
        "modbus-tcp://plc:1502?unit=7&line=roof",
        "modbus-rtu-tcp://plc:502?unit=7",
        "modbus-rtu:///dev/ttyS1?baud=9600&parity=none&echo=true&rs485=true&unit=7",
        "modbus-ascii:///dev/serial/by-id/usb-0?unit=7",
      })
  void whatAScanFindsIsAnEndpointAgain(String endpoint) {
    assertThat(endpoint(endpoint).withUnit(9).withUnit(7)).hasToString(endpoint);
    assertThat(endpoint(endpoint(endpoint).withUnit(9).toString()))
        .isEqualTo(endpoint(endpoint).withUnit(9));
  }

  private static Endpoint endpoint(String text) {
    return Endpoint.parse(URI.create(text), ModbusDriver::refuse);
  }

  private String lane(String endpoint) {
    return driver.lane(new Device("d", "p", URI.create(endpoint), Map.of()));
  }

  private static Point point(String address, String type, Access access) {
    return new Point("p", address, DataType.valueOf(type.toUpperCase(Locale.ROOT)), access);
  }
}
