package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.of;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes first when there is no room, over the real store, with threads in the test's hand. */
class RetentionTest {
  private static final int POINTS = 100;

  @TempDir Path directory;
  private final HandLoop loop = new HandLoop();
  private long maxBytes = 1L << 30;
  private Store store;
  private Ledger ledger;
  private Accounts accounts;
  private final List<Pump> pumps = new ArrayList<>();

  @BeforeEach
  void open() throws IOException {
    ledger =
        Ledger.open(directory.resolve("ledger.db"), () -> T0.plusNanos(loop.nanos()), Sqlite::open);
    StateFile file = new StateFile(directory, Readings.wear());
    StateFile.State state = file.load();
    store =
        Store.open(
            directory,
            this::settings,
            new Machine(() -> T0.plusNanos(loop.nanos()), name -> loop, Sqlite::open),
            loop::nanos,
            state == null ? new long[4] : state.next(),
            ledger.cuts());
    accounts = new Accounts(file, state, ledger, store, this::settings);
  }

  @AfterEach
  void close() {
    store.close();
    ledger.close();
  }

  private Settings settings() {
    return new Bounds().maxBytes(maxBytes).segmentSpan(Duration.ofSeconds(40)).settings();
  }

  private void check() throws IOException {
    new Retention(store, ledger, accounts, this::settings, () -> pumps).check();
  }

  /** A second of the street: two devices with many points, a state, an event, an alarm. */
  private void second(int second) throws IOException {
    List<Reading> readings = new ArrayList<>();
    Instant at = T0.plusSeconds(second);
    for (String device : List.of("a", "b")) {
      for (int point = 0; point < POINTS; point++) {
        // Rises and falls, with a spike that must not be lost.
        double value = point + Math.sin((second + point) / 3.0) + (second % 37 == 5 ? 1000 : 0);
        readings.add(of(device, "p" + point, StreamClass.TELEMETRY, Value.of(value), at));
      }
      readings.add(of(device, "mode", StreamClass.STATE, Value.of(second), at));
      readings.add(of(device, "door", StreamClass.EVENT, Value.of(second), at));
      readings.add(of(device, "high", StreamClass.ALARM, Value.of(second), at));
    }
    store.append(readings);
    loop.pass(Duration.ofSeconds(1));
  }

  private void seconds(int from, int to) throws IOException {
    for (int second = from; second < to; second++) {
      second(second);
    }
  }

  /** What a platform gets of what is owed, by stream. */
  private Map<String, Set<Long>> deliver(String id) {
    Platform platform = new Platform(8).confirming();
    Pump pump = new Pump(platform, 0, accounts.delivery(id), store, accounts, this::settings, loop);
    pump.start();
    loop.pass(Duration.ofMinutes(1));
    Map<String, Set<Long>> numbers = new TreeMap<>();
    for (Batch batch : platform.received()) {
      long last = 0;
      for (Batch.Entry entry : batch.entries()) {
        Reading reading = entry.reading();
        assertThat(
                numbers
                    .computeIfAbsent(
                        reading.device() + "/" + reading.streamClass(), k -> new HashSet<>())
                    .add(entry.sequence()))
            .as("once")
            .isTrue();
        last = entry.sequence();
      }
      assertThat(last).isPositive();
    }
    return numbers;
  }

  private long dropped(String platform, String device, StreamClass streamClass) throws IOException {
    return ledger.entries(Instant.MIN, Instant.MAX, 100_000).stream()
        .filter(e -> e.detail().startsWith("Platform " + platform + ":"))
        .filter(e -> e.device().equals(device))
        .filter(e -> e.streamClass().equalsIgnoreCase(streamClass.name()))
        .peek(e -> assertThat(e.reason()).isEqualTo(Reason.DROPPED))
        .mapToLong(LedgerEntry::count)
        .sum();
  }

  private List<Integer> levels() {
    return store.segments().stream().map(Segment::level).toList();
  }

  private void shrinkBy(double part) {
    maxBytes = (long) (store.bytes() * (1 - part));
  }

  @Test
  void telemetryIsThinnedOutOldestFirstBeforeAnyIsDropped() throws IOException {
    accounts.delivery("city");
    seconds(0, 300);
    int files = store.segments().size();
    assertThat(files).isGreaterThan(5);
    shrinkBy(0.05);
    check();
    List<Integer> levels = levels();
    assertThat(levels.get(0)).isEqualTo(1);
    assertThat(levels).as("oldest first").isSortedAccordingTo((a, b) -> b - a);
    assertThat(levels).as("not more than there is need for").contains(0);

    Map<String, Set<Long>> got = deliver("city");
    for (String device : List.of("a", "b")) {
      assertThat(
              got.get(device + "/TELEMETRY").size()
                  + dropped("city", device, StreamClass.TELEMETRY))
          .as("confirmed + ledger = truth")
          .isEqualTo(300 * POINTS);
      assertThat(dropped("city", device, StreamClass.TELEMETRY)).isPositive();
      for (StreamClass whole : List.of(StreamClass.STATE, StreamClass.EVENT, StreamClass.ALARM)) {
        assertThat(got.get(device + "/" + whole)).hasSize(300);
      }
    }
    assertThat(accounts.delivery("city").unconfirmed(store::next)).isZero();
  }

