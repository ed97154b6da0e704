package io.culvert.core.normalise;

import static io.culvert.core.normalise.Models.access;
import static io.culvert.core.normalise.Models.banded;
import static io.culvert.core.normalise.Models.counter;
import static io.culvert.core.normalise.Models.device;
import static io.culvert.core.normalise.Models.point;
import static io.culvert.core.normalise.Models.ranged;
import static io.culvert.core.normalise.Models.scaledBy;
import static io.culvert.core.normalise.Models.without;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Codes of no value, points scaled by others, and counters, as they come out of a normaliser. */
class RawValuesTest {
  private Instant now = Instant.parse("2026-11-21T01:48:00Z");
  private Normaliser normaliser;

  private void has(PointModel... points) {
    normaliser = new Normaliser(device(points), () -> ClockState.SYNCHRONISED);
  }

  private List<Reading> reads(Sample... samples) {
    now = now.plusSeconds(1);
    Normaliser.Result result = normaliser.normalise(List.of(samples), now);
    normaliser.accepted(result);
    return result.readings();
  }

  private static Sample good(String point, long raw) {
    return Sample.good(point, Value.of(raw));
  }

  private static String told(List<Reading> readings) {
    List<String> words = new ArrayList<>();
    readings.forEach(r -> words.add(r.point() + " " + r.value() + " " + r.quality()));
    return String.join(", ", words);
  }

  // Codes of no value

  @Test
  void aCodeOfNoValueIsBadWithoutAValueAndIsNeverScaled() {
    has(
        without(point("p", DataType.INT16, "0.1", "0"), Value.of(32767), Value.of(-32768)),
        without(point("f", DataType.FLOAT32, "1", "0"), Value.of(Double.NaN), Value.of(-1.0)));

    assertThat(told(reads(good("p", 32767)))).isEqualTo("p null BadNoData");
    assertThat(told(reads(good("p", -32768)))).isEqualTo("p null BadNoData");
    assertThat(told(reads(good("p", 32766)))).isEqualTo("p 3276.6 Good");
    assertThat(told(reads(Sample.good("f", Value.of(Float.NaN))))).isEqualTo("f null BadNoData");
    assertThat(told(reads(Sample.good("f", Value.of(-1.0))))).isEqualTo("f null BadNoData");
    assertThat(told(reads(Sample.good("f", Value.of(1.0))))).isEqualTo("f 1.0 Good");
  }

  @Test
  void aCodeOfNoValueIsNeitherHeldBackByADeadBandNorHoldsBackWhatFollows() {
    has(banded(without(point("p", DataType.INT16, "1", "0"), Value.of(0)), 5, Duration.ofHours(1)));

    assertThat(reads(good("p", 1))).hasSize(1);
    assertThat(reads(good("p", 2))).isEmpty();
    assertThat(told(reads(good("p", 0)))).isEqualTo("p null BadNoData");
    assertThat(told(reads(good("p", 1)))).isEqualTo("p 1 Good");
  }

  @Test
  void whatTheDeviceSaysItselfOfItsQualityStaysAndACodeStillIsNoValue() {
    has(without(point("p", DataType.INT16, "1", "0"), Value.of(7)));

    assertThat(told(reads(new Sample("p", Value.of(7), Quality.BAD_SENSOR_FAILURE, null))))
        .isEqualTo("p null BadSensorFailure");
    assertThat(told(reads(new Sample("p", Value.of(7), Quality.UNCERTAIN, null))))
        .isEqualTo("p null BadNoData");
  }

  @Test
  void aCodeOfNoValueCantBeWritten() {
    has(without(point("p", DataType.INT16, "0.1", "0"), Value.of(7)));

    assertThat(normaliser.write("p", Value.of(0.7)))
        .isEqualTo(
            new Normaliser.Write(
                null,
                Quality.BAD_OUT_OF_RANGE,
                "d/p: found 0.7; to the device 7 means that there is no value"));
  }

  // Scaled by others

  private void meter() {
    has(
        scaledBy(point("u", DataType.UINT16, "0.1", "0"), false, "ratio"),
        ranged(point("ratio", DataType.UINT16, "0.01", "0"), 0.5, 100.0));
  }

  @Test
  void untilTheFactorIsKnownThereIsNoValue() {
    meter();

    assertThat(told(reads(good("u", 2301)))).isEqualTo("u null BadWaitingForInitialData");
    assertThat(told(reads(good("ratio", 150)))).isEqualTo("ratio 1.5 Good");
    assertThat(told(reads(good("u", 2301)))).isEqualTo("u 345.15 Good");
  }

