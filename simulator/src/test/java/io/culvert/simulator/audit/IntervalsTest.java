package io.culvert.simulator.audit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class IntervalsTest {
  @Test
  void aQuantileIsWhatSoManyAreNotLongerThan() {
    Intervals.Counts counts = new Intervals.Counts();
    for (int millis = 1; millis <= 200; millis++) {
      counts.add(millis);
    }

    assertThat(counts.sum()).isEqualTo(new Intervals(200, 100, 198, 200));
  }

  @Test
  void theLongestIsToldEvenBeyondTheRange() {
    Intervals.Counts counts = new Intervals.Counts();
    counts.add(3_600_000);

    assertThat(counts.sum()).isEqualTo(new Intervals(1, 60_000, 60_000, 3_600_000));
  }

  @Test
  void noneIsZero() {
    assertThat(new Intervals.Counts().sum()).isEqualTo(new Intervals(0, 0, 0, 0));
  }
}
