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
      case Pdu.READ_COILS, Pdu.READ_DISCRETE_INPUTS -> data(answer, (number(request, 3) + 7) / 8);
      case Pdu.READ_HOLDING_REGISTERS, Pdu.READ_INPUT_REGISTERS ->
          data(answer, 2 * number(request, 3));
      // V1.1b3, 6.5, 6.6, 6.11 and 6.12: the request, or its first five bytes, come back.
      case Pdu.WRITE_SINGLE_COIL,
          Pdu.WRITE_SINGLE_REGISTER,
          Pdu.WRITE_MULTIPLE_COILS,
          Pdu.WRITE_MULTIPLE_REGISTERS ->
          echo(request, answer, 5);
      // 6.15 and 6.16: all of it.
      case Pdu.WRITE_FILE_RECORD, Pdu.MASK_WRITE_REGISTER -> echo(request, answer, request.length);
      case Pdu.READ_FILE_RECORD -> record(answer, 2 * number(request, 7));
      case Pdu.REPORT_SERVER_ID -> data(answer, answer.length < 2 ? 0 : answer.length - 2);
      case Pdu.ENCAPSULATED -> Identification.wrong(request, answer);
      default -> throw new IllegalArgumentException("function " + asked);
    };
  }

  /** V1.1b3, 6.1 to 6.4 and 6.13: function, count of bytes, bytes. */
  private static String data(byte[] answer, int bytes) {
    if (answer.length < 2 || at(answer, 1) != bytes) {
      return (answer.length < 2 ? "no" : at(answer, 1)) + " bytes announced instead of " + bytes;
    }
    return answer.length == 2 + bytes
        ? null
        : (answer.length - 2) + " bytes of data instead of " + bytes;
  }

  /** V1.1b3, 6.14, one sub-response: its length with reference type, reference type, registers. */
  private static String record(byte[] answer, int bytes) {
    String wrong = data(answer, 2 + bytes);
    if (wrong == null && (at(answer, 2) != 1 + bytes || at(answer, 3) != Pdu.RECORD)) {
      wrong =
          String.format(
              "a record of length %d and type %d instead of %d and %d",
              at(answer, 2), at(answer, 3), 1 + bytes, Pdu.RECORD);
    }
    return wrong;
  }

  private static String echo(byte[] request, byte[] answer, int length) {
    return answer.length == length && Arrays.equals(answer, 0, length, request, 0, length)
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
