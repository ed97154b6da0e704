package io.culvert.benchmarks;

import java.util.concurrent.atomic.AtomicLongArray;

/** How old readings were when they arrived, in milliseconds up to a minute. Thread-safe. */
public final class Ages {
  private static final int MOST_MILLIS = 60_000;

  private final AtomicLongArray counts = new AtomicLongArray(MOST_MILLIS + 1);

  /** Counts readings of one age; what is below or beyond the range counts at its end. */
  public void add(long millis, int readings) {
    counts.addAndGet((int) Math.max(0, Math.min(MOST_MILLIS, millis)), readings);
  }

  /** Forgets what it has seen. */
  public void clear() {
    for (int i = 0; i <= MOST_MILLIS; i++) {
      counts.set(i, 0);
    }
  }

  /** The age in milliseconds below which a share of the readings was, −1 if there were none. */
  public long quantile(double share) {
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
