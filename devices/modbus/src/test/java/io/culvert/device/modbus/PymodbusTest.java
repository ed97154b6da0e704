package io.culvert.device.modbus;

import static io.culvert.api.DataType.BOOL;
import static io.culvert.api.DataType.FLOAT32;
import static io.culvert.api.DataType.FLOAT64;
import static io.culvert.api.DataType.INT16;
import static io.culvert.api.DataType.INT32;
import static io.culvert.api.DataType.INT64;
import static io.culvert.api.DataType.TEXT;
import static io.culvert.api.DataType.UINT16;
import static io.culvert.api.DataType.UINT32;
import static io.culvert.device.modbus.Talk.answer;
import static io.culvert.device.modbus.Talk.browse;
import static io.culvert.device.modbus.Talk.byPoint;
import static io.culvert.device.modbus.Talk.point;
import static io.culvert.device.modbus.Talk.read;
import static io.culvert.device.modbus.Talk.value;
import static io.culvert.device.modbus.Talk.writable;
import static io.culvert.device.modbus.Talk.write;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable.Found;
import io.culvert.api.southbound.Readable;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Exact values, a map with holes, writes and the scan against a slave on pymodbus; see slave.py.
 */
@Timeout(60)
class PymodbusTest {
  @RegisterExtension static final Slave slave = new Slave(SlaveProcess::pymodbus);

  @ParameterizedTest
  @CsvSource({"0, abcd", "100, cdab", "400, badc", "500, dcba"})
  void readsEveryTypeAsPymodbusPacksIt(int base, String order) throws Exception {
    ModbusConnection connection = slave.talk().open(1, Map.of("order", order));
    Point[] points = {
      point("holding:" + base, INT16),
      point("holding:" + (base + 1), UINT16),
      point("holding:" + (base + 2), INT32),
      point("holding:" + (base + 4), UINT32),
      point("holding:" + (base + 6), INT64),
      point("holding:" + (base + 10), FLOAT32),
      point("holding:" + (base + 12), FLOAT64),
    };
    assertThat(read(connection, points).values())
        .containsExactly(
            Value.of(-12345L),
            Value.of(54321L),
            Value.of(-1234567890L),
            Value.of(4123456789L),
            Value.of(-1234567890123456789L),
            Value.of((double) 22.34f),
            Value.of(-123.456789e-30));
  }

  @Test
  void readsEveryTableOfEachUnitBehindTheAddress() throws Exception {
    Point[] points = {
      point("coil:0", BOOL),
      point("coil:1", BOOL),
      point("discrete:0", BOOL),
      point("discrete:1", BOOL),
      point("discrete:61", BOOL),
      point("input:15", UINT16)
    };
    for (int unit = 1; unit <= 2; unit++) {
      assertThat(read(slave.talk().open(unit), points).values())
          .containsExactly(
              Value.of(true),
              Value.of(false),
              Value.of(false),
              Value.of(true),
              Value.of(true),
              Value.of(100L * unit + 15));
    }
  }

