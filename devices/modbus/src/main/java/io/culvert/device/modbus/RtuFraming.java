package io.culvert.device.modbus;

import java.nio.ByteBuffer;

/**
 * Frames of Modbus RTU (Serial Line V1.02, 2.5.1): unit, PDU, CRC. By the specification a frame
 * ends with a silence of 3.5 characters; but an operating system delivers late and in lumps, and a
 * TCP connection knows no silence. So the end is found by the length that a PDU tells of itself,
 * and proven by the CRC. Silence only settles what is of unknown or broken length.
 *
 * <p>The answer expected is found wherever it begins; other frames only where one ended before, or
 * after noise.
 */
final class RtuFraming implements Framing {
  static final int MAX_FRAME = 256;

  /** Unit and CRC. */
  private static final int AROUND = 3;

  private static final int MIN_FRAME = AROUND + 1;

  /** x^16 + x^15 + x^2 + 1, reflected. */
  private static final int POLYNOMIAL = 0xA001;

  private static final int[] REMAINDERS = remainders();

  private final byte[] held = new byte[MAX_FRAME];
  private final Receiver receiver;

  /** What is held is from {@link #start} to {@link #end}. */
  private int start;

  private int end;
  private int unit = -1;
  private int function = -1;
  private boolean damaged;

  RtuFraming(Receiver receiver) {
    this.receiver = receiver;
  }

  @Override
  public boolean numbered() {
    return false;
  }

  @Override
  public byte[] frame(int transaction, int unit, byte[] pdu) {
    byte[] frame = new byte[pdu.length + AROUND];
    frame[0] = (byte) unit;
    System.arraycopy(pdu, 0, frame, 1, pdu.length);
    int check = crc(frame, 0, pdu.length + 1);
    // The low byte first (V1.02, 2.5.1.2).
    frame[pdu.length + 1] = (byte) check;
    frame[pdu.length + 2] = (byte) (check >> 8);
    return frame;
  }

  private static int[] remainders() {
    int[] remainders = new int[256];
    for (int value = 0; value < 256; value++) {
      int remainder = value;
      for (int bit = 0; bit < 8; bit++) {
        remainder = remainder >> 1 ^ ((remainder & 1) == 0 ? 0 : POLYNOMIAL);
      }
      remainders[value] = remainder;
    }
    return remainders;
  }

  /** V1.02, 6.2.2. */
  static int crc(byte[] bytes, int from, int to) {
    int crc = 0xFFFF;
    for (int i = from; i < to; i++) {
      crc = crc >> 8 ^ REMAINDERS[(crc ^ bytes[i]) & 0xFF];
    }
    return crc;
  }

  @Override
  public int characters(int pdu) {
    return pdu + AROUND;
  }

  @Override
  public void expect(int unit, byte[] request) {
    damaged = false;
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
    noise(end - start);
    start = 0;
    end = 0;
    damaged = false;
  }

  @Override
  public void decode(ByteBuffer in) {
    while (in.hasRemaining()) {
      System.arraycopy(held, start, held, 0, end - start);
      end -= start;
      start = 0;
      int count = Math.min(in.remaining(), MAX_FRAME - end);
      in.get(held, end, count);
      end += count;
      search(false);
      if (end - start == MAX_FRAME) {
        // As long as a frame can be.
        if (!tellWhole()) {
          drop();
        }
        search(false);
      }
    }
  }

  /**
   * Tells of all frames that are complete.
   *
   * @param over nothing more comes
   */
  private void search(boolean over) {
    while (start < end) {
      int length = frameAt(start);
      if (length <= 0 || !beginsAnswer(start)) {
        // More speaks for the answer expected than for another frame, which may be chance.
        int later = expectedAfter(start + 1);
        if (later > 0 && (length <= 0 || later < start + length)) {
          noise(later - start);
          start = later;
          continue;
        }
      }
      if (length == PduLength.LATER || length == PduLength.NONE) {
        if (length == PduLength.LATER && !over) {
          return;
        }
        drop();
        continue;
      }
      tell(length);
    }
  }

  /** Tells of what is held if it is a frame: of a function that doesn't tell its length. */
  private boolean tellWhole() {
    boolean whole = end - start >= MIN_FRAME && intact(start, end - start);
    if (whole) {
      tell(end - start);
    }
    return whole;
  }

  /** Leaves out one byte: no frame begins with it. */
  private void drop() {
    damaged |= beginsAnswer(start);
    noise(1);
    start++;
  }

  private void tell(int length) {
    byte[] pdu = new byte[length - AROUND];
    System.arraycopy(held, start + 1, pdu, 0, pdu.length);
    int from = held[start] & 0xFF;
    start += length;
    receiver.frame(0, from, pdu);
  }

  private void noise(int bytes) {
    if (bytes > 0) {
      receiver.noise(bytes);
    }
  }

  /**
   * Length of the whole frame that begins at an offset, with the right CRC; {@link PduLength#LATER}
   * if one may yet come of it, {@link PduLength#NONE} if not.
   */
  private int frameAt(int at) {
    if (end - at < 2) {
      return PduLength.LATER;
    }
    int asAnswer = whole(at, PduLength.answer(held, at + 1, end));
    if (asAnswer > 0) {
      return asAnswer;
    }
    int asRequest = whole(at, PduLength.request(held, at + 1, end));
    if (asRequest > 0) {
      return asRequest;
    }
    boolean unknown = !PduLength.known(held[at + 1] & 0x7F);
    return unknown || asAnswer == PduLength.LATER || asRequest == PduLength.LATER
        ? PduLength.LATER
        : PduLength.NONE;
  }

  /** Turns the length of a PDU into that of its frame, if it is there and its CRC is right. */
  private int whole(int at, int pdu) {
    if (pdu <= 0) {
      return pdu;
    }
    int length = pdu + AROUND;
    if (at + length > end) {
      return PduLength.LATER;
    }
    return intact(at, length) ? length : PduLength.NONE;
  }

  private boolean intact(int at, int length) {
    int check = crc(held, at, at + length - 2);
    return (held[at + length - 2] & 0xFF) == (check & 0xFF)
        && (held[at + length - 1] & 0xFF) == check >> 8;
  }

  /** Where the answer expected begins, whole and intact; -1 if nowhere. */
  private int expectedAfter(int from) {
    for (int at = from; at + MIN_FRAME <= end; at++) {
      if (beginsAnswer(at) && whole(at, PduLength.answer(held, at + 1, end)) > 0) {
        return at;
      }
    }
    return -1;
  }

  /** As far as can be seen: its first byte, or its first two. */
  private boolean beginsAnswer(int at) {
    return unit >= 0
        && at < end
        && (held[at] & 0xFF) == unit
        && (at + 1 == end || (held[at + 1] & 0x7F) == function);
  }

  @Override
  public boolean settlesBySilence() {
    return damaged || end > start && !midFrame();
  }

  @Override
  public void silence() {
    tellWhole();
    search(true);
    if (damaged) {
      damaged = false;
      receiver.damaged();
    }
  }

  @Override
  public boolean midFrame() {
    return beginsAnswer(start);
  }
}
