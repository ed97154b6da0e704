package io.culvert.device.modbus;

/**
 * How long a PDU is by what it says itself (Application Protocol V1.1b3, 6), for framings without a
 * length of their own: RTU.
 */
final class PduLength {
  /** V1.1b3, 4.1. */
  static final int MAX = 253;

  /** More bytes have to come in before it can be told. */
  static final int LATER = 0;

  /** This can't be such a PDU, or it doesn't tell. */
  static final int NONE = -1;

  private PduLength() {}

  /**
   * Of an answer, or an exception response.
   *
   * @param bytes with the function code at {@code from}; nothing is known beyond {@code to}
   * @return 1 to {@value #MAX}, {@link #LATER} or {@link #NONE}
   */
  static int answer(byte[] bytes, int from, int to) {
    if (from >= to) {
      return LATER;
    }
    int function = bytes[from] & 0xFF;
    if (function >= 0x80) {
      return known(function & 0x7F) ? 2 : NONE;
    }
    return switch (function) {
      case 0x01, 0x02, 0x03, 0x04, 0x0C, 0x11, 0x14, 0x15, 0x17 -> counted(bytes, from, to, 1);
      case 0x05, 0x06, 0x08, 0x0B, 0x0F, 0x10 -> 5;
      case 0x07 -> 2;
      case 0x16 -> 7;
      case 0x18 -> queue(bytes, from, to);
      case 0x2B -> identification(bytes, from, to);
      default -> NONE;
    };
  }

  /** Of a request; otherwise as {@link #answer}. */
  static int request(byte[] bytes, int from, int to) {
    if (from >= to) {
      return LATER;
    }
    return switch (bytes[from] & 0xFF) {
      case 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08 -> 5;
      case 0x07, 0x0B, 0x0C, 0x11 -> 1;
      case 0x0F, 0x10 -> counted(bytes, from, to, 5);
      case 0x14, 0x15 -> counted(bytes, from, to, 1);
      case 0x16 -> 7;
      case 0x17 -> counted(bytes, from, to, 9);
      case 0x18 -> 3;
      case 0x2B -> 4;
      default -> NONE;
    };
  }

  /**
   * Of the longest answer that fits a request, to know how long it takes on a slow line.
   *
   * @return 2 to {@value #MAX}
   */
  static int longest(byte[] request) {
    int function = request[0] & 0xFF;
    return switch (function) {
      case 0x01, 0x02 -> Math.min(MAX, 2 + (number(request, 3) + 7) / 8);
      case 0x03, 0x04, 0x17 -> Math.min(MAX, 2 + 2 * number(request, 3));
      case 0x05, 0x06, 0x08, 0x0B, 0x0F, 0x10 -> 5;
      case 0x07 -> 2;
      case 0x15 -> Math.max(2, request.length);
      case 0x16 -> 7;
      default -> MAX;
    };
  }

  static boolean known(int function) {
    return switch (function) {
      case 0x01,
          0x02,
          0x03,
          0x04,
          0x05,
          0x06,
          0x07,
          0x08,
          0x0B,
          0x0C,
          0x0F,
          0x10,
          0x11,
          0x14,
          0x15,
          0x16,
          0x17,
          0x18,
          0x2B ->
          true;
      default -> false;
    };
  }

  /** A count of bytes at an offset, and the bytes. */
  private static int counted(byte[] bytes, int from, int to, int at) {
    if (from + at >= to) {
      return LATER;
    }
    return bounded(at + 1 + (bytes[from + at] & 0xFF));
  }

  /** V1.1b3, 6.18: a count of bytes in two bytes, 64 at most, itself not counted. */
  private static int queue(byte[] bytes, int from, int to) {
    return from + 3 > to ? LATER : bounded(3 + number(bytes, from + 1));
  }

  /** V1.1b3, 6.21: objects, each with its length. Other MEI types don't tell their length. */
  private static int identification(byte[] bytes, int from, int to) {
    if (from + 2 > to) {
      return LATER;
    }
    if (bytes[from + 1] != 0x0E) {
      return NONE;
    }
    if (from + 7 > to) {
      return LATER;
    }
    int end = from + 7;
    for (int objects = bytes[from + 6] & 0xFF; objects > 0; objects--) {
      if (end + 2 > to) {
        return end + 2 - from > MAX ? NONE : LATER;
      }
      end += 2 + (bytes[end + 1] & 0xFF);
    }
    return bounded(end - from);
  }

  private static int bounded(int length) {
    return length > MAX ? NONE : length;
  }

  private static int number(byte[] bytes, int at) {
    return at + 1 < bytes.length ? (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF : 0;
  }
}
