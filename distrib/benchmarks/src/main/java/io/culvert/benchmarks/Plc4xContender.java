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

/**
 * The bare loop that a good programmer would write on Apache PLC4X and Eclipse Paho, with the
 * gateway's own JVM options.
 */
final class Plc4xContender implements Contender {
  private final Path jvmOptions;
  private final BareLoop.Form form;
  private final List<String> more;

  /**
   * @param jvmOptions the gateway's file of options
   * @param more options of the JVM after those
   */
  Plc4xContender(Path jvmOptions, BareLoop.Form form, List<String> more) {
    this.jvmOptions = jvmOptions;
    this.form = form;
    this.more = List.copyOf(more);
  }

  @Override
  public String name() {
    return "PLC4X " + (form == BareLoop.Form.ARRAY ? "array" : "tags");
  }

  @Override
  public String description() {
    return "bare loop on Apache PLC4X and Paho MQTT v5, no buffer, no ledger; one read request a"
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
    command.addAll(Child.options(jvmOptions));
    command.addAll(more);
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
    return new Child(command, Map.of(), work);
  }
}
