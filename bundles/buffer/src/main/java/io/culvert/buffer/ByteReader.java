package io.culvert.buffer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads what {@link ByteWriter} wrote, and anything else without harm. */
final class ByteReader {
  private final byte[] bytes;
  private final int end;
  private int at;

  ByteReader(byte[] bytes) {
    this(bytes, 0, bytes.length);
  }

  private ByteReader(byte[] bytes, int from, int end) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  int u8() throws DamagedException {
    require(1);
    return bytes[at++] & 0xFF;
  }

  long varint() throws DamagedException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7F) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw new DamagedException("Number of more than ten bytes before byte " + at);
  }

  long signed() throws DamagedException {
    long value = varint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** A number between 0 and {@code max}. */
  int small(int max) throws DamagedException {
    return checked(varint(), max);
  }

  int checked(long value, int max) throws DamagedException {
    if (value < 0 || value > max) {
      throw new DamagedException(value + " where 0 to " + max + " is due, before byte " + at);
    }
    return (int) value;
  }

  int i32() throws DamagedException {
    require(4);
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value = value << 8 | bytes[at++] & 0xFF;
    }
    return value;
  }

  long i64() throws DamagedException {
    return (long) i32() << 32 | i32() & 0xFFFFFFFFL;
  }

  /** How many things follow: each takes a byte at least, so a wrong number costs no memory. */
  int count() throws DamagedException {
    return small(end - at);
  }

  byte[] block() throws DamagedException {
    int count = count();
    at += count;
    return Arrays.copyOfRange(bytes, at - count, at);
  }

  /** A block, read in place. */
  ByteReader part() throws DamagedException {
    int count = count();
    at += count;
    return new ByteReader(bytes, at - count, at);
  }

  String text() throws DamagedException {
    long header = varint();
    int count = checked(header >>> 1, end - at);
    int from = at;
    at += count;
    if ((header & 1) == 0) {
      return new String(bytes, from, count, StandardCharsets.UTF_8);
    }
    if (count % 2 != 0) {
      throw new DamagedException("Text of an odd number of bytes before byte " + at);
    }
    // By hand: a decoder would replace what is not well-formed.
    char[] chars = new char[count / 2];
    for (int i = 0; i < chars.length; i++) {
      chars[i] = (char) ((bytes[from + 2 * i] & 0xFF) << 8 | bytes[from + 2 * i + 1] & 0xFF);
    }
    return new String(chars);
  }

  byte[] rest() {
    return Arrays.copyOfRange(bytes, at, end);
  }

  boolean atEnd() {
    return at == end;
  }

  private void require(int count) throws DamagedException {
    if (end - at < count) {
      throw new DamagedException("Ends at byte " + end + ", where " + count + " more are due");
    }
  }
}
