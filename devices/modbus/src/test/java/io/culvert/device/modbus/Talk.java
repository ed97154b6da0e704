package io.culvert.device.modbus;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.serial.SharedLines;
import io.culvert.testkit.RecordingSink;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A driver in use, as the core would use it. */
final class Talk implements AutoCloseable {
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

  ModbusConnection open(int unit, Map<String, String> settings) throws Exception {
    CompletionStage<Connection> opening = driver.open(device(unit, settings), new RecordingSink());
    return (ModbusConnection) answer(opening);
  }

  ModbusConnection open(int unit) throws Exception {
    return open(unit, Map.of());
  }

  static <T> T answer(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(5, TimeUnit.SECONDS);
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
