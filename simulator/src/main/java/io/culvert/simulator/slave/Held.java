package io.culvert.simulator.slave;

import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.TimeUnit;

/**
 * How long one of the simulator's own threads was held up, as by a machine with too much to do:
 * requests that came meanwhile are seen so much later, and whoever sent them may have given up.
 * Used on that thread alone.
 */
final class Held {
  private static final long PERIOD = TimeUnit.MILLISECONDS.toNanos(100);

  /** Less than this is no more than usual. */
  private static final long USUAL = TimeUnit.MILLISECONDS.toNanos(250);

  private long beat;
  private long late;

  /** Begins to watch a thread. */
  static Held of(EventExecutor thread) {
    Held held = new Held();
    held.beat = System.nanoTime();
    thread.scheduleAtFixedRate(held::beat, PERIOD, PERIOD, TimeUnit.NANOSECONDS);
    return held;
  }

  private void beat() {
    long now = System.nanoTime();
    late = now - beat - PERIOD;
    beat = now;
  }

  /** For a request that is seen now: how much earlier it may have come, in milliseconds. */
  long millis() {
    // What waited is seen before the beat that is due, or just after it.
    long since = System.nanoTime() - beat - PERIOD;
    long held = Math.max(since, late);
    return held < USUAL ? 0 : TimeUnit.NANOSECONDS.toMillis(held);
  }
}
