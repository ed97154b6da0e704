package io.culvert.core.model;

import io.culvert.api.DataType;

/** Which raw values a numeric point can have. */
public final class RawType {
  private RawType() {}

  /** Whether its values are whole numbers; the bounds below are theirs. */
  public static boolean whole(DataType type) {
    return switch (type) {
      case INT16, UINT16, INT32, UINT32, INT64, UINT64 -> true;
      case BOOL, FLOAT32, FLOAT64, TEXT, BYTES, STRUCT -> false;
    };
  }

  /** Size in bits of a numeric type. */
  public static int bits(DataType type) {
    return switch (type) {
      case INT16, UINT16 -> 16;
      case INT32, UINT32, FLOAT32 -> 32;
      case INT64, UINT64, FLOAT64 -> 64;
      case BOOL, TEXT, BYTES, STRUCT -> throw new IllegalArgumentException(type + " is no number");
    };
  }

  private static boolean signed(DataType type) {
    return type == DataType.INT16 || type == DataType.INT32 || type == DataType.INT64;
  }

  /** Least value of a whole type. */
  public static long min(DataType type) {
    return signed(type) ? -1L << bits(type) - 1 : 0;
  }

  /** Greatest value of a whole type; of {@link DataType#UINT64} the greatest that a long holds. */
  public static long max(DataType type) {
    int bits = signed(type) ? bits(type) - 1 : bits(type);
    return bits >= 63 ? Long.MAX_VALUE : (1L << bits) - 1;
  }

  /**
   * The value that a pattern of bits stands for.
   *
   * @return {@code null} if it has more bits than the type, or a value that isn't taken
   */
  public static Number ofBits(DataType type, long pattern) {
    int bits = bits(type);
    if (bits < 64 && pattern >>> bits != 0) {
      return null;
    }
    return switch (type) {
      case FLOAT32 -> (double) Float.intBitsToFloat((int) pattern);
      case FLOAT64 -> Double.longBitsToDouble(pattern);
      case UINT64 -> pattern < 0 ? null : (Number) pattern;
      default -> signed(type) ? pattern << 64 - bits >> 64 - bits : pattern;
    };
  }
}
