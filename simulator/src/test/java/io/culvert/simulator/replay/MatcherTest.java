package io.culvert.simulator.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a protocol says of its frames, understood or refused, and held against any bytes. */
class MatcherTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "frame=lines | frame=length, frame=delimited or frame=silence",
        "echo=0-1 | frame=length, frame=delimited or frame=silence",
        "frame=length frame=length at=1 | frame= once",
        "frame=length at=x | at=0–1000",
        "frame=length at=4 size=9 | size=1–4",
        "frame=length at=4 order=middle | order=big or order=little",
        "frame=delimited | end= with frame=delimited",
        "frame=delimited end=0 | 1–16 bytes",
        "frame=silence at=4 | no at= with frame=silence",
        "frame=silence gap=0ms | gap=1–10000",
        "frame=silence echo=3-1 | from the lower offset to the higher",
        "frame=silence echo=a | offsets such as 0-1,8",
        "frame=silence check=md5 | one of crc16-modbus, lrc-hex, sum8, xor8",
        "frame=silence tail=1 | no tail=",
        "frame=silence nonsense=1 | one of the words",
      })
  void whatIsWrittenWrongIsNamedWithWhatWasExpected(String words, String expected) {
    assertThatThrownBy(() -> new Matcher(words))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining("matcher \"" + words + "\"")
        .hasMessageContaining(expected);
  }

  @Test
  void whereNothingIsSaidWholeRequestsAreCompared() throws Exception {
    Matcher matcher = new Matcher(" ");
    assertThat(matcher.gapMillis()).isEqualTo(20);
    assertThat(matcher.compared(Tapes.bytes("0102")))
        .isEqualTo(matcher.compared(Tapes.bytes("0102")));
    assertThat(matcher.compared(Tapes.bytes("0102")))
        .isNotEqualTo(matcher.compared(Tapes.bytes("0103")));
  }

  @ParameterizedTest
  @CsvSource({
    // As the specifications and their makers' examples have them.
    "crc16-modbus, 0, 0, 01030000000a, c5cd",
    "sum8, 0, 1, 68 01 02 16, 6b",
    "xor8, 1, 0, ff 01 02 04, 07",
    "lrc-hex, 1, 2, 3a 3031303330303030303030 41 0d0a, 4632",
  })
  void aCheckSumIsNoPartOfWhatIsComparedAndIsMadeAnew(
      String name, int from, int tail, String without, String sum) throws Exception {
    Matcher matcher =
        new Matcher("frame=silence echo=1 check=" + name + " from=" + from + " tail=" + tail);
    byte[] bare = Tapes.bytes(without);
    byte[] frame = Arrays.copyOf(bare, bare.length + sum.length() / 2);
    int at = bare.length - tail;
    System.arraycopy(bare, at, frame, frame.length - tail, tail);
    System.arraycopy(Tapes.bytes(sum), 0, frame, at, sum.length() / 2);

    assertThat(matcher.intact(frame)).isTrue();
    for (int i = from; i < frame.length - tail; i++) {
      byte[] damaged = frame.clone();
      damaged[i] ^= 0x01;
      assertThat(matcher.intact(damaged)).as("byte %d", i).isFalse();
    }
    byte[] request = frame.clone();
    request[1] = 0x31;
    byte[] answer = matcher.answer(frame, request);
    assertThat(answer[1]).isEqualTo((byte) 0x31);
    assertThat(matcher.intact(answer)).isTrue();
    byte[] othersSum = frame.clone();
    othersSum[at] ^= 0x55;
    assertThat(matcher.compared(othersSum)).isEqualTo(matcher.compared(frame));
    // A damaged answer is part of the truth.
    assertThat(matcher.intact(matcher.answer(othersSum, request))).isFalse();
  }

  /** However a stream comes in pieces, its frames are the same. */
  @Property(tries = 300)
  void framesAreTheSameHoweverTheyComeInPieces(
      @ForAll @Size(max = 20) List<@Size(max = 30) byte[]> bodies,
      @ForAll @IntRange(min = 1, max = 9) int piece,
      @ForAll boolean little)
      throws Exception {
    Matcher matcher =
        new Matcher("frame=length begin=68 at=1 size=2 add=4 order=" + (little ? "little" : "big"));
    List<String> sent = new ArrayList<>();
    StringBuilder stream = new StringBuilder();
    for (byte[] body : bodies) {
      String length = "%04x".formatted(body.length);
      String placed = little ? length.substring(2) + length.substring(0, 2) : length;
      String frame = "68" + placed + Tapes.hex(body) + "16";
      sent.add(frame);
      // What makers put before a frame to wake a device.
      stream.append("fefe").append(frame);
    }
    Cutter cutter = matcher.cutter();
    List<String> cut = new ArrayList<>();
    byte[] all = Tapes.bytes(stream.toString());
    for (int at = 0; at < all.length; at += piece) {
      cutter.take(
          Arrays.copyOfRange(all, at, Math.min(all.length, at + piece)),
          frame -> cut.add(Tapes.hex(frame)));
    }
    assertThat(cut).isEqualTo(sent);
    assertThat(cutter.leftOut()).isEqualTo(2L * bodies.size());
  }

  /** Whatever comes: no exception, nothing held without bound, and no byte lost or made up. */
  @Property(tries = 300)
  void anyBytesAreCutWithoutHarm(
      @ForAll @IntRange(min = 0, max = 4) int which,
      @ForAll @Size(max = 40) List<@Size(max = 200) byte[]> pieces,
      @ForAll long seed)
      throws Exception {
    String[] matchers = {
      Tapes.TCP,
      Tapes.RTU,
      Tapes.ASCII,
      "frame=length begin=6801 at=2 size=4 order=little add=-3 echo=1-4,9 check=sum8 tail=1",
      "frame=delimited end=0d0a ignore=0-3 check=xor8",
    };
    Matcher matcher = new Matcher(matchers[which]);
    Cutter cutter = matcher.cutter();
    long[] out = new long[1];
    List<byte[]> frames = new ArrayList<>();
    long in = 0;
    List<byte[]> all = new ArrayList<>(pieces);
    byte[] flood = new byte[3 * Cutter.MOST];
    new Random(seed).nextBytes(flood);
    all.add(flood);
    for (byte[] piece : all) {
      in += piece.length;
      cutter.take(
          piece,
          frame -> {
            out[0] += frame.length;
            frames.add(frame);
          });
      assertThat(cutter.held().length).isLessThanOrEqualTo(Cutter.MOST);
    }
    assertThat(out[0] + cutter.leftOut() + cutter.held().length).isEqualTo(in);
    byte[] other = frames.isEmpty() ? new byte[0] : frames.get(0);
    for (byte[] frame : frames) {
      matcher.intact(frame);
      assertThat(matcher.compared(frame).remaining()).isEqualTo(frame.length);
      assertThat(matcher.answer(frame, other)).hasSameSizeAs(frame);
      assertThat(matcher.number(matcher.answer(frame, frame))).isEqualTo(matcher.number(frame));
    }
  }

  /** Whatever words come from a file: understood, or refused with a sentence. */
  @Property(tries = 500)
  void anyWordsAreUnderstoodOrRefused(@ForAll String words) {
    Assume.that(!words.isBlank());
    try {
      assertThat(new Matcher(words).toString()).isEqualTo(words.strip());
    } catch (RecordingException e) {
      assertThat(e.getMessage()).startsWith("matcher \"").contains("; expected ");
    }
  }
}
