package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bound on bytes written in a day. */
class WearTest {
  private static final long DAY = 86_400;
  private static final long BOUND = 1_000_000_000;

  /** Part of the bound that may be written at any time. */
  private static final long BURST = BOUND / 8;

  @TempDir Path directory;
  private final Map<String, HandLoop> loops = new LinkedHashMap<>();
  private DurableBuffer buffer;
  private long written;
  private long seconds;

  @AfterEach
  void close() {
    if (buffer != null) {
      buffer.close();
    }
  }

  private Wear wear() {
    return new Wear(
        () -> new Bounds().maxWrittenPerDay(BOUND).settings(),
        () -> Duration.ofSeconds(seconds).toNanos(),
        () -> written);
  }

  /** The most that was written in any day of a week, by what is offered each second. */
  private double mostInADay(long telemetry, long events, long alarms) {
    Wear wear = wear();
    long[] sums = new long[(int) (7 * DAY) + 1];
    double most = 0;
    for (int second = 0; second < 7 * DAY; second++) {
      int oneOf = wear.oneOf();
      written += oneOf == 0 ? 0 : telemetry / oneOf;
      written += wear.stores(StreamClass.EVENT) ? events : 0;
      written += wear.stores(StreamClass.ALARM) ? alarms : 0;
      sums[second + 1] = written;
      most = Math.max(most, written - sums[(int) Math.max(0, second + 1 - DAY)]);
      seconds++;
      wear.count();
    }
    return most / BOUND;
  }

  @Test
  void telemetryNeverPassesTheBoundAndUsesIt() {
    // Ten times what the bound allows.
    assertThat(mostInADay(BOUND / DAY * 10, 0, 0)).isBetween(0.9, 1.001);
  }

  @Test
  void eventsPassTheBoundByATwentiethAtMost() {
    assertThat(mostInADay(BOUND / DAY * 10, BOUND / DAY * 10, 0)).isBetween(1.0, 1.051);
  }

  @Test
  void alarmsAreAlwaysStored() {
    assertThat(mostInADay(BOUND / DAY * 10, 0, BOUND / DAY * 2)).isBetween(1.99, 2.13);
  }

  @Test
  void whatIsWithinTheBoundIsLeftAlone() {
    Wear wear = wear();
    for (int second = 0; second < 3 * DAY; second++) {
      written += BOUND / DAY * 8 / 10;
      seconds++;
      wear.count();
      assertThat(wear.oneOf()).isEqualTo(1);
      assertThat(wear.commitInterval()).isEqualTo(Duration.ofMillis(50));
    }
    assertThat(wear.written()).isBetween(BOUND * 7 / 10, BOUND * 8 / 10);
  }

  @Test
  void commitsBecomeRarerBeforeAnythingIsLeftOut() {
    Wear wear = wear();
    List<Duration> intervals = new ArrayList<>();
    List<Integer> thinned = new ArrayList<>();
    for (int percent = 0; percent <= 100; percent++) {
      intervals.add(wear.commitInterval());
      thinned.add(wear.oneOf());
      written += BURST / 100;
      wear.count();
    }
    assertThat(intervals).isSorted();
    assertThat(intervals.get(50)).isEqualTo(Duration.ofMillis(50));
    assertThat(intervals.get(75)).isBetween(Duration.ofMillis(4999), Duration.ofSeconds(5));
    assertThat(thinned.subList(0, 76)).containsOnly(1);
    assertThat(thinned.stream().distinct().toList()).containsExactly(1, 2, 4, 8, 16, 32, 64, 0);
  }

  private void open() throws IOException {
    buffer =
        new DurableBuffer(
            directory,
            new Bounds().maxWrittenPerDay(BOUND).settings(),
            new Machine(
                () -> T0.plusSeconds(seconds),
                name -> loops.computeIfAbsent(name, n -> new HandLoop()),
                Sqlite::open),
            () -> written);
    run();
  }

  private void reopen() throws IOException {
    buffer.close();
    run();
    loops.clear();
    written = 0;
    open();
  }

  private void run() {
    for (int i = 0; i < 5; i++) {
      loops.values().forEach(HandLoop::run);
    }
  }

  private void pass(int more) {
    for (int second = 0; second < more; second++) {
      seconds++;
      loops.values().forEach(loop -> loop.pass(Duration.ofSeconds(1)));
      run();
    }
  }

