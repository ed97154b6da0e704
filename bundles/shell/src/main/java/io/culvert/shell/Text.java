package io.culvert.shell;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.culvert.api.Reading;
import io.culvert.api.Value;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How things are written for a person in front of 80 columns. */
final class Text {
  static final int COLUMNS = 80;

  /** Values of a list. */
  private static final int MOST_SHOWN = 20;

  /** What stands to the right in a column: a number, with its unit perhaps, or none. */
  private static final String NUMBER = "-|(< )?[-+]?[0-9][0-9,./]*( (%|ms|s|min|B|kB|MB))?";

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS");

  private Text() {}

  /** Columns as wide as their widest cell, two spaces apart; numbers to the right. */
  static String table(List<String> head, List<List<String>> rows) {
    int columns = head.size();
    int[] widths = new int[columns];
    boolean[] right = new boolean[columns];
    for (int c = 0; c < columns; c++) {
      widths[c] = head.get(c).length();
      boolean numbers = !rows.isEmpty();
      for (List<String> row : rows) {
        widths[c] = Math.max(widths[c], row.get(c).length());
        numbers &= row.get(c).isEmpty() || row.get(c).matches(NUMBER);
      }
      right[c] = numbers;
    }
    StringBuilder out = new StringBuilder();
    line(out, head, widths, right);
    rows.forEach(row -> line(out, row, widths, right));
    return out.toString();
  }

  private static void line(StringBuilder out, List<String> cells, int[] widths, boolean[] right) {
    StringBuilder line = new StringBuilder();
    for (int c = 0; c < cells.size(); c++) {
      String pad = " ".repeat(widths[c] - cells.get(c).length());
      line.append(right[c] ? pad + cells.get(c) : cells.get(c) + pad).append("  ");
    }
    out.append(line.toString().stripTrailing()).append('\n');
  }

  /** Breaks a sentence at spaces; every line begins with the indent, the first with the mark. */
  static String wrap(String mark, String indent, String sentence) {
    StringBuilder out = new StringBuilder();
    String begin = mark;
    StringBuilder line = new StringBuilder();
    for (String word : sentence.split("\\s+")) {
      if (line.length() > 0 && begin.length() + line.length() + 1 + word.length() > COLUMNS) {
        out.append(begin).append(line).append('\n');
        line.setLength(0);
        begin = indent;
      }
      line.append(line.length() == 0 ? "" : " ").append(word);
    }
    return out.append(begin).append(line).append('\n').toString();
  }

  static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  static String plural(long number, String one) {
    return count(number) + " " + one + (number == 1 ? "" : "s");
  }

  static String bytes(long bytes) {
    if (bytes < 10_000) {
      return count(bytes) + " B";
    }
    if (bytes < 10_000_000) {
      return count(bytes / 1_000) + " kB";
    }
    return count(bytes / 1_000_000) + " MB";
  }

  /** The largest unit, and the next where that tells more: {@code 3 min}, {@code 2 h 14 min}. */
  static String span(Duration d) {
    long s = Math.max(0, d.toSeconds());
    if (s < 1) {
      return Math.max(0, d.toMillis()) + " ms";
    }
    if (s < 120) {
      return s + " s";
    }
    if (s < 7_200) {
      return s / 60 + " min";
    }
    if (s < 172_800) {
      return s / 3_600 + " h " + s / 60 % 60 + " min";
    }
    return s / 86_400 + " days";
  }

