package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.time.Duration;
import java.util.function.Consumer;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExpandedNodeId;

/**
 * What a point's address says.
 *
 * @param node by the URI of its name space
 * @param sampling {@code null} if not written, as all that follows
 * @param queue 0 if not written
 */
record Address(
    ExpandedNodeId node, Duration sampling, int queue, Deadband deadband, Trigger trigger) {

  /** Reads an address; {@code null} if there was a problem to tell. */
  static Address parse(Point point, Consumer<Problem> problems) {
    String key = "points." + point.id() + ".address";
    String[] parts = point.address().strip().split(" +");
    ExpandedNodeId node = null;
    try {
      node = ExpandedNodeId.parse(parts[0]);
    } catch (RuntimeException wrong) {
      // Told below.
    }
    if (node == null || parts[0].startsWith("ns=")) {
      problems.accept(
          new Problem(key, point.address(), "nsu=<URI of the name space>;s=<name>, or i=<number>"));
      return null;
    }
    Duration sampling = null;
    int queue = 0;
    Deadband deadband = null;
    Trigger trigger = null;
    for (int i = 1; i < parts.length; i++) {
      String[] option = parts[i].split("=", 2);
      String value = option.length == 2 ? option[1] : "";
      switch (option[0]) {
        case "sampling" ->
            sampling = Spans.parse(value, Duration.ZERO, Settings.LONGEST).orElse(null);
        case "queue" -> queue = Integer.parseInt(value);
        case "deadband" -> deadband = Deadband.parse(value).orElse(null);
        case "trigger" -> trigger = Trigger.parse(value).orElse(null);
        default -> {
          problems.accept(new Problem(key, parts[i], "sampling, queue, deadband or trigger"));
          return null;
        }
      }
    }
    return new Address(node, sampling, queue, deadband, trigger);
  }
}
