package io.culvert.device.modbus;

import java.util.Locale;

/** What carries PDUs, by the scheme of an endpoint. */
enum Transport {
  TCP("modbus-tcp"),
  RTU_TCP("modbus-rtu-tcp"),
  ASCII_TCP("modbus-ascii-tcp"),
  RTU("modbus-rtu"),
  ASCII("modbus-ascii");

  /** Messaging Guide V1.0b, 3.1.3: a length at 4, and the transaction that the answer repeats. */
  static final String MBAP_MATCHER = "frame=length at=4 size=2 add=6 echo=0-1";

  /** Serial Line V1.02, 2.5.1. */
  static final String RTU_MATCHER = "frame=silence gap=20ms check=crc16-modbus";

  /** Serial Line V1.02, 2.5.2. */
  static final String ASCII_MATCHER = "frame=delimited begin=3a end=0d0a check=lrc-hex from=1";

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
