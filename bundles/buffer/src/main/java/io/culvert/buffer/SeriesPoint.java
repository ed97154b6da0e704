package io.culvert.buffer;

import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Value;
import java.util.List;
import java.util.Objects;

/**
 * One point's readings beside the time axis of its device, as bytes: of each reading a byte that
 * says what is not as the reading before lets expect, then that. Not thread-safe.
 */
final class SeriesPoint {
  /** What an empty one takes of memory, roughly. */
  static final int OVERHEAD = 200;

  private static final int VALUE = 0x03;
  private static final int SAME = 0;
  private static final int NEAR = 1;
  private static final int OTHER = 2;
  private static final int FLOAT = 3;
  private static final int PLACE = 0x04;
  private static final int STATE = 0x08;
  private static final int KNOWN = VALUE | PLACE | STATE;

  /**
   * After {@link #OTHER}: an integer, a decimal of 0 to 9 digits, or what {@link ValueCodec} knows.
   */
  private static final int INTEGER = 0;

  private static final int DECIMAL = 1;
  private static final int CODED = 15;

  private static final double[] POWERS = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
  private static final double SCALED_LIMIT = 1e14;

  /** Longer texts are not kept in memory to be compared. */
  private static final int MAX_KEPT = 64;

  private static final Grade[] GRADES = Grade.values();

  private final ByteWriter out = new ByteWriter(32);
  private final RowCodec.Dictionary words = new RowCodec.Dictionary();
  private final State state = new State();
  private int count;
  private boolean kept;

  /** What both sides expect of the next reading. */
  private static final class State {
    private int poll = -1;
    private int step = 1;
    private int offset;
    private int quality;
    private int grade;
    private String unit = "";
    private Value value;

    /** Digits after the point of the last number; -1 if it was an integer. */
    private int digits = -1;

    private long scaled;
    private int bits;
    private boolean floats;
  }

  /** Takes a reading of a column. */
  @FunctionalInterface
  interface Taker {
    /**
     * @param poll its place on the axis
     * @param offset of its sequence number from that of the place
     * @return false to end
     */
    boolean take(int poll, int offset, Value value, Quality quality, Grade grade, String unit)
        throws DamagedException;
  }

  int count() {
    return count;
  }

  int length() {
    return out.length();
  }

  void add(Reading reading, int poll, int offset) {
    boolean elsewhere = poll - state.poll != state.step || offset != state.offset;
    boolean changed =
        reading.quality().code() != state.quality
            || reading.grade().ordinal() != state.grade
            || !reading.unit().equals(state.unit);
    int value = kind(reading.value());
    out.u8(value | (elsewhere ? PLACE : 0) | (changed ? STATE : 0));
    if (elsewhere) {
      out.varint(poll - state.poll);
      out.signed(offset - state.offset);
      state.step = poll - state.poll;
      state.offset = offset;
    }
    state.poll = poll;
    if (changed) {
      out.signed((long) reading.quality().code() - state.quality);
      out.u8(reading.grade().ordinal());
      out.text(reading.unit());
      state.quality = reading.quality().code();
      state.grade = reading.grade().ordinal();
      state.unit = reading.unit();
    }
    write(value, reading.value());
    count++;
  }

  private int kind(Value value) {
    if (kept && count > 0 && same(value, state.value)) {
      return SAME;
    }
    if (value instanceof Value.Int) {
      return state.digits < 0 ? NEAR : OTHER;
    }
    if (value instanceof Value.Decimal decimal) {
      double number = decimal.value();
      if (state.floats && isFloat(number)) {
        return FLOAT;
      }
      if (state.digits >= 0 && scales(number, state.digits)) {
        return NEAR;
      }
      return digits(number) < 0 && isFloat(number) ? FLOAT : OTHER;
    }
    return OTHER;
  }

  private void write(int kind, Value value) {
    kept =
        value == null
            || value instanceof Value.Bool
            || value instanceof Value.Int
            || value instanceof Value.Decimal
            || value instanceof Value.Text text && text.value().length() <= MAX_KEPT;
    state.value = kept ? value : null;
    switch (kind) {
      case NEAR -> {
        long scaled =
            value instanceof Value.Int integer
                ? integer.value()
                : scaled(((Value.Decimal) value).value(), state.digits);
        out.signed(scaled - state.scaled);
        state.scaled = scaled;
      }
      case FLOAT -> {
        int bits = Float.floatToRawIntBits((float) ((Value.Decimal) value).value());
        out.i32(bits ^ state.bits);
        state.bits = bits;
        state.floats = true;
      }
      case OTHER -> other(value);
      default -> {
        // The value before.
      }
    }
  }

