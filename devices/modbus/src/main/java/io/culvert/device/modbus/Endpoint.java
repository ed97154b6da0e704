package io.culvert.device.modbus;

import io.culvert.api.Problem;
import io.culvert.api.southbound.SerialLines;
import java.net.URI;
import java.util.function.Consumer;

/** Where a device is reached: a unit behind a TCP address or on a serial line. */
sealed interface Endpoint {

  /** Unit identifier (Messaging Guide V1.0b, 3.1.3; Serial Line V1.02, 2.2), 0 to 255. */
  int unit();

  Transport transport();

  /** Name of what carries one exchange at a time. */
  String lane();

  /** Name of what units may share a {@link Link} by; the same for no others. */
  String link();

  /** As people write it, without the unit. */
  String address();

  /** Another unit at the same place. */
  Endpoint withUnit(int other);

  /**
   * {@code modbus-tcp://host:port?unit=N&line=NAME}, {@code modbus-rtu-tcp://…}, {@code
   * modbus-ascii-tcp://…}.
   *
   * @param host name or address, in lower case; an IPv6 address in brackets
   * @param port 1 to 65535; 502 if not written
   * @param line name of the line behind a gateway that has several, with turns of its own; empty if
   *     not written
   */
  record Tcp(Transport transport, String host, int port, String line, int unit)
      implements Endpoint {
    @Override
    public String lane() {
      return "tcp:" + address() + (line.isEmpty() ? "" : "#" + line);
    }

    @Override
    public String link() {
      return transport.scheme() + "://" + address();
    }

    @Override
    public String address() {
      return host + ":" + port;
    }

    @Override
    public Endpoint withUnit(int other) {
      return new Tcp(transport, host, port, line, other);
    }

    @Override
    public String toString() {
      return link() + "?unit=" + unit + (line.isEmpty() ? "" : "&line=" + line);
    }
  }

  /**
   * {@code modbus-rtu:///dev/ttyS1?baud=9600&parity=none&unit=N}, {@code modbus-ascii://…}.
   *
   * @param device file
   * @param options as written, without the unit
   */
  record Serial(
      Transport transport, String device, String options, SerialLines.Settings settings, int unit)
      implements Endpoint {
    @Override
    public String lane() {
      return "serial:" + device;
    }

    @Override
    public String link() {
      return transport.scheme() + "://" + device + "?" + settings;
    }

    @Override
    public String address() {
      return device;
    }

    @Override
    public Endpoint withUnit(int other) {
      return new Serial(transport, device, options, settings, other);
    }

    @Override
    public String toString() {
      String start = transport.scheme() + "://" + device + "?";
      return start + (options.isEmpty() ? "" : options + "&") + "unit=" + unit;
    }
  }

  /** The endpoint, or {@code null} if there was a problem to tell. */
  static Endpoint parse(URI uri, Consumer<Problem> problems) {
    return new EndpointReader(uri, problems).read();
  }
}
