package io.culvert.device.modbus;

import static io.culvert.device.modbus.Heard.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.digitalpetri.modbus.Crc16;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames are found whole, wherever they begin and however they come. */
class FramingTest {

  /** A request and an answer to it, as PDUs. */
  record Example(String request, String answer) {}

  /** The examples of V1.1b3, 6, one for each function; and exceptions. */
  static List<Example> examples() {
    return List.of(
        new Example("01 0013 0013", "01 03 CD6B05"),
        new Example("02 00C4 0016", "02 03 ACDB35"),
        new Example("03 006B 0003", "03 06 022B 0000 0064"),
        new Example("04 0008 0001", "04 02 000A"),
        new Example("05 00AC FF00", "05 00AC FF00"),
        new Example("06 0001 0003", "06 0001 0003"),
        new Example("07", "07 6D"),
        new Example("08 0000 A537", "08 0000 A537"),
        new Example("0B", "0B FFFF 0108"),
        new Example("0C", "0C 08 0000 0108 0121 2000"),
        new Example("0F 0013 000A 02 CD01", "0F 0013 000A"),
        new Example("10 0001 0002 04 000A 0102", "10 0001 0002"),
        new Example("11", "11 05 4D 4F 44 31 FF"),
        new Example(
            "14 0E 06 0004 0001 0002 06 0003 0009 0002", "14 0C 05 06 0DFE 0020 05 06 33CD 0040"),
        new Example(
            "15 0D 06 0004 0007 0003 06AF 04BE 100D", "15 0D 06 0004 0007 0003 06AF 04BE 100D"),
        new Example("16 0004 00F2 0025", "16 0004 00F2 0025"),
        new Example(
            "17 0003 0006 000E 0003 06 00FF 00FF 00FF", "17 0C 00FE 0ACD 0001 0003 000D 00FF"),
        new Example("18 04DE", "18 0006 0002 01B8 1284"),
        new Example("2B 0E 01 00", "2B 0E 01 01 00 00 03 00 02 4142 01 01 43 02 00"),
        new Example("03 006B 007D", "03 FA " + "1234".repeat(125)),
        new Example("03 006B 0003", "83 02"),
        new Example("2B 0E 01 00", "AB 01"));
  }

  private static Heard rtu(String request) {
    Heard heard = new Heard(RtuFraming::new);
    heard.framing.expect(0x11, hex(request));
    return heard;
  }

  private static Heard ascii(String request) {
    Heard heard = new Heard(AsciiFraming::new);
    heard.framing.expect(0x11, hex(request));
    return heard;
  }

  private static byte[] frame(Heard heard, String pdu) {
    return heard.framing.frame(0, 0x11, hex(pdu));
  }

  private static String told(String pdu) {
    return "17:" + pdu.replace(" ", "").toLowerCase(Locale.ROOT);
  }

  @Test
  void framesAreThoseOfTheSpecification() {
    // V1.1b3, 6.3 by the CRC of Serial Line V1.02, 6.2.2; and Messaging Guide V1.0b, 4.2.1.
    assertThat(frame(rtu("03 006B 0003"), "03 006B 0003")).isEqualTo(hex("11 03 006B 0003 7687"));
    assertThat(new String(frame(ascii("03 006B 0003"), "03 006B 0003"), StandardCharsets.US_ASCII))
        .isEqualTo(":1103006B00037E\r\n");
    assertThat(new MbapFraming(null).frame(0x1501, 0xFF, hex("03 0004 0001")))
        .isEqualTo(hex("1501 0000 0006 FF 03 0004 0001"));
  }

  @Property(tries = 200)
  void theCrcIsTheLibrarys(@ForAll @Size(max = 256) byte[] bytes) {
    Crc16 crc = new Crc16();
    crc.update(ByteBuffer.wrap(bytes));
    assertThat(RtuFraming.crc(bytes, 0, bytes.length)).isEqualTo(crc.getValue());
  }

