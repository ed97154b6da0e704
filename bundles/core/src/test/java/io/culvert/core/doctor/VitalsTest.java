package io.culvert.core.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.culvert.api.southbound.Diagnosed.Facts;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Figures over a sliding window. */
class VitalsTest {
  private static final Instant NOW = Instant.parse("2026-11-21T03:00:00Z");
  private static final long BEGAN = -5_000_000_000L;

  private static long at(long seconds) {
    return BEGAN + Duration.ofSeconds(seconds).toNanos();
  }

  @Test
  void theWindowSpansFiveToTenMinutesAndForgetsWhatIsOlder() {
    Vitals vitals = new Vitals(Duration.ofSeconds(1), at(0));
    for (int s = 0; s < 3600; s++) {
      vitals.answered(at(s));
      Duration span = vitals.figures(at(s)).span();
      if (s > 600) {
        assertThat(span).isBetween(Duration.ofMinutes(5), Duration.ofMinutes(10));
      }
      assertThat(vitals.figures(at(s)).exchanges().answered())
          .isBetween(span.toSeconds(), span.toSeconds() + 1);
    }

    assertThat(vitals.figures(at(3600 + 299)).exchanges().answered()).isPositive();
    assertThat(vitals.figures(at(3600 + 600)).exchanges().answered()).isZero();
  }

  @Test
  void afterALongSilenceNothingOfTheTimeBeforeIsLeft() {
    Vitals vitals = new Vitals(Duration.ofSeconds(1), at(0));
    vitals.answered(at(0));

    assertThat(vitals.figures(at(3600)).exchanges().answered()).isZero();
    assertThat(vitals.figures(at(3600)).span()).isLessThan(Duration.ofMinutes(5));
  }

  @Test
  void ofADeviceThatIsPolledRarelyTheLastTenPollsCount() {
    Vitals vitals = new Vitals(Duration.ofHours(1), at(0));
    for (int h = 0; h < 100; h++) {
      vitals.answered(at(h * 3600L));
    }

    assertThat(vitals.figures(at(99 * 3600L)).exchanges().answered()).isBetween(10L, 20L);
  }

  @Test
  void silenceInARowIsKnownHoweverLongItLasts() {
    Vitals vitals = new Vitals(Duration.ofSeconds(1), at(0));
    vitals.answered(at(0));
    for (int m = 1; m <= 60; m++) {
      vitals.failed(at(m * 60L), NOW.plusSeconds(m * 60L), true, "no answer within 2s");
    }
    Vitals.Figures figures = vitals.figures(at(3600));

    assertThat(figures.exchanges().unansweredInARow()).isEqualTo(60);
    assertThat(figures.exchanges().timeouts()).isBetween(5L, 10L);
    assertThat(figures.lastTrouble()).isEqualTo(NOW.plusSeconds(3600));
    assertThat(figures.lastFailure()).isEqualTo("no answer within 2s");
    assertThat(figures.latency()).isNull();

    vitals.answered(at(3601));
    assertThat(vitals.figures(at(3601)).exchanges().unansweredInARow()).isZero();
  }

  @Test
  void percentilesAreRightToAnEighthFromATenthOfAMillisecondToAMinute() {
    Random random = new Random(17);
    for (double scale = 1e5; scale < 5e10; scale *= 3) {
      Latencies latencies = new Latencies();
      long[] all = new long[1000];
      for (int i = 0; i < all.length; i++) {
        all[i] = (long) (scale * (1 + Math.abs(random.nextGaussian()) / 5));
        latencies.add(all[i]);
      }
      Arrays.sort(all);

      List<Latencies> one = List.of(latencies);
      assertThat((double) Latencies.percentile(one, 0.5))
          .isCloseTo(all[499], within(all[499] / 8.0));
      assertThat((double) Latencies.percentile(one, 0.95))
          .isCloseTo(all[949], within(all[949] / 8.0));
      assertThat(Latencies.percentile(one, 1)).isLessThanOrEqualTo(all[999]);
      assertThat(Latencies.longest(one)).isEqualTo(all[999]);
    }
  }

  @Test
  void latenciesBeyondTheScaleAreCountedAtItsEnds() {
    Latencies latencies = new Latencies();
    latencies.add(0);
    latencies.add(Long.MAX_VALUE);

    assertThat(Latencies.percentile(List.of(latencies), 0.5)).isLessThan(65_536);
    assertThat(Latencies.percentile(List.of(latencies), 1)).isGreaterThan(60_000_000_000L);
    assertThat(Latencies.percentile(List.of(new Latencies()), 0.5)).isZero();
  }

  @Test
  void theTimeThatAPollTakesFollowsTheDevice() {
    Vitals vitals = new Vitals(Duration.ofSeconds(1), at(0));
    Vitals.Pace pace = vitals.pace(Duration.ofSeconds(1));
    for (int i = 0; i < 50; i++) {
      pace.took(40_000_000);
    }
    pace.took(400_000_000);
    assertThat(takes(vitals)).isLessThan(Duration.ofMillis(90));
    for (int i = 0; i < 50; i++) {
      pace.took(80_000_000);
    }
    assertThat(takes(vitals)).isBetween(Duration.ofMillis(79), Duration.ofMillis(82));

    vitals.unplan();
    assertThat(vitals.figures(at(1)).cycles()).isEmpty();
  }

  private static Duration takes(Vitals vitals) {
    return vitals.figures(at(1)).cycles().get(0).takes();
  }

  @Test
  void whatCountsAnewIsCountedWhole() {
    Facts before = new Facts(100, 90, 10, 2, 1, 900, Map.of("busy", 5L, "denied", 1L));
    Facts after = new Facts(130, 110, 20, 2, 4, 1100, Map.of("busy", 9L, "denied", 1L));
    Facts anew = new Facts(3, 1, 2, 0, 0, 10, Map.of("busy", 1L));

    assertThat(Counts.since(after, before))
        .isEqualTo(new Facts(30, 20, 10, 0, 3, 200, Map.of("busy", 4L)));
    assertThat(Counts.since(anew, after)).isEqualTo(anew);
    assertThat(Counts.since(new LineFacts(1, 2, 3, 4, 5), new LineFacts(1, 1, 1, 1, 1)))
        .isEqualTo(new LineFacts(0, 1, 2, 3, 4));
    assertThat(Counts.since(new LineFacts(1, 0, 0, 0, 0), new LineFacts(0, 1, 0, 0, 0)))
        .isEqualTo(new LineFacts(1, 0, 0, 0, 0));
    assertThat(Counts.plus(anew, Counts.since(after, before)).refusals()).containsEntry("busy", 5L);
  }

  @Test
  void aDriverThatPutsNumbersIntoItsWordsFillsNoMemory() {
    Facts sum = Counts.NO_FACTS;
    for (int i = 0; i < 1000; i++) {
      sum = Counts.plus(sum, new Facts(1, 1, 0, 0, 0, 1, Map.of("refused in cycle " + i, 1L)));
    }

    assertThat(sum.refusals()).hasSizeLessThan(50);
    assertThat(sum.requests()).isEqualTo(1000);
  }
}
