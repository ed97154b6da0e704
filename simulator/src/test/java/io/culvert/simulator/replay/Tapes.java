package io.culvert.simulator.replay;

import io.culvert.simulator.replay.Recording.Event;
import io.culvert.simulator.replay.Recording.Kind;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Recordings as a test needs them; times in milliseconds. */
final class Tapes {
  static final String TCP = "frame=length at=4 size=2 add=6 echo=0-1";
  static final String RTU = "frame=silence gap=20ms check=crc16-modbus";
  static final String ASCII = "frame=delimited begin=3a end=0d0a check=lrc-hex from=1";

  private final List<Event> events = new ArrayList<>();
  private final String matcher;

  Tapes(String matcher) {
    this.matcher = matcher;
  }

  Tapes opened(long millis, int connection) {
    return add(millis, connection, Kind.OPENED, "", false);
  }

  Tapes asked(long millis, String hex) {
    return add(millis, 1, Kind.TO_DEVICE, hex, false);
  }

  Tapes answered(long millis, String hex) {
    return add(millis, 1, Kind.TO_GATEWAY, hex, false);
  }

  Tapes ended(long millis, Kind how, boolean byDevice) {
    return add(millis, 1, how, "", byDevice);
  }

  Tapes add(long millis, int connection, Kind kind, String hex, boolean byDevice) {
    events.add(
        new Event(TimeUnit.MILLISECONDS.toNanos(millis), connection, kind, bytes(hex), byDevice));
    return this;
  }

  Recording tape() {
    return new Recording(Map.of("format", Recording.FORMAT, "matcher", matcher), events);
  }

  static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** With its check sum. */
  static String rtu(String hex) {
    byte[] frame = bytes(hex);
    return hex(frame) + hex(CheckSum.CRC16_MODBUS.of(frame, 0, frame.length));
  }
}
