package io.culvert.buffer;

import io.culvert.api.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Fills a buffer as an outage of the uplink does, but as fast as it goes: readings at 4,000 a
 * second and commits of 250 ms, by a clock and a machine's time that follow the readings.
 */
public final class FillRun {
  private static final Duration COMMIT = Duration.ofMillis(250);

  /**
   * @param folder empty
   * @param readings to be stored
   * @param end when the last of them was read, in milliseconds since 1970
   */
  public record Order(String folder, int readings, long end) {}

  /**
   * @param bytesWritten as the kernel counts them
   * @param bytes of the files
   */
  public record Result(long readings, double seconds, long bytesWritten, long bytes) {}

  private FillRun() {}

  /** Fills it; blocks until that is done and all is on disk. */
  public static Result run(Order order) throws IOException, InterruptedException {
    Path folder = Path.of(order.folder());
    Files.createDirectories(folder);
    long written = BufferRun.written();
    long start = System.nanoTime();
    Duration span = Duration.ofMillis(order.readings() * 1000L / Traffic.PER_SECOND);
    Instant begin = Instant.ofEpochMilli(order.end()).minus(span);
    AtomicLong nanos = new AtomicLong();
    Machine machine =
        new Machine(
            () -> begin.plusNanos(nanos.get()),
            name -> new TimedLoop(new ThreadLoop(name), nanos),
            Sqlite::open,
            UUID.randomUUID(),
            Seal.PLAIN,
            null);
    Settings settings = BufferRun.settings(Map.of("commitMillis", 0));
    try (DurableBuffer buffer = new DurableBuffer(folder, settings, machine)) {
      buffer.platforms(Set.of(BufferRun.PLATFORM));
      Traffic traffic = new Traffic(begin, 0);
      int commit = (int) (Traffic.PER_SECOND * COMMIT.toMillis() / 1000);
      List<Reading> next = traffic.next(Math.min(commit, order.readings()));
      for (int left = order.readings(); left > 0; ) {
        nanos.addAndGet(COMMIT.toNanos());
        var answer = buffer.accept(next).toCompletableFuture();
        left -= next.size();
        // Made while the disk is at work; each commit has its thousand readings nevertheless.
        next = traffic.next(Math.min(commit, left));
        answer.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("The buffer refused readings", e.getCause());
    }
    return new Result(
        order.readings(),
        (System.nanoTime() - start) / 1e9,
        BufferRun.written() - written,
        BufferRun.size(folder));
  }

  /** A loop whose time is that of the readings; its timers run by the real one. */
  private record TimedLoop(Loop loop, AtomicLong time) implements Loop {
    @Override
    public boolean execute(Runnable task) {
      return loop.execute(task);
    }

    @Override
    public void schedule(Runnable task, Duration delay) {
      loop.schedule(task, delay);
    }

    @Override
    public long nanos() {
      return time.get();
    }

    @Override
    public void close() {
      loop.close();
    }
  }
}
