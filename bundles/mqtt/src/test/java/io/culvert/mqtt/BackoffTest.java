package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private final List<Long> bounds = new ArrayList<>();

  /** Remembers the bounds it is asked for and draws the highest. */
  private final RandomGenerator highest =
      new RandomGenerator() {
        @Override
        public long nextLong() {
          throw new UnsupportedOperationException();
        }

        @Override
        public long nextLong(long bound) {
          bounds.add(bound);
          return bound - 1;
        }
      };

  private final Backoff backoff =
      new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(60), highest);

  private final Instant began = Instant.parse("2026-11-21T08:00:00Z");

  @Test
  void drawsFromNothingToABoundThatGrowsWithTheTroubleUpToALimit() {
    for (int seconds : new int[] {0, 1, 4, 60, 118, 3600}) {
      backoff.next(began.plusSeconds(seconds));
    }
    assertThat(bounds).containsExactly(1001L, 1501L, 3001L, 31001L, 60001L, 60001L);

    backoff.reset();
    assertThat(backoff.next(began.plusSeconds(4000))).isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void manyAttemptsInAShortTimeKeepNobodyAway() {
    for (int i = 0; i < 50; i++) {
      backoff.next(began.plusMillis(80 * i));
    }
    assertThat(backoff.next(began.plusSeconds(4))).isEqualTo(Duration.ofSeconds(3));
  }

  @Test
  void aClockSetBackBeginsAnew() {
    backoff.next(began);
    backoff.next(began.plusSeconds(30));
    assertThat(backoff.next(began.minusSeconds(3600))).isEqualTo(Duration.ofSeconds(1));
  }
}
