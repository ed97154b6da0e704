package io.culvert.device.modbus;

import io.culvert.api.DataType;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * How one value stands in the registers, or the bit, that hold it. Immutable, so safe in any
 * thread.
 *
 * <p>Writing is the exact inverse of reading: what {@link #encode} takes reads back as the same
 * value, and what would not is refused.
 */
abstract class Codec {
  /**
   * What a device shows that is no value of the point's type: a digit beyond 9, the 31st of
   * February. It is that of the point alone.
   */
  static final Quality NO_VALUE = Quality.BAD_TYPE_MISMATCH;

  /** A coil or discrete input: one bit of a table of bits. */
  static final Codec BIT = new Bit();

  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.BIG_ENDIAN);
  }

  /** How many registers the value takes, or bits of a table of bits. */
  abstract int count();

  /**
   * Reads the value.
   *
   * @param point its id
   * @param data an answer
   * @param at byte in it where the first register begins; of {@link #BIT}, the bit, counted from
   *     the lowest of byte 0
   * @return good, or of another quality if the registers say so
   */
  abstract Sample decode(String point, byte[] data, int at);

  /**
   * The registers that hold a value, as they go over the wire; bits that are not the value's are 0.
   *
   * @param value of the kind of the point's type; an integer serves for a float as well
   * @return {@code null} if they can't hold it, exactly
   * @throws ClassCastException if the value is of another kind
   */
  abstract byte[] encode(Value value);

  /**
   * The bits of the registers that are the value's, as they go over the wire; {@code null} if all
   * are, so that it can be written without regard to what is there.
   */
  byte[] mask() {
    return null;
  }

  /**
   * A number in the form of its type.
   *
   * @param type numeric
   */
  static Codec number(DataType type, Order order) {
    return switch (type) {
      case FLOAT32, FLOAT64 -> new Real(type, order);
      case INT16, UINT16, INT32, UINT32, INT64, UINT64 -> new Whole(type, order);
      case BOOL, TEXT, BYTES, STRUCT -> throw new IllegalArgumentException(type + " is no number");
    };
  }

  /**
   * An unsigned number in four bits a decimal digit.
   *
   * @param registers 1, 2 or 4
   */
  static Codec bcd(int registers, Order order) {
    return new Bcd(registers, order);
  }

  /**
   * An unsigned number in some of the bits.
   *
   * @param registers 1, 2 or 4
   * @param low first bit, 0 the least significant, counted after the order is applied
   * @param high last bit
   */
  static Codec bits(int registers, Order order, int low, int high) {
    return new Bits(registers, order, low, high);
  }

  /** One bit of a register, 0 to 15, counted after the order is applied. */
  static Codec flag(Order order, int bit) {
    return new Flag(order, bit);
  }

  /** How many registers a number takes. */
  static int registers(DataType type) {
    return switch (type) {
      case BOOL, INT16, UINT16 -> 1;
      case INT32, UINT32, FLOAT32 -> 2;
      case INT64, UINT64, FLOAT64 -> 4;
      case TEXT, BYTES, STRUCT ->
          throw new IllegalArgumentException(type + " has no width of its own");
    };
  }

  /** Whether a value is of the kind that points of a type take. */
  static boolean fits(DataType type, Value value) {
    return switch (type) {
      case BOOL -> value instanceof Value.Bool;
      case FLOAT32, FLOAT64 -> value instanceof Value.Decimal || value instanceof Value.Int;
      case TEXT -> value instanceof Value.Text;
      case BYTES -> value instanceof Value.Bytes;
      default -> value instanceof Value.Int;
    };
  }

  /** One, two or four registers taken as one number. */
  private abstract static class Wide extends Codec {
    final int registers;
    final Order order;

    Wide(int registers, Order order) {
      this.registers = registers;
      this.order = order;
    }

    @Override
    final int count() {
      return registers;
    }

    /** The bytes in their right order, zeros above. */
    final long get(byte[] data, int at) {
      long raw =
          switch (registers) {
            case 1 -> (short) SHORT.get(data, at) & 0xFFFFL;
            case 2 -> (int) INT.get(data, at) & 0xFFFF_FFFFL;
            default -> (long) LONG.get(data, at);
          };
      return order.arrange(raw, registers);
    }

    final byte[] put(long number) {
      long raw = order.arrange(number, registers);
      byte[] data = new byte[2 * registers];
      switch (registers) {
        case 1 -> SHORT.set(data, 0, (short) raw);
        case 2 -> INT.set(data, 0, (int) raw);
        default -> LONG.set(data, 0, raw);
      }
      return data;
    }
  }

  private static final class Whole extends Wide {
    private final boolean signed;

    /** Bits above the number in a long. */
    private final int spare;

    Whole(DataType type, Order order) {
      super(registers(type), order);
      this.signed = type == DataType.INT16 || type == DataType.INT32 || type == DataType.INT64;
      this.spare = 64 - 16 * registers;
    }

    @Override
    Sample decode(String point, byte[] data, int at) {
      long raw = get(data, at);
      if (signed) {
        return Sample.good(point, Value.of(raw << spare >> spare));
      }
      // Of 64 bits, a number that a value can't hold: DataType.UINT64 says what becomes of it.
      return raw < 0
          ? Sample.bad(point, Quality.BAD_OUT_OF_RANGE)
          : Sample.good(point, Value.of(raw));
    }

    @Override
    byte[] encode(Value value) {
      long number = ((Value.Int) value).value();
      long shown = signed ? number << spare >> spare : number << spare >>> spare;
      return shown != number || !signed && number < 0 ? null : put(number << spare >>> spare);
    }
  }

  private static final class Real extends Wide {
    Real(DataType type, Order order) {
      super(registers(type), order);
    }

    @Override
    Sample decode(String point, byte[] data, int at) {
      long raw = get(data, at);
      double number =
          registers == 2 ? Float.intBitsToFloat((int) raw) : Double.longBitsToDouble(raw);
      return Sample.good(point, Value.of(number));
    }

    /** Rounds to the nearest that a single holds; beyond its range is refused. */
    @Override
    byte[] encode(Value value) {
      double number =
          value instanceof Value.Int whole ? whole.value() : ((Value.Decimal) value).value();
      if (registers == 4) {
        return put(Double.doubleToRawLongBits(number));
      }
      float single = (float) number;
      return Double.isFinite(number) && Float.isInfinite(single)
          ? null
          : put(Float.floatToRawIntBits(single) & 0xFFFF_FFFFL);
    }
  }

  private static final class Bcd extends Wide {
    Bcd(int registers, Order order) {
      super(registers, order);
    }

    @Override
    Sample decode(String point, byte[] data, int at) {
      long raw = get(data, at);
      long number = 0;
      for (int shift = 16 * registers - 4; shift >= 0; shift -= 4) {
        long digit = raw >>> shift & 0xF;
        if (digit > 9) {
          return Sample.bad(point, NO_VALUE);
        }
        number = 10 * number + digit;
      }
      return Sample.good(point, Value.of(number));
    }

    @Override
    byte[] encode(Value value) {
      long rest = ((Value.Int) value).value();
      long raw = 0;
      for (int shift = 0; shift < 16 * registers; shift += 4) {
        raw |= Math.max(0, rest % 10) << shift;
        rest /= 10;
      }
      return rest != 0 || ((Value.Int) value).value() < 0 ? null : put(raw);
    }
  }

  private static final class Bits extends Wide {
    private final int low;
    private final long ones;

    Bits(int registers, Order order, int low, int high) {
      super(registers, order);
      this.low = low;
      this.ones = -1L >>> 63 - (high - low);
    }

    @Override
    Sample decode(String point, byte[] data, int at) {
      long number = get(data, at) >>> low & ones;
      return number < 0
          ? Sample.bad(point, Quality.BAD_OUT_OF_RANGE)
          : Sample.good(point, Value.of(number));
    }

    @Override
    byte[] encode(Value value) {
      long number = ((Value.Int) value).value();
      return number < 0 || (number & ~ones) != 0 ? null : put(number << low);
    }

    @Override
    byte[] mask() {
      return put(ones << low);
    }
  }

  private static final class Flag extends Wide {
    private final int bit;

    Flag(Order order, int bit) {
      super(1, order);
      this.bit = bit;
    }

    @Override
    Sample decode(String point, byte[] data, int at) {
      return Sample.good(point, Value.of((get(data, at) >>> bit & 1) == 1));
    }

    @Override
    byte[] encode(Value value) {
      return put(((Value.Bool) value).value() ? 1L << bit : 0);
    }

    @Override
    byte[] mask() {
      return put(1L << bit);
    }
  }

  private static final class Bit extends Codec {
    @Override
    int count() {
      return 1;
    }

    @Override
    Sample decode(String point, byte[] data, int at) {
      return Sample.good(point, Value.of((data[at >> 3] >> (at & 7) & 1) == 1));
    }

    /** As function 05 and 15 take it (V1.1b3, 6.11): the lowest bit of a byte. */
    @Override
    byte[] encode(Value value) {
      return new byte[] {(byte) (((Value.Bool) value).value() ? 1 : 0)};
    }
  }
}
