package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static io.culvert.buffer.Readings.of;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Delivery with time and threads in the test's hand, over the real store. */
class PumpTest {
  @TempDir Path directory;
  private final HandLoop loop = new HandLoop();
  private int historyPerSecond = 1_000_000;
  private Duration segmentSpan = Duration.ofHours(6);
  private Duration clockWait = Duration.ZERO;
  private Store store;
  private Ledger ledger;
  private Accounts accounts;
  private Pump pump;

  @BeforeEach
  void open() throws IOException {
    store =
        Store.open(
            directory,
            this::settings,
            new Machine(() -> T0.plusNanos(loop.nanos()), name -> loop, Sqlite::open),
            loop::nanos,
            new long[4],
            Map.of());
    ledger =
        Ledger.open(directory.resolve("ledger.db"), () -> T0.plusNanos(loop.nanos()), Sqlite::open);
    accounts =
        new Accounts(
            new StateFile(directory, Readings.wear()), null, ledger, store, this::settings);
  }

  @AfterEach
  void close() {
    store.close();
    ledger.close();
  }

  private Settings settings() {
    return new Bounds()
        .segmentSpan(segmentSpan)
        .historyPerSecond(historyPerSecond)
        .clockWait(clockWait)
        .settings();
  }

  private void start(Platform platform) {
    pump = new Pump(platform, 0, accounts.delivery("city"), store, accounts, this::settings, loop);
    pump.start();
    loop.run();
  }

  private void commit(List<io.culvert.api.Reading> readings) throws IOException {
    store.append(readings);
    if (pump != null) {
      pump.wake();
      loop.run();
    }
  }

  private long unconfirmed() {
    return accounts.delivery("city").unconfirmed(store::next);
  }

  private static List<Long> sequences(List<Batch> batches) {
    return batches.stream()
        .flatMap(batch -> batch.entries().stream())
        .map(Batch.Entry::sequence)
        .toList();
  }

  private static List<Long> range(long from, long to) {
    return LongStream.range(from, to).boxed().toList();
  }

  /** What goes again of one point, as one batch each lane: its current value, then the rest. */
  private static List<Long> newestFirst(long from, long to) {
    return LongStream.concat(LongStream.of(to - 1), LongStream.range(from, to - 1))
        .boxed()
        .toList();
  }

  @Test
  void sendsWhatIsCommittedWhileConnectedAsLiveAndWhatWasBeforeAsHistorical() throws IOException {
    commit(numbered("a", 0, 10));
    Platform platform = new Platform(8).confirming();
    start(platform);
    commit(numbered("a", 10, 20));
    assertThat(platform.received()).hasSize(3);
    assertThat(sequences(platform.received().subList(0, 1)))
        .as("current value")
        .containsExactly(10L);
    assertThat(sequences(platform.received().subList(1, 3)))
        .containsExactlyElementsOf(
            LongStream.concat(LongStream.range(1, 10), LongStream.range(11, 21)).boxed().toList());
    assertThat(platform.received())
        .extracting(Batch::historical)
        .containsExactly(false, true, false);
    assertThat(unconfirmed()).isZero();
  }

  private static String lane(Batch batch) {
    return (batch.historical() ? "historical " : "live ")
        + batch.streamClass().name().toLowerCase(Locale.ROOT)
        + " "
        + sequences(List.of(batch)).stream().map(Object::toString).collect(joining(","));
  }

