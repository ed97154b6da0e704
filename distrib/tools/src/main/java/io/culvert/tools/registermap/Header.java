package io.culvert.tools.registermap;

import io.culvert.tools.registermap.Sheet.Cell;
import io.culvert.tools.registermap.Sheet.Row;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The row of a table that names its columns.
 *
 * @param row its number
 * @param index its place among the sheet's rows
 * @param columns where each kind of column stands
 * @param texts the headers as they are written
 * @param unknown columns that nobody knows, by their letters and headers
 */
record Header(
    int row, int index, Map<Column, Integer> columns, List<String> texts, List<String> unknown) {
  /** Above a map there may be a title page's worth of rows. */
  private static final int SEARCHED = 60;

  private static final int LEAST = 2;

  /**
   * The row that names most columns, an address among them.
   *
   * @return {@code null} if there is none
   */
  static Header find(Sheet sheet) {
    Header best = null;
    for (int i = 0; i < Math.min(SEARCHED, sheet.rows().size()); i++) {
      Header header = of(sheet.rows().get(i), i);
      if (header.columns.containsKey(Column.ADDRESS)
          && header.columns.size() >= LEAST
          && (best == null || header.columns.size() > best.columns.size())) {
        best = header;
      }
    }
    return best;
  }

  private static Header of(Row row, int index) {
    Map<Column, Integer> columns = new EnumMap<>(Column.class);
    List<String> texts = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (int i = 0; i < row.cells().size(); i++) {
      Cell cell = row.cell(i);
      texts.add(Text.plain(cell.text()));
      if (!cell.blank()) {
        Column column = Column.of(cell.text());
        if (column == null || columns.putIfAbsent(column, i) != null) {
          unknown.add(place(i, texts));
        }
      }
    }
    return new Header(row.number(), index, columns, texts, unknown);
  }

  boolean has(Column column) {
    return columns.containsKey(column);
  }

  /** A cell of a row; empty if the map has no such column. */
  Cell cell(Row row, Column column) {
    return row.cell(columns.getOrDefault(column, -1));
  }

  /** How messages name a column: {@code D "Unit"}. */
  String place(Column column) {
    Integer at = columns.get(column);
    return at == null ? "" : place(at, texts);
  }

  private static String place(int column, List<String> texts) {
    return Sheet.letters(column) + " " + Text.quoted(texts.get(column));
  }

  /** Whether a column's header says so in any of these words. */
  boolean says(Column column, String... words) {
    Integer at = columns.get(column);
    if (at != null) {
      String text = texts.get(at).toLowerCase(java.util.Locale.ROOT);
      for (String word : words) {
        if (text.contains(word)) {
          return true;
        }
      }
    }
    return false;
  }
}
