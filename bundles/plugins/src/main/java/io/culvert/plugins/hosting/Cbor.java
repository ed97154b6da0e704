package io.culvert.plugins.hosting;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The part of CBOR (RFC 8949) that the wire needs: integers of 64 bits, doubles, text, bytes,
 * booleans, null, and arrays and maps of known length. No tags, no references, nothing of unknown
 * length: what is read can't grow beyond the bytes that it is read from, item by item.
 */
final class Cbor {
  /** What an item begins with. */
  enum Kind {
    INTEGER,
    BYTES,
    TEXT,
    ARRAY,
    MAP,
    BOOLEAN,
    NULL,
    DECIMAL
  }

  private static final int UNSIGNED = 0;
  private static final int NEGATIVE = 1;
  private static final int BYTES = 2;
  private static final int TEXT = 3;
  private static final int ARRAY = 4;
  private static final int MAP = 5;
  private static final int FALSE = 0xF4;
  private static final int TRUE = 0xF5;
  private static final int NULL = 0xF6;
  private static final int DOUBLE = 0xFB;

  private Cbor() {}

  /** Writes items one after the other. */
  static final class Writer {
    private byte[] bytes = new byte[256];
    private int length;

    int length() {
      return length;
    }

    byte[] toBytes() {
      return Arrays.copyOf(bytes, length);
    }

    Writer integer(long value) {
      return value < 0 ? head(NEGATIVE, ~value) : head(UNSIGNED, value);
    }

    Writer decimal(double value) {
      room(9);
      bytes[length++] = (byte) DOUBLE;
      return big(Double.doubleToRawLongBits(value), 8);
    }

    Writer bool(boolean value) {
      return one(value ? TRUE : FALSE);
    }

    Writer nothing() {
      return one(NULL);
    }

    Writer bytes(byte[] value) {
      return head(BYTES, value.length).raw(value);
    }

    /** Half of a surrogate pair, which is no character, is written as {@code ?}. */
    Writer text(String value) {
      byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
      return head(TEXT, utf8.length).raw(utf8);
    }

    /** Begins an array; its items follow. */
    Writer array(int size) {
      return head(ARRAY, size);
    }

    /** Begins a map; key and value of each entry follow. */
    Writer map(int size) {
      return head(MAP, size);
    }

    private Writer raw(byte[] value) {
      room(value.length);
      System.arraycopy(value, 0, bytes, length, value.length);
      length += value.length;
      return this;
    }

    private Writer one(int value) {
      room(1);
      bytes[length++] = (byte) value;
      return this;
    }

    private Writer head(int major, long argument) {
      room(9);
      int first = major << 5;
      if (argument >= 0 && argument < 24) {
        bytes[length++] = (byte) (first | argument);
        return this;
      }
      int size =
          argument < 0 || argument > 0xFFFF_FFFFL
              ? 8
              : argument > 0xFFFF ? 4 : argument > 0xFF ? 2 : 1;
      bytes[length++] = (byte) (first | 24 + Integer.numberOfTrailingZeros(size));
      return big(argument, size);
    }

    private Writer big(long value, int size) {
      for (int i = size - 1; i >= 0; i--) {
        bytes[length++] = (byte) (value >>> 8 * i);
      }
      return this;
    }

    private void room(int more) {
      if (bytes.length - length < more) {
        bytes = Arrays.copyOf(bytes, Math.max(length + more, bytes.length * 2));
      }
    }
  }

  /** Reads items one after the other; whatever doesn't fit is a {@link Malformed}. */
  static final class Reader {
    private final byte[] bytes;
    private int at;
    private int items;

    /**
     * @param items at most so many, those within others counted
     */
    Reader(byte[] bytes, int items) {
      this.bytes = bytes;
      this.items = items;
    }

