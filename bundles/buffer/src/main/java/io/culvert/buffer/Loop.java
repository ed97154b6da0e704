package io.culvert.buffer;

import java.time.Duration;

/**
 * One thread that runs tasks in turn. Each part of the buffer that has state of its own runs on
 * one; tests put one in its place that they drive by hand.
 */
interface Loop extends AutoCloseable {

  /** Runs a task after those handed over before; false, and nothing, once closed. */
  boolean execute(Runnable task);

  /** Runs a task after a delay. Ignored once closed. */
  void schedule(Runnable task, Duration delay);

  /** Time that only runs forward, in nanoseconds from an arbitrary start. */
  long nanos();

  /** Runs what was handed over and is due, then ends the thread; waits for it up to 30 s. */
  @Override
  void close();

  /** Makes loops by name. */
  @FunctionalInterface
  interface Factory {
    Loop create(String name);
  }
}
