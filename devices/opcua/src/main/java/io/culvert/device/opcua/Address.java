package io.culvert.device.opcua;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Where a point lives in a server, and how it is watched there: {@code nsu=urn:plant;s=Pump1.Level
 * sampling=100ms deadband=2%}, {@code ./Pump1/Level}, {@code method:./Pump1 ./Start}, {@code
 * result:./Pump1 ./Start}, {@code events:i=2253}, {@code acknowledge:i=2253}. What {@link
 * #toString} writes, {@link #parse} reads.
 *
 * @param kind of what is there
 * @param type of the point
 * @param node a variable; the object of a method; the notifier of events
 * @param method of a method and its result, a path to it beginning at its object; else {@code null}
 * @param sampling how often the server looks, 0 for as fast as it can; {@code null} if not written,
 *     as all that follows
 * @param queue how many values or events the server keeps between two notifications; 0 if not
 *     written
 * @param deadband of numbers only
 * @param range part of an array, text or bytes, as {@code 1:3,0} (Part 4, 7.27); {@code null} for
 *     all
 */
record Address(
    Kind kind,
    DataType type,
    NodeRef node,
    NodeRef method,
    Duration sampling,
    int queue,
    Deadband deadband,
    Trigger trigger,
    String range) {

  /** The longest text, in characters. */
  static final int LONGEST = 8_000;

  /** What a point can be. */
  enum Kind {
    /** A variable: read, subscribed to, written. */
    VARIABLE(""),
    /** A method, called by a write. */
    METHOD("method:"),
    /** What a method gave when it was called last. */
    RESULT("result:"),
    /** What a notifier tells: events, and changes of conditions. */
    EVENTS("events:"),
    /** Acknowledges a condition of a notifier, by a write. */
    ACKNOWLEDGE("acknowledge:");

    private final String prefix;

    Kind(String prefix) {
      this.prefix = prefix;
    }
  }

  public Address {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(node, "node");
  }

  /** The address of a point that {@link #parse} found nothing wrong with. */
  static Address of(Point point) {
    Address address =
        parse(
            point,
            problem -> {
              throw new IllegalArgumentException(problem.toString());
            });
    return Objects.requireNonNull(address, point.toString());
  }

  /**
   * Reads the address of a point.
   *
   * @return {@code null} if there was a problem to tell
   */
  static Address parse(Point point, Consumer<Problem> problems) {
    Parser parser = new Parser(point, problems);
    Address address = parser.parse();
    return parser.wrong ? null : address;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(kind.prefix).append(node);
    if (method != null) {
      text.append(' ').append(method);
    }
    option(text, "sampling", sampling == null ? null : sampling.toMillis() + "ms");
    option(text, "queue", queue == 0 ? null : queue);
    option(text, "deadband", deadband == null ? null : written(deadband));
    option(text, "trigger", trigger == null ? null : trigger.name().toLowerCase(Locale.ROOT));
    option(text, "range", range);
    return text.toString();
  }

  private static void option(StringBuilder text, String name, Object value) {
    if (value != null) {
      text.append(' ').append(name).append('=').append(value);
    }
  }

  private static String written(Deadband deadband) {
    return BigDecimal.valueOf(deadband.value()).toPlainString() + (deadband.percent() ? "%" : "");
  }

  /** The parts of one address. */
  private static final class Parser {
    /** Behind a blank: an option, or a node. */
    private static final Pattern OPTION = Pattern.compile("(?!nsu?=)[A-Za-z]{2,}=");

    private static final Pattern NODE = Pattern.compile("nsu?=|[isgb]=|\\./|\\.$");

    private static final Pattern RANGE =
        Pattern.compile("\\d{1,10}(:\\d{1,10})?(,\\d{1,10}(:\\d{1,10})?){0,9}");

    /** Options, and a value as an example. */
    private static final Map<String, String> OPTIONS = options();

    private static Map<String, String> options() {
      Map<String, String> options = new LinkedHashMap<>();
      options.put("sampling", "100ms");
      options.put("queue", "50");
      options.put("deadband", "2%");
      options.put("trigger", "timestamp");
      options.put("range", "1:3");
      return options;
    }

    private final Point point;
    private final Consumer<Problem> problems;

    /** What is written behind the nodes, each option once. */
    private final Map<String, String> options = new LinkedHashMap<>();

    private Kind kind = Kind.VARIABLE;
    private boolean wrong;

    Parser(Point point, Consumer<Problem> problems) {
      this.point = point;
      this.problems = problems;
    }

    private void tell(String part, String found, String expected) {
      wrong = true;
      problems.accept(new Problem("points." + point.id() + "." + part, found, expected));
    }

    private void tell(String found, String expected) {
      tell("address", found, expected);
    }

    Address parse() {
      String text = trimmed(point.address());
      if (text.length() > LONGEST) {
        tell(
            text.length() + " characters: " + Shown.of(text), "at most " + LONGEST + " characters");
        return null;
      }
      for (Kind one : Kind.values()) {
        if (one != Kind.VARIABLE && text.startsWith(one.prefix)) {
          kind = one;
          text = trimmed(text.substring(one.prefix.length()));
        }
      }
      boolean called = kind == Kind.METHOD || kind == Kind.RESULT;
      int end = endOfNode(text, 0, called);
      NodeRef node = NodeRef.parse(text.substring(0, end), this::tell);
      NodeRef method = null;
      if (called) {
        int start = afterBlanks(text, end);
        end = endOfNode(text, start, false);
        if (start == text.length()) {
          tell(
              Shown.of(point.address()),
              kind.prefix
                  + "<object> <method>, such as "
                  + kind.prefix
                  + "./Pump1 ./Start, with a blank between");
        } else {
          method = NodeRef.parse(text.substring(start, end), this::tell);
          noEmptyPath(method, "method");
        }
      }
      split(text.substring(end));
      Duration sampling = sampling();
      int queue = queue();
      Deadband deadband = deadband();
      Trigger trigger = trigger();
      String range = range();
      fits();
      return node == null || wrong
          ? null
          : new Address(
              kind, point.type(), node, method, sampling, queue, deadband, trigger, range);
    }

    private void noEmptyPath(NodeRef node, String what) {
      if (node instanceof NodeRef.Path path && path.steps().isEmpty()) {
        tell(".", "./Name of the " + what);
      }
    }

    /** Without blanks around; other white space may belong to a name. */
    private static String trimmed(String text) {
      return text.substring(afterBlanks(text, 0));
    }

    private static int afterBlanks(String text, int from) {
      int at = from;
      while (at < text.length() && text.charAt(at) == ' ') {
        at++;
      }
      return at;
    }

    /** Where the node that begins here ends: at a blank before an option, or a second node. */
    private static int endOfNode(String text, int from, boolean another) {
      boolean path = text.startsWith("./", from);
      int at = from;
      while (at < text.length()) {
        char c = text.charAt(at);
        if (path && c == '&') {
          at++;
        } else if (c == ' ') {
          int next = afterBlanks(text, at);
          if (next == text.length()
              || OPTION.matcher(text).region(next, text.length()).lookingAt()
              || another && NODE.matcher(text).region(next, text.length()).lookingAt()) {
            return at;
          }
        }
        at++;
      }
      return text.length();
    }

    /** Takes the options apart. */
    private void split(String written) {
      for (String option : written.split(" +")) {
        String[] pair = option.split("=", 2);
        if (option.isEmpty()) {
          continue;
        }
        if (!OPTIONS.containsKey(pair[0]) || pair.length < 2) {
          tell(Shown.of(option), expectedOption(pair[0]));
        } else if (kind != Kind.VARIABLE && !(kind == Kind.EVENTS && pair[0].equals("queue"))) {
          tell(
              Shown.of(option),
              kind == Kind.EVENTS
                  ? "only queue=50: events are neither sampled nor compared"
                  : "no options: it isn't watched");
        } else if (options.putIfAbsent(pair[0], pair[1]) != null) {
          tell(pair[0] + " twice", "each option once");
        }
      }
    }

    private static String expectedOption(String name) {
      List<String> all = new ArrayList<>();
      OPTIONS.forEach((key, value) -> all.add(key + "=" + value));
      String list = String.join(" ", all);
      return Nearest.to(name, OPTIONS.keySet())
              .map(near -> near + "=…? (" + list + ")")
              .orElse(list)
          + "; a name with such a part is written with & before its blank";
    }

    private Duration sampling() {
      String written = options.get("sampling");
      if (written == null) {
        return null;
      }
      Optional<Duration> interval = Spans.parse(written, Duration.ZERO, Settings.LONGEST);
      if (interval.isEmpty()) {
        tell(
            "sampling=" + Shown.of(written), "sampling=0ms to sampling=60min, such as 100ms or 1s");
      }
      return interval.orElse(null);
    }

    private int queue() {
      String written = options.get("queue");
      if (written == null) {
        return 0;
      }
      int queue = written.matches("[0-9]{1,6}") ? Integer.parseInt(written) : 0;
      if (queue < 1 || queue > Settings.MAX_QUEUE) {
        tell("queue=" + Shown.of(written), "queue=1 to queue=" + Settings.MAX_QUEUE);
      }
      return queue;
    }

    private Deadband deadband() {
      String written = options.get("deadband");
      if (written == null) {
        return null;
      }
      Optional<Deadband> deadband = Deadband.parse(written);
      if (deadband.isEmpty()) {
        tell("deadband=" + Shown.of(written), Deadband.EXPECTED);
      } else if (!point.type().numeric()) {
        tell(
            "deadband=" + written + " of a point of type " + type(), "a dead-band of numbers only");
      }
      return deadband.orElse(null);
    }

    private Trigger trigger() {
      String written = options.get("trigger");
      if (written == null) {
        return null;
      }
      Optional<Trigger> trigger = Trigger.parse(written);
      if (trigger.isEmpty()) {
        tell("trigger=" + Shown.of(written), Trigger.EXPECTED);
      }
      return trigger.orElse(null);
    }

    private String range() {
      String written = options.get("range");
      if (written == null) {
        return null;
      }
      if (!RANGE.matcher(written).matches() || !rising(written)) {
        tell(
            "range=" + Shown.of(written),
            "range=2, range=1:3 (first and last, from 0) or, of a matrix, range=1:3,0:1");
      }
      return written;
    }

    private static boolean rising(String range) {
      for (String dimension : range.split(",")) {
        String[] bounds = dimension.split(":");
        long first = Long.parseLong(bounds[0]);
        long last = Long.parseLong(bounds[bounds.length - 1]);
        if (last > Integer.MAX_VALUE || bounds.length == 2 && first >= last) {
          return false;
        }
      }
      return true;
    }

    /** Whether type and access of the point are right for what is there. */
    private void fits() {
      boolean struct = point.type() == DataType.STRUCT;
      String access = point.access().name().toLowerCase(Locale.ROOT).replace('_', '-');
      switch (kind) {
        case VARIABLE -> {}
        case METHOD -> {
          if (point.access().readable()) {
            tell("access", access, "write: it is called; a point result:… tells what it gives");
          }
        }
        case RESULT -> {
          if (point.access().writable()) {
            tell("access", access, "read: a point method:… calls it");
          }
        }
        case EVENTS -> {
          if (!struct) {
            tell("type", type(), "struct: an event has several values");
          }
          if (point.access().writable()) {
            tell("access", access, "read: a point acknowledge:… takes what acknowledges them");
          }
        }
        case ACKNOWLEDGE -> {
          if (!struct) {
            tell("type", type(), "struct, with event or condition, and comment");
          }
          if (point.access().readable()) {
            tell("access", access, "write: a point events:… tells the events");
          }
        }
      }
    }

    private String type() {
      return point.type().name().toLowerCase(Locale.ROOT);
    }
  }
}
