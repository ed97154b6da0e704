package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static io.culvert.core.run.Rig.START;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.Monitor.State;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Points of one device that are read at different intervals. */
class IntervalsTest {
  private final Rig rig = new Rig().plug();

  private record Read(Duration at, List<String> points) {}

  private final List<Read> reads = new ArrayList<>();

  private static PointModel point(String id, StreamClass streamClass, Duration interval) {
    return point(id, streamClass, interval, null);
  }

  private static PointModel point(
      String id, StreamClass streamClass, Duration interval, PointModel.Factor factor) {
    return new PointModel(
        new Point(id, "holding:0", DataType.INT32, Access.READ),
        interval,
        Set.of(),
        null,
        BigDecimal.ONE,
        factor,
        BigDecimal.ZERO,
        "",
        null,
        null,
        streamClass,
        Grade.GENERAL,
        null);
  }

  private static Site.Entry device(Duration interval, PointModel... points) {
    return Rig.entry(
        "a", "one", interval, SECOND, new Profile("p", "fake", SECOND, Map.of(), List.of(points)));
  }

  /** Two points a second, one of them a state, and three every five seconds. */
  private static Site.Entry twoGroups() {
    Duration five = Duration.ofSeconds(5);
    return device(
        SECOND,
        point("slow1", StreamClass.EVENT, five),
        point("fast1", StreamClass.TELEMETRY, null),
        point("slow2", StreamClass.EVENT, five),
        point("fast2", StreamClass.STATE, SECOND),
        point("slow3", StreamClass.EVENT, five));
  }

  /** Notes what is read, and lets the device answer as the function says. */
  private void answers(Function<List<Point>, CompletionStage<List<Sample>>> how) {
    rig.driver.reads.put(
        "a",
        points -> {
          reads.add(new Read(rig.elapsed(), points.stream().map(Point::id).toList()));
          return how.apply(points);
        });
  }

  private CompletionStage<List<Sample>> well(List<Point> points) {
    return CompletableFuture.completedFuture(rig.driver.samples("a", points));
  }

  private static boolean slow(List<Point> points) {
    return points.get(0).id().startsWith("slow");
  }

  private List<Duration> times(String first) {
    return reads.stream().filter(r -> r.points().get(0).equals(first)).map(Read::at).toList();
  }

  private Map<String, Long> entered() {
    Map<String, Long> entered = new java.util.TreeMap<>();
    rig.buffer.ledger.forEach(e -> entered.merge(e.streamClass(), e.count(), Long::sum));
    return entered;
  }

  @Test
  void eachGroupKeepsToItsGridAndWhatFallsDueTogetherIsReadOneAfterTheOther() {
    answers(this::well);
    rig.device(twoGroups()).apply().seconds(60);

    assertThat(PollingTest.gaps(times("fast1"))).hasSize(59).containsOnly(SECOND);
    assertThat(PollingTest.gaps(times("slow1"))).hasSize(11).containsOnly(Duration.ofSeconds(5));
    assertThat(times("fast1")).containsAll(times("slow1"));
    assertThat(reads.get(0).points()).containsExactly("slow1", "slow2", "slow3");
    assertThat(reads.get(1).points()).containsExactly("fast1", "fast2");
    assertThat(rig.driver.opened("a")).isEqualTo(1);
    assertThat(rig.engine.figures().read()).isEqualTo(60 * 2 + 12 * 3);
    assertThat(rig.engine.figures().missed()).isZero();
  }

  @Test
  void theSitesIntervalActsOnPointsWithoutOneOfTheirOwn() {
    answers(this::well);
    rig.device(
            device(
                Duration.ofSeconds(10),
                point("own", StreamClass.STATE, Duration.ofSeconds(2)),
                point("site", StreamClass.STATE, null)))
        .apply()
        .seconds(60);

    assertThat(times("own")).hasSize(30);
    assertThat(times("site")).hasSize(6);
  }

  @Test
  void aSlowAnswerOfOneGroupDelaysTheOtherAndDoesNotCostIt() {
    answers(
        points ->
            slow(points)
                ? rig.driver.after(Duration.ofMillis(900), rig.driver.samples("a", points))
                : well(points));
    rig.device(
            device(
                Duration.ofMillis(1500),
                point("slow1", StreamClass.EVENT, Duration.ofSeconds(5)),
                point("fast1", StreamClass.EVENT, null)))
        .apply()
        .seconds(60);

    assertThat(times("fast1")).hasSize(40);
    assertThat(times("slow1")).hasSize(12);
    assertThat(rig.engine.figures().missed()).isZero();
    assertThat(rig.buffer.ledger).isEmpty();
  }

