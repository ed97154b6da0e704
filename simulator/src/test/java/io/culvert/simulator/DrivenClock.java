package io.culvert.simulator;

import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that a test moves. */
public final class DrivenClock implements InstantSource {
  private final AtomicLong now =
      new AtomicLong(Instant.parse("2026-11-21T06:00:00Z").toEpochMilli());

  public void advance(long millis) {
    now.addAndGet(millis);
  }

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(now.get());
  }
}
