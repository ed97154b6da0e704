package io.culvert.core.doctor;

import java.util.List;

/**
 * How many answers took how long, in steps of a quarter of an octave from 65 µs to 69 s: constant
 * space, and percentiles that are right to an eighth.
 */
final class Latencies {
  /** Two to the power of this many nanoseconds is where the steps begin. */
  private static final int FLOOR = 16;

  private static final int OCTAVES = 20;
  private static final int SLOTS = OCTAVES * 4 + 1;

  private final int[] counts = new int[SLOTS];
  private long longest;

  void add(long nanos) {
    counts[slot(nanos)]++;
    longest = Math.max(longest, nanos);
  }

  private static int slot(long nanos) {
    if (nanos < 1L << FLOOR) {
      return 0;
    }
    int octave = 63 - Long.numberOfLeadingZeros(nanos);
    int quarter = (int) (nanos >>> octave - 2) & 3;
    return Math.min(SLOTS - 1, 1 + (octave - FLOOR) * 4 + quarter);
  }

  /** The middle of a slot. */
  private static long middle(int slot) {
    if (slot == 0) {
      return 1L << FLOOR - 1;
    }
    int octave = FLOOR + (slot - 1) / 4;
    long width = 1L << octave - 2;
    return (1L << octave) + (slot - 1) % 4 * width + width / 2;
  }

  /**
   * The time within which a share of all answers came; 0 if there were none.
   *
   * @param share above 0, at most 1
   */
  static long percentile(List<Latencies> all, double share) {
    long total = 0;
    for (Latencies one : all) {
      for (int count : one.counts) {
        total += count;
      }
    }
    long wanted = (long) Math.ceil(total * share);
    long seen = 0;
    for (int slot = 0; slot < SLOTS && total > 0; slot++) {
      for (Latencies one : all) {
        seen += one.counts[slot];
      }
      if (seen >= wanted) {
        return Math.min(middle(slot), longest(all));
      }
    }
    return 0;
  }

  static long longest(List<Latencies> all) {
    return all.stream().mapToLong(one -> one.longest).max().orElse(0);
  }
}
