package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static io.culvert.buffer.Readings.of;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Buffer.Delivered;
import io.culvert.api.service.Buffer.Held;
import io.culvert.api.service.Buffer.Holdings;
import io.culvert.api.service.Buffer.Owed;
import io.culvert.api.service.Buffer.Verification;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What people are told of the buffer: what is there, what became of it, whether it is whole. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class InspectionTest {
  private static final Instant ALWAYS = Instant.parse("0001-01-01T00:00:00Z");
  private static final Instant NEVER = Instant.parse("9999-01-01T00:00:00Z");

  @TempDir Path directory;
  private DurableBuffer buffer;

  @AfterEach
  void close() {
    if (buffer != null) {
      buffer.close();
    }
  }

  private void open(Duration segmentSpan) throws IOException {
    buffer =
        new DurableBuffer(
            directory,
            new Bounds().commitInterval(Duration.ofMillis(10)).segmentSpan(segmentSpan).settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
  }

  private void open() throws IOException {
    open(Duration.ofHours(1));
  }

  private void accept(List<Reading> readings) throws Exception {
    buffer.accept(readings).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private Platform away(String id) {
    Platform platform = new Platform(4);
    platform.ready(false);
    buffer.add(id, platform);
    return platform;
  }

  @Test
  void holdingsCountReadingsByClassAndWhoWaitsForThem() throws Exception {
    open();
    away("city");
    accept(numbered("a", 0, 100));
    Instant before = Instant.now();
    buffer.add("county", new Platform(4).confirming());
    accept(List.of(of("a", "door", StreamClass.EVENT, Value.of(true), T0.plusSeconds(5))));
    accept(numbered("b", 100, 150));
    await().until(() -> unconfirmed("county") == 0);

    Holdings holdings = buffer.holdings();

    assertThat(holdings.classes())
        .extracting(Held::streamClass, Held::readings, Held::oldest, Held::newest)
        .containsExactly(
            tuple(StreamClass.EVENT, 1L, T0.plusSeconds(5), T0.plusSeconds(5)),
            tuple(StreamClass.TELEMETRY, 150L, T0, T0.plusMillis(149)));
    assertThat(holdings.classes()).allSatisfy(held -> assertThat(held.bytes()).isPositive());
    assertThat(holdings.classes().stream().mapToLong(Held::bytes).sum())
        .isLessThan(buffer.status().bytes());
    assertThat(holdings.owed())
        .extracting(Owed::forwarder, Owed::streamClass, Owed::readings)
        .containsExactly(
            tuple("city", StreamClass.EVENT, 1L), tuple("city", StreamClass.TELEMETRY, 150L));
    Instant since = holdings.owed().get(1).oldest();
    assertThat(since).isBetween(before.minusSeconds(60), before);
    assertThat(holdings.owed().get(0).oldest()).isAfterOrEqualTo(since);
    assertThat(holdings.segments()).isEqualTo(1);
    assertThat(holdings.damagedFiles()).isZero();
  }

  private long unconfirmed(String id) {
    return buffer.status().forwarders().stream()
        .filter(f -> f.id().equals(id))
        .mapToLong(Buffer.Forwarding::unconfirmed)
        .sum();
  }

  @Test
  void whatIsKnownOfSealedFilesIsRightAlsoTheSecondTime() throws Exception {
    open(Duration.ZERO);
    Map<Integer, Long> counts = new TreeMap<>();
    for (int i = 0; i < 4; i++) {
      accept(numbered("a", i * 10, i * 10 + 10));
      counts.put(i, buffer.holdings().classes().get(0).readings());
    }
    assertThat(counts.values()).containsExactly(10L, 20L, 30L, 40L);
    assertThat(buffer.holdings().segments()).isGreaterThan(3);
  }

  @Test
  void theAccountTellsOfOneDeviceWhatEachPlatformHasAndWaitsFor() throws Exception {
    open();
    Platform city = new Platform(1);
    buffer.add("city", city);
    List<Reading> mixed = new ArrayList<>(numbered("a", 0, 4));
    mixed.addAll(numbered("b", 0, 3));
    accept(mixed);
    await().until(() -> city.inFlight() == 1);
    city.ready(false);
    city.answerNext(
        new Receipt(
            new Outcome.Confirmed(),
            Map.of(1, new Outcome.Retry(), 3, new Outcome.Retry(), 4, new Outcome.Retry())));
    await().until(() -> unconfirmed("city") == 3);
    accept(numbered("a", 4, 9));

    Account account = buffer.account("a", ALWAYS, NEVER);

    assertThat(account.accepted()).isEqualTo(Map.of(StreamClass.TELEMETRY, 9L));
    assertThat(account.deliveries())
        .containsExactly(new Delivered("city", StreamClass.TELEMETRY, 2, 7));
    assertThat(account.complete()).isTrue();
    assertThat(buffer.account("b", ALWAYS, NEVER).deliveries())
        .containsExactly(new Delivered("city", StreamClass.TELEMETRY, 2, 1));
    assertThat(buffer.account("c", ALWAYS, NEVER).accepted()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 30, 30",
    "0, 29, 29",
    "1, 30, 29",
    "5, 15, 10",
    "9, 10, 1",
    "10, 20, 10",
    "20, 20, 0",
    "30, 40, 0"
  })
  void theSpanOfAnAccountHoldsItsStartAndNotItsEnd(int from, int to, long expected)
      throws Exception {
    open();
    away("city");
    for (int i = 0; i < 30; i += 10) {
      accept(numbered("a", i, i + 10));
    }
    Account account = buffer.account("a", T0.plusMillis(from), T0.plusMillis(to));
    assertThat(account.accepted().getOrDefault(StreamClass.TELEMETRY, 0L)).isEqualTo(expected);
    assertThat(account.deliveries().stream().mapToLong(Delivered::unconfirmed).sum())
        .isEqualTo(expected);
  }

  @Test
  void timesFinerThanAMillisecondAreCountedRight() throws Exception {
    open();
    List<Reading> readings = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      readings.add(Readings.telemetry("a", i, T0.plusNanos(i * 100_000L + 50)));
    }
    accept(readings);
    Account account = buffer.account("a", T0.plusNanos(200_050), T0.plusNanos(800_050));
    assertThat(account.accepted()).isEqualTo(Map.of(StreamClass.TELEMETRY, 6L));
  }

  @Test
  void theAccountListsTheGapsOfTheDeviceAndOfAllThatTouchTheSpan() throws Exception {
    open();
    LedgerEntry own = gap("a", 10, 20, 5, Reason.NEVER_READ);
    LedgerEntry all = gap(LedgerEntry.ALL, 15, 15, 7, Reason.INTERRUPTION);
    for (LedgerEntry entry :
        List.of(
            own,
            all,
            gap("a", 0, 9, 1, Reason.NEVER_READ),
            gap("a", 21, 30, 1, Reason.NEVER_READ),
            gap("b", 10, 20, 1, Reason.NEVER_READ))) {
      buffer.gap(entry).toCompletableFuture().get(60, TimeUnit.SECONDS);
    }
    Account account = buffer.account("a", T0.plusSeconds(10), T0.plusSeconds(21));
    assertThat(account.entries()).containsExactly(own, all);
    assertThat(account.counts()).isEqualTo(Map.of(Reason.NEVER_READ, 5L, Reason.INTERRUPTION, 7L));
  }

  private static LedgerEntry gap(String device, int from, int to, long count, Reason reason) {
    return new LedgerEntry(
        device, "telemetry", T0.plusSeconds(from), T0.plusSeconds(to), count, true, reason, "");
  }

  @Test
  void anAccountOverADamagedRowSaysThatItIsNotComplete() throws Exception {
    open();
    accept(numbered("a", 0, 10));
    accept(numbered("a", 10, 30));
    buffer.close();
    damage("UPDATE entry SET body = zeroblob(20) WHERE id & 0xFFFFFF = 10");
    open();

    Account half = buffer.account("a", T0, T0.plusMillis(20));
    assertThat(half.complete()).isFalse();
    assertThat(half.accepted()).isEqualTo(Map.of(StreamClass.TELEMETRY, 10L));
    Account beside = buffer.account("a", T0, T0.plusMillis(10));
    assertThat(beside.complete()).isTrue();
  }

  @Test
  void aWholeBufferVerifiesWhileItIsWritten() throws Exception {
    open(Duration.ofMillis(50));
    buffer.add("city", new Platform(8).confirming());
    AtomicBoolean done = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              for (int i = 0; !done.get(); i += 50) {
                try {
                  accept(numbered("a", i, i + 50));
                  accept(numbered("b", i, i + 50));
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              }
            });
    writer.start();
    try {
      await().until(() -> buffer.holdings().segments() > 3);
      for (int i = 0; i < 5; i++) {
        Verification verification = buffer.verify();
        assertThat(verification.problems()).isEmpty();
        assertThat(verification.readings()).isPositive();
      }
    } finally {
      done.set(true);
      writer.join();
    }
    buffer.close();
    open(Duration.ofMillis(50));
    Verification verification = buffer.verify();
    assertThat(verification.problems()).isEmpty();
    assertThat(verification.files()).isGreaterThan(5);
    assertThat(verification.readings())
        .isEqualTo(buffer.holdings().classes().stream().mapToLong(Held::readings).sum());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "UPDATE entry SET body = zeroblob(20) WHERE id & 0xFFFFFF = 10"
            + "| telemetry at positions 10 to 29, 20 readings of a: Checksum",
        "UPDATE entry SET head = zeroblob(20) WHERE id & 0xFFFFFF = 10"
            + "| telemetry at positions 10 to 29: Checksum",
        "UPDATE entry SET event_to = 0 WHERE id & 0xFFFFFF = 10"
            + "| telemetry at position 10: its span of time",
        "DELETE FROM entry WHERE id & 0xFFFFFF = 10"
            + "| telemetry at position 30: expected position 10",
        "INSERT INTO stream VALUES ('b', 3, 7)| The beginning of segment-0000000001.db is damaged",
        "UPDATE class SET next = 5| The beginning of segment-0000000001.db is damaged",
        "UPDATE sealed SET after = 39 WHERE after = 40"
            + "| The end of segment-0000000001.db is damaged"
      })
  void verificationNamesWhatIsDamaged(String sql, String expected) throws Exception {
    open();
    accept(numbered("a", 0, 10));
    accept(numbered("a", 10, 30));
    accept(numbered("a", 30, 40));
    buffer.close();
    open(Duration.ZERO);
    accept(numbered("a", 40, 50));
    assertThat(buffer.verify().problems()).isEmpty();
    damage(sql);
    assertThat(buffer.verify().problems())
        .anySatisfy(
            problem ->
                assertThat(problem).startsWith("segment-0000000001.db: ").contains(expected));
    assertThat(buffer.verify().problems().get(0)).contains(expected);
  }

  @Test
  void verificationLooksBetweenFilesAndForgivesOneThatWasDeleted() throws Exception {
    open(Duration.ZERO);
    for (int i = 0; i < 4; i++) {
      accept(numbered("a", i * 10, i * 10 + 10));
    }
    buffer.close();
    List<Path> files = segments();
    Files.delete(files.get(1));
    open(Duration.ofHours(1));
    assertThat(buffer.verify().problems()).isEmpty();
    buffer.close();
    // Whole by itself, but of another log.
    Files.copy(files.get(0), files.get(1));
    open(Duration.ofHours(1));
    assertThat(buffer.verify().problems())
        .first()
        .asString()
        .startsWith("segment-0000000002.db: ")
        .contains("begins at position 0, the file before ends at 10");
  }

  @Test
  void verificationFindsDamageOfTheSmallFilesAndTellsOfWhatIsSetAside() throws Exception {
    open();
    accept(numbered("a", 0, 10));
    buffer.close();
    Files.write(directory.resolve("segment-0000000009.db.damaged"), new byte[50]);
    open();
    buffer.gap(gap("a", 0, 1, 3, Reason.NEVER_READ)).toCompletableFuture().get();
    damage(directory.resolve("ledger.db"), "UPDATE entry SET count = 2 WHERE count = 3");
    Files.write(newestSlot(), new byte[7]);

    Verification verification = buffer.verify();

    assertThat(verification.problems())
        .anyMatch(p -> p.startsWith("segment-0000000009.db.damaged: was set aside"))
        .anyMatch(p -> p.matches("delivery\\.[01]: .*"))
        .anyMatch(p -> p.startsWith("ledger.db: "))
        .hasSize(3);
    assertThat(buffer.holdings().damagedFiles()).isEqualTo(1);
    assertThat(buffer.holdings().damagedBytes()).isEqualTo(50);
  }

  private Path newestSlot() {
    Path other = directory.resolve("delivery.1");
    return Files.exists(other) ? other : directory.resolve("delivery.0");
  }

  @Test
  void aStoredBufferTellsTheSameAsTheOneThatWasKilledAndChangesNothing(@TempDir Path copy)
      throws Exception {
    open(Duration.ofMillis(5));
    Platform city = new Platform(1);
    buffer.add("city", city);
    for (int i = 0; i < 5; i++) {
      accept(numbered("a", i * 10, i * 10 + 10));
    }
    await().until(() -> city.inFlight() == 1);
    city.ready(false);
    int sent = city.answerNext(Receipt.confirmed()).entries().size();
    await().until(() -> unconfirmed("city") == 50 - sent);
    buffer.gap(gap("a", 0, 1, 3, Reason.NEVER_READ)).toCompletableFuture().get();
    await().until(() -> buffer.holdings().classes().stream().mapToLong(Held::readings).sum() == 51);
    killedInto(copy);

    try (StoredBuffer stored = new StoredBuffer(copy, null)) {
      assertThat(stored.account("a", ALWAYS, NEVER).accepted())
          .isEqualTo(Map.of(StreamClass.TELEMETRY, 50L));
      assertThat(stored.account("a", ALWAYS, NEVER).deliveries())
          .allSatisfy(d -> assertThat(d.settled() + d.unconfirmed()).isEqualTo(50));
      assertThat(stored.ledger(ALWAYS, NEVER, 10)).isEqualTo(buffer.ledger(ALWAYS, NEVER, 10));
      assertThat(stored.holdings().classes()).isEqualTo(buffer.holdings().classes());
      assertThat(stored.verify().problems()).isEmpty();
      assertThatThrownBy(
              () ->
                  new DurableBuffer(
                      copy,
                      Readings.settings(),
                      new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open)))
          .hasMessageContaining("in use");
    }
    Map<String, Long> before = contents(copy);
    try (StoredBuffer stored = new StoredBuffer(copy, null)) {
      stored.verify();
      stored.holdings();
    }
    assertThat(contents(copy)).as("a second look changes nothing at all").isEqualTo(before);
  }

  @Test
  void aStoredBufferLeavesWhatCanNotBeReadWhereItIs() throws Exception {
    open(Duration.ZERO);
    for (int i = 0; i < 4; i++) {
      accept(numbered("a", i * 10, i * 10 + 10));
    }
    buffer.close();
    buffer = null;
    List<Path> files = segments();
    Files.write(files.get(1), "not a database".repeat(600).getBytes());
    Files.write(directory.resolve("ledger.db"), "not a database".repeat(600).getBytes());
    Map<String, Long> before = contents(directory);

    try (StoredBuffer stored = new StoredBuffer(directory, null)) {
      Account account = stored.account("a", ALWAYS, NEVER);
      assertThat(account.complete()).isFalse();
      assertThat(account.accepted()).isEqualTo(Map.of(StreamClass.TELEMETRY, 30L));
      assertThat(stored.verify().problems())
          .anyMatch(p -> p.startsWith(files.get(1).getFileName() + ": can't be read"))
          .anyMatch(p -> p.startsWith("ledger.db: "))
          .hasSize(2);
      assertThat(stored.holdings().damagedFiles()).isEqualTo(1);
      assertThat(stored.accept(numbered("a", 0, 1)).toCompletableFuture())
          .isCompletedExceptionally();
    }
    assertThat(contents(directory)).isEqualTo(before);
  }

  @Test
  void encryptedReadingsAreVerifiedAndReadWithTheirKeyAndNotWithout() throws Exception {
    Seal key = new AesSeal(new SecretKeySpec(new byte[32], "AES"));
    buffer =
        new DurableBuffer(
            directory,
            Readings.settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open).with(key, key));
    accept(numbered("a", 0, 10));
    assertThat(buffer.verify().problems()).isEmpty();
    buffer.close();
    buffer = null;

    try (StoredBuffer stored = new StoredBuffer(directory, key)) {
      assertThat(stored.verify().problems()).isEmpty();
      assertThat(stored.account("a", T0, T0.plusMillis(5)).accepted())
          .isEqualTo(Map.of(StreamClass.TELEMETRY, 5L));
    }
    Map<String, Long> before = contents(directory);
    assertThatThrownBy(() -> new StoredBuffer(directory, null)).hasMessageContaining("no key");
    assertThat(contents(directory)).isEqualTo(before);
  }

  @Test
  void whatABoundThinnedOutIsCountedByWhatIsLeft() throws Exception {
    buffer =
        new DurableBuffer(
            directory,
            new Bounds()
                .commitInterval(Duration.ofMillis(10))
                .maxBytes(300_000)
                .segmentSpan(Duration.ofHours(1))
                .settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
    away("city");
    int last = 0;
    while (buffer.holdings().thinned() < 2) {
      accept(Measure.poll(100, 20, T0.plusSeconds(last), last));
      last++;
    }
    long accepted = last * 20L;

    assertThat(buffer.verify().problems()).isEmpty();
    // A bound may be just at work: what is gone is in the ledger a moment before.
    await()
        .untilAsserted(
            () -> {
              Account account = buffer.account("uw-007", ALWAYS, NEVER);
              long left = account.accepted().get(StreamClass.TELEMETRY);
              assertThat(left).isPositive().isLessThan(accepted);
              assertThat(account.deliveries())
                  .containsExactly(new Delivered("city", StreamClass.TELEMETRY, 0, left));
              assertThat(left + account.counts().get(Reason.DROPPED))
                  .as("truth")
                  .isEqualTo(accepted);
            });
  }

  @Test
  void aFileThatGoesMeanwhileIsPassedOverAndNotMadeAnew() throws Exception {
    open(Duration.ZERO);
    for (int i = 0; i < 3; i++) {
      accept(numbered("a", i * 10, i * 10 + 10));
    }
    Path gone = segments().get(0);
    Files.delete(gone);

    assertThat(buffer.verify().problems()).isEmpty();
    assertThat(buffer.holdings().classes().get(0).readings()).isEqualTo(20);
    assertThat(buffer.account("a", ALWAYS, NEVER).accepted())
        .isEqualTo(Map.of(StreamClass.TELEMETRY, 20L));
    assertThat(gone).doesNotExist();
  }

  @Test
  void whereNothingWasEverStoredThereIsNothingToLookAt() {
    assertThatThrownBy(() -> new StoredBuffer(directory.resolve("none"), null))
        .hasMessageContaining("no gateway has stored anything there");
  }

  /** What a process leaves that is killed now. */
  private void killedInto(Path copy) throws IOException {
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        if (!file.toString().endsWith("-shm")) {
          Files.copy(file, copy.resolve(file.getFileName()));
        }
      }
    }
  }

  private static Map<String, Long> contents(Path directory) throws IOException {
    Map<String, Long> contents = new TreeMap<>();
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        CRC32C crc = new CRC32C();
        crc.update(Files.readAllBytes(file));
        contents.put(file.getFileName().toString(), crc.getValue());
      }
    }
    return contents;
  }

  private List<Path> segments() throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().matches("segment-\\d+\\.db"))
          .sorted()
          .toList();
    }
  }

  private void damage(String sql) throws Exception {
    damage(segments().get(0), sql);
  }

  private static void damage(Path file, String sql) throws Exception {
    try (Connection connection = Sqlite.open(file, true)) {
      Sqlite.execute(connection, sql);
    }
  }
}
