package io.culvert.simulator.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.simulator.audit.Stream.Arrival;
import org.junit.jupiter.api.Test;

class StreamTest {
  private final Stream stream = new Stream();

  @Test
  void numbersRiseInEachLaneForItself() {
    assertThat(stream.arrive(10, false)).isEqualTo(Arrival.NEW);
    assertThat(stream.arrive(12, false)).isEqualTo(Arrival.NEW);
    assertThat(stream.arrive(4, true)).isEqualTo(Arrival.NEW);
    assertThat(stream.arrive(5, true)).isEqualTo(Arrival.NEW);
    assertThat(stream.arrive(11, false)).isEqualTo(Arrival.OUT_OF_ORDER);
    assertThat(stream.arrive(12, true)).isEqualTo(Arrival.AGAIN);
  }

  @Test
  void gapsAreCounted() {
    stream.arrive(7, false);
    stream.arrive(8, false);
    stream.arrive(12, false);

    assertThat(stream.missing()).isEqualTo(3);
    assertThat(stream.firstMissing()).isEqualTo(9);
    assertThat(stream.missingBetween(7, 8)).isFalse();
    assertThat(stream.missingBetween(8, 12)).isTrue();
    stream.arrive(9, true);
    stream.arrive(10, true);
    stream.arrive(11, true);
    assertThat(stream.missing()).isZero();
  }
}
