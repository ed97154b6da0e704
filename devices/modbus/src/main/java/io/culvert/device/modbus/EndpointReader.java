package io.culvert.device.modbus;

import io.culvert.api.Problem;
import io.culvert.api.southbound.SerialLines;
import io.culvert.api.southbound.SerialLines.Parity;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.StringJoiner;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads one endpoint and tells all that is wrong with it. */
final class EndpointReader {
  private static final String KEY = "endpoint";
  private static final int DEFAULT_PORT = 502;
  private static final int DEFAULT_UNIT = 1;
  private static final Pattern LINE = Pattern.compile("[A-Za-z0-9._-]{1,32}");
  private static final Pattern PAUSE = Pattern.compile("([0-9]{1,4})ms");

  /** The options of a transport and what each may be, for messages. */
  private static final Map<String, String> OF_TCP = options("unit", "0–255", "line", "NAME");

  private static final Map<String, String> OF_GATEWAY = options("unit", "0–255");

  private static final Map<String, String> OF_SERIAL =
      options(
          "unit", "0–255",
          "baud", "50–4000000",
          "parity", "none, even or odd",
          "data", "7 or 8",
          "stop", "1 or 2",
          "rs485", "true or false",
          "echo", "true or false",
          "pause", "0ms–1000ms");

  private final URI uri;
  private final Consumer<Problem> problems;
  private final Map<String, String> written = new LinkedHashMap<>();
  private boolean wrong;

  EndpointReader(URI uri, Consumer<Problem> problems) {
    this.uri = uri;
    this.problems = problems;
  }

