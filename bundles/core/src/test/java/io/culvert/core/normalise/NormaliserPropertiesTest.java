package io.culvert.core.normalise;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** What holds for any values. */
class NormaliserPropertiesTest {
  private static final Instant T = Instant.parse("2026-11-21T01:48:00Z");

  /** What a device shows can be written back, and comes out as the same raw value. */
  @Property
  void scalingGoesThereAndBack(
      @ForAll @IntRange(min = -32768, max = 32767) int raw,
      @ForAll @IntRange(min = 1, max = 10_000) int mantissa,
      @ForAll @IntRange(min = -3, max = 6) int decimals,
      @ForAll boolean negative,
      @ForAll @IntRange(min = -100_000, max = 100_000) int offset) {
    BigDecimal scale = BigDecimal.valueOf(negative ? -mantissa : mantissa, decimals);
    Scaling scaling =
        new Scaling(
            Models.point(
                "p",
                DataType.INT16,
                scale.toPlainString(),
                BigDecimal.valueOf(offset, 2).toPlainString()));

    Value value = scaling.toValue(Value.of(raw));

    BigDecimal exact = BigDecimal.valueOf(raw).multiply(scale).add(BigDecimal.valueOf(offset, 2));
    assertThat(value.number()).isEqualTo(exact.doubleValue());
    assertThat(scaling.toRaw(new BigDecimal(value.toString()))).isEqualTo(Value.of(raw));
  }

  /** A step of what may happen: a value is read, or the oldest pending result is settled. */
  @Property(tries = 2000)
  void deadbandNeverHidesMoreThanItsWidth(
      @ForAll @Size(max = 60) List<@IntRange(min = -2, max = 40) Integer> steps) {
    int width = 5;
    Normaliser normaliser =
        new Normaliser(
            Models.device(
                Models.banded(
                    Models.point("p", DataType.INT32, "1", "0"), width, Duration.ofHours(1))),
            () -> ClockState.UNKNOWN);
    Deque<Normaliser.Result> pending = new ArrayDeque<>();
    Long inForce = null;
    for (int step : steps) {
      if (step < 0) {
        Normaliser.Result result = pending.poll();
        if (result != null && step == -1) {
          normaliser.accepted(result);
          inForce = value(result);
        } else if (result != null) {
          normaliser.lost(result);
        }
        continue;
      }
      Normaliser.Result result = normaliser.normalise(List.of(Sample.good("p", Value.of(step))), T);
      if (result.readings().isEmpty()) {
        // Whatever becomes of those pending, one of these is in force.
        assertThat(inForce != null || !pending.isEmpty()).isTrue();
        if (inForce != null) {
          assertThat(Math.abs(step - inForce)).isLessThanOrEqualTo(width);
        }
        for (Normaliser.Result p : pending) {
          assertThat(Math.abs(step - value(p))).isLessThanOrEqualTo(width);
        }
      } else {
        pending.add(result);
      }
    }
  }

  private static long value(Normaliser.Result result) {
    Reading reading = result.readings().get(0);
    return ((Value.Int) reading.value()).value();
  }
}
