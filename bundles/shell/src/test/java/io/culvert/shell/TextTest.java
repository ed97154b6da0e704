package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.Value;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextTest {

  @Test
  void columnsAlignAndNumbersStandToTheRight() {
    assertThat(
            Text.table(
                List.of("point", "value"), List.of(List.of("a", "1"), List.of("bcd", "1,234"))))
        .isEqualTo(
            """
            point  value
            a          1
            bcd    1,234
            """);
  }

  @ParameterizedTest
  @CsvSource({
    "0,0 ms",
    "250,250 ms",
    "1999,1 s",
    "119000,119 s",
    "120000,2 min",
    "7200000,2 h 0 min",
    "8040000,2 h 14 min",
    "172800000,2 days",
    "-5,0 ms"
  })
  void spansAreToldInTheLargestUnit(long millis, String expected) {
    assertThat(Text.span(Duration.ofMillis(millis))).isEqualTo(expected);
  }

  @Test
  void valuesAreReadAsTyped() {
    assertThat(Text.parse("true")).isEqualTo(Value.of(true));
    assertThat(Text.parse("-17")).isEqualTo(Value.of(-17));
    assertThat(Text.parse("1.5")).isEqualTo(Value.of(1.5));
    assertThat(Text.parse("1e3")).isEqualTo(Value.of(1000.0));
    assertThat(Text.parse("\"17\"")).isEqualTo(Value.of("17"));
    assertThat(Text.parse("open")).isEqualTo(Value.of("open"));
    assertThat(Text.parse("NaN")).isEqualTo(Value.of("NaN"));
  }

  @Test
  void listsAndStructuresAreReadAsJson() {
    assertThat(Text.parse("[1, 2.5, true, \"open\"]"))
        .isEqualTo(
            new Value.Array(List.of(Value.of(1), Value.of(2.5), Value.of(true), Value.of("open"))));
    assertThat(Text.parse("{\"speed\": 3, \"steps\": [1, 2], \"name\": \"17\"}"))
        .isEqualTo(
            new Value.Struct(
                Map.of(
                    "speed",
                    Value.of(3),
                    "steps",
                    new Value.Array(List.of(Value.of(1), Value.of(2))),
                    "name",
                    Value.of("17"))));
    assertThat(Text.parse("[]")).isEqualTo(new Value.Array(List.of()));
    for (String text : List.of("[1", "[1] 2", "[[1]]", "[null]", "{a}", "[", "{\"a\":{}}")) {
      assertThat(Text.parse(text)).as(text).isEqualTo(Value.of(text));
    }
  }

  @Test
  void ofALongListSomeIsShown() {
    assertThat(Text.value(new Value.Array(List.of(Value.of(1.50), Value.of("a")))))
        .isEqualTo("[1.5, a]");
    assertThat(Text.value(new Value.Array(Collections.nCopies(1020, Value.of(0.1)))))
        .startsWith("[0.1, 0.1")
        .endsWith(", 0.1, … 1,000 more]");
  }

  @Test
  void decimalsKeepTheirDigitsWithoutExponent() {
    assertThat(Text.value(Value.of(1.234))).isEqualTo("1.234");
    assertThat(Text.value(Value.of(0.00001))).isEqualTo("0.00001");
    assertThat(Text.value(Value.of(1234567.0))).isEqualTo("1234567");
    assertThat(Text.value(Value.of(Double.NaN))).isEqualTo("NaN");
  }

  @Test
  void aDurationThatIsNoneIsToldWithOneThatIs() throws Exception {
    assertThat(Text.duration("24h")).isEqualTo(Duration.ofHours(24));
    assertThatThrownBy(() -> Text.duration("soon"))
        .hasMessageContaining("found duration soon; expected one such as 30s");
  }
}