  @Test
  void peaksSurviveThinning() throws IOException {
    accounts.delivery("city");
    seconds(0, 200);
    shrinkBy(0.25);
    check();
    assertThat(levels().subList(0, 2)).containsOnly(1);
    List<Double> values = new ArrayList<>();
    for (Segment segment : store.segments().subList(0, 2)) {
      for (RowHead head : segment.heads(StreamClass.TELEMETRY, Long.MIN_VALUE, Long.MAX_VALUE)) {
        segment.row(head).entries().stream()
            .map(Batch.Entry::reading)
            .filter(r -> r.device().equals("a") && r.point().equals("p3"))
            .forEach(r -> values.add(((Value.Decimal) r.value()).value()));
      }
    }
    // Seconds 5, 42 and 79.
    assertThat(values).filteredOn(v -> v > 500).hasSize(3);
    assertThat(values).hasSizeBetween(18, 30);
  }

  @Test
  void classesGoOneAfterTheOtherAndAlarmsLast() throws IOException {
    accounts.delivery("city");
    seconds(0, 200);
    long before = store.bytes();
    List<List<Integer>> seen = new ArrayList<>();
    for (double part = 0.1; levels().get(0) < Cut.LAST; part += 0.02) {
      maxBytes = (long) (before * (1 - part));
      check();
      seen.add(levels());
    }
    assertThat(seen)
        .allSatisfy(
            levels -> {
              // All but the file that is being written; nobody is two steps ahead of another.
              List<Integer> sealed = levels.subList(0, levels.size() - 1);
              if (levels.size() == seen.get(0).size()) {
                assertThat(sealed.get(0) - sealed.get(sealed.size() - 1)).isBetween(0, 1);
              }
            });

    Map<String, Set<Long>> got = deliver("city");
    for (StreamClass streamClass : StreamClass.values()) {
      int all = streamClass == StreamClass.TELEMETRY ? 200 * POINTS : 200;
      for (String device : List.of("a", "b")) {
        assertThat(
                got.getOrDefault(device + "/" + streamClass, Set.of()).size()
                    + dropped("city", device, streamClass))
            .as(device + "/" + streamClass)
            .isEqualTo(all);
      }
    }
    assertThat(got.get("a/ALARM")).hasSizeGreaterThan(got.get("a/EVENT").size());
  }

