package io.culvert.device.modbus;

import static io.culvert.api.Access.READ;
import static io.culvert.api.Access.READ_WRITE;

import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Value;
import io.culvert.api.southbound.Driver;
import io.culvert.testkit.DriverContract;
import io.culvert.testkit.Peer;
import java.net.URI;
import java.util.List;
import java.util.Map;

/** The contract of all drivers, against a slave on libmodbus. */
class LibmodbusContractTest extends DriverContract {

  @Override
  protected Driver activate() throws Exception {
    return new ModbusTcpDriver();
  }

  @Override
  protected void deactivate(Driver driver) throws Exception {
    ((ModbusTcpDriver) driver).deactivate();
  }

  @Override
  protected Peer peer() throws Exception {
    SlaveProcess slave = SlaveProcess.libmodbus();
    return new Peer() {
      @Override
      public Device device() {
        return unit(3);
      }

      private Device unit(int unit) {
        URI endpoint = URI.create("modbus-tcp://127.0.0.1:" + slave.port() + "?unit=" + unit);
        return new Device("u" + unit, "p", endpoint, Map.of());
      }

      @Override
      public Map<Device, Map<Point, Value>> neighbours() {
        Point unit = new Point("unit", "input:0", DataType.UINT16, READ);
        return Map.of(unit(4), Map.of(unit, Value.of(4L)), unit(5), Map.of(unit, Value.of(5L)));
      }

      @Override
      public Map<Point, Value> values() {
        return Map.of(
            new Point("unit", "input:0", DataType.UINT16, READ), Value.of(3L),
            new Point("level", "holding:0", DataType.UINT16, READ), Value.of(1234L),
            new Point("low", "holding:149", DataType.UINT16, READ), Value.of(149L),
            new Point("high", "holding:152", DataType.UINT16, READ), Value.of(152L),
            new Point("open", "coil:3", DataType.BOOL, READ), Value.of(true));
      }

      @Override
      public List<Point> refused() {
        return List.of(new Point("hole", "holding:150", DataType.UINT16, READ));
      }

      @Override
      public Map<Point, List<Value>> writes() {
        return Map.of(
            new Point("setpoint", "holding:400", DataType.FLOAT32, READ_WRITE),
            List.of(Value.of(1.5), Value.of(-0.25)));
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
        slave.stop();
      }

      @Override
      public void start() throws Exception {
        slave.start();
      }

      @Override
      public void close() throws Exception {
        slave.close();
      }
    };
  }
}
