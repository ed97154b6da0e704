package io.culvert.core.profile;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProfileReaderTest {
  private static final ProfileReader READER = new ProfileReader();

  private static final String HEAD =
      """
      schema: culvert-profile/1
      id: water
      title: {en: Water, zh-CN: 水}
      scheme: modbus-tcp
      interval: 1s
      points:
      """;

  private static LoadedProfile read(String yaml) {
    return READER.read("f", yaml.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void readsAWholeProfile() {
    LoadedProfile loaded =
        read(
            """
            schema: culvert-profile/1
            id: water
            title: {en: Water, zh-CN: 水}
            scheme: modbus-tcp
            interval: 500ms
            settings: {order: abcd, maxGap: 8, strict: true}
            points:
              - id: level
                title: {en: Depth}
                address: holding:0
                type: uint16
                access: read-write
                scale: 0.001
                offset: 0.35
                deviceUnit: m
                unit: mm
                range: [0, 2000]
                class: alarm
                grade: important
                deadband: {absolute: 2, heartbeat: 60s}
              - {id: tick, address: "holding:1", type: uint32}
            """);

    assertThat(loaded.faults()).isEmpty();
    Profile profile = loaded.profile();
    assertThat(profile.id()).isEqualTo("water");
    assertThat(profile.scheme()).isEqualTo("modbus-tcp");
    assertThat(profile.interval()).isEqualTo(Duration.ofMillis(500));
    assertThat(profile.settings())
        .isEqualTo(Map.of("order", "abcd", "maxGap", "8", "strict", "true"));
    PointModel level = profile.points().get(0);
    assertThat(level.point())
        .isEqualTo(new Point("level", "holding:0", DataType.UINT16, Access.READ_WRITE));
    assertThat(level.scale()).isEqualByComparingTo("1");
    assertThat(level.offset()).isEqualByComparingTo("350");
    assertThat(level.unit()).isEqualTo("mm");
    assertThat(level.min()).isZero();
    assertThat(level.max()).isEqualTo(2000);
    assertThat(level.streamClass()).isEqualTo(StreamClass.ALARM);
    assertThat(level.grade()).isEqualTo(Grade.IMPORTANT);
    assertThat(level.deadband()).isEqualTo(new PointModel.Deadband(2, Duration.ofSeconds(60)));
    assertThat(profile.points().get(1))
        .isEqualTo(
            new PointModel(
                new Point("tick", "holding:1", DataType.UINT32, Access.READ),
                BigDecimal.ONE,
                BigDecimal.ZERO,
                "",
                null,
                null,
                StreamClass.TELEMETRY,
                Grade.GENERAL,
                null));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`[1]` | 1: found a list; expected an object",
        "`schema: culvert-profile/2` | 1: schema: found \"culvert-profile/2\"; expected"
            + " culvert-profile/1",
        "`id: Under Water` | 2: id: found \"Under Water\"; expected 1 to 64 lower-case letters, digits,"
            + " hyphens, dots and underscores, such as underpass-water",
        "`title: Water` | 3: title: found \"Water\"; expected a title by language, such as {en: Water"
            + " depth, zh-CN: 积水深度}",
        "`title: {zh-CN: 水}` | 3: title.en: found nothing; expected the title in English",
        "`title: {en: 7}` | 3: title.en: found 7; expected a text of 1 to 200 characters",
        "`title: {en: W, english: W}` | 3: title.english: found a key that is no language; expected a"
            + " language tag (BCP 47) such as en or zh-CN",
        "`scheme: Modbus TCP` | 4: scheme: found \"Modbus TCP\"; expected the scheme of its endpoints,"
            + " such as modbus",
        "`interval: 1` | 5: interval: found 1; expected a duration such as 250ms, 1s, 5m",
        "`interval: 25h` | 5: interval: found \"25h\"; expected a duration from 10ms to 24h",
      })
  void namesWhatIsWrongInTheHead(String line, String expected) {
    String point = "  - {id: a, address: x, type: bool}\n";
    String key = line.replaceFirst(":.*", "");
    String yaml =
        line.startsWith("[") ? line : HEAD.replaceFirst("(?m)^" + key + ":.*$", line) + point;

    assertThat(read(yaml).faults()).containsExactly("f:" + expected);
    assertThat(read(yaml).profile()).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`  []` | points: found a list; expected a list of 1 to 2000 points",
        "`  {a: 1}` | points: found an object; expected a list of 1 to 2000 points",
        "`  - 7` | points[0]: found 7; expected an object",
        "`  - {address: x, type: bool}` | points[0].id: found nothing; expected 1 to 64 lower-case"
            + " letters, digits and underscores, a letter first; not seq_first, seq_count, historical"
            + " or an id that ends in _q or _u: messages use these names",
        "`  - {id: level_q, address: x, type: bool}` | points[0].id: found \"level_q\"; expected 1 to"
            + " 64 lower-case letters, digits and underscores, a letter first; not seq_first,"
            + " seq_count, historical or an id that ends in _q or _u: messages use these names",
        "`  - {id: a, type: bool}` | points[0].address: found nothing; expected where the driver finds"
            + " it, such as holding:0",
        "`  - {id: a, address: x}` | points[0].type: found nothing; expected one of bool, int16,"
            + " uint16, int32, uint32, int64, uint64, float32, float64, text, bytes,"
            + " struct",
        "`  - {id: a, address: x, type: bool, access: rw}` | points[0].access: found \"rw\"; expected"
            + " one of read, write, read-write",
        "`  - {id: a, address: x, type: bool, class: alert}` | points[0].class: found \"alert\";"
            + " expected one of alarm, event, state, telemetry",
        "`  - {id: a, address: x, type: bool, grade: high}` | points[0].grade: found \"high\"; expected"
            + " one of general, important, core",
        "`  - {id: a, address: x, type: int16, scale: 0}` | points[0].scale: found 0; expected a number"
            + " other than 0",
        "`  - {id: a, address: x, type: int16, scale: '1'}` | points[0].scale: found \"1\"; expected a"
            + " number, or an object such as {point: ratio} or {point: exponent, power: 10}",
        "`  - {id: a, address: x, type: int16, interval: 9ms}` | points[0].interval: found \"9ms\";"
            + " expected a duration from 10ms to 24h",
        "`  - {id: a, address: x, type: int16, scale: {point: b}}` | points[0].scale.point: found \"b\";"
            + " expected the id of a point of this profile",
        "`  - {id: a, address: x, type: int16, scale: {point: a}}` | points[0].scale.point: found \"a\";"
            + " expected a point whose own scale doesn't depend on this one, as in a > a",
        "`  - {id: a, address: x, type: int16, scale: {point: B}}` | points[0].scale.point: found \"B\";"
            + " expected the id of a point",
        "`  - {id: a, address: x, type: int16, scale: {times: 2}}` | points[0].scale.point: found"
            + " nothing; expected the id of a point, or a list of 1 to 4",
        "`  - {id: a, address: x, type: int16, notAvailable: 7}` | points[0].notAvailable: found 7;"
            + " expected a list of 1 to 16 raw values, such as [32767, 0x8000] or [NaN]",
        "`  - {id: a, address: x, type: int16, notAvailable: [0x10000]}` |"
            + " points[0].notAvailable[0]: found \"0x10000\"; expected a raw value from -32768 to 32767,"
            + " or its bits, such as 0x7fff",
        "`  - {id: a, address: x, type: uint64, notAvailable: [0xFFFFFFFFFFFFFFFF]}` |"
            + " points[0].notAvailable[0]: found \"0xFFFFFFFFFFFFFFFF\"; expected a raw value from 0 to"
            + " 9223372036854775807, or its bits, such as 0x7fff",
        "`  - {id: a, address: x, type: int16, notAvailable: [0x8000, -32768]}` |"
            + " points[0].notAvailable[1]: found -32768, which is the same as one before; expected each"
            + " once",
        "`  - {id: a, address: x, type: uint16, counter: {modulus: 65537}}` |"
            + " points[0].counter.modulus: found 65537; expected a whole number from 2 to 65536, such as"
            + " 65536 or 100000000",
        "`  - {id: a, address: x, type: uint16, counter: {modulus: 100, maxStep: 100}}` |"
            + " points[0].counter.maxStep: found 100; expected a whole number of at least 1 and less than"
            + " modulus",
        "`  - {id: a, address: x, type: float32, counter: {modulus: 100}}` | points[0].counter: found it"
            + " at a point of type float32; expected it at whole numbers only: remove it",
        "`  - {id: a, address: x, type: uint16, access: read-write, counter: {modulus: 9}}` |"
            + " points[0].counter: found it at a point that can be written; expected it at points of"
            + " access read only: remove it",
        "`  - {id: a, address: x, type: int16, offset: 1e999}` | points[0].offset: found 1e999;"
            + " expected a number of at most 34 digits, from 1e-40 to 1e40 in size",
        "`  - {id: a, address: x, type: int16, unit: °C}` | points[0].unit: found \"°C\"; expected a"
            + " UCUM code such as m, m3/h, Cel, kW.h or %{vol}",
        "`  - {id: a, address: x, type: int16, unit: ''}` | points[0].unit: found \"\"; expected a UCUM"
            + " code of 1 to 64 characters, such as m3/h",
        "`  - {id: a, address: x, type: int16, deviceUnit: mm}` | points[0].deviceUnit: found \"mm\";"
            + " expected a key unit beside it: the unit that it is converted to",
        "`  - {id: a, address: x, type: int16, deviceUnit: s, unit: m}` | points[0].deviceUnit: found"
            + " \"s\"; expected a unit that converts to m",
        "`  - {id: a, address: x, type: int16, deviceUnit: '[pH]', unit: mol/L}` |"
            + " points[0].deviceUnit: found \"[pH]\"; expected the same code as unit: [pH] has no"
            + " linear scale, so it isn't converted",
        "`  - {id: a, address: x, type: int16, range: 5}` | points[0].range: found 5; expected two"
            + " numbers: [least, greatest]",
        "`  - {id: a, address: x, type: int16, range: [0, x]}` | points[0].range[1]: found \"x\";"
            + " expected a number",
        "`  - {id: a, address: x, type: int16, range: [2, 0]}` | points[0].range: found [2, 0];"
            + " expected the lesser number first",
        "`  - {id: a, address: x, type: int16, deadband: 1}` | points[0].deadband: found 1; expected an"
            + " object",
        "`  - {id: a, address: x, type: int16, deadband: {heartbeat: 1m}}` |"
            + " points[0].deadband.absolute: found nothing; expected a number of 0 or more, in the"
            + " point's unit",
        "`  - {id: a, address: x, type: int16, deadband: {absolute: -1, heartbeat: 1m}}` |"
            + " points[0].deadband.absolute: found -1; expected a number of 0 or more",
        "`  - {id: a, address: x, type: int16, deadband: {absolute: 1}}` |"
            + " points[0].deadband.heartbeat: found nothing; expected a duration such as 60s, after"
            + " which a reading counts in any case",
        "`  - {id: a, address: x, type: int16, deadband: {absolute: 1, heartbeat: 1ms}}` |"
            + " points[0].deadband.heartbeat: found \"1ms\"; expected a duration from 1s to 24h",
        "`  - {id: a, address: x, type: bool, unit: m}` | points[0].unit: found it at a point of type"
            + " bool; expected it at numbers only: remove it",
        "`  - {id: a, address: x, type: bool, acces: read}` | points[0].acces: found an unknown key;"
            + " expected access",
        "`  - {id: a, id: b, address: x, type: bool}` | points[0].id: found the key a second time;"
            + " expected it once: it stands in line 7 already",
        "`  - {id: a, address: x, type: bool}, {}` | @7:38: found <block mapping end>",
      })
  void namesWhatIsWrongInAPoint(String points, String expected) {
    LoadedProfile loaded = read(HEAD + points + "\n");

    if (expected.startsWith("@")) {
      assertThat(loaded.faults()).singleElement().asString().startsWith("f:7:");
    } else {
      assertThat(loaded.faults()).containsExactly("f:7: " + expected);
    }
    assertThat(loaded.profile()).isNull();
  }

  @Test
  void aPointThatComesTwiceIsNamedWithTheLineOfTheFirst() {
    assertThat(
            read(HEAD
                    + "  - {id: a, address: x, type: bool}\n"
                    + "  - {id: b, address: x, type: bool}\n"
                    + "  - {id: a, address: y, type: bool}\n")
                .faults())
        .containsExactly(
            "f:9: points[2].id: found \"a\"; expected an id of its own: the point in line 7 has this"
                + " one");
  }

  @Test
  void aScaleThatGoesRoundInACircleIsNamedAtEachPointOfIt() {
    assertThat(
            read(HEAD
                    + "  - {id: a, address: x, type: int16, scale: {point: [d, b]}}\n"
                    + "  - {id: b, address: x, type: int16, scale: {point: c, power: 10}}\n"
                    + "  - {id: c, address: x, type: int16, scale: {point: a}}\n"
                    + "  - {id: d, address: x, type: int16}\n")
                .faults())
        .containsExactly(
            "f:7: points[0].scale.point: found \"b\"; expected a point whose own scale doesn't depend"
                + " on this one, as in a > b > c > a",
            "f:8: points[1].scale.point: found \"c\"; expected a point whose own scale doesn't depend"
                + " on this one, as in b > c > a > b",
            "f:9: points[2].scale.point: found \"a\"; expected a point whose own scale doesn't depend"
                + " on this one, as in c > a > b > c");
  }

  @Test
  void readsWhatAPointSaysOfItsRawValues() {
    LoadedProfile loaded =
        read(
            HEAD
                + """
                  - id: energy
                    address: x
                    type: int32
                    interval: 1h
                    notAvailable: [2147483647, 0x80000000]
                    counter: {modulus: 100000000, maxStep: 500}
                    scale: {point: [ratio, b], times: 0.01}
                    deviceUnit: W.h
                    unit: kW.h
                  - {id: ratio, address: x, type: float32, notAvailable: [NaN, 0x7f800000, 0.1]}
                  - {id: b, address: x, type: int16, scale: {point: ratio, power: 10}}
                """);

    assertThat(loaded.faults()).isEmpty();
    PointModel energy = loaded.profile().points().get(0);
    assertThat(energy.interval()).isEqualTo(Duration.ofHours(1));
    assertThat(energy.notAvailable())
        .containsExactlyInAnyOrder(Value.of(Integer.MAX_VALUE), Value.of(Integer.MIN_VALUE));
    assertThat(energy.counter()).isEqualTo(new PointModel.Counter(100_000_000, 500L));
    assertThat(energy.scale()).isEqualByComparingTo("0.00001");
    assertThat(energy.factor()).isEqualTo(new PointModel.Factor(List.of("ratio", "b"), false));
    assertThat(loaded.profile().points().get(1).notAvailable())
        .containsExactlyInAnyOrder(
            Value.of(Double.NaN), Value.of(Double.POSITIVE_INFINITY), Value.of((double) 0.1f));
    assertThat(loaded.profile().points().get(2).factor())
        .isEqualTo(new PointModel.Factor(List.of("ratio"), true));
  }

  @Test
  void namesAllThatIsWrongAtOnce() {
    assertThat(read("points: [{type: int17}, 3]\nfoo: 1").faults()).hasSize(10);
  }

  /** Whatever is written at any place of a good profile, the reader answers in its own words. */
  @Property(tries = 1000)
  void anythingAnywhere(@ForAll("places") int place, @ForAll("words") String word) {
    String good =
        HEAD
            + "  - {id: a, address: x, type: int16, scale: 0.1, unit: m, range: [0, 1],"
            + " deadband: {absolute: 1, heartbeat: 1m}}\n"
            + "  - {id: b, address: x, type: int16, scale: {point: [a], power: 10}, interval: 1h,"
            + " notAvailable: [1, 0x8000], counter: {modulus: 1000, maxStep: 9}}\n";
    int at = place % good.length();
    LoadedProfile loaded = read(good.substring(0, at) + word + good.substring(at));

    assertThat(loaded.profile() == null).isEqualTo(!loaded.faults().isEmpty());
    assertThat(loaded.faults())
        .allSatisfy(fault -> assertThat(fault).startsWith("f:").hasSizeLessThan(500));
  }

  @Provide
  Arbitrary<Integer> places() {
    return Arbitraries.integers().between(0, 10_000);
  }

  @Provide
  Arbitrary<String> words() {
    return Arbitraries.of(
        "1e99999",
        "-",
        "\n",
        ": ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "°",
        "\t",
        "((((",
        "10*",
        "null",
        "~",
        "- ",
        "#",
        "&a ",
        "*a",
        "! ",
        "% ",
        "\u0007",
        "  ",
        "0",
        "9999999999999999999999999999");
  }
}
