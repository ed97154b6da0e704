package io.culvert.shell;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.southbound.Browsable.Found;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code scan}: what is behind an endpoint or device, as columns for people or as JSON, an object a
 * line. A driver says by a last thing of kind {@code more} that there is more.
 */
final class ScanCommand {
  private static final int LINES = 100;
  private static final int MOST = 10_000;
  private static final int MOST_PAGES = 1_000;
  private static final int TITLE = 40;
  private static final int CELL = 60;

  /** Facts that have a column of their own, or are in one. */
  private static final List<String> SHOWN =
      List.of("kind", "type", "array", "value", "unit", "unitOriginal", "access");

  /** Facts of which only one is told: the others repeat it, or are for programs. */
  private static final List<String> HIDDEN = List.of("point", "dataType", "otherTitle");

  private final String subject;
  private final String from;
  private final int limit;
  private final boolean all;
  private final boolean json;

  private ScanCommand(String subject, String from, int limit, boolean all, boolean json) {
    this.subject = subject;
    this.from = from;
    this.limit = limit;
    this.all = all;
    this.json = json;
  }

  /** Where a page comes from. */
  @FunctionalInterface
  interface Pages {
    List<Found> page(String from, int limit) throws CommandFailed;
  }

  /**
   * @return {@code null} if the words aren't understood
   */
  static ScanCommand of(String... words) throws CommandFailed {
    List<String> rest = new ArrayList<>(Arrays.asList(words));
    boolean json = rest.remove("--json");
    boolean all = rest.remove("--all");
    int limit = json || all ? MOST : LINES;
    int option = rest.indexOf("--limit");
    if (option >= 0) {
      String number = option + 1 < rest.size() ? rest.get(option + 1) : "nothing";
      if (!number.matches("[0-9]{1,5}")
          || Integer.parseInt(number) < 2
          || Integer.parseInt(number) > MOST) {
        throw new CommandFailed(
            CommandFailed.USAGE,
            "scan: found --limit %s; expected a number from 2 to %d".formatted(number, MOST));
      }
      limit = Integer.parseInt(number);
      rest.subList(option, option + 2).clear();
    }
    if (rest.isEmpty() || rest.size() > 2 || rest.stream().anyMatch(w -> w.startsWith("--"))) {
      return null;
    }
    return new ScanCommand(rest.get(0), rest.size() == 2 ? rest.get(1) : "", limit, all, json);
  }

  /** Device id or endpoint. */
  String subject() {
    return subject;
  }

  /**
   * Looks around and writes what there is.
   *
   * @param device id, {@code ""} where the subject is an endpoint
   * @param endpoint of it
   */
  void run(String device, String endpoint, Pages pages, PrintStream out)
      throws CommandFailed, IOException {
    if (json) {
      Map<String, String> about = new LinkedHashMap<>();
      about.put("device", device);
      about.put("endpoint", endpoint);
      out.println(json(about, null));
    }
    String next = from;
    List<Found> shown = new ArrayList<>();
    for (int i = 0; i < (all ? MOST_PAGES : 1) && next != null; i++) {
      List<Found> page = new ArrayList<>(pages.page(next, limit));
      Found last = page.isEmpty() ? null : page.get(page.size() - 1);
      boolean more = last != null && "more".equals(last.facts().get("kind"));
      next = more ? last.address() : null;
      if (more && all) {
        page.remove(last);
      }
      for (Found found : page) {
        if (json) {
          out.println(json(Map.of("address", found.address(), "title", found.title()), found));
        } else {
          shown.add(found);
        }
      }
      out.flush();
    }
    if (!json) {
      out.print(text(shown));
    }
  }

