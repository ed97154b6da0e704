package io.culvert.device.modbus;

import java.util.OptionalInt;

/** Whole numbers as people write them. */
final class Numbers {
  private Numbers() {}

  /** A number from 0, decimal or hexadecimal after {@code 0x}; empty if it is none below 2^31. */
  static OptionalInt parse(String text) {
    boolean hex = text.startsWith("0x") || text.startsWith("0X");
    String digits = hex ? text.substring(2) : text;
    if (!digits.matches(hex ? "[0-9a-fA-F]+" : "[0-9]+")) {
      return OptionalInt.empty();
    }
    try {
      return OptionalInt.of(Integer.parseInt(digits, hex ? 16 : 10));
    } catch (NumberFormatException tooLong) {
      return OptionalInt.empty();
    }
  }
}
