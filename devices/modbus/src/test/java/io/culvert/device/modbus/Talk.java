package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable.Found;
import io.culvert.api.southbound.Connection;
import io.culvert.serial.SharedLines;
import io.culvert.testkit.RecordingSink;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A driver in use, as the core would use it. */
final class Talk implements AutoCloseable {
  /** Enough for an answer on a machine that stands still for a while. */
  private static final String PATIENT = "20s";

  private static final int SCANS = 5;

  private final AtomicLong ahead = new AtomicLong();
  private final ModbusDriver driver;
  private final SharedLines lines;
  private final String base;

  /** Over Modbus TCP with loop-back. */
  Talk(int port) {
    this("modbus-tcp://127.0.0.1:" + port);
  }

  /** Over whatever an endpoint without its unit says. */
  Talk(String endpoint) {
    boolean serial = endpoint.contains(":///");
    lines = serial ? new SharedLines() : null;
    driver =
        serial
            ? new ModbusSerialDriver(lines)
            : new ModbusTcpDriver(() -> System.nanoTime() + ahead.get());
    base = endpoint + (endpoint.contains("?") ? "&" : "?");
  }

  /** Lets time pass, as far as the driver remembers what it learned of devices. */
  void later(Duration time) {
    ahead.addAndGet(time.toNanos());
  }

  /** Points are named after their address. */
  static Point point(String address, DataType type) {
    return new Point(address, address, type, Access.READ);
  }

  static Point writable(String address, DataType type) {
    return new Point(address, address, type, Access.READ_WRITE);
  }

  ModbusDriver driver() {
    return driver;
  }

  Device device(int unit, Map<String, String> settings) {
    return new Device("u" + unit, "p", URI.create(base + "unit=" + unit), settings);
  }

  /** Waits patiently for each answer, unless the settings say otherwise. */
  ModbusConnection open(int unit, Map<String, String> settings) throws Exception {
    Map<String, String> all = new HashMap<>(Map.of("responseTimeout", PATIENT));
    all.putAll(settings);
    CompletionStage<Connection> opening = driver.open(device(unit, all), new RecordingSink());
    return (ModbusConnection) answer(opening);
  }

  ModbusConnection open(int unit) throws Exception {
    return open(unit, Map.of());
  }

  static <T> T answer(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  /**
   * Looks for units. A scan goes on when one hasn't answered for 200 ms, which is nothing to a
   * machine that stands still: so it looks again, a few times, until these are found.
   */
  static List<Found> browse(ModbusConnection connection, int limit, String... units)
      throws Exception {
    List<Found> found = List.of();
    for (int scan = 0; scan < SCANS && !units(found).equals(List.of(units)); scan++) {
      found = answer(connection.browse("", limit));
      assertThat(found).hasSizeLessThanOrEqualTo(limit);
    }
    assertThat(units(found)).containsExactly(units);
    return found;
  }

  private static List<String> units(List<Found> found) {
    return found.stream().map(one -> one.facts().get("unit")).toList();
  }

  static Map<String, Object> read(ModbusConnection connection, Point... points) throws Exception {
    return byPoint(answer(connection.prepare(List.of(points)).read()));
  }

  static Value value(ModbusConnection connection, Point point) throws Exception {
    return answer(connection.prepare(List.of(point)).read()).get(0).value();
  }

  static Quality write(ModbusConnection connection, Point point, Value value) throws Exception {
    return answer(connection.write(point, value));
  }

  /** The value of each good sample, the quality of each bad one. */
  static Map<String, Object> byPoint(List<Sample> samples) {
    Map<String, Object> result = new LinkedHashMap<>();
    samples.forEach(
        sample ->
            result.put(
                sample.point(), sample.quality().good() ? sample.value() : sample.quality()));
    return result;
  }

  @Override
  public void close() {
    driver.end();
    if (lines != null) {
      lines.close();
    }
  }
}
