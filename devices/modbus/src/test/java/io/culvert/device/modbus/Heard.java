package io.culvert.device.modbus;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;

/** What a framing found. */
final class Heard implements Framing.Receiver {
  final List<String> frames = new ArrayList<>();
  final Framing framing;
  int damaged;
  int noise;

  /** Bytes that made up frames, as the framing would send them. */
  int framed;

  Heard(Function<Framing.Receiver, Framing> framing) {
    this.framing = framing.apply(this);
  }

  @Override
  public void frame(int transaction, int unit, byte[] pdu) {
    assertThat(transaction).isBetween(0, 0xFFFF);
    assertThat(unit).isBetween(0, 255);
    assertThat(pdu.length).isBetween(1, PduLength.MAX);
    frames.add(unit + ":" + HexFormat.of().formatHex(pdu));
    framed += framing.characters(pdu.length);
  }

  @Override
  public void damaged() {
    damaged++;
  }

  @Override
  public void noise(int bytes) {
    assertThat(bytes).isPositive();
    noise += bytes;
  }

  /** Hands bytes over, in pieces of a length. */
  Heard hear(byte[] bytes, int piece) throws GarbledException {
    for (int at = 0; at < bytes.length; at += piece) {
      framing.decode(ByteBuffer.wrap(bytes, at, Math.min(piece, bytes.length - at)));
    }
    return this;
  }

  static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits.replace(" ", ""));
  }
}
