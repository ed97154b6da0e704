package io.culvert.tools.registermap;

import io.culvert.tools.registermap.Sheet.Cell;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A profile as a table that gives the same profile again: first rows of a key and its value, then
 * one row a point, each key of a point in a column of its own, and a value of a key within a key
 * under both ({@code deadband.heartbeat}).
 */
final class MapExport {
  /** What the first cell says, by which such a table is known. */
  static final String MARK = "Culvert register map";

  /** Columns that each such table has; others come as the profile needs them. */
  static final Map<String, String> HEADERS = headers();

  private MapExport() {}

  private static Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("id", "Id");
    headers.put("title.en", "Name");
    headers.put("title.zh-CN", "名称");
    headers.put("address", "Address");
    headers.put("type", "Type");
    headers.put("access", "Access");
    headers.put("scale", "Scale");
    headers.put("offset", "Offset");
    headers.put("deviceUnit", "Device unit");
    headers.put("unit", "Unit");
    headers.put("range", "Range");
    headers.put("class", "Class");
    headers.put("grade", "Grade");
    headers.put("deadband.absolute", "Dead-band");
    headers.put("deadband.heartbeat", "Heartbeat");
    return headers;
  }

  static boolean wrote(Sheet sheet) {
    return !sheet.rows().isEmpty() && sheet.rows().get(0).cell(0).text().equals(MARK);
  }

  /** The rows of the table. */
  static List<List<Cell>> rows(Map<String, Object> profile) {
    Map<String, Object> canonical = ProfileYaml.canonical(profile);
    List<List<Cell>> rows = new ArrayList<>();
    rows.add(List.of(Cell.of(MARK)));
    Map<String, Object> head = new LinkedHashMap<>();
    canonical.forEach(
        (key, value) -> {
          if (!key.equals("points")) {
            flatten(key, value, head);
          }
        });
    head.forEach((path, value) -> rows.add(List.of(Cell.of(path), cell(value))));
    rows.add(List.of());
    List<Map<String, Object>> points =
        ProfileYaml.points(canonical).stream()
            .map(
                point -> {
                  Map<String, Object> flat = new LinkedHashMap<>();
                  point.forEach((key, value) -> flatten(key, value, flat));
                  return flat;
                })
            .toList();
    Set<String> paths = new LinkedHashSet<>(HEADERS.keySet());
    points.forEach(point -> paths.addAll(point.keySet()));
    rows.add(paths.stream().map(path -> Cell.of(HEADERS.getOrDefault(path, path))).toList());
    for (Map<String, Object> point : points) {
      rows.add(
          paths.stream()
              .map(path -> point.containsKey(path) ? cell(point.get(path)) : Cell.EMPTY)
              .toList());
    }
    return rows;
  }

  private static void flatten(String path, Object value, Map<String, Object> into) {
    if (value instanceof Map<?, ?> map) {
      ProfileYaml.texts(map).forEach((key, own) -> flatten(path + "." + key, own, into));
    } else {
      into.put(path, value);
    }
  }

  private static Cell cell(Object value) {
    if (value instanceof BigDecimal number) {
      return new Cell(Text.number(number), true);
    }
    if (value instanceof List<?> list) {
      return Cell.of(
          list.stream().map(own -> cell(own).text()).collect(Collectors.joining("; ", "[", "]")));
    }
    String text = String.valueOf(value);
    // A spreadsheet program would take it for a formula, and compute what a stranger wrote.
    return Cell.of(
        value instanceof String && text.matches("(?s)['=+@\\t\\r-].*") ? "'" + text : text);
  }
}
