package io.culvert.device.modbus;

import static io.culvert.api.DataType.BOOL;
import static io.culvert.api.DataType.BYTES;
import static io.culvert.api.DataType.FLOAT32;
import static io.culvert.api.DataType.FLOAT64;
import static io.culvert.api.DataType.INT16;
import static io.culvert.api.DataType.INT32;
import static io.culvert.api.DataType.INT64;
import static io.culvert.api.DataType.TEXT;
import static io.culvert.api.DataType.UINT16;
import static io.culvert.api.DataType.UINT32;
import static io.culvert.api.DataType.UINT64;
import static io.culvert.device.modbus.Talk.answer;
import static io.culvert.device.modbus.Talk.browse;
import static io.culvert.device.modbus.Talk.byPoint;
import static io.culvert.device.modbus.Talk.point;
import static io.culvert.device.modbus.Talk.read;
import static io.culvert.device.modbus.Talk.value;
import static io.culvert.device.modbus.Talk.writable;
import static io.culvert.device.modbus.Talk.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Readable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Exact values, exceptions and writes against a slave on libmodbus; see slave.c. */
@Timeout(60)
class LibmodbusTest {
  @RegisterExtension static final Slave slave = new Slave(SlaveProcess::libmodbus);

  @Test
  void readsEveryTableInOneCycle() throws Exception {
    assertThat(
            read(
                slave.talk().open(1),
                point("coil:0", BOOL),
                point("coil:1", BOOL),
                point("coil:2499", BOOL),
                point("discrete:2", BOOL),
                point("discrete:0x3", BOOL),
                point("discrete:2416", BOOL),
                point("input:7", UINT16),
                point("holding:0", UINT16),
                point("holding:0xFFFF", UINT16)))
        .isEqualTo(
            Map.of(
                "coil:0", Value.of(true),
                "coil:1", Value.of(false),
                "coil:2499", Value.of(2499 % 3 == 0),
                "discrete:2", Value.of(true),
                "discrete:0x3", Value.of(false),
                "discrete:2416", Value.of(2416 % 7 == 2),
                "input:7", Value.of(1007L),
                "holding:0", Value.of(1234L),
                "holding:0xFFFF", Value.of(65535L)));
  }

  @Test
  void readsEveryTypeAndTheFourOrders() throws Exception {
    double single = 123456.789f;
    assertThat(
            read(
                slave.talk().open(1),
                point("holding:1", INT16),
                point("holding:2;bit=15", BOOL),
                point("holding:2;bit=14", BOOL),
                point("holding:2;bit=0", BOOL),
                point("holding:10", INT32),
                point("holding:12", UINT32),
                point("holding:12;order=abcd", INT32),
                point("holding:14;order=cdab", INT32),
                point("holding:16", INT64),
                point("holding:20", FLOAT32),
                point("holding:22;order=cdab", FLOAT32),
                point("holding:24;order=badc", FLOAT32),
                point("holding:26;order=dcba", FLOAT32),
                point("holding:30", FLOAT64)))
        .isEqualTo(
            Map.ofEntries(
                Map.entry("holding:1", Value.of(-2L)),
                Map.entry("holding:2;bit=15", Value.of(true)),
                Map.entry("holding:2;bit=14", Value.of(false)),
                Map.entry("holding:2;bit=0", Value.of(true)),
                Map.entry("holding:10", Value.of(0x12345678L)),
                Map.entry("holding:12", Value.of(4294967294L)),
                Map.entry("holding:12;order=abcd", Value.of(-2L)),
                Map.entry("holding:14;order=cdab", Value.of(0x12345678L)),
                Map.entry("holding:16", Value.of(-1234567890123456789L)),
                Map.entry("holding:20", Value.of(single)),
                Map.entry("holding:22;order=cdab", Value.of(single)),
                Map.entry("holding:24;order=badc", Value.of(single)),
                Map.entry("holding:26;order=dcba", Value.of(single)),
                Map.entry("holding:30", Value.of(Math.PI))));
  }

  @Test
  void takesTheOrderFromTheSettingsWhereTheAddressNamesNone() throws Exception {
    assertThat(
            value(slave.talk().open(1, Map.of("order", "badc")), point("holding:24", FLOAT32))
                .number())
        .isEqualTo(123456.789f);
  }

