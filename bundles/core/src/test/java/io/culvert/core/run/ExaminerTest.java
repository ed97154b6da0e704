package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.service.Doctor.Cause;
import io.culvert.api.service.Doctor.Finding;
import io.culvert.api.service.Doctor.Lane;
import io.culvert.api.service.Doctor.Patient;
import io.culvert.api.southbound.Diagnosed.Facts;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The doctor on lanes that run. */
class ExaminerTest {
  private final Rig rig = new Rig().plug();

  private List<Lane> examine() {
    CompletableFuture<List<Lane>> answer = rig.engine.doctor().examine().toCompletableFuture();
    rig.seconds(1);
    assertThat(answer).isCompleted();
    return answer.join();
  }

  private Lane lane() {
    List<Lane> all = examine();
    assertThat(all).hasSize(1);
    return all.get(0);
  }

  private static Patient patient(Lane lane, String device) {
    return lane.devices().stream().filter(p -> p.device().equals(device)).findFirst().orElseThrow();
  }

  private void answersWithin(Duration time, String... devices) {
    for (String id : devices) {
      rig.driver.reads.put(id, points -> rig.driver.after(time, rig.driver.samples(id, points)));
      rig.device(id, "line");
    }
  }

  @Test
  void aHealthyLaneIsMeasured() {
    answersWithin(Duration.ofMillis(100), "a", "b", "c");
    rig.apply().seconds(240);
    Lane lane = lane();

    assertThat(lane.name()).isEqualTo("fake:line");
    assertThat(lane.findings()).extracting(Finding::cause).containsExactly(Cause.HEALTHY);
    assertThat(lane.figures().busy()).isBetween(0.28, 0.31);
    assertThat(lane.figures().wanted()).isBetween(0.299, 0.301);
    assertThat(lane.figures().round()).isEqualTo(Duration.ofMillis(300));
    assertThat(lane.figures().unanswered()).isZero();
    assertThat(lane.figures().longestWait()).isLessThan(Duration.ofMillis(201));
    Patient a = patient(lane, "a");
    assertThat(a.exchanges().answered()).isBetween(239L, 241L);
    assertThat(a.exchanges().made()).isEqualTo(a.exchanges().answered());
    assertThat(a.latency().longest()).isEqualTo(Duration.ofMillis(100));
    assertThat(a.latency().median().toMillis()).isBetween(88L, 100L);
    assertThat(a.facts()).isNull();
    assertThat(lane.figures().line()).isNull();
  }

  @Test
  void aDeadDeviceIsToldFromItsNeighboursAndWhatItCosts() {
    answersWithin(Duration.ofMillis(10), "a", "b", "c");
    rig.apply().seconds(60);
    rig.driver.reads.put("b", points -> new CompletableFuture<>());
    rig.seconds(120);
    Lane lane = lane();

    assertThat(lane.findings()).hasSize(1);
    Finding finding = lane.findings().get(0);
    assertThat(finding.cause()).isEqualTo(Cause.DEAD_DEVICE);
    assertThat(finding.devices()).containsExactly("b");
    assertThat(finding.evidence()).contains("though 2 others do", "(no answer within 2s)");
    assertThat(lane.figures().unanswered()).isBetween(0.03, 0.25);
    assertThat(patient(lane, "b").exchanges().unansweredInARow()).isGreaterThanOrEqualTo(3);
  }

