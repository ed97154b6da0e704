package io.culvert.device.modbus;

import java.util.Arrays;

/** Whether an answer fits its request. An answer that doesn't fit is never decoded. */
final class AnswerCheck {
  private AnswerCheck() {}

  /**
   * Compares two PDUs; neither is changed.
   *
   * @return what is wrong with the answer, in words; {@code null} if nothing
   */
  static String wrong(byte[] request, byte[] answer) {
    int asked = at(request, 0);
    int function = at(answer, 0);
    if (function == (asked | 0x80)) {
      // V1.1b3, 7: function code with the highest bit set, then one code.
      return answer.length == 2
          ? null
          : "exception response of " + answer.length + " bytes instead of 2";
    }
    if (function != asked) {
      return String.format("function %02X instead of %02X", function, asked);
    }
    return switch (asked) {
      case 0x01, 0x02 -> data(answer, (number(request, 3) + 7) / 8);
      case 0x03, 0x04 -> data(answer, 2 * number(request, 3));
      // V1.1b3, 6.5, 6.6 and 6.12: the request, or its first five bytes, come back.
      case 0x05, 0x06, 0x10 -> echo(request, answer);
      default -> throw new IllegalArgumentException("function " + asked);
    };
  }

  /** V1.1b3, 6.1 to 6.4: function, count of bytes, bytes. */
  private static String data(byte[] answer, int bytes) {
    if (answer.length < 2 || at(answer, 1) != bytes) {
      return (answer.length < 2 ? "no" : at(answer, 1)) + " bytes announced instead of " + bytes;
    }
    return answer.length == 2 + bytes
        ? null
        : (answer.length - 2) + " bytes of data instead of " + bytes;
  }

  private static String echo(byte[] request, byte[] answer) {
    return answer.length == 5 && Arrays.equals(answer, 0, 5, request, 0, 5)
        ? null
        : "an answer to another write";
  }

  private static int at(byte[] pdu, int offset) {
    return Byte.toUnsignedInt(pdu[offset]);
  }

  private static int number(byte[] pdu, int offset) {
    return at(pdu, offset) << 8 | at(pdu, offset + 1);
  }
}
