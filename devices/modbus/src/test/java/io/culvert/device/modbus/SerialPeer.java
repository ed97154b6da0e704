package io.culvert.device.modbus;

import static io.culvert.api.Access.READ;
import static io.culvert.api.Access.READ_WRITE;

import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Value;
import io.culvert.testkit.Peer;
import io.culvert.testkit.Relay;
import io.culvert.testkit.SerialBus;
import java.net.URI;
import java.util.List;
import java.util.Map;

/**
 * A slave on a serial line, for the contract of all drivers.
 *
 * @param endpoint without its unit
 * @param gateway the gateway's place on the bus; {@code null} if it is reached over TCP, or if
 *     answers there are not to be damaged
 * @param neighbour a unit beside it, which holds something else; 0 if there is none
 */
record SerialPeer(
    String endpoint,
    String gateway,
    int unit,
    int neighbour,
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
      String endpoint, String gateway, SlaveProcess slave, SerialBus bus, Step away, Step back) {
    return new SerialPeer(
        endpoint,
        gateway,
        3,
        0,
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
      String endpoint, String gateway, SlaveProcess slave, SerialBus bus, Step away, Step back) {
    return new SerialPeer(
        endpoint,
        gateway,
        2,
        1,
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
    return device(unit);
  }

  private Device device(int unit) {
    return new Device("u" + unit, "p", URI.create(endpoint + unit), Map.of());
  }

  @Override
  public Map<Device, Map<Point, Value>> neighbours() {
    Point input = new Point("input", "input:0", DataType.UINT16, READ);
    return neighbour == 0
        ? Map.of()
        : Map.of(device(neighbour), Map.of(input, Value.of(100L * neighbour)));
  }

  @Override
  public boolean checksummed() {
    return true;
  }

  @Override
  public Relay relay() throws Exception {
    return gateway == null ? Relay.tcp(device()) : bus.relay(gateway, device());
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