  @Test
  void aChangedFactorHoldsForTheSamplesThatWereReadWithIt() {
    meter();
    reads(good("u", 2301), good("ratio", 100));

    assertThat(told(reads(good("u", 2301), good("ratio", 1000))))
        .isEqualTo("u 2301.0 Good, ratio 10.0 Good");
    assertThat(told(reads(good("u", 2301)))).isEqualTo("u 2301.0 Good");
  }

  @Test
  void aFactorThatIsBadInTheSameReadMakesItBadAtOnceAndOneOfAnotherReadHoldsTwice() {
    meter();
    reads(good("u", 10), good("ratio", 100));
    Sample bad = Sample.bad("ratio", Quality.BAD_SENSOR_FAILURE);

    assertThat(told(reads(good("u", 10), bad)))
        .isEqualTo("u null BadSensorFailure, ratio null BadSensorFailure");
    assertThat(told(reads(good("u", 10)))).isEqualTo("u 1.0 Good");
    reads(bad);
    assertThat(told(reads(good("u", 10)))).isEqualTo("u 1.0 Good");
    reads(bad);
    assertThat(told(reads(good("u", 10)))).isEqualTo("u null BadSensorFailure");
    reads(good("ratio", 200));
    assertThat(told(reads(good("u", 10)))).isEqualTo("u 2.0 Good");
  }

  @Test
  void aDoubtfulFactorMakesADoubtfulValueAndAnImpossibleOneNone() {
    meter();

    assertThat(told(reads(good("u", 10), good("ratio", 10))))
        .isEqualTo(
            "u 0.1 UncertainEngineeringUnitsExceeded, ratio 0.1 UncertainEngineeringUnitsExceeded");
    assertThat(told(reads(good("u", 10), good("ratio", 0)))).startsWith("u null BadOutOfRange");
  }

  @Test
  void whenTheLinkIsLostFactorsAreForgotten() {
    meter();
    reads(good("u", 10), good("ratio", 100));
    List<io.culvert.api.Point> points =
        List.of(
            point("u", DataType.UINT16, "1", "0").point(),
            point("ratio", DataType.UINT16, "1", "0").point());
    assertThat(told(normaliser.invalidate(points, Quality.BAD_TIMEOUT, now).readings()))
        .isEqualTo("u null BadTimeout, ratio null BadTimeout");

    assertThat(told(reads(good("u", 10)))).isEqualTo("u null BadTimeout");
    reads(good("ratio", 300));
    assertThat(told(reads(good("u", 10)))).isEqualTo("u 3.0 Good");
  }

  @Test
  void exponentsOfTenScaleUpAndDownAndMustBeWhole() {
    has(
        scaledBy(point("w", DataType.INT16, "1", "0"), true, "sf"),
        without(point("sf", DataType.INT16, "1", "0"), Value.of(-32768)),
        scaledBy(point("x", DataType.INT16, "1", "0"), true, "half"),
        point("half", DataType.INT16, "0.5", "0"));

    assertThat(told(reads(good("w", -1234), good("sf", -2)))).startsWith("w -12.34 Good");
    assertThat(told(reads(good("w", 1234), good("sf", 3)))).startsWith("w 1234000.0 Good");
    assertThat(told(reads(good("w", 1234), good("sf", 0)))).startsWith("w 1234.0 Good");
    assertThat(told(reads(good("w", 1234), good("sf", 41)))).startsWith("w null BadOutOfRange");
    assertThat(told(reads(good("w", 1234), good("sf", -32768)))).startsWith("w null BadNoData");
    assertThat(told(reads(good("x", 5), good("half", 3)))).startsWith("x null BadOutOfRange");
    assertThat(told(reads(good("x", 5), good("half", 4)))).startsWith("x 500.0 Good");
  }

  @Test
  void aWriteTakesTheInverseAndIsRefusedWhileTheFactorIsUnknown() {
    meter();
    assertThat(normaliser.write("u", Value.of(12)))
        .isEqualTo(
            new Normaliser.Write(
                null,
                Quality.BAD_WAITING,
                "d/u can't be written now: its scale depends on ratio, of which the gateway has no"
                    + " good value (BadWaitingForInitialData)"));
    reads(good("ratio", 400));

    assertThat(normaliser.write("u", Value.of(12)).raw()).isEqualTo(Value.of(30));
    assertThat(normaliser.value("u", Value.of(30))).isEqualTo(Value.of(12.0));
  }

  // Counters

  private void gas(Long maxStep) {
    has(access(counter(point("gas", DataType.UINT16, "0.1", "0"), 10_000, maxStep), Access.READ));
  }

