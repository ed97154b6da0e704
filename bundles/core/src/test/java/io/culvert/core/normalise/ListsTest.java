package io.culvert.core.normalise;

import static io.culvert.core.normalise.Models.access;
import static io.culvert.core.normalise.Models.banded;
import static io.culvert.core.normalise.Models.counter;
import static io.culvert.core.normalise.Models.device;
import static io.culvert.core.normalise.Models.point;
import static io.culvert.core.normalise.Models.ranged;
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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A point of which the device holds a list: what the profile says holds for each of it. */
class ListsTest {
  private static final Instant T = Instant.parse("2026-11-29T08:00:00Z");

  private static Normaliser of(PointModel... points) {
    return new Normaliser(device(points), () -> ClockState.SYNCHRONISED);
  }

  private static Value list(Object... values) {
    return new Value.Array(Arrays.stream(values).map(ListsTest::value).toList());
  }

  private static Value value(Object o) {
    return o instanceof Integer i
        ? Value.of(i)
        : o instanceof Double d
            ? Value.of(d)
            : o instanceof Boolean b ? Value.of(b) : Value.of((String) o);
  }

  private static Reading one(PointModel model, Value raw) {
    return of(model).normalise(List.of(Sample.good("p", raw)), T).readings().get(0);
  }

  @Test
  void eachIsScaled() {
    assertThat(one(point("p", DataType.UINT16, "0.1", "-40"), list(653, 0, 65535)).value())
        .isEqualTo(list(25.3, -40.0, 6513.5));
    assertThat(one(point("p", DataType.FLOAT32, "10", "0"), list(0.5, -1.0)).value())
        .isEqualTo(list(5.0, -10.0));
    assertThat(one(point("p", DataType.INT16, "1", "0"), list(1, -2)).value())
        .isEqualTo(list(1, -2));
    assertThat(one(point("p", DataType.INT16, "1", "0"), list()).value()).isEqualTo(list());
  }

  @Test
  void listsOfTruthsAndTextsPassThrough() {
    assertThat(one(point("p", DataType.BOOL, "1", "0"), list(true, false)).value())
        .isEqualTo(list(true, false));
    assertThat(one(point("p", DataType.TEXT, "1", "0"), list("a", "b")).value())
        .isEqualTo(list("a", "b"));
  }

  @Test
  void aListWithOneThatDoesNotFitIsBad() {
    for (Value wrong : List.of(list(1, 70_000), list(1, 1.5), list(1, "x"), list(true), list(-1))) {
      Reading reading = one(point("p", DataType.UINT16, "1", "0"), wrong);
      assertThat(reading.quality()).as("" + wrong).isEqualTo(Quality.BAD_TYPE_MISMATCH);
      assertThat(reading.value()).isNull();
    }
    assertThat(one(counter(point("p", DataType.UINT16, "1", "0"), 65536, null), list(1)).quality())
        .as("a counter counts one thing")
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(
            one(without(point("p", DataType.UINT16, "1", "0"), Value.of(65535)), list(1, 65535))
                .quality())
        .isEqualTo(Quality.BAD_NO_DATA);
  }

  @Test
  void itIsOutOfRangeIfOneIs() {
    PointModel model = ranged(point("p", DataType.UINT16, "0.1", "0"), 1.0, 10.0);
    assertThat(one(model, list(10, 100)).quality()).isEqualTo(Quality.GOOD);
    assertThat(one(model, list(10, 101)).quality()).isEqualTo(Quality.UNCERTAIN_OUT_OF_RANGE);
    assertThat(one(model, list(9, 50)).quality()).isEqualTo(Quality.UNCERTAIN_OUT_OF_RANGE);
  }

  @Test
  void itSaysNothingNewIfNoneOfItDoesAndItIsAsLong() {
    Normaliser normaliser =
        of(banded(point("p", DataType.UINT16, "1", "0"), 2, Duration.ofMinutes(10)));
    Value[] told = {
      list(10, 20), list(12, 18), list(12, 17), list(12, 17, 5), list(12, 17), list(), Value.of(1)
    };
    boolean[] news = {true, false, true, true, true, true, true};
    for (int i = 0; i < told.length; i++) {
      Normaliser.Result result =
          normaliser.normalise(List.of(Sample.good("p", told[i])), T.plusSeconds(i));
      assertThat(result.readings().size() == 1).as("" + told[i]).isEqualTo(news[i]);
      normaliser.accepted(result);
    }
  }

  @Test
  void aListIsWrittenWhereTheDeviceShowsOne() {
    Normaliser normaliser = of(ranged(point("p", DataType.UINT16, "0.1", "0"), 0.0, 100.0));
    assertThat(normaliser.write("p", list(1, 2)).quality()).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    normaliser.normalise(List.of(Sample.good("p", Value.of(7))), T);
    assertThat(normaliser.write("p", list(1, 2)).quality()).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(normaliser.write("p", list(1, 2)).message())
        .isEqualTo("d/p: found [1, 2]; expected one value, as the device has shown no list");

    normaliser.normalise(List.of(Sample.good("p", list(7, 8))), T);
    normaliser.normalise(List.of(Sample.bad("p", Quality.BAD_COMMUNICATION)), T);
    assertThat(normaliser.write("p", list(1, 2.5)).raw()).isEqualTo(list(10, 25));
    assertThat(normaliser.write("p", list(1, 101)).quality()).isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(normaliser.write("p", list(1, "x")).quality()).isEqualTo(Quality.BAD_TYPE_MISMATCH);
  }

  @Test
  void aListIsWrittenWhereNothingIsShown() {
    Normaliser normaliser = of(access(point("p", DataType.BOOL, "1", "0"), Access.WRITE));
    assertThat(normaliser.write("p", list(true, 0)).raw()).isEqualTo(list(true, false));
    Normaliser structures = of(access(point("p", DataType.STRUCT, "1", "0"), Access.WRITE));
    assertThat(structures.write("p", list(1)).quality()).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    Value struct = new Value.Struct(Map.of("speed", Value.of(3)));
    assertThat(structures.write("p", struct).raw()).isEqualTo(struct);
  }

  @Test
  void aListScalesNothing() {
    PointModel ratio = point("ratio", DataType.UINT16, "1", "0");
    PointModel scaled = Models.scaledBy(point("p", DataType.UINT16, "1", "0"), false, "ratio");
    List<Reading> readings =
        of(ratio, scaled)
            .normalise(List.of(Sample.good("ratio", list(2, 3)), Sample.good("p", list(1, 2))), T)
            .readings();
    assertThat(readings.get(1).quality().bad()).isTrue();

    readings =
        of(ratio, scaled)
            .normalise(List.of(Sample.good("ratio", Value.of(3)), Sample.good("p", list(1, 2))), T)
            .readings();
    assertThat(readings.get(1).value()).isEqualTo(list(3.0, 6.0));
  }
}
