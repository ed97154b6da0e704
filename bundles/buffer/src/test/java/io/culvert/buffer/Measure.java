package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * Measures the buffer on a real disk: {@code Measure <empty directory> <seconds>}. First at the
 * pace of 200 devices with 20 points a second, then as fast as it goes.
 */
final class Measure {
  private static final int DEVICES = 200;
  private static final int POINTS = 20;
  private static final Random NOISE = new Random(1);

  private Measure() {}

  /** What a number of devices answer to one poll each. */
  static List<Reading> poll(int devices, int points, Instant at, long tick) {
    List<Reading> readings = new ArrayList<>(devices * points);
    for (int d = 0; d < devices; d++) {
      Instant time = at.plusMillis(d);
      for (int p = 0; p < points; p++) {
        Value value = p == 0 ? Value.of(tick) : Value.of((1000 + d + NOISE.nextInt(200)) / 1000.0);
        readings.add(
            new Reading(
                "uw-%03d".formatted(d),
                p == 0 ? "tick" : "level_" + p,
                StreamClass.TELEMETRY,
                value,
                p == 0 ? "" : "m",
                Quality.GOOD,
                time,
                time,
                ClockState.SYNCHRONISED,
                Grade.GENERAL));
      }
    }
    return readings;
  }

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    int seconds = Integer.parseInt(args[1]);
    Settings settings = new Bounds().commitInterval(java.time.Duration.ofMillis(250)).settings();
    try (DurableBuffer buffer =
        new DurableBuffer(
            directory.resolve("paced"),
            settings,
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open))) {
      long written = writtenBytes();
      long start = System.nanoTime();
      long count = 0;
      for (int slot = 0; slot < seconds * 20; slot++) {
        // A twentieth of the devices each 50 ms.
        List<Reading> readings = poll(DEVICES / 20, POINTS, Instant.now(), slot);
        count += readings.size();
        buffer.accept(readings);
        long due = start + (slot + 1) * 50_000_000L;
        while (System.nanoTime() < due) {
          java.util.concurrent.locks.LockSupport.parkNanos(due - System.nanoTime());
        }
      }
      buffer.accept(poll(1, 1, Instant.now(), 0)).toCompletableFuture().get();
      report("paced", count, System.nanoTime() - start, writtenBytes() - written, 0);
    }
    System.out.printf(
        Locale.ROOT,
        "paced: %.2f bytes a reading in the files%n",
        (double) size(directory.resolve("paced")) / (seconds * 20L * DEVICES / 20 * POINTS));
    for (int batch : new int[] {20, 1000, 4000}) {
      Path fast = directory.resolve("fast-" + batch);
      try (DurableBuffer buffer =
          new DurableBuffer(
              fast, settings, new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open))) {
        long written = writtenBytes();
        long start = System.nanoTime();
        long end = start + seconds * 1_000_000_000L / 3;
        long count = 0;
        List<CompletableFuture<Void>> open = new ArrayList<>();
        while (System.nanoTime() < end) {
          List<Reading> readings = poll(batch / POINTS, POINTS, Instant.now(), count);
          open.add(buffer.accept(readings).toCompletableFuture());
          count += batch;
          if (open.size() * batch > 40_000) {
            CompletableFuture.allOf(open.toArray(CompletableFuture[]::new)).get();
            open.clear();
          }
        }
        CompletableFuture.allOf(open.toArray(CompletableFuture[]::new)).get();
        report(
            "fast, " + batch + " a call",
            count,
            System.nanoTime() - start,
            writtenBytes() - written,
            size(fast));
      }
    }
  }

  private static void report(String what, long count, long nanos, long written, long size) {
    System.out.printf(
        Locale.ROOT,
        "%s: %d readings accepted, %.0f a second, %.2f bytes written a reading, %d on disk%n",
        what,
        count,
        count / (nanos / 1e9),
        (double) written / count,
        size);
  }

  /** What this process had the kernel write to storage. */
  private static long writtenBytes() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/io"))) {
      if (line.startsWith("write_bytes:")) {
        return Long.parseLong(line.substring("write_bytes:".length()).trim());
      }
    }
    return 0;
  }

  private static long size(Path directory) throws Exception {
    try (var files = Files.list(directory)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("segment"))
          .mapToLong(f -> f.toFile().length())
          .sum();
    }
  }
}
