package io.culvert.device.modbus;

import static io.culvert.api.DataType.BOOL;
import static io.culvert.api.DataType.FLOAT32;
import static io.culvert.api.DataType.FLOAT64;
import static io.culvert.api.DataType.INT16;
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
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable.Found;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Readable;
import io.culvert.testkit.SerialBus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A line that others share: slaves on libmodbus and pymodbus, mbpoll as a second master. */
@Timeout(120)
class SerialTest {
  private static final Map<String, String> HASTY = Map.of("responseTimeout", "300ms");

  @TempDir Path folder;
  private SerialBus bus;
  private final List<AutoCloseable> others = new ArrayList<>();

  @BeforeEach
  void plug() throws Exception {
    bus = new SerialBus(folder);
    bus.plug("gateway");
  }

  @AfterEach
  void unplug() throws Exception {
    for (int i = others.size() - 1; i >= 0; i--) {
      others.get(i).close();
    }
    bus.close();
  }

  private Talk talk(String scheme, String options) {
    Talk talk =
        new Talk(
            scheme
                + "://"
                + bus.file("gateway")
                + "?baud=9600&data=8&parity=none&stop=1"
                + options);
    others.add(talk);
    return talk;
  }

  private SlaveProcess libmodbus(int unit) throws Exception {
    SlaveProcess slave = SlaveProcess.libmodbus(bus.plug("libmodbus-" + unit), unit);
    others.add(slave);
    return slave;
  }

  private void pymodbus(String mode) throws Exception {
    others.add(SlaveProcess.pymodbus(bus.plug("pymodbus"), mode));
  }

