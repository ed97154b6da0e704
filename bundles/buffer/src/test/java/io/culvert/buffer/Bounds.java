package io.culvert.buffer;

import java.time.Duration;

/** Settings for tests: those that nothing comes near, but for what a test puts in their place. */
final class Bounds {
  private Duration commitInterval = Duration.ofMillis(50);
  private long maxBytes = 1L << 30;
  private Duration maxAge = Duration.ofHours(720);
  private long segmentBytes = 64 << 20;
  private Duration segmentSpan = Duration.ofHours(6);
  private int historyPerSecond = 1_000_000;
  private long maxWrittenPerDay;
  private Duration clockWait = Duration.ZERO;

  Bounds commitInterval(Duration value) {
    commitInterval = value;
    return this;
  }

  Bounds maxBytes(long value) {
    maxBytes = value;
    return this;
  }

  Bounds maxAge(Duration value) {
    maxAge = value;
    return this;
  }

  Bounds segmentBytes(long value) {
    segmentBytes = value;
    return this;
  }

  Bounds segmentSpan(Duration value) {
    segmentSpan = value;
    return this;
  }

  Bounds historyPerSecond(int value) {
    historyPerSecond = value;
    return this;
  }

  Bounds maxWrittenPerDay(long value) {
    maxWrittenPerDay = value;
    return this;
  }

  Bounds clockWait(Duration value) {
    clockWait = value;
    return this;
  }

  Settings settings() {
    return new Settings(
        commitInterval,
        maxBytes,
        maxAge,
        segmentBytes,
        segmentSpan,
        historyPerSecond,
        Readings.GATEWAY,
        maxWrittenPerDay,
        clockWait);
  }
}
