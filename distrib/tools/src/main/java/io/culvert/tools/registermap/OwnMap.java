package io.culvert.tools.registermap;

import io.culvert.tools.registermap.Draft.Source;
import io.culvert.tools.registermap.Sheet.Cell;
import io.culvert.tools.registermap.Sheet.Row;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads what {@link MapExport} wrote, and what a person has since changed in it. */
final class OwnMap {
  /** Keys whose value is text, even where it looks like a number. */
  private static final Pattern TEXTS =
      Pattern.compile(
          "schema|id|title\\..*|scheme|interval|settings\\..*|address|type|access|deviceUnit|unit"
              + "|class|grade|deadband\\.heartbeat|scale\\.point");

  /** Parts of {@code settings} may hold dots; every other path is of two keys at most. */
  private static final int PARTS = 2;

  private OwnMap() {}

  static Draft read(Sheet sheet, MapImport.Options options) {
    List<Trouble> troubles = new ArrayList<>();
    Map<String, Object> profile = new LinkedHashMap<>();
    int at = 1;
    while (at < sheet.rows().size() && !points(sheet.rows().get(at))) {
      Row row = sheet.rows().get(at++);
      put(profile, row.cell(0).text(), row.cell(1).text());
    }
    if (at == sheet.rows().size()) {
      troubles.add(
          new Trouble(
              0, "", "no row of headers", "head the points with " + MapExport.HEADERS.values()));
      return new Draft(profile, List.of(), troubles, List.of());
    }
    override(profile, "id", options.id());
    override(profile, "title.en", options.title());
    override(profile, "scheme", options.scheme());
    override(profile, "interval", options.interval());
    Row headers = sheet.rows().get(at++);
    List<String> paths = new ArrayList<>();
    Map<String, String> columns = new HashMap<>();
    for (int i = 0; i < headers.cells().size(); i++) {
      String header = headers.cell(i).text().strip();
      String path =
          MapExport.HEADERS.entrySet().stream()
              .filter(known -> known.getValue().equals(header))
              .map(Map.Entry::getKey)
              .findFirst()
              .orElse(header);
      paths.add(path);
      String place = Sheet.letters(i) + " " + Text.quoted(header);
      columns.put(path, place);
      columns.putIfAbsent(path.split("\\.", PARTS)[0], place);
    }
    List<Object> points = new ArrayList<>();
    List<Source> sources = new ArrayList<>();
    for (Row row : sheet.rows().subList(at, sheet.rows().size())) {
      Map<String, Object> point = new LinkedHashMap<>();
      for (int i = 0; i < row.cells().size(); i++) {
        Cell cell = row.cell(i);
        if (cell.text().isEmpty()) {
          continue;
        }
        if (i >= paths.size() || paths.get(i).isEmpty()) {
          troubles.add(
              new Trouble(
                  row.number(),
                  Sheet.letters(i),
                  Text.quoted(cell.text()) + " below no header",
                  "head the column or empty the cell"));
        } else {
          put(point, paths.get(i), cell.text());
        }
      }
      points.add(point);
      sources.add(new Source(row.number(), columns));
    }
    profile.put("points", points);
    return new Draft(profile, sources, troubles, List.of());
  }

  private static void override(Map<String, Object> profile, String path, String option) {
    if (option != null) {
      put(profile, path, option);
    }
  }

  private static boolean points(Row row) {
    Set<String> texts =
        Set.copyOf(row.cells().stream().map(cell -> cell.text().strip()).distinct().toList());
    return texts.contains(MapExport.HEADERS.get("id"))
        && texts.contains(MapExport.HEADERS.get("address"));
  }

  private static void put(Map<String, Object> into, String path, String cell) {
    String text = cell.startsWith("'") ? cell.substring(1) : cell;
    boolean words = TEXTS.matcher(path).matches();
    Object value = words && !path.equals("scale.point") ? text : value(text, words);
    String[] keys = path.split("\\.", PARTS);
    if (keys.length == 1) {
      into.put(path, value);
    } else {
      Object inner = into.computeIfAbsent(keys[0], key -> new LinkedHashMap<String, Object>());
      if (inner instanceof Map<?, ?> map) {
        ProfileYaml.texts(map).put(keys[1], value);
      }
    }
  }

  /**
   * @param words whether a number or a truth is none, but the name of something
   */
  private static Object value(String text, boolean words) {
    String plain = text.strip();
    if (plain.startsWith("[") && plain.endsWith("]")) {
      List<Object> list = new ArrayList<>();
      String inner = plain.substring(1, plain.length() - 1);
      if (!inner.isBlank()) {
        for (String part : inner.split("[;,]", -1)) {
          list.add(value(part.strip(), words));
        }
      }
      return list;
    }
    if (words) {
      return plain;
    }
    if (plain.matches("(?i)true|false")) {
      return Boolean.valueOf(plain);
    }
    BigDecimal number = Cells.number(plain);
    return number == null ? text : number;
  }
}
