package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.service.Query;
import io.culvert.api.southbound.Historical.Page;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a device kept while its link was lost or the gateway away is filled in. */
class BackfillTest {
  private static final Duration OFTEN = Duration.ofMillis(500);

  private final Rig rig = new Rig().plug();

  /** What the device measured of each point, by time. */
  private final Map<String, TreeMap<Instant, Value>> kept = new TreeMap<>();

  /** Points of which it keeps nothing. */
  private Set<String> without = Set.of();

  /** Samples in a page. */
  private int pageSize = 1000;

  @BeforeEach
  void subscribe() {
    rig.driver.subscribable.add("a");
    rig.driver.histories.put("a", this::page);
    // Answered at once, so that it costs no time.
    rig.engine.query(new Stored(List.of()));
  }

  /** The buffer's log as it was before a start. */
  private record Stored(List<Reading> log) implements Query {
    @Override
    public History history(
        String device, String point, Instant from, Instant to, int limit, Duration patience) {
      throw new AssertionError("not asked for");
    }

    @Override
    public Windows windows(
        String device, String point, Instant from, Instant to, Duration window, Duration patience) {
      throw new AssertionError("not asked for");
    }

    @Override
    public boolean each(String device, String point, Instant from, Instant to, Visitor visitor) {
      for (Reading reading : log) {
        if (reading.device().equals(device)
            && !reading.eventTime().isBefore(from)
            && reading.eventTime().isBefore(to)
            && !visitor.take(new Batch.Entry(1, reading))) {
          return true;
        }
      }
      return true;
    }

    @Override
    public Last last(Map<String, Set<String>> points, Duration patience) {
      Map<String, Reading> last = new TreeMap<>();
      for (Reading reading : log) {
        if (points.getOrDefault(reading.device(), Set.of()).contains(reading.point())
            && !reading.quality().bad()) {
          last.put(reading.device() + "/" + reading.point(), reading);
        }
      }
      return new Last(List.copyOf(last.values()), true);
    }
  }

  private static Reading stored(String point, Instant at, Quality quality) {
    return new Reading(
        "a",
        point,
        StreamClass.TELEMETRY,
        quality.bad() ? null : Value.of(0.5),
        "m",
        quality,
        at,
        at,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }

  private static PointModel banded(PointModel m) {
    return new PointModel(
        m.point(),
        m.scale(),
        m.offset(),
        m.unit(),
        m.min(),
        m.max(),
        m.streamClass(),
        m.grade(),
        new PointModel.Deadband(1000, Duration.ofHours(1)));
  }

  /** Two points a second, of which the second changes once a minute. */
  private Rig device(PointModel... models) {
    List<PointModel> points =
        models.length > 0
            ? List.of(models)
            : List.of(
                Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null),
                Rig.model("p1", Access.READ, StreamClass.TELEMETRY, null, null));
    return rig.device(
        Rig.entry(
            "a", "one", SECOND, SECOND, new Profile("plain", "fake", SECOND, Map.of(), points)));
  }

  /** The device measures, and tells if somebody listens. */
  private void measure(String point, long value) {
    measure(point, value, rig.now());
  }

  private void measure(String point, long value, Instant at) {
    kept.computeIfAbsent(point, p -> new TreeMap<>()).put(at, Value.of(value));
    if (rig.driver.sinks.containsKey("a")) {
      rig.driver.sinks.get("a").accept(List.of(sample(point, value, at)));
    }
    rig.settle();
  }

  private static Sample sample(String point, long value, Instant at) {
    return new Sample(point, Value.of(value), Quality.GOOD, at);
  }

  private void measureFor(int seconds) {
    for (int i = 0; i < seconds; i++) {
      rig.seconds(1);
      measure("p0", i);
      if (i % 60 == 30) {
        measure("p1", i);
      }
    }
  }

