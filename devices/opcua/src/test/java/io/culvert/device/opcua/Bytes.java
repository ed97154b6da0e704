package io.culvert.device.opcua;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Bytes in OPC UA's binary encoding (OPC 10000-6, 5.2), put together by hand. */
final class Bytes {
  static final int READ_RESPONSE = 634;
  static final int BROWSE_RESPONSE = 530;
  static final int PUBLISH_RESPONSE = 829;
  static final int DATA_CHANGE = 811;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** The beginning of a response: its type, and a good header. */
  static Bytes response(int type, long handle) {
    return new Bytes().node(type).i64(0).u32(handle).u32(0).u8(0).u32(-1).u8(0, 0, 0);
  }

  Bytes u8(int... values) {
    for (int value : values) {
      out.write(value);
    }
    return this;
  }

  Bytes u32(long value) {
    out.writeBytes(little(4).putInt((int) value).array());
    return this;
  }

  Bytes i64(long value) {
    out.writeBytes(little(8).putLong(value).array());
    return this;
  }

  Bytes text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    u32(bytes.length);
    out.writeBytes(bytes);
    return this;
  }

  /** A NodeId of namespace 0 with a number. */
  Bytes node(int number) {
    return u8(1, 0, number, number >> 8);
  }

  Bytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  Bytes times(int times, int... values) {
    for (int i = 0; i < times; i++) {
      u8(values);
    }
    return this;
  }

  /** An ExtensionObject with a body. */
  Bytes object(int type, Bytes body) {
    return node(type).u8(1).u32(body.out.size()).raw(body.bytes());
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
