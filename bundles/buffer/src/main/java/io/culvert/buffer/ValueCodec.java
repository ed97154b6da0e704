package io.culvert.buffer;

import io.culvert.api.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values as bytes: a byte for the kind, then what it needs. */
final class ValueCodec {
  private static final int NULL = 0;
  private static final int FALSE = 1;
  private static final int TRUE = 2;
  private static final int INT = 3;
  private static final int DECIMAL = 4;
  private static final int TEXT = 5;
  private static final int BYTES = 6;
  private static final int ARRAY = 7;
  private static final int STRUCT = 8;

  /** And up to 9 more: an integer divided by that power of ten, which most decimals are. */
  private static final int SCALED = 16;

  private static final double[] POWERS = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

  /** Above it, a scaled decimal is no shorter than its eight bytes. */
  private static final double SCALED_LIMIT = 1e14;

  private ValueCodec() {}

  static void write(ByteWriter out, Value value, RowCodec.Dictionary words) {
    if (value == null) {
      out.u8(NULL);
    } else if (value instanceof Value.Bool bool) {
      out.u8(bool.value() ? TRUE : FALSE);
    } else if (value instanceof Value.Int integer) {
      out.u8(INT);
      out.signed(integer.value());
    } else if (value instanceof Value.Decimal decimal) {
      decimal(out, decimal.value());
    } else if (value instanceof Value.Text text) {
      out.u8(TEXT);
      out.text(text.value());
    } else if (value instanceof Value.Bytes bytes) {
      out.u8(BYTES);
      out.block(bytes.value());
    } else if (value instanceof Value.Array array) {
      out.u8(ARRAY);
      out.varint(array.values().size());
      array.values().forEach(element -> write(out, element, words));
    } else if (value instanceof Value.Struct struct) {
      out.u8(STRUCT);
      out.varint(struct.fields().size());
      struct
          .fields()
          .forEach(
              (name, field) -> {
                out.varint(words.index(name));
                write(out, field, words);
              });
    }
  }

  private static void decimal(ByteWriter out, double value) {
    for (int digits = 0; digits < POWERS.length; digits++) {
      double scaled = Math.rint(value * POWERS[digits]);
      if (!(Math.abs(scaled) < SCALED_LIMIT)) {
        break;
      }
      if (Double.doubleToRawLongBits((long) scaled / POWERS[digits])
          == Double.doubleToRawLongBits(value)) {
        out.u8(SCALED + digits);
        out.signed((long) scaled);
        return;
      }
    }
    out.u8(DECIMAL);
    out.i64(Double.doubleToRawLongBits(value));
  }

  static Value read(ByteReader in, List<String> words) throws DamagedException {
    return read(in, words, 0);
  }

  /** Structures hold lists and lists hold plain values, so depth ends at 2. */
  private static Value read(ByteReader in, List<String> words, int depth) throws DamagedException {
    int kind = in.u8();
    if (kind >= SCALED && kind < SCALED + POWERS.length) {
      return Value.of(in.signed() / POWERS[kind - SCALED]);
    }
    return switch (kind) {
      case NULL -> null;
      case FALSE -> Value.of(false);
      case TRUE -> Value.of(true);
      case INT -> Value.of(in.signed());
      case DECIMAL -> Value.of(Double.longBitsToDouble(in.i64()));
      case TEXT -> Value.of(in.text());
      case BYTES -> new Value.Bytes(in.block());
      case ARRAY -> array(in, words, depth);
      case STRUCT -> struct(in, words, depth);
      default -> throw new DamagedException("Unknown kind of value " + kind);
    };
  }

  private static Value array(ByteReader in, List<String> words, int depth) throws DamagedException {
    requireShallow(depth);
    int count = in.count();
    List<Value> values = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      values.add(element(in, words, 2));
    }
    return new Value.Array(values);
  }

  private static Value struct(ByteReader in, List<String> words, int depth)
      throws DamagedException {
    requireShallow(depth + 1);
    int count = in.count();
    Map<String, Value> fields = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String name = words.get(in.small(words.size() - 1));
      fields.put(name, element(in, words, 1));
    }
    return new Value.Struct(fields);
  }

  private static Value element(ByteReader in, List<String> words, int depth)
      throws DamagedException {
    Value value = read(in, words, depth);
    if (value == null) {
      throw new DamagedException("Nothing where a value is due");
    }
    return value;
  }

  private static void requireShallow(int depth) throws DamagedException {
    if (depth > 1) {
      throw new DamagedException("Lists and structures nested too deep");
    }
  }
}
