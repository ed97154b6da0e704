package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bounds, full disks and damaged files. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class FaultTest {
  @TempDir Path directory;
  private DurableBuffer buffer;
  private volatile int pageLimit;

  @AfterEach
  void close() {
    if (buffer != null) {
      buffer.close();
    }
  }

  private void open(long maxBytes, Duration segmentSpan) throws IOException {
    buffer =
        new DurableBuffer(
            directory,
            new Bounds()
                .commitInterval(Duration.ofMillis(10))
                .maxBytes(maxBytes)
                .segmentSpan(segmentSpan)
                .settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, this::connect));
  }

  private void open() throws IOException {
    open(1 << 30, Duration.ofHours(1));
  }

  private Connection connect(Path file, boolean writable) throws SQLException {
    Connection connection = Sqlite.open(file, writable);
    if (pageLimit > 0 && file.getFileName().toString().startsWith("segment")) {
      // As small as the file is, if that is more: then nothing can be added at all.
      Sqlite.execute(connection, "PRAGMA max_page_count=" + pageLimit);
    }
    return connection;
  }

  private void accept(List<Reading> readings) throws Exception {
    buffer.accept(readings).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private List<Batch.Entry> history(String device) {
    return buffer
        .history(device, "n", Instant.MIN, Instant.MAX, 100_000, Duration.ofMinutes(1))
        .entries();
  }

  private List<LedgerEntry> ledger(Reason reason) {
    return buffer.ledger(Instant.MIN, Instant.MAX, 1000).stream()
        .filter(entry -> entry.reason() == reason)
        .toList();
  }

  private List<Path> segments() throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().matches("segment-\\d+\\.db"))
          .sorted()
          .toList();
    }
  }

  @Test
  void whatABoundDeletesUnconfirmedIsCountedByDeviceAndClass() throws Exception {
    Platform away = new Platform(4);
    away.ready(false);
    open(400_000, Duration.ofHours(1));
    buffer.add("city", away);
    int last = 0;
    while (ledger(Reason.DROPPED).isEmpty()) {
      accept(Measure.poll(100, 20, T0.plusSeconds(last), last));
      accept(numbered("a", last, last + 100));
      last += 100;
    }
    away.confirming().ready(true);
    // What is dropped from now on may be just being sent: then it isn't dropped.
    accept(numbered("b", 0, 1));
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);

    Set<Long> delivered = new HashSet<>();
    for (Batch.Entry entry : away.entries()) {
      if (entry.reading().device().equals("a")) {
        delivered.add(entry.sequence());
      }
    }
    List<LedgerEntry> dropped =
        ledger(Reason.DROPPED).stream().filter(entry -> entry.device().equals("a")).toList();
    long count = dropped.stream().mapToLong(LedgerEntry::count).sum();
    assertThat(count).isPositive();
    assertThat(delivered.size() + count).as("confirmed + ledger = truth").isEqualTo(last);
    assertThat(dropped)
        .allSatisfy(
            entry -> {
              assertThat(entry.exact()).isTrue();
              assertThat(entry.streamClass()).isEqualTo("telemetry");
              assertThat(entry.count())
                  .as("a reading each millisecond, of which some stay")
                  .isLessThanOrEqualTo(Duration.between(entry.from(), entry.to()).toMillis() + 1);
            });
    assertThat(buffer.status().dropped())
        .isEqualTo(ledger(Reason.DROPPED).stream().mapToLong(LedgerEntry::count).sum());
    assertThat(buffer.status().bytes()).isLessThan(600_000);
  }

  @Test
  void whatIsConfirmedIsDeletedFirstAndWithoutAWord() throws Exception {
    Platform platform = new Platform(16).confirming();
    open(400_000, Duration.ofHours(1));
    buffer.add("city", platform);
    for (int i = 0; i < 100; i++) {
      accept(Measure.poll(100, 20, T0.plusSeconds(i), i));
    }
    await().until(() -> segments().size() > 1 && !segments().get(0).endsWith(Segment.fileName(1)));
    assertThat(ledger(Reason.DROPPED)).isEmpty();
    assertThat(buffer.status().dropped()).isZero();
  }

  /** Accepts until the disk is full; returns how many were accepted, and what was not. */
  private int fill(List<CompletableFuture<Void>> held) throws Exception {
    int accepted = 0;
    while (buffer.status().disk() == Buffer.Disk.WORKING) {
      CompletableFuture<Void> next =
          buffer.accept(numbered("a", accepted, accepted + 1000)).toCompletableFuture();
      await().until(() -> next.isDone() || buffer.status().disk() != Buffer.Disk.WORKING);
      if (!next.isDone()) {
        held.add(next);
        return accepted;
      }
      accepted += 1000;
    }
    throw new AssertionError("It was full before");
  }

  @Test
  void aFullDiskIsTriedAgainUntilItTakesWhatIsHeldInOrder() throws Exception {
    pageLimit = 20;
    open();
    List<CompletableFuture<Void>> held = new ArrayList<>();
    int accepted = fill(held);
    assertThat(accepted).isPositive();
    Buffer.Status full = buffer.status();
    assertThat(full.disk()).isEqualTo(Buffer.Disk.FULL);
    assertThat(full.problem())
        .startsWith("The disk with " + directory + " is full: ")
        .contains(
            " free, the buffer takes ", "Free space on it", "Held in memory until then: 1000");
    assertThat(full.pending()).isEqualTo(1000);
    assertThat(history("a")).as("nothing half taken").hasSize(accepted);
    for (int i = 1; i < 5; i++) {
      int from = accepted + i * 1000;
      held.add(buffer.accept(numbered("a", from, from + 1000)).toCompletableFuture());
    }
    assertThat(held).noneMatch(CompletableFuture::isDone);
    assertThat(buffer.status().pending()).isEqualTo(5000);

    pageLimit = 0;
    CompletableFuture.allOf(held.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
    assertThat(buffer.status().disk()).isEqualTo(Buffer.Disk.WORKING);
    assertThat(buffer.status().problem()).isEmpty();
    assertThat(buffer.status().pending()).isZero();
    List<Batch.Entry> all = history("a");
    assertThat(all).extracting(Batch.Entry::reading).isEqualTo(numbered("a", 0, accepted + 5000));
    assertThat(all.get(accepted + 4999).sequence()).isEqualTo(accepted + 5000);
  }

  @Test
  void deliveryGoesOnWithWhatIsOnAFullDisk() throws Exception {
    pageLimit = 20;
    open();
    int accepted = fill(new ArrayList<>());
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    await().until(() -> platform.entries().size() == accepted);
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    assertThat(buffer.status().disk()).isEqualTo(Buffer.Disk.FULL);
  }

  @Test
  void aStopWhoseLastCommitTheDiskRefusesIsNotACleanOne() throws Exception {
    pageLimit = 20;
    open();
    List<CompletableFuture<Void>> held = new ArrayList<>();
    fill(held);
    buffer.close();
    assertThatThrownBy(() -> held.get(0).get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("The buffer is stopped. The disk with");

    pageLimit = 0;
    open();
    accept(numbered("b", 0, 10));
    assertThat(ledger(Reason.INTERRUPTION)).hasSize(1);
  }

  @Test
  void aDamagedRowIsCountedInTheLedgerAndStopsNothing() throws Exception {
    open();
    accept(numbered("a", 0, 10));
    accept(numbered("a", 10, 30));
    accept(numbered("a", 30, 40));
    buffer.close();
    damage("UPDATE entry SET body = zeroblob(20) WHERE id & 0xFFFFFF = 10");
    open();
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    accept(numbered("a", 40, 50));
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    List<LedgerEntry> damaged = ledger(Reason.DAMAGED);
    assertThat(damaged).hasSize(1);
    assertThat(damaged.get(0).device()).isEqualTo("a");
    assertThat(damaged.get(0).count()).isEqualTo(20);
    assertThat(damaged.get(0).exact()).isTrue();
    assertThat(damaged.get(0).from()).isEqualTo(T0.plusMillis(10));
    assertThat(damaged.get(0).to()).isEqualTo(T0.plusMillis(29));
    assertThat(platform.entries().stream().filter(e -> e.reading().device().equals("a")))
        .hasSize(30);
    assertThat(history("a")).hasSize(30);
  }

  @Test
  void aRowWithoutAHeadIsCountedByItsPositions() throws Exception {
    open();
    accept(numbered("a", 0, 10));
    accept(numbered("a", 10, 30));
    accept(numbered("a", 30, 40));
    buffer.close();
    damage("UPDATE entry SET head = zeroblob(20) WHERE id & 0xFFFFFF = 10");
    open();
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    accept(numbered("a", 40, 50));
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    assertThat(ledger(Reason.DAMAGED)).hasSize(1);
    assertThat(ledger(Reason.DAMAGED).get(0).count()).isEqualTo(20);
    assertThat(ledger(Reason.DAMAGED).get(0).device()).isEqualTo("*");
    // The damaged head may have held higher numbers than any other: none is given twice.
    List<Long> sequences = new ArrayList<>();
    for (boolean historical : new boolean[] {true, false}) {
      List<Long> ofLane =
          platform.received().stream()
              .filter(batch -> batch.historical() == historical)
              .flatMap(batch -> batch.entries().stream())
              .filter(e -> e.reading().device().equals("a"))
              .map(Batch.Entry::sequence)
              .toList();
      assertThat(ofLane).isSorted();
      sequences.addAll(ofLane);
    }
    assertThat(sequences).hasSize(30).doesNotHaveDuplicates();
  }

  private void damage(String sql) throws Exception {
    List<Path> files = segments();
    try (Connection connection = Sqlite.open(files.get(files.size() - 1), true)) {
      Sqlite.execute(connection, sql);
    }
  }

  @Test
  void anyFileCutOrOverwrittenStopsNothingAndNothingIsLostWithoutAWord() throws Exception {
    open(1 << 30, Duration.ofMillis(1));
    Platform away = new Platform(4);
    away.ready(false);
    buffer.add("city", away);
    for (int i = 0; i < 6; i++) {
      accept(numbered("a", i * 100, i * 100 + 100));
    }
    buffer.close();
    List<Path> files = segments();
    assertThat(files.size()).isGreaterThan(4);
    for (Path file : files) {
      assertThat(file.resolveSibling(file.getFileName() + "-wal")).doesNotExist();
    }
    Files.write(files.get(1), "not a database".repeat(600).getBytes());
    Files.write(files.get(2), new byte[0]);
    byte[] bytes = Files.readAllBytes(files.get(3));
    Files.write(files.get(3), java.util.Arrays.copyOf(bytes, bytes.length / 2));

    open();
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    accept(numbered("a", 600, 610));
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    Set<Object> delivered = new HashSet<>();
    platform.entries().stream()
        .filter(e -> e.reading().device().equals("a"))
        .forEach(e -> delivered.add(e.reading().value()));
    long damaged = ledger(Reason.DAMAGED).stream().mapToLong(LedgerEntry::count).sum();
    assertThat(delivered.size() + damaged).as("confirmed + ledger = truth").isEqualTo(610);
    assertThat(damaged).isBetween(200L, 300L);
  }

  @Test
  void aLostEndOfTheLogIsCounted() throws Exception {
    open(1 << 30, Duration.ofMillis(1));
    Platform away = new Platform(4);
    away.ready(false);
    buffer.add("city", away);
    for (int i = 0; i < 3; i++) {
      accept(numbered("a", i * 100, i * 100 + 100));
    }
    buffer.close();
    List<Path> files = segments();
    Files.delete(files.get(files.size() - 1));
    open();
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    accept(numbered("a", 300, 310));
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    assertThat(ledger(Reason.DAMAGED)).hasSize(1);
    assertThat(ledger(Reason.DAMAGED).get(0).count()).isEqualTo(100);
    List<Batch.Entry> ofA =
        platform.entries().stream().filter(e -> e.reading().device().equals("a")).toList();
    assertThat(ofA).hasSize(210);
    assertThat(ofA.get(209).sequence()).as("no number twice").isGreaterThan(310);
  }

  @Test
  void withoutStateOfDeliveryEverythingIsSentAgain() throws Exception {
    open();
    buffer.add("city", new Platform(4).confirming());
    accept(numbered("a", 0, 100));
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    buffer.close();
    Files.write(directory.resolve("delivery.0"), new byte[100]);
    Files.write(directory.resolve("delivery.1"), new byte[] {1, 2, 3});
    open();
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    await().until(() -> buffer.status().forwarders().get(0).unconfirmed() == 0);
    assertThat(platform.entries().stream().filter(e -> e.reading().device().equals("a")))
        .hasSize(100);
  }

  @Test
  void aDamagedLedgerIsSetAside() throws Exception {
    open();
    accept(numbered("a", 0, 1));
    buffer.close();
    Files.write(directory.resolve("ledger.db"), "not a database".repeat(600).getBytes());
    open();
    accept(numbered("a", 1, 2));
    assertThat(ledger(Reason.NEVER_READ)).hasSize(1);
    try (var files = Files.list(directory)) {
      assertThat(files.filter(f -> f.toString().endsWith(".damaged"))).hasSize(1);
    }
  }

  @Test
  void damagedFilesCountTowardsTheBoundAndGoBeforeReadings() throws Exception {
    Path old = Files.write(directory.resolve("segment-0000000001.db.damaged"), new byte[300_000]);
    Path young = Files.write(directory.resolve("ledger.db.17.damaged"), new byte[300_000]);
    Path forgotten =
        Files.write(directory.resolve("segment-0000000002.db-wal.damaged"), new byte[9]);
    Instant now = Instant.now();
    Files.setLastModifiedTime(old, FileTime.from(now.minus(Duration.ofDays(3))));
    Files.setLastModifiedTime(young, FileTime.from(now.minus(Duration.ofDays(1))));
    Files.setLastModifiedTime(forgotten, FileTime.from(now.minus(Duration.ofDays(31))));
    open(500_000, Duration.ofHours(1));
    await().until(() -> !Files.exists(old) && !Files.exists(forgotten));
    assertThat(young).exists();
    assertThat(buffer.status().bytes()).isBetween(300_000L, 500_000L);
    int last = 0;
    while (Files.exists(young)) {
      accept(Measure.poll(100, 20, T0.plusSeconds(last), last));
      last++;
    }
    assertThat(ledger(Reason.DROPPED)).isEmpty();
    assertThat(segments()).isNotEmpty();
  }

  @Test
  void aReadingTooLargeIsRefusedByName() throws Exception {
    open();
    Reading large =
        Readings.of(
            "a",
            "text",
            io.culvert.api.StreamClass.EVENT,
            io.culvert.api.Value.of("x".repeat(400_000)),
            T0);
    assertThatThrownBy(() -> accept(List.of(large)))
        .hasCauseInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Reading of a/text takes");
  }
}
