package io.culvert.device.modbus;

import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.util.Arrays;

/** Values that are a row of bytes: text, bytes as they are, and {@link TimeForm dates}. */
abstract class RowCodec extends Codec {
  private final int count;
  private final Order order;

  /**
   * @param count of registers
   * @param order {@linkplain Order#plain() plain}
   */
  RowCodec(int count, Order order) {
    this.count = count;
    this.order = order;
  }

  /**
   * Text that ends with the first NUL or with its registers, without spaces at its end. Characters
   * that the set doesn't have are no value.
   */
  static Codec text(int count, Order order, Charset charset) {
    return new Text(count, order, charset);
  }

  /** All bytes of the registers. */
  static Codec bytes(int count, Order order) {
    return new Raw(count, order);
  }

  @Override
  final int count() {
    return count;
  }

  @Override
  final Sample decode(String point, byte[] data, int at) {
    byte[] row = Arrays.copyOfRange(data, at, at + 2 * count);
    order.arrange(row);
    return sample(point, row);
  }

  @Override
  final byte[] encode(Value value) {
    byte[] row = row(value, 2 * count);
    // Whatever would read back as something else.
    if (row == null || !value.equals(sample("", row).value())) {
      return null;
    }
    order.arrange(row);
    return row;
  }

  /** What a row of bytes, first to last, means. */
  abstract Sample sample(String point, byte[] row);

  /** The row that means a value, as nearly as can be; {@code null} if there is none. */
  abstract byte[] row(Value value, int length);

  /** The value, or a sample without one. */
  static Sample sample(String point, Value value) {
    return value == null ? Sample.bad(point, NO_VALUE) : Sample.good(point, value);
  }

  private static final class Raw extends RowCodec {
    Raw(int count, Order order) {
      super(count, order);
    }

    @Override
    Sample sample(String point, byte[] row) {
      return Sample.good(point, new Value.Bytes(row));
    }

    @Override
    byte[] row(Value value, int length) {
      byte[] bytes = ((Value.Bytes) value).value();
      return bytes.length == length ? bytes : null;
    }
  }

  private static final class Text extends RowCodec {
    private final Charset charset;

    /** Bytes of a NUL. */
    private final int unit;

    Text(int count, Order order, Charset charset) {
      super(count, order);
      this.charset = charset;
      this.unit = "\0".getBytes(charset).length;
    }

    @Override
    Sample sample(String point, byte[] row) {
      int end = 0;
      while (end < row.length && (row[end] != 0 || unit == 2 && row[end + 1] != 0)) {
        end += unit;
      }
      try {
        CharBuffer text =
            charset
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)
                .decode(ByteBuffer.wrap(row, 0, end));
        int length = text.length();
        while (length > 0 && text.charAt(length - 1) == ' ') {
          length--;
        }
        return sample(point, Value.of(text.subSequence(0, length).toString()));
      } catch (CharacterCodingException other) {
        return sample(point, (Value) null);
      }
    }

    @Override
    byte[] row(Value value, int length) {
      String text = ((Value.Text) value).value();
      // A character takes a byte or more: no need to lay out what can't fit.
      if (text.length() > length) {
        return null;
      }
      byte[] bytes = text.getBytes(charset);
      return bytes.length <= length ? Arrays.copyOf(bytes, length) : null;
    }
  }
}