  private static Map<String, String> options(String... pairs) {
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      options.put(pairs[i], pairs[i + 1]);
    }
    return options;
  }

  private void tell(String found, String expected) {
    wrong = true;
    problems.accept(new Problem(KEY, found, expected));
  }

  Endpoint read() {
    Transport transport = Transport.of(uri.getScheme());
    if (transport == null) {
      List<String> schemes = Arrays.stream(Transport.values()).map(Transport::scheme).toList();
      tell("scheme " + uri.getScheme(), Nearest.expected("" + uri.getScheme(), schemes));
      return null;
    }
    return transport.serial() ? serial(transport) : tcp(transport);
  }

  private Endpoint tcp(Transport transport) {
    String form = transport.scheme() + "://host:port?unit=N";
    if (uri.getHost() == null) {
      tell(withoutUser(), hostExpected(form));
      return null;
    }
    if (uri.getRawUserInfo() != null) {
      tell("user information before @", "none: Modbus has no users");
    }
    if (uri.getRawPath() != null && !uri.getRawPath().isEmpty() && !uri.getRawPath().equals("/")) {
      tell("path " + uri.getRawPath(), "no path; the unit is written ?unit=N");
    }
    noFragment(form);
    int port = uri.getPort() == -1 ? DEFAULT_PORT : uri.getPort();
    if (port < 1 || port > 65535) {
      tell("port " + port, "1–65535");
    }
    boolean plain = transport == Transport.TCP;
    options(plain ? OF_TCP : OF_GATEWAY);
    int unit = number("unit", 0, 255, DEFAULT_UNIT, "");
    String line = written.getOrDefault("line", "");
    if (written.containsKey("line") && !LINE.matcher(line).matches()) {
      tell("line=" + line, "line=NAME of 1–32 letters, digits, ., _ or -");
    }
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    return wrong ? null : new Endpoint.Tcp(transport, host, port, line, unit);
  }

  private void noFragment(String form) {
    if (uri.getRawFragment() != null) {
      tell("#" + uri.getRawFragment(), "nothing after the query; " + form);
    }
  }

  private String hostExpected(String form) {
    if (uri.isOpaque()) {
      return form + " (with // after the colon)";
    }
    return uri.getRawAuthority() == null
        ? form
        : form + ", a host of letters, digits, - and ., and a port of digits";
  }

  private String withoutUser() {
    return uri.toString().replaceFirst("[^/@]*@", "…@");
  }

  private Endpoint serial(Transport transport) {
    String form = transport.scheme() + ":///dev/ttyS1?baud=9600&parity=none&unit=N";
    if (uri.getRawAuthority() != null) {
      tell(withoutUser(), form + " (three slashes before the device file)");
      return null;
    }
    if (uri.isOpaque() || uri.getPath().length() < 2) {
      tell(uri.toString(), form);
      return null;
    }
    noFragment(form);
    boolean ascii = transport == Transport.ASCII;
    options(OF_SERIAL);
    int unit = number("unit", 0, 255, DEFAULT_UNIT, "");
    // The defaults of Serial Line V1.02, 2.5.1 and 2.5.2: 19200 baud, even parity, characters of 11
    // bits (10 in ASCII), so that a second stop bit stands for the parity bit that is left out.
    int baud = number("baud", 50, 4_000_000, 19_200, "");
    Parity parity = parity();
    int data = number("data", ascii ? 7 : 8, 8, ascii ? 7 : 8, ascii ? "" : ": RTU needs all bits");
    int stop = number("stop", 1, 2, parity == Parity.NONE ? 2 : 1, "");
    boolean rs485 = truth("rs485");
    boolean echo = truth("echo");
    Duration pause = pause(baud, 1 + data + (parity == Parity.NONE ? 0 : 1) + stop);
    if (wrong) {
      return null;
    }
    StringJoiner others = new StringJoiner("&");
    written.forEach(
        (key, value) -> {
          if (!key.equals("unit")) {
            others.add(key + "=" + value);
          }
        });
    return new Endpoint.Serial(
        transport,
        // Two ways of writing one file are one lane; links are not followed, since that needs I/O.
        Path.of(uri.getPath()).normalize().toString(),
        others.toString(),
        new SerialLines.Settings(baud, data, parity, stop, rs485, echo, pause),
        unit);
  }

  /** Takes the query apart; what is unknown or stands twice is told and left out. */
  private void options(Map<String, String> known) {
    String query = uri.getRawQuery();
    for (String part : query == null ? new String[0] : query.split("&", -1)) {
      String[] pair = part.split("=", 2);
      if (!known.containsKey(pair[0])) {
        String all = String.join(", ", known.keySet());
        tell(
            part.isEmpty() ? "an empty option" : part,
            Nearest.to(pair[0], known.keySet())
                .map(name -> name + "=" + known.get(name))
                .orElse("only " + all + "; whatever else the driver is told stands in settings"));
      } else if (pair.length < 2) {
        tell(part, pair[0] + "=" + known.get(pair[0]));
      } else if (written.putIfAbsent(pair[0], pair[1]) != null) {
        tell(
            pair[0] + " twice",
            pair[0].equals("unit")
                ? "one unit; each unit is a device of its own"
                : "each option once");
      }
    }
  }

  private int number(String key, int least, int most, int otherwise, String why) {
    String text = written.get(key);
    if (text == null) {
      return otherwise;
    }
    OptionalInt number = Numbers.parse(text);
    if (number.isEmpty() || number.getAsInt() < least || number.getAsInt() > most) {
      String range = least == most ? "" + least : least + "–" + most;
      tell(key + "=" + text, key + "=" + range + why);
      return otherwise;
    }
    return number.getAsInt();
  }

  private Parity parity() {
    String text = written.getOrDefault("parity", "even");
    for (Parity parity : Parity.values()) {
      if (parity.name().toLowerCase(Locale.ROOT).equals(text)) {
        return parity;
      }
    }
    List<String> words = new ArrayList<>();
    for (Parity parity : Parity.values()) {
      words.add(parity.name().toLowerCase(Locale.ROOT));
    }
    tell("parity=" + text, Nearest.expected(text, words));
    return Parity.EVEN;
  }

  private boolean truth(String key) {
    String text = written.getOrDefault(key, "false");
    if (!text.equals("true") && !text.equals("false")) {
      tell(key + "=" + text, key + "=true or " + key + "=false");
    }
    return text.equals("true");
  }

  /**
   * Silence before a request. By the specification 3.5 characters, and 1.75 ms at more than 19200
   * baud (V1.02, 2.5.1.1).
   */
  private Duration pause(int baud, int bits) {
    String text = written.get("pause");
    if (text == null) {
      return baud > 19_200
          ? Duration.ofNanos(1_750_000)
          : Duration.ofNanos(bits * 3_500_000_000L / baud);
    }
    Matcher matcher = PAUSE.matcher(text);
    if (!matcher.matches() || Integer.parseInt(matcher.group(1)) > 1000) {
      tell("pause=" + text, "pause=0ms–1000ms");
      return Duration.ZERO;
    }
    return Duration.ofMillis(Integer.parseInt(matcher.group(1)));
  }
}
