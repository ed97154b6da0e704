package io.culvert.benchmarks;

import io.culvert.simulator.platform.Entry;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;

/**
 * How old readings are when the platform has them: from the time that the reading carries, which is
 * that of the device's answer, to its arrival, in milliseconds of this machine's clock.
 */
final class Latencies implements Consumer<List<Entry>> {
  private static final int MOST_MILLIS = 60_000;

  private final InstantSource clock;
  private final AtomicLongArray counts = new AtomicLongArray(MOST_MILLIS + 1);

  Latencies(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public void accept(List<Entry> entries) {
    long now = clock.millis();
    for (Entry entry : entries) {
      if (!entry.ofGateway()) {
        long age = Math.max(0, Math.min(MOST_MILLIS, now - entry.eventMillis()));
        counts.addAndGet((int) age, entry.items().size());
      }
    }
  }

  /** Forgets what it has seen. */
  void clear() {
    for (int i = 0; i <= MOST_MILLIS; i++) {
      counts.set(i, 0);
    }
  }

  /** The age in milliseconds below which a share of the readings was, −1 if there were none. */
  long quantile(double share) {
    long all = 0;
    for (int i = 0; i <= MOST_MILLIS; i++) {
      all += counts.get(i);
    }
    long wanted = (long) Math.ceil(all * share);
    long seen = 0;
    for (int i = 0; i <= MOST_MILLIS && all > 0; i++) {
      seen += counts.get(i);
      if (seen >= wanted) {
        return i;
      }
    }
    return -1;
  }
}