  @Test
  void whatGoesFirst() throws IOException {
    List<StreamClass> backwards = new ArrayList<>(List.of(StreamClass.values()));
    Collections.reverse(backwards);
    for (int i = 0; i < 2; i++) {
      for (StreamClass streamClass : backwards) {
        commit(List.of(of("a", "p", streamClass, Value.of(i), T0)));
      }
    }
    Platform platform = new Platform(1);
    start(platform);
    for (StreamClass streamClass : backwards) {
      commit(List.of(of("a", "p", streamClass, Value.of(2), T0)));
    }
    while (platform.inFlight() > 0) {
      platform.answerNext(Receipt.confirmed());
      loop.pass(Duration.ofMillis(10));
    }
    assertThat(platform.received())
        .extracting(PumpTest::lane)
        .as("the first one went before there were live ones")
        .containsExactly(
            "historical alarm 1,2",
            "live alarm 3",
            "live state 2",
            "live telemetry 2",
            "live event 3",
            "live state 3",
            "live telemetry 3",
            "historical event 1,2",
            "historical state 1",
            "historical telemetry 1");
    assertThat(unconfirmed()).isZero();
  }

  @Test
  void liveGoesBeforeBacklogWhateverWaits() throws IOException {
    commit(numbered("a", 0, 8000));
    Platform platform = new Platform(4);
    start(platform);
    while (platform.received().size() < 10) {
      // Answered at once: the link is found to carry more.
      platform.answerNext(Receipt.confirmed());
      loop.run();
    }
    assertThat(platform.inFlight()).as("half of the window").isEqualTo(2);
    commit(numbered("b", 0, 3));
    assertThat(platform.received().get(10).historical()).isFalse();
    assertThat(platform.received().get(10).entries())
        .allSatisfy(entry -> assertThat(entry.reading().device()).isEqualTo("b"));
    // Each answer makes room for one more of the backlog, and live ones still go at once.
    platform.answerNext(Receipt.confirmed());
    loop.run();
    commit(numbered("b", 3, 6));
    List<Batch> received = platform.received();
    assertThat(received.get(received.size() - 1).historical()).isFalse();
  }

  @Test
  void historyGoesAtItsRate() throws IOException {
    historyPerSecond = 1000;
    commit(numbered("a", 0, 5000));
    Platform platform = new Platform(8).confirming();
    start(platform);
    loop.pass(Duration.ofSeconds(2));
    assertThat(platform.entries().size()).isBetween(1000, 2600);
    commit(numbered("b", 0, 2000));
    assertThat(platform.entries().stream().filter(e -> e.reading().device().equals("b")))
        .as("live ones don't wait for it")
        .hasSize(2000);
    loop.pass(Duration.ofSeconds(4));
    assertThat(unconfirmed()).isZero();
    assertThat(platform.entries()).hasSize(7000);
  }

  @Test
  void whatWasInFlightWhenTheLinkWasLostIsSentAgainInOrderAsHistorical() throws IOException {
    Platform platform = new Platform(4);
    start(platform);
    for (int i = 0; i < 4; i++) {
      commit(numbered("a", i * 10, i * 10 + 10));
    }
    platform.answerNext(Receipt.confirmed());
    loop.run();
    platform.lose();
    loop.run();
    commit(numbered("a", 40, 50));
    assertThat(platform.received()).hasSize(4);
    platform.confirming().ready(true);
    loop.pass(Duration.ofSeconds(1));
    commit(numbered("a", 50, 60));
    List<Batch> after = platform.received().subList(4, platform.received().size());
    assertThat(sequences(after.stream().filter(Batch::historical).toList()))
        .isEqualTo(range(11, 50));
    assertThat(sequences(after.stream().filter(batch -> !batch.historical()).toList()))
        .isEqualTo(range(50, 61));
    assertThat(unconfirmed()).isZero();
  }

  @Test
  void whatFollowsAFailedBatchIsSentAgainAfterIt() throws IOException {
    Platform platform = new Platform(3);
    start(platform);
    for (int i = 0; i < 3; i++) {
      commit(numbered("a", i * 10, i * 10 + 10));
    }
    platform.answerNext(Receipt.confirmed());
    platform.answerNext(Receipt.retry());
    loop.run();
    commit(numbered("a", 30, 40));
    assertThat(platform.received()).as("nothing goes while one is in flight").hasSize(3);
    platform.answerNext(Receipt.confirmed());
    platform.confirming();
    loop.pass(Duration.ofSeconds(1));
    assertThat(sequences(platform.received().subList(3, platform.received().size())))
        .isEqualTo(newestFirst(11, 41));
    assertThat(unconfirmed()).isZero();
  }

