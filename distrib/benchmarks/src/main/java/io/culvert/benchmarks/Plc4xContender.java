package io.culvert.benchmarks;

import io.culvert.benchmarks.plc4x.BareLoop;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.Street.Resident;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The bare loop that a good programmer would write on Apache PLC4X and Eclipse Paho. */
final class Plc4xContender implements Contender {
  /** The gateway's collector, with twice its heap and without the bounds on the young one. */
  private static final List<String> JVM =
      List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Dfile.encoding=UTF-8");

  private final BareLoop.Form form;

  Plc4xContender(BareLoop.Form form) {
    this.form = form;
  }

  @Override
  public String name() {
    return "PLC4X " + (form == BareLoop.Form.ARRAY ? "array" : "tags");
  }

  @Override
  public String description() {
    return "bare loop on Apache PLC4X and Paho MQTT v5, no buffer, no ledger, -Xmx512m; one read request a"
        + " device, "
        + (form == BareLoop.Form.ARRAY ? "all registers as one array" : "one tag a point");
  }

  @Override
  public Running start(Load load, Street street, int brokerPort, Path work) throws IOException {
    Files.createDirectories(work);
    List<String> devices = new ArrayList<>();
    for (Resident device : street.devices()) {
      devices.add(device.id() + " 127.0.0.1 " + device.port() + " " + device.unit());
    }
    Path list = Files.write(work.resolve("devices.txt"), devices);
    List<String> command = new ArrayList<>(List.of(Child.java()));
    command.addAll(JVM);
    command.addAll(
        List.of(
            "-cp",
            Child.classPath(),
            BareLoop.class.getName(),
            list.toString(),
            Integer.toString(load.points()),
            Long.toString(load.interval().toMillis()),
            Integer.toString(brokerPort),
            form.name()));
    return new Child(command, Map.of("MALLOC_ARENA_MAX", "2"), work);
  }
}