  /** Page by page, point after point. */
  private CompletionStage<Page> page(List<Point> points, Instant from, Instant to, String next) {
    List<Sample> all = new ArrayList<>();
    for (Point point : points) {
      if (!without.contains(point.id())) {
        kept.getOrDefault(point.id(), new TreeMap<>())
            .subMap(from, true, to, true)
            .forEach((at, value) -> all.add(new Sample(point.id(), value, Quality.GOOD, at)));
      }
    }
    int begin = next.isEmpty() ? 0 : Integer.parseInt(next);
    int end = Math.min(all.size(), begin + pageSize);
    return CompletableFuture.completedFuture(
        new Page(all.subList(begin, end), without, end < all.size() ? "" + end : ""));
  }

  private void lose() {
    rig.driver.opens.put("a", () -> CompletableFuture.failedFuture(new IOException("refused")));
    rig.driver.sinks.get("a").lost(null);
    rig.settle();
  }

  private void comeBack() {
    rig.driver.opens.remove("a");
    for (int i = 0; i < 300 && rig.status("a").state() != State.ONLINE; i++) {
      measureFor(1);
    }
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
  }

  private List<LedgerEntry> entries(Reason reason) {
    return rig.buffer.ledger.stream().filter(e -> e.reason() == reason).toList();
  }

  private long count(Reason reason) {
    return entries(reason).stream().mapToLong(LedgerEntry::count).sum();
  }

  private List<Instant> times(String point) {
    return rig.buffer.good("a").stream()
        .filter(r -> r.point().equals(point))
        .map(Reading::eventTime)
        .sorted()
        .toList();
  }

  /** Each measurement of a point is stored once. */
  private void complete(String point) {
    List<Instant> times = times(point);
    assertThat(times).as(point).doesNotHaveDuplicates();
    List<Instant> lacking = new ArrayList<>(kept.get(point).keySet());
    lacking.removeAll(times);
    assertThat(lacking).as("lacking of " + point).isEmpty();
    assertThat(times).as(point).hasSize(kept.get(point).size());
  }

