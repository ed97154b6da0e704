package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
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

  @Test
  void drawsFromNothingToABoundThatDoublesUpToALimit() {
    Backoff backoff = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(60), highest);

    List<Duration> pauses = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      pauses.add(backoff.next());
    }

    assertThat(bounds.subList(0, 8))
        .containsExactly(1001L, 2001L, 4001L, 8001L, 16001L, 32001L, 60001L, 60001L);
    assertThat(pauses.get(99)).isEqualTo(Duration.ofSeconds(60));
    backoff.reset();
    assertThat(backoff.next()).isEqualTo(Duration.ofSeconds(1));
  }
}