    /** The kind of the next item, which stays to be read. */
    Kind peek() throws Malformed {
      int first = need(at);
      return switch (first >> 5) {
        case UNSIGNED, NEGATIVE -> Kind.INTEGER;
        case BYTES -> Kind.BYTES;
        case TEXT -> Kind.TEXT;
        case ARRAY -> Kind.ARRAY;
        case MAP -> Kind.MAP;
        default ->
            switch (first) {
              case FALSE, TRUE -> Kind.BOOLEAN;
              case NULL -> Kind.NULL;
              case DOUBLE -> Kind.DECIMAL;
              default -> throw new Malformed("an item that begins with " + first);
            };
      };
    }

    long integer() throws Malformed {
      boolean negative = need(at) >> 5 == NEGATIVE;
      long argument = head(negative ? NEGATIVE : UNSIGNED, "an integer");
      if (argument < 0) {
        throw new Malformed("an integer of more than 64 bits");
      }
      return negative ? ~argument : argument;
    }

    /** An integer of 0 to {@code most}. */
    int count(int most) throws Malformed {
      long value = integer();
      if (value < 0 || value > most) {
        throw new Malformed(value + " where 0 to " + most + " is expected");
      }
      return (int) value;
    }

    double decimal() throws Malformed {
      expect(DOUBLE, "a decimal");
      return Double.longBitsToDouble(big(8));
    }

    boolean bool() throws Malformed {
      int first = need(at);
      if (first != TRUE && first != FALSE) {
        throw new Malformed("no boolean");
      }
      one();
      return first == TRUE;
    }

    /** Whether the next item is null, which then is read. */
    boolean nothing() throws Malformed {
      if (need(at) != NULL) {
        return false;
      }
      one();
      return true;
    }

    byte[] bytes() throws Malformed {
      int size = size(head(BYTES, "bytes"), 1);
      at += size;
      return Arrays.copyOfRange(bytes, at - size, at);
    }

    String text() throws Malformed {
      int size = size(head(TEXT, "text"), 1);
      at += size;
      try {
        return StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT)
            .decode(ByteBuffer.wrap(bytes, at - size, size))
            .toString();
      } catch (CharacterCodingException e) {
        throw new Malformed("text that isn't UTF-8");
      }
    }

    /** Begins an array. */
    int array() throws Malformed {
      return size(head(ARRAY, "an array"), 1);
    }

    /** Begins a map. */
    int map() throws Malformed {
      return size(head(MAP, "a map"), 2);
    }

    /** Leaves out what is left: it is about something that isn't there any more. */
    void skip() {
      at = bytes.length;
    }

    /** What must be true when everything is read. */
    void end() throws Malformed {
      if (at != bytes.length) {
        throw new Malformed((bytes.length - at) + " bytes after the end");
      }
    }

    /** A size can't be larger than what is left, at least so many bytes for each. */
    private int size(long size, int least) throws Malformed {
      if (size < 0 || size > (bytes.length - at) / least) {
        throw new Malformed("a length of " + Long.toUnsignedString(size) + " beyond the end");
      }
      return (int) size;
    }

    private long head(int major, String what) throws Malformed {
      int first = need(at);
      if (first >> 5 != major) {
        throw new Malformed("no " + what.replaceFirst("^an? ", ""));
      }
      one();
      int low = first & 0x1F;
      if (low < 24) {
        return low;
      }
      if (low > 27) {
        throw new Malformed(what + " of unknown length");
      }
      return big(1 << low - 24);
    }

    private long big(int size) throws Malformed {
      need(at + size - 1);
      long value = 0;
      for (int i = 0; i < size; i++) {
        value = value << 8 | bytes[at++] & 0xFF;
      }
      return value;
    }

    private void expect(int first, String what) throws Malformed {
      if (need(at) != first) {
        throw new Malformed("no " + what.replaceFirst("^an? ", ""));
      }
      one();
    }

    private void one() throws Malformed {
      if (--items < 0) {
        throw new Malformed("more items than a frame may hold");
      }
      at++;
    }

    private int need(int index) throws Malformed {
      if (index >= bytes.length) {
        throw new Malformed("the end in the midst of an item");
      }
      return bytes[index] & 0xFF;
    }
  }

  /** Bytes that aren't what they have to be. */
  static final class Malformed extends IOException {
    private static final long serialVersionUID = 1;

    Malformed(String found) {
      super("found " + found);
    }
  }
}
