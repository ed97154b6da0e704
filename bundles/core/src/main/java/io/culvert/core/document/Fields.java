package io.culvert.core.document;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Takes the members of an object by key and type. What is missing or wrong becomes a fault and the
 * answer {@code null}; {@link #refuseOthers} then names the keys that nobody asked for.
 */
public final class Fields {
  private final Node.Obj node;
  private final String path;
  private final Faults faults;
  private final Set<String> known = new LinkedHashSet<>();

  private Fields(Node.Obj node, String path, Faults faults) {
    this.node = node;
    this.path = path;
    this.faults = faults;
    for (Node.Repeat repeat : node.repeated()) {
      faults.add(
          repeat.place(),
          path(repeat.key()),
          "the key a second time",
          "it once: it stands in line " + node.keys().get(repeat.key()).line() + " already");
    }
  }

  /**
   * @param path of the object
   * @return {@code null}, with a fault, if the node isn't an object
   */
  public static Fields of(Node node, String path, Faults faults) {
    if (node instanceof Node.Obj object) {
      return new Fields(object, path, faults);
    }
    faults.add(node, path, node.shown(), "an object");
    return null;
  }

  public Node.Obj node() {
    return node;
  }

  /** Path of a member. */
  public String path(String key) {
    return path.isEmpty() ? Node.shorten(key) : path + "." + Node.shorten(key);
  }

  /** The member as it is; {@code null} if it is missing. */
  public Node any(String key) {
    known.add(key);
    return node.members().get(key);
  }

  /** The member as it is; a fault and {@code null} if it is missing. */
  public Node required(String key, String expected) {
    Node value = any(key);
    if (value == null) {
      faults.add(node, path(key), "nothing", expected);
    }
    return value;
  }

  public void wrong(String key, String expected) {
    Node value = node.members().get(key);
    faults.add(value, path(key), value.shown(), expected);
  }

  public String text(String key, Pattern form, String expected) {
    return text(required(key, expected), key, form, expected);
  }

  public String optionalText(String key, Pattern form, String expected) {
    return text(any(key), key, form, expected);
  }

  private String text(Node value, String key, Pattern form, String expected) {
    if (value == null) {
      return null;
    }
    if (value instanceof Node.Text text && form.matcher(text.value()).matches()) {
      return text.value();
    }
    wrong(key, expected);
    return null;
  }

  public BigDecimal number(String key, BigDecimal otherwise) {
    Node value = any(key);
    if (value == null) {
      return otherwise;
    }
    return number(value, path(key), faults);
  }

  /** A number of a size that arithmetic can bear. */
  public static BigDecimal number(Node value, String path, Faults faults) {
    if (!(value instanceof Node.Num number)) {
      faults.add(value, path, value.shown(), "a number");
      return null;
    }
    BigDecimal exact = number.value();
    if (exact == null) {
      faults.add(
          value, path, value.shown(), "a number of at most 34 digits, from 1e-40 to 1e40 in size");
    }
    return exact;
  }

  /** A duration within bounds; {@code otherwise} if it is missing. */
  public Duration duration(String key, Duration min, Duration max, Duration otherwise) {
    Node value = any(key);
    if (value == null) {
      return otherwise;
    }
    Duration duration = value instanceof Node.Text text ? Durations.parse(text.value()) : null;
    if (duration == null) {
      wrong(key, Durations.EXPECTED);
      return null;
    }
    if (duration.compareTo(min) < 0 || duration.compareTo(max) > 0) {
      wrong(key, "a duration from " + Durations.format(min) + " to " + Durations.format(max));
      return null;
    }
    return duration;
  }

  /** One of an enumeration's constants, written in lower case with hyphens. */
  public <E extends Enum<E>> E choice(String key, Class<E> type, E otherwise) {
    Node value = otherwise == null ? required(key, choices(type)) : any(key);
    if (value == null) {
      return otherwise;
    }
    for (E constant : type.getEnumConstants()) {
      if (value instanceof Node.Text text && text.value().equals(word(constant))) {
        return constant;
      }
    }
    wrong(key, choices(type));
    return null;
  }

  private static <E extends Enum<E>> String choices(Class<E> type) {
    List<String> words = new ArrayList<>();
    for (E constant : type.getEnumConstants()) {
      words.add(word(constant));
    }
    return oneOf(words);
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Plain values by name, as text: what a driver is told. Empty if the member is missing. */
  public Map<String, String> settings(String key) {
    Node value = any(key);
    if (value == null) {
      return Map.of();
    }
    if (!(value instanceof Node.Obj)) {
      wrong(key, "an object of plain values");
      return null;
    }
    Fields fields = new Fields((Node.Obj) value, path(key), faults);
    Map<String, String> settings = new LinkedHashMap<>();
    fields
        .node
        .members()
        .forEach(
            (name, setting) -> {
              if (setting instanceof Node.Text text) {
                settings.put(name, text.value());
              } else if (setting instanceof Node.Num number) {
                settings.put(name, number.text());
              } else if (setting instanceof Node.Bool bool) {
                settings.put(name, Boolean.toString(bool.value()));
              } else {
                fields.wrong(name, "a text, a number, true or false");
              }
            });
    return settings;
  }

  /** A fault for each key that was never asked for, with the known one that looks like it. */
  public void refuseOthers() {
    node.members()
        .keySet()
        .forEach(
            key -> {
              if (!known.contains(key)) {
                faults.add(
                    node.keys().get(key),
                    path(key),
                    "an unknown key",
                    nearest(key, known).orElseGet(() -> oneOf(known)));
              }
            });
  }

  public static String oneOf(Collection<String> words) {
    List<String> list = List.copyOf(words);
    return list.size() == 1 ? list.get(0) : "one of " + String.join(", ", list);
  }

  /** The known key that someone who wrote {@code key} most likely meant. */
  public static java.util.Optional<String> nearest(String key, Collection<String> known) {
    String best = null;
    int least = Math.max(1, key.length() / 3) + 1;
    for (String candidate : known) {
      if (Math.abs(candidate.length() - key.length()) < least) {
        int distance = distance(key.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
        if (distance < least) {
          least = distance;
          best = candidate;
        }
      }
    }
    return java.util.Optional.ofNullable(best);
  }

  /** Levenshtein distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
