package io.culvert.tools.registermap;

import io.culvert.core.document.Durations;
import io.culvert.core.document.Faults;
import io.culvert.core.document.Node;
import io.culvert.core.document.YamlReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Profiles as trees of maps, lists, texts, numbers and booleans, and the one canonical text of
 * each: keys in their order, what is said by default left out, numbers without needless digits.
 * Comments are no part of the tree; they can be written beside it.
 */
final class ProfileYaml {
  private static final List<String> KEYS =
      List.of("schema", "id", "title", "scheme", "interval", "settings", "points");
  private static final List<String> POINT_KEYS =
      List.of(
          "id",
          "title",
          "address",
          "type",
          "access",
          "interval",
          "scale",
          "offset",
          "deviceUnit",
          "unit",
          "range",
          "notAvailable",
          "counter",
          "class",
          "grade",
          "deadband");
  private static final List<String> INNER_KEYS = List.of("en", "zh-CN", "absolute", "heartbeat");
  private static final Map<String, Object> DEFAULTS =
      Map.of(
          "access", "read",
          "scale", BigDecimal.ONE,
          "offset", BigDecimal.ZERO,
          "class", "telemetry",
          "grade", "general");

  /** Text that is itself without quotation marks, in flow context too. */
  private static final Pattern PLAIN =
      Pattern.compile(
          "[\\p{L}/][\\p{L}\\p{N}_./;=%()℃°²³：，、。-]*( [\\p{L}\\p{N}_./;=%()-]+)*"
              + "|[0-9]+(ms|s|m|h)");

  private static final Pattern PLAIN_ADDRESS = Pattern.compile("[a-z]+:[A-Za-z0-9;=._-]+");
  private static final Pattern WORD = Pattern.compile("~|(?i:true|false|null|yes|no|on|off|y|n)");
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?(0|[1-9][0-9]*)(\\.[0-9]*)?([eE][-+]?[0-9]+)?");

  private ProfileYaml() {}

  /**
   * Reads a profile's tree; what its keys mean is not looked at.
   *
   * @return {@code null} with faults if it is no YAML mapping
   */
  static Map<String, Object> read(byte[] yaml, Faults faults) {
    Node node = YamlReader.read(yaml, faults);
    if (node == null) {
      return null;
    }
    if (!(tree(node) instanceof Map<?, ?> map)) {
      faults.file("no mapping", "a profile");
      return null;
    }
    return texts(map);
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> texts(Map<?, ?> map) {
    return (Map<String, Object>) map;
  }

  private static Object tree(Node node) {
    if (node instanceof Node.Obj object) {
      Map<String, Object> map = new LinkedHashMap<>();
      object.members().forEach((key, value) -> map.put(key, tree(value)));
      return map;
    }
    if (node instanceof Node.Arr list) {
      return new ArrayList<>(list.items().stream().map(ProfileYaml::tree).toList());
    }
    if (node instanceof Node.Num number) {
      // What no arithmetic can bear stays a text; the profile's reader has refused it.
      return number.value() == null ? number.text() : number.value();
    }
    if (node instanceof Node.Bool bool) {
      return bool.value();
    }
    return node instanceof Node.Text text ? text.value() : "";
  }

  /** A profile's tree in canonical order and form. */
  static Map<String, Object> canonical(Map<String, Object> profile) {
    Map<String, Object> ordered = ordered(profile, KEYS);
    ordered.replaceAll(
        (key, value) -> {
          if (key.equals("points") && value instanceof List<?> points) {
            return points.stream()
                .map(point -> point instanceof Map<?, ?> map ? point(texts(map)) : point)
                .toList();
          }
          if (key.equals("settings") && value instanceof Map<?, ?> map) {
            // The driver is told texts, so that 8 and "8" are the same.
            Map<String, Object> settings = new TreeMap<>(texts(map));
            settings.replaceAll((name, setting) -> setting(setting));
            return settings;
          }
          return key.equals("interval") ? duration(value) : inner(value);
        });
    if (ordered.get("settings") instanceof Map<?, ?> settings && settings.isEmpty()) {
      ordered.remove("settings");
    }
    return ordered;
  }

  private static Object setting(Object value) {
    if (value instanceof String text) {
      if (text.equals("true") || text.equals("false")) {
        return Boolean.valueOf(text);
      }
      // Only where the number is written as this text again.
      if (NUMBER.matcher(text).matches() && text.length() < 30) {
        BigDecimal number = new BigDecimal(text);
        return Text.number(number).equals(text) ? number : text;
      }
    }
    return value;
  }

  private static Map<String, Object> point(Map<String, Object> point) {
    Map<String, Object> ordered = ordered(point, POINT_KEYS);
    ordered.replaceAll((key, value) -> key.equals("interval") ? duration(value) : inner(value));
    ordered.entrySet().removeIf(member -> byDefault(member.getKey(), member.getValue()));
    return ordered;
  }

  private static boolean byDefault(String key, Object value) {
    Object otherwise = DEFAULTS.get(key);
    return otherwise instanceof BigDecimal number
        ? value instanceof BigDecimal own && own.compareTo(number) == 0
        : value.equals(otherwise);
  }

  private static Object inner(Object value) {
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> ordered = ordered(texts(map), INNER_KEYS);
      ordered.replaceAll((key, own) -> key.equals("heartbeat") ? duration(own) : inner(own));
      return ordered;
    }
    if (value instanceof List<?> list) {
      return list.stream().map(ProfileYaml::inner).toList();
    }
    return value instanceof BigDecimal number ? new BigDecimal(Text.number(number)) : value;
  }

