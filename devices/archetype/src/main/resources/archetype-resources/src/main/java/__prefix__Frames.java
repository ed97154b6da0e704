package ${package};

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * What goes over the wire, in both directions:
 *
 * <pre>
 * A5 | length | number function address … | check sum
 * </pre>
 *
 * <p>The length counts the bytes between it and the check sum: 1 byte, 3 to 64. The number is the
 * asker's, 1 byte; the answer repeats it. The check sum is CRC-16/MODBUS over everything before it,
 * 2 bytes, the low one first; of all other numbers the high byte is first.
 *
 * <p>Knows bytes and nothing of sockets, so that it can be tested byte by byte.
 */
final class ${prefix}Frames {
  static final int READ = 1;
  static final int WRITE = 2;

  private static final int START = 0xA5;
  private static final int SHORTEST = 3;
  private static final int LONGEST = 64;

  /** Room for the longest frame. */
  static final int ROOM = 2 + LONGEST + 2;

  /**
   * What lies between length and check sum. In an answer the bytes behind the number are function,
   * status and, of a reading, two bytes of value.
   *
   * @param number of the request
   * @param data behind the number
   */
  record Body(int number, byte[] data) {}

  private ${prefix}Frames() {}

  /** A request to read one point. */
  static ByteBuffer read(int number, int address) {
    return frame(new byte[] {(byte) number, READ, (byte) address});
  }

  /** A request to write one point, 16 bits. */
  static ByteBuffer write(int number, int address, int value) {
    return frame(
        new byte[] {
          (byte) number, WRITE, (byte) address, (byte) (value >> 8), (byte) value,
        });
  }

  private static ByteBuffer frame(byte[] body) {
    ByteBuffer frame = ByteBuffer.allocate(2 + body.length + 2);
    frame.put((byte) START).put((byte) body.length).put(body);
    int sum = checkSum(frame.array(), 0, frame.position());
    return frame.put((byte) sum).put((byte) (sum >> 8)).flip();
  }

  /**
   * Takes the next frame out of what has arrived. TCP cuts where it likes: half a frame may be
   * there, or two.
   *
   * @param arrived ready to be read; moves behind the frame
   * @return {@code null} if the frame isn't whole yet
   * @throws IOException if this can't be a frame: the bytes are out of step, and the connection is
   *     of no more use
   */
  static Body next(ByteBuffer arrived) throws IOException {
    if (arrived.remaining() < 2) {
      return null;
    }
    int from = arrived.position();
    int start = Byte.toUnsignedInt(arrived.get(from));
    int length = Byte.toUnsignedInt(arrived.get(from + 1));
    if (start != START || length < SHORTEST || length > LONGEST) {
      throw new IOException(
          "The controller sent %02X %02X where a frame should begin".formatted(start, length));
    }
    if (arrived.remaining() < 2 + length + 2) {
      return null;
    }
    byte[] frame = new byte[2 + length + 2];
    arrived.get(frame);
    int expected = checkSum(frame, 0, 2 + length);
    int found =
        Byte.toUnsignedInt(frame[2 + length]) | Byte.toUnsignedInt(frame[3 + length]) << 8;
    if (found != expected) {
      throw new IOException(
          "The controller's answer has check sum %04X, expected %04X".formatted(found, expected));
    }
    byte[] data = new byte[length - 1];
    System.arraycopy(frame, 3, data, 0, data.length);
    return new Body(Byte.toUnsignedInt(frame[2]), data);
  }

  /** CRC-16/MODBUS: polynomial 8005, reflected; begins with FFFF. */
  static int checkSum(byte[] bytes, int from, int to) {
    int sum = 0xFFFF;
    for (int i = from; i < to; i++) {
      sum ^= Byte.toUnsignedInt(bytes[i]);
      for (int bit = 0; bit < 8; bit++) {
        sum = (sum & 1) == 0 ? sum >> 1 : sum >> 1 ^ 0xA001;
      }
    }
    return sum;
  }
}
