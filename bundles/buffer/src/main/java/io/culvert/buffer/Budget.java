package io.culvert.buffer;

import java.time.Duration;
import java.util.Arrays;

/**
 * A platform's bytes of 24 hours of running, and what may still be sent of a bound on them.
 *
 * <p>Counted by quarter of an hour, over 24 hours and the quarter that has begun, so that no 24
 * hours hold more than the bound. A tenth of it is kept for alarms, which are never held up. The
 * rest is spent evenly, with a quarter's worth at once; history goes only while half of that is
 * left, so that live readings find some. Time counts by the loop while the process runs; what was
 * counted outlives it with the state of delivery. Thread-safe.
 */
final class Budget {
  private static final int QUARTERS = 97;
  private static final long QUARTER = 900_000_000_000L;
  private static final double EVENLY = 0.9;

  /** Before anything was measured: bytes on the wire for each of {@link Weight}. */
  private static final double FIRST_RATIO = 1;

  /** So that the first few answers don't decide alone. */
  private static final double FIRST_WEIGHT = 20_000;

  private static final double FORGET = 0.95;

  private final long[] quarters = new long[QUARTERS];
  private int quarter;

  /** Time passed in this quarter. */
  private long inQuarter;

  private long limit;

  /** May be spent at once, in bytes; below zero what was spent too soon. */
  private double saved = Double.NaN;

  private long last;
  private long counted;
  private long flying;
  private double learnedBytes = FIRST_WEIGHT * FIRST_RATIO;
  private double learnedWeight = FIRST_WEIGHT;
  private long sinceLearned;
  private long unsaved;

  /**
   * Counts a forwarder's bytes from now on.
   *
   * @param bytesPerDay the bound; 0 for none
   */
  synchronized void begin(long nanos, long bytesPerDay) {
    limit = bytesPerDay;
    last = nanos;
    counted = 0;
    flying = 0;
    sinceLearned = 0;
    if (Double.isNaN(saved)) {
      saved = burst();
    }
  }

  private double perNano() {
    // So much less that what is spent at once fits in too.
    return limit * EVENLY / ((QUARTERS + 1.0) * QUARTER);
  }

  private double burst() {
    return perNano() * QUARTER;
  }

  /**
   * Takes over what was sent by now.
   *
   * @param sent the forwarder's count
   */
  synchronized void note(long nanos, long sent) {
    long passed = nanos - last;
    last = nanos;
    inQuarter += passed;
    for (; inQuarter >= QUARTER; inQuarter -= QUARTER) {
      quarter = (quarter + 1) % QUARTERS;
      quarters[quarter] = 0;
    }
    long more = sent - counted;
    counted = sent;
    quarters[quarter] += more;
    sinceLearned += more;
    unsaved += more;
    // An hour's worth is the most that alarms can take away from others in advance.
    saved = Math.max(Math.min(burst(), saved + passed * perNano()) - more, -4 * burst());
  }

  /** A batch of so much {@link Weight} is on its way. */
  synchronized void sent(long weight) {
    flying += weight;
  }

  /** It was answered, or given up, and {@link #note noted}. */
  synchronized void ended(long weight) {
    flying -= weight;
    learnedBytes = learnedBytes * FORGET + sinceLearned;
    learnedWeight = learnedWeight * FORGET + weight;
    sinceLearned = 0;
  }

  private double onTheWire(long weight) {
    return weight * learnedBytes / learnedWeight;
  }

  private double left() {
    return limit * EVENLY - used() - onTheWire(flying);
  }

  /** How long until something that isn't an alarm may be sent; zero if now. */
  synchronized Duration delay(boolean historical) {
    if (limit == 0) {
      return Duration.ZERO;
    }
    if (left() <= 0) {
      return Duration.ofNanos(QUARTER - inQuarter);
    }
    double missing = (historical ? burst() / 2 : 0) - saved + onTheWire(flying);
    return missing < 0 ? Duration.ZERO : Duration.ofNanos((long) (missing / perNano()) + 1_000_000);
  }

  /** The {@link Weight} that a batch may have at most. */
  synchronized int room(int most) {
    return limit == 0 ? most : (int) Math.max(1, Math.min(most, left() / onTheWire(1)));
  }

  /** Bytes of the last 24 hours of running. */
  synchronized long used() {
    return Arrays.stream(quarters).sum();
  }

  synchronized long limit() {
    return limit;
  }

  /** Whether so much was sent since it was written that it is worth a write of its own. */
  synchronized boolean changed() {
    return limit > 0 && unsaved > limit / 1000;
  }

  synchronized void write(ByteWriter out) {
    for (int i = 1; i <= QUARTERS; i++) {
      out.varint(quarters[(quarter + i) % QUARTERS]);
    }
    out.varint(inQuarter);
    out.signed(Double.isNaN(saved) ? Long.MIN_VALUE : (long) saved);
    unsaved = 0;
  }

  static Budget read(ByteReader in) throws DamagedException {
    Budget budget = new Budget();
    for (int i = 0; i < QUARTERS; i++) {
      budget.quarters[i] = in.varint();
    }
    budget.quarter = QUARTERS - 1;
    budget.inQuarter = in.varint();
    long saved = in.signed();
    budget.saved = saved == Long.MIN_VALUE ? Double.NaN : saved;
    return budget;
  }
}
