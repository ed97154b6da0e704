package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Device;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.net.URI;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Whatever bytes a process sends, they are something or {@link Malformed}, and nothing else. */
class FrameFuzzTest {
  private static final List<Codec.Get<?>> READERS =
      List.of(
          in -> Codec.list(in, Codec::sample),
          Codec::device,
          in -> Codec.list(in, Codec::found),
          Codec::facts,
          Codec::value,
          Codec::point,
          Codec::problem,
          Codec::line,
          Codec::settings);

  /** Something right for the first of the readers. */
  private static final List<byte[]> RIGHT =
      List.of(
          written(
              out ->
                  Codec.list(
                      out,
                      List.of(
                          Sample.good("a", new Value.Struct(Map.of("x", Value.of("y")))),
                          Sample.bad("b", Quality.BAD),
                          new Sample(
                              "c",
                              new Value.Array(List.of(Value.of(1.5), Value.of(70_000L))),
                              Quality.UNCERTAIN,
                              Instant.EPOCH)),
                      Codec::sample)),
          written(
              out ->
                  Codec.device(
                      out, new Device("d", "p", URI.create("odd://h:1"), Map.of("k", "v")))),
          written(
              out ->
                  Codec.list(
                      out, List.of(new Browsable.Found("a", "t", Map.of("k", "v"))), Codec::found)),
          written(out -> Codec.facts(out, new Diagnosed.Facts(1, 2, 3, 4, 5, 6, Map.of("k", 9L)))));

  private static byte[] written(Peer.Body body) {
    Cbor.Writer out = new Cbor.Writer();
    body.write(out);
    return out.toBytes();
  }

  @Property(tries = 20_000)
  void anyBytes(@ForAll("items") byte[] bytes, @ForAll @IntRange(max = 8) int reader) {
    read(bytes, READERS.get(reader));
  }

  @Property(tries = 20_000)
  void somethingRightWithOneThingWrong(
      @ForAll @IntRange(max = 3) int which,
      @ForAll @IntRange(max = 2) int kind,
      @ForAll @IntRange(max = 200) int where,
      @ForAll byte put) {
    byte[] right = RIGHT.get(which);
    assertThat(read(right, READERS.get(which))).isTrue();
    int at = where % right.length;
    byte[] damaged = right.clone();
    switch (kind) {
      case 0 -> damaged[at] = put;
      case 1 -> damaged = Arrays.copyOf(right, at);
      default -> {
        damaged = Arrays.copyOf(right, right.length + 1);
        System.arraycopy(right, at, damaged, at + 1, right.length - at);
        damaged[at] = put;
      }
    }
    boolean good = read(damaged, READERS.get(which));
    assertThat(good && damaged.length < right.length).as("cut short, and yet whole").isFalse();
  }

  /** A length is a promise, and what it promises must be there before room is made for it. */
  @Example
  void aLengthThatLiesCostsNothing() {
    for (int major : new int[] {0x5B, 0x7B, 0x9B, 0xBB}) {
      for (int first : new int[] {0x00, 0x7F, 0xFF}) {
        byte[] bytes = new byte[20];
        Arrays.fill(bytes, (byte) 0x7F);
        bytes[0] = (byte) major;
        bytes[1] = (byte) first;
        assertThat(read(bytes, Codec::value)).isFalse();
      }
    }
  }

  @Example
  void noFrameHoldsMoreItemsThanAreAllowed() {
    List<Value> many = java.util.Collections.nCopies(Peer.ITEMS, Value.of(true));
    byte[] bytes = written(out -> Codec.value(out, new Value.Array(many)));
    assertThat(bytes.length).isLessThan(Peer.FRAME);
    assertThat(read(bytes, Codec::value)).isFalse();
    assertThat(
            read(
                written(out -> Codec.value(out, new Value.Array(many.subList(1, many.size())))),
                Codec::value))
        .isTrue();
  }

  @Example
  void nestingIsNoDeeperThanAValue() {
    byte[] bytes = new byte[100_000];
    Arrays.fill(bytes, (byte) 0x81);
    assertThat(read(bytes, Codec::value)).isFalse();
    for (int i = 0; i < bytes.length; i += 3) {
      bytes[i] = (byte) 0xA1;
      bytes[Math.min(bytes.length - 1, i + 1)] = 0x61;
    }
    assertThat(read(bytes, Codec::value)).isFalse();
  }

  private static boolean read(byte[] bytes, Codec.Get<?> reader) {
    Cbor.Reader in = new Cbor.Reader(bytes, Peer.ITEMS);
    try {
      assertThat(reader.get(in)).isNotNull();
      in.end();
      return true;
    } catch (Malformed e) {
      assertThat(e).hasMessageStartingWith("found ");
      return false;
    }
  }

  /** Beginnings of items more often than other bytes. */
  @Provide
  Arbitrary<byte[]> items() {
    return Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(1, Arbitraries.bytes()),
            net.jqwik.api.Tuple.of(
                3,
                Arbitraries.of(
                        0x00, 0x17, 0x18, 0x1B, 0x20, 0x3B, 0x40, 0x44, 0x5A, 0x60, 0x61, 0x62,
                        0x78, 0x7B, 0x80, 0x82, 0x9A, 0xA0, 0xA1, 0xBB, 0xF4, 0xF6, 0xFB)
                    .map(Integer::byteValue)))
        .array(byte[].class)
        .ofMaxSize(60);
  }
}
