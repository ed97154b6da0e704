package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.nio.charset.Charset;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Values in registers. */
class CodecTest {
  private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

  /** A codec and a value that it holds. */
  record Held(String name, Codec codec, Value value) {
    @Override
    public String toString() {
      return name + " " + value;
    }
  }

  @Property(tries = 5000)
  void whatIsEncodedDecodesToTheSame(@ForAll("held") Held held) {
    byte[] wire = held.codec.encode(held.value);
    assertThat(wire).hasSize(2 * held.codec.count());
    assertThat(held.codec.decode("p", wire, 0)).isEqualTo(Sample.good("p", held.value));
  }

  @Property
  void aValueDecodesAlikeWhereverItStandsAndLeavesTheAnswerAlone(@ForAll("held") Held held) {
    byte[] wire = held.codec.encode(held.value);
    byte[] data = new byte[wire.length + 10];
    Arrays.fill(data, (byte) 0x5A);
    System.arraycopy(wire, 0, data, 5, wire.length);
    byte[] before = data.clone();
    assertThat(held.codec.decode("p", data, 5).value()).isEqualTo(held.value);
    assertThat(data).isEqualTo(before);
  }

  @Property(tries = 5000)
  void whatDecodesToAGoodValueEncodesToTheSameValue(
      @ForAll("held") Held held, @ForAll @Size(min = 20, max = 20) byte[] data) {
    Sample sample = held.codec.decode("p", data, 0);
    if (sample.quality().bad()) {
      assertThat(sample.value()).isNull();
      return;
    }
    byte[] wire = held.codec.encode(sample.value());
    assertThat(wire).isNotNull();
    assertThat(held.codec.decode("p", wire, 0).value()).isEqualTo(sample.value());
  }

