package io.culvert.buffer;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A loop on a thread of its own, for which time runs {@value #FACTOR} times as fast. */
final class FastLoop implements Loop {
  static final int FACTOR = 20;

  private static final long START = System.nanoTime();

  private final ThreadLoop loop;

  FastLoop(String name) {
    loop = new ThreadLoop(name);
  }

  /** A clock that keeps up with the loops from a time on. */
  static InstantSource clock(Instant start) {
    long begun = System.nanoTime();
    return () -> start.plusNanos((System.nanoTime() - begun) * FACTOR);
  }

  @Override
  public boolean execute(Runnable task) {
    return loop.execute(task);
  }

  @Override
  public void schedule(Runnable task, Duration delay) {
    loop.schedule(task, delay.dividedBy(FACTOR));
  }

  @Override
  public long nanos() {
    return START + (loop.nanos() - START) * FACTOR;
  }

  @Override
  public void close() {
    loop.close();
  }
}
