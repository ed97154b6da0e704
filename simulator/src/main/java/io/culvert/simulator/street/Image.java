package io.culvert.simulator.street;

/**
 * The content of one table of a device as it stands on the wire: registers of 16 bits, or bits. Not
 * thread-safe.
 */
public final class Image {
  private final int first;
  private final short[] cells;

  /**
   * @param first lowest address
   * @param size number of addresses
   */
  public Image(int first, int size) {
    this.first = first;
    this.cells = new short[size];
  }

  /** Whether every address from {@code address} on exists. */
  public boolean holds(int address, int count) {
    return address >= first && address + count <= first + cells.length;
  }

  public int get(int address) {
    return cells[address - first] & 0xFFFF;
  }

  public void put(int address, int value) {
    cells[address - first] = (short) value;
  }

  void putBit(int address, int bit, boolean value) {
    int mask = 1 << bit;
    put(address, value ? get(address) | mask : get(address) & ~mask);
  }

  /** A 32-bit value, most significant register first or last. */
  void put32(int address, int value, boolean highFirst) {
    put(address + (highFirst ? 0 : 1), value >>> 16);
    put(address + (highFirst ? 1 : 0), value);
  }

  /**
   * Bytes in the order of a profile: {@code order} says where each of the bytes a (most
   * significant) to d stands on the wire; longer values go by the same words and bytes.
   */
  void putOrdered(int address, long value, int registers, String order) {
    boolean wordsReversed = order.equals("cdab") || order.equals("dcba");
    boolean bytesSwapped = order.equals("badc") || order.equals("dcba");
    for (int i = 0; i < registers; i++) {
      int word = (int) (value >>> (16 * (registers - 1 - i))) & 0xFFFF;
      if (bytesSwapped) {
        word = (word >>> 8) | ((word & 0xFF) << 8);
      }
      put(address + (wordsReversed ? registers - 1 - i : i), word);
    }
  }

  long getOrdered(int address, int registers, String order) {
    boolean wordsReversed = order.equals("cdab") || order.equals("dcba");
    boolean bytesSwapped = order.equals("badc") || order.equals("dcba");
    long value = 0;
    for (int i = 0; i < registers; i++) {
      int word = get(address + (wordsReversed ? registers - 1 - i : i));
      if (bytesSwapped) {
        word = (word >>> 8) | ((word & 0xFF) << 8);
      }
      value = value << 16 | word;
    }
    return value;
  }
}
