package io.culvert.simulator.street;

/** The four tables of a Modbus device (Modbus Application Protocol V1.1b3, 4.3). */
public enum Table {
  COIL(1, true),
  DISCRETE(2, true),
  HOLDING(3, false),
  INPUT(4, false);

  private final int readFunction;
  private final boolean bits;

  Table(int readFunction, boolean bits) {
    this.readFunction = readFunction;
    this.bits = bits;
  }

  /** The function code that reads it. */
  public int readFunction() {
    return readFunction;
  }

  /** Whether an address holds one bit, not a register of 16. */
  public boolean bits() {
    return bits;
  }

  static Table byName(String name) {
    for (Table table : values()) {
      if (table.name().equalsIgnoreCase(name)) {
        return table;
      }
    }
    return null;
  }
}