  /** Reads registers 10 to 12 of a unit, over and over. */
  private void mbpoll(int unit) throws Exception {
    Process process =
        new ProcessBuilder(
                "mbpoll",
                "-m",
                "rtu",
                "-a",
                "" + unit,
                "-b",
                "9600",
                "-P",
                "none",
                "-t",
                "4:hex",
                "-0",
                "-r",
                "10",
                "-c",
                "3",
                "-l",
                "100",
                bus.plug("mbpoll"))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("mbpoll.log").toFile())
            .start();
    others.add(
        () -> {
          process.destroy();
          assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        });
  }

  @Test
  void slavesOnLibmodbusShareALine() throws Exception {
    libmodbus(3);
    libmodbus(4);
    Talk talk = talk("modbus-rtu", "");
    for (int round = 0; round < 3; round++) {
      for (int unit = 3; unit <= 4; unit++) {
        ModbusConnection connection = talk.open(unit);
        assertThat(
                read(
                    connection,
                    point("input:0", UINT16),
                    point("holding:0", UINT16),
                    point("holding:10", UINT32),
                    point("holding:20", FLOAT32),
                    point("holding:150", UINT16),
                    point("coil:3", BOOL)))
            .isEqualTo(
                Map.of(
                    "input:0", Value.of((long) unit),
                    "holding:0", Value.of(1234L),
                    "holding:10", Value.of(0x12345678L),
                    "holding:20", Value.of((double) 123456.789f),
                    "holding:150", Quality.BAD_NOT_FOUND,
                    "coil:3", Value.of(true)));
        Point setpoint = writable("holding:400", FLOAT64);
        assertThat(write(connection, setpoint, Value.of(0.1 * unit))).isEqualTo(Quality.GOOD);
        assertThat(value(connection, setpoint)).isEqualTo(Value.of(0.1 * unit));
      }
    }
    Diagnosed.LineFacts line = talk.open(3).line();
    assertThat(line).isEqualTo(new Diagnosed.LineFacts(0, 0, 0, 0, 0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rtu", "ascii"})
  void unitsOnPymodbusAreReadWrittenAndFound(String mode) throws Exception {
    pymodbus(mode);
    Talk talk = talk("modbus-" + mode, "");
    for (int unit = 1; unit <= 2; unit++) {
      assertThat(
              read(
                  talk.open(unit),
                  point("holding:0", INT16),
                  point("holding:12", FLOAT64),
                  point("holding:201", UINT16),
                  point("discrete:61", BOOL),
                  point("input:15", UINT16)))
          .isEqualTo(
              Map.of(
                  "holding:0", Value.of(-12345L),
                  "holding:12", Value.of(-123.456789e-30),
                  "holding:201", Quality.BAD_NOT_FOUND,
                  "discrete:61", Value.of(true),
                  "input:15", Value.of(100L * unit + 15)));
    }
    assertThat(write(talk.open(1), writable("holding:310", FLOAT64), Value.of(0.25)))
        .isEqualTo(Quality.GOOD);
    assertThat(value(talk.open(1), point("holding:310", FLOAT64))).isEqualTo(Value.of(0.25));
    List<Found> found = browse(talk.open(1), 2, "1", "2");
    assertThat(found)
        .extracting(Found::address)
        .containsExactly(
            talk.device(1, Map.of()).endpoint().toString(),
            talk.device(2, Map.of()).endpoint().toString());
    assertThat(found.get(0).facts()).containsEntry("vendor", "Pymodbus");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rtu", "ascii"})
  void aBroadcastReachesAllUnitsAndIsWaitedFor(String mode) throws Exception {
    pymodbus(mode);
    Talk talk = talk("modbus-" + mode, "");
    Point blind = new Point("all", "holding:300", UINT16, Access.WRITE);
    assertThat(write(talk.open(0, Map.of("broadcast", "true")), blind, Value.of(4711L)))
        .isEqualTo(Quality.UNCERTAIN);
    for (int unit = 1; unit <= 2; unit++) {
      assertThat(value(talk.open(unit), point("holding:300", UINT16))).isEqualTo(Value.of(4711L));
    }
  }

  @Test
  void aDeadUnitCostsItsOwnTimeAndTheOthersKeepTheirCycle() throws Exception {
    pymodbus("rtu");
    Talk talk = talk("modbus-rtu", "");
    Map<String, String> dead = Map.of("responseTimeout", "500ms");
    List<ModbusConnection> units = new ArrayList<>();
    List<Readable.Plan> plans = new ArrayList<>();
    for (int unit : new int[] {1, 2, 5, 7}) {
      units.add(unit == 5 ? talk.open(unit, dead) : talk.open(unit));
      Point point = point("holding:0", INT16);
      plans.add(units.get(units.size() - 1).prepare(List.of(point)));
    }
    int rounds = 8;
    for (int round = 0; round < rounds; round++) {
      // All at once, as cycles fall due; the line gives turns.
      List<CompletableFuture<?>> reads = new ArrayList<>();
      plans.forEach(plan -> reads.add(plan.read().toCompletableFuture()));
      for (int i : new int[] {0, 1, 3}) {
        reads.get(i).get(60, TimeUnit.SECONDS);
      }
      assertThatThrownBy(() -> reads.get(2).get(60, TimeUnit.SECONDS))
          .cause()
          .isInstanceOf(TimeoutException.class);
    }
    for (int i : new int[] {0, 1, 3}) {
      Diagnosed.Facts facts = units.get(i).facts();
      assertThat(facts.answers()).isEqualTo(rounds);
      assertThat(facts.timeouts()).isZero();
    }
    assertThat(units.get(2).facts().timeouts()).isEqualTo(rounds);
    assertThat(units.get(2).facts().answers()).isZero();
  }

  @Test
  void aSecondMasterIsHeardAndNothingOfItIsTakenForAnAnswer() throws Exception {
    libmodbus(3);
    Talk talk = talk("modbus-rtu", "");
    ModbusConnection connection = talk.open(3, HASTY);
    Point[] points = {point("holding:0", UINT16), point("holding:150", UINT16)};
    Point[] triple = {point("holding:16", UINT16), point("holding:18", UINT16)};
    read(talk.open(3), points);
    mbpoll(3);
    Readable.Plan plan = connection.prepare(List.of(triple));
    int good = 0;
    for (int i = 0; i < 400 && (connection.line().foreign() < 10 || good < 10); i++) {
      try {
        Map<String, Object> values = byPoint(answer(plan.read()));
        for (Point point : triple) {
          Object value = values.get(point.id());
          if (value instanceof Value) {
            // Of -1234567890123456789; mbpoll's answers are as long and hold other registers.
            assertThat(value)
                .isEqualTo(Value.of(point.id().equals("holding:16") ? 0xEEDDL : 0x8216L));
            good++;
          }
        }
      } catch (ExecutionException collided) {
        assertThat(collided.getCause()).isInstanceOf(TimeoutException.class);
      }
    }
    assertThat(connection.line().foreign()).isGreaterThanOrEqualTo(10);
    assertThat(good).isGreaterThanOrEqualTo(10);
  }

  @Test
  void anAdapterThatHearsItselfIsToldOf() throws Exception {
    libmodbus(3);
    bus.echo("gateway");
    Talk talk = talk("modbus-rtu", "&echo=true");
    ModbusConnection connection = talk.open(3);
    Point setpoint = writable("holding:400", UINT16);
    for (long i = 0; i < 5; i++) {
      assertThat(write(connection, setpoint, Value.of(i))).isEqualTo(Quality.GOOD);
      assertThat(value(connection, setpoint)).isEqualTo(Value.of(i));
    }
    assertThatThrownBy(() -> write(talk.open(9, HASTY), setpoint, Value.of(1L)))
        .cause()
        .isInstanceOf(TimeoutException.class);
    assertThat(connection.line()).isEqualTo(new Diagnosed.LineFacts(0, 0, 0, 0, 0));
  }

  @Test
  void anEchoThatNobodyToldOfIsNoAnswer() throws Exception {
    libmodbus(3);
    bus.echo("gateway");
    Talk talk = talk("modbus-rtu", "");
    ModbusConnection connection = talk.open(3);
    Point setpoint = writable("holding:400", UINT16);
    for (int i = 0; i < 4; i++) {
      assertThat(value(connection, setpoint)).isEqualTo(Value.of(0L));
    }
    assertThat(write(connection, setpoint, Value.of(7L))).isEqualTo(Quality.GOOD);
    assertThat(value(connection, setpoint)).isEqualTo(Value.of(7L));
    assertThatThrownBy(() -> write(talk.open(9, HASTY), setpoint, Value.of(1L)))
        .cause()
        .isInstanceOf(TimeoutException.class);
    assertThat(connection.line().noise()).isPositive();
    assertThat(connection.line().foreign()).isZero();
  }

  @Test
  void aLineThatWasUnpluggedIsOpenedAgainByTheNextReading() throws Exception {
    libmodbus(3);
    Talk talk = talk("modbus-rtu", "");
    ModbusConnection connection = talk.open(3);
    Point point = point("holding:0", UINT16);
    assertThat(value(connection, point)).isEqualTo(Value.of(1234L));
    bus.unplug("gateway");
    await().atMost(Duration.ofSeconds(20)).until(() -> !connection.connected());
    assertThatThrownBy(() -> value(connection, point))
        .hasMessageContaining(bus.file("gateway") + " doesn't exist");
    bus.plug("gateway");
    assertThat(value(connection, point)).isEqualTo(Value.of(1234L));
  }
}
