package io.culvert.benchmarks;

import io.culvert.simulator.platform.Entry;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;

/**
 * How old readings are when the platform has them: from the time that the reading carries, which is
 * that of the device's answer, to its arrival, in milliseconds of this machine's clock.
 */
final class Latencies implements Consumer<List<Entry>> {
  private final InstantSource clock;
  private final Ages ages = new Ages();

  Latencies(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public void accept(List<Entry> entries) {
    long now = clock.millis();
    for (Entry entry : entries) {
      if (!entry.ofGateway()) {
        ages.add(now - entry.eventMillis(), entry.items().size());
      }
    }
  }

  /** Forgets what it has seen. */
  void clear() {
    ages.clear();
  }

  /** The age in milliseconds below which a share of the readings was, −1 if there were none. */
  long quantile(double share) {
    return ages.quantile(share);
  }
}
