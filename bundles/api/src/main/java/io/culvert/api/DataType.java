package io.culvert.api;

/**
 * The type of a point as the device holds it, before scaling. How many bytes or registers it takes,
 * and in which order, is the protocol's affair. A device may hold a {@link Value.Array} of them
 * instead; scale, range and dead-band then hold for each.
 */
public enum DataType {
  /** {@link Value.Bool}. */
  BOOL,
  /** {@link Value.Int}. */
  INT16,
  /** {@link Value.Int}. */
  UINT16,
  /** {@link Value.Int}. */
  INT32,
  /** {@link Value.Int}. */
  UINT32,
  /** {@link Value.Int}. */
  INT64,
  /**
   * {@link Value.Int}, 0 to 2^63 - 1. A driver gives what the device holds beyond as {@link
   * Quality#BAD_OUT_OF_RANGE} without a value: a rounded number would be made up.
   */
  UINT64,
  /** IEEE 754 single; {@link Value.Decimal}. */
  FLOAT32,
  /** IEEE 754 double; {@link Value.Decimal}. */
  FLOAT64,
  /** {@link Value.Text}. */
  TEXT,
  /** {@link Value.Bytes}. */
  BYTES,
  /** {@link Value.Struct}; its unit, if it has one, is that of its numbers. */
  STRUCT;

  /** Whether scale, offset, unit, range and dead-band make sense for it. */
  public boolean numeric() {
    return this != BOOL && this != TEXT && this != BYTES && this != STRUCT;
  }
}
