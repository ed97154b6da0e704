package io.culvert.simulator.replay;

import java.util.HexFormat;
import java.util.Locale;

/** Check sums of frames: how many bytes one has, and what it is of a part of a frame. */
enum CheckSum {
  /** CRC-16 of Modbus (polynomial A001 reflected, begun with FFFF), the low byte first. */
  CRC16_MODBUS(2) {
    @Override
    byte[] of(byte[] frame, int from, int to) {
      int crc = 0xFFFF;
      for (int i = from; i < to; i++) {
        crc ^= frame[i] & 0xFF;
        for (int bit = 0; bit < 8; bit++) {
          crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ 0xA001;
        }
      }
      return new byte[] {(byte) crc, (byte) (crc >>> 8)};
    }
  },

  /** What makes the sum of all bytes zero, where each byte is two hexadecimal digits; so is it. */
  LRC_HEX(2) {
    @Override
    byte[] of(byte[] frame, int from, int to) {
      if ((to - from) % 2 != 0) {
        return null;
      }
      int sum = 0;
      for (int i = from; i < to; i += 2) {
        int high = digit(frame[i]);
        int low = digit(frame[i + 1]);
        if (high < 0 || low < 0) {
          return null;
        }
        sum += high << 4 | low;
      }
      HexFormat digits = HexFormat.of().withUpperCase();
      byte lrc = (byte) -sum;
      return new byte[] {(byte) digits.toHighHexDigit(lrc), (byte) digits.toLowHexDigit(lrc)};
    }

    @Override
    boolean same(byte sum, byte found) {
      return digit(sum) == digit(found);
    }

    private int digit(byte character) {
      return HexFormat.isHexDigit(character & 0xFF) ? HexFormat.fromHexDigit(character & 0xFF) : -1;
    }
  },

  /** The sum of all bytes, modulo 256. */
  SUM8(1) {
    @Override
    byte[] of(byte[] frame, int from, int to) {
      int sum = 0;
      for (int i = from; i < to; i++) {
        sum += frame[i];
      }
      return new byte[] {(byte) sum};
    }
  },

  /** All bytes exclusive-or. */
  XOR8(1) {
    @Override
    byte[] of(byte[] frame, int from, int to) {
      int xor = 0;
      for (int i = from; i < to; i++) {
        xor ^= frame[i];
      }
      return new byte[] {(byte) xor};
    }
  };

  private final int size;

  CheckSum(int size) {
    this.size = size;
  }

  /** In bytes. */
  int size() {
    return size;
  }

  /** As a matcher names it. */
  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Whether the one that stands at an offset is that of the bytes before it. */
  final boolean holds(byte[] frame, int from, int at) {
    byte[] sum = of(frame, from, at);
    boolean same = sum != null;
    for (int i = 0; same && i < size; i++) {
      same = same(sum[i], frame[at + i]);
    }
    return same;
  }

  /** Whether two bytes of check sums are equal: digits may be small or capital. */
  boolean same(byte sum, byte found) {
    return sum == found;
  }

  /**
   * @return {@code null} if the bytes can have none
   */
  abstract byte[] of(byte[] frame, int from, int to);
}
