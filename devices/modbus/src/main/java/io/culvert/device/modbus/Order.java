package io.culvert.device.modbus;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The order in which the bytes of a value come over the wire; {@code a} is the most significant.
 *
 * <p>The specification orders the two bytes of a register (V1.1b3, 4.2) and says nothing of values
 * that span several, so makers use every mix of three independent switches: bytes swapped within
 * each register, registers swapped within each 32 bits, halves of 64 bits swapped. A switch without
 * a meaning for a value's width does nothing to it. The four names of four letters mean for 64 bits
 * what they mean for 32: all registers reversed ({@code cdab}), bytes swapped ({@code badc}), both
 * ({@code dcba}). The other four only differ from those at 64 bits.
 */
enum Order {
  ABCD("abcdefgh", false, false, false),
  CDAB("ghefcdab", true, true, false),
  BADC("badcfehg", false, false, true),
  DCBA("hgfedcba", true, true, true),
  EFGHABCD("efghabcd", true, false, false),
  CDABGHEF("cdabghef", false, true, false),
  FEHGBADC("fehgbadc", true, false, true),
  DCBAHGFE("dcbahgfe", false, true, true);

  /** As they are written, each once. */
  static final List<String> NAMES = Stream.of(values()).map(Order::toString).toList();

  private static final long EVERY_LOW_BYTE = 0x00FF_00FF_00FF_00FFL;
  private static final long EVERY_LOW_REGISTER = 0x0000_FFFF_0000_FFFFL;

  private final String letters;
  private final boolean halvesSwapped;
  private final boolean registersSwapped;
  private final boolean bytesSwapped;

  Order(String letters, boolean halvesSwapped, boolean registersSwapped, boolean bytesSwapped) {
    this.letters = letters;
    this.halvesSwapped = halvesSwapped;
    this.registersSwapped = registersSwapped;
    this.bytesSwapped = bytesSwapped;
  }

  /** The order of a name; eight letters may stand for each. */
  static Optional<Order> named(String name) {
    return Stream.of(values())
        .filter(order -> order.toString().equals(name) || order.letters.equals(name))
        .findFirst();
  }

  /**
   * Turns a number as on the wire, first byte highest, into the number meant, or back: each order
   * is its own inverse.
   *
   * @param raw the bytes of the registers and zeros above
   * @param registers 1, 2 or 4
   */
  long arrange(long raw, int registers) {
    if (this == ABCD) {
      return raw;
    }
    long number = raw;
    if (bytesSwapped) {
      number = (number & EVERY_LOW_BYTE) << 8 | number >>> 8 & EVERY_LOW_BYTE;
    }
    if (registersSwapped && registers > 1) {
      number = (number & EVERY_LOW_REGISTER) << 16 | number >>> 16 & EVERY_LOW_REGISTER;
    }
    return halvesSwapped && registers == 4 ? Long.rotateLeft(number, 32) : number;
  }

  /** Whether it has a meaning for a row of registers that is no number: it goes by four letters. */
  boolean plain() {
    return halvesSwapped == registersSwapped;
  }

  /**
   * Turns bytes as on the wire into their order, in place, or back.
   *
   * @param bytes of whole registers; this order is {@linkplain #plain() plain}
   */
  void arrange(byte[] bytes) {
    if (registersSwapped) {
      for (int low = 0, high = bytes.length - 2; low < high; low += 2, high -= 2) {
        swap(bytes, low, high);
        swap(bytes, low + 1, high + 1);
      }
    }
    if (bytesSwapped) {
      for (int i = 0; i < bytes.length; i += 2) {
        swap(bytes, i, i + 1);
      }
    }
  }

  private static void swap(byte[] bytes, int one, int other) {
    byte kept = bytes[one];
    bytes[one] = bytes[other];
    bytes[other] = kept;
  }

  /** As written in an address or in the settings. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