  @ParameterizedTest
  @MethodSource("examples")
  void everyAnswerIsFoundInPiecesOfAnyLength(Example example) throws Exception {
    for (int piece = 1; piece <= 300; piece += piece < 9 ? 1 : 50) {
      for (Heard heard : List.of(rtu(example.request), ascii(example.request))) {
        heard.hear(frame(heard, example.answer), piece);
        assertThat(heard.frames).containsExactly(told(example.answer));
        assertThat(heard.noise).isZero();
        assertThat(heard.framing.midFrame()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void aRequestOfAnotherIsFoundAndTheAnswerAfterIt(Example example) throws Exception {
    for (int piece : new int[] {1, 7, 600}) {
      for (Heard heard : List.of(rtu("03 0000 0001"), ascii("03 0000 0001"))) {
        byte[] request = heard.framing.frame(0, 5, hex(example.request));
        byte[] answer = heard.framing.frame(0, 5, hex(example.answer));
        heard.hear(request, piece).hear(answer, piece).hear(frame(heard, "03 02 ABCD"), piece);
        assertThat(heard.frames).hasSize(3).endsWith(told("03 02 ABCD"));
        assertThat(heard.noise).isZero();
      }
    }
  }

  @Provide
  Arbitrary<Example> example() {
    return Arbitraries.of(examples());
  }

  /**
   * Whatever stands before it and after: it costs no answer, and no waiting for silence. With a
   * seed, since once in some ten thousand times noise has the right CRC and takes the answer's head
   * along.
   */
  @Property(tries = 1000, seed = "1")
  void anAnswerIsFoundAmongNoise(
      @ForAll("example") Example example,
      @ForAll @Size(max = 300) byte[] before,
      @ForAll @Size(max = 300) byte[] after,
      @ForAll @IntRange(min = 1, max = 600) int piece)
      throws Exception {
    Heard heard = rtu(example.request);
    heard.hear(before, piece).hear(frame(heard, example.answer), piece);
    assertThat(heard.frames).contains(told(example.answer));
    heard.hear(after, piece);
    heard.framing.silence();
    assertThat(heard.noise + heard.framed)
        .isEqualTo(before.length + after.length + hex(example.answer).length + 3);

    Heard letters = ascii(example.request);
    letters.hear(before, piece).hear(frame(letters, example.answer), piece).hear(after, piece);
    assertThat(letters.frames).contains(told(example.answer));
  }

  /** Two damaged bits are always found by the CRC; the LRC finds one. */
  @Property(tries = 1000)
  void aDamagedAnswerIsNone(
      @ForAll("example") Example example,
      @ForAll @IntRange(max = 2047) int bit,
      @ForAll boolean lines)
      throws Exception {
    Heard heard = lines ? rtu(example.request) : ascii(example.request);
    byte[] frame = frame(heard, example.answer);
    int at = bit % (8 * frame.length);
    if (!lines && at % 8 == 7) {
      return; // The eighth bit of a character means nothing.
    }
    frame[at / 8] ^= (byte) (1 << at % 8);
    heard.hear(frame, 600);
    heard.framing.silence();
    if (lines) {
      assertThat(heard.frames).doesNotContain(told(example.answer));
    } else {
      // Only the case of a digit can change and mean the same.
      assertThat(heard.frames).isSubsetOf(told(example.answer));
    }
    heard.framing.expect(0x11, hex(example.request));
    heard.hear(frame(heard, example.answer), 600);
    assertThat(heard.frames).endsWith(told(example.answer));
  }

  @Test
  void aWrongCheckSumIsToldAsSoonAsItIsSilent() throws Exception {
    Heard heard = rtu("03 006B 0003");
    heard.hear(hex("11 03 06 022B 0000 0064 C8BB"), 1);
    assertThat(heard.framing.settlesBySilence()).isTrue();
    assertThat(heard.damaged).isZero();
    heard.framing.silence();
    assertThat(heard.damaged).isEqualTo(1);
    assertThat(heard.noise).isEqualTo(11);
  }

  @Test
  void anAnswerThatIsSlowToComeIsWaitedForHoweverLong() throws Exception {
    Heard heard = rtu("03 006B 0003");
    byte[] answer = frame(heard, "03 06 022B 0000 0064");
    heard.framing.decode(ByteBuffer.wrap(answer, 0, 4));
    assertThat(heard.framing.settlesBySilence()).isFalse();
    assertThat(heard.framing.midFrame()).isTrue();
    heard.framing.decode(ByteBuffer.wrap(answer, 4, answer.length - 4));
    assertThat(heard.frames).containsExactly(told("03 06 022B 0000 0064"));
  }

  @Test
  void aFrameOfAnUnknownFunctionEndsWithSilence() throws Exception {
    Heard heard = rtu("03 006B 0003");
    heard.hear(heard.framing.frame(0, 9, hex("41 01 02 03 04 05")), 3);
    assertThat(heard.frames).isEmpty();
    assertThat(heard.framing.settlesBySilence()).isTrue();
    heard.framing.silence();
    assertThat(heard.frames).containsExactly("9:410102030405");
    assertThat(heard.noise).isZero();
  }

  @Test
  void theLongestFrameOfAnUnknownFunctionIsAFrame() throws Exception {
    Heard heard = rtu("03 006B 0003");
    heard.hear(heard.framing.frame(0, 9, hex("41" + "00".repeat(252))), 100);
    assertThat(heard.frames).hasSize(1);
    assertThat(heard.noise).isZero();
  }

  @Test
  void aColonBeginsAFrameAnewWhereverItStands() throws Exception {
    Heard heard = ascii("03 006B 0001");
    byte[] answer = frame(heard, "03 02 ABCD");
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    line.write(answer, 0, 6);
    line.write(answer, 0, 1);
    line.write(answer);
    heard.hear(line.toByteArray(), 2);
    assertThat(heard.frames).containsExactly(told("03 02 ABCD"));
    assertThat(heard.noise).isEqualTo(7);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1103006B00037E\r\n", // no colon
        ":1103006B00037E\n", // no carriage return
        ":1103006B00037E\r:", // no line feed
        ":1103006B00037\r\n", // half a byte
        ":1103006B00037G\r\n", // no digit
        ":1103006B00037E\r \n",
        ":11EF\r\n", // no function
        ":\r\n",
      })
  void whatIsNoFrameOfAsciiIsNoise(String text) throws Exception {
    Heard heard = ascii("03 006B 0003");
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    heard.hear(bytes, 1);
    heard.framing.silence();
    assertThat(heard.frames).isEmpty();
    assertThat(heard.noise).isEqualTo(bytes.length);
  }

  /** An endless row of anything: no more is held than one frame, and time stays linear. */
  @Test
  void aBabblingLineIsBorne() throws Exception {
    byte[] bytes = new byte[200_000];
    new Random(7).nextBytes(bytes);
    List<Heard> all = new ArrayList<>(List.of(rtu("03 006B 0003"), ascii("03 006B 0003")));
    for (Heard heard : all) {
      heard.hear(bytes, 1000);
      assertThat(bytes.length - heard.noise - heard.framed)
          .isBetween(0, heard.framing instanceof RtuFraming ? RtuFraming.MAX_FRAME : 513);
    }
  }

  @Test
  void aStreamThatIsNotModbusIsToldAtItsFirstBytes() {
    assertThatThrownBy(() -> new Heard(MbapFraming::new).hear(hex("0001 0304"), 4))
        .isInstanceOf(GarbledException.class)
        .hasMessage("protocol identifier 772 instead of 0");
    assertThatThrownBy(() -> new Heard(MbapFraming::new).hear(hex("0001 0000 00FF"), 1))
        .isInstanceOf(GarbledException.class)
        .hasMessage("length 255 instead of 2 to 254");
  }
}
