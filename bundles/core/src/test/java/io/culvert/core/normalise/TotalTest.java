package io.culvert.core.normalise;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Quality;
import io.culvert.core.model.PointModel.Counter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class TotalTest {
  private static final Instant T = Instant.parse("2026-11-21T01:48:00Z");
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private Instant now = T;

  private static Total of(long modulus, Long maxStep) {
    return new Total(new Counter(modulus, maxStep), MINUTE);
  }

  private void shows(Total total, long raw, long expected, Quality quality) {
    assertThat(total.add(raw, now)).isEqualTo(quality);
    if (!quality.bad()) {
      assertThat(total.value()).isEqualTo(expected);
    }
    now = now.plus(MINUTE);
  }

  @Test
  void goesOnOverARollOverAndTellsAResetApart() {
    Total total = of(65536, null);

    shows(total, 65000, 65000, Quality.GOOD);
    shows(total, 65535, 65535, Quality.GOOD);
    shows(total, 0, 65536, Quality.GOOD);
    shows(total, 40000, 105536, Quality.GOOD);
    // 40000 to 30000 would be a step of 55536: nobody believes that.
    shows(total, 30000, 30000, Quality.UNCERTAIN_INITIAL_VALUE);
    shows(total, 30001, 30001, Quality.GOOD);
  }

  @Test
  void halfARoundIsTheMostThatCountsAsARollOver() {
    Total total = of(1000, null);

    shows(total, 900, 900, Quality.GOOD);
    shows(total, 400, 1400, Quality.GOOD);
    shows(total, 900, 1900, Quality.GOOD);
    shows(total, 401, 401, Quality.UNCERTAIN_INITIAL_VALUE);
  }

  @Test
  void withAGreatestStepWhatGrowsFasterIsAReset() {
    Total total = of(100_000_000, 50L);

    shows(total, 99_999_990, 99_999_990, Quality.GOOD);
    shows(total, 40, 100_000_040, Quality.GOOD);
    shows(total, 3, 3, Quality.UNCERTAIN_INITIAL_VALUE);
    shows(total, 54, 54, Quality.UNCERTAIN_INITIAL_VALUE);
    now = now.plus(MINUTE.multipliedBy(4));
    shows(total, 54 + 250, 304, Quality.GOOD);
  }

  /** Ten intervals of at most 300 could be two rounds and more. */
  @Test
  void aGapThatMayHideAWholeRoundIsUncertainOnce() {
    Total total = of(1000, 300L);

    shows(total, 100, 100, Quality.GOOD);
    now = now.plus(MINUTE.multipliedBy(9));
    shows(total, 150, 150, Quality.UNCERTAIN_TOO_FEW_VALUES);
    shows(total, 160, 160, Quality.GOOD);
    // Four intervals: 1200. A step of 100 leaves room for another round, one of 300 doesn't.
    now = now.plus(MINUTE.multipliedBy(3));
    shows(total, 260, 260, Quality.UNCERTAIN_TOO_FEW_VALUES);
    now = now.plus(MINUTE.multipliedBy(3));
    shows(total, 560, 560, Quality.GOOD);
  }

  @Test
  void aClockThatWasSetBackTellsNothingOfTheGap() {
    Total total = of(1000, 10L);
    shows(total, 100, 100, Quality.GOOD);
    now = T.minusSeconds(1);

    shows(total, 105, 105, Quality.UNCERTAIN_TOO_FEW_VALUES);
  }

  @Test
  void whatNoSuchCounterShowsIsLeftOut() {
    Total total = of(1000, null);

    shows(total, 999, 999, Quality.GOOD);
    shows(total, 1000, 0, Quality.BAD_OUT_OF_RANGE);
    shows(total, -1, 0, Quality.BAD_OUT_OF_RANGE);
    shows(total, 1, 1001, Quality.GOOD);
  }

  @Test
  void resumesWhereItWasAndIsUncertainIfThatIsntKnown() {
    Total resumed = of(1000, null);
    resumed.resume(12_900, T.minusSeconds(5));
    shows(resumed, 100, 13_100, Quality.GOOD);

    Total unknown = of(1000, null);
    unknown.historyUnknown();
    shows(unknown, 100, 100, Quality.UNCERTAIN_INITIAL_VALUE);
    shows(unknown, 101, 101, Quality.GOOD);
  }

  @Test
  void beginsAnewWhenALongIsFull() {
    Total total = of(1000, null);
    total.resume(Long.MAX_VALUE - 1, T);

    long raw = Math.floorMod(Long.MAX_VALUE - 1, 1000L) + 2;
    shows(total, raw, raw, Quality.UNCERTAIN_INITIAL_VALUE);
  }

  /**
   * What happens between two looks at a counter.
   *
   * @param step by which it grew, in thousandths of the most that is allowed
   * @param restart whether the gateway started meanwhile, with the total stored so many looks ago
   */
  record Event(int step, Integer restart) {}

  @Provide
  Arbitrary<List<Event>> events() {
    Arbitrary<Integer> step = Arbitraries.integers().between(0, 1000);
    Arbitrary<Integer> restart = Arbitraries.integers().between(0, 3).injectNull(0.7);
    return Combinators.combine(step, restart).as(Event::new).list().ofMaxSize(60);
  }

  /** While it grows as it may, the total is what was counted in truth, over any restarts. */
  @Property
  void theTotalIsTheTruth(
      @ForAll @LongRange(min = 2, max = 1L << 32) long modulus,
      @ForAll boolean rate,
      @ForAll @IntRange(max = 1000) int begin,
      @ForAll("events") List<Event> events) {
    // A restart may have to bridge four steps, which together must stay below a round.
    long most = Math.max(0, (rate ? modulus - 1 : modulus / 2) / 4);
    Long maxStep = rate && most > 0 ? most : null;
    Total total = of(modulus, maxStep);
    long truth = begin % modulus;
    Instant when = T;
    long[] stored = new long[events.size() + 1];
    Instant[] at = new Instant[events.size() + 1];
    assertThat(total.add(truth, when)).isEqualTo(Quality.GOOD);
    for (int i = 0; i <= events.size(); i++) {
      stored[i] = total.value();
      at[i] = when;
      assertThat(total.value()).isEqualTo(truth);
      if (i == events.size()) {
        break;
      }
      Event event = events.get(i);
      if (event.restart() != null) {
        int from = Math.max(0, i - Math.min(event.restart(), 3));
        total = of(modulus, maxStep);
        total.resume(stored[from], at[from]);
      }
      truth += most * event.step() / 1000;
      when = when.plus(MINUTE);
      assertThat(total.add(truth % modulus, when)).isEqualTo(Quality.GOOD);
    }
  }

  /** Whatever is shown: the remainder is the raw value, and it falls only where it says so. */
  @Property
  void theTotalIsCongruentToTheRawValueAndFallsOnlyWhereItSaysSo(
      @ForAll @LongRange(min = 2, max = 1000) long modulus,
      @ForAll @IntRange(min = 0, max = 999) int maxStep,
      @ForAll @Size(max = 60) List<@IntRange(min = -1, max = 1000) Integer> raws,
      @ForAll @Size(max = 60) List<@IntRange(min = -100, max = 1000) Integer> pauses) {
    Total total = of(modulus, maxStep == 0 || maxStep >= modulus ? null : (long) maxStep);
    Instant when = T;
    long before = 0;
    for (int i = 0; i < raws.size(); i++) {
      long raw = raws.get(i);
      when = when.plusSeconds(i < pauses.size() ? pauses.get(i) : 60);
      Quality quality = total.add(raw, when);
      if (raw < 0 || raw >= modulus) {
        assertThat(quality).isEqualTo(Quality.BAD_OUT_OF_RANGE);
        assertThat(total.value()).isEqualTo(before);
        continue;
      }
      assertThat(Math.floorMod(total.value(), modulus)).isEqualTo(raw);
      if (quality.equals(Quality.UNCERTAIN_INITIAL_VALUE)) {
        assertThat(total.value()).isEqualTo(raw);
      } else {
        assertThat(total.value()).isBetween(before, before + modulus - 1);
      }
      before = total.value();
    }
  }
}
