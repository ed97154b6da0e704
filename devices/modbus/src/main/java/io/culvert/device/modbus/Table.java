package io.culvert.device.modbus;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a device's values stand in: the four tables of the data model (Application Protocol V1.1b3,
 * 4.3), and files of records (6.14).
 */
enum Table {
  COIL,
  DISCRETE,
  INPUT,
  HOLDING,
  FILE;

  /** Entries of each of the four. */
  static final int SIZE = 0x10000;

  /** Records of one file, each a register (V1.1b3, 6.14). */
  static final int RECORDS = 10_000;

  /** As they are written. */
  static final List<String> NAMES = Stream.of(values()).map(Table::toString).toList();

  /** The table of a name. */
  static Optional<Table> named(String name) {
    int index = NAMES.indexOf(name);
    return index < 0 ? Optional.empty() : Optional.of(values()[index]);
  }

  /** Whether it holds single bits; else registers of 16. */
  boolean bits() {
    return this == COIL || this == DISCRETE;
  }

  boolean writable() {
    return this == COIL || this == HOLDING || this == FILE;
  }

  /** As written in an address. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