  @Test
  void whatIsNotAnsweredAMinuteAfterTheLinkWasLostIsSentAgain() throws IOException {
    Platform platform = new Platform(4);
    start(platform);
    commit(numbered("a", 0, 10));
    commit(numbered("a", 10, 20));
    platform.ready(false);
    loop.run();
    platform.ready(true);
    loop.pass(Duration.ofSeconds(55));
    assertThat(platform.received()).as("it may be answered yet").hasSize(2);
    platform.confirming();
    loop.pass(Duration.ofSeconds(15));
    assertThat(sequences(platform.received().subList(2, platform.received().size())))
        .isEqualTo(newestFirst(1, 21));
    assertThat(unconfirmed()).isZero();
    platform.answerNext(Receipt.retry());
    platform.answerNext(Receipt.confirmed());
    loop.run();
    assertThat(accounts.delivery("city").confirmed()).as("counted once").isEqualTo(20);
  }

  @Test
  void aForwarderThatIsReadyAndSilentIsTriedAgainAfterTwoMinutes() throws IOException {
    Platform platform = new Platform(4);
    start(platform);
    commit(numbered("a", 0, 10));
    loop.pass(Duration.ofSeconds(115));
    assertThat(platform.received()).hasSize(1);
    loop.pass(Duration.ofSeconds(15));
    assertThat(platform.received()).hasSize(3);
    assertThat(sequences(platform.received().subList(1, 3))).isEqualTo(newestFirst(1, 11));
  }

  @Test
  void aSlowLinkIsNotASilentOne() throws IOException {
    Platform platform = new Platform(4);
    start(platform);
    for (int i = 0; i < 4; i++) {
      commit(numbered("a", i * 10, i * 10 + 10));
    }
    for (int i = 0; i < 4; i++) {
      loop.pass(Duration.ofSeconds(100));
      platform.answerNext(Receipt.confirmed());
      loop.run();
    }
    assertThat(platform.received()).hasSize(4);
    assertThat(unconfirmed()).isZero();
  }

  @Test
  void aLateConfirmationCountsIfNothingBeforeItIsOwed() throws IOException {
    Platform platform = new Platform(8);
    start(platform);
    for (int i = 0; i < 3; i++) {
      commit(numbered("a", i * 10, i * 10 + 10));
    }
    platform.ready(false);
    loop.pass(Duration.ofSeconds(70));
    assertThat(unconfirmed()).isEqualTo(30);
    platform.answerNext(Receipt.confirmed());
    platform.answerNext(Receipt.retry());
    platform.answerNext(Receipt.confirmed());
    loop.run();
    assertThat(unconfirmed()).as("the third follows one that failed").isEqualTo(20);
    platform.confirming().ready(true);
    loop.pass(Duration.ofSeconds(1));
    assertThat(sequences(platform.received().subList(3, platform.received().size())))
        .isEqualTo(newestFirst(11, 31));
    assertThat(accounts.delivery("city").confirmed()).isEqualTo(30);
  }

