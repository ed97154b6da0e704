package io.culvert.buffer;

import java.time.Duration;

/** Readings a second, with a tenth of a second's worth at once. Not thread-safe. */
final class RateLimit {
  private double tokens = Double.MAX_VALUE;
  private long last;

  RateLimit(long nanos) {
    last = nanos;
  }

  /** How long until something may be sent; zero if now. */
  Duration delay(long nanos, int perSecond) {
    double burst = Math.max(1, perSecond / 10.0);
    tokens = Math.min(burst, tokens + (nanos - last) / 1e9 * perSecond);
    last = nanos;
    if (tokens > 0) {
      return Duration.ZERO;
    }
    return Duration.ofNanos((long) (-tokens / perSecond * 1e9) + 1_000_000);
  }

  /** May go below zero: what is sent too much now is waited for before the next. */
  void take(int readings) {
    tokens -= readings;
  }
}
