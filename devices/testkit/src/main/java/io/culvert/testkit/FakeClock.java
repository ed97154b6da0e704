package io.culvert.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until a test turns its hands. Safe in any thread. */
public final class FakeClock implements InstantSource {
  private Instant now;

  /**
   * @param now what it shows at first
   */
  public FakeClock(Instant now) {
    this.now = now;
  }

  @Override
  public synchronized Instant instant() {
    return now;
  }

  /** Lets time pass; who {@linkplain #await waits} for it goes on. */
  public synchronized void pass(Duration time) {
    set(now.plus(time));
  }

  /** Sets the hands, backwards too, as a clock is that gets corrected. */
  public synchronized void set(Instant now) {
    this.now = now;
    notifyAll();
  }

  /** Blocks until the clock shows this or later. */
  public synchronized void await(Instant then) throws InterruptedException {
    while (now.isBefore(then)) {
      wait();
    }
  }
}
