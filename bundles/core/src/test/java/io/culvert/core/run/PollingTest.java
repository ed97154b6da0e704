package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.service.Monitor.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** When devices are polled, and what becomes of what they answer. */
class PollingTest {
  private final Rig rig = new Rig().plug();

  @Test
  void pollsKeepToTheirGrid() {
    rig.device("a", "one").apply().seconds(10);

    assertThat(gaps(rig.driver.polls("a"))).hasSize(9).containsOnly(SECOND);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.status("a").polls()).isEqualTo(10);
    assertThat(rig.driver.opened("a")).isEqualTo(1);
  }

  @Test
  void aSlowAnswerDoesNotShiftTheGridAndMissedTurnsAreCountedNotPiledUp() {
    rig.driver.reads.put(
        "a", points -> rig.driver.after(Duration.ofMillis(2500), rig.driver.samples("a", points)));
    rig.device(Rig.entry("a", "one", SECOND, Duration.ofSeconds(5), Rig.profile("plain", 2)))
        .apply()
        .seconds(30);

    assertThat(gaps(rig.driver.polls("a"))).hasSize(9).containsOnly(Duration.ofSeconds(3));
    // Of thirty turns ten were polls; the last of these is still under way with its two misses.
    assertThat(rig.engine.figures().missed()).isEqualTo(18);
    assertThat(rig.buffer.ledger).isEmpty();
  }

  @Test
  void firstPollsOfManyDevicesAreSpreadOverTheInterval() {
    for (int i = 0; i < 200; i++) {
      rig.device("uw-" + i, "lane-" + i);
    }
    rig.apply().seconds(1);

    Map<Long, Integer> perSlot = new HashMap<>();
    Set<Duration> moments = new HashSet<>();
    for (int i = 0; i < 200; i++) {
      Duration first = rig.driver.polls("uw-" + i).get(0);
      moments.add(first);
      perSlot.merge(first.toMillis() / 50, 1, Integer::sum);
    }
    assertThat(moments).hasSizeGreaterThan(190);
    // Ten a slot of 50 ms on average.
    assertThat(perSlot).hasSize(20);
    assertThat(perSlot.values()).allMatch(n -> n <= 25);
  }

  @Test
  void aDeviceOfALongIntervalNeedNotWaitForItsFirstPoll() {
    rig.device(
            Rig.entry(
                "a", "one", Duration.ofHours(1), Duration.ofSeconds(2), Rig.profile("plain", 1)))
        .apply()
        .seconds(10);

    assertThat(rig.driver.polls("a")).hasSize(1);
  }

  @Test
  void readingsOfOnePollAreScaledAndShareOneTime() {
    rig.driver.held.put("a.p0", io.culvert.api.Value.of(1234));
    rig.device("a", "one").apply().seconds(1);

    List<Reading> readings = rig.buffer.of("a");
    assertThat(readings).hasSize(2);
    assertThat(readings.get(0).value()).isEqualTo(io.culvert.api.Value.of(123.4));
    assertThat(readings.get(0).unit()).isEqualTo("m");
    assertThat(readings).extracting(Reading::eventTime).containsOnly(readings.get(0).eventTime());
    assertThat(rig.engine.latest("a")).isEqualTo(readings);
    assertThat(rig.engine.figures())
        .isEqualTo(new io.culvert.api.service.Monitor.Figures(2, 0, 2, 0));
  }

  @Test
  void pointsThatTheDriverLeavesOutAreBadAndThoseItMakesUpAreLeftOut() {
    rig.driver.reads.put(
        "a",
        points ->
            CompletableFuture.completedFuture(
                List.of(
                    io.culvert.api.Sample.good("invented", io.culvert.api.Value.of(1)),
                    io.culvert.api.Sample.good("p1", io.culvert.api.Value.of(1)))));
    rig.device("a", "one").apply().seconds(1);

    assertThat(rig.buffer.of("a"))
        .extracting(Reading::point, r -> r.quality().toString())
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("p0", "BadCommunicationError"),
            org.assertj.core.groups.Tuple.tuple("p1", "Good"));
  }

  @Test
  void whileTheBufferIsSlowADeviceIsAskedForABoundedNumberOfReadingsOnly() {
    rig.buffer.hold = true;
    rig.device("a", "one").apply().seconds(100);

    assertThat(rig.driver.polls("a")).hasSize(Intake.MOST);
    assertThat(rig.engine.figures().missed()).isEqualTo(100 - Intake.MOST);

    rig.buffer.hold = false;
    rig.buffer.waiting.forEach(f -> f.complete(null));
    rig.seconds(10);
    assertThat(rig.driver.polls("a")).hasSize(Intake.MOST + 10);
    assertThat(rig.engine.figures().accepted()).isEqualTo(2L * (Intake.MOST + 10));
  }

  static List<Duration> gaps(List<Duration> moments) {
    List<Duration> gaps = new ArrayList<>();
    for (int i = 1; i < moments.size(); i++) {
      gaps.add(moments.get(i).minus(moments.get(i - 1)));
    }
    return gaps;
  }
}
