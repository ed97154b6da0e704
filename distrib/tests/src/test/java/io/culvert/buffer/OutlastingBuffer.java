package io.culvert.buffer;

import io.culvert.api.northbound.Forwarder;
import io.culvert.api.service.Buffer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The product's buffer, on its own threads and files, in a time that a test lets pass faster: both
 * the clock that people set and the one that only runs forward.
 */
public final class OutlastingBuffer implements AutoCloseable {
  private final AtomicLong aheadNanos = new AtomicLong();
  private final DurableBuffer buffer;

  /**
   * @param maxBytes on disk
   * @param historyPerSecond readings a second beside live ones
   */
  public OutlastingBuffer(Path directory, String gateway, long maxBytes, int historyPerSecond)
      throws IOException {
    Settings settings =
        new Settings(
            Duration.ofMillis(250),
            maxBytes,
            Duration.ofHours(720),
            64 << 20,
            Duration.ofHours(6),
            historyPerSecond,
            gateway,
            0,
            Duration.ofSeconds(60));
    buffer =
        new DurableBuffer(directory, settings, new Machine(this::now, Ahead::new, Sqlite::open));
  }

  public Buffer buffer() {
    return buffer;
  }

  /** Begins delivery. */
  public void add(String id, Forwarder forwarder) {
    buffer.add(id, forwarder);
  }

  public Instant now() {
    return Instant.now().plusNanos(aheadNanos.get());
  }

  /**
   * Lets time pass at once. What was scheduled is not the sooner due for that. Nothing may be
   * waiting for its commit, which would take it for a step of the clock.
   */
  public void pass(Duration time) {
    aheadNanos.addAndGet(time.toNanos());
  }

  @Override
  public void close() {
    buffer.close();
  }

  private final class Ahead implements Loop {
    private final Loop thread;

    Ahead(String name) {
      thread = new ThreadLoop(name);
    }

    @Override
    public boolean execute(Runnable task) {
      return thread.execute(task);
    }

    @Override
    public void schedule(Runnable task, Duration delay) {
      thread.schedule(task, delay);
    }

    @Override
    public long nanos() {
      return thread.nanos() + aheadNanos.get();
    }

    @Override
    public void close() {
      thread.close();
    }
  }
}
