package io.culvert.device.opcua;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Driver;
import io.culvert.testkit.DriverContract;
import io.culvert.testkit.Peer;
import io.culvert.testkit.Relay;
import java.net.URI;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;

/** The contract of all drivers, against a server on Milo in this process. */
class OpcUaContractTest extends DriverContract {
  /** Every time a value is set counts, though it is the same as before. */
  private static final Map<String, String> SETTINGS =
      Map.of("security", "none", "publishing", "10ms", "sampling", "0ms", "trigger", "timestamp");

  @Override
  protected Driver activate() throws Exception {
    return new OpcUaDriver();
  }

  @Override
  protected void deactivate(Driver driver) throws Exception {
    ((OpcUaDriver) driver).deactivate();
  }

  private static Point point(String name, DataType type, Access access) {
    return new Point(name.toLowerCase(), PlantServer.address(name), type, access);
  }

  @Override
  protected Peer peer() throws Exception {
    PlantServer plant = new PlantServer(new OpcUaServerConfigLimits() {});
    Pipe pipe = new Pipe(plant.port());
    Map<Point, Value> values = new LinkedHashMap<>();
    values.put(point("Int32", DataType.INT32, Access.READ), Value.of(-32L));
    values.put(point("Boolean", DataType.BOOL, Access.READ), Value.of(true));
    values.put(point("Double", DataType.FLOAT64, Access.READ), Value.of(2.5));
    values.put(point("String", DataType.TEXT, Access.READ), Value.of("text"));
    Point kept = point("Kept", DataType.FLOAT64, Access.READ);
    List<Sample> history = new ArrayList<>();
    Instant time = Instant.now().truncatedTo(ChronoUnit.SECONDS).minusSeconds(1000);
    for (int i = 0; i < 2 * PlantServer.HISTORY_PAGE + 50; i++) {
      time = time.plusMillis(1234);
      plant.set("Kept", new DataValue(new Variant(i + 0.5), StatusCode.GOOD, new DateTime(time)));
      history.add(new Sample(kept.id(), Value.of(i + 0.5), Quality.GOOD, time));
    }
    values.put(kept, history.get(history.size() - 1).value());
    return new Peer() {
      @Override
      public Device device() {
        return new Device(
            "d", "p", URI.create("opc.tcp://127.0.0.1:" + pipe.port() + "/plant"), SETTINGS);
      }

      @Override
      public Map<Point, Value> values() {
        return values;
      }

      @Override
      public List<Point> refused() {
        return List.of(point("Nowhere", DataType.INT32, Access.READ));
      }

      @Override
      public Map<Point, List<Value>> writes() {
        return Map.of(
            point("Int16", DataType.INT16, Access.READ_WRITE), List.of(Value.of(7L), Value.of(8L)));
      }

      @Override
      public boolean tells() {
        return true;
      }

      @Override
      public void tell(Point point, Value value) {
        String name = point.address().substring(point.address().lastIndexOf('=') + 1);
        Object raw =
            switch (name) {
              case "Int32" -> (int) ((Value.Int) value).value();
              case "Boolean" -> ((Value.Bool) value).value();
              case "Double", "Kept" -> ((Value.Decimal) value).value();
              default -> ((Value.Text) value).value();
            };
        plant.set(name, raw);
      }

      @Override
      public boolean keeps() {
        return true;
      }

      @Override
      public Map<Point, List<Sample>> history() {
        return Map.of(kept, history);
      }

      @Override
      public Relay relay() throws Exception {
        // Of many answers that are damaged, some leave a request without one.
        Map<String, String> hasty = new HashMap<>(SETTINGS);
        hasty.put("timeout", "3s");
        return Relay.tcp(new Device("d", "p", device().endpoint(), hasty));
      }

      @Override
      public void hold() {
        pipe.hold();
      }

      @Override
      public void resume() {
        pipe.resume();
      }

      @Override
      public void stop() throws Exception {
        pipe.stop();
      }

      @Override
      public void start() throws Exception {
        pipe.start();
      }

      @Override
      public void close() throws Exception {
        pipe.close();
        plant.close();
      }
    };
  }
}
