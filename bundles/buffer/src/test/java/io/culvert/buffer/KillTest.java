package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kills a process that accepts readings, again and again, and counts what it had accepted. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class KillTest {
  private static final int ROUNDS = 12;

  @TempDir Path directory;

  @Test
  void acceptedReadingsSurviveKillMinusNine() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Integer> accepted = new ArrayList<>();
    int first = 0;
    for (int round = 0; round < ROUNDS; round++) {
      List<Integer> ofRound = runAndKill(first, 1 + random.nextInt(400));
      accepted.addAll(ofRound);
      // A number is never used twice, so whatever is there twice was stored twice.
      first += 1_000_000;
    }

    try (DurableBuffer buffer =
        new DurableBuffer(
            directory,
            Readings.settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open))) {
      for (int device = 0; device < Victim.DEVICES; device++) {
        check(buffer, "d" + device, accepted, "seed " + seed);
      }
      List<LedgerEntry> interruptions =
          buffer.ledger(Instant.MIN, Instant.MAX, 1000).stream()
              .filter(entry -> entry.reason() == Reason.INTERRUPTION)
              .toList();
      // The first start follows nothing; the last end is entered with the next reading.
      assertThat(interruptions).hasSize(ROUNDS - 1);
      assertThat(interruptions)
          .allSatisfy(
              entry -> {
                assertThat(entry.exact()).isFalse();
                assertThat(entry.from()).isBefore(entry.to());
                assertThat(entry.count()).isPositive();
              });
    }
  }

  private static void check(
      DurableBuffer buffer, String device, List<Integer> accepted, String what) {
    List<Batch.Entry> stored = new ArrayList<>();
    Instant from = Instant.MIN;
    List<Batch.Entry> page;
    do {
      page =
          buffer
              .history(device, "n", from, Instant.MAX, 100_000, java.time.Duration.ofMinutes(1))
              .entries();
      stored.addAll(page);
      from = page.isEmpty() ? from : page.get(page.size() - 1).reading().eventTime().plusNanos(1);
    } while (page.size() == 100_000);
    Set<Long> numbers = new HashSet<>();
    stored.sort(java.util.Comparator.comparingLong(Batch.Entry::sequence));
    for (int i = 0; i < stored.size(); i++) {
      numbers.add(((Value.Int) stored.get(i).reading().value()).value());
      if (stored.get(i).sequence() != i + 1) {
        fail(
            "%s has sequence %d where %d is due, %s",
            device, stored.get(i).sequence(), i + 1, what);
      }
    }
    assertThat(numbers).as("%s, each once, %s", device, what).hasSameSizeAs(stored);
    long missing = 0;
    for (int number : accepted) {
      for (int i = 0; i < 20; i++) {
        missing += numbers.contains(number * 20L + i) ? 0 : 1;
      }
    }
    assertThat(missing).as("%s, accepted and missing, %s", device, what).isZero();
  }

  /** Runs a victim until it has printed so many lines; kills it; returns the numbers it printed. */
  private List<Integer> runAndKill(int first, int lines) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                Victim.class.getName(),
                directory.toString(),
                Integer.toString(first))
            .redirectError(ProcessBuilder.Redirect.to(new File(directory.toFile(), "victim.log")))
            .start();
    List<Integer> accepted = new ArrayList<>();
    try (BufferedReader out =
        new BufferedReader(
            new java.io.InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        if (!line.equals("open") && (accepted.isEmpty() || !line.isEmpty())) {
          accepted.add(Integer.parseInt(line));
        }
        if (accepted.size() == lines) {
          // Of the handle: that of the process closes its output, and what it printed would be
          // lost.
          process.toHandle().destroyForcibly();
        }
      }
    } catch (NumberFormatException cut) {
      // The last line was cut in two by the kill.
    }
    assertThat(process.waitFor()).as("killed, not ended").isEqualTo(137);
    assertThat(accepted).hasSizeGreaterThanOrEqualTo(lines);
    return accepted;
  }
}
