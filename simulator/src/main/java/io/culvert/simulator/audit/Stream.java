package io.culvert.simulator.audit;

import java.util.BitSet;

/**
 * Which numbers of one stream (a device's readings of a class) have arrived, and in which order.
 * Not thread-safe.
 */
final class Stream {
  /** Room below the first number seen, for history that comes later. */
  private static final long ROOM = 50_000_000;

  private final BitSet seen = new BitSet();
  private long base = -1;
  private long lowest = Long.MAX_VALUE;
  private long highest = -1;
  private long lastLive = -1;
  private long lastHistorical = -1;

  /** What the arrival of a number means. */
  enum Arrival {
    NEW,
    AGAIN,
    OUT_OF_ORDER
  }

  Arrival arrive(long number, boolean historical) {
    if (base < 0) {
      base = Math.max(0, number - ROOM);
    }
    if (number < base || number - base > Integer.MAX_VALUE) {
      return Arrival.OUT_OF_ORDER;
    }
    int bit = (int) (number - base);
    if (seen.get(bit)) {
      return Arrival.AGAIN;
    }
    seen.set(bit);
    lowest = Math.min(lowest, number);
    highest = Math.max(highest, number);
    long last = historical ? lastHistorical : lastLive;
    if (historical) {
      lastHistorical = Math.max(lastHistorical, number);
    } else {
      lastLive = Math.max(lastLive, number);
    }
    return number < last ? Arrival.OUT_OF_ORDER : Arrival.NEW;
  }

  /** Numbers that are missing between the lowest and the highest that arrived. */
  long missing() {
    return highest < 0 ? 0 : highest - lowest + 1 - seen.cardinality();
  }

  /** Whether a number is missing between two that arrived, given by their low 31 bits. */
  boolean missingBetween(int low, int high) {
    if (low < 0 || high < 0 || high <= low) {
      return missing() > 0;
    }
    long high32 = base & ~0x7FFF_FFFFL;
    int from = (int) (high32 + low - base);
    int to = (int) (high32 + high - base);
    return from < 0 || seen.nextClearBit(from) < to;
  }

  /** The lowest number that is missing, for an example; −1 for none. */
  long firstMissing() {
    if (missing() == 0) {
      return -1;
    }
    return base + seen.nextClearBit((int) (lowest - base));
  }
}
