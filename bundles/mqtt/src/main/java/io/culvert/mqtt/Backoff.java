package io.culvert.mqtt;

import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;

/**
 * Pauses between attempts: evenly drawn from nothing to a bound ("full jitter"), so that a thousand
 * gateways don't come back to a restarted platform at once. The bound grows with the time since the
 * trouble began, by half of it, and not with the number of attempts: a few quick draws at its
 * beginning must not keep a gateway away long after a short one. Not safe in several threads.
 */
final class Backoff {

  private final Duration first;
  private final Duration max;
  private final RandomGenerator random;
  private Instant since;

  /**
   * @param first bound at the beginning
   * @param max bound at most
   */
  Backoff(Duration first, Duration max, RandomGenerator random) {
    this.first = first;
    this.max = max;
    this.random = random;
  }

  /** The pause before the next attempt, after one that failed now. */
  Duration next(Instant now) {
    if (since == null || now.isBefore(since)) {
      // A clock that was set back says nothing of the time that has passed.
      since = now;
    }
    Duration grown = first.plus(Duration.between(since, now).dividedBy(2));
    Duration bound = grown.compareTo(max) < 0 ? grown : max;
    return Duration.ofMillis(random.nextLong(bound.toMillis() + 1));
  }

  /** All is well: the next trouble begins anew. */
  void reset() {
    since = null;
  }
}
