package io.culvert.buffer;

import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.StringJoiner;
import java.util.concurrent.CompletableFuture;

/**
 * A process whose disk is recorded: {@code PowerCutVictim <directory> <marks> roomy|tight}. It
 * opens a buffer, accepts, delivers, enters gaps, stops, and starts again. "roomy" deletes nothing;
 * "tight" deletes by its bound on bytes, what is confirmed and what is not.
 *
 * <p>What it was promised it says in the file of marks, a line each:
 *
 * <ul>
 *   <li>{@code o <stream>:<n> …} readings up to the n-th are offered
 *   <li>{@code a <stream>:<n> …} they were reported accepted
 *   <li>{@code r <platform> <stream>:<n> …} the platform has these, and will confirm them
 *   <li>{@code q} all that platforms were sent is confirmed
 *   <li>{@code g <n>} the n-th gap was reported entered; {@code h <n>} it is offered
 *   <li>{@code c} the buffer is closed
 * </ul>
 */
final class PowerCutVictim {
  static final List<String> PLATFORMS = List.of("city", "yard");
  static final String GAP = "powercut";

  private final Path directory;
  private final FileOutputStream marks;
  private final boolean tight;
  private final long[] offered = new long[Truth.STREAMS.size()];
  private final Random random = new Random(17);
  private final List<CompletableFuture<Void>> open = new ArrayList<>();
  private int gaps;
  private DurableBuffer buffer;

  private PowerCutVictim(Path directory, FileOutputStream marks, boolean tight) {
    this.directory = directory;
    this.marks = marks;
    this.tight = tight;
  }

  public static void main(String[] args) throws Exception {
    try (FileOutputStream marks = new FileOutputStream(args[1])) {
      new PowerCutVictim(Path.of(args[0]), marks, args[2].equals("tight")).run();
    }
  }

  private void run() throws Exception {
    Settings settings =
        new Bounds()
            .segmentBytes(tight ? 12 << 10 : 32 << 10)
            .maxBytes(tight ? 120 << 10 : 1 << 30)
            .historyPerSecond(1000)
            .settings();
    for (int start = 0; start < 3; start++) {
      buffer =
          new DurableBuffer(
              directory,
              settings,
              new Machine(
                  FastLoop.clock(Instant.now().minus(Duration.ofHours(4 - start))),
                  FastLoop::new,
                  Sqlite::open));
      buffer.platforms(Set.copyOf(PLATFORMS));
      List<Platform> platforms = new ArrayList<>();
      for (String id : PLATFORMS) {
        Platform platform = new Platform(4).answering(batch -> receive(id, batch));
        buffer.add(id, platform);
        platforms.add(platform);
      }
      for (int round = 0; round < 4; round++) {
        acceptSome(12);
        gap();
        platforms.get(round % 2).ready(false);
        acceptSome(tight ? 60 : 12);
        platforms.get(round % 2).ready(true);
        settle();
      }
      acceptSome(3);
      CompletableFuture.allOf(open.toArray(new CompletableFuture<?>[0])).get();
      buffer.close();
      mark("c");
    }
  }

  private void acceptSome(int times) throws Exception {
    for (int i = 0; i < times; i++) {
      List<Reading> readings = new ArrayList<>();
      Map<Integer, Long> last = new HashMap<>();
      for (Truth.Stream stream : Truth.STREAMS) {
        int count =
            switch (stream.streamClass()) {
              case TELEMETRY -> 1 + random.nextInt(4);
              case STATE -> random.nextInt(3) / 2;
              case EVENT -> random.nextInt(5) / 4;
              case ALARM -> random.nextInt(9) / 8;
            };
        for (int n = 0; n < count; n++) {
          readings.add(stream.reading(++offered[stream.index()]));
          last.put(stream.index(), offered[stream.index()]);
        }
      }
      StringJoiner numbers = new StringJoiner(" ");
      last.forEach((stream, n) -> numbers.add(stream + ":" + n));
      mark("o " + numbers);
      CompletableFuture<Void> accepted =
          buffer.accept(readings).thenRun(() -> mark("a " + numbers)).toCompletableFuture();
      open.add(accepted);
      if (random.nextInt(3) > 0) {
        accepted.get();
      }
    }
  }

  private void gap() {
    int number = ++gaps;
    mark("h " + number);
    LedgerEntry entry =
        new LedgerEntry(
            "d0",
            "telemetry",
            Readings.T0,
            Readings.T0.plusMillis(number),
            number,
            true,
            Reason.NEVER_READ,
            GAP + " " + number);
    open.add(buffer.gap(entry).thenRun(() -> mark("g " + number)).toCompletableFuture());
  }

  private Receipt receive(String platform, Batch batch) {
    Map<Integer, Outcome> refused = new HashMap<>();
    StringBuilder mark = new StringBuilder("r " + platform);
    for (int i = 0; i < batch.entries().size(); i++) {
      Truth.Stream stream = Truth.of(batch.entries().get(i).reading());
      long n = batch.entries().get(i).sequence();
      if (stream == null) {
        continue;
      }
      if (platform.equals("yard") && Truth.refused(n)) {
        refused.put(i, new Outcome.Refused("17"));
      } else {
        mark.append(' ').append(stream.index()).append(':').append(n);
      }
    }
    mark(mark.toString());
    return new Receipt(new Outcome.Confirmed(), refused);
  }

  private void settle() {
    await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> buffer.status().forwarders().stream().allMatch(f -> f.unconfirmed() == 0));
    mark("q");
    // So that the state of delivery is written in between, too.
    long ticks = System.nanoTime() + Duration.ofMillis(120).toNanos();
    await().pollInterval(Duration.ofMillis(10)).until(() -> System.nanoTime() - ticks > 0);
  }

  private void mark(String line) {
    synchronized (marks) {
      try {
        marks.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
