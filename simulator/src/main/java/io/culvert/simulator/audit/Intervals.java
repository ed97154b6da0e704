package io.culvert.simulator.audit;

import io.culvert.simulator.truth.BlockTruth;

/**
 * Times between readings and the next ones, in milliseconds.
 *
 * @param count of intervals
 * @param median 0 if there are none
 * @param tail that 99 of 100 aren't longer than
 * @param longest of all
 */
public record Intervals(long count, long median, long tail, long longest) {

  /** As many as there are, in as much memory. Not thread-safe. */
  static final class Counts {
    /** Longer ones count as this long, except for the longest. */
    private static final int MOST_MILLIS = 60_000;

    private final long[] counts = new long[MOST_MILLIS + 1];
    private long all;
    private long longest;

    void addAll(BlockTruth block, long from) {
      long before = 0;
      for (int row = Math.max(0, block.rowAt(from)); row < block.rows(); row++) {
        long at = block.eventAt(row);
        if (at != 0 && before != 0) {
          add(at - before);
        }
        before = at == 0 ? before : at;
      }
    }

    void add(long millis) {
      counts[(int) Math.max(0, Math.min(MOST_MILLIS, millis))]++;
      all++;
      longest = Math.max(longest, millis);
    }

    Intervals sum() {
      return new Intervals(all, quantile(0.5), quantile(0.99), longest);
    }

    private long quantile(double share) {
      long wanted = (long) Math.ceil(all * share);
      long seen = 0;
      for (int i = 0; i <= MOST_MILLIS && all > 0; i++) {
        seen += counts[i];
        if (seen >= wanted) {
          return i;
        }
      }
      return 0;
    }
  }
}
