package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * A process whose disk is tampered with: {@code DiskVictim <directory> <first number>} offers
 * numbered calls and gaps and tells what became of each: {@code +7} accepted, {@code -7} refused,
 * {@code g+7} and {@code g-7} for the gap that goes with it, and {@code state FULL} with each
 * change of the disk. Ends cleanly at the end of its input.
 */
final class DiskVictim {
  static final int TELEMETRY = 20;

  private DiskVictim() {}

  /** Every 200th call is an alarm, every 50th an event, the others are telemetry. */
  static StreamClass classOf(long number) {
    if (number % 200 == 0) {
      return StreamClass.ALARM;
    }
    return number % 50 == 0 ? StreamClass.EVENT : StreamClass.TELEMETRY;
  }

  static boolean withGap(long number) {
    return number % 25 == 0;
  }

  static List<Reading> call(long number) {
    StreamClass streamClass = classOf(number);
    Instant at = Readings.T0.plusMillis(number);
    List<Reading> readings = new ArrayList<>();
    if (streamClass != StreamClass.TELEMETRY) {
      readings.add(Readings.of("d", "n", streamClass, Value.of(number), at));
      return readings;
    }
    for (int i = 0; i < TELEMETRY; i++) {
      readings.add(Readings.of("d", "p" + i, streamClass, Value.of(number), at));
    }
    return readings;
  }

  private static LedgerEntry gap(long number) {
    Instant at = Readings.T0.plusMillis(number);
    return new LedgerEntry(
        "d", "telemetry", at, at, 1, true, Reason.NEVER_READ, Long.toString(number));
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = System.out;
    long first = Long.parseLong(args[1]);
    Settings settings =
        new Bounds()
            .commitInterval(Duration.ofMillis(10))
            .segmentBytes(256 << 10)
            .maxBytes(1 << 30)
            .settings();
    LateBuffer buffer =
        new LateBuffer(
            Path.of(args[0]),
            settings,
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
    buffer.add("city", new Platform(8).confirming(), 0);
    out.println("open");
    AtomicBoolean ended = new AtomicBoolean();
    Thread input = new Thread(() -> readToTheEnd(ended));
    input.setDaemon(true);
    input.start();
    if (args.length > 2) {
      enterGaps(buffer, out, Path.of(args[2]), ended);
    }
    Buffer.Disk state = Buffer.Disk.WORKING;
    for (long each = first; !ended.get(); each++) {
      long number = each;
      buffer
          .accept(call(number))
          .whenComplete((done, failure) -> out.println((failure == null ? "+" : "-") + number));
      if (withGap(number)) {
        buffer
            .gap(gap(number))
            .whenComplete((done, failure) -> out.println((failure == null ? "g+" : "g-") + number));
      }
      Buffer.Status status = buffer.status();
      if (status.disk() != state) {
        state = status.disk();
        out.println("state " + state + " " + status.problem());
      }
      LockSupport.parkNanos(200_000);
    }
    buffer.close();
    out.println("closed");
  }

  /** Waits for a file, then enters one gap after the other and saves a state after each. */
  private static void enterGaps(Buffer buffer, PrintStream out, Path filled, AtomicBoolean ended)
      throws IOException {
    StateFile state =
        new StateFile(Files.createDirectory(filled.resolveSibling("state")), Readings.wear());
    state.save(1, null, new long[4], List.of());
    state.save(2, null, new long[4], List.of());
    out.println("ready");
    while (!Files.exists(filled)) {
      LockSupport.parkNanos(1_000_000);
    }
    for (long number = 0; !ended.get(); number++) {
      Instant at = Readings.T0.plusMillis(number);
      LedgerEntry gap =
          new LedgerEntry(
              "meter-north-" + number,
              "telemetry",
              at,
              at,
              number,
              true,
              Reason.NEVER_READ,
              "The device did not answer within 1000 ms, 3 times in a row.");
      try {
        buffer.gap(gap).toCompletableFuture().join();
        state.save(number, null, new long[4], List.of());
        out.println("g+" + number);
      } catch (CompletionException | IOException e) {
        out.println("full " + e.getMessage());
        ended.set(true);
      }
    }
  }

  private static void readToTheEnd(AtomicBoolean ended) {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      while (in.readLine() != null) {
        Thread.onSpinWait();
      }
    } catch (IOException e) {
      ended.set(true);
    }
    ended.set(true);
  }
}