  @Test
  void readsAroundAHoleInTheMap() throws Exception {
    Readable.Plan plan =
        slave
            .talk()
            .open(1)
            .prepare(
                List.of(
                    point("holding:200", UINT16),
                    point("holding:202", UINT16),
                    point("holding:203", UINT16)));
    for (int cycle = 0; cycle < 3; cycle++) {
      assertThat(byPoint(answer(plan.read())))
          .isEqualTo(
              Map.of(
                  "holding:200", Value.of(2000L),
                  "holding:202", Quality.BAD_NOT_FOUND,
                  "holding:203", Value.of(2003L)));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "holding:300, UINT16, 54321",
    "holding:301, INT16, -1",
    "holding:302, INT32, -1234567890",
    "holding:304;order=cdab, UINT32, 4123456789",
    "holding:306;order=badc, INT64, -1234567890123456789",
  })
  void showsTheIntegerThatWasWritten(String address, DataType type, long number) throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    Point point = writable(address, type);
    assertThat(write(connection, point, Value.of(number))).isEqualTo(Quality.GOOD);
    assertThat(value(connection, point)).isEqualTo(Value.of(number));
  }

  @Test
  void showsTheCoilAndTheFloatThatWereWritten() throws Exception {
    ModbusConnection connection = slave.talk().open(2);
    assertThat(write(connection, writable("coil:1", BOOL), Value.of(true))).isEqualTo(Quality.GOOD);
    assertThat(write(connection, writable("holding:310", FLOAT64), Value.of(0.1)))
        .isEqualTo(Quality.GOOD);
    assertThat(read(connection, point("coil:1", BOOL), point("holding:310", FLOAT64)).values())
        .containsExactly(Value.of(true), Value.of(0.1));
    write(connection, writable("coil:1", BOOL), Value.of(false));
  }

  @Test
  void refusesToWriteIntoAHole() throws Exception {
    assertThat(write(slave.talk().open(1), writable("holding:201", UINT16), Value.of(1L)))
        .isEqualTo(Quality.BAD_NOT_FOUND);
  }

  @Test
  void findsTheUnitsThatAnswer() throws Exception {
    String base = "modbus-tcp://127.0.0.1:" + slave.port() + "?unit=";
    List<Found> found = browse(slave.talk().open(1), 3, "1", "2", "7");
    assertThat(found).extracting(Found::address).containsExactly(base + 1, base + 2, base + 7);
    assertThat(answer(slave.talk().open(1).browse(base + 1, 2))).isEmpty();
  }

  @Test
  void namesAUnitByWhatItSaysOfItself() throws Exception {
    List<Found> found = browse(slave.talk().open(1), 1, "1");
    assertThat(found.get(0).title()).isEqualTo("Pymodbus Peer");
    assertThat(found.get(0).facts())
        .containsEntry("vendor", "Pymodbus")
        .containsEntry("product", "PM")
        .containsEntry("revision", "3.0.0")
        .containsEntry("url", "https://pymodbus.example")
        .containsEntry("name", "Peer")
        .containsEntry("model", "Peer of the driver")
        .containsEntry("object 80", "a".repeat(120))
        .containsEntry("object 81", "b".repeat(120))
        .containsEntry("object 82", "c".repeat(120));
  }

  @Test
  void aScanBeginsWithTheUnitOfTheEndpoint() throws Exception {
    assertThat(browse(slave.talk().open(3), 1, "7")).hasSize(1);
  }

  @Test
  void readsAndWritesRecordsOfAFile() throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    assertThat(
            read(
                connection,
                point("file:4:7", UINT16),
                point("file:4:8", UINT32),
                point("file:4:99", UINT16),
                point("file:4:100", UINT16),
                point("file:5:0", UINT16)))
        .isEqualTo(
            Map.of(
                "file:4:7", Value.of(1007L),
                "file:4:8", Value.of(1008L << 16 | 1009),
                "file:4:99", Value.of(1099L),
                "file:4:100", Quality.BAD_NOT_FOUND,
                "file:5:0", Quality.BAD_NOT_FOUND));
    Point text = writable("file:4:20;length=5", TEXT);
    Point number = writable("file:4:30;order=cdab", UINT32);
    assertThat(write(connection, text, Value.of("recipe 7"))).isEqualTo(Quality.GOOD);
    assertThat(write(connection, number, Value.of(0x12345678L))).isEqualTo(Quality.GOOD);
    assertThat(write(connection, writable("file:4:30;bit=0", BOOL), Value.of(true)))
        .isEqualTo(Quality.GOOD);
    assertThat(write(connection, writable("file:4:100", UINT16), Value.of(1L)))
        .isEqualTo(Quality.BAD_NOT_FOUND);
    assertThat(read(connection, text, number).values())
        .containsExactly(Value.of("recipe 7"), Value.of(0x12345679L));
  }

  @Test
  void writesBitsByFunction22() throws Exception {
    ModbusConnection connection = slave.talk().open(1);
    write(connection, writable("holding:315", UINT16), Value.of(0xA5A5L));
    write(connection, writable("holding:315;bits=4-7", UINT16), Value.of(0x5L));
    write(connection, writable("holding:315;bit=0", BOOL), Value.of(false));
    assertThat(value(connection, point("holding:315", UINT16))).isEqualTo(Value.of(0xA554L));
  }

  @Test
  void aBroadcastReachesAllUnitsAndIsUncertain() throws Exception {
    ModbusConnection all = slave.talk().open(0, Map.of("broadcast", "true"));
    assertThat(write(all, writable("holding:317", UINT16), Value.of(7L)))
        .isEqualTo(Quality.UNCERTAIN);
    for (int unit = 1; unit <= 2; unit++) {
      ModbusConnection one = slave.talk().open(unit);
      assertThat(value(one, point("holding:317", UINT16))).isEqualTo(Value.of(7L));
    }
  }
}
