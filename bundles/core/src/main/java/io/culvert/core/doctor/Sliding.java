package io.culvert.core.doctor;

import java.util.List;
import java.util.function.Supplier;

/**
 * A sliding window in two halves: the one that is being filled, and the one before it. So it spans
 * between one half and two, and what is older is forgotten at no cost. Used by one thread.
 *
 * @param <T> what one half holds
 */
final class Sliding<T> {
  private final long half;
  private final Supplier<T> fresh;
  private T before;
  private T present;
  private long presentBegan;
  private long began;

  /**
   * @param half length of a half, in nanoseconds
   * @param fresh makes an empty half
   * @param nanos the present time, monotonic
   */
  Sliding(long half, Supplier<T> fresh, long nanos) {
    this.half = half;
    this.fresh = fresh;
    this.present = fresh.get();
    this.presentBegan = nanos;
    this.began = nanos;
  }

  /** The half to be filled now. */
  T present(long nanos) {
    long age = nanos - presentBegan;
    if (age >= half) {
      long halves = age / half;
      before = halves == 1 ? present : null;
      present = fresh.get();
      presentBegan += halves * half;
      began = before == null ? presentBegan : presentBegan - half;
    }
    return present;
  }

  /** What is held now, the older half first. */
  List<T> halves(long nanos) {
    T now = present(nanos);
    return before == null ? List.of(now) : List.of(before, now);
  }

  /** How long the window spans now, in nanoseconds. */
  long span(long nanos) {
    present(nanos);
    return nanos - began;
  }
}
