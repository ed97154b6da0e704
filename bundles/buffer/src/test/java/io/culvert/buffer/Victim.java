package io.culvert.buffer;

import io.culvert.api.Reading;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * A process to be killed: {@code Victim <directory> <first number>} accepts numbered readings of
 * three devices and prints, by device, the number of the last one accepted.
 */
final class Victim {
  static final int DEVICES = 3;

  private Victim() {}

  public static void main(String[] args) throws Exception {
    PrintStream out = System.out;
    int first = Integer.parseInt(args[1]);
    // Small ones, so that kills fall into changes of segment too.
    Settings settings =
        new Bounds()
            .commitInterval(java.time.Duration.ofMillis(10))
            .segmentBytes(64 << 10)
            .settings();
    DurableBuffer buffer =
        new DurableBuffer(
            Path.of(args[0]),
            settings,
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
    buffer.add("city", new Platform(8).confirming());
    out.println("open");
    for (int number = first; ; number++) {
      List<Reading> readings = new ArrayList<>();
      for (int device = 0; device < DEVICES; device++) {
        for (int i = 0; i < 20; i++) {
          readings.add(Readings.telemetry("d" + device, number * 20L + i, Instant.now()));
        }
      }
      int last = number;
      buffer.accept(readings).thenRun(() -> out.println(last));
      if (buffer.status().pending() > 5000) {
        Thread.onSpinWait();
      }
      java.util.concurrent.locks.LockSupport.parkNanos(500_000);
    }
  }
}
