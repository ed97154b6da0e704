package io.culvert.simulator.street;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * A mapping of a YAML file that knows its lines. Asking for a value notes what is wrong with it and
 * goes on with a stand-in, so that one pass over a file tells everything; {@link #check} then
 * throws.
 */
final class Section {
  private static final Pattern DURATION = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d)");
  private static final Pattern CLOCK = Pattern.compile("([01]?\\d|2[0-3]):([0-5]\\d)");

  private final String file;
  private final List<String> problems;
  private final Node node;
  private final Map<String, Node> values = new LinkedHashMap<>();
  private final Map<String, Node> keys = new LinkedHashMap<>();
  private final Set<String> asked = new LinkedHashSet<>();

  private Section(String file, List<String> problems, Node node) {
    this.file = file;
    this.problems = problems;
    this.node = node;
    if (!(node instanceof MappingNode mapping)) {
      problem(node, "found " + describe(node) + ", expected keys with values");
      return;
    }
    for (NodeTuple tuple : mapping.getValue()) {
      String key = tuple.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
      if (values.put(key, tuple.getValueNode()) != null) {
        problem(tuple.getKeyNode(), "found the key '" + key + "' a second time, expected it once");
      }
      keys.put(key, tuple.getKeyNode());
    }
  }

  /** Reads a whole file; not being YAML at all throws at once. */
  static Section read(String file, String text) throws StreetException {
    try {
      Optional<Node> root =
          new Compose(LoadSettings.builder().setLabel(file).build()).composeString(text);
      if (root.isEmpty()) {
        throw new StreetException(file + ":1: found an empty file");
      }
      return new Section(file, new ArrayList<>(), root.get());
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
      throw new StreetException(file + ":" + line + ": isn't YAML: " + e.getProblem());
    } catch (YamlEngineException e) {
      throw new StreetException(file + ":1: isn't YAML: " + e.getMessage());
    }
  }

  /** Throws if anything was wrong in the file so far. */
  void check() throws StreetException {
    if (!problems.isEmpty()) {
      throw new StreetException(problems);
    }
  }

  /** Whether nothing was wrong so far. */
  boolean sound() {
    return problems.isEmpty();
  }

  /** Notes each key that nobody asked for. */
  void refuseOthers() {
    keys.forEach(
        (key, at) -> {
          if (!asked.contains(key)) {
            problem(at, "found the key '" + key + "', expected one of " + String.join(", ", asked));
          }
        });
  }

  /** Lets keys pass that this reader has no use for. */
  void tolerate(String... others) {
    asked.addAll(List.of(others));
  }

  boolean has(String key) {
    return values.containsKey(key);
  }

  List<String> keys() {
    return List.copyOf(values.keySet());
  }

  /** Notes something wrong with the value of a key, or with the section if the key is missing. */
  void wrong(String key, String message) {
    problem(values.getOrDefault(key, node), message);
  }

  /** Where this section begins, as {@code file:line}. */
  String place() {
    return file + ":" + line(node);
  }

  String text(String key) {
    Node value = required(key);
    return value == null ? "" : scalar(value, "a text");
  }

  String text(String key, String absent) {
    return has(key) ? text(key) : asking(key, absent);
  }

  double number(String key) {
    Node value = required(key);
    return value == null ? 0 : toNumber(value);
  }

  double number(String key, double absent) {
    return has(key) ? number(key) : asking(key, absent);
  }

  long whole(String key, long absent, long min, long max) {
    if (!has(key)) {
      return asking(key, absent);
    }
    double number = number(key);
    if (number != Math.rint(number) || number < min || number > max) {
      wrong(
          key,
          "found "
              + describe(values.get(key))
              + " for '"
              + key
              + "', expected a whole number from "
              + min
              + " to "
              + max);
      return min;
    }
    return (long) number;
  }

  Duration duration(String key, Duration absent) {
    if (!has(key)) {
      return asking(key, absent);
    }
    String text = text(key);
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      wrong(key, "found '" + text + "', expected a duration such as 250ms, 1s, 5m, 1h or 2d");
      return Duration.ofSeconds(1);
    }
    double unit =
        switch (matcher.group(2)) {
          case "ms" -> 1;
          case "s" -> 1e3;
          case "m" -> 6e4;
          case "h" -> 3.6e6;
          default -> 8.64e7;
        };
    return Duration.ofMillis(Math.round(Double.parseDouble(matcher.group(1)) * unit));
  }

  /** A list of times of day, in seconds after midnight. */
  double[] clocks(String key, double... absent) {
    if (!has(key)) {
      return asking(key, absent);
    }
    asked.add(key);
    return items(values.get(key)).stream().mapToDouble(this::toClock).toArray();
  }

  double[] numbers(String key) {
    Node value = required(key);
    return value == null
        ? new double[] {0}
        : items(value).stream().mapToDouble(this::toNumber).toArray();
  }

  /** The section below a key; an empty one if the key is missing. */
  /** The scalars of a list, or one alone. */
  List<String> texts(String key) {
    Node value = required(key);
    return value == null
        ? List.of()
        : items(value).stream().map(item -> scalar(item, "a text or a number")).toList();
  }

  Optional<Section> section(String key) {
    asked.add(key);
    return Optional.ofNullable(values.get(key)).map(value -> new Section(file, problems, value));
  }

  /** The list of sections below a key; a lone section counts as a list of one. */
  List<Section> sections(String key) {
    asked.add(key);
    Node value = values.get(key);
    if (value == null) {
      return List.of();
    }
    return items(value).stream().map(item -> new Section(file, problems, item)).toList();
  }

  /** Whether the value of a key is a list. */
  boolean isMap(String key) {
    return values.get(key) instanceof MappingNode;
  }

  boolean isList(String key) {
    return values.get(key) instanceof SequenceNode;
  }

  private List<Node> items(Node value) {
    return value instanceof SequenceNode sequence ? sequence.getValue() : List.of(value);
  }

  private <T> T asking(String key, T absent) {
    asked.add(key);
    return absent;
  }

  private Node required(String key) {
    asked.add(key);
    Node value = values.get(key);
    if (value == null) {
      problem(node, "found no '" + key + "', expected one");
    }
    return value;
  }

  private String scalar(Node value, String expected) {
    if (value instanceof ScalarNode scalar) {
      return scalar.getValue();
    }
    problem(value, "found " + describe(value) + ", expected " + expected);
    return "";
  }

  private double toNumber(Node value) {
    String text = scalar(value, "a number");
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      problem(value, "found '" + text + "', expected a number");
      return 1;
    }
  }

  private double toClock(Node value) {
    String text = scalar(value, "a time of day");
    Matcher matcher = CLOCK.matcher(text);
    if (!matcher.matches()) {
      problem(value, "found '" + text + "', expected a time of day such as \"08:00\", in quotes");
      return 0;
    }
    return Integer.parseInt(matcher.group(1)) * 3600.0 + Integer.parseInt(matcher.group(2)) * 60.0;
  }

  private void problem(Node at, String message) {
    problems.add(file + ":" + line(at) + ": " + message);
  }

  private static int line(Node at) {
    return at.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
  }

  private static String describe(Node value) {
    if (value instanceof ScalarNode scalar) {
      return "'" + scalar.getValue() + "'";
    }
    return value instanceof SequenceNode ? "a list" : "keys with values";
  }
}
