package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Value;
import io.culvert.api.service.Commands.Command;
import io.culvert.api.service.Monitor.State;
import io.culvert.core.doctor.LaneVitals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Turns on a lane that several share. */
class LaneTest {
  private final Rig rig = new Rig().plug();

  private void devices(int count, Duration timeout, Duration answer) {
    for (int i = 0; i < count; i++) {
      String id = "d" + i;
      rig.driver.reads.put(id, points -> rig.driver.after(answer, rig.driver.samples(id, points)));
      rig.device(Rig.entry(id, "line", SECOND, timeout, Rig.profile("plain", 1)));
    }
    rig.apply();
  }

  @Test
  void oneExchangeAtATimeAndADeadlineThatDoesNotCountWaiting() {
    // Thirty devices of 1.9 s each wait nearly a minute for their turn; their deadline is 2 s.
    devices(30, Duration.ofSeconds(2), Duration.ofMillis(1900));
    rig.seconds(10 * 57 + 1);

    for (int i = 0; i < 30; i++) {
      assertThat(rig.status("d" + i).failures()).isZero();
      assertThat(rig.status("d" + i).state()).isEqualTo(State.ONLINE);
      assertThat(rig.driver.polls("d" + i).size()).isBetween(10, 11);
    }
    List<Duration> all = new ArrayList<>();
    rig.driver.polls.values().forEach(all::addAll);
    all.sort(null);
    assertThat(PollingTest.gaps(all)).allMatch(gap -> gap.compareTo(Duration.ofMillis(1900)) >= 0);
  }

  @Test
  void aFastDeviceHasNoMoreTurnsThanASlowOne() {
    devices(4, Duration.ofSeconds(2), Duration.ofMillis(600));
    rig.device(
            Rig.entry(
                "greedy",
                "line",
                Duration.ofMillis(10),
                Duration.ofSeconds(2),
                Rig.profile("plain", 1)))
        .apply();
    rig.driver.reads.put(
        "greedy",
        points -> rig.driver.after(Duration.ofMillis(600), rig.driver.samples("greedy", points)));
    rig.seconds(60);

    for (int i = 0; i < 4; i++) {
      assertThat(rig.driver.polls("d" + i).size()).isBetween(19, 21);
    }
    assertThat(rig.driver.polls("greedy").size()).isBetween(19, 21);
  }

  @Test
  void aDeviceThatNeverAnswersCostsItsNeighboursOnlyItsDeadlineAndEverMoreRarely() {
    devices(5, Duration.ofSeconds(2), Duration.ofMillis(10));
    rig.driver.reads.put("d0", points -> new CompletableFuture<>());
    rig.seconds(600);

    assertThat(rig.status("d0").state()).isEqualTo(State.OFFLINE);
    assertThat(rig.status("d0").message()).contains("no answer within 2s");
    int tried = rig.driver.polls("d0").size();
    assertThat(tried).isBetween(15, 45);
    for (int i = 1; i < 5; i++) {
      // Every failing turn takes two of the neighbours' turns.
      assertThat(rig.driver.polls("d" + i).size()).isGreaterThanOrEqualTo(600 - 2 * tried - 1);
      assertThat(rig.status("d" + i).failures()).isZero();
    }
  }

  @Test
  void aCommandOvertakesPollsThatWait() {
    devices(20, Duration.ofSeconds(2), Duration.ofMillis(500));
    rig.seconds(30);
    int before = rig.driver.log.size();
    rig.engine.commands().submit(new Command("1", "d3", "p0", Value.of(1), "shell:root"));
    rig.seconds(2);

    // The exchange under way ends first; opening took place long before.
    assertThat(rig.driver.log.get(before)).isEqualTo("write d3.p0=10");
  }

  @Test
  void aFloodOfCommandsDoesNotStarvePolling() {
    devices(2, Duration.ofSeconds(2), Duration.ofMillis(100));
    rig.seconds(5);
    int before = rig.driver.polls("d1").size();
    for (int i = 0; i < 100; i++) {
      for (int n = 0; n < 16; n++) {
        rig.engine.commands().submit(new Command("1", "d0", "p0", Value.of(1), "shell:root"));
      }
      rig.advance(Duration.ofMillis(100));
    }

    // A command takes 100 ms for reading back: at most 4 of them before a poll has its turn.
    assertThat(rig.driver.polls("d1").size() - before).isGreaterThanOrEqualTo(8);
  }

  private static final Duration DEADLINE = Duration.ofSeconds(2);

  /** Ten of twelve devices on a line are cut off, for so long that the lane knows. */
  private void tenOfTwelveAreCutOff() {
    devices(12, DEADLINE, Duration.ofMillis(100));
    for (int i = 0; i < 10; i++) {
      rig.driver.reads.put("d" + i, points -> new CompletableFuture<>());
    }
    rig.seconds(300);
  }

  private int polls(int from, int to) {
    int all = 0;
    for (int i = from; i < to; i++) {
      all += rig.driver.polls("d" + i).size();
    }
    return all;
  }