  private void other(Value value) {
    int digits = value instanceof Value.Decimal decimal ? digits(decimal.value()) : -1;
    if (value instanceof Value.Int integer) {
      out.u8(INTEGER);
      out.signed(integer.value());
      state.scaled = integer.value();
      state.digits = -1;
    } else if (digits >= 0) {
      state.scaled = scaled(((Value.Decimal) value).value(), digits);
      state.digits = digits;
      state.floats = false;
      out.u8(DECIMAL + digits);
      out.signed(state.scaled);
    } else {
      out.u8(CODED);
      ValueCodec.write(out, value, words);
    }
  }

  private static boolean same(Value one, Value other) {
    if (one instanceof Value.Decimal a && other instanceof Value.Decimal b) {
      return Double.doubleToRawLongBits(a.value()) == Double.doubleToRawLongBits(b.value());
    }
    return Objects.equals(one, other);
  }

  private static long scaled(double value, int digits) {
    return (long) Math.rint(value * POWERS[digits]);
  }

  /** Whether an integer divided by that power of ten is this very number. */
  private static boolean scales(double value, int digits) {
    double scaled = Math.rint(value * POWERS[digits]);
    return Math.abs(scaled) < SCALED_LIMIT
        && Double.doubleToRawLongBits((long) scaled / POWERS[digits])
            == Double.doubleToRawLongBits(value);
  }

  /** Digits after the point that hold the number exactly; -1 if there are too many. */
  private static int digits(double value) {
    for (int digits = 0; digits < POWERS.length; digits++) {
      if (scales(value, digits)) {
        return digits;
      }
    }
    return -1;
  }

  private static boolean isFloat(double value) {
    return Double.doubleToRawLongBits((float) value) == Double.doubleToRawLongBits(value);
  }

  byte[] toBytes() {
    ByteWriter all = new ByteWriter(out.length() + 16);
    all.varint(count);
    words.write(all);
    all.raw(out);
    return all.toBytes();
  }

  /** Hands over what {@link #toBytes} holds, in the order it was added. */
  static void read(ByteReader in, Taker taker) throws DamagedException {
    int count = in.count();
    List<String> words = RowCodec.Dictionary.read(in);
    State state = new State();
    Quality quality = Quality.GOOD;
    for (int i = 0; i < count; i++) {
      int control = in.u8();
      if ((control & ~KNOWN) != 0) {
        throw new DamagedException("Unknown kind of reading " + control);
      }
      if ((control & PLACE) != 0) {
        state.step = in.small(Integer.MAX_VALUE - Math.max(0, state.poll));
        state.offset = in.checked(state.offset + in.signed(), Integer.MAX_VALUE);
      }
      state.poll += state.step;
      if ((control & STATE) != 0) {
        state.quality = (int) (state.quality + in.signed());
        state.grade = in.checked(in.u8(), GRADES.length - 1);
        state.unit = in.text();
        quality = state.quality == 0 ? Quality.GOOD : new Quality(state.quality);
      }
      try {
        state.value = value(in, control & VALUE, state, words);
      } catch (IllegalArgumentException e) {
        throw new DamagedException("Not a value: " + e.getMessage(), e);
      }
      if (!taker.take(
          state.poll, state.offset, state.value, quality, GRADES[state.grade], state.unit)) {
        return;
      }
    }
  }

  private static Value value(ByteReader in, int kind, State state, List<String> words)
      throws DamagedException {
    return switch (kind) {
      case SAME -> state.value;
      case NEAR -> {
        state.scaled += in.signed();
        yield number(state);
      }
      case FLOAT -> {
        state.bits ^= in.i32();
        yield Value.of((double) Float.intBitsToFloat(state.bits));
      }
      default -> {
        int tag = in.u8();
        if (tag == CODED) {
          yield ValueCodec.read(in, words);
        }
        state.digits = in.checked(tag, POWERS.length) - DECIMAL;
        state.scaled = in.signed();
        yield number(state);
      }
    };
  }

  private static Value number(State state) {
    return state.digits < 0
        ? Value.of(state.scaled)
        : Value.of(state.scaled / POWERS[state.digits]);
  }
}
