package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PausesTest {
  private final Pauses pauses =
      new Pauses(Duration.ofSeconds(1), Duration.ofMinutes(5), Duration.ofMinutes(10));

  @Test
  void theyDoubleUpToTheLongest() {
    for (long seconds : new long[] {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
      assertThat(pauses.after(Duration.ofSeconds(3))).hasSeconds(seconds);
    }
    assertThat(pauses.ends()).isEqualTo(11);
  }

  @Test
  void afterAGoodLifeTheyBeginAnew() {
    pauses.after(Duration.ZERO);
    pauses.after(Duration.ZERO);
    assertThat(pauses.after(Duration.ofMinutes(10))).hasSeconds(1);
    assertThat(pauses.ends()).isEqualTo(1);
    assertThat(pauses.after(Duration.ofMinutes(9))).hasSeconds(2);
  }
}
