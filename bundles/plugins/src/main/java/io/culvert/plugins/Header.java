package io.culvert.plugins;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The clauses of a manifest header (OSGi Core 8, 1.3.2 Common Header Syntax): {@code
 * path;path;attribute=value;directive:=value, …}.
 */
public final class Header {

  /**
   * @param paths one or more
   * @param parameters attributes by name, and directives by name with a colon behind it
   */
  public record Clause(List<String> paths, Map<String, String> parameters) {}

  private Header() {}

  /** No clause for {@code null}; a parameter without value is empty. */
  public static List<Clause> parse(String header) {
    List<Clause> clauses = new ArrayList<>();
    if (header == null) {
      return clauses;
    }
    for (String clause : split(header, ',')) {
      List<String> paths = new ArrayList<>();
      Map<String, String> parameters = new TreeMap<>();
      for (String part : split(clause, ';')) {
        int equals = part.indexOf('=');
        if (equals < 0) {
          paths.add(part);
        } else {
          parameters.put(
              part.substring(0, equals).strip(), unquote(part.substring(equals + 1).strip()));
        }
      }
      if (!paths.isEmpty()) {
        clauses.add(new Clause(List.copyOf(paths), Map.copyOf(parameters)));
      }
    }
    return clauses;
  }

  private static List<String> split(String text, char separator) {
    List<String> parts = new ArrayList<>();
    boolean quoted = false;
    int from = 0;
    for (int i = 0; i <= text.length(); i++) {
      boolean end = i == text.length();
      if (!end && text.charAt(i) == '"') {
        quoted = !quoted;
      } else if (end || text.charAt(i) == separator && !quoted) {
        String part = text.substring(from, i).strip();
        if (!part.isEmpty()) {
          parts.add(part);
        }
        from = i + 1;
      }
    }
    return parts;
  }

  private static String unquote(String value) {
    return value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"")
        ? value.substring(1, value.length() - 1)
        : value;
  }
}
