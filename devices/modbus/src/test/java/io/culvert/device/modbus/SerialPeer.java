package io.culvert.device.modbus;

import static io.culvert.api.Access.READ;
import static io.culvert.api.Access.READ_WRITE;

import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Value;
import io.culvert.testkit.Peer;
import io.culvert.testkit.SerialBus;
import java.net.URI;
import java.util.List;
import java.util.Map;

/** A slave on a serial line, for the contract of all drivers. */
record SerialPeer(
    String endpoint,
    SlaveProcess slave,
    SerialBus bus,
    Step away,
    Step back,
    Map<Point, Value> values,
    Point hole,
    Point writable)
    implements Peer {

  /** Something the test does to the peer. */
  interface Step {
    void run() throws Exception;
  }

  /** The unit 3 of slave.c. */
  static SerialPeer libmodbus(
      String endpoint, SlaveProcess slave, SerialBus bus, Step away, Step back) {
    return new SerialPeer(
        endpoint,
        slave,
        bus,
        away,
        back,
        Map.of(
            new Point("unit", "input:0", DataType.UINT16, READ), Value.of(3L),
            new Point("level", "holding:0", DataType.UINT16, READ), Value.of(1234L),
            new Point("high", "holding:152", DataType.UINT16, READ), Value.of(152L)),
        new Point("hole", "holding:150", DataType.UINT16, READ),
        new Point("setpoint", "holding:400", DataType.FLOAT32, READ_WRITE));
  }

  /** The unit 2 of slave.py. */
  static SerialPeer pymodbus(
      String endpoint, SlaveProcess slave, SerialBus bus, Step away, Step back) {
    return new SerialPeer(
        endpoint,
        slave,
        bus,
        away,
        back,
        Map.of(
            new Point("input", "input:0", DataType.UINT16, READ), Value.of(200L),
            new Point("level", "holding:0", DataType.INT16, READ), Value.of(-12345L),
            new Point("high", "holding:203", DataType.UINT16, READ), Value.of(2003L)),
        new Point("hole", "holding:201", DataType.UINT16, READ),
        new Point("setpoint", "holding:310", DataType.FLOAT32, READ_WRITE));
  }

  @Override
  public Device device() {
    return new Device("d", "p", URI.create(endpoint), Map.of());
  }

  @Override
  public List<Point> refused() {
    return List.of(hole);
  }

  @Override
  public Map<Point, List<Value>> writes() {
    return Map.of(writable, List.of(Value.of(1.5), Value.of(-0.25)));
  }

  @Override
  public void hold() throws Exception {
    slave.freeze();
  }

  @Override
  public void resume() throws Exception {
    slave.thaw();
  }

  @Override
  public void stop() throws Exception {
    away.run();
  }

  @Override
  public void start() throws Exception {
    back.run();
  }

  @Override
  public void close() throws Exception {
    slave.close();
    bus.close();
  }
}
