package io.culvert.buffer;

import static io.culvert.buffer.Readings.GATEWAY;
import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static io.culvert.buffer.Readings.of;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableBufferTest {
  @TempDir Path directory;
  private DurableBuffer buffer;

  @AfterEach
  void close() {
    if (buffer != null) {
      buffer.close();
    }
  }

  private DurableBuffer open() throws IOException {
    return open(Readings.settings());
  }

  private DurableBuffer open(Settings settings) throws IOException {
    buffer =
        new DurableBuffer(
            directory, settings, new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
    return buffer;
  }

  private void accept(List<Reading> readings) throws Exception {
    buffer.accept(readings).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private List<Batch.Entry> history(String device) {
    return buffer
        .history(device, "n", Instant.MIN, Instant.MAX, 100_000, Duration.ofMinutes(1))
        .entries();
  }

  private static List<Long> sequences(List<Batch.Entry> entries) {
    return entries.stream().map(Batch.Entry::sequence).toList();
  }

  private static List<Long> range(long from, long to) {
    return LongStream.range(from, to).boxed().toList();
  }

  @Test
  void numbersEachStreamFromOneAndGoesOnAfterARestart() throws Exception {
    open();
    accept(numbered("a", 0, 5));
    accept(numbered("b", 0, 2));
    accept(numbered("a", 5, 7));
    accept(List.of(of("a", "n", StreamClass.EVENT, Value.of(1), T0)));
    buffer.close();
    open();
    accept(numbered("a", 7, 9));
    accept(numbered("c", 0, 1));

    assertThat(sequences(history("b"))).containsExactly(1L, 2L);
    assertThat(sequences(history("c"))).containsExactly(1L);
    assertThat(history("a").stream().filter(e -> e.reading().streamClass() == StreamClass.EVENT))
        .extracting(Batch.Entry::sequence)
        .containsExactly(1L);
    List<Batch.Entry> telemetry =
        history("a").stream()
            .filter(e -> e.reading().streamClass() == StreamClass.TELEMETRY)
            .toList();
    assertThat(sequences(telemetry)).isEqualTo(range(1, 10));
    assertThat(telemetry).extracting(Batch.Entry::reading).isEqualTo(numbered("a", 0, 9));
  }

  @Test
  void goesOnWithTheNumbersOfAStreamThatTheNewestFileDoesNotHold() throws Exception {
    Settings aFileEachCommit = new Bounds().segmentSpan(Duration.ZERO).settings();
    open(aFileEachCommit);
    accept(numbered("a", 0, 5));
    accept(numbered("b", 0, 2));
    buffer.close();
    open(aFileEachCommit);
    accept(numbered("a", 5, 7));
    assertThat(sequences(history("a"))).isEqualTo(range(1, 8));
  }

  @Test
  void commitsAnAlarmAtOnceAndWithItWhatWaits() throws Exception {
    open(new Bounds().commitInterval(Duration.ofHours(1)).settings());
    var telemetry = buffer.accept(numbered("a", 0, 3)).toCompletableFuture();
    assertThat(telemetry).isNotDone();
    assertThat(buffer.status().pending()).isEqualTo(3);
    accept(List.of(of("a", "high", StreamClass.ALARM, Value.of(true), T0)));
    telemetry.get(60, TimeUnit.SECONDS);
    assertThat(buffer.status().accepted()).isEqualTo(4);
    assertThat(buffer.status().pending()).isZero();
  }

  @Test
  void commitsWhenTheIntervalHasPassed() throws Exception {
    open();
    buffer.accept(numbered("a", 0, 1)).toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(history("a")).hasSize(1);
  }

  @Test
  void commitsWhatWaitsOnACleanStopAndCountsTheTimeInBetweenAsNotRead() throws Exception {
    open();
    accept(numbered("a", 0, 60));
    var last = buffer.accept(numbered("a", 60, 61)).toCompletableFuture();
    buffer.close();
    assertThat(last).isCompleted();
    assertThatThrownBy(() -> accept(numbered("a", 61, 62)))
        .hasMessageContaining("The buffer is stopped");

    open();
    assertThat(history("a")).hasSize(61);
    Instant first = Instant.now();
    accept(List.of(Readings.telemetry("a", 61, first)));
    List<LedgerEntry> entries = buffer.ledger(Instant.MIN, Instant.MAX, 10);
    assertThat(entries).hasSize(1);
    assertThat(entries.get(0).reason()).isEqualTo(Reason.NEVER_READ);
    assertThat(entries.get(0).to()).isEqualTo(first);
    assertThat(entries.get(0).device()).isEqualTo("*");
  }

  @Test
  void theDirectoryBelongsToOneProcess() throws Exception {
    open();
    assertThatThrownBy(
            () ->
                new DurableBuffer(
                    directory,
                    Readings.settings(),
                    new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("in use by another gateway");
  }

  @Test
  void aGapStandsInTheLedgerAndGoesToThePlatformAsAnEventOfTheGateway() throws Exception {
    open();
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    LedgerEntry gap =
        new LedgerEntry(
            "a", "telemetry", T0, T0.plusSeconds(9), 7, true, Reason.NEVER_READ, "No answer.");
    buffer.gap(gap).toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(buffer.ledger(T0, T0, 10)).containsExactly(gap);
    assertThat(buffer.ledger(T0.plusSeconds(10), T0.plusSeconds(11), 10)).isEmpty();
    await().until(() -> !platform.entries().isEmpty());
    Reading reading = platform.entries().get(0).reading();
    assertThat(reading.device()).isEqualTo(GATEWAY);
    assertThat(reading.point()).isEqualTo("ledger");
    assertThat(reading.streamClass()).isEqualTo(StreamClass.EVENT);
    assertThat(((Value.Struct) reading.value()).fields())
        .containsEntry("device", Value.of("a"))
        .containsEntry("class", Value.of("telemetry"))
        .containsEntry("from", Value.of("2026-11-21T08:00:00Z"))
        .containsEntry("to", Value.of("2026-11-21T08:00:09Z"))
        .containsEntry("count", Value.of(7))
        .containsEntry("exact", Value.of(true))
        .containsEntry("reason", Value.of("never_read"));
    buffer.close();
    open();
    buffer.add("city", platform);
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    assertThat(platform.entries()).as("told once").hasSize(1);
  }

  @Test
  void whatIsConfirmedIsNotSentAgainAfterARestart() throws Exception {
    open();
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    accept(numbered("a", 0, 1200));
    await().until(() -> platform.entries().size() == 1200);
    await().until(() -> buffer.status().forwarders().get(0).confirmed() == 1200);
    buffer.close();
    open();
    Platform again = new Platform(4).confirming();
    buffer.add("city", again);
    accept(List.of(Readings.telemetry("b", 1, Instant.now())));
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    assertThat(again.entries()).extracting(e -> e.reading().device()).doesNotContain("a");
    assertThat(sequences(platform.entries())).isEqualTo(range(1, 1201));
  }

  @Test
  void oneUncleanEndMakesTheWholeGapAnInterruption(@TempDir Path others) throws Exception {
    open();
    accept(numbered("a", 0, 60));
    buffer.close();
    open();
    accept(List.of(Readings.telemetry(GATEWAY, 1, Instant.now())));
    crash(others.resolve("1"));
    accept(List.of(Readings.telemetry("a", 60, Instant.now())));
    assertThat(buffer.ledger(Instant.MIN, Instant.MAX, 10))
        .extracting(LedgerEntry::reason)
        .containsExactly(Reason.INTERRUPTION);
  }

  private List<String> owing() {
    return buffer.status().forwarders().stream().map(f -> f.id() + " " + f.unconfirmed()).toList();
  }

  @Test
  void aPlatformTakenOutOfTheSiteIsOwedNothingMore() throws Exception {
    open();
    buffer.platforms(Set.of("city", "county"));
    Platform city = new Platform(4);
    Platform county = new Platform(4);
    county.ready(false);
    buffer.add("city", city);
    buffer.add("county", county);
    accept(numbered("a", 0, 10));
    await().until(() -> city.inFlight() == 1);
    assertThat(owing()).containsExactly("city 10", "county 10");

    buffer.platforms(Set.of("city"));
    assertThat(owing()).as("its forwarder is there still").contains("county 10");
    buffer.remove(county);
    assertThat(owing()).containsExactly("city 10");
    buffer.remove(city);
    assertThat(owing()).as("away, not removed").containsExactly("city 10");
    assertThat(buffer.ledger(Instant.MIN, Instant.MAX, 10)).isEmpty();

    // Back again, it owes what comes from then on.
    buffer.platforms(Set.of("city", "county"));
    accept(numbered("a", 10, 15));
    assertThat(owing()).containsExactly("city 15", "county 5");
    buffer.close();
    open();
    assertThat(owing()).as("not known yet").containsExactly("city 15", "county 5");
    buffer.platforms(Set.of("county"));
    assertThat(owing()).containsExactly("county 5");
    Platform back = new Platform(4).confirming();
    buffer.add("county", back);
    await().until(() -> back.entries().size() == 5);
    assertThat(sequences(back.entries())).containsExactlyInAnyOrderElementsOf(range(11, 16));
  }

  @Test
  void aReleasedPlatformStaysReleasedAfterACrash(@TempDir Path others) throws Exception {
    open();
    buffer.platforms(Set.of("city"));
    accept(numbered("a", 0, 10));
    buffer.platforms(Set.of());
    crash(others.resolve("1"));
    assertThat(owing()).isEmpty();
  }

  @Test
  void aPlatformOfTheSiteOwesBeforeItsForwarderIsThere() throws Exception {
    open();
    buffer.platforms(Set.of("city"));
    accept(numbered("a", 0, 10));
    buffer.close();
    open();
    buffer.platforms(Set.of("city"));
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    await().until(() -> platform.entries().size() == 10);
  }

  /** Goes on with what a power cut at this moment would leave, in another directory. */
  private void crash(Path into) throws Exception {
    java.nio.file.Files.createDirectory(into);
    try (var files = java.nio.file.Files.list(directory)) {
      for (Path file : files.filter(f -> !f.endsWith("lock")).toList()) {
        java.nio.file.Files.copy(file, into.resolve(file.getFileName()));
      }
    }
    buffer.close();
    directory = into;
    open();
  }

  @Test
  void anInterruptionLastsUntilADeviceIsReadAgain(@TempDir Path others) throws Exception {
    open();
    // Ahead, so that what the buffer itself tells by the clock can't bear the time of a reading.
    Instant start = Instant.now().plus(Duration.ofHours(1));
    for (int i = 0; i < 20; i++) {
      accept(List.of(Readings.telemetry("a", i, start.plusMillis(100 * i))));
    }
    crash(others.resolve("1"));
    // The gateway's own readings end nothing, and the next run knows of it still.
    accept(List.of(Readings.telemetry(GATEWAY, 1, start.plusSeconds(30))));
    crash(others.resolve("2"));
    accept(List.of(Readings.telemetry(GATEWAY, 2, start.plusSeconds(60))));
    assertThat(buffer.ledger(Instant.MIN, Instant.MAX, 10)).isEmpty();
    accept(List.of(Readings.telemetry("a", 20, start.plusSeconds(90))));

    List<LedgerEntry> entries = buffer.ledger(Instant.MIN, Instant.MAX, 10);
    assertThat(entries).hasSize(1);
    LedgerEntry entry = entries.get(0);
    assertThat(entry.reason()).isEqualTo(Reason.INTERRUPTION);
    assertThat(entry.from().toEpochMilli()).isEqualTo(start.toEpochMilli() + 1900);
    assertThat(entry.to()).isEqualTo(start.plusSeconds(90));
    assertThat(entry.exact()).isFalse();
    assertThat(entry.count()).isPositive();
    assertThat(entry.detail()).startsWith("The process ended without a clean stop");
    crash(others.resolve("3"));
    accept(List.of(Readings.telemetry("a", 21, start.plusSeconds(100))));
    List<LedgerEntry> both = buffer.ledger(Instant.MIN, Instant.MAX, 10);
    assertThat(both)
        .extracting(LedgerEntry::to)
        .containsExactlyInAnyOrder(start.plusSeconds(90), start.plusSeconds(100));
    // From the last commit on: that of the device's reading, or that which told of the gap.
    LedgerEntry second = both.get(both.get(0).equals(entry) ? 1 : 0);
    assertThat(second.from().toEpochMilli())
        .as("the first gap, told a moment before the crash, isn't told again")
        .isNotEqualTo(entry.from().toEpochMilli());
  }
}
