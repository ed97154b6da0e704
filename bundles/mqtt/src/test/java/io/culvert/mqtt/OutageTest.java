package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutageTest {
  private static final Instant START = Instant.parse("2026-11-21T00:00:00Z");
  private final Outage outage = new Outage();

  @Test
  void tellsALongOutageAtGrowingIntervals() {
    List<Long> minutes = new ArrayList<>();
    for (int second = 0; second < 12 * 3600; second++) {
      if (outage.worthTelling("connection refused", START.plusSeconds(second))) {
        minutes.add(Duration.ofSeconds(second).toMinutes());
      }
    }
    assertThat(minutes).startsWith(0L, 1L, 3L, 7L, 15L, 31L, 63L, 123L, 183L).hasSizeLessThan(18);
  }

  @Test
  void tellsANewReasonAtOnce() {
    assertThat(outage.worthTelling("connection refused", START)).isTrue();
    assertThat(outage.worthTelling("connection refused", START.plusSeconds(1))).isFalse();
    assertThat(outage.worthTelling("bad password", START.plusSeconds(2))).isTrue();
    assertThat(outage.worthTelling("bad password", START.plusSeconds(3))).isFalse();
  }

  @Test
  void tellsTheNextOutageFromTheBeginning() {
    assertThat(outage.worthTelling("connection refused", START)).isTrue();
    outage.over();
    assertThat(outage.worthTelling("connection refused", START.plusSeconds(1))).isTrue();
  }
}
