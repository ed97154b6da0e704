package io.culvert.core.document;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A value of a JSON or YAML document and where it stands; lines and columns count from 1. */
public sealed interface Node {
  /** Longest text that a message repeats. */
  int SHOWN = 60;

  int line();

  int column();

  /** The value as a message shows it: short, on one line. */
  String shown();

  /**
   * An object or mapping.
   *
   * @param members by key, in the document's order; of a key that comes twice, the first
   * @param keys where each key stands
   * @param repeated keys that came again
   */
  record Obj(
      int line,
      int column,
      Map<String, Node> members,
      Map<String, Place> keys,
      List<Repeat> repeated)
      implements Node {
    public Obj {
      members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
      keys = Map.copyOf(keys);
      repeated = List.copyOf(repeated);
    }

    @Override
    public String shown() {
      return "an object";
    }
  }

  /** Where something stands. */
  record Place(int line, int column) {}

  /** A key that stands at {@code place} though it stood there before. */
  record Repeat(String key, Place place) {}

  /** A list. */
  record Arr(int line, int column, List<Node> items) implements Node {
    public Arr {
      items = List.copyOf(items);
    }

    @Override
    public String shown() {
      return "a list";
    }
  }

  /** Text. */
  record Text(int line, int column, String value) implements Node {
    @Override
    public String shown() {
      return '"' + shorten(value) + '"';
    }
  }

  /** A number as it was written. */
  record Num(int line, int column, String text) implements Node {

    /**
     * The number, exactly.
     *
     * @return {@code null} if it has more than 34 digits or isn't between 1e-40 and 1e40: no
     *     quantity is, and arithmetic with it could take all memory
     */
    public BigDecimal value() {
      if (text.length() > 60) {
        return null;
      }
      BigDecimal value;
      try {
        value = new BigDecimal(text);
      } catch (NumberFormatException e) {
        return null; // an exponent beyond an int
      }
      if (value.signum() == 0) {
        return BigDecimal.ZERO;
      }
      long magnitude = (long) value.precision() - value.scale();
      return value.precision() > 34 || Math.abs(magnitude) > 40 ? null : value;
    }

    @Override
    public String shown() {
      return shorten(text);
    }
  }

  /** True or false. */
  record Bool(int line, int column, boolean value) implements Node {
    @Override
    public String shown() {
      return Boolean.toString(value);
    }
  }

  /** Null, or nothing where YAML has a value. */
  record Null(int line, int column) implements Node {
    @Override
    public String shown() {
      return "null";
    }
  }

  /** At most {@link #SHOWN} characters of a text, without control characters. */
  static String shorten(String text) {
    String cut = text.length() <= SHOWN ? text : text.substring(0, SHOWN - 1) + "…";
    StringBuilder shown = new StringBuilder(cut.length());
    cut.codePoints()
        .forEach(
            c -> {
              boolean plain =
                  !Character.isISOControl(c) && Character.getType(c) != Character.FORMAT;
              shown.appendCodePoint(plain ? c : '·');
            });
    return shown.toString();
  }
}
