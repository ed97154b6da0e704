package io.culvert.core.normalise;

import static io.culvert.core.normalise.Models.access;
import static io.culvert.core.normalise.Models.banded;
import static io.culvert.core.normalise.Models.device;
import static io.culvert.core.normalise.Models.point;
import static io.culvert.core.normalise.Models.ranged;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NormaliserTest {
  private static final Instant T = Instant.parse("2026-11-21T01:48:00Z");

  private static Normaliser of(PointModel... points) {
    return new Normaliser(device(points), () -> ClockState.SYNCHRONISED);
  }

  private static Reading one(PointModel model, Sample sample) {
    Normaliser.Result result = of(model).normalise(List.of(sample), T);
    assertThat(result.readings()).hasSize(1);
    return result.readings().get(0);
  }

  @Test
  void aReadingTellsAllThatIsKnown() {
    Instant deviceTime = T.minusSeconds(5);
    Reading reading =
        one(
            point("level", DataType.UINT16, "0.001", "0"),
            new Sample("level", Value.of(1234), Quality.GOOD, deviceTime));

    assertThat(reading)
        .isEqualTo(
            new Reading(
                "d",
                "level",
                StreamClass.TELEMETRY,
                Value.of(1.234),
                "m",
                Quality.GOOD,
                deviceTime,
                T,
                ClockState.SYNCHRONISED,
                Grade.IMPORTANT));
  }

  @Test
  void eventTimeIsTheGatewaysWhereTheDeviceTellsNone() {
    assertThat(
            one(point("level", DataType.UINT16, "1", "0"), Sample.good("level", Value.of(1)))
                .eventTime())
        .isEqualTo(T);
  }

  @ParameterizedTest
  @CsvSource({
    "UINT16, 1234, 0.001, 0, 1.234",
    "UINT16, 653, 0.1, -40, 25.3",
    "INT16, -3, 0.1, 0, -0.3",
    "INT32, 7, 0.01, 0.35, 0.42",
    "UINT32, 4294967295, 0.1, 0, 4.294967295E8",
    "UINT16, 3, 1, 0, 3",
    "UINT16, 3, 10, 5, 35",
    "UINT16, 3, 1.00, 0.0, 3",
    "INT64, 9223372036854775807, 1, 0, 9223372036854775807",
    "UINT64, 9223372036854775807, 1, 0, 9223372036854775807",
    "INT64, 9223372036854775807, 10, 0, 9.223372036854776E19",
  })
  void integersScaleExactly(DataType type, long raw, String scale, String offset, String shown) {
    assertThat(one(point("p", type, scale, offset), Sample.good("p", Value.of(raw))).value())
        .hasToString(shown);
  }

  @Test
  void decimalsPassUnchangedWithoutScaleAndAreRoundedOnceWithIt() {
    double single = 0.1f;
    assertThat(
            one(point("p", DataType.FLOAT32, "1", "0"), Sample.good("p", Value.of(single))).value())
        .isEqualTo(Value.of(single));
    assertThat(
            one(point("p", DataType.FLOAT64, "0.001", "0"), Sample.good("p", Value.of(9600.0)))
                .value())
        .isEqualTo(Value.of(9.6));
    assertThat(
            one(point("p", DataType.FLOAT64, "-2", "1"), Sample.good("p", Value.of(1 / 0.0)))
                .value())
        .isEqualTo(Value.of(-1 / 0.0));
  }

  @Test
  void outOfRangeIsUncertainAndNeverBetterThanTheDeviceSays() {
    PointModel model = ranged(point("p", DataType.FLOAT64, "1", "0"), 0.0, 2.0);

    assertThat(one(model, Sample.good("p", Value.of(2.0))).quality()).isEqualTo(Quality.GOOD);
    assertThat(one(model, Sample.good("p", Value.of(2.001))).quality())
        .isEqualTo(Quality.UNCERTAIN_OUT_OF_RANGE);
    assertThat(one(model, Sample.good("p", Value.of(-0.001))).quality())
        .isEqualTo(Quality.UNCERTAIN_OUT_OF_RANGE);
    assertThat(one(model, Sample.good("p", Value.of(Double.NaN))).quality())
        .isEqualTo(Quality.UNCERTAIN_OUT_OF_RANGE);
    assertThat(
            one(model, new Sample("p", Value.of(3.0), Quality.BAD_SENSOR_FAILURE, null)).quality())
        .isEqualTo(Quality.BAD_SENSOR_FAILURE);
  }

  @Test
  void aBadSampleStaysBadAndHasNoValue() {
    Reading reading =
        one(point("p", DataType.UINT16, "1", "0"), Sample.bad("p", Quality.BAD_TIMEOUT));

    assertThat(reading.quality()).isEqualTo(Quality.BAD_TIMEOUT);
    assertThat(reading.value()).isNull();
  }

  /** A driver's slip costs that value, not its neighbours. */
  @Test
  void aValueThatItsTypeCantHoldIsBadAndAnUnknownPointIsLeftOut() {
    Normaliser normaliser =
        of(
            point("a", DataType.UINT16, "1", "0"),
            point("b", DataType.BOOL, "1", "0"),
            point("c", DataType.UINT16, "1", "0"));

    Normaliser.Result result =
        normaliser.normalise(
            List.of(
                Sample.good("a", Value.of(65536)),
                Sample.good("b", Value.of(1)),
                Sample.good("nobody", Value.of(1)),
                Sample.good("c", Value.of(7))),
            T);

    assertThat(result.readings())
        .extracting(Reading::point, Reading::value, Reading::quality)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("a", null, Quality.BAD_TYPE_MISMATCH),
            org.assertj.core.groups.Tuple.tuple("b", null, Quality.BAD_TYPE_MISMATCH),
            org.assertj.core.groups.Tuple.tuple("c", Value.of(7), Quality.GOOD));
    assertThat(result.suppressed()).isZero();
  }

  // Dead-band

  private final PointModel banded =
      banded(
          ranged(point("p", DataType.FLOAT64, "1", "0"), 0.0, 100.0), 0.5, Duration.ofSeconds(60));
  private final Normaliser normaliser = of(banded);
  private Instant now = T;

  private Normaliser.Result read(double value) {
    return normaliser.normalise(List.of(Sample.good("p", Value.of(value))), now);
  }

  private boolean keeps(double value) {
    Normaliser.Result result = read(value);
    assertThat(result.suppressed()).isEqualTo(1 - result.readings().size());
    normaliser.accepted(result);
    return !result.readings().isEmpty();
  }

  @Test
  void theLastReadingIsToldAlsoIfDeadbandKeepsItBack() {
    assertThat(keeps(10.0)).isTrue();
    now = now.plusSeconds(1);
    assertThat(keeps(10.4)).isFalse();

    assertThat(normaliser.latest())
        .extracting(Reading::value, Reading::receivedTime)
        .containsExactly(org.assertj.core.groups.Tuple.tuple(Value.of(10.4), now));
  }

  @Test
  void deadbandKeepsBackWhatLiesWithinItOfTheValueInForce() {
    assertThat(keeps(10.0)).isTrue();
    assertThat(keeps(10.5)).isFalse();
    assertThat(keeps(9.5)).isFalse();
    assertThat(keeps(10.51)).isTrue();
    // Not against what was last read: a slow drift would never be told.
    assertThat(keeps(10.02)).isFalse();
    assertThat(keeps(10.0)).isTrue();
  }

  @Test
  void heartbeatQualityAndNanEndIt() {
    assertThat(keeps(10.0)).isTrue();
    now = T.plusMillis(59_999);
    assertThat(keeps(10.0)).isFalse();
    now = T.plusMillis(60_000);
    assertThat(keeps(10.0)).isTrue();
    // Another quality at almost the same value.
    assertThat(keeps(100.0)).isTrue();
    assertThat(keeps(100.1)).isTrue();
    assertThat(keeps(100.0)).isTrue();
    assertThat(keeps(Double.NaN)).isTrue();
    assertThat(keeps(Double.NaN)).isTrue();
  }

  @Test
  void badReadingsAreAllKeptAndWhatFollowsToo() {
    keeps(10.0);
    for (int i = 0; i < 2; i++) {
      Normaliser.Result bad =
          normaliser.normalise(List.of(Sample.bad("p", Quality.BAD_TIMEOUT)), now);
      assertThat(bad.readings()).hasSize(1);
      normaliser.accepted(bad);
    }
    assertThat(keeps(10.0)).isTrue();
  }

  @Test
  void aClockThatWasSetBackEndsIt() {
    keeps(10.0);
    now = T.minusSeconds(1);
    assertThat(keeps(10.0)).isTrue();
  }

  /** A device whose clock stands still must not silence itself for good. */
  @Test
  void heartbeatHoldsForTheGatewaysTimeToo() {
    Sample frozen = new Sample("p", Value.of(10.0), Quality.GOOD, T);
    normaliser.accepted(normaliser.normalise(List.of(frozen), T));

    assertThat(normaliser.normalise(List.of(frozen), T.plusSeconds(60)).readings()).hasSize(1);
  }

  @Test
  void aLostValueIsNotInForce() {
    keeps(10.0);
    Normaliser.Result lost = read(20.0);
    normaliser.lost(lost);

    assertThat(keeps(10.1)).as("10.0 is in force still").isFalse();
    assertThat(keeps(20.0)).isTrue();
  }

  @Test
  void whileAValueIsPendingBothItAndTheOneBeforeCount() {
    keeps(10.0);
    Normaliser.Result pending = read(10.6);
    assertThat(pending.readings()).hasSize(1);

    assertThat(read(10.3).readings()).as("within 0.5 of 10.0 and of 10.6").isEmpty();
    Normaliser.Result second = read(10.9);
    assertThat(second.readings()).as("near 10.6 only, which may be lost").hasSize(1);

    normaliser.lost(pending);
    normaliser.accepted(second);
    assertThat(keeps(10.6)).isFalse();
    assertThat(keeps(10.3)).isTrue();
  }

  @Test
  void acceptedOutOfTurnTheLaterIsInForce() {
    Normaliser.Result first = read(10.0);
    Normaliser.Result second = read(20.0);
    normaliser.accepted(second);
    normaliser.accepted(first);

    assertThat(keeps(20.0)).isFalse();
    assertThat(keeps(10.0)).isTrue();
  }

  @Test
  void ofTwoSamplesOfAPointInOneResultTheLastIsInForce() {
    Normaliser.Result result =
        normaliser.normalise(
            List.of(Sample.good("p", Value.of(10.0)), Sample.good("p", Value.of(20.0))), now);
    normaliser.accepted(result);

    assertThat(keeps(20.0)).isFalse();
    assertThat(keeps(10.0)).isTrue();
  }

  // Writes

  private static Normaliser.Write write(PointModel model, Value value) {
    return of(model).write(model.point().id(), value);
  }

  @Test
  void writesTheNearestRawValue() {
    PointModel level = ranged(point("p", DataType.UINT16, "0.001", "0"), 0.5, 4.0);

    assertThat(write(level, Value.of(1.5)))
        .isEqualTo(new Normaliser.Write(Value.of(1500), Quality.GOOD, ""));
    assertThat(write(level, Value.of(2)).raw()).isEqualTo(Value.of(2000));
    assertThat(write(level, Value.of(1.2346)).raw()).isEqualTo(Value.of(1235));
    assertThat(write(point("p", DataType.FLOAT32, "1", "0"), Value.of(0.1)).raw())
        .isEqualTo(Value.of((double) 0.1f));
    assertThat(write(point("p", DataType.BOOL, "1", "0"), Value.of(1)).raw())
        .isEqualTo(Value.of(true));
    assertThat(write(point("p", DataType.BOOL, "1", "0"), Value.of(false)).raw())
        .isEqualTo(Value.of(false));
    assertThat(write(point("p", DataType.TEXT, "1", "0"), Value.of("x")).raw())
        .isEqualTo(Value.of("x"));
  }

  @Test
  void refusesWithWords() {
    PointModel level = ranged(point("p", DataType.UINT16, "0.001", "0"), 0.5, 4.0);
    PointModel free = point("p", DataType.UINT16, "0.001", "0");

    refused(
        level,
        Value.of(4.001),
        Quality.BAD_OUT_OF_RANGE,
        "d/p: found 4.001; expected 0.5 to 4.0 m");
    refused(
        ranged(free, null, 4.0),
        Value.of(5),
        Quality.BAD_OUT_OF_RANGE,
        "d/p: found 5; expected at most 4.0 m");
    refused(
        ranged(free, 1.0, null),
        Value.of(0),
        Quality.BAD_OUT_OF_RANGE,
        "d/p: found 0; expected at least 1.0 m");
    refused(
        free,
        Value.of(65.536),
        Quality.BAD_OUT_OF_RANGE,
        "d/p: found 65.536; the device can't hold it as uint16 within its type");
    refused(
        free,
        Value.of(1e300),
        Quality.BAD_OUT_OF_RANGE,
        "d/p: found 1.0E300; the device can't hold it as uint16 within its type");
    // 0.5006 lies in the range, the 0.5 that the device would hold doesn't.
    refused(
        ranged(point("p", DataType.UINT16, "0.01", "0"), 0.5004, 4.0),
        Value.of(0.5004),
        Quality.BAD_OUT_OF_RANGE,
        "d/p: found 0.5004; the device can't hold it as uint16 within 0.5004 to 4.0 m");
    refused(
        point("p", DataType.FLOAT32, "1", "0"),
        Value.of(1e39),
        Quality.BAD_OUT_OF_RANGE,
        "d/p: found 1.0E39; the device can't hold it as float32 within its type");
    refused(level, Value.of("1"), Quality.BAD_TYPE_MISMATCH, "d/p: found 1; expected a number");
    refused(
        level,
        Value.of(Double.NaN),
        Quality.BAD_TYPE_MISMATCH,
        "d/p: found NaN; expected a number");
    refused(
        point("p", DataType.BOOL, "1", "0"),
        Value.of(2),
        Quality.BAD_TYPE_MISMATCH,
        "d/p: found 2; expected true or false");
    refused(
        point("p", DataType.TEXT, "1", "0"),
        Value.of(2),
        Quality.BAD_TYPE_MISMATCH,
        "d/p: found 2; expected text");
    refused(
        point("p", DataType.BYTES, "1", "0"),
        Value.of("x"),
        Quality.BAD_TYPE_MISMATCH,
        "d/p: found x; expected bytes");
    refused(
        access(level, Access.READ),
        Value.of(1),
        Quality.BAD_NOT_WRITABLE,
        "d/p can't be written: its profile says read only");
    assertThat(of(level).write("nobody", Value.of(1)).quality()).isEqualTo(Quality.BAD_NOT_FOUND);
  }

  private static void refused(PointModel model, Value value, Quality quality, String message) {
    assertThat(write(model, value)).isEqualTo(new Normaliser.Write(null, quality, message));
  }
}
