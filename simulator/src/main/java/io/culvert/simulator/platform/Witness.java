package io.culvert.simulator.platform;

import java.util.List;

/** Sees every message that a gateway publishes, in order, from the thread that received it. */
public interface Witness {

  /** A message with readings, or with none. */
  void message(List<Entry> entries);

  /** A message that isn't in the dialect. */
  void malformed(String topic, String why);
}
