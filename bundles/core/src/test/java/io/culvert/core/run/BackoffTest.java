package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Monitor.State;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** How a device that fails is tried again. */
class BackoffTest {
  private final Rig rig = new Rig().plug();

  @Test
  void pausesGrowWithFullJitterUpToAMinuteAndStayOnTheGrid() {
    Set<Long> pausesOfTheFifth = new HashSet<>();
    for (int i = 0; i < 50; i++) {
      rig.driver.reads.put(
          "d" + i, points -> CompletableFuture.failedFuture(new java.io.IOException("cable cut")));
      rig.device("d" + i, "lane-" + i);
    }
    rig.apply().seconds(1200);

    for (int i = 0; i < 50; i++) {
      List<Duration> pauses = PollingTest.gaps(rig.driver.polls("d" + i));
      for (int n = 0; n < pauses.size(); n++) {
        long seconds = pauses.get(n).toSeconds();
        assertThat(pauses.get(n))
            .describedAs("on the grid")
            .isEqualTo(SECOND.multipliedBy(seconds));
        // The next turn of the grid after a pause between 1 s and 2^n s.
        assertThat(seconds).isBetween(1L, Math.min(60, 1L << n) + 1);
      }
      pausesOfTheFifth.add(pauses.get(5).toSeconds());
      double mean = pauses.stream().skip(8).mapToLong(Duration::toSeconds).average().orElseThrow();
      assertThat(mean).isBetween(18.0, 44.0);
    }
    assertThat(pausesOfTheFifth).describedAs("jitter").hasSizeGreaterThan(10);
  }

  @Test
  void afterThreeFailuresInARowTheConnectionIsOpenedAnew() {
    rig.driver.reads.put("a", points -> new CompletableFuture<>());
    rig.device("a", "one").apply().seconds(5);
    assertThat(rig.driver.opened("a")).isEqualTo(1);
    assertThat(rig.status("a").state()).isEqualTo(State.STARTING);

    rig.seconds(9);
    assertThat(rig.driver.log.subList(0, 6))
        .containsExactly("open a", "read a", "read a", "read a", "close a", "open a");
    assertThat(rig.status("a").state()).isEqualTo(State.OFFLINE);

    rig.driver.reads.remove("a");
    rig.seconds(61);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    int polls = rig.driver.polls("a").size();
    rig.seconds(10);
    assertThat(rig.driver.polls("a")).describedAs("at full rate again").hasSize(polls + 10);
  }

  @Test
  void aDeviceThatCannotBeOpenedIsOfflineAtOnce() {
    rig.driver.opens.put(
        "a", () -> CompletableFuture.failedFuture(new java.net.ConnectException("refused")));
    rig.device("a", "one").apply().seconds(1);

    assertThat(rig.status("a").state()).isEqualTo(State.OFFLINE);
    assertThat(rig.status("a").message())
        .isEqualTo(
            "fake://one/a: the driver says: ConnectException: refused; check power, wiring and"
                + " address; it is tried again by itself");
  }

  @Test
  void aConnectionThatOpensTooLateIsClosed() {
    CompletableFuture<io.culvert.api.southbound.Connection> late =
        new CompletableFuture<>() {
          @Override
          public boolean cancel(boolean interrupt) {
            return false;
          }
        };
    rig.driver.opens.put("a", () -> late);
    rig.device("a", "one").apply().seconds(4);
    late.complete(rig.driver.connection("a"));
    rig.settle();

    assertThat(rig.driver.closed("a")).isEqualTo(1);
  }

  @Test
  void theStageOfAnExpiredExchangeIsCancelled() {
    CompletableFuture<List<io.culvert.api.Sample>> pending = new CompletableFuture<>();
    rig.driver.reads.put("a", points -> pending);
    rig.device("a", "one").apply().seconds(4);

    assertThat(pending).isCancelled();
  }

  @Test
  void anIntervalLongerThanAMinuteIsNotMadeLonger() {
    rig.driver.reads.put("a", points -> new CompletableFuture<>());
    rig.device(Rig.entry("a", "one", Duration.ofMinutes(5), SECOND, Rig.profile("plain", 1)))
        .apply()
        .seconds(3600);

    assertThat(rig.driver.polls("a").size()).isEqualTo(12);
  }
}
