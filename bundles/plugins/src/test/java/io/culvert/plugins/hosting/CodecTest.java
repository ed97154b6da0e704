package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.SerialLines;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Everything that crosses the wire arrives as it left. */
class CodecTest {

  private static <T> T there(T value, Codec.Put<T> put, Codec.Get<T> get) throws Malformed {
    Cbor.Writer out = new Cbor.Writer();
    put.put(out, value);
    Cbor.Reader in = new Cbor.Reader(out.toBytes(), Peer.ITEMS);
    T back = get.get(in);
    in.end();
    return back;
  }

  @Property
  void aSample(@ForAll("samples") Sample sample) throws Malformed {
    assertThat(there(sample, Codec::sample, Codec::sample)).isEqualTo(sample);
  }

  @Property
  void aPageOfHistory(
      @ForAll("samples") Sample one,
      @ForAll("samples") Sample two,
      @ForAll("words") String without,
      @ForAll("words") String next)
      throws Malformed {
    Historical.Page page = new Historical.Page(List.of(one, two), Set.of(without), next);
    assertThat(there(page, Codec::page, Codec::page)).isEqualTo(page);
  }

  @Property
  void whatIsMissing(
      @ForAll("samples") Sample one, @ForAll("words") String why, @ForAll long readings)
      throws Malformed {
    Instant time = one.deviceTime() == null ? Instant.EPOCH : one.deviceTime();
    Missing missing = new Missing(one.point(), time, Instant.MAX, readings, why);
    assertThat(there(missing, Missing::write, Missing::read)).isEqualTo(missing);
  }

  @Property
  void aDevice(
      @ForAll("words") String id,
      @ForAll("words") String profile,
      @ForAll("settings") Map<String, String> settings)
      throws Malformed {
    Device device = new Device(id, profile, URI.create("odd://h:1/%C3%A4?x=1&y=%20"), settings);
    assertThat(there(device, Codec::device, Codec::device)).isEqualTo(device);
  }

  @Property
  void aPoint(
      @ForAll("words") String id,
      @ForAll("words") String address,
      @ForAll DataType type,
      @ForAll Access access)
      throws Malformed {
    Point point = new Point(id, address, type, access);
    assertThat(there(point, Codec::point, Codec::point)).isEqualTo(point);
  }

  @Property
  void aProblemAndWhatIsFound(
      @ForAll("words") String one,
      @ForAll("words") String two,
      @ForAll("settings") Map<String, String> facts)
      throws Malformed {
    Problem problem = new Problem(one, two, one);
    assertThat(there(problem, Codec::problem, Codec::problem)).isEqualTo(problem);
    Browsable.Found found = new Browsable.Found(one, two, facts);
    assertThat(there(found, Codec::found, Codec::found)).isEqualTo(found);
  }

  @Property
  void figures(@ForAll long a, @ForAll long b, @ForAll long c) throws Malformed {
    Diagnosed.Facts facts = new Diagnosed.Facts(a, b, c, a + 1, b + 1, c + 1, Map.of("x", a));
    assertThat(there(facts, Codec::facts, Codec::facts)).isEqualTo(facts);
    Diagnosed.LineFacts line = new Diagnosed.LineFacts(a, b, c, a + 1, b + 1);
    assertThat(there(line, Codec::line, Codec::line)).isEqualTo(line);
  }

  @Example
  void settingsOfALine() throws Malformed {
    SerialLines.Settings settings =
        new SerialLines.Settings(
            115_200, 7, SerialLines.Parity.ODD, 2, true, true, Duration.ofNanos(3_645_833));
    assertThat(there(settings, Codec::settings, Codec::settings)).isEqualTo(settings);
  }

  @Example
  void anEventKeepsTheOrderOfItsFields() throws Malformed {
    Map<String, Value> fields = new java.util.LinkedHashMap<>();
    for (int i = 40; i > 0; i--) {
      fields.put("f" + i, Value.of((long) i));
    }
    Value.Struct back = (Value.Struct) there(new Value.Struct(fields), Codec::value, Codec::value);
    assertThat(back.fields().keySet()).containsExactlyElementsOf(fields.keySet());
  }

