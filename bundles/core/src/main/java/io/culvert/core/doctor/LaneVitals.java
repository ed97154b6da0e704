package io.culvert.core.doctor;

import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.time.Duration;

/** Figures of one lane. Used by one thread, the core's; adding costs nanoseconds. */
public final class LaneVitals {
  /** Half of the window. */
  static final long HALF = Duration.ofMinutes(5).toNanos();

  private final Sliding<Half> window;

  private static final class Half {
    private long turns;
    private long waited;
    private long longestWait;
    private long busy;
    private long unanswered;
    private LineFacts line;
  }

  /**
   * @param nanos the present time, monotonic; so in every method here
   */
  public LaneVitals(long nanos) {
    window = new Sliding<>(HALF, Half::new, nanos);
  }

  /**
   * A turn has ended.
   *
   * @param waited for it, in nanoseconds
   * @param took in nanoseconds
   * @param unanswered whether the device let it pass
   */
  public void turn(long nanos, long waited, long took, boolean unanswered) {
    Half half = window.present(nanos);
    half.turns++;
    half.waited += waited;
    half.longestWait = Math.max(half.longestWait, waited);
    half.busy += took;
    half.unanswered += unanswered ? took : 0;
  }

  /** Adds what a driver has counted on the line since it was last asked. */
  public void heard(long nanos, LineFacts more) {
    Half half = window.present(nanos);
    half.line = half.line == null ? more : Counts.plus(half.line, more);
  }

  /**
   * @param span of the figures
   * @param busyNanos time taken by turns
   * @param unansweredNanos of this, by turns that stayed unanswered
   * @param meanWait for a turn
   * @param longestWait for a turn
   * @param line {@code null} if no driver counts anything there
   */
  public record Figures(
      Duration span,
      long turns,
      long busyNanos,
      long unansweredNanos,
      Duration meanWait,
      Duration longestWait,
      LineFacts line) {}

  public Figures figures(long nanos) {
    Half all = new Half();
    for (Half half : window.halves(nanos)) {
      all.turns += half.turns;
      all.waited += half.waited;
      all.longestWait = Math.max(all.longestWait, half.longestWait);
      all.busy += half.busy;
      all.unanswered += half.unanswered;
      if (half.line != null) {
        all.line = all.line == null ? half.line : Counts.plus(all.line, half.line);
      }
    }
    return new Figures(
        Duration.ofNanos(window.span(nanos)),
        all.turns,
        all.busy,
        all.unanswered,
        Duration.ofNanos(all.turns == 0 ? 0 : all.waited / all.turns),
        Duration.ofNanos(all.longestWait),
        all.line);
  }
}