  /** A time that something took, with the figures that a person needs: {@code 1.2 ms}. */
  static String brief(Duration d) {
    double ms = d.toNanos() / 1e6;
    if (ms < 1000) {
      return String.format(Locale.ROOT, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
    }
    return ms < 10_000 ? String.format(Locale.ROOT, "%.1f s", ms / 1000) : span(d);
  }

  /**
   * @param share 1 for the whole
   */
  static String percent(double share) {
    return share > 0 && share < 0.01 ? "< 1 %" : Math.round(share * 100) + " %";
  }

  static String age(Instant then, Instant now) {
    return then == null ? "never" : span(Duration.between(then, now));
  }

  static String time(Instant instant) {
    return TIME.format(instant.atZone(ZoneId.systemDefault()));
  }

  static String value(Reading reading) {
    return reading.value() == null ? "-" : value(reading.value());
  }

  /** Decimals without exponent as long as they stay readable. */
  static String value(Value value) {
    if (value instanceof Value.Decimal d && Double.isFinite(d.value())) {
      double magnitude = Math.abs(d.value());
      if (magnitude == 0 || magnitude >= 1e-6 && magnitude < 1e12) {
        return BigDecimal.valueOf(d.value()).stripTrailingZeros().toPlainString();
      }
    }
    if (value instanceof Value.Array array) {
      String some =
          array.values().stream().limit(MOST_SHOWN).map(Text::value).collect(joining(", "));
      int more = array.values().size() - MOST_SHOWN;
      return "[" + some + (more > 0 ? ", … " + count(more) + " more" : "") + "]";
    }
    return value.toString();
  }

  /**
   * As a person types it: true and false, whole numbers, decimals, lists and structures as JSON,
   * anything else as text.
   */
  static Value parse(String text) {
    if (text.startsWith("[") || text.startsWith("{")) {
      try (JsonParser json = Export.JSON.createParser(text)) {
        json.nextToken();
        Value value = value(json);
        if (json.nextToken() == null) {
          return value;
        }
      } catch (IOException | IllegalArgumentException e) {
        // No JSON, or none that is a value.
      }
      return Value.of(text);
    }
    if (text.equals("true") || text.equals("false")) {
      return Value.of(Boolean.parseBoolean(text));
    }
    if (text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"")) {
      return Value.of(text.substring(1, text.length() - 1));
    }
    try {
      return Value.of(Long.parseLong(text));
    } catch (NumberFormatException e) {
      // Not a whole number.
    }
    return text.matches("[-+]?[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?")
        ? Value.of(Double.parseDouble(text))
        : Value.of(text);
  }

  private static Value value(JsonParser json) throws IOException {
    switch (json.currentToken()) {
      case START_ARRAY -> {
        List<Value> values = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
          values.add(value(json));
        }
        return new Value.Array(values);
      }
      case START_OBJECT -> {
        Map<String, Value> fields = new LinkedHashMap<>();
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String name = json.currentName();
          json.nextToken();
          fields.put(name, value(json));
        }
        return new Value.Struct(fields);
      }
      case VALUE_STRING -> {
        return Value.of(json.getText());
      }
      default -> {
        // true, 17, 1.5; null is none.
        if (json.currentToken() == JsonToken.VALUE_NULL) {
          throw new IllegalArgumentException("null is no value");
        }
        return parse(json.getText());
      }
    }
  }

  /** {@code 500ms}, {@code 30s}, {@code 10m}, {@code 24h}, {@code 7d}. */
  static Duration duration(String text) throws CommandFailed {
    var m = java.util.regex.Pattern.compile("([0-9]{1,9})(ms|s|m|h|d)").matcher(text);
    if (!m.matches()) {
      throw new CommandFailed(
          CommandFailed.USAGE, "found duration " + text + "; expected one such as 30s, 10m, 24h");
    }
    long n = Long.parseLong(m.group(1));
    return switch (m.group(2)) {
      case "ms" -> Duration.ofMillis(n);
      case "s" -> Duration.ofSeconds(n);
      case "m" -> Duration.ofMinutes(n);
      case "h" -> Duration.ofHours(n);
      default -> Duration.ofDays(n);
    };
  }

  /**
   * A time with its zone, or by the zone of this machine; or a date, for its first moment there.
   */
  static Instant instant(String text) throws CommandFailed {
    ZoneId here = ZoneId.systemDefault();
    try {
      if (text.matches("[0-9]{4}-[0-9]{2}-[0-9]{2}")) {
        return LocalDate.parse(text).atStartOfDay(here).toInstant();
      }
      if (text.matches(".*(Z|[-+][0-9]{2}:[0-9]{2})")) {
        return OffsetDateTime.parse(text).toInstant();
      }
      return LocalDateTime.parse(text).atZone(here).toInstant();
    } catch (DateTimeParseException e) {
      throw new CommandFailed(
          CommandFailed.USAGE,
          "found time %s; expected one such as 2026-11-29T08:00:00Z, 2026-11-29T08:00 or 2026-11-29"
              .formatted(text));
    }
  }

  static <T> List<T> first(List<T> list, int limit) {
    return new ArrayList<>(list.subList(0, Math.min(limit, list.size())));
  }
}
