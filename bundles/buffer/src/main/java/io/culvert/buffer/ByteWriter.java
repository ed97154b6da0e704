package io.culvert.buffer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing array of bytes. Integers are varints, low 7 bits first, as in Protocol Buffers. */
final class ByteWriter {
  private byte[] bytes;
  private int length;

  ByteWriter() {
    this(256);
  }

  /**
   * @param room at first
   */
  ByteWriter(int room) {
    bytes = new byte[room];
  }

  void u8(int value) {
    ensure(1);
    bytes[length++] = (byte) value;
  }

  /** Any long; small ones that are not negative are short. */
  void varint(long value) {
    ensure(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      bytes[length++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[length++] = (byte) rest;
  }

  /** Any long; those near zero are short. */
  void signed(long value) {
    varint((value << 1) ^ (value >> 63));
  }

  void i32(int value) {
    ensure(4);
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes[length++] = (byte) (value >>> shift);
    }
  }

  void i64(long value) {
    i32((int) (value >>> 32));
    i32((int) value);
  }

  void raw(byte[] value, int count) {
    ensure(count);
    System.arraycopy(value, 0, bytes, length, count);
    length += count;
  }

  void raw(ByteWriter other) {
    raw(other.bytes, other.length);
  }

  void block(byte[] value) {
    varint(value.length);
    raw(value, value.length);
  }

  void block(ByteWriter other) {
    varint(other.length);
    raw(other.bytes, other.length);
  }

  /**
   * UTF-8; UTF-16 for what UTF-8 can't hold (half of a surrogate pair), so that any text passes.
   */
  void text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    if (new String(utf8, StandardCharsets.UTF_8).equals(value)) {
      varint((long) utf8.length << 1);
      raw(utf8, utf8.length);
    } else {
      varint((long) value.length() << 2 | 1);
      for (int i = 0; i < value.length(); i++) {
        u8(value.charAt(i) >>> 8);
        u8(value.charAt(i));
      }
    }
  }

  int length() {
    return length;
  }

  byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
