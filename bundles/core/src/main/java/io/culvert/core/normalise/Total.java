package io.culvert.core.normalise;

import io.culvert.api.Quality;
import io.culvert.core.model.PointModel.Counter;
import java.time.Duration;
import java.time.Instant;

/**
 * The running total of a counter, in raw units: it leaves the same remainder as the raw value when
 * divided by the modulus, and goes on where the raw value begins at 0 again. Not for several
 * threads.
 *
 * <p>The <em>step</em> from one raw value to the next is the least number by which the total may
 * have grown, {@code (raw - last) mod modulus}.
 *
 * <ul>
 *   <li>With a {@link Counter#maxStep}, the counter may have grown by at most that much for each
 *       interval since the last value, begun ones counted whole. A step within this is taken; if
 *       another round of the modulus would lie within it too, the total is uncertain ({@link
 *       Quality#UNCERTAIN_TOO_FEW_VALUES}). A greater step is a reset.
 *   <li>Without it, a raw value that rose is taken as it is, and one that fell is a roll-over if
 *       the step is at most half the modulus; else it is a reset.
 * </ul>
 *
 * After a reset of the device the total begins at the raw value, and that one value is uncertain
 * ({@link Quality#UNCERTAIN_INITIAL_VALUE}). A total therefore falls only where it says so.
 */
final class Total {
  private final Counter counter;
  private final long interval;
  private boolean known;
  private long value;
  private Instant at;
  private Quality first = Quality.GOOD;

  /**
   * @param interval between two values, as planned
   */
  Total(Counter counter, Duration interval) {
    this.counter = counter;
    this.interval = interval.toNanos();
  }

  /** Goes on from a total of an earlier time. */
  void resume(long total, Instant when) {
    known = true;
    value = total;
    at = when;
  }

  /** There may have been a total earlier that isn't known: the first value is uncertain. */
  void historyUnknown() {
    first = Quality.UNCERTAIN_INITIAL_VALUE;
  }

  /** The total after the value added last. */
  long value() {
    return value;
  }

  /**
   * Takes the next raw value.
   *
   * @return how good the total is now; bad, with nothing changed, if no such counter shows this
   */
  Quality add(long raw, Instant when) {
    if (raw < 0 || raw >= counter.modulus()) {
      return Quality.BAD_OUT_OF_RANGE;
    }
    if (!known) {
      return begin(raw, when, first);
    }
    long last = Math.floorMod(value, counter.modulus());
    long step = raw >= last ? raw - last : counter.modulus() - last + raw;
    Quality quality = Quality.GOOD;
    if (counter.maxStep() == null) {
      if (raw < last && step > counter.modulus() / 2) {
        return begin(raw, when, Quality.UNCERTAIN_INITIAL_VALUE);
      }
    } else {
      long most = most(when);
      if (step > most) {
        return begin(raw, when, Quality.UNCERTAIN_INITIAL_VALUE);
      }
      if (most - step >= counter.modulus()) {
        quality = Quality.UNCERTAIN_TOO_FEW_VALUES;
      }
    }
    if (step > Long.MAX_VALUE - value) {
      return begin(raw, when, Quality.UNCERTAIN_INITIAL_VALUE);
    }
    value += step;
    at = when;
    return quality;
  }

  private Quality begin(long raw, Instant when, Quality quality) {
    known = true;
    value = raw;
    at = when;
    return quality;
  }

  /** By how much it may have grown since the last value; without end if the clock was set back. */
  private long most(Instant when) {
    Duration since = Duration.between(at, when);
    if (since.isNegative() || since.getSeconds() > Integer.MAX_VALUE) {
      return Long.MAX_VALUE;
    }
    long intervals = Math.max(1, (since.toNanos() + interval - 1) / interval);
    return intervals > Long.MAX_VALUE / counter.maxStep()
        ? Long.MAX_VALUE
        : intervals * counter.maxStep();
  }
}