  private static String json(Map<String, String> texts, Found found) throws IOException {
    StringWriter line = new StringWriter();
    try (JsonGenerator g = new JsonFactory().createGenerator(line)) {
      g.writeStartObject();
      for (Map.Entry<String, String> text : new TreeMap<>(texts).entrySet()) {
        g.writeStringField(text.getKey(), text.getValue());
      }
      if (found != null) {
        g.writeObjectFieldStart("facts");
        for (Map.Entry<String, String> fact : new TreeMap<>(found.facts()).entrySet()) {
          g.writeStringField(fact.getKey(), fact.getValue());
        }
        g.writeEndObject();
      }
      g.writeEndObject();
    }
    return line.toString();
  }

  private String text(List<Found> found) {
    if (found.isEmpty()) {
      return "nothing\n";
    }
    List<List<String>> rows = new ArrayList<>();
    StringBuilder after = new StringBuilder();
    boolean below = false;
    for (Found one : found) {
      String kind = one.facts().getOrDefault("kind", "");
      if (kind.equals("more")) {
        after
            .append(visible(one.title(), CELL))
            .append(": culvert shell scan ")
            .append(quoted(subject))
            .append(' ')
            .append(quoted(one.address()))
            .append('\n');
      } else if (kind.equals("end")) {
        after.append(visible(one.title(), 2 * CELL)).append('\n');
      } else {
        below |= kind.equals("object");
        rows.add(row(one, kind));
      }
    }
    if (below && from.isEmpty()) {
      after
          .append("below one of them: culvert shell scan ")
          .append(quoted(subject))
          .append(" <address>; by name: 'search:<words>'\n");
    }
    return Text.table(
            filled(List.of("title", "kind", "type", "value", "access", "address", ""), rows),
            columns(rows))
        + after;
  }

  private static List<String> row(Found found, String kind) {
    Map<String, String> facts = found.facts();
    String type = facts.getOrDefault("type", facts.getOrDefault("dataType", ""));
    String unit = facts.getOrDefault("unit", facts.getOrDefault("unitOriginal", ""));
    List<String> rest = new ArrayList<>();
    new TreeMap<>(facts)
        .forEach(
            (key, value) -> {
              if (!SHOWN.contains(key) && !HIDDEN.contains(key)) {
                rest.add(value.equals("true") ? key : key + " " + visible(value, CELL));
              }
            });
    return List.of(
        visible(found.title(), TITLE),
        kind,
        type + (facts.containsKey("array") ? "[]" : ""),
        visible((facts.getOrDefault("value", "") + " " + unit).strip(), CELL),
        facts.getOrDefault("access", ""),
        visible(found.address(), Integer.MAX_VALUE),
        String.join("; ", rest));
  }

  private static List<String> filled(List<String> head, List<List<String>> rows) {
    List<String> kept = new ArrayList<>();
    for (int c = 0; c < head.size(); c++) {
      if (used(rows, c)) {
        kept.add(head.get(c));
      }
    }
    return kept;
  }

  private static boolean used(List<List<String>> rows, int column) {
    return rows.stream().anyMatch(row -> !row.get(column).isEmpty());
  }

  /** Columns in which something stands. */
  private static List<List<String>> columns(List<List<String>> rows) {
    List<List<String>> kept = new ArrayList<>();
    for (List<String> row : rows) {
      kept.add(filled(row, rows));
    }
    return kept;
  }

  /** On one line, short, and without what a terminal would obey. */
  private static String visible(String text, int longest) {
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .limit(longest)
        .map(
            c ->
                switch (Character.getType(c)) {
                  case Character.CONTROL,
                      Character.FORMAT,
                      Character.SURROGATE,
                      Character.UNASSIGNED,
                      Character.PRIVATE_USE,
                      Character.LINE_SEPARATOR,
                      Character.PARAGRAPH_SEPARATOR ->
                      '\uFFFD';
                  default -> c;
                })
        .forEach(shown::appendCodePoint);
    return shown.append(text.codePointCount(0, text.length()) > longest ? "…" : "").toString();
  }

  /** As a shell takes it for one word. */
  private static String quoted(String word) {
    return word.matches("[A-Za-z0-9_./:=@%+-]+")
        ? word
        : "'" + visible(word, Integer.MAX_VALUE).replace("'", "'\\''") + "'";
  }
}
