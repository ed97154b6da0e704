package io.culvert.device.modbus;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Frames of Modbus ASCII (Serial Line V1.02, 2.5.2): a colon, unit, PDU and LRC in hexadecimal
 * digits, carriage return and line feed. A colon always begins a frame.
 */
final class AsciiFraming implements Framing {
  /** Characters; V1.02, 2.5.2.1. */
  static final int MAX_FRAME = 513;

  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  /** Unit, PDU, LRC. */
  private final byte[] held = new byte[1 + PduLength.MAX + 1];

  private final Receiver receiver;

  /** Since the colon, it included; 0 outside of a frame. */
  private int characters;

  private boolean ended;
  private int unit = -1;
  private int function = -1;

  AsciiFraming(Receiver receiver) {
    this.receiver = receiver;
  }

  @Override
  public boolean numbered() {
    return false;
  }

  @Override
  public byte[] frame(int transaction, int unit, byte[] pdu) {
    byte[] bytes = new byte[pdu.length + 2];
    bytes[0] = (byte) unit;
    System.arraycopy(pdu, 0, bytes, 1, pdu.length);
    bytes[bytes.length - 1] = (byte) -sum(bytes, bytes.length - 1);
    return (":" + HEX.formatHex(bytes) + "\r\n").getBytes(StandardCharsets.US_ASCII);
  }

  /** V1.02, 2.5.2.2: the LRC is what makes the sum of all bytes zero. */
  private static int sum(byte[] bytes, int count) {
    int sum = 0;
    for (int i = 0; i < count; i++) {
      sum += bytes[i];
    }
    return sum & 0xFF;
  }

  @Override
  public int characters(int pdu) {
    return 2 * pdu + 7;
  }

  @Override
  public void expect(int unit, byte[] request) {
    if (request == null) {
      this.unit = -1;
      return;
    }
    reset();
    this.unit = unit;
    this.function = request[0] & 0x7F;
  }

  @Override
  public void reset() {
    abandon(0);
  }

  @Override
  public void decode(ByteBuffer in) {
    while (in.hasRemaining()) {
      // Only seven bits are defined; on a line of eight the highest may be anything.
      take(in.get() & 0x7F);
    }
  }

  private void take(int character) {
    if (character == ':') {
      abandon(0);
      characters = 1;
      return;
    }
    if (characters == 0) {
      receiver.noise(1);
      return;
    }
    int digit =
        ended ? -1 : HexFormat.isHexDigit(character) ? HexFormat.fromHexDigit(character) : -1;
    if (digit >= 0 && characters <= 2 * held.length) {
      int at = (characters - 1) / 2;
      held[at] = (byte) (characters % 2 == 1 ? digit << 4 : held[at] | digit);
      characters++;
    } else if (character == '\r' && !ended) {
      ended = true;
    } else if (character == '\n' && ended) {
      end();
    } else {
      abandon(1);
    }
  }

  private void end() {
    int bytes = (characters - 1) / 2;
    boolean even = characters % 2 == 1;
    if (!even || bytes < 3 || sum(held, bytes) != 0) {
      abandonDamaged();
      return;
    }
    byte[] pdu = new byte[bytes - 2];
    System.arraycopy(held, 1, pdu, 0, pdu.length);
    characters = 0;
    ended = false;
    receiver.frame(0, held[0] & 0xFF, pdu);
  }

  private void abandonDamaged() {
    boolean answer = midFrame();
    abandon(1);
    if (answer) {
      receiver.damaged();
    }
  }

  /** What is held is no frame, nor are so many characters that follow. */
  private void abandon(int more) {
    int noise = characters + (ended ? 1 : 0) + more;
    characters = 0;
    ended = false;
    if (noise > 0) {
      receiver.noise(noise);
    }
  }

  /** A frame has an end of its own; a second may pass within (V1.02, 2.5.2.1). */
  @Override
  public boolean settlesBySilence() {
    return false;
  }

  @Override
  public void silence() {
    boolean answer = midFrame();
    abandon(0);
    if (answer) {
      receiver.damaged();
    }
  }

  @Override
  public boolean midFrame() {
    if (unit < 0 || characters == 0) {
      return false;
    }
    return (characters < 3 || (held[0] & 0xFF) == unit)
        && (characters < 5 || (held[1] & 0x7F) == function);
  }
}
