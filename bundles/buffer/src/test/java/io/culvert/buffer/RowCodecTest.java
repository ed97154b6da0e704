package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class RowCodecTest {
  private static final RowHead.Stamp STAMP = new RowHead.Stamp(0, 0, 0, 0, 0);

  @Property(tries = 300)
  void everyReadingComesBackAsItWas(@ForAll("rows") List<Reading> readings) throws Exception {
    Map<String, Long> next = new HashMap<>();
    RowHead head =
        RowHead.of(
            StreamClass.EVENT,
            4711,
            new RowHead.Stamp(1_700_000_000_000L, 5, 6, -7, 8),
            readings,
            device -> device.hashCode() & 0xFFFFL);
    RowHead headBack = RowHead.decode(RowCodec.unseal(RowCodec.seal(head.encode())));
    assertThat(headBack).isEqualTo(head);

    byte[] bytes = RowCodec.encode(head, readings);
    byte[] packed = RowCodec.seal(RowCodec.pack(bytes));
    assertThat(bytes.length)
        .as("weight is never less than the truth")
        .isLessThanOrEqualTo(64 + readings.stream().mapToInt(Weight::of).sum());
    List<Batch.Entry> back =
        RowCodec.decode(head, RowCodec.unpack(RowCodec.unseal(packed))).entries();
    assertThat(back).extracting(Batch.Entry::reading).isEqualTo(readings);
    for (Batch.Entry entry : back) {
      String device = entry.reading().device();
      long expected = next.merge(device, 1L, Long::sum) - 1 + (device.hashCode() & 0xFFFFL);
      assertThat(entry.sequence()).isEqualTo(expected);
    }
  }

  @Property(tries = 400)
  void anyBytesDoNoMoreThanFailAsDamaged(@ForAll("bytes") byte[] bytes) {
    damagedOrFine(() -> RowHead.decode(bytes));
    damagedOrFine(() -> RowCodec.unseal(bytes));
    damagedOrFine(() -> RowCodec.unpack(bytes));
    damagedOrFine(() -> RowCodec.decode(sampleHead(), bytes));
    damagedOrFine(() -> Delivery.read(new ByteReader(bytes)));
  }

  /** Wrong bytes at random rarely come far; a right row with a few bytes changed does. */
  @Property(tries = 400)
  void changedBytesDoNoMoreThanFailAsDamaged(
      @ForAll("rows") List<Reading> readings, @ForAll("changes") List<int[]> changes) {
    RowHead head = RowHead.of(StreamClass.EVENT, 0, STAMP, readings, device -> 1);
    byte[] headBytes = head.encode();
    byte[] body = RowCodec.encode(head, readings);
    byte[] packed = RowCodec.pack(body);
    for (int[] change : changes) {
      headBytes[change[0] % headBytes.length] = (byte) change[1];
      body[change[0] % body.length] = (byte) change[1];
      packed[change[0] % packed.length] = (byte) change[1];
    }
    damagedOrFine(() -> RowHead.decode(headBytes));
    damagedOrFine(() -> RowCodec.decode(head, body));
    damagedOrFine(() -> RowCodec.unpack(packed));
  }

  @Test
  void aFlippedBitIsFound() {
    byte[] sealed = RowCodec.seal(new byte[] {1, 2, 3});
    for (int bit = 0; bit < sealed.length * 8; bit++) {
      byte[] flipped = sealed.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThatThrownBy(() -> RowCodec.unseal(flipped)).isInstanceOf(DamagedException.class);
    }
  }

  @Test
  void aLengthBeyondTheBoundTakesNoMemory() {
    ByteWriter bomb = new ByteWriter();
    bomb.varint(Integer.MAX_VALUE);
    assertThatThrownBy(() -> RowCodec.unpack(bomb.toBytes()))
        .isInstanceOf(DamagedException.class)
        .hasMessageContaining("2147483647 where 0 to 4194304 is due");
  }

  @Test
  void aPollTakesFewBytes() {
    List<Reading> readings = Measure.poll(50, 20, Readings.T0, 0);
    RowHead head = RowHead.of(StreamClass.TELEMETRY, 0, STAMP, readings, device -> 1);
    double each =
        (head.encode().length + RowCodec.pack(RowCodec.encode(head, readings)).length)
            / (double) readings.size();
    assertThat(each).as("bytes a reading").isLessThan(6);
  }

  private interface Decoding {
    Object run() throws DamagedException;
  }

  /** Anything else that is thrown fails the test. */
  private static void damagedOrFine(Decoding decoding) {
    try {
      assertThat(decoding.run()).isNotNull();
    } catch (DamagedException expected) {
      assertThat(expected.getMessage()).isNotBlank();
    }
  }

  private static RowHead sampleHead() {
    return RowHead.of(StreamClass.EVENT, 0, STAMP, Readings.numbered("a", 0, 3), device -> 1);
  }

  @Provide
  Arbitrary<byte[]> bytes() {
    return Arbitraries.bytes().array(byte[].class).ofMaxSize(300).map(RowCodecTest::likely);
  }

  /** Begins with the version, so that more than the first byte is tried. */
  private static byte[] likely(byte[] bytes) {
    if (bytes.length > 0 && bytes.length % 3 != 0) {
      bytes[0] = 1;
    }
    return bytes;
  }

  @Provide
  Arbitrary<List<int[]>> changes() {
    return Combinators.combine(
            Arbitraries.integers().between(0, 10_000), Arbitraries.integers().between(0, 255))
        .as((at, value) -> new int[] {at, value})
        .list()
        .ofMinSize(1)
        .ofMaxSize(5);
  }

  @Provide
  Arbitrary<List<Reading>> rows() {
    Arbitrary<Quality> quality =
        Arbitraries.oneOf(Arbitraries.just(Quality.GOOD), Arbitraries.integers().map(Quality::new));
    Arbitrary<Reading> reading =
        Combinators.combine(
                Arbitraries.strings().ofMaxLength(8),
                Arbitraries.of("level", "flow", "tick", "\ud800", ""),
                values(),
                Arbitraries.of("", "m", "Cel", "m3/h", "[pH]"),
                quality,
                times(),
                times(),
                Combinators.combine(Arbitraries.of(ClockState.class), Arbitraries.of(Grade.class))
                    .as(Map::entry))
            .as(
                (device, point, value, unit, q, event, received, rest) ->
                    new Reading(
                        device,
                        point,
                        StreamClass.EVENT,
                        value,
                        unit,
                        value == null ? new Quality(q.code() | 0x80000000) : q,
                        event,
                        received,
                        rest.getKey(),
                        rest.getValue()));
    return reading.list().ofMinSize(1).ofMaxSize(40);
  }

  private static Arbitrary<Instant> times() {
    return Arbitraries.oneOf(
        Arbitraries.longs().between(0, 100_000).map(Readings.T0::plusMillis),
        Arbitraries.longs().between(0, 1_000_000_000).map(Readings.T0::plusNanos),
        Arbitraries.of(Instant.MIN, Instant.MAX, Instant.EPOCH));
  }

  private static Arbitrary<Value> values() {
    Arbitrary<Value> plain =
        Arbitraries.oneOf(
            Arbitraries.of(true, false).map(Value::of),
            Arbitraries.longs().map(Value::of),
            Arbitraries.doubles().map(Value::of),
            Arbitraries.doubles().between(-100, 100).ofScale(3).map(Value::of),
            Arbitraries.of(
                    Double.NaN,
                    Double.POSITIVE_INFINITY,
                    Double.NEGATIVE_INFINITY,
                    -0.0,
                    Double.MIN_VALUE,
                    Double.MAX_VALUE)
                .map(Value::of),
            Arbitraries.strings().ofMaxLength(12).map(Value::of),
            Arbitraries.of("\udc00", "a\ud800b", "").map(Value::of),
            Arbitraries.bytes().array(byte[].class).ofMaxSize(20).map(Value.Bytes::new));
    Arbitrary<Value> list = plain.list().ofMaxSize(4).map(Value.Array::new);
    Arbitrary<Value> structure =
        Arbitraries.maps(Arbitraries.strings().ofMaxLength(4), Arbitraries.oneOf(plain, list))
            .ofMaxSize(4)
            .map(fields -> new Value.Struct(new LinkedHashMap<>(fields)));
    return Arbitraries.oneOf(plain, list, structure, Arbitraries.just(null));
  }
}