  @Test
  void whatNobodyIsOwedGoesFirst() throws IOException {
    Delivery city = accounts.delivery("city");
    seconds(0, 300);
    city.extend(store::next);
    for (StreamClass streamClass : StreamClass.values()) {
      // The files in the middle.
      Segment.Span from = store.segments().get(3).span(streamClass);
      Segment.Span to = store.segments().get(4).span(streamClass);
      city.confirm(streamClass, from.first(), to.end());
    }
    List<Long> numbers = store.segments().stream().map(Segment::number).toList();
    shrinkBy(0.15);
    check();
    assertThat(store.segments())
        .extracting(Segment::number)
        .doesNotContain(numbers.get(3), numbers.get(4))
        .contains(numbers.get(0));
    assertThat(levels()).containsOnly(0);
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10)).isEmpty();
  }

  @Test
  void onAFullDiskWhatIsConfirmedMakesRoomAndNothingElse() throws IOException {
    Delivery city = accounts.delivery("city");
    seconds(0, 200);
    city.extend(store::next);
    Segment second = store.segments().get(1);
    for (StreamClass streamClass : StreamClass.values()) {
      city.confirm(streamClass, second.span(streamClass).first(), second.span(streamClass).end());
    }
    int files = store.segments().size();
    Retention retention = new Retention(store, ledger, accounts, this::settings, () -> pumps);
    retention.makeRoom();
    retention.makeRoom();
    assertThat(store.segments()).hasSize(files - 1).doesNotContain(second);
    assertThat(levels()).containsOnly(0);
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10)).isEmpty();
  }

  @Test
  void eachPlatformIsToldWhatItLoses() throws IOException {
    Delivery city = accounts.delivery("city");
    accounts.delivery("water");
    seconds(0, 100);
    city.extend(store::next);
    // A part of the oldest file, to the middle of a row.
    city.confirm(StreamClass.TELEMETRY, 0, 950);
    shrinkBy(0.05);
    check();
    assertThat(levels().get(0)).isEqualTo(1);
    Map<String, Set<Long>> atCity = deliver("city");
    Map<String, Set<Long>> atWater = deliver("water");
    for (String device : List.of("a", "b")) {
      long confirmed = device.equals("a") ? 500 : 450;
      assertThat(
              confirmed
                  + atCity.get(device + "/TELEMETRY").size()
                  + dropped("city", device, StreamClass.TELEMETRY))
          .isEqualTo(100 * POINTS);
      assertThat(
              atWater.get(device + "/TELEMETRY").size()
                  + dropped("water", device, StreamClass.TELEMETRY))
          .isEqualTo(100 * POINTS);
    }
  }

  @Test
  void whatIsOnItsWayStaysWhole() throws IOException {
    accounts.delivery("city");
    seconds(0, 50);
    Platform platform = new Platform(2);
    Pump pump =
        new Pump(platform, 0, accounts.delivery("city"), store, accounts, this::settings, loop);
    pumps.add(pump);
    pump.start();
    loop.run();
    for (int i = 0;
        platform.received().stream().noneMatch(b -> b.streamClass() == StreamClass.TELEMETRY);
        i++) {
      platform.answerNext(io.culvert.api.northbound.Receipt.confirmed());
      loop.run();
      assertThat(i).isLessThan(100);
    }
    shrinkBy(0.02);
    Retention retention = new Retention(store, ledger, accounts, this::settings, () -> pumps);
    Thread cleaner = new Thread(() -> check(retention));
    cleaner.start();
    while (cleaner.isAlive()) {
      loop.run();
    }
    assertThat(levels().get(0)).isEqualTo(1);
    platform.lose();
    loop.run();
    platform.confirming().ready(true);
    loop.pass(Duration.ofMinutes(1));
    Set<Long> atPlatform = new HashSet<>();
    platform.entries().stream()
        .filter(e -> e.reading().device().equals("a"))
        .filter(e -> e.reading().streamClass() == StreamClass.TELEMETRY)
        .forEach(e -> atPlatform.add(e.sequence()));
    assertThat(atPlatform.size() + dropped("city", "a", StreamClass.TELEMETRY))
        .isEqualTo(50 * POINTS);
  }

  private static void check(Retention retention) {
    try {
      retention.check();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Takes a cut as far as the ledger, as a crash just after that would leave it. */
  private void cutWithoutInstalling(boolean decided) throws Exception {
    Segment segment = store.segments().get(0);
    List<Delivery> deliveries = accounts.deliveries();
    deliveries.forEach(delivery -> delivery.extend(store::next));
    Cut cut = new Cut(segment, Cut.THINNED, Map.of(), deliveries);
    try (Segment.Replacement replacement = segment.new Replacement(Cut.THINNED)) {
      cut.write(replacement);
      if (decided) {
        accounts.settle(cut, segment.number(), Cut.THINNED, "telemetry is thinned out");
      }
    }
    accounts.flush();
    close();
    open();
  }

  @Test
  void aCutThatStandsInTheLedgerIsFinishedAfterACrash() throws Exception {
    accounts.delivery("city");
    seconds(0, 50);
    cutWithoutInstalling(true);
    assertThat(levels().get(0)).isEqualTo(1);
    Map<String, Set<Long>> got = deliver("city");
    assertThat(dropped("city", "a", StreamClass.TELEMETRY)).isPositive();
    assertThat(got.get("a/TELEMETRY").size() + dropped("city", "a", StreamClass.TELEMETRY))
        .isEqualTo(50 * POINTS);
  }

  @Test
  void aCutThatDoesNotIsUndone() throws Exception {
    accounts.delivery("city");
    seconds(0, 50);
    cutWithoutInstalling(false);
    assertThat(levels()).containsOnly(0);
    try (var files = Files.list(directory)) {
      assertThat(files.filter(f -> f.toString().endsWith(".new"))).isEmpty();
    }
    assertThat(deliver("city").get("a/TELEMETRY")).hasSize(50 * POINTS);
    assertThat(ledger.entries(Instant.MIN, Instant.MAX, 10)).isEmpty();
  }

  @Test
  void nothingExpiresByAJumpOfTheClock() throws Exception {
    Instant[] now = {T0};
    close();
    for (int boot = 0; boot < 3; boot++) {
      Machine machine =
          new Machine(
              () -> now[0],
              name -> loop,
              Sqlite::open,
              new java.util.UUID(boot, boot),
              Seal.PLAIN,
              null);
      store = Store.open(directory, this::settings, machine, loop::nanos, new long[4], Map.of());
      ledger = Ledger.open(directory.resolve("ledger.db"), () -> now[0], Sqlite::open);
      accounts =
          new Accounts(
              new StateFile(directory, Readings.wear()), null, ledger, store, this::settings);
      store.append(List.of(of("a", "p", StreamClass.TELEMETRY, Value.of(boot), now[0])));
      now[0] = now[0].plus(Duration.ofDays(400));
      loop.pass(Duration.ofSeconds(20));
      store.append(List.of(of("a", "p", StreamClass.TELEMETRY, Value.of(boot), now[0])));
      check();
      // And off for a year; or with a clock that lost its battery.
      now[0] = boot == 0 ? now[0].plus(Duration.ofDays(366)) : Instant.EPOCH;
      close();
    }
    open();
    check();
    assertThat(
            Searches.history(store, "a", "p", Instant.MIN, Instant.MAX, 100, () -> true).entries())
        .hasSize(6);
  }
}
