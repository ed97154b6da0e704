package io.culvert.core.normalise;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.Assume;
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
    Scaling scaling = new Scaling(DataType.INT16, scale, BigDecimal.valueOf(offset, 2), false);

    Value value = scaling.toValue(Value.of(raw));

    BigDecimal exact = BigDecimal.valueOf(raw).multiply(scale).add(BigDecimal.valueOf(offset, 2));
    assertThat(value.number()).isEqualTo(exact.doubleValue());
    assertThat(scaling.toRaw(new BigDecimal(value.toString()))).isEqualTo(Value.of(raw));
  }

  /** The short way by doubles is the decimal result, rounded once. */
  @Property(tries = 20_000)
  void integersScaleAsInDecimal(
      @ForAll long raw,
      @ForAll @IntRange(max = 40) int shift,
      @ForAll @IntRange(min = 1, max = 2_000_000) int mantissa,
      @ForAll @IntRange(min = -4, max = 25) int decimals,
      @ForAll boolean negative,
      @ForAll @IntRange(min = -1_000_000, max = 1_000_000) int offset,
      @ForAll @IntRange(min = 0, max = 6) int offsetDecimals,
      @ForAll boolean decimal) {
    long number = raw >> shift;
    BigDecimal scale = BigDecimal.valueOf(negative ? -mantissa : mantissa, decimals);
    BigDecimal addend = BigDecimal.valueOf(offset, offsetDecimals);

    Value value = new Scaling(DataType.INT64, scale, addend, decimal).toValue(Value.of(number));

    BigDecimal exact = BigDecimal.valueOf(number).multiply(scale).add(addend);
    if (value instanceof Value.Int whole) {
      assertThat(decimal).isFalse();
      assertThat(exact).isEqualByComparingTo(BigDecimal.valueOf(whole.value()));
    } else {
      assertThat(value).isEqualTo(Value.of(exact.doubleValue()));
    }
  }

  @Property(tries = 20_000)
  void decimalsScaleAsInDecimal(
      @ForAll long bits,
      @ForAll boolean single,
      @ForAll @IntRange(min = 1, max = 2_000_000) int mantissa,
      @ForAll @IntRange(min = -4, max = 25) int decimals,
      @ForAll boolean negative,
      @ForAll @IntRange(min = -1, max = 1) int offset) {
    double raw = single ? Float.intBitsToFloat((int) bits) : Double.longBitsToDouble(bits);
    Assume.that(Double.isFinite(raw));
    BigDecimal scale = BigDecimal.valueOf(negative ? -mantissa : mantissa, decimals);

    Value value =
        new Scaling(DataType.FLOAT64, scale, BigDecimal.valueOf(offset), false)
            .toValue(Value.of(raw));

    boolean identity = offset == 0 && scale.compareTo(BigDecimal.ONE) == 0;
    assertThat(value)
        .isEqualTo(
            Value.of(
                identity
                    ? raw
                    : new BigDecimal(raw)
                        .multiply(scale)
                        .add(BigDecimal.valueOf(offset))
                        .doubleValue()));
  }

  /** Values that people meet, on which the short way must not be passed by. */
  @Property(tries = 5000)
  void decimalsOfFewDigitsScaleAsInDecimal(
      @ForAll @IntRange(min = -100_000, max = 100_000) int digits,
      @ForAll @IntRange(min = 0, max = 4) int places,
      @ForAll boolean single,
      @ForAll @IntRange(min = 0, max = 4) int decimals) {
    double exactly = BigDecimal.valueOf(digits, places).doubleValue();
    double raw = single ? (float) exactly : exactly;
    BigDecimal scale = BigDecimal.valueOf(1, decimals);

    assertThat(new Scaling(DataType.FLOAT64, scale, BigDecimal.ZERO, false).toValue(Value.of(raw)))
        .isEqualTo(
            Value.of(decimals == 0 ? raw : new BigDecimal(raw).multiply(scale).doubleValue()));
  }

  /** Whatever two points tell, the third is their product with its raw value, rounded once. */
  @Property
  void factorsMultiplyInDecimal(
      @ForAll @IntRange(min = 0, max = 65535) int raw,
      @ForAll @IntRange(min = 1, max = 65535) int first,
      @ForAll @IntRange(min = -400, max = 32767) int second) {
    Normaliser normaliser =
        new Normaliser(
            Models.device(
                Models.scaledBy(Models.point("p", DataType.UINT16, "0.01", "-7"), false, "a", "b"),
                Models.scaledBy(Models.point("b", DataType.INT16, "0.1", "0"), false, "a"),
                Models.point("a", DataType.UINT16, "0.001", "0.5")),
            () -> ClockState.UNKNOWN);

    List<Reading> readings =
        normaliser
            .normalise(
                List.of(
                    Sample.good("p", Value.of(raw)),
                    Sample.good("b", Value.of(second)),
                    Sample.good("a", Value.of(first))),
                T)
            .readings();

    BigDecimal a = BigDecimal.valueOf(first, 3).add(new BigDecimal("0.5"));
    BigDecimal b = BigDecimal.valueOf(second, 1).multiply(a);
    if (second == 0) {
      assertThat(readings.get(0).quality()).isEqualTo(Quality.BAD_OUT_OF_RANGE);
      return;
    }
    BigDecimal factor = new BigDecimal("0.01").multiply(a).multiply(b);
    BigDecimal exact = BigDecimal.valueOf(raw).multiply(factor).subtract(BigDecimal.valueOf(7));
    assertThat(readings.get(0).value()).isEqualTo(Value.of(exact.doubleValue()));
    assertThat(readings.get(0).quality()).isEqualTo(Quality.GOOD);
    assertThat(normaliser.write("p", readings.get(0).value()).raw()).isEqualTo(Value.of(raw));
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