  @Test
  void aGroupThatFailsAloneIsEnteredWithItsOwnPointsAndTakenBackTheThirdTime() {
    answers(this::well);
    rig.device(twoGroups()).apply().seconds(3);
    answers(
        points ->
            slow(points)
                ? CompletableFuture.failedFuture(new IOException("table locked"))
                : well(points));
    rig.seconds(20);

    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.driver.opened("a")).isEqualTo(1);
    assertThat(times("fast1")).hasSize(23);
    assertThat(entered()).isEqualTo(Map.of("event", 4L * 3));
    assertThat(rig.buffer.of("a").stream().filter(r -> r.quality().bad()).map(Reading::point))
        .containsExactly("slow1", "slow2", "slow3");
  }

  @Test
  void whileTheDeviceFailsItIsTriedByTheShortestIntervalOnlyAndEveryTurnIsEntered() {
    answers(this::well);
    rig.device(twoGroups()).apply().seconds(8);
    int before = reads.size();
    Duration lastFast = times("fast1").get(7);
    Duration lastSlow = times("slow1").get(1);
    answers(points -> CompletableFuture.failedFuture(new IOException("cut")));
    rig.seconds(100);
    assertThat(rig.status("a").state()).isEqualTo(State.OFFLINE);
    assertThat(reads.subList(before, reads.size()).stream().filter(r -> r.points().size() == 3))
        .describedAs("at the beginning, before it is known to fail")
        .hasSizeLessThanOrEqualTo(1);
    answers(this::well);
    int failed = reads.size();
    while (rig.status("a").state() != State.ONLINE) {
      rig.seconds(1);
    }
    rig.seconds(20);

    Read fast = reads.get(failed);
    Read slow = reads.get(failed + 1);
    assertThat(fast.points()).containsExactly("fast1", "fast2");
    assertThat(slow.points()).containsExactly("slow1", "slow2", "slow3");
    assertThat(slow.at()).describedAs("all of it is read at once").isEqualTo(fast.at());
    assertThat(times("slow1")).contains(slow.at().plusSeconds(5), slow.at().plusSeconds(10));
    long fastTurns = fast.at().minus(lastFast).toSeconds() - 1;
    // The last turn of the old grid is the one that was read late, if there was one since.
    long slowTurns = (slow.at().minus(lastSlow).toMillis() - 1) / 5000;
    assertThat(entered().get("telemetry")).isEqualTo(fastTurns);
    assertThat(entered().get("state")).isEqualTo(fastTurns);
    assertThat(entered().get("event")).isBetween(3 * (slowTurns - 1), 3 * slowTurns);
    assertThat(rig.engine.latest("a")).allMatch(r -> r.quality().good());
  }

  @Test
  void aTurnOfALongIntervalThatComesWhileTheDeviceFailsIsTakenWhenItAnswers() {
    answers(this::well);
    rig.device(
            device(
                SECOND,
                point("slow1", StreamClass.EVENT, Duration.ofHours(1)),
                point("fast1", StreamClass.TELEMETRY, null)))
        .apply()
        .seconds(3);
    Duration due = times("slow1").get(0).plusHours(1);
    rig.advance(due.minus(rig.elapsed()).minusMillis(1500));
    answers(points -> CompletableFuture.failedFuture(new IOException("busy")));
    rig.advance(Duration.ofMillis(1200));
    answers(this::well);
    rig.seconds(5);

    assertThat(times("slow1")).hasSize(2);
    assertThat(times("slow1").get(1)).isBetween(due, due.plusSeconds(3));
    assertThat(entered()).containsOnlyKeys("telemetry");
    assertThat(rig.driver.opened("a")).describedAs("it was never lost").isEqualTo(1);
  }

  @Test
  void withoutABufferTurnsOfLongIntervalsWaitForIt() {
    Rig late = new Rig(false);
    late.plug();
    late.device(
            device(
                SECOND,
                point("slow1", StreamClass.EVENT, Duration.ofHours(1)),
                point("fast1", StreamClass.TELEMETRY, null)))
        .apply()
        .seconds(30);
    assertThat(late.driver.polls("a")).isEmpty();
    late.engine.buffer(late.buffer);
    late.seconds(2);

    assertThat(late.buffer.of("a")).extracting(Reading::point).contains("slow1", "fast1");
  }

  @Test
  void aGatewayThatStartsBeforeItsBufferReadsLongIntervalsAsSoonAsThatIsThere() {
    Rig late = new Rig(false);
    late.plug();
    late.device(device(Duration.ofHours(1), point("p", StreamClass.EVENT, null)))
        .apply()
        .seconds(30);
    late.engine.buffer(late.buffer);
    late.seconds(10);

    assertThat(late.buffer.of("a")).hasSize(1);
  }

  @Test
  void whatIsDueWhenPollingEndsIsEnteredWithItsPoints() {
    answers(this::well);
    rig.device(twoGroups()).apply().seconds(3);
    answers(points -> new CompletableFuture<>());
    Duration next = times("slow1").get(0).plusSeconds(5);
    rig.advance(next.minus(rig.elapsed()));
    rig.engine.close();

    // One fast poll was cut by its deadline, one more turn came; the slow one waits.
    assertThat(entered().get("event")).isEqualTo(3L);
    assertThat(entered().get("telemetry")).isEqualTo(entered().get("state")).isPositive();
  }

  @Test
  void aFactorOfALongIntervalIsKnownBeforeWhatItScalesIsReadFirst() {
    rig.driver.held.put("a.ratio", Value.of(40));
    rig.driver.held.put("a.u", Value.of(6));
    rig.device(
            device(
                SECOND,
                point(
                    "u",
                    StreamClass.TELEMETRY,
                    null,
                    new PointModel.Factor(List.of("ratio"), false)),
                point("ratio", StreamClass.STATE, Duration.ofHours(1))))
        .apply()
        .seconds(5);

    assertThat(rig.buffer.of("a").stream().filter(r -> r.point().equals("u")))
        .hasSize(5)
        .allMatch(r -> r.quality().good() && r.value().equals(Value.of(240.0)));
  }

  @Test
  void aGapSpansTheTurnsOfBothGroups() {
    answers(this::well);
    rig.device(twoGroups()).apply().seconds(7);
    Duration slowDue = times("slow1").get(1).plusSeconds(5);
    rig.advance(slowDue.minus(rig.elapsed()).minusMillis(500));
    answers(points -> CompletableFuture.failedFuture(new IOException("cut")));
    rig.seconds(1);
    answers(this::well);
    rig.seconds(3);

    Instant at = START.plus(slowDue);
    assertThat(rig.buffer.ledger)
        .filteredOn(e -> e.streamClass().equals("event"))
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.count()).isEqualTo(3);
              assertThat(e.from()).isEqualTo(at);
            });
  }

  /** Each turn of each grid is read, missed or in the ledger, whatever the device does. */
  @Property(tries = 300)
  void noTurnOfAnyGridIsWithoutAnAccount(
      @ForAll @Size(min = 1, max = 60) List<@IntRange(min = 0, max = 4) Integer> answers,
      @ForAll @IntRange(min = 2, max = 9) int second,
      @ForAll @IntRange(min = 1, max = 17) int third,
      @ForAll boolean buffer) {
    Rig own = new Rig().plug();
    int[] next = {0};
    int[] failures = {0};
    own.driver.reads.put(
        "a",
        points -> {
          List<Sample> samples = own.driver.samples("a", points);
          int answer = answers.get(next[0]++ % answers.size());
          // Not three in a row: a lost link begins the grids anew.
          failures[0] = answer < 3 || failures[0] == 2 ? 0 : failures[0] + 1;
          return switch (failures[0] == 0 ? answer % 3 : answer) {
            case 0 -> CompletableFuture.completedFuture(samples);
            case 1 -> own.driver.after(Duration.ofMillis(300), samples);
            case 2 -> own.driver.after(Duration.ofMillis(900), samples);
            case 3 -> CompletableFuture.failedFuture(new IOException("cut"));
            default -> new CompletableFuture<>();
          };
        });
    Duration[] intervals = {SECOND, SECOND.multipliedBy(second), Duration.ofMillis(1300L * third)};
    own.device(
            device(
                intervals[0],
                point("p0", StreamClass.TELEMETRY, null),
                point("p1", StreamClass.STATE, intervals[1]),
                point("p2", StreamClass.EVENT, intervals[2])))
        .apply()
        .seconds(1);
    Duration first = own.driver.polls("a").get(0);
    own.seconds(59);
    if (buffer) {
      own.engine.buffer(null);
      own.seconds(20);
      own.engine.buffer(own.buffer);
    } else {
      own.seconds(20);
    }
    own.seconds(40);
    own.engine.close();

    long turns = 0;
    for (Duration interval : intervals) {
      turns += 1 + Duration.ofSeconds(120).minus(first).dividedBy(interval);
    }
    // What was read and found no buffer is in the ledger too.
    long accepted = own.engine.figures().accepted();
    long entered = own.buffer.ledger.stream().mapToLong(LedgerEntry::count).sum();
    assertThat(accepted + entered + own.engine.figures().missed()).isEqualTo(turns);
  }
}
