package io.culvert.core.doctor;

import io.culvert.api.service.Doctor.Cycle;
import io.culvert.api.service.Doctor.Exchanges;
import io.culvert.api.service.Doctor.Latency;
import io.culvert.api.southbound.Diagnosed.Facts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Figures of one device, kept for as long as its configuration holds, over all its connections.
 * Used by one thread, the core's; adding costs nanoseconds.
 */
public final class Vitals {
  /** So many polls of the most frequent kind fill half of the window, at least. */
  private static final int POLLS = 10;

  private final Sliding<Half> window;
  private final List<Pace> paces = new ArrayList<>();
  private int unansweredInARow;
  private Instant lastTrouble;
  private String lastFailure = "";

  private static final class Half {
    private long made;
    private long answered;
    private long timeouts;
    private long missed;
    private long turns;
    private long waited;
    private long longestWait;
    private long busy;
    private final Latencies latencies = new Latencies();
    private Facts facts;
  }

  /**
   * @param interval between two polls of the kind that comes most often
   * @param nanos the present time, monotonic; so in every method here
   */
  public Vitals(Duration interval, long nanos) {
    window = new Sliding<>(Math.max(LaneVitals.HALF, POLLS * interval.toNanos()), Half::new, nanos);
  }

  /** One kind of poll: what is read together, at one interval. Used by one thread. */
  public static final class Pace {
    private final Duration interval;
    private long mean;

    private Pace(Duration interval) {
      this.interval = interval;
    }

    /** A turn of this kind that was answered took so long, in nanoseconds. */
    public void took(long nanos) {
      // The weight of a turn halves in five more: follows the device, and not each hiccup.
      mean = mean == 0 ? nanos : mean + (nanos - mean) / 8;
    }
  }

  /** Names a kind of poll that the device should have at this interval. */
  public Pace pace(Duration interval) {
    Pace pace = new Pace(interval);
    paces.add(pace);
    return pace;
  }

  /** Forgets all kinds of polls: they are planned anew. */
  public void unplan() {
    paces.clear();
  }

  /** The device answered an exchange. */
  public void answered(long nanos) {
    Half half = window.present(nanos);
    half.made++;
    half.answered++;
    unansweredInARow = 0;
  }

  /** A reading was answered within so many nanoseconds. */
  public void latency(long nanos, long took) {
    window.present(nanos).latencies.add(took);
  }

  /**
   * An exchange brought nothing.
   *
   * @param timeout whether its deadline passed
   * @param why in words
   */
  public void failed(long nanos, Instant now, boolean timeout, String why) {
    Half half = window.present(nanos);
    half.made++;
    half.timeouts += timeout ? 1 : 0;
    unansweredInARow++;
    lastTrouble = now;
    lastFailure = why;
  }

  /** Turns of the device's grid passed while an earlier poll was under way or waited. */
  public void missed(long nanos, long polls) {
    window.present(nanos).missed += polls;
  }

  /**
   * A turn has ended.
   *
   * @param waited for it, in nanoseconds
   * @param took in nanoseconds
   */
  public void turn(long nanos, long waited, long took) {
    Half half = window.present(nanos);
    half.turns++;
    half.waited += waited;
    half.longestWait = Math.max(half.longestWait, waited);
    half.busy += took;
  }

  /** Adds what the driver has counted since it was last asked. */
  public void heard(long nanos, Instant now, Facts more) {
    Half half = window.present(nanos);
    half.facts = half.facts == null ? more : Counts.plus(half.facts, more);
    if (more.timeouts() + more.checksumErrors() + more.malformed() > 0) {
      lastTrouble = now;
    }
  }

  /**
   * @param latency {@code null} if nothing was answered
   * @param busyNanos of the lane's time
   * @param facts {@code null} if the driver counts none
   * @param lastTrouble {@code null} if there was none
   * @param lastFailure in words, {@code ""} if there was none
   */
  public record Figures(
      Duration span,
      List<Cycle> cycles,
      Exchanges exchanges,
      Latency latency,
      Duration meanWait,
      Duration longestWait,
      long busyNanos,
      Facts facts,
      Instant lastTrouble,
      String lastFailure) {}

  public Figures figures(long nanos) {
    Half all = new Half();
    List<Latencies> latencies = new ArrayList<>();
    for (Half half : window.halves(nanos)) {
      all.made += half.made;
      all.answered += half.answered;
      all.timeouts += half.timeouts;
      all.missed += half.missed;
      all.turns += half.turns;
      all.waited += half.waited;
      all.longestWait = Math.max(all.longestWait, half.longestWait);
      all.busy += half.busy;
      latencies.add(half.latencies);
      if (half.facts != null) {
        all.facts = all.facts == null ? half.facts : Counts.plus(all.facts, half.facts);
      }
    }
    return new Figures(
        Duration.ofNanos(window.span(nanos)),
        paces.stream().map(p -> new Cycle(p.interval, Duration.ofNanos(p.mean))).toList(),
        new Exchanges(all.made, all.answered, all.timeouts, all.missed, unansweredInARow),
        Latencies.longest(latencies) == 0
            ? null
            : new Latency(
                Duration.ofNanos(Latencies.percentile(latencies, 0.5)),
                Duration.ofNanos(Latencies.percentile(latencies, 0.95)),
                Duration.ofNanos(Latencies.longest(latencies))),
        Duration.ofNanos(all.turns == 0 ? 0 : all.waited / all.turns),
        Duration.ofNanos(all.longestWait),
        all.busy,
        all.facts,
        lastTrouble,
        lastFailure);
  }
}