  /** The examples of RFC 8949, appendix A, that are of our part. */
  @Example
  void itIsCborAsTheRfcShowsIt() throws Malformed {
    Map<Long, String> integers =
        Map.ofEntries(
            Map.entry(0L, "00"),
            Map.entry(10L, "0a"),
            Map.entry(23L, "17"),
            Map.entry(24L, "1818"),
            Map.entry(100L, "1864"),
            Map.entry(1000L, "1903e8"),
            Map.entry(1_000_000L, "1a000f4240"),
            Map.entry(1_000_000_000_000L, "1b000000e8d4a51000"),
            Map.entry(-1L, "20"),
            Map.entry(-10L, "29"),
            Map.entry(-100L, "3863"),
            Map.entry(-1000L, "3903e7"));
    for (Map.Entry<Long, String> each : integers.entrySet()) {
      assertThat(hex(Value.of(each.getKey()))).isEqualTo(each.getValue());
    }
    assertThat(hex(Value.of(1.1))).isEqualTo("fb3ff199999999999a");
    assertThat(hex(Value.of(-4.1))).isEqualTo("fbc010666666666666");
    assertThat(hex(Value.of(false))).isEqualTo("f4");
    assertThat(hex(Value.of(true))).isEqualTo("f5");
    assertThat(hex(new Value.Bytes(new byte[] {1, 2, 3, 4}))).isEqualTo("4401020304");
    assertThat(hex(Value.of("IETF"))).isEqualTo("6449455446");
    assertThat(hex(Value.of("水"))).isEqualTo("63e6b0b4");
    assertThat(hex(new Value.Array(List.of(Value.of(1), Value.of(2), Value.of(3)))))
        .isEqualTo("83010203");
    assertThat(hex(new Value.Struct(Map.of("a", Value.of("A"))))).isEqualTo("a161616141");
    // Beyond a long, of unknown length, a tag, a half float: none is ours.
    for (String not :
        List.of("1bffffffffffffffff", "3bffffffffffffffff", "9f01ff", "c11a514b67b0", "f93c00")) {
      assertThatThrownBy(
              () -> Codec.value(new Cbor.Reader(HexFormat.of().parseHex(not), Peer.ITEMS)))
          .as(not)
          .isInstanceOf(Malformed.class);
    }
  }

  private static String hex(Value value) {
    Cbor.Writer out = new Cbor.Writer();
    Codec.value(out, value);
    return HexFormat.of().formatHex(out.toBytes());
  }

  @Provide
  Arbitrary<String> words() {
    // Half of a surrogate pair is no character and can't be UTF-8.
    return Arbitraries.strings()
        .all()
        .ofMaxLength(20)
        .filter(
            s ->
                s.codePoints()
                    .noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE));
  }

  @Provide
  Arbitrary<Map<String, String>> settings() {
    return Arbitraries.maps(words(), words()).ofMaxSize(5);
  }

  private Arbitrary<Value> plain() {
    return Arbitraries.oneOf(
        Arbitraries.of(true, false).map(Value::of),
        Arbitraries.longs().map(Value::of),
        Arbitraries.doubles().map(Value::of),
        Arbitraries.of(
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY,
                -0.0,
                Double.MIN_VALUE,
                Double.MAX_VALUE)
            .map(Value::of),
        Arbitraries.of(Long.MIN_VALUE, Long.MAX_VALUE, -1L, 0L).map(Value::of),
        words().map(Value::of),
        Arbitraries.bytes().array(byte[].class).ofMaxSize(300).map(Value.Bytes::new));
  }

  private Arbitrary<Value> array() {
    return plain().list().ofMaxSize(30).map(Value.Array::new);
  }

  private Arbitrary<Value> values() {
    return Arbitraries.oneOf(
        plain(),
        array(),
        Arbitraries.maps(words(), Arbitraries.oneOf(plain(), array()))
            .ofMaxSize(30)
            .map(Value.Struct::new));
  }

  @Provide
  Arbitrary<Sample> samples() {
    Arbitrary<Instant> times =
        Combinators.combine(
                Arbitraries.longs()
                    .between(Instant.MIN.getEpochSecond(), Instant.MAX.getEpochSecond()),
                Arbitraries.integers().between(0, 999_999_999))
            .as(Instant::ofEpochSecond);
    Arbitrary<Quality> qualities = Arbitraries.integers().map(Quality::new);
    return Combinators.combine(words(), values().injectNull(0.1), qualities, times.injectNull(0.3))
        .as(
            (point, value, quality, time) ->
                new Sample(
                    point,
                    value,
                    value == null && !quality.bad() ? Quality.BAD_NO_DATA : quality,
                    time));
  }
}