  @Test
  void devicesThatDoNotAnswerTakeAtMostAQuarterOfTheLane() {
    tenOfTwelveAreCutOff();
    int dead = polls(0, 10);
    int alive = polls(10, 12);
    rig.seconds(800);

    assertThat(polls(0, 10) - dead).isBetween(90, 101);
    // A turn of 2 s costs each of these two at most two polls.
    assertThat(polls(10, 12) - alive).isGreaterThanOrEqualTo(2 * (800 - 2 * 101));
    for (int i = 0; i < 10; i++) {
      assertThat(rig.driver.polls("d" + i).size()).describedAs("each has its turns").isPositive();
    }
  }

  @Test
  void whenTheyAnswerAgainNobodyIsHeldBackAnyMore() {
    tenOfTwelveAreCutOff();
    for (int i = 0; i < 10; i++) {
      String id = "d" + i;
      rig.driver.reads.put(
          id, points -> rig.driver.after(Duration.ofMillis(20), rig.driver.samples(id, points)));
    }
    rig.seconds(90);

    for (int i = 0; i < 12; i++) {
      assertThat(rig.status("d" + i).state()).isEqualTo(State.ONLINE);
    }
  }

  @Test
  void whereNobodyAnswersNobodyIsHeldBack() {
    devices(5, Duration.ofSeconds(10), Duration.ofMillis(10));
    for (int i = 0; i < 5; i++) {
      rig.driver.reads.put("d" + i, points -> new CompletableFuture<>());
    }
    rig.seconds(300);
    int before = polls(0, 5);
    rig.seconds(600);

    // Held back, they had 15 turns.
    assertThat(polls(0, 5) - before).isGreaterThan(40);
  }

  @Test
  void commandsToADeviceThatDoesNotAnswerCostTheOthersNoMoreThanItsPolls() {
    devices(3, DEADLINE, Duration.ofMillis(10));
    rig.driver.reads.put("d0", points -> new CompletableFuture<>());
    rig.driver.writes.put("d0", (point, value) -> new CompletableFuture<>());
    rig.seconds(60);
    int alive = polls(1, 3);
    for (int i = 0; i < 400; i++) {
      rig.engine.commands().submit(new Command("1", "d0", "p0", Value.of(1), "platform:city"));
      rig.seconds(1);
    }

    assertThat(polls(1, 3) - alive).isGreaterThanOrEqualTo(2 * (400 - 2 * 51));
  }

  @Test
  void aDeviceAloneOnItsLaneIsTriedAsSoonAsItsOwnPauseIsOver() {
    devices(1, DEADLINE, Duration.ofMillis(10));
    rig.driver.reads.put("d0", points -> new CompletableFuture<>());
    rig.seconds(30);

    // Each takes 2 s, and the pauses are at most 1, 2, 4 and 8 s.
    assertThat(rig.driver.polls("d0").size()).isGreaterThanOrEqualTo(5);
  }

  @Test
  void figuresTellTurnsWaitingAndBusyTime() {
    Lane lane = new Lane("line", rig.loop);
    List<Lane.Turn> begun = new ArrayList<>();
    List<Duration> costs = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      lane.poll(
          new Lane.Turn() {
            @Override
            public Object owner() {
              return this;
            }

            @Override
            public void begin() {
              begun.add(this);
            }

            @Override
            public void cost(long waited, long took) {
              costs.add(Duration.ofNanos(waited));
              costs.add(Duration.ofNanos(took));
            }
          });
    }
    rig.advance(Duration.ofMillis(300));
    lane.end(begun.get(0), false);
    rig.advance(Duration.ofMillis(200));
    lane.end(begun.get(1), true);
    lane.end(begun.get(1), true);
    rig.seconds(1);

    assertThat(lane.vitals().figures(rig.loop.nanos()))
        .isEqualTo(
            new LaneVitals.Figures(
                Duration.ofMillis(1500),
                2,
                500_000_000,
                200_000_000,
                Duration.ofMillis(150),
                Duration.ofMillis(300),
                null));
    assertThat(costs).extracting(Duration::toMillis).containsExactly(0L, 300L, 300L, 200L);
    assertThat(begun).hasSize(3);
  }

  /** What takes no time and notes that it had its turn. */
  private static Lane.Turn turn(Lane lane, String name, List<String> had) {
    return new Lane.Turn() {
      @Override
      public Object owner() {
        return name;
      }

      @Override
      public void begin() {
        had.add(name);
        lane.end(this, false);
      }
    };
  }

  @Test
  void whatCanWaitGoesBehindAllElseButIsNotLeftOutForEver() {
    Lane lane = new Lane("line", rig.loop);
    List<String> had = new ArrayList<>();
    Lane.Turn busy =
        new Lane.Turn() {
          @Override
          public Object owner() {
            return this;
          }

          @Override
          public void begin() {}
        };
    lane.poll(busy);
    lane.spare(turn(lane, "history", had));
    for (int i = 0; i < 20; i++) {
      lane.poll(turn(lane, "poll " + i, had));
    }
    lane.command(turn(lane, "command", had));
    lane.end(busy, false);

    assertThat(had).hasSize(22).startsWith("command", "poll 0").endsWith("poll 19");
    assertThat(had.indexOf("history")).isEqualTo(16);
  }
}
