package io.culvert.device.modbus;

import java.util.Locale;

/**
 * The order in which the bytes of a value come over the wire; {@code a} is the most significant.
 *
 * <p>The specification orders the two bytes of a register (V1.1b3, 4.2) and says nothing of values
 * that span several; makers use all four. They are two independent switches, so that each also
 * means something for 16 and 64 bits: registers reversed ({@code cdab}, {@code dcba}) and bytes
 * swapped within each register ({@code badc}, {@code dcba}).
 */
enum Order {
  ABCD(false, false),
  CDAB(true, false),
  BADC(false, true),
  DCBA(true, true);

  private final boolean registersReversed;
  private final boolean bytesSwapped;

  Order(boolean registersReversed, boolean bytesSwapped) {
    this.registersReversed = registersReversed;
    this.bytesSwapped = bytesSwapped;
  }

  /**
   * Turns bytes as on the wire into most significant first, in place, or back: it is its own
   * inverse.
   *
   * @param bytes of whole registers
   */
  void arrange(byte[] bytes) {
    if (registersReversed) {
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
