package io.culvert.plugins.hosting;

import java.time.Duration;

/**
 * How long to wait after an end, or a start that failed: twice as long each time, until one life
 * was a good one. Not thread-safe.
 */
public final class Pauses {
  private final Duration first;
  private final Duration longest;
  private final Duration good;
  private int ends;
  private Duration next;

  /**
   * @param good life of which the pauses begin anew
   */
  public Pauses(Duration first, Duration longest, Duration good) {
    this.first = first;
    this.longest = longest;
    this.good = good;
    next = first;
  }

  /** The pause after a life of so long. */
  public Duration after(Duration life) {
    if (life.compareTo(good) >= 0) {
      ends = 0;
      next = first;
    }
    ends++;
    Duration pause = next;
    next = pause.multipliedBy(2).compareTo(longest) > 0 ? longest : pause.multipliedBy(2);
    return pause;
  }

  /** Ends since the last good life. */
  int ends() {
    return ends;
  }
}
