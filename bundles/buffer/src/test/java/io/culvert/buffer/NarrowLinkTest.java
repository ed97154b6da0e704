package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.of;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.buffer.NarrowLink.Arrived;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Links, and budgets of bytes, that carry less than is measured. */
class NarrowLinkTest {
  private static final int POINTS = 100;
  private static final long DAY = 24 * 3600;
  private Rig rig;

  @BeforeEach
  void open() throws IOException {
    rig = new Rig(new Bounds());
  }

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  /** Each point measured once, at a second of the loop's time. */
  private void measure(StreamClass streamClass) throws IOException {
    List<Reading> readings = new ArrayList<>();
    for (int p = 0; p < POINTS; p++) {
      readings.add(of("d" + p % 5, "p" + p, streamClass, Value.of(p), now()));
    }
    rig.commit(readings);
  }

  private java.time.Instant now() {
    return T0.plusNanos(rig.loop.nanos());
  }

  private void run(int seconds, StreamClass... classes) throws IOException {
    for (int s = 0; s < seconds; s++) {
      for (StreamClass streamClass : classes) {
        measure(streamClass);
      }
      if (s % 10 == 5) {
        rig.commit(List.of(of("d0", "high", StreamClass.ALARM, Value.of(true), now())));
      }
      rig.pass(Duration.ofSeconds(1));
    }
  }

  private static Duration age(Arrived arrived, Batch.Entry entry) {
    return Duration.between(entry.reading().eventTime(), T0.plusNanos(arrived.nanos()));
  }

  /** How often each point came live. */
  private static IntSummaryStatistics turns(NarrowLink link, StreamClass streamClass) {
    Map<String, Integer> turns = new HashMap<>();
    for (Arrived arrived : link.arrived()) {
      if (!arrived.batch().historical() && arrived.batch().streamClass() == streamClass) {
        arrived.batch().entries().forEach(e -> turns.merge(e.reading().point(), 1, Integer::sum));
      }
    }
    assertThat(turns).hasSize(POINTS);
    return turns.values().stream().mapToInt(i -> i).summaryStatistics();
  }

  private static Duration oldest(NarrowLink link, StreamClass streamClass, long fromSecond) {
    return link.arrived().stream()
        .filter(arrived -> arrived.nanos() >= fromSecond * 1_000_000_000)
        .filter(arrived -> !arrived.batch().historical())
        .filter(arrived -> arrived.batch().streamClass() == streamClass)
        .flatMap(arrived -> arrived.batch().entries().stream().map(entry -> age(arrived, entry)))
        .max(Duration::compareTo)
        .orElseThrow();
  }

  private static long arrived(NarrowLink link) {
    return link.arrived().stream().mapToLong(arrived -> arrived.batch().entries().size()).sum();
  }

  @Test
  void aLinkThatCarriesAFifthSeesEachPointAfreshAndEveryAlarmSoon() throws IOException {
    NarrowLink link = new NarrowLink(rig.loop, POINTS * NarrowLink.READING_BYTES / 5);
    rig.start(link);
    run(600, StreamClass.TELEMETRY);

    assertThat(oldest(link, StreamClass.TELEMETRY, 0))
        .as("the first batch alone takes so long, before anything is known of the link")
        .isLessThan(Duration.ofSeconds(35));
    assertThat(oldest(link, StreamClass.TELEMETRY, 60)).isLessThan(Duration.ofSeconds(20));
    assertThat(oldest(link, StreamClass.ALARM, 60)).isLessThan(Duration.ofSeconds(10));
    IntSummaryStatistics turns = turns(link, StreamClass.TELEMETRY);
    assertThat(turns.getMin()).isGreaterThan(60);
    assertThat(turns.getMax() - turns.getMin()).as("evenly").isLessThanOrEqualTo(20);

    // Nothing is lost by it: the rest goes when there is room.
    rig.pass(Duration.ofHours(2));
    assertThat(rig.unconfirmed()).isZero();
    assertThat(arrived(link)).isEqualTo(600 * POINTS + 60);
    for (boolean historical : new boolean[] {true, false}) {
      Map<String, List<Long>> sequences = new HashMap<>();
      for (Arrived arrived : link.arrived()) {
        if (arrived.batch().historical() == historical
            && arrived.batch().streamClass() == StreamClass.TELEMETRY) {
          arrived
              .batch()
              .entries()
              .forEach(
                  e ->
                      sequences
                          .computeIfAbsent(e.reading().device(), d -> new ArrayList<>())
                          .add(e.sequence()));
        }
      }
      assertThat(sequences.values()).allSatisfy(of -> assertThat(of).isSorted());
    }
  }

  @Test
  void statesThatAreTooManyLeaveTelemetryItsTurn() throws IOException {
    NarrowLink link = new NarrowLink(rig.loop, POINTS * NarrowLink.READING_BYTES / 5);
    rig.start(link);
    run(600, StreamClass.STATE, StreamClass.TELEMETRY);
    assertThat(turns(link, StreamClass.TELEMETRY).getMin()).isGreaterThan(20);
    assertThat(turns(link, StreamClass.STATE).getMin()).isGreaterThan(20);
    assertThat(oldest(link, StreamClass.TELEMETRY, 0)).isLessThan(Duration.ofSeconds(50));
    assertThat(oldest(link, StreamClass.STATE, 0)).isLessThan(Duration.ofSeconds(50));
  }