  @Test
  void anOutageIsFilledInAndTakenBackInTheLedger() {
    device().apply();
    measureFor(50);
    lose();
    measureFor(130);
    assertThat(times("p0")).hasSize(50);
    comeBack();
    measureFor(30);

    complete("p0");
    complete("p1");
    assertThat(count(Reason.NEVER_READ)).isPositive();
    assertThat(entries(Reason.RECOVERED))
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.count()).isEqualTo(count(Reason.NEVER_READ));
              assertThat(e.exact()).isFalse();
              assertThat(e.from()).isEqualTo(entries(Reason.NEVER_READ).get(0).from());
            });
    Reading filled =
        rig.buffer.good("a").stream()
            .filter(r -> r.eventTime().equals(Rig.START.plusSeconds(60)))
            .findFirst()
            .orElseThrow();
    assertThat(filled.value()).isEqualTo(Value.of(0.9));
    assertThat(filled.receivedTime()).isAfter(Rig.START.plusSeconds(170));
  }

  @Test
  void itIsAskedForPageByPageAtABoundedRateAndEachIsStoredBeforeTheNext() {
    pageSize = 20;
    device().apply();
    measureFor(5);
    lose();
    measureFor(100);
    rig.buffer.hold = true;
    comeBack();
    rig.seconds(30);
    assertThat(rig.driver.pages).hasSize(1);

    rig.buffer.hold = false;
    for (int i = 0; i < 10; i++) {
      List.copyOf(rig.buffer.waiting).forEach(waiting -> waiting.complete(null));
      rig.seconds(1);
    }
    assertThat(rig.driver.pages).hasSizeGreaterThan(4);
    assertThat(rig.driver.pages.stream().map(p -> p.substring(0, p.lastIndexOf(' '))).distinct())
        .as("device, points and span of all pages")
        .hasSize(1);
    complete("p0");
    complete("p1");
  }

  @Test
  void aPageThatTheBufferRefusesIsAskedForAgain() {
    device().apply();
    measureFor(5);
    lose();
    measureFor(20);
    rig.buffer.refusal = new IOException("disk full");
    comeBack();
    rig.seconds(60);
    assertThat(rig.driver.pages).hasSizeGreaterThan(3);
    assertThat(times("p0")).hasSize(5);
    rig.buffer.refusal = null;
    rig.seconds(60);

    assertThat(times("p0")).contains(Rig.START.plusSeconds(15));
    assertThat(times("p0")).doesNotHaveDuplicates();
  }

  @Test
  void itTakesItsTurnBehindPolling() {
    rig.driver.reads.put(
        "b", points -> rig.driver.after(Duration.ofMillis(700), rig.driver.samples("b", points)));
    rig.device("b", "one");
    pageSize = 2;
    rig.driver.histories.put(
        "a",
        (points, from, to, next) ->
            page(points, from, to, next)
                .thenCompose(page -> rig.driver.after(Duration.ofMillis(100), page)));
    device().apply().seconds(5);
    measureFor(20);
    lose();
    measureFor(60);
    comeBack();
    int polls = rig.driver.polls("b").size();
    long missed = rig.engine.figures().missed();
    rig.seconds(120);

    complete("p0");
    assertThat(rig.driver.polls("b").size() - polls).isBetween(119, 121);
    assertThat(rig.engine.figures().missed()).isEqualTo(missed);
  }

  /** A lane that others use all the time isn't left to them alone. */
  @Test
  void onALaneThatIsNeverIdleItHasATurnNowAndThen() {
    for (String other : List.of("b", "c", "d")) {
      rig.driver.reads.put(
          other,
          points -> rig.driver.after(Duration.ofMillis(600), rig.driver.samples(other, points)));
      rig.device(other, "one");
    }
    device().apply().seconds(5);
    measureFor(20);
    lose();
    measureFor(20);
    comeBack();
    rig.seconds(60);

    complete("p0");
  }

  @Test
  void whatIsAtTheEdgesComesOnce() {
    device().apply();
    measureFor(10);
    Instant last = rig.now();
    lose();
    measureFor(9);
    // Measured at the very moment at which it is subscribed to again, and told twice.
    rig.driver.opens.remove("a");
    while (rig.status("a").state() != State.ONLINE) {
      rig.advance(OFTEN);
      kept.get("p0").put(rig.now(), Value.of(77));
    }
    Instant first = kept.get("p0").lastKey();
    rig.driver.sinks.get("a").accept(List.of(sample("p0", 77, first)));
    rig.seconds(1);

    assertThat(rig.driver.pages).hasSize(1);
    complete("p0");
    assertThat(times("p0")).contains(last, first);
  }

  /** The page is here before the device tells by itself what it holds: both say the same. */
  @Test
  void whatTheDeviceTellsAfterItWasFilledInIsNotStoredAgain() {
    device().apply();
    measureFor(40);
    lose();
    for (int i = 0; i < 60; i++) {
      rig.seconds(1);
      kept.get("p0").put(rig.now(), Value.of(i));
    }
    Instant change = rig.now();
    kept.get("p1").put(change, Value.of(5));
    rig.driver.opens.remove("a");
    rig.seconds(100);
    assertThat(rig.driver.pages).hasSize(1);
    complete("p1");

    // Another value is never the same, whatever its time.
    rig.driver.sinks.get("a").accept(List.of(sample("p1", 6, change)));
    rig.settle();
    assertThat(times("p1")).endsWith(change, change);

    // The value that holds since then, as a new subscription begins with.
    int before = times("p1").size();
    rig.driver.sinks.get("a").accept(List.of(sample("p1", 5, change)));
    rig.settle();
    assertThat(times("p1")).hasSize(before);
    assertThat(rig.engine.latest("a"))
        .anyMatch(r -> r.point().equals("p1") && r.eventTime().equals(change));
  }

  @Test
  void whatLiesOutsideTheSpanIsLeftOut() {
    rig.driver.histories.put(
        "a",
        (points, from, to, next) ->
            CompletableFuture.completedFuture(
                new Page(
                    List.of(
                        sample("p1", 1, from.minusNanos(1)),
                        sample("p1", 2, to.minusSeconds(20)),
                        sample("p1", 3, to.plusNanos(1)),
                        Sample.good("p1", Value.of(4)),
                        sample("nobody", 5, to.minusSeconds(20))),
                    Set.of(),
                    "")));
    device().apply();
    measureFor(10);
    lose();
    measureFor(30);
    comeBack();
    rig.seconds(10);

    assertThat(rig.buffer.good("a").stream().filter(r -> r.point().equals("p1")))
        .singleElement()
        .extracting(Reading::value)
        .isEqualTo(Value.of(0.2));
  }

  @Test
  void itChangesNeitherTheLastValueNorTheDeadBand() {
    device(
            banded(Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null)),
            Rig.model("p1", Access.READ, StreamClass.TELEMETRY, null, null))
        .apply();
    measureFor(10);
    lose();
    measureFor(30);
    rig.driver.histories.put(
        "a",
        (points, from, to, next) ->
            page(points, from, to, next)
                .thenCompose(page -> rig.driver.after(Duration.ofSeconds(5), page)));
    comeBack();
    measure("p0", 4000);
    Instant live = rig.now();
    rig.seconds(10);
    assertThat(rig.driver.pages).hasSize(1);
    long filled = times("p0").stream().filter(at -> at.isAfter(Rig.START.plusSeconds(10))).count();
    assertThat(filled).describedAs("none is held back").isGreaterThan(30);

    assertThat(rig.engine.latest("a"))
        .filteredOn(r -> r.point().equals("p0"))
        .singleElement()
        .satisfies(r -> assertThat(r.eventTime()).isEqualTo(live));
    // Near what was told last, and far from what was filled in.
    int before = times("p0").size();
    rig.seconds(1);
    measure("p0", 4001);
    assertThat(times("p0")).hasSize(before);
  }

  @Test
  void countersAndWhatOthersScaleAreLeftOutAndStayInTheLedger() {
    PointModel counter =
        new PointModel(
            new Point("n", "holding:0", DataType.UINT16, Access.READ),
            null,
            Set.of(),
            new PointModel.Counter(65536, null),
            BigDecimal.ONE,
            null,
            BigDecimal.ZERO,
            "",
            null,
            null,
            StreamClass.TELEMETRY,
            Grade.GENERAL,
            null);
    PointModel plain = Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null);
    PointModel scaled =
        new PointModel(
            new Point("s", "holding:0", DataType.INT32, Access.READ),
            null,
            Set.of(),
            null,
            BigDecimal.ONE,
            new PointModel.Factor(List.of("p0"), false),
            BigDecimal.ZERO,
            "",
            null,
            null,
            StreamClass.TELEMETRY,
            Grade.GENERAL,
            null);
    device(counter, plain, scaled).apply();
    measureFor(10);
    lose();
    measureFor(30);
    comeBack();
    rig.seconds(10);

    complete("p0");
    assertThat(rig.driver.pages).singleElement().asString().startsWith("a 1 ");
    assertThat(count(Reason.RECOVERED) * 3).isEqualTo(count(Reason.NEVER_READ));
  }

  @Test
  void ofPointsWithoutHistoryTheGapStays() {
    without = Set.of("p1");
    device().apply();
    measureFor(10);
    lose();
    measureFor(30);
    comeBack();
    rig.seconds(10);

    assertThat(count(Reason.RECOVERED) * 2).isEqualTo(count(Reason.NEVER_READ));
  }

  @Test
  void whatTheDeviceDoesNotTellStaysInTheLedger() {
    rig.driver.histories.put(
        "a",
        (points, from, to, next) ->
            CompletableFuture.failedFuture(new IOException("no such service")));
    device().apply();
    measureFor(10);
    lose();
    measureFor(30);
    comeBack();
    measureFor(300);

    assertThat(rig.driver.pages).hasSize(Backfill.TRIES);
    assertThat(entries(Reason.NEVER_READ)).isNotEmpty();
    assertThat(entries(Reason.RECOVERED)).isEmpty();
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
  }

  @Test
  void aPageThatNeverComesFreesTheLaneAtItsDeadline() {
    rig.driver.histories.put("a", (points, from, to, next) -> new CompletableFuture<>());
    rig.device("b", "one");
    device().apply();
    measureFor(10);
    lose();
    measureFor(30);
    comeBack();
    rig.seconds(11);
    int polls = rig.driver.polls("b").size();
    rig.seconds(3);
    assertThat(rig.driver.polls("b")).hasSize(polls + 3);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
  }

  @Test
  void ofWhatWasFilledInBeforeItFailedSoMuchIsTakenBack() {
    pageSize = 10;
    rig.driver.histories.put(
        "a",
        (points, from, to, next) ->
            next.equals("20")
                ? CompletableFuture.failedFuture(new IOException("worn out"))
                : page(points, from, to, next));
    device().apply();
    measureFor(10);
    lose();
    measureFor(100);
    comeBack();
    rig.seconds(200);

    assertThat(count(Reason.RECOVERED)).isBetween(5L, 20L);
  }

  @Test
  void aLinkThatBreaksWhileItIsFilledInGoesOnLater() {
    pageSize = 10;
    device().apply();
    measureFor(10);
    lose();
    measureFor(60);
    rig.driver.opens.remove("a");
    while (rig.driver.pages.size() < 2) {
      rig.advance(Duration.ofMillis(1));
    }
    lose();
    int before = rig.driver.pages.size();
    measureFor(40);
    assertThat(rig.driver.pages).hasSize(before);
    comeBack();
    measureFor(30);

    complete("p0");
    complete("p1");
    assertThat(count(Reason.RECOVERED)).isEqualTo(count(Reason.NEVER_READ));
    assertThat(rig.driver.pages.get(before)).as("goes on where it was").endsWith(" 20");
  }

  /** As with the continuation points of a session. */
  @Test
  void aPageThatIsNotKnownOnAnotherConnectionBeginsAnew() {
    pageSize = 10;
    Map<String, Integer> madeBy = new TreeMap<>();
    rig.driver.histories.put(
        "a",
        (points, from, to, next) -> {
          int session = rig.driver.opened("a");
          if (!next.isEmpty() && madeBy.get(next) != session) {
            return CompletableFuture.failedFuture(new IOException("BadContinuationPointInvalid"));
          }
          return page(points, from, to, next)
              .thenApply(
                  page -> {
                    madeBy.put(page.next(), session);
                    return page;
                  });
        });
    device().apply();
    measureFor(10);
    lose();
    measureFor(60);
    rig.driver.opens.remove("a");
    while (rig.driver.pages.size() < 3) {
      rig.advance(Duration.ofMillis(1));
    }
    lose();
    measureFor(20);
    comeBack();
    measureFor(60);

    complete("p0");
    complete("p1");
    assertThat(count(Reason.RECOVERED)).isEqualTo(count(Reason.NEVER_READ));
  }

  @Test
  void ofALinkThatDoesNotHoldTheOldestSpansAreGivenUp() {
    rig.driver.histories.put("a", (points, from, to, next) -> new CompletableFuture<>());
    device().apply();
    measureFor(3);
    for (int i = 0; i < Backfill.MOST_SPANS + 4; i++) {
      lose();
      measureFor(3);
      comeBack();
      measureFor(2);
    }
    rig.driver.histories.put("a", this::page);
    measureFor(120);

    assertThat(times("p0")).doesNotHaveDuplicates();
    List<Instant> lacking = new ArrayList<>(kept.get("p0").keySet());
    lacking.removeAll(times("p0"));
    assertThat(lacking).isNotEmpty().allMatch(at -> at.isBefore(Rig.START.plusSeconds(60)));
    assertThat(count(Reason.RECOVERED)).isLessThan(count(Reason.NEVER_READ));
  }

  @Test
  void aDeviceThatIsPolledIsFilledInToo() {
    rig.driver.subscribable.clear();
    rig.driver.reads.put(
        "a",
        points -> {
          kept.computeIfAbsent("p0", p -> new TreeMap<>()).put(rig.now(), Value.of(1));
          return CompletableFuture.completedFuture(List.of(sample("p0", 1, rig.now())));
        });
    device(Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null)).apply().seconds(10);
    var answers = rig.driver.reads.put("a", p -> CompletableFuture.failedFuture(new IOException()));
    for (int i = 0; i < 60; i++) {
      rig.seconds(1);
      kept.get("p0").put(rig.now(), Value.of(2));
    }
    rig.driver.reads.put("a", answers);
    rig.seconds(90);

    complete("p0");
    assertThat(count(Reason.RECOVERED)).isEqualTo(count(Reason.NEVER_READ));
  }

  @Test
  void whatTheSubscriptionKeptIsNotAskedFor() {
    Instant[] complete = {null};
    rig.driver.completeSince.put("a", () -> complete[0]);
    device().apply();
    measureFor(10);
    complete[0] = rig.now();
    lose();
    measureFor(20);
    comeBack();
    rig.seconds(10);
    assertThat(rig.driver.pages).isEmpty();

    complete[0] = null;
    lose();
    measureFor(20);
    comeBack();
    rig.seconds(10);
    assertThat(rig.driver.pages).hasSize(1);
  }

  @Test
  void theTimeSinceAnEarlierStartIsFilledInFromTheNewestStored() {
    Instant newest = Rig.START.minusSeconds(120);
    rig.engine.query(
        new Stored(
            List.of(
                stored("p0", newest.minusSeconds(1), Quality.GOOD),
                stored("p0", newest, Quality.GOOD),
                // The gateway's own word on a lost link.
                stored("p0", newest.plusSeconds(60), Quality.BAD_TIMEOUT))));
    for (int i = -5; i < 120; i++) {
      measure("p0", i, newest.plusSeconds(i));
    }
    measure("p1", 1, newest.minusSeconds(3));
    device().apply();
    measureFor(20);

    List<Instant> expected = new ArrayList<>(kept.get("p0").keySet());
    // Not read before, but not missed either: older than what was stored, by more than is usual.
    assertThat(expected).hasSizeGreaterThan(120);
    expected.removeAll(List.of(newest.minusSeconds(1), newest));
    List<Instant> lacking = new ArrayList<>(expected);
    lacking.removeAll(times("p0"));
    assertThat(lacking).isEmpty();
    assertThat(times("p0")).hasSameSizeAs(expected);
    assertThat(times("p1")).contains(newest.minusSeconds(3));
    assertThat(entries(Reason.RECOVERED))
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.from()).isEqualTo(newest);
              assertThat(e.count()).isBetween(2 * 118L, 2 * 125L);
            });
    assertThat(rig.driver.log.subList(0, 2)).containsExactly("open a", "subscribe a 2");
  }

  /** What was filled in is committed after newer ones. */
  @Test
  void theNewestStoredIsNotTheLastCommitted() {
    Instant newest = Rig.START.minusSeconds(60);
    rig.engine.query(
        new Stored(
            List.of(
                stored("p0", newest, Quality.GOOD),
                stored("p0", newest.minusSeconds(500), Quality.GOOD))));
    measure("p0", 1, newest.minusSeconds(300));
    measure("p0", 1, newest);
    measure("p0", 2, newest.plusSeconds(30));
    device().apply();
    measureFor(5);

    assertThat(times("p0")).startsWith(newest.plusSeconds(30)).doesNotContain(newest);
  }

  @Test
  void atMostSevenDaysAreAskedFor() {
    Instant newest = Rig.START.minus(Duration.ofDays(30));
    rig.engine.query(new Stored(List.of(stored("p0", newest, Quality.GOOD))));
    measure("p0", 1, Rig.START.minus(Duration.ofDays(8)));
    measure("p0", 2, Rig.START.minus(Duration.ofDays(6)));
    device().apply();
    measureFor(5);

    assertThat(times("p0"))
        .startsWith(Rig.START.minus(Duration.ofDays(6)))
        .doesNotContain(Rig.START.minus(Duration.ofDays(8)));
    assertThat(entries(Reason.RECOVERED))
        .singleElement()
        .satisfies(
            e ->
                assertThat(Duration.between(e.from(), e.to()))
                    .isLessThanOrEqualTo(Backfill.LONGEST));
  }

  @Test
  void ofADeviceThatIsNewNothingIsAskedFor() {
    measure("p0", 1, Rig.START.minusSeconds(100));
    device().apply();
    measureFor(20);

    assertThat(rig.driver.pages).isEmpty();
    assertThat(rig.buffer.ledger).isEmpty();
  }

  @Test
  void theDeviceIsReadThoughWhatIsStoredCannotBeFound() {
    rig.engine.query(null);
    device().apply();
    measureFor(10);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
  }

  @Test
  void aLogThatCannotBeReadKeepsNobodyFromBeingRead() {
    rig.engine.query(new Stored(new Damaged()));
    device().apply();
    measureFor(10);

    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.driver.pages).isEmpty();
  }

  private static final class Damaged extends AbstractList<Reading> {
    @Override
    public Reading get(int index) {
      throw new UncheckedIOException(new IOException("I/O error"));
    }

    @Override
    public int size() {
      return 1;
    }
  }

  @Test
  void aDriverThatGoesEndsItAndTheNextOneGoesOn() {
    pageSize = 10;
    device().apply();
    measureFor(10);
    lose();
    measureFor(60);
    rig.driver.opens.remove("a");
    while (rig.driver.pages.size() < 2) {
      rig.advance(Duration.ofMillis(1));
    }
    rig.engine.removeDriver("fake");
    measureFor(5);
    assertThat(count(Reason.RECOVERED)).isPositive().isLessThan(count(Reason.NEVER_READ));
    rig.plug();
    measureFor(60);

    complete("p0");
    assertThat(count(Reason.RECOVERED)).isLessThanOrEqualTo(count(Reason.NEVER_READ));
  }

  @Test
  void aPageWithoutBoundIsNotTakenAndTheDriverIsAccused() {
    List<Sample> many = new ArrayList<>();
    for (int i = 0; i <= Conduct.AT_ONCE; i++) {
      many.add(sample("p0", i, Rig.START.plusSeconds(12)));
    }
    rig.driver.histories.put(
        "a",
        (points, from, to, next) ->
            CompletableFuture.completedFuture(new Page(many, Set.of(), "more")));
    device().apply();
    measureFor(10);
    lose();
    measureFor(30);
    rig.driver.opens.remove("a");
    for (int i = 0; i < 120 && rig.status("a").state() != State.QUARANTINED; i++) {
      rig.seconds(1);
    }

    assertThat(rig.status("a").state()).isEqualTo(State.QUARANTINED);
    assertThat(rig.status("a").message()).contains("in a page of history");
  }

  @Test
  void pagesThatBringNothingComeToAnEnd() {
    rig.driver.histories.put(
        "a",
        (points, from, to, next) ->
            CompletableFuture.completedFuture(new Page(List.of(), Set.of(), "more")));
    device().apply();
    measureFor(10);
    lose();
    measureFor(5);
    comeBack();
    rig.seconds(60);

    assertThat(rig.driver.pages).hasSize(Backfill.BARREN);
    assertThat(entries(Reason.RECOVERED)).isEmpty();
  }

  @Test
  void historyCountsAsReadAndAccepted() {
    device().apply();
    measureFor(10);
    lose();
    measureFor(30);
    comeBack();
    measureFor(5);

    assertThat(rig.engine.figures().read()).isEqualTo(rig.engine.figures().accepted());
    assertThat(rig.engine.figures().accepted()).isEqualTo(rig.buffer.good("a").size());
  }
}