  @Test
  void theTotalIsScaledAndGoesOnOverARollOver() {
    gas(null);

    assertThat(told(reads(good("gas", 9_990)))).isEqualTo("gas 999.0 Good");
    assertThat(told(reads(good("gas", 15)))).isEqualTo("gas 1001.5 Good");
    assertThat(told(reads(good("gas", 10_000)))).isEqualTo("gas null BadOutOfRange");
    assertThat(told(reads(good("gas", 16)))).isEqualTo("gas 1001.6 Good");
    assertThat(told(reads(new Sample("gas", Value.of(20), Quality.UNCERTAIN, null))))
        .isEqualTo("gas 1002.0 Uncertain");
    assertThat(told(reads(good("gas", 3)))).isEqualTo("gas 0.3 UncertainInitialValue");
    assertThat(told(reads(good("gas", 4)))).isEqualTo("gas 0.4 Good");
  }

  @Test
  void aBadSampleDoesNotCount() {
    gas(null);
    reads(good("gas", 100));

    assertThat(told(reads(new Sample("gas", Value.of(6000), Quality.BAD_SENSOR_FAILURE, null))))
        .isEqualTo("gas null BadSensorFailure");
    assertThat(told(reads(good("gas", 101)))).isEqualTo("gas 10.1 Good");
  }

  private Reading stored(Value value, String unit) {
    gas(null);
    Reading before = reads(good("gas", 1)).get(0);
    return new Reading(
        "d",
        "gas",
        before.streamClass(),
        value,
        unit,
        Quality.GOOD,
        before.eventTime(),
        before.receivedTime(),
        before.clock(),
        before.grade());
  }

  @Test
  void afterARestartItGoesOnFromWhatIsStored() {
    Reading before = stored(Value.of(123456.7), "m");
    gas(null);
    assertThat(normaliser.counters()).containsExactly("gas");
    normaliser.remember(Map.of("gas", before), true);

    // 1 234 567 leaves 4567: 23 more.
    assertThat(told(reads(good("gas", 4590)))).isEqualTo("gas 123459.0 Good");
  }

  @Test
  void whatIsStoredInAnotherUnitOrScaleIsNotGoneOnFrom() {
    for (Reading before :
        List.of(
            stored(Value.of(123456.7), "L"),
            stored(Value.of(123456.78), "m"),
            stored(Value.of(-1), "m"),
            stored(Value.of("?"), "m"),
            stored(Value.of(1e300), "m"),
            stored(Value.of(Double.NaN), "m"))) {
      gas(null);
      normaliser.remember(Map.of("gas", before), true);

      assertThat(told(reads(good("gas", 4590)))).isEqualTo("gas 459.0 UncertainInitialValue");
      assertThat(told(reads(good("gas", 4591)))).isEqualTo("gas 459.1 Good");
    }
  }

  @Test
  void withNothingStoredItBeginsAtTheRawValueUncertainOnlyIfThatIsNotSure() {
    gas(null);
    normaliser.remember(Map.of(), true);
    assertThat(told(reads(good("gas", 45)))).isEqualTo("gas 4.5 Good");

    gas(null);
    normaliser.remember(Map.of(), false);
    assertThat(told(reads(good("gas", 45)))).isEqualTo("gas 4.5 UncertainInitialValue");
    assertThat(told(reads(good("gas", 45)))).isEqualTo("gas 4.5 Good");
  }

  @Test
  void aCounterScaledByAnotherPointWaitsForItAndThenGoesOn() {
    Reading before = stored(Value.of(30_000.0), "m");
    has(
        counter(scaledBy(point("gas", DataType.UINT16, "0.1", "0"), false, "ratio"), 10_000, null),
        point("ratio", DataType.UINT16, "1", "0"));
    normaliser.remember(Map.of("gas", before), true);

    assertThat(told(reads(good("gas", 5005)))).isEqualTo("gas null BadWaitingForInitialData");
    // 15 000 units of 2 were stored.
    assertThat(told(reads(good("gas", 5015), good("ratio", 20)))).startsWith("gas 30030.0 Good");
    assertThat(told(reads(good("gas", 5016)))).isEqualTo("gas 30032.0 Good");
  }

  @Test
  void theTotalOfACounterWithoutScaleIsAWholeNumberHoweverLarge() {
    has(counter(point("n", DataType.UINT16, "1", "0"), 65536, null));
    Reading before = stored(Value.of(1L << 40), "m");
    has(counter(point("n", DataType.UINT16, "1", "0"), 65536, null));
    normaliser.remember(Map.of("n", before), true);

    assertThat(told(reads(good("n", 3)))).isEqualTo("n " + ((1L << 40) + 3) + " Good");
  }
}