  @Test
  void aLinkThatCarriesAllStaysLiveAndNothingBecomesHistorical() throws IOException {
    NarrowLink link = new NarrowLink(rig.loop, POINTS * NarrowLink.READING_BYTES * 2);
    rig.start(link);
    run(300, StreamClass.TELEMETRY);
    assertThat(link.arrived()).noneMatch(arrived -> arrived.batch().historical());
    assertThat(oldest(link, StreamClass.TELEMETRY, 0)).isLessThan(Duration.ofSeconds(3));
  }

  @Test
  void aBacklogDoesNotDelayAlarmsOnANarrowLink() throws IOException {
    for (int i = 0; i < 200; i++) {
      measure(StreamClass.TELEMETRY);
    }
    NarrowLink link = new NarrowLink(rig.loop, 8000);
    rig.start(link);
    run(100, StreamClass.ALARM);
    List<Duration> ages =
        link.arrived().stream()
            .filter(arrived -> arrived.batch().streamClass() == StreamClass.ALARM)
            .map(arrived -> age(arrived, arrived.batch().entries().get(0)))
            .toList();
    assertThat(ages.stream().max(Duration::compareTo).orElseThrow())
        .as("while the link is new and nothing is known of it")
        .isLessThan(Duration.ofSeconds(14));
    assertThat(ages.subList(ages.size() / 2, ages.size()))
        .as("once it is known")
        .allSatisfy(age -> assertThat(age).isLessThan(Duration.ofSeconds(5)));
  }

  /** Bytes that arrived between two seconds of the loop's time. */
  private static long bytes(NarrowLink link, long from, long to, boolean alarms) {
    return link.arrived().stream()
        .filter(a -> (a.batch().streamClass() == StreamClass.ALARM) == alarms)
        .filter(a -> a.nanos() >= from * 1_000_000_000L && a.nanos() < to * 1_000_000_000L)
        .mapToLong(
            a ->
                NarrowLink.BATCH_BYTES
                    + (long) a.batch().entries().size() * NarrowLink.READING_BYTES)
        .sum();
  }

  @Test
  void aBudgetIsSpentEvenlyAndNeverExceeded() throws IOException {
    // A minute's readings are 5,300 bytes: twice what the budget has.
    long budget = DAY / 60 * 5300 / 2;
    NarrowLink link = new NarrowLink(rig.loop, 1_000_000);
    rig.start(link, budget);
    int hours = 30;
    for (int m = 0; m < hours * 60; m++) {
      measure(StreamClass.TELEMETRY);
      if (m % 3 == 0) {
        rig.commit(List.of(of("d0", "high", StreamClass.ALARM, Value.of(true), now())));
      }
      rig.pass(Duration.ofMinutes(1));
    }
    for (long from = 0; from <= (hours - 24) * 3600; from += 600) {
      assertThat(bytes(link, from, from + DAY, false)).isLessThan((long) (budget * 0.9));
      assertThat(bytes(link, from, from + DAY, true) + bytes(link, from, from + DAY, false))
          .isLessThan(budget);
    }
    assertThat(bytes(link, 0, DAY, false)).as("and used").isGreaterThan((long) (budget * 0.75));
    for (long from = 0; from < hours * 3600; from += 3600) {
      assertThat(bytes(link, from, from + 3600, false))
          .isBetween(budget / 24 * 6 / 10, budget / 24 * 13 / 10);
    }
    assertThat(oldest(link, StreamClass.ALARM, 0)).isLessThan(Duration.ofSeconds(1));
    IntSummaryStatistics turns = turns(link, StreamClass.TELEMETRY);
    assertThat(turns.getMax() - turns.getMin()).as("evenly").isLessThanOrEqualTo(5);
    assertThat(oldest(link, StreamClass.TELEMETRY, 0)).isLessThan(Duration.ofMinutes(5));
    assertThat(rig.delivery().budget().used()).isBetween(budget * 3 / 4, budget);
  }

  @Test
  void alarmsGoWhateverTheBudgetSays() throws IOException {
    NarrowLink link = new NarrowLink(rig.loop, 1_000_000);
    rig.start(link, 20_000);
    int alarms = 100;
    for (int i = 0; i < alarms; i++) {
      measure(StreamClass.TELEMETRY);
      rig.commit(List.of(of("d0", "high", StreamClass.ALARM, Value.of(true), now())));
      rig.pass(Duration.ofSeconds(10));
    }
    assertThat(bytes(link, 0, DAY, true)).isEqualTo(alarms * 350);
    assertThat(oldest(link, StreamClass.ALARM, 0)).isLessThan(Duration.ofSeconds(1));
    assertThat(bytes(link, 0, DAY, false)).isLessThan(18_000);
    assertThat(rig.unconfirmed()).isPositive();
  }
}
