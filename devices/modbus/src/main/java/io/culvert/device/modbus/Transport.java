package io.culvert.device.modbus;

import java.util.Locale;

/** What carries PDUs, by the scheme of an endpoint. */
enum Transport {
  TCP("modbus-tcp"),
  RTU_TCP("modbus-rtu-tcp"),
  ASCII_TCP("modbus-ascii-tcp"),
  RTU("modbus-rtu"),
  ASCII("modbus-ascii");

  private final String scheme;

  Transport(String scheme) {
    this.scheme = scheme;
  }

  /** The one of a scheme, in whatever case; {@code null} if there is none. */
  static Transport of(String scheme) {
    for (Transport transport : values()) {
      if (scheme != null && transport.scheme.equals(scheme.toLowerCase(Locale.ROOT))) {
        return transport;
      }
    }
    return null;
  }

  String scheme() {
    return scheme;
  }

  boolean serial() {
    return this == RTU || this == ASCII;
  }

  Framing framing(Framing.Receiver receiver) {
    return switch (this) {
      case TCP -> new MbapFraming(receiver);
      case RTU, RTU_TCP -> new RtuFraming(receiver);
      case ASCII, ASCII_TCP -> new AsciiFraming(receiver);
    };
  }
}
