package io.culvert.mqtt;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Pauses between attempts: evenly drawn from nothing to a bound that doubles each time ("full
 * jitter"), so that a thousand gateways don't come back to a restarted platform at once. Not safe
 * in several threads.
 */
final class Backoff {

  private final Duration first;
  private final Duration max;
  private final RandomGenerator random;
  private int attempts;

  Backoff(Duration first, Duration max, RandomGenerator random) {
    this.first = first;
    this.max = max;
    this.random = random;
  }

  /** The pause before the next attempt. */
  Duration next() {
    // 20 doublings of a second are twelve days: past any bound.
    long bound = Math.min(first.toMillis() << Math.min(attempts, 20), max.toMillis());
    attempts++;
    return Duration.ofMillis(random.nextLong(bound + 1));
  }

  /** Begins again with the shortest. */
  void reset() {
    attempts = 0;
  }
}