  @Property
  void bitsThatAreNotTheValuesDontMatterAndAreNotWritten(
      @ForAll("masked") Held held, @ForAll @Size(min = 8, max = 8) byte[] others) {
    byte[] wire = held.codec.encode(held.value);
    byte[] mask = held.codec.mask();
    for (int i = 0; i < wire.length; i++) {
      assertThat(wire[i] & ~mask[i]).isZero();
      wire[i] |= (byte) (others[i] & ~mask[i]);
    }
    assertThat(held.codec.decode("p", wire, 0).value()).isEqualTo(held.value);
    for (int bit = 0; bit < 8 * wire.length; bit++) {
      byte[] other = wire.clone();
      other[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(held.value.equals(held.codec.decode("p", other, 0).value()))
          .isEqualTo((mask[bit / 8] >> bit % 8 & 1) == 0);
    }
  }

  @Property
  void integersBeyondTheTypeAreRefused(@ForAll long number, @ForAll Order order) {
    Value value = Value.of(number);
    assertThat(Codec.number(DataType.INT16, order).encode(value) != null)
        .isEqualTo(number == (short) number);
    assertThat(Codec.number(DataType.UINT16, order).encode(value) != null)
        .isEqualTo(number == (number & 0xFFFF));
    assertThat(Codec.number(DataType.INT32, order).encode(value) != null)
        .isEqualTo(number == (int) number);
    assertThat(Codec.number(DataType.UINT32, order).encode(value) != null)
        .isEqualTo(number == (number & 0xFFFF_FFFFL));
    assertThat(Codec.number(DataType.UINT64, order).encode(value) != null).isEqualTo(number >= 0);
    assertThat(Codec.bits(2, order, 4, 7).encode(value) != null)
        .isEqualTo(number == (number & 0xF));
    assertThat(Codec.bcd(2, order).encode(value) != null)
        .isEqualTo(number >= 0 && number <= 99_999_999);
  }

  /** The letters of an order are the bytes of a value as they come, {@code a} the highest. */
  @ParameterizedTest
  @EnumSource(Order.class)
  void anOrderIsItsName(Order order) {
    String letters = order.toString();
    if (letters.length() == 4) {
      letters =
          switch (letters) {
            case "abcd" -> "abcdefgh";
            case "cdab" -> "ghefcdab";
            case "badc" -> "badcfehg";
            default -> "hgfedcba";
          };
    }
    long value = 0x1122334455667788L;
    StringBuilder expected = new StringBuilder();
    for (char letter : letters.toCharArray()) {
      expected.append("1122334455667788", 2 * (letter - 'a'), 2 * (letter - 'a') + 2);
    }
    assertThat(hex(Codec.number(DataType.INT64, order).encode(Value.of(value))))
        .isEqualTo(expected.toString());
    assertThat(Order.named(letters)).contains(order);
  }

  @ParameterizedTest
  @CsvSource({
    "abcd, aabbccdd, aabb",
    "cdab, ccddaabb, aabb",
    "badc, bbaaddcc, bbaa",
    "dcba, ddccbbaa, bbaa",
    "efghabcd, aabbccdd, aabb",
    "cdabghef, ccddaabb, aabb",
    "fehgbadc, bbaaddcc, bbaa",
    "dcbahgfe, ddccbbaa, bbaa",
  })
  void anOrderSaysHow32And16BitsStandToo(String name, String wide, String narrow) {
    Order order = Order.named(name).orElseThrow();
    assertThat(hex(Codec.number(DataType.UINT32, order).encode(Value.of(0xAABBCCDDL))))
        .isEqualTo(wide);
    assertThat(hex(Codec.number(DataType.UINT16, order).encode(Value.of(0xAABBL))))
        .isEqualTo(narrow);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holding:0;bcd | uint16 | 1234 | 1234",
        "holding:0;bcd | uint32 | 12345678 | 12345678",
        "holding:0;bcd;order=cdab | uint32 | 56781234 | 12345678",
        "holding:0;bcd | uint64 | 0000000000000042 | 42",
        "holding:0;bits=4-7 | uint16 | 1230 | 3",
        "holding:0;bits=0-15 | uint16 | ffff | 65535",
        "holding:0;bits=15-16 | uint32 | 00018000 | 3",
        "holding:0;bits=31-31;order=dcba | uint32 | 00000080 | 1",
        "holding:0;length=3 | text | 434d3520 0041 | CM5",
        "holding:0;length=2;order=badc | text | 4d43 3520 | CM 5",
        "holding:0;length=4;charset=gbk | text | c6bdbaf3 20200000 | 平后",
        "holding:0;length=3;charset=utf-8 | text | e6b0b4 202000 | 水",
        "holding:0;length=3;charset=utf-16be | text | 6c34 0020 0000 | 水",
        "holding:0;length=2 | bytes | 00ff1020 | 00ff1020",
        "holding:0;length=2;order=cdab | bytes | 00ff1020 | 102000ff",
        "holding:0;time=unix32 | text | 00000000 | 1970-01-01T00:00:00Z",
        "holding:0;time=unix32;order=cdab | text | ffffffff | 2106-02-07T06:28:15Z",
        "holding:0;time=unix64 | text | 000000006920c7e6 | 2025-11-21T20:13:26Z",
        "holding:0;time=unixms64 | text | 0000000000000001 | 1970-01-01T00:00:00.001Z",
        "holding:0;time=y2k32 | text | 00000001 | 2000-01-01T00:00:01Z",
        "holding:0;time=bytes6 | text | 1a0b 150a 0312 | 2026-11-21T02:03:18Z",
        "holding:0;time=bcd6 | text | 2611 2110 0318 | 2026-11-21T02:03:18Z",
        "holding:0;time=bcd6;order=badc | text | 1126 1021 1803 | 2026-11-21T02:03:18Z",
        "holding:0;time=registers6 | text | 07ea 000b 0015 000a 0003 0012 | 2026-11-21T02:03:18Z",
        "holding:0;time=registers6 | text | 001a 000b 0015 000a 0003 0012 | 2026-11-21T02:03:18Z",
        "holding:0;time=registers7 | text | 07ea000b0015000a00030012 0005 |"
            + " 2026-11-21T02:03:18.005Z",
        "holding:0;time=iec4 | text | 001a 0b15 0a03 4655 | 2026-11-21T02:03:18.005Z",
        // With the day of the week, summer time and reserved bits that some set.
        "holding:0;time=iec4 | text | ff9a fbd5 8a03 4655 | 2026-11-21T02:03:18.005Z",
        // First milliseconds, then hours, date and year.
        "holding:0;time=iec4;order=cdab | text | 4655 0a03 0b15 001a | 2026-11-21T02:03:18.005Z",
      })
  void readsWhatMakersWrite(String address, String type, String wire, String shown) {
    byte[] data = HexFormat.of().parseHex(wire.replace(" ", ""));
    Codec codec = codec(address, type);
    assertThat(codec.count()).isEqualTo(data.length / 2);
    Sample sample = codec.decode("p", data, 0);
    assertThat(sample.quality()).isEqualTo(Quality.GOOD);
    assertThat(sample.value()).hasToString(shown);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holding:0;bcd | uint16 | 12a4 | BadTypeMismatch",
        "holding:0;bcd | uint32 | ffffffff | BadTypeMismatch",
        "holding:0 | uint64 | 8000000000000000 | BadOutOfRange",
        "holding:0;bits=0-63 | uint64 | ffffffffffffffff | BadOutOfRange",
        "holding:0;length=2 | text | ffffffff | BadTypeMismatch",
        "holding:0;length=2;charset=utf-8 | text | 4141e6b0 | BadTypeMismatch",
        "holding:0;time=bcd6 | text | ffff ffff ffff | BadTypeMismatch",
        "holding:0;time=bcd6 | text | 2602 3010 0318 | BadTypeMismatch",
        "holding:0;time=bytes6 | text | 0000 0000 0000 | BadTypeMismatch",
        "holding:0;time=bytes6 | text | 1a0b 1518 0312 | BadTypeMismatch",
        "holding:0;time=registers6 | text | 0064 000b 0015 000a 0003 0012 | BadTypeMismatch",
        "holding:0;time=iec4 | text | 001a 0b15 0a03 ea60 | BadTypeMismatch",
        "holding:0;time=unixms64 | text | 7fffffffffffffff | BadTypeMismatch",
      })
  void whatIsNoValueOfTheTypeIsBadAndNotMadeUp(
      String address, String type, String wire, String quality) {
    byte[] data = HexFormat.of().parseHex(wire.replace(" ", ""));
    Sample sample = codec(address, type).decode("p", data, 0);
    assertThat(sample.value()).isNull();
    assertThat(sample.quality()).hasToString(quality);
  }

  @Test
  void aTimeThatTheDeviceDoubtsIsUncertain() {
    byte[] data = HexFormat.of().parseHex("001a0b150a834655");
    Sample sample = codec("holding:0;time=iec4", "text").decode("p", data, 0);
    assertThat(sample.quality()).isEqualTo(Quality.UNCERTAIN);
    assertThat(sample.value()).isEqualTo(Value.of("2026-11-21T02:03:18.005Z"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // Clocks are set forward at 02:00: this hour never was.
        "1a03 1d02 1e00 | BadTypeMismatch",
        // Set back at 03:00: the first of the two.
        "1a0a 1902 1e00 | 2026-10-25T00:30:00Z",
      })
  void aLocalTimeFollowsTheRulesOfItsZone(String wire, String shown) {
    byte[] data = HexFormat.of().parseHex(wire.replace(" ", ""));
    Sample sample = TimeForm.BYTES6.codec(Order.ABCD, BERLIN).decode("p", data, 0);
    assertThat(sample.value() == null ? sample.quality() : sample.value()).hasToString(shown);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "holding:0;length=2 | text | too long",
        "holding:0;length=2 | text | 'ab '",
        "holding:0;length=2 | text | 水",
        "holding:0;length=1;charset=utf-8 | text | 水",
        "holding:0;time=unix32 | text | 2026-11-21",
        "holding:0;time=unix32 | text | 2026-11-21T02:03:18.5Z",
        "holding:0;time=unix32 | text | 1969-12-31T23:59:59Z",
        "holding:0;time=bcd6 | text | 1999-11-21T02:03:18Z",
        "holding:0;time=bcd6 | text | 2026-11-21T10:03:18+08:00",
        "holding:0;time=registers6 | text | +1000000000-12-31T23:59:59Z",
        "holding:0;time=iec4 | text | 2128-11-21T02:03:18Z",
      })
  void whatWouldReadBackAsAnotherIsRefused(String address, String type, String value) {
    assertThat(codec(address, type).encode(Value.of(value))).isNull();
  }

  private static Codec codec(String address, String type) {
    DataType dataType = DataType.valueOf(type.toUpperCase(Locale.ROOT));
    return Address.of(new Point("p", address, dataType, Access.READ), Settings.DEFAULT).codec();
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Provide
  Arbitrary<Held> held() {
    return Arbitraries.oneOf(numbers(), masked(), rows(), times());
  }

  private static Arbitrary<Held> numbers() {
    Arbitrary<Order> orders = Arbitraries.of(Order.class);
    return Arbitraries.oneOf(
        whole(DataType.INT16, Short.MIN_VALUE, Short.MAX_VALUE),
        whole(DataType.UINT16, 0, 0xFFFF),
        whole(DataType.INT32, Integer.MIN_VALUE, Integer.MAX_VALUE),
        whole(DataType.UINT32, 0, 0xFFFF_FFFFL),
        whole(DataType.INT64, Long.MIN_VALUE, Long.MAX_VALUE),
        whole(DataType.UINT64, 0, Long.MAX_VALUE),
        Combinators.combine(
                orders,
                Arbitraries.oneOf(
                    Arbitraries.floats(),
                    Arbitraries.of(Float.NaN, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, -0.0f)))
            .as((order, n) -> number(DataType.FLOAT32, order, Value.of((double) n))),
        Combinators.combine(
                orders,
                Arbitraries.oneOf(
                    Arbitraries.doubles(),
                    Arbitraries.of(Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, -0.0)))
            .as((order, n) -> number(DataType.FLOAT64, order, Value.of((double) n))),
        Combinators.combine(orders, Arbitraries.of(1, 2, 4), Arbitraries.longs())
            .as(
                (order, registers, n) -> {
                  long most = (long) Math.pow(10, 4 * registers);
                  Value value = Value.of(Math.floorMod(n, most));
                  return new Held("bcd " + order, Codec.bcd(registers, order), value);
                }));
  }

  private static Arbitrary<Held> whole(DataType type, long least, long most) {
    return Combinators.combine(
            Arbitraries.of(Order.class), Arbitraries.longs().between(least, most))
        .as((order, n) -> number(type, order, Value.of((long) n)));
  }

  private static Held number(DataType type, Order order, Value value) {
    return new Held(type + " " + order, Codec.number(type, order), value);
  }

  @Provide
  Arbitrary<Held> masked() {
    Arbitrary<Order> orders = Arbitraries.of(Order.class);
    return Arbitraries.oneOf(
        Combinators.combine(
                orders, Arbitraries.integers().between(0, 15), Arbitraries.of(true, false))
            .as((order, bit, on) -> new Held("bit " + bit, Codec.flag(order, bit), Value.of(on))),
        Combinators.combine(
                orders,
                Arbitraries.of(1, 2, 4),
                Arbitraries.integers().between(0, 63),
                Arbitraries.integers().between(0, 63),
                Arbitraries.longs())
            .as(
                (order, registers, one, other, n) -> {
                  int low = Math.min(one, other) % (16 * registers);
                  int high = Math.max(low, Math.max(one, other) % (16 * registers));
                  long ones = -1L >>> Math.max(1, 63 - (high - low));
                  return new Held(
                      "bits " + low + "-" + high + " " + order,
                      Codec.bits(registers, order, low, high),
                      Value.of(n & ones));
                }));
  }

  private static Arbitrary<Held> rows() {
    Arbitrary<Order> plain = Arbitraries.of(Order.class).filter(Order::plain);
    Map<String, String> samples =
        Map.of("US-ASCII", "AZ 09-~", "GBK", "积水A 深度", "UTF-8", "é水 b", "UTF-16BE", "水 üA");
    return Arbitraries.oneOf(
        Combinators.combine(
                plain, Arbitraries.bytes().array(byte[].class).ofMinSize(1).ofMaxSize(10))
            .as(
                (order, bytes) ->
                    new Held(
                        "bytes " + order,
                        RowCodec.bytes(bytes.length, order),
                        new Value.Bytes(Arrays.copyOf(bytes, 2 * bytes.length)))),
        Arbitraries.of(samples.keySet())
            .flatMap(
                charset ->
                    Combinators.combine(
                            plain,
                            Arbitraries.strings()
                                .withChars(samples.get(charset).toCharArray())
                                .ofMaxLength(6))
                        .as(
                            (order, text) ->
                                new Held(
                                    charset + " " + order,
                                    RowCodec.text(10, order, Charset.forName(charset)),
                                    Value.of(text.stripTrailing())))));
  }

  private static Arbitrary<Held> times() {
    // What all forms hold: 2000 to 2099, without the hours that Berlin's clocks repeat.
    Arbitrary<Instant> moments =
        Arbitraries.longs()
            .between(
                Instant.parse("2000-01-02T00:00:00Z").toEpochMilli(),
                Instant.parse("2099-12-30T00:00:00Z").toEpochMilli())
            .map(Instant::ofEpochMilli)
            .filter(
                moment ->
                    BERLIN
                            .getRules()
                            .getValidOffsets(moment.atZone(BERLIN).toLocalDateTime())
                            .size()
                        == 1);
    return Combinators.combine(Arbitraries.of(TimeForm.class), Arbitraries.of(Order.class), moments)
        .as(
            (form, order, moment) -> {
              boolean millis =
                  form == TimeForm.UNIXMS64 || form == TimeForm.REGISTERS7 || form == TimeForm.IEC4;
              Instant held = millis ? moment : Instant.ofEpochSecond(moment.getEpochSecond());
              Order used = form.number() || order.plain() ? order : Order.BADC;
              return new Held(
                  form + " " + used, form.codec(used, BERLIN), Value.of(held.toString()));
            });
  }
}
