package io.culvert.api;

import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A boolean, an integer, a decimal, text, bytes, a list of these, or a flat structure of them. */
public sealed interface Value {

  static Value of(boolean value) {
    return value ? Bool.TRUE : Bool.FALSE;
  }

  static Value of(long value) {
    return new Int(value);
  }

  static Value of(double value) {
    return new Decimal(value);
  }

  static Value of(String value) {
    return new Text(value);
  }

  /** The value as a number: integers and decimals as they are, true 1, false 0; else NaN. */
  default double number() {
    return Double.NaN;
  }

  /** A switch, a contact, a bit. */
  record Bool(boolean value) implements Value {
    static final Bool TRUE = new Bool(true);
    static final Bool FALSE = new Bool(false);

    @Override
    public double number() {
      return value ? 1 : 0;
    }

    @Override
    public String toString() {
      return Boolean.toString(value);
    }
  }

  /** A whole number. */
  record Int(long value) implements Value {
    @Override
    public double number() {
      return value;
    }

    @Override
    public String toString() {
      return Long.toString(value);
    }
  }

  /** A decimal; NaN and infinities are what the device sent and pass through. */
  record Decimal(double value) implements Value {
    @Override
    public double number() {
      return value;
    }

    @Override
    public String toString() {
      return Double.toString(value);
    }
  }

  /** Text. */
  record Text(String value) implements Value {
    public Text {
      Objects.requireNonNull(value, "value");
    }

    @Override
    public String toString() {
      return value;
    }
  }

  /** Bytes; the array is copied in and out. */
  record Bytes(byte[] value) implements Value {
    public Bytes {
      value = value.clone();
    }

    @Override
    public byte[] value() {
      return value.clone();
    }

    /** How many they are. */
    public int length() {
      return value.length;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Bytes b && Arrays.equals(value, b.value);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(value);
    }

    @Override
    public String toString() {
      return HexFormat.of().formatHex(value);
    }
  }

  /** A list of plain values; neither lists nor structures inside. */
  record Array(List<Value> values) implements Value {
    public Array {
      values = List.copyOf(values);
      values.forEach(Value::requirePlain);
    }

    @Override
    public String toString() {
      return values.toString();
    }
  }

  /**
   * Named plain values or lists of them, in the order given: an event such as a tag's passage with
   * antenna and direction.
   */
  record Struct(Map<String, Value> fields) implements Value {
    public Struct {
      LinkedHashMap<String, Value> copy = new LinkedHashMap<>(fields);
      for (Map.Entry<String, Value> field : copy.entrySet()) {
        Objects.requireNonNull(field.getKey(), "field name");
        if (!(field.getValue() instanceof Array)) {
          requirePlain(field.getValue());
        }
      }
      fields = Collections.unmodifiableMap(copy);
    }

    @Override
    public String toString() {
      return fields.toString();
    }
  }

  private static void requirePlain(Value value) {
    Objects.requireNonNull(value, "value");
    if (value instanceof Array || value instanceof Struct) {
      throw new IllegalArgumentException("A list or structure can't hold " + value);
    }
  }
}
