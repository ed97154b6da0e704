package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;

/**
 * The decoders against any bytes, in pieces of any length: nothing is thrown that isn't declared,
 * every byte is accounted for, and no more is held than one frame. In a normal build each runs on
 * its corpus; to search for an hour, with the JVM's memory bounded:
 *
 * <pre>
 * JAZZER_FUZZ=1 ./mvnw -pl devices/modbus -am test -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dtest='FrameDecodersFuzzTest#rtu' -Djazzer.max_duration=1h -DargLine=-Xmx256m
 * </pre>
 */
class FrameDecodersFuzzTest {

  @FuzzTest(maxDuration = "1h")
  void mbap(FuzzedDataProvider data) {
    Heard heard = new Heard(MbapFraming::new);
    int fed = 0;
    try {
      while (data.remainingBytes() > 0) {
        byte[] piece = data.consumeBytes(data.consumeInt(1, 600));
        fed += piece.length;
        heard.framing.decode(ByteBuffer.wrap(piece));
        assertThat(fed - heard.framed).isBetween(0, MbapFraming.MAX_FRAME - 1);
        assertThat(heard.framing.midFrame()).isEqualTo(fed > heard.framed);
      }
    } catch (GarbledException declared) {
      assertThat(declared).hasMessageContaining(" instead of ");
    }
    assertThat(heard.noise + heard.damaged).isZero();
  }

  @FuzzTest(maxDuration = "1h")
  void rtu(FuzzedDataProvider data) throws Exception {
    feed(new Heard(RtuFraming::new), RtuFraming.MAX_FRAME - 1, data);
  }

  @FuzzTest(maxDuration = "1h")
  void ascii(FuzzedDataProvider data) throws Exception {
    feed(new Heard(AsciiFraming::new), AsciiFraming.MAX_FRAME - 1, data);
  }

  private static boolean tellsItsLength(byte[] pdu) {
    return PduLength.answer(pdu, 0, pdu.length) == pdu.length
        || PduLength.request(pdu, 0, pdu.length) == pdu.length
        || !PduLength.known(pdu[0] & 0x7F);
  }

  private static void feed(Heard heard, int most, FuzzedDataProvider data) throws Exception {
    int fed = 0;
    while (data.remainingBytes() > 0) {
      switch (data.consumeInt(0, 9)) {
        case 0 -> heard.framing.silence();
        case 1 -> heard.framing.expect(0, null);
        case 2 -> {
          byte[] request = data.consumeBytes(data.consumeInt(1, PduLength.MAX));
          if (request.length > 0) {
            heard.framing.expect(data.consumeInt(0, 255), request);
            assertThat(PduLength.longest(request)).isBetween(2, PduLength.MAX);
          }
        }
        case 3 -> {
          byte[] pdu = data.consumeBytes(data.consumeInt(1, PduLength.MAX));
          if (pdu.length > 0) {
            int before = heard.frames.size();
            byte[] frame = heard.framing.frame(0, data.consumeInt(0, 255), pdu);
            heard.framing.reset();
            fed += frame.length;
            heard.framing.decode(ByteBuffer.wrap(frame));
            heard.framing.silence();
            if (tellsItsLength(pdu)) {
              assertThat(heard.frames.size()).isGreaterThan(before);
            }
          }
        }
        default -> {
          byte[] piece = data.consumeBytes(data.consumeInt(1, 600));
          fed += piece.length;
          heard.framing.decode(ByteBuffer.wrap(piece));
        }
      }
      assertThat(fed - heard.noise - heard.framed).isBetween(0, most);
    }
    heard.framing.silence();
    assertThat(heard.noise + heard.framed).isEqualTo(fed);
  }
}