  private static Object duration(Object value) {
    Duration duration = value instanceof String text ? Durations.parse(text) : null;
    return duration == null ? value : Durations.format(duration);
  }

  private static Map<String, Object> ordered(Map<String, Object> map, List<String> keys) {
    Map<String, Object> ordered = new LinkedHashMap<>();
    for (String key : keys) {
      if (map.containsKey(key)) {
        ordered.put(key, map.get(key));
      }
    }
    new TreeMap<>(map).forEach(ordered::putIfAbsent);
    return ordered;
  }

  /**
   * What a person should read beside a profile; a line each, in plain characters.
   *
   * @param head before all
   * @param points before a point, by its id
   * @param tail after all
   */
  record Comments(List<String> head, Map<String, List<String>> points, List<String> tail) {
    static final Comments NONE = new Comments(List.of(), Map.of(), List.of());
  }

  /** The canonical text of a profile, in UTF-8. */
  static byte[] write(Map<String, Object> profile) {
    return write(profile, Comments.NONE);
  }

  /** The canonical text of a profile with comments, in UTF-8. */
  static byte[] write(Map<String, Object> profile, Comments comments) {
    StringBuilder out = new StringBuilder();
    comments(out, "", comments.head());
    canonical(profile)
        .forEach(
            (key, value) -> {
              out.append(key).append(':');
              if (key.equals("points") && value instanceof List<?> points && !points.isEmpty()) {
                out.append('\n');
                points.forEach(point -> point(out, point, comments));
              } else {
                out.append(' ').append(flow(value)).append('\n');
              }
            });
    comments(out, "  ", comments.tail());
    return out.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void comments(StringBuilder out, String indent, List<String> lines) {
    lines.forEach(line -> out.append((indent + "# " + line).stripTrailing()).append('\n'));
  }

  private static void point(StringBuilder out, Object point, Comments comments) {
    if (!(point instanceof Map<?, ?> map) || map.isEmpty()) {
      out.append("  - ").append(flow(point)).append('\n');
      return;
    }
    comments(out, "  ", comments.points().getOrDefault(String.valueOf(map.get("id")), List.of()));
    String lead = "  - ";
    for (Map.Entry<?, ?> member : map.entrySet()) {
      boolean address =
          member.getValue() instanceof String text && PLAIN_ADDRESS.matcher(text).matches();
      out.append(lead)
          .append(member.getKey())
          .append(": ")
          .append(address ? member.getValue() : flow(member.getValue()))
          .append('\n');
      lead = "    ";
    }
  }

  private static String flow(Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> members = new ArrayList<>();
      map.forEach((key, own) -> members.add(text((String) key) + ": " + flow(own)));
      return "{" + String.join(", ", members) + "}";
    }
    if (value instanceof List<?> list) {
      return "[" + String.join(", ", list.stream().map(ProfileYaml::flow).toList()) + "]";
    }
    if (value instanceof BigDecimal number) {
      return Text.number(number);
    }
    return value instanceof String text ? text(text) : String.valueOf(value);
  }

  private static String text(String text) {
    boolean plain = PLAIN.matcher(text).matches() && !WORD.matcher(text).matches();
    if (plain) {
      return text;
    }
    StringBuilder quoted = new StringBuilder("\"");
    text.codePoints()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                quoted.append('\\').appendCodePoint(c);
              } else if (Character.isISOControl(c)
                  || Character.getType(c) == Character.FORMAT
                  || c == 0x2028
                  || c == 0x2029
                  || c >= 0xFFFE && c <= 0xFFFF) {
                quoted.append(
                    c > 0xFFFF ? String.format("\\U%08x", c) : String.format("\\u%04x", c));
              } else {
                quoted.appendCodePoint(c);
              }
            });
    return quoted.append('"').toString();
  }

  /** The points of a profile's tree. */
  static List<Map<String, Object>> points(Map<String, Object> profile) {
    return profile.get("points") instanceof List<?> points
        ? points.stream()
            .map(point -> point instanceof Map<?, ?> map ? texts(map) : Map.<String, Object>of())
            .toList()
        : Collections.emptyList();
  }
}
