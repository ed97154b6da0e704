package io.culvert.device.modbus;

import io.culvert.api.Problem;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Where a device is reached: {@code modbus-tcp://host:port?unit=N}.
 *
 * @param host name or address, in lower case; an IPv6 address in brackets
 * @param port 1 to 65535; 502 if not written
 * @param unit unit identifier (Messaging Guide V1.0b, 3.1.3), 0 to 255; 1 if not written
 */
record Endpoint(String host, int port, int unit) {
  static final String SCHEME = "modbus-tcp";
  private static final String KEY = "endpoint";
  private static final String FORM = "modbus-tcp://host:port?unit=N";
  private static final int DEFAULT_PORT = 502;
  private static final int DEFAULT_UNIT = 1;

  /** The endpoint, or {@code null} if there was a problem to tell. */
  static Endpoint parse(URI uri, Consumer<Problem> problems) {
    boolean[] wrong = new boolean[1];
    Consumer<Problem> tell =
        problem -> {
          wrong[0] = true;
          problems.accept(problem);
        };
    if (!SCHEME.equalsIgnoreCase(uri.getScheme())) {
      tell.accept(new Problem(KEY, "scheme " + uri.getScheme(), FORM));
      return null;
    }
    if (uri.getHost() == null) {
      tell.accept(new Problem(KEY, withoutUser(uri), hostExpected(uri)));
      return null;
    }
    if (uri.getRawUserInfo() != null) {
      tell.accept(new Problem(KEY, "user information before @", "none: Modbus has no users"));
    }
    if (uri.getRawPath() != null && !uri.getRawPath().isEmpty() && !uri.getRawPath().equals("/")) {
      tell.accept(
          new Problem(KEY, "path " + uri.getRawPath(), "no path; the unit is written ?unit=N"));
    }
    if (uri.getRawFragment() != null) {
      tell.accept(new Problem(KEY, "#" + uri.getRawFragment(), "nothing after the query; " + FORM));
    }
    int port = uri.getPort() == -1 ? DEFAULT_PORT : uri.getPort();
    if (port < 1 || port > 65535) {
      tell.accept(new Problem(KEY, "port " + port, "1–65535"));
    }
    int unit = unit(uri.getRawQuery(), tell);
    return wrong[0] ? null : new Endpoint(uri.getHost().toLowerCase(Locale.ROOT), port, unit);
  }

  private static int unit(String query, Consumer<Problem> tell) {
    int unit = DEFAULT_UNIT;
    boolean seen = false;
    for (String part : query == null ? new String[0] : query.split("&", -1)) {
      String[] pair = part.split("=", 2);
      if (!pair[0].equals("unit")) {
        String expected =
            Nearest.to(pair[0], List.of("unit")).isPresent()
                ? "unit=N"
                : "only unit=N; whatever else the driver is told stands in settings";
        tell.accept(new Problem(KEY, part.isEmpty() ? "an empty option" : part, expected));
        continue;
      }
      OptionalInt number = pair.length == 2 ? Numbers.parse(pair[1]) : OptionalInt.empty();
      if (number.isEmpty() || number.getAsInt() > 255) {
        tell.accept(new Problem(KEY, part, "unit=0–255"));
      } else if (seen) {
        tell.accept(new Problem(KEY, "unit twice", "one unit; each unit is a device of its own"));
      } else {
        unit = number.getAsInt();
        seen = true;
      }
    }
    return unit;
  }

  private static String hostExpected(URI uri) {
    if (uri.isOpaque()) {
      return FORM + " (with // after the colon)";
    }
    return uri.getRawAuthority() == null
        ? FORM
        : FORM + ", a host of letters, digits, - and ., and a port of digits";
  }

  private static String withoutUser(URI uri) {
    return uri.toString().replaceFirst("[^/@]*@", "…@");
  }

  /** Name of the connection, shared by the units behind it. */
  String lane() {
    return "tcp:" + host + ":" + port;
  }

  /** Host and port as people write them. */
  String address() {
    return host + ":" + port;
  }

  Endpoint withUnit(int other) {
    return new Endpoint(host, port, other);
  }

  @Override
  public String toString() {
    return SCHEME + "://" + address() + "?unit=" + unit;
  }
}
