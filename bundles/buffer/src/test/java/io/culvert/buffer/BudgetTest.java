package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class BudgetTest {
  private static final long SECOND = 1_000_000_000;
  private static final long LIMIT = 10_000_000;

  /** Bytes on the wire of a byte of weight. */
  private double ratio = 1;

  private final Budget fresh = new Budget();
  private Budget budget = fresh;
  private long now;
  private long sent;

  /** Sends what may be sent; returns the bytes. */
  private long send(boolean historical) {
    budget.note(now, sent);
    if (!budget.delay(historical).isZero()) {
      return 0;
    }
    int weight = budget.room(40_000);
    budget.sent(weight);
    long bytes = (long) (weight * ratio);
    sent += bytes;
    budget.note(now, sent);
    budget.ended(weight);
    return bytes;
  }

  private Budget restarted(long limit) throws DamagedException {
    ByteWriter out = new ByteWriter();
    budget.write(out);
    Budget read = Budget.read(new ByteReader(out.toBytes()));
    sent = 0;
    read.begin(now, limit);
    return read;
  }

  @Property(tries = 50)
  void noDayHoldsMoreThanNineTenthsOfTheBound(
      @ForAll @Size(min = 40, max = 60) int[] pauses,
      @ForAll @IntRange(min = 1, max = 40) int tenth)
      throws DamagedException {
    ratio = tenth / 10.0;
    budget.begin(now, LIMIT);
    int hours = 40;
    long[] minutes = new long[hours * 60];
    for (int m = 0; m < minutes.length; m++) {
      now = m * 60 * SECOND;
      int pause = pauses[m / 60 % pauses.length];
      if (pause % 4 == 0) {
        continue;
      }
      for (long bytes = 1; bytes > 0; ) {
        bytes = send(pause % 3 == 0);
        minutes[m] += bytes;
      }
      if (pause % 17 == 0 && m % 60 == 30) {
        budget = restarted(LIMIT);
      }
    }
    long day = 0;
    for (int m = 0; m < minutes.length; m++) {
      day += minutes[m] - (m >= 1440 ? minutes[m - 1440] : 0);
      // What a batch is on the wire is an estimate until it was sent.
      assertThat(day).isLessThan((long) (LIMIT * 0.9) + 40_000);
    }
  }

  @Test
  void historyLeavesHalfOfWhatMayGoAtOnce() {
    budget.begin(now, LIMIT);
    long history = 0;
    for (long bytes = 1; bytes > 0; history += bytes) {
      bytes = send(true);
    }
    long live = 0;
    for (long bytes = 1; bytes > 0; live += bytes) {
      bytes = send(false);
    }
    long quarter = LIMIT * 9 / 10 / 98;
    assertThat(history).isBetween(quarter / 2, quarter / 2 + 40_000);
    assertThat(live).isBetween(quarter / 2 - 40_000, quarter / 2 + 40_000);
    assertThat(budget.delay(false)).isGreaterThan(Duration.ofSeconds(1));
  }

  @Test
  void whatAlarmsUsedUpIsSavedByTheOthersButNotForLonger() {
    budget.begin(now, LIMIT);
    sent += LIMIT / 2;
    budget.note(now, sent);
    assertThat(budget.delay(false)).isBetween(Duration.ofMinutes(55), Duration.ofMinutes(65));
    now += Duration.ofMinutes(66).toNanos();
    budget.note(now, sent);
    assertThat(budget.delay(false)).isZero();
    sent += LIMIT / 2;
    budget.note(now, sent);
    now += Duration.ofHours(20).toNanos();
    budget.note(now, sent);
    assertThat(budget.delay(false)).as("the day's are used up").isPositive();
    now += Duration.ofHours(4).toNanos();
    budget.note(now, sent);
    assertThat(budget.delay(false)).isZero();
  }

  @Test
  void withoutABoundItOnlyCounts() {
    budget.begin(now, 0);
    assertThat(send(true)).isEqualTo(40_000);
    assertThat(budget.used()).isEqualTo(40_000);
    now += Duration.ofHours(25).toNanos();
    budget.note(now, sent);
    assertThat(budget.used()).isZero();
  }

  @Test
  void outlivesAnEnd() throws DamagedException {
    budget.begin(now, LIMIT);
    send(false);
    send(false);
    now += Duration.ofMinutes(40).toNanos();
    send(false);
    long used = budget.used();
    Duration delay = budget.delay(true);
    budget = restarted(LIMIT);
    assertThat(budget.used()).isEqualTo(used).isEqualTo(120_000);
    assertThat(budget.delay(true)).isCloseTo(delay, Duration.ofSeconds(1));
  }
}