  @Test
  void whatWasConfirmedLateIsNotRefusedAfterwards() throws IOException {
    Platform platform = new Platform(8);
    start(platform);
    commit(List.of(of("a", "p", StreamClass.EVENT, Value.of(1), T0)));
    platform.ready(false);
    loop.pass(Duration.ofSeconds(70));
    platform.ready(true);
    loop.pass(Duration.ofSeconds(1));
    assertThat(platform.inFlight()).isEqualTo(2);
    platform.answerNext(Receipt.confirmed());
    platform.answerNext(new Receipt(new Outcome.Refused("twice"), Map.of()));
    loop.pass(Duration.ofSeconds(2));
    assertThat(accounts.delivery("city").confirmed()).isEqualTo(1);
    assertThat(accounts.delivery("city").refused()).isZero();
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10)).isEmpty();
  }

  @Test
  void whatWasRefusedBeforeALateConfirmationStaysInTheLedgerAlone() throws IOException {
    Platform platform = new Platform(8);
    start(platform);
    commit(numbered("a", 0, 10));
    platform.ready(false);
    loop.pass(Duration.ofSeconds(70));
    platform.answering(batch -> new Receipt(new Outcome.Refused("no"), Map.of())).ready(true);
    loop.pass(Duration.ofMillis(500));
    platform.answerNext(Receipt.confirmed());
    loop.pass(Duration.ofSeconds(2));
    assertThat(accounts.delivery("city").confirmed()).isZero();
    assertThat(accounts.delivery("city").refused()).isEqualTo(10);
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10)).hasSize(1);
  }

  @Test
  void aForwarderThatFailsAgainAndAgainIsNotRun() throws IOException {
    List<Long> tries = new ArrayList<>();
    Platform platform =
        new Platform(1)
            .answering(
                batch -> {
                  tries.add(loop.nanos());
                  return Receipt.retry();
                });
    start(platform);
    commit(numbered("a", 0, 1));
    loop.pass(Duration.ofMinutes(1));
    assertThat(tries.size()).isBetween(8, 16);
    assertThat(unconfirmed()).isEqualTo(1);
  }

  @Test
  void aRefusedReadingGoesToTheLedgerAndHoldsUpNothing() throws IOException {
    Platform platform =
        new Platform(4)
            .answering(
                batch ->
                    new Receipt(
                        new Outcome.Confirmed(),
                        batch.entries().get(0).sequence() == 1
                            ? Map.of(
                                3,
                                new Outcome.Refused("unknown property"),
                                5,
                                new Outcome.Refused("unknown property"))
                            : Map.of()));
    start(platform);
    commit(numbered("a", 0, 10));
    commit(numbered("a", 10, 20));
    assertThat(unconfirmed()).isEqualTo(2);
    loop.pass(Duration.ofSeconds(2));
    assertThat(unconfirmed()).isZero();
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10))
        .containsExactly(
            new LedgerEntry(
                "a",
                "telemetry",
                T0.plusMillis(3),
                T0.plusMillis(5),
                2,
                true,
                Reason.REFUSED,
                "Platform city: refused: unknown property"));
    assertThat(accounts.delivery("city").confirmed()).isEqualTo(18);
    assertThat(accounts.delivery("city").refused()).isEqualTo(2);
    assertThat(platform.entries()).hasSize(20);
  }

  @Test
  void aRefusedEntryOfTheLedgerMakesNoFurtherOneToSend() throws IOException {
    start(new Platform(4).answering(batch -> new Receipt(new Outcome.Refused("no"), Map.of())));
    commit(List.of(of(Readings.GATEWAY, "ledger", StreamClass.EVENT, Value.of(1), T0)));
    loop.pass(Duration.ofMinutes(2));
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10)).hasSize(1);
    assertThat(ledger.unsent(10)).isEmpty();

    commit(List.of(of("a", "p", StreamClass.EVENT, Value.of(1), T0)));
    loop.pass(Duration.ofMinutes(2));
    assertThat(ledger.unsent(10)).extracting(s -> s.entry().device()).containsExactly("a");
  }

  /** Ends the segment that is written to. */
  private Segment seal() throws IOException {
    loop.pass(Duration.ofHours(7));
    store.append(List.of(of("z", "p", StreamClass.ALARM, Value.of(1), T0)));
    Segment sealed = store.segments().get(store.segments().size() - 2);
    assertThat(sealed.sealed()).isTrue();
    return sealed;
  }

  private LedgerEntry dropped(String device, int from, int to, int count) {
    return new LedgerEntry(
        device,
        "telemetry",
        T0.plusMillis(from),
        T0.plusMillis(to),
        count,
        true,
        Reason.DROPPED,
        "Platform city: " + Accounts.BOUND);
  }

  @Test
  void onlyWhatIsOwedOfARowIsDroppedAndCounted() throws IOException {
    List<io.culvert.api.Reading> row = new ArrayList<>(numbered("a", 0, 10));
    row.addAll(numbered("b", 0, 10));
    commit(row);
    commit(numbered("c", 0, 10));
    Delivery delivery = accounts.delivery("city");
    delivery.confirm(StreamClass.TELEMETRY, 0, 4);
    delivery.confirm(StreamClass.TELEMETRY, 12, 20);
    Segment dropped = seal();
    accounts.drop(delivery, dropped, Map.of());
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10))
        .containsExactlyInAnyOrder(
            dropped("a", 4, 9, 6), dropped("b", 0, 1, 2), dropped("c", 0, 9, 10));
    assertThat(unconfirmed()).as("the alarm").isEqualTo(1);
  }

  @Test
  void whatIsInFlightIsDroppedOnlyIfItFails() throws IOException {
    segmentSpan = Duration.ZERO;
    Platform platform = new Platform(2);
    start(platform);
    commit(numbered("a", 0, 10));
    commit(numbered("a", 10, 20));
    commit(numbered("a", 20, 25));
    for (Segment segment : store.segments().subList(0, 2)) {
      var flying = pump.flying();
      loop.run();
      accounts.drop(accounts.delivery("city"), segment, flying.getNow(null));
      store.delete(segment);
    }
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10)).isEmpty();
    platform.confirming();
    platform.answerNext(Receipt.confirmed());
    platform.answerNext(Receipt.retry());
    loop.run();
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10))
        .containsExactly(dropped("a", 10, 19, 10));
    loop.pass(Duration.ofSeconds(1));
    assertThat(unconfirmed()).isZero();
    assertThat(accounts.delivery("city").confirmed()).isEqualTo(15);
  }

  @Test
  void whatCanNotBeReadAnyMoreIsDroppedByItsPositions() throws Exception {
    commit(numbered("a", 0, 10));
    accounts.delivery("city");
    Segment sealed = seal();
    try (var connection = Sqlite.open(sealed.file(), true)) {
      Sqlite.execute(connection, "UPDATE entry SET head = zeroblob(20)");
    }
    accounts.drop(accounts.delivery("city"), sealed, Map.of());
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10))
        .extracting(LedgerEntry::device, LedgerEntry::count)
        .containsExactly(org.assertj.core.api.Assertions.tuple("*", 10L));
  }

  @Test
  void readingsOfOnePollStayTogether() throws IOException {
    List<io.culvert.api.Reading> readings = new ArrayList<>();
    for (int poll = 0; poll < 90; poll++) {
      for (int point = 0; point < 7; point++) {
        readings.add(
            of("a", "p" + point, StreamClass.TELEMETRY, Value.of(poll), T0.plusSeconds(poll)));
      }
    }
    Platform platform = new Platform(4).confirming();
    start(platform);
    commit(readings);
    assertThat(platform.received()).extracting(b -> b.entries().size()).containsExactly(497, 133);
  }

  @Test
  void largeReadingsMakeSmallBatches() throws IOException {
    List<io.culvert.api.Reading> readings = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      readings.add(
          of("a", "text", StreamClass.EVENT, Value.of("x".repeat(30_000)), T0.plusMillis(i)));
    }
    Platform platform = new Platform(8).confirming();
    start(platform);
    commit(readings);
    assertThat(platform.received())
        .extracting(b -> b.entries().size())
        .containsExactly(2, 2, 2, 2, 2);
  }

  @Test
  void aSlowPlatformHoldsUpNoOther() throws IOException {
    Platform slow = new Platform(1);
    Platform fast = new Platform(4).confirming();
    start(slow);
    Pump other =
        new Pump(fast, 0, accounts.delivery("county"), store, accounts, this::settings, loop);
    other.start();
    commit(numbered("a", 0, 10));
    commit(numbered("a", 10, 20));
    other.wake();
    loop.run();
    assertThat(fast.entries()).hasSize(20);
    assertThat(slow.entries()).hasSize(10);
    assertThat(unconfirmed()).isEqualTo(20);
  }

  @Test
  void ofEachPointTheNewestReadingGoesFirstIfItIsOwed() throws IOException {
    commit(List.of(of("a", "slow", StreamClass.STATE, Value.of(1), T0)));
    commit(numbered("a", 0, 1000));
    commit(List.of(of("b", "n", StreamClass.TELEMETRY, Value.of(1), T0)));
    Platform platform = new Platform(1).confirming();
    start(platform);
    assertThat(platform.received().subList(0, 2))
        .extracting(PumpTest::lane)
        .containsExactly("live state 1", "live telemetry 1000,1");
    assertThat(sequences(platform.received().subList(2, platform.received().size())))
        .isEqualTo(range(1, 1000));
    assertThat(platform.received().stream().skip(2)).allMatch(Batch::historical);
  }

  @Test
  void aValueOlderThanOneThatThePlatformHasIsNoCurrentOne() throws IOException {
    historyPerSecond = 1;
    commit(numbered("a", 0, 5));
    commit(List.of(of("a", "slow", StreamClass.TELEMETRY, Value.of(1), T0)));
    Platform platform = new Platform(1);
    start(platform);
    platform.answerNext(Receipt.confirmed());
    loop.run();
    assertThat(platform.received())
        .extracting(PumpTest::lane)
        .startsWith("live telemetry 5,6")
        .hasSize(2);
    platform.lose();
    loop.run();
    commit(List.of(of("a", "slow", StreamClass.TELEMETRY, Value.of(2), T0)));
    platform.confirming().ready(true);
    loop.pass(Duration.ofSeconds(1));
    assertThat(platform.received().get(2))
        .extracting(PumpTest::lane)
        .as("of point n it has 5, so 4 is history")
        .isEqualTo("live telemetry 7");
    loop.pass(Duration.ofSeconds(60));
    assertThat(unconfirmed()).isZero();
    assertThat(platform.received().stream().skip(3)).allMatch(Batch::historical);
  }

  @Test
  void alarmsGoWhileCurrentValuesAreLookedFor() throws IOException {
    for (int i = 0; i < 30; i++) {
      commit(List.of(of("a", "p" + i, StreamClass.TELEMETRY, Value.of(1), T0)));
    }
    Platform platform = new Platform(4).confirming();
    loop.slow(Duration.ofMillis(5));
    pump = new Pump(platform, 0, accounts.delivery("city"), store, accounts, this::settings, loop);
    pump.start();
    loop.runOne();
    assertThat(platform.received()).as("not all is seen yet").isEmpty();
    store.append(List.of(of("a", "high", StreamClass.ALARM, Value.of(true), T0)));
    loop.runOne();
    assertThat(platform.received()).extracting(PumpTest::lane).containsExactly("live alarm 1");
    loop.run();
    assertThat(platform.received().get(1).historical()).isFalse();
    assertThat(platform.received().get(1).entries()).hasSize(30);
  }

  @Test
  void currentValuesAreLookedForForASecondAtMost() throws IOException {
    for (int i = 0; i < 30; i++) {
      commit(List.of(of("a", "p" + i, StreamClass.TELEMETRY, Value.of(1), T0)));
    }
    Platform platform = new Platform(4).confirming();
    loop.slow(Duration.ofMillis(100));
    start(platform);
    loop.pass(Duration.ofSeconds(10));
    assertThat(platform.received().get(0).historical()).isFalse();
    assertThat(platform.received().get(0).entries()).hasSizeBetween(5, 11);
    assertThat(platform.received().get(1).historical()).isTrue();
    assertThat(unconfirmed()).isZero();
  }

  @Test
  void currentValuesAreFoundOnBothSidesOfWhatIsDamagedOrMissing() throws Exception {
    segmentSpan = Duration.ZERO;
    for (int i = 0; i < 5; i++) {
      commit(List.of(of("a", "p" + i, StreamClass.TELEMETRY, Value.of(1), T0)));
    }
    List<Segment> segments = store.segments();
    store.close();
    try (var connection = Sqlite.open(segments.get(1).file(), true)) {
      Sqlite.execute(connection, "UPDATE entry SET body = zeroblob(20)");
    }
    java.nio.file.Files.delete(segments.get(3).file());
    open();
    Platform platform = new Platform(4).confirming();
    start(platform);
    assertThat(platform.received()).extracting(PumpTest::lane).startsWith("live telemetry 1,3,5");
    loop.pass(Duration.ofSeconds(5));
    assertThat(unconfirmed()).isZero();
  }

  private io.culvert.api.Reading unsynchronised(StreamClass streamClass, int value) {
    return new io.culvert.api.Reading(
        "a",
        "n",
        streamClass,
        Value.of(value),
        "",
        Quality.GOOD,
        T0,
        T0,
        ClockState.UNSYNCHRONISED,
        Grade.GENERAL);
  }

  @Test
  void telemetryOfAnUnsynchronisedClockWaitsAndWithItWhatFollows() throws IOException {
    clockWait = Duration.ofSeconds(60);
    Platform platform = new Platform(4).confirming();
    start(platform);
    for (StreamClass streamClass : StreamClass.values()) {
      commit(List.of(unsynchronised(streamClass, 1)));
    }
    commit(List.of(of("a", "n", StreamClass.TELEMETRY, Value.of(2), T0)));
    assertThat(platform.received())
        .extracting(PumpTest::lane)
        .containsExactly("live alarm 1", "live event 1", "live state 1");
    loop.pass(Duration.ofSeconds(59));
    assertThat(platform.received()).hasSize(3);
    loop.pass(Duration.ofSeconds(2));
    assertThat(platform.received()).extracting(PumpTest::lane).endsWith("live telemetry 1,2");
  }

  @Test
  void aWaitForTheClockIsNoFallingBehind() throws IOException {
    clockWait = Duration.ofSeconds(60);
    Platform platform = new Platform(4).confirming();
    start(platform);
    for (int i = 0; i < 200; i++) {
      List<io.culvert.api.Reading> readings = new ArrayList<>();
      for (int n = 0; n < 20; n++) {
        readings.add(unsynchronised(StreamClass.TELEMETRY, i));
      }
      commit(readings);
      loop.pass(Duration.ofSeconds(1));
    }
    loop.pass(Duration.ofSeconds(61));
    assertThat(sequences(platform.received())).isEqualTo(range(1, 4001));
    assertThat(platform.received()).noneMatch(Batch::historical);
  }

  @Test
  void telemetryOfAnOutageWaitsForTheClockToo() throws IOException {
    clockWait = Duration.ofSeconds(60);
    commit(numbered("b", 0, 3));
    commit(List.of(unsynchronised(StreamClass.TELEMETRY, 1)));
    commit(List.of(unsynchronised(StreamClass.TELEMETRY, 2)));
    Platform platform = new Platform(4).confirming();
    start(platform);
    loop.pass(Duration.ofSeconds(50));
    assertThat(platform.received())
        .extracting(PumpTest::lane)
        .containsExactly("live telemetry 3", "historical telemetry 1,2");
    loop.pass(Duration.ofSeconds(11));
    assertThat(platform.received())
        .extracting(PumpTest::lane)
        .endsWith("live telemetry 2", "historical telemetry 1");
    assertThat(unconfirmed()).isZero();
  }

  @Test
  void historyDoesNotOvertakeACurrentValueThatWaitsForTheClock() throws IOException {
    clockWait = Duration.ofSeconds(60);
    List<io.culvert.api.Reading> readings = new ArrayList<>(numbered("a", 0, 1));
    readings.add(
        new io.culvert.api.Reading(
            "a",
            "other",
            StreamClass.TELEMETRY,
            Value.of(1),
            "",
            Quality.GOOD,
            T0,
            T0,
            ClockState.UNSYNCHRONISED,
            Grade.GENERAL));
    readings.addAll(numbered("a", 1, 3));
    commit(readings);
    Platform platform = new Platform(4).confirming();
    start(platform);
    loop.pass(Duration.ofSeconds(50));
    assertThat(platform.received())
        .extracting(PumpTest::lane)
        .containsExactly("historical telemetry 1");
    loop.pass(Duration.ofSeconds(11));
    assertThat(platform.received())
        .extracting(PumpTest::lane)
        .endsWith("live telemetry 2,4", "historical telemetry 3");
  }

  @Test
  void aRefusedReadingIsEnteredThoughItsBatchMustBeRetried() throws IOException {
    Platform platform = new Platform(4);
    start(platform);
    commit(numbered("a", 0, 10));
    platform.confirming();
    platform.answerNext(
        new Receipt(new Outcome.Retry(), Map.of(3, new Outcome.Refused("unknown property"))));
    loop.pass(Duration.ofSeconds(2));
    assertThat(unconfirmed()).isZero();
    assertThat(accounts.delivery("city").refused()).isEqualTo(1);
    assertThat(accounts.delivery("city").confirmed()).isEqualTo(9);
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10))
        .extracting(LedgerEntry::count, LedgerEntry::reason)
        .containsExactly(org.assertj.core.api.Assertions.tuple(1L, Reason.REFUSED));
    assertThat(sequences(platform.received().subList(1, platform.received().size())))
        .as("the refused one isn't sent again")
        .containsExactlyInAnyOrder(1L, 2L, 3L, 5L, 6L, 7L, 8L, 9L, 10L);
  }

  @Test
  void aPlatformThatRefusesEachReadingForAnotherReasonFillsNothing() throws IOException {
    int[] number = {0};
    Platform platform =
        new Platform(4)
            .answering(
                batch -> {
                  Map<Integer, Outcome> each = new HashMap<>();
                  for (int i = 0; i < batch.entries().size(); i++) {
                    each.put(i, new Outcome.Refused("reason " + number[0]++));
                  }
                  return new Receipt(new Outcome.Confirmed(), each);
                });
    commit(numbered("a", 0, 20_000));
    start(platform);
    assertThat(platform.entries()).as("once").hasSize(20_000);
    loop.pass(Duration.ofSeconds(2));
    assertThat(unconfirmed()).isZero();
    List<LedgerEntry> entries = ledger.entries(Instant.MIN, Instant.MAX, 1000);
    assertThat(entries).hasSize(101);
    assertThat(entries.stream().mapToLong(LedgerEntry::count).sum()).isEqualTo(20_000);
  }

  @Test
  void whatIsRefusedWaitsForTheLedgerInBoundedNumber() throws IOException {
    historyPerSecond = 10_000_000;
    Platform platform =
        new Platform(4).answering(b -> new Receipt(new Outcome.Refused("no"), Map.of()));
    for (int i = 0; i < 15; i++) {
      commit(numbered("a", i * 8000, i * 8000 + 8000));
    }
    start(platform);
    assertThat(platform.entries()).hasSizeBetween(100_000, 105_000);
    loop.pass(Duration.ofSeconds(3));
    assertThat(unconfirmed()).isZero();
    assertThat(platform.entries()).hasSize(120_000);
    assertThat(
            ledger.entries(Instant.MIN, Instant.MAX, 1000).stream()
                .mapToLong(LedgerEntry::count)
                .sum())
        .isEqualTo(120_000);
  }
}
