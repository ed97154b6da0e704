package io.culvert.device.modbus;

import io.culvert.api.DataType;
import io.culvert.api.Value;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/** Values as registers hold them. */
final class Registers {
  private Registers() {}

  /** How many registers a value takes; 0 if the type can't live in registers. */
  static int count(DataType type) {
    return switch (type) {
      case BOOL, INT16, UINT16 -> 1;
      case INT32, UINT32, FLOAT32 -> 2;
      case INT64, UINT64, FLOAT64 -> 4;
      case TEXT, BYTES -> 0;
    };
  }

  /**
   * The value at a register.
   *
   * @param data registers as on the wire, high byte first
   * @param at first byte of the value
   * @param bit for {@link DataType#BOOL}: 0 (least significant) to 15
   */
  static Value decode(DataType type, Order order, int bit, byte[] data, int at) {
    byte[] bytes = Arrays.copyOfRange(data, at, at + 2 * count(type));
    order.arrange(bytes);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return switch (type) {
      case BOOL -> Value.of((in.getShort() >> bit & 1) == 1);
      case INT16 -> Value.of((long) in.getShort());
      case UINT16 -> Value.of((long) Short.toUnsignedInt(in.getShort()));
      case INT32 -> Value.of((long) in.getInt());
      case UINT32 -> Value.of(Integer.toUnsignedLong(in.getInt()));
      case INT64, UINT64 -> Value.of(in.getLong());
      case FLOAT32 -> Value.of((double) in.getFloat());
      case FLOAT64 -> Value.of(in.getDouble());
      case TEXT, BYTES -> throw new IllegalArgumentException(type + " in registers");
    };
  }

  /**
   * The registers that hold a number, as they go over the wire.
   *
   * @param type numeric
   * @return empty if the type can't hold the value
   * @throws ClassCastException if the value isn't a number of the type's kind; an integer serves
   *     for a float as well
   */
  static Optional<byte[]> encode(DataType type, Order order, Value value) {
    ByteBuffer out = ByteBuffer.allocate(2 * count(type));
    switch (type) {
      case INT16, UINT16, INT32, UINT32 -> {
        long number = ((Value.Int) value).value();
        int bits = 8 * out.capacity();
        boolean signed = type == DataType.INT16 || type == DataType.INT32;
        long least = signed ? -(1L << bits - 1) : 0;
        long most = signed ? (1L << bits - 1) - 1 : (1L << bits) - 1;
        if (number < least || number > most) {
          return Optional.empty();
        }
        if (bits == 16) {
          out.putShort((short) number);
        } else {
          out.putInt((int) number);
        }
      }
      case INT64, UINT64 -> {
        long number = ((Value.Int) value).value();
        if (number < 0 && type == DataType.UINT64) {
          return Optional.empty();
        }
        out.putLong(number);
      }
      case FLOAT32 -> {
        double number = decimal(value);
        if (Double.isFinite(number) && Float.isInfinite((float) number)) {
          return Optional.empty();
        }
        out.putFloat((float) number);
      }
      case FLOAT64 -> out.putDouble(decimal(value));
      case BOOL, TEXT, BYTES -> throw new ClassCastException(type + " is no number");
    }
    order.arrange(out.array());
    return Optional.of(out.array());
  }

  private static double decimal(Value value) {
    return value instanceof Value.Int whole ? whole.value() : ((Value.Decimal) value).value();
  }
}
