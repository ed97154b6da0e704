package io.culvert.device.modbus;

import static io.culvert.api.DataType.BOOL;
import static io.culvert.api.DataType.FLOAT32;
import static io.culvert.api.DataType.FLOAT64;
import static io.culvert.api.DataType.INT16;
import static io.culvert.api.DataType.INT32;
import static io.culvert.api.DataType.INT64;
import static io.culvert.api.DataType.UINT16;
import static io.culvert.api.DataType.UINT32;
import static io.culvert.device.modbus.Talk.answer;
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
import io.culvert.api.Value;
import io.culvert.api.southbound.Readable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Exact values, exceptions and writes against a slave on libmodbus; see slave.c. */
@Timeout(60)
class LibmodbusTest {
  private static SlaveProcess slave;
  private Talk talk;

  @BeforeAll
  static void startSlave() throws Exception {
    slave = SlaveProcess.libmodbus();
  }

  @AfterAll
  static void stopSlave() throws Exception {
    slave.close();
  }

  @BeforeEach
  void activate() {
    talk = new Talk(slave.port());
  }

  @AfterEach
  void deactivate() {
    talk.close();
  }

  @Test
  void readsEveryTableInOneCycle() throws Exception {
    assertThat(
            read(
                talk.open(1),
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
                talk.open(1),
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
    assertThat(value(talk.open(1, Map.of("order", "badc")), point("holding:24", FLOAT32)).number())
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
    Map<String, Object> values = byPoint(answer(talk.open(1).prepare(points).read()));
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
    Map<String, Object> values = read(talk.open(1), refused, point("holding:0", UINT16));
    assertThat(values.get(refused.id())).hasToString(quality);
    assertThat(values).containsEntry("holding:0", Value.of(1234L));
  }

  @Test
  void failsIfAGatewayOnlyTellsThatTheUnitIsSilent() throws Exception {
    assertThatThrownBy(() -> read(talk.open(1), point("holding:311", UINT16)))
        .hasMessageContaining("unit 1 at 127.0.0.1:" + slave.port())
        .hasMessageContaining("exception 0B (gateway target device failed to respond)");
  }

  @Test
  void findsTheRefusedRegisterInAMergedBlockAndRemembersIt() throws Exception {
    List<Point> points = new ArrayList<>();
    for (int i = 145; i < 160; i++) {
      points.add(point("holding:" + i, UINT16));
    }
    Readable.Plan plan = talk.open(1).prepare(points);
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
    ModbusConnection one = talk.open(1);
    ModbusConnection two = talk.open(2);
    ModbusConnection silent = talk.open(9, hasty);
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
    ModbusConnection connection = talk.open(1);
    Point point = writable(address, type);
    assertThat(write(connection, point, Value.of(number))).isEqualTo(Quality.GOOD);
    assertThat(value(connection, point)).isEqualTo(Value.of(number));
  }

  @Test
  void writesFloatsInTheFourOrders() throws Exception {
    ModbusConnection connection = talk.open(1);
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
    ModbusConnection connection = talk.open(1);
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
    ModbusConnection connection = talk.open(1);
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
    assertThat(write(talk.open(1), writable("coil:2500", BOOL), Value.of(true)))
        .isEqualTo(Quality.BAD_NOT_FOUND);
  }
}
