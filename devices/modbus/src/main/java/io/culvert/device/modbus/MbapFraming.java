package io.culvert.device.modbus;

import java.nio.ByteBuffer;

/**
 * Frames of Modbus over TCP (Messaging Guide V1.0b, 3.1.3: MBAP header and PDU), with the limits of
 * the specification: protocol identifier 0, and a length from 2 (unit and function) to 254 (unit
 * and a PDU of 253; V1.1b3, 4.1). Anything else means that the stream is not, or no longer, aligned
 * with frames. There is no way to find the next one, so the connection has to go.
 */
final class MbapFraming implements Framing {
  static final int MAX_FRAME = 260;

  /** Transaction, protocol, length, unit. */
  private static final int HEADER = 7;

  private static final int LENGTH_END = 6;

  private final ByteBuffer frame = ByteBuffer.allocate(MAX_FRAME);
  private final Receiver receiver;

  MbapFraming(Receiver receiver) {
    this.receiver = receiver;
  }

  @Override
  public boolean numbered() {
    return true;
  }

  @Override
  public byte[] frame(int transaction, int unit, byte[] pdu) {
    byte[] bytes = new byte[HEADER + pdu.length];
    bytes[0] = (byte) (transaction >> 8);
    bytes[1] = (byte) transaction;
    bytes[4] = (byte) (1 + pdu.length >> 8);
    bytes[5] = (byte) (1 + pdu.length);
    bytes[6] = (byte) unit;
    System.arraycopy(pdu, 0, bytes, HEADER, pdu.length);
    return bytes;
  }

  @Override
  public int characters(int pdu) {
    return HEADER + pdu;
  }

  /** Needs no telling: the answer bears the number of its request. */
  @Override
  public void expect(int unit, byte[] request) {}

  @Override
  public void decode(ByteBuffer in) throws GarbledException {
    while (in.hasRemaining()) {
      fill(in, LENGTH_END);
      if (frame.position() >= 4 && frame.getShort(2) != 0) {
        throw new GarbledException(
            "protocol identifier " + Short.toUnsignedInt(frame.getShort(2)) + " instead of 0");
      }
      if (frame.position() < LENGTH_END) {
        return;
      }
      int length = Short.toUnsignedInt(frame.getShort(4));
      if (length < 2 || length > MAX_FRAME - LENGTH_END) {
        throw new GarbledException("length " + length + " instead of 2 to 254");
      }
      fill(in, LENGTH_END + length);
      if (frame.position() == LENGTH_END + length) {
        byte[] pdu = new byte[length - 1];
        frame.get(HEADER, pdu);
        int transaction = Short.toUnsignedInt(frame.getShort(0));
        int unit = Byte.toUnsignedInt(frame.get(LENGTH_END));
        frame.clear();
        receiver.frame(transaction, unit, pdu);
      }
    }
  }

  /** Moves bytes until the frame has as many as given, if there are. */
  private void fill(ByteBuffer in, int end) {
    int wanted = Math.min(end - frame.position(), in.remaining());
    if (wanted > 0) {
      frame.put(frame.position(), in, in.position(), wanted);
      frame.position(frame.position() + wanted);
      in.position(in.position() + wanted);
    }
  }

  @Override
  public boolean settlesBySilence() {
    return false;
  }

  @Override
  public void silence() {}

  @Override
  public boolean midFrame() {
    return frame.position() > 0;
  }

  @Override
  public void reset() {
    frame.clear();
  }
}