  /** Writes as many hundredths of what may be written at any time. */
  private void write(int percent) {
    written += BURST / 100 * percent;
    pass(1);
  }

  private CompletableFuture<Void> accept(List<Reading> readings) {
    return buffer.accept(readings).toCompletableFuture();
  }

  private List<Batch.Entry> stored(String device) {
    return buffer
        .history(device, "n", Instant.MIN, Instant.MAX, 100_000, Duration.ofMinutes(1))
        .entries();
  }

  private List<LedgerEntry> dropped() {
    return buffer.ledger(Instant.MIN, Instant.MAX, 1000).stream()
        .filter(entry -> entry.reason() == Reason.DROPPED)
        .toList();
  }

  @Test
  void whatIsThinnedOutStandsInTheLedgerBeforeItIsAnswered() throws Exception {
    open();
    write(78);
    assertThat(buffer.status().problem()).contains("one of 2 readings of telemetry is stored");
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      answers.add(accept(numbered("a", i, i + 1)));
    }
    answers.add(accept(numbered("b", 0, 5)));
    pass(10);
    assertThat(stored("a")).extracting(entry -> entry.reading().value()).hasSize(5);
    assertThat(stored("a")).extracting(Batch.Entry::sequence).containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(answers.stream().filter(CompletableFuture::isDone)).as("whole ones").hasSize(5);
    assertThat(dropped()).isEmpty();
    pass(60);
    assertThat(answers).allMatch(CompletableFuture::isDone);
    assertThat(dropped())
        .containsExactlyInAnyOrder(
            new LedgerEntry(
                "a",
                "telemetry",
                T0.plusMillis(1),
                T0.plusMillis(9),
                5,
                true,
                Reason.DROPPED,
                Thinning.WHY),
            new LedgerEntry(
                "b",
                "telemetry",
                T0.plusMillis(1),
                T0.plusMillis(3),
                2,
                true,
                Reason.DROPPED,
                Thinning.WHY));
  }

  @Test
  void aDeviceIsNotHeldUpByItsEntries() throws Exception {
    open();
    write(78);
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    for (int i = 0; i < 2 * Thinning.MOST_OF_DEVICE; i++) {
      answers.add(accept(numbered("a", i, i + 1)));
    }
    pass(5);
    assertThat(answers).allMatch(CompletableFuture::isDone);
    for (int i = 0; i < 2 * Thinning.MOST_OF_DEVICE; i++) {
      answers.add(accept(numbered("a", i, i + 1)));
    }
    pass(5);
    assertThat(answers).allMatch(CompletableFuture::isDone);
    assertThat(dropped()).as("joined").hasSize(1);
    assertThat(dropped().get(0).count()).isEqualTo(2 * Thinning.MOST_OF_DEVICE);
  }

  @Test
  void atTheBoundOnlyWhatMattersIsStored() throws Exception {
    open();
    write(101);
    Reading event = Readings.of("a", "n", StreamClass.EVENT, Value.of(1), T0);
    Reading alarm = Readings.of("a", "n", StreamClass.ALARM, Value.of(2), T0);
    accept(List.of(numbered("a", 0, 1).get(0), event, alarm));
    pass(5);
    assertThat(stored("a"))
        .extracting(Batch.Entry::reading)
        .containsExactlyInAnyOrder(event, alarm);
    write(45);
    accept(List.of(event));
    CompletableFuture<Void> urgent = accept(List.of(alarm));
    run();
    assertThat(urgent).isCompleted();
    pass(70);
    assertThat(stored("a")).hasSize(3);
    assertThat(dropped())
        .extracting(entry -> entry.streamClass() + " " + entry.count())
        .containsExactlyInAnyOrder("telemetry 1", "event 1");
  }

  @Test
  void aRestartResetsNothing() throws Exception {
    open();
    write(90);
    long before = buffer.status().written();
    assertThat(buffer.status().problem()).contains("one of 16 readings");
    accept(numbered("a", 0, 16));
    pass(1);
    reopen();
    assertThat(buffer.status().problem()).contains("one of 16 readings");
    assertThat(buffer.status().written()).isEqualTo(before);
    assertThat(dropped())
        .as("entered at the stop")
        .extracting(LedgerEntry::count)
        .containsExactly(15L);
  }
}
