package io.culvert.buffer;

import io.culvert.api.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Durable append: a caller hands over a batch, waits until it is on disk and synced, and hands over
 * the next. The commit interval is zero, so that a batch of a single caller is a commit with its
 * sync, as a batch of the baseline is; what several callers hand over during a sync goes with the
 * next one. In turn with the baseline, in the same folder.
 */
public final class AppendRun {
  /**
   * @param folder on the disk that is measured
   * @param seconds of each phase
   * @param rounds that count, after one that doesn't
   * @param cases each with a batch size and a number of callers
   */
  public record Order(String folder, double seconds, int rounds, List<Case> cases) {}

  /**
   * @param batch readings handed over at once
   * @param callers at the same time, each of which waits for its own only
   */
  public record Case(int batch, int callers) {}

  /**
   * A phase.
   *
   * @param raw whether it is one of the baseline
   * @param seconds from handing over to the answer, of one caller; making the readings isn't in it
   * @param allReadings with those of the beginning and the end, which have no time
   * @param bytesWritten for these, with checkpoints and sealing
   */
  public record Phase(
      Case of, boolean raw, long readings, double seconds, long allReadings, long bytesWritten) {}

  /** Takes a batch and returns when it is durable. */
  @FunctionalInterface
  private interface Log {
    void append(List<Reading> readings) throws Exception;
  }

  private record Counted(long readings, long nanos) {}

  private final Order order;
  private final Path folder;

  private AppendRun(Order order) {
    this.order = order;
    this.folder = Path.of(order.folder());
  }

  /** Phases in the order in which they ran. */
  public static List<Phase> run(Order order) throws Exception {
    return new AppendRun(order).run();
  }

  private List<Phase> run() throws Exception {
    List<Phase> phases = new ArrayList<>();
    for (Case each : order.cases()) {
      for (int round = 0; round <= order.rounds(); round++) {
        Phase own = buffer(each);
        Phase raw = raw(each);
        if (round > 0) {
          phases.add(own);
          phases.add(raw);
        }
      }
    }
    return phases;
  }

  private Phase buffer(Case each) throws Exception {
    Path here = folder.resolve("buffer");
    Settings settings = BufferRun.settings(Map.of("commitMillis", 0));
    long before;
    Counted counted;
    try (DurableBuffer buffer = BufferRun.open(here, settings)) {
      Log log = readings -> buffer.accept(readings).toCompletableFuture().get();
      // Opens the first file, which is not a cost of readings.
      log.append(first(each));
      before = BufferRun.written();
      counted = append(each, log);
      // Seals the file, which an hour of such phases would do at its end.
      buffer.configure(BufferRun.settings(Map.of("commitMillis", 0, "segmentBytes", 1L)));
      log.append(first(each));
    }
    return finish(each, false, counted, before, here);
  }

  private Phase raw(Case each) throws Exception {
    Path here = folder.resolve("raw");
    Files.createDirectories(here);
    long before;
    Counted counted;
    try (RawLog log = new RawLog(here.resolve("log"))) {
      log.append(first(each));
      before = BufferRun.written();
      counted = append(each, log::append);
      log.append(first(each));
    }
    return finish(each, true, counted, before, here);
  }

  private static List<Reading> first(Case each) {
    return new Traffic(Instant.now(), 0).next(each.batch());
  }

  private static Phase finish(Case each, boolean raw, Counted counted, long before, Path here)
      throws IOException {
    long written = BufferRun.written() - before;
    BufferRun.delete(here);
    return new Phase(
        each,
        raw,
        counted.readings(),
        counted.nanos() / 1e9,
        counted.readings() + each.batch(),
        written);
  }

  private Counted append(Case each, Log log) throws Exception {
    long end = System.nanoTime() + (long) (order.seconds() * 1e9);
    if (each.callers() == 1) {
      return appendUntil(end, new Traffic(Instant.now(), 1), each.batch(), log);
    }
    long start = System.nanoTime();
    long readings = 0;
    ExecutorService callers = Executors.newFixedThreadPool(each.callers());
    try {
      List<Callable<Counted>> calls = new ArrayList<>();
      for (int caller = 0; caller < each.callers(); caller++) {
        Traffic traffic = new Traffic(Instant.now(), caller + 1);
        calls.add(() -> appendUntil(end, traffic, each.batch(), log));
      }
      for (Future<Counted> done : callers.invokeAll(calls)) {
        readings += done.get().readings();
      }
    } catch (ExecutionException e) {
      throw new IOException("A caller failed", e.getCause());
    } finally {
      callers.shutdown();
      callers.awaitTermination(1, TimeUnit.MINUTES);
    }
    return new Counted(readings, System.nanoTime() - start);
  }

  private static Counted appendUntil(long end, Traffic traffic, int batch, Log log)
      throws Exception {
    long readings = 0;
    long nanos = 0;
    while (System.nanoTime() < end) {
      List<Reading> next = traffic.next(batch);
      long start = System.nanoTime();
      log.append(next);
      nanos += System.nanoTime() - start;
      readings += batch;
    }
    return new Counted(readings, nanos);
  }
}
