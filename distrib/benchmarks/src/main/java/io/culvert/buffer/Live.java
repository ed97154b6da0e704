package io.culvert.buffer;

import io.culvert.api.Reading;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Hands live readings to a buffer, 4,000 a second in twenty parts, on a thread of its own. */
final class Live implements AutoCloseable {
  private static final int PARTS = 20;
  private static final long PART_NANOS = 1_000_000_000L / PARTS;

  private final DurableBuffer buffer;
  private final Traffic traffic = new Traffic(Instant.now(), 0);
  private final AtomicLong accepted = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final Thread thread = new Thread(this::run, "live");
  private volatile boolean ended;

  Live(DurableBuffer buffer) {
    this.buffer = buffer;
    thread.start();
  }

  private void run() {
    long due = System.nanoTime();
    while (!ended) {
      List<Reading> part = traffic.next(Traffic.PER_SECOND / PARTS, Instant.now());
      buffer
          .accept(part)
          .whenComplete(
              (done, failure) -> (failure == null ? accepted : failed).addAndGet(part.size()));
      due += PART_NANOS;
      for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
    }
  }

  /** Readings that were made durable. */
  long accepted() {
    return accepted.get();
  }

  /** Readings that were not. */
  long failed() {
    return failed.get();
  }

  /** Hands over no more. */
  @Override
  public void close() throws InterruptedException {
    ended = true;
    thread.join();
  }
}