  @Test
  void readsMoreThanOneRequestHolds() throws Exception {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 2500; i++) {
      points.add(point("coil:" + i, BOOL));
    }
    for (int i = 0; i < 200; i++) {
      points.add(point("input:" + i, UINT16));
    }
    Map<String, Object> values = byPoint(answer(slave.talk().open(1).prepare(points).read()));
    for (int i = 0; i < 2500; i++) {
      assertThat(values.get("coil:" + i)).as("coil " + i).isEqualTo(Value.of(i % 3 == 0));
    }
    for (int i = 1; i < 200; i++) {
      assertThat(values.get("input:" + i)).as("input " + i).isEqualTo(Value.of(1000L + i));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, BadNotSupported",
    "2, BadNotFound",
    "3, BadOutOfRange",
    "4, BadDeviceFailure",
    "5, BadResourceUnavailable",
    "6, BadResourceUnavailable",
    "7, Bad",
    "8, BadDeviceFailure",
    "10, BadNoCommunication",
    "11, BadNoCommunication"
  })
  void givesThePointsOfARefusedBlockTheQualityOfTheException(int code, String quality)
      throws Exception {
    Point refused = point("holding:" + (300 + code), UINT16);
    Map<String, Object> values = read(slave.talk().open(1), refused, point("holding:0", UINT16));
    assertThat(values.get(refused.id())).hasToString(quality);
    assertThat(values).containsEntry("holding:0", Value.of(1234L));
  }

  @Test
  void failsIfAGatewayOnlyTellsThatTheUnitIsSilent() throws Exception {
    assertThatThrownBy(() -> read(slave.talk().open(1), point("holding:311", UINT16)))
        .hasMessageContaining("unit 1 at 127.0.0.1:" + slave.port())
        .hasMessageContaining("exception 0B (gateway target device failed to respond)");
  }

  @Test
  void findsTheRefusedRegisterInAMergedBlockAndRemembersIt() throws Exception {
    List<Point> points = new ArrayList<>();
    for (int i = 145; i < 160; i++) {
      points.add(point("holding:" + i, UINT16));
    }
    Readable.Plan plan = slave.talk().open(1).prepare(points);
    for (int cycle = 0; cycle < 3; cycle++) {
      Map<String, Object> values = byPoint(answer(plan.read()));
      for (int i = 145; i < 160; i++) {
        Object expected = i == 150 || i == 151 ? Quality.BAD_NOT_FOUND : Value.of((long) i);
        assertThat(values).containsEntry("holding:" + i, expected);
      }
    }
  }

  @Test
  void unitsBehindOneAddressShareAConnectionAndASilentOneHarmsNobody() throws Exception {
    Map<String, String> hasty = Map.of("responseTimeout", "100ms");
    ModbusConnection one = slave.talk().open(1);
    ModbusConnection two = slave.talk().open(2);
    ModbusConnection silent = slave.talk().open(9, hasty);
    Point unit = point("input:0", UINT16);
    for (int cycle = 0; cycle < 4; cycle++) {
      CompletableFuture<?> none = silent.prepare(List.of(unit)).read().toCompletableFuture();
      assertThat(value(one, unit)).isEqualTo(Value.of(1L));
      assertThat(value(two, unit)).isEqualTo(Value.of(2L));
      none.cancel(true);
    }
    assertThatThrownBy(() -> read(silent, unit, point("holding:0", UINT16)))
        .hasMessageContaining("Unit 9 at 127.0.0.1:" + slave.port())
        .hasMessageContaining("did not answer within 100 ms");
    silent.close();
    one.close();
    assertThat(value(two, unit)).isEqualTo(Value.of(2L));
  }

  @ParameterizedTest
  @CsvSource({
    "holding:400, UINT16, 65535",
    "holding:401, INT16, -32768",
    "holding:402, INT32, -2147483648",
    "holding:404;order=cdab, UINT32, 4294967295",
    "holding:406;order=dcba, INT64, -9223372036854775808",
    "holding:410;order=badc, INT64, 9223372036854775807",
  })
  void showsTheIntegerThatWasWritten(String address, DataType type, long number) throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    Point point = writable(address, type);
    assertThat(write(connection, point, Value.of(number))).isEqualTo(Quality.GOOD);
    assertThat(value(connection, point)).isEqualTo(Value.of(number));
  }

  @Test
  void writesFloatsInTheFourOrders() throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    double single = 123456.789f;
    for (String order : List.of("abcd", "cdab", "badc", "dcba")) {
      int model = 20 + 2 * List.of("abcd", "cdab", "badc", "dcba").indexOf(order);
      Point point = writable("holding:420;order=" + order, FLOAT32);
      assertThat(write(connection, point, Value.of(single))).isEqualTo(Quality.GOOD);
      assertThat(value(connection, point("holding:420", UINT32)))
          .isEqualTo(value(connection, point("holding:" + model, UINT32)));
    }
  }

  @Test
  void writesACoilAndOneBitOfARegisterWithoutTouchingTheOthers() throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    for (boolean on : new boolean[] {true, false, true}) {
      assertThat(write(connection, writable("coil:2100", BOOL), Value.of(on)))
          .isEqualTo(Quality.GOOD);
      assertThat(value(connection, point("coil:2100", BOOL))).isEqualTo(Value.of(on));
    }
    write(connection, writable("holding:430", UINT16), Value.of(0b1010_0000_0000_0101L));
    write(connection, writable("holding:430;bit=1", BOOL), Value.of(true));
    write(connection, writable("holding:430;bit=15", BOOL), Value.of(false));
    write(connection, writable("holding:430;bit=8;order=badc", BOOL), Value.of(false));
    assertThat(value(connection, point("holding:430", UINT16)))
        .isEqualTo(Value.of(0b0010_0000_0000_0110L));
  }

  @Test
  void refusesWhatAPointCannotHoldWithoutAskingTheDevice() throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    Point point = writable("holding:440", UINT16);
    write(connection, point, Value.of(7L));
    assertThat(write(connection, point, Value.of(65536L))).isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write(connection, point, Value.of(-1L))).isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write(connection, point, Value.of(1.5))).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(write(connection, point, Value.of(true))).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(write(connection, writable("holding:440", FLOAT32), Value.of(1e300)))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write(connection, point("input:0", UINT16), Value.of(1L)))
        .isEqualTo(Quality.BAD_NOT_WRITABLE);
    assertThat(value(connection, point)).isEqualTo(Value.of(7L));
  }

  @Test
  void givesAWriteThatTheDeviceRefusesTheQualityOfTheException() throws Exception {
    assertThat(write(slave.talk().open(1), writable("coil:2500", BOOL), Value.of(true)))
        .isEqualTo(Quality.BAD_NOT_FOUND);
  }

  @Test
  void readsAndWritesTextBytesBcdAndDatesBesideEachOther() throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    Map<Point, Value> values = new LinkedHashMap<>();
    values.put(writable("holding:500;length=5", TEXT), Value.of("CM5-NEO"));
    values.put(writable("holding:505;length=4;charset=gbk", TEXT), Value.of("积水"));
    values.put(writable("holding:509;length=2", BYTES), new Value.Bytes(new byte[] {1, 2, -1, 0}));
    values.put(writable("holding:511;bcd;order=cdab", UINT32), Value.of(12345678L));
    values.put(writable("holding:513;time=bcd6", TEXT), Value.of("2026-11-21T02:03:18Z"));
    values.put(writable("holding:516;order=efghabcd", UINT64), Value.of(1L << 62));
    Map<String, Object> expected = new LinkedHashMap<>();
    for (Map.Entry<Point, Value> entry : values.entrySet()) {
      assertThat(write(connection, entry.getKey(), entry.getValue())).isEqualTo(Quality.GOOD);
      expected.put(entry.getKey().id(), entry.getValue());
    }
    assertThat(read(connection, values.keySet().toArray(new Point[0]))).isEqualTo(expected);
    assertThat(value(connection, point("holding:500", UINT16))).isEqualTo(Value.of(0x434DL));
    assertThat(value(connection, point("holding:513", UINT16))).isEqualTo(Value.of(0x2611L));
  }

  @Test
  void whatIsNoValueHarmsNoNeighbour() throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    write(connection, writable("holding:520", UINT16), Value.of(0x12A4L));
    write(connection, writable("holding:521", UINT16), Value.of(0x1234L));
    assertThat(read(connection, point("holding:520;bcd", UINT16), point("holding:521;bcd", UINT16)))
        .isEqualTo(
            Map.of(
                "holding:520;bcd", Quality.BAD_TYPE_MISMATCH, "holding:521;bcd", Value.of(1234L)));
  }

  /** Unit 1 knows function 22; unit 21 doesn't. */
  @ParameterizedTest
  @ValueSource(ints = {1, 21})
  void writesBitsWithoutTouchingTheOthersWithAndWithoutFunction22(int unit) throws Exception {
    ModbusConnection connection = slave.talk().open(unit);
    for (int round = 0; round < 2; round++) {
      write(connection, writable("holding:530", UINT32), Value.of(0xFFFF_0000L));
      write(connection, writable("holding:530;bits=4-11", UINT16), Value.of(0L));
      write(connection, writable("holding:531;bit=15", BOOL), Value.of(true));
      write(connection, writable("holding:531;bit=9;order=badc", BOOL), Value.of(true));
      // In two registers.
      write(connection, writable("holding:530;bits=14-17", UINT32), Value.of(0b0111L));
      assertThat(value(connection, point("holding:530", UINT32))).isEqualTo(Value.of(0xF00D_C002L));
    }
  }

  /** Unit 22 doesn't know functions 5 and 6, unit 23 not 15 and 16. */
  @ParameterizedTest
  @CsvSource({"1,", "22,", "23,", "1, single", "1, multiple", "22, multiple", "23, single"})
  void writesByTheFunctionThatTheDeviceKnows(int unit, String setting) throws Exception {
    ModbusConnection connection =
        slave.talk().open(unit, setting == null ? Map.of() : Map.of("write", setting));
    for (long number : new long[] {1, 0xFFFE}) {
      assertThat(write(connection, writable("holding:540", UINT16), Value.of(number)))
          .isEqualTo(Quality.GOOD);
      assertThat(value(connection, point("holding:540", UINT16))).isEqualTo(Value.of(number));
      assertThat(write(connection, writable("coil:2200", BOOL), Value.of(number == 1)))
          .isEqualTo(Quality.GOOD);
      assertThat(value(connection, point("coil:2200", BOOL))).isEqualTo(Value.of(number == 1));
      boolean whole = unit != 23 || setting != null;
      assertThat(write(connection, writable("holding:541", UINT32), Value.of(65536 * number + 7)))
          .isEqualTo(whole ? Quality.GOOD : Quality.BAD_NOT_SUPPORTED);
      if (whole) {
        assertThat(value(connection, point("holding:541", UINT32)))
            .isEqualTo(Value.of(65536 * number + 7));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"22, single", "23, multiple"})
  void usesNoOtherFunctionThanTheSettingsSay(int unit, String setting) throws Exception {
    ModbusConnection connection = slave.talk().open(unit, Map.of("write", setting));
    assertThat(write(connection, writable("holding:545", UINT16), Value.of(1L)))
        .isEqualTo(Quality.BAD_NOT_SUPPORTED);
    assertThat(write(connection, writable("coil:2201", BOOL), Value.of(true)))
        .isEqualTo(Quality.BAD_NOT_SUPPORTED);
  }

  @Test
  void findsOutHowManyRegistersADeviceAllows() throws Exception {
    ModbusConnection connection = slave.talk().open(24);
    List<Point> points = new ArrayList<>();
    for (int i = 152; i < 165; i++) {
      points.add(point("holding:" + i, UINT16));
    }
    Readable.Plan plan = connection.prepare(points);
    for (int cycle = 0; cycle < 4; cycle++) {
      assertThat(byPoint(answer(plan.read())))
          .hasSize(13)
          .allSatisfy((id, value) -> assertThat("holding:" + value).isEqualTo(id));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 16})
  void readsWithSeveralRequestsInFlight(int inFlight) throws Exception {
    Map<String, String> settings = Map.of("inFlight", "" + inFlight, "maxBlock", "4");
    List<Point> points = new ArrayList<>();
    for (int i = 1; i < 200; i++) {
      points.add(point("input:" + i, UINT16));
    }
    Readable.Plan plan = slave.talk().open(1, settings).prepare(points);
    for (int cycle = 0; cycle < 3; cycle++) {
      List<Sample> samples = answer(plan.read());
      for (int i = 1; i < 200; i++) {
        assertThat(samples.get(i - 1)).isEqualTo(Sample.good("input:" + i, Value.of(1000L + i)));
      }
    }
  }

  @Test
  void namesAUnitByFunction17WhereItKnowsNoOther() throws Exception {
    // It is silent when asked by the other function.
    ModbusConnection connection = slave.talk().open(1, Map.of("responseTimeout", "500ms"));
    Rounds.oneOfThreeHolds(
        () -> {},
        () ->
            assertThat(browse(connection, 2, "1", "2").get(0).facts())
                .containsEntry("unit", "1")
                .containsEntry("answer", "value")
                .hasEntrySatisfying("server", server -> assertThat(server).contains("LMB")));
  }
}