  @Test
  void lanesInTroubleComeFirst() {
    rig.device("good", "one").device("bad", "two").apply();
    rig.driver.reads.put(
        "bad", points -> CompletableFuture.failedFuture(new IOException("cable cut")));
    rig.seconds(60);

    assertThat(examine())
        .extracting(Lane::name, l -> l.findings().get(0).cause())
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("fake:two", Cause.DEAD_DEVICE),
            org.assertj.core.groups.Tuple.tuple("fake:one", Cause.HEALTHY));
  }

  @Test
  void moreThanTheLaneCanTakeIsToldWithWhatWouldFit() {
    answersWithin(Duration.ofMillis(600), "a", "b");
    rig.apply().seconds(120);
    Lane lane = lane();

    assertThat(lane.findings()).extracting(Finding::cause).containsExactly(Cause.OVERLOAD);
    assertThat(lane.figures().wanted()).isBetween(1.19, 1.21);
    assertThat(lane.findings().get(0).evidence()).contains("120 %", "polls left out");
    assertThat(lane.findings().get(0).advice()).contains("an interval of 1.5 s instead of 1 s");
    assertThat(patient(lane, "a").exchanges().missed()).isPositive();

    for (String id : List.of("a", "b")) {
      rig.device(
          Rig.entry(
              id, "line", Duration.ofMillis(1500), Duration.ofSeconds(2), Rig.profile("p", 1)));
    }
    rig.apply().seconds(900);
    assertThat(lane().findings()).extracting(Finding::cause).containsExactly(Cause.HEALTHY);
  }

  @Test
  void whatTheDeviceRefusesIsNamedPointByPoint() {
    rig.driver.reads.put(
        "a",
        points -> {
          List<Sample> samples = new ArrayList<>(rig.driver.samples("a", points));
          samples.set(1, Sample.bad("p1", Quality.BAD_NOT_FOUND));
          return CompletableFuture.completedFuture(samples);
        });
    rig.device("a", "line").apply().seconds(60);
    Finding finding = lane().findings().get(0);

    assertThat(finding.cause()).isEqualTo(Cause.REFUSED);
    assertThat(finding.evidence()).isEqualTo("a refuses p1: BadNotFound");
  }

  @Test
  void whatADriverCountsIsSummedOverItsConnections() {
    long[] asked = {0};
    rig.driver.facts.put("a", () -> new Facts(asked[0], asked[0], 0, 0, 0, 0, Map.of()));
    rig.driver.reads.put(
        "a",
        points -> {
          asked[0]++;
          return asked[0] % 20 == 0
              ? CompletableFuture.failedFuture(new IOException("cut"))
              : CompletableFuture.completedFuture(rig.driver.samples("a", points));
        });
    // Each opening fails the first time, so that every failure ends in a new connection.
    rig.device("a", "line").apply().seconds(100);
    assertThat(patient(lane(), "a").facts().requests()).isBetween(95L, asked[0]);

    // One that counts from zero again.
    rig.driver.reads.put("a", points -> CompletableFuture.failedFuture(new IOException("cut")));
    rig.seconds(20);
    long before = asked[0];
    asked[0] = 0;
    rig.driver.reads.remove("a");
    rig.seconds(70);
    asked[0] += 7;
    assertThat(patient(lane(), "a").facts().requests()).isEqualTo(before + 7);
  }

  @Test
  void whatADriverCountedBelongsToTheTimeWhenItWasCounted() {
    long[] asked = {0};
    rig.driver.facts.put("a", () -> new Facts(asked[0], asked[0], 0, 0, 0, 0, Map.of()));
    rig.driver.reads.put(
        "a",
        points -> {
          asked[0]++;
          return CompletableFuture.completedFuture(rig.driver.samples("a", points));
        });
    // Nobody asks the doctor for half an hour.
    rig.device("a", "line").apply().seconds(1800);
    Patient a = patient(lane(), "a");

    assertThat(a.facts().requests())
        .isBetween(a.span().toSeconds() - 35, a.span().toSeconds() + 35);
  }

  @Test
  void whatIsHeardOnALineIsCountedOnceForAllThatShareIt() {
    for (String id : List.of("a", "b", "c")) {
      rig.driver.facts.put(id, () -> new Facts(0, 0, 0, 0, 0, 0, Map.of()));
      rig.device(id, "line");
    }
    rig.apply().seconds(5);
    for (int i = 1; i <= 100; i++) {
      rig.driver.line = new LineFacts(0, 0, i, 0, 2 * i);
      rig.seconds(1);
    }
    assertThat(lane().figures().line()).isEqualTo(new LineFacts(0, 0, 100, 0, 200));

    // The one that was listened to goes; another takes over.
    rig.without("a").apply();
    rig.driver.line = new LineFacts(0, 0, 150, 0, 300);
    rig.seconds(1);
    assertThat(lane().figures().line().foreign()).isBetween(100L, 150L);
    rig.driver.line = new LineFacts(0, 0, 160, 0, 320);
    assertThat(lane().figures().line().foreign()).isBetween(110L, 160L);
  }

  @Test
  void aLineOfWhichEachConnectionCountsFromZeroIsCountedTooWhileNothingAnswers() {
    for (String id : List.of("a", "b")) {
      rig.driver.facts.put(id, () -> new Facts(1, 0, 0, 1, 0, 0, Map.of()));
      rig.driver.reads.put(
          id,
          points -> {
            rig.driver.line = new LineFacts(0, 0, 0, 0, rig.driver.line.noise() + 7);
            return CompletableFuture.failedFuture(new IOException("no whole answer"));
          });
      rig.driver.opens.put(
          id,
          () -> {
            rig.driver.line = new LineFacts(0, 0, 0, 0, 0);
            return CompletableFuture.completedFuture(rig.driver.connection(id));
          });
      rig.device(id, "line");
    }
    rig.apply().seconds(240);
    int polls = rig.driver.polls("a").size() + rig.driver.polls("b").size();
    Lane lane = lane();

    assertThat(lane.figures().line().noise()).isGreaterThanOrEqualTo(7L * (polls - 6));
    assertThat(lane.findings()).extracting(Finding::cause).containsExactly(Cause.SPEED);
  }

  @Test
  void aDriverThatCannotTellItsFiguresIsJudgedByTheCoresOwn() {
    rig.driver.facts.put(
        "a",
        () -> {
          throw new IllegalStateException("no figures today");
        });
    rig.device("a", "line").apply().seconds(60);
    Lane lane = lane();

    assertThat(patient(lane, "a").facts()).isNull();
    assertThat(lane.findings()).extracting(Finding::cause).containsExactly(Cause.HEALTHY);
  }

  @Test
  void devicesThatWaitForADriverHaveNoLane() {
    Rig none = new Rig();
    none.device("a", "line").apply();
    CompletableFuture<List<Lane>> answer = none.engine.doctor().examine().toCompletableFuture();
    none.seconds(1);

    assertThat(answer.join()).isEmpty();
  }

  @Test
  void aDeviceThatTellsByItselfIsHealthyWithoutPolls() {
    rig.driver.subscribable.add("a");
    rig.device("a", "line").apply().advance(SECOND.multipliedBy(60));

    assertThat(lane().findings()).extracting(Finding::cause).containsExactly(Cause.HEALTHY);
  }
}
