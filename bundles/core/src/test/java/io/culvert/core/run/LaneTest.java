package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Value;
import io.culvert.api.service.Commands.Command;
import io.culvert.api.service.Monitor.State;
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

  @Test
  void figuresTellTurnsDeadlinesAndBusyTime() {
    Lane lane = new Lane("line", rig.loop);
    List<Lane.Turn> begun = new ArrayList<>();
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
          });
    }
    rig.advance(Duration.ofMillis(300));
    lane.end(begun.get(0), false);
    rig.advance(Duration.ofMillis(200));
    lane.end(begun.get(1), true);
    lane.end(begun.get(1), true);
    rig.seconds(1);

    assertThat(lane.figures()).isEqualTo(new Lane.Figures(2, 1, 500_000_000));
    assertThat(begun).hasSize(3);
  }
}
