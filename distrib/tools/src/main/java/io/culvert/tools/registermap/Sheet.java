package io.culvert.tools.registermap;

import java.util.List;

/**
 * A table as it stands in a file.
 *
 * @param name of the sheet; {@code ""} in a file that has one only
 * @param rows those with anything in them, in their order
 */
record Sheet(String name, List<Row> rows) {
  /** Greatest size of a file, in bytes. */
  static final int MAX_BYTES = 10 << 20;

  static final int MAX_ROWS = 20_000;
  static final int MAX_COLUMNS = 100;

  /** Longest text in a cell, in characters. */
  static final int MAX_CELL = 10_000;

  /** All text of a file, in characters. */
  static final int MAX_TEXT = 8_000_000;

  Sheet {
    rows = List.copyOf(rows);
  }

  /**
   * One row.
   *
   * @param number as spreadsheet programs count it, from 1
   */
  record Row(int number, List<Cell> cells) {
    Row {
      cells = List.copyOf(cells);
    }

    /** A cell by its column from 0; empty beyond the last. */
    Cell cell(int column) {
      return column >= 0 && column < cells.size() ? cells.get(column) : Cell.EMPTY;
    }

    boolean blank() {
      return cells.stream().allMatch(Cell::blank);
    }
  }

  /**
   * One cell.
   *
   * @param text as people see it, {@code ""} for none
   * @param number whether the file holds it as a number, so that 40001.10 came as 40001.1
   */
  record Cell(String text, boolean number) {
    static final Cell EMPTY = new Cell("", false);

    static Cell of(String text) {
      return text.isEmpty() ? EMPTY : new Cell(text, false);
    }

    boolean blank() {
      return text.isBlank();
    }
  }

  /** A column as spreadsheet programs name it: 0 is A, 26 is AA. */
  static String letters(int column) {
    StringBuilder letters = new StringBuilder();
    for (int rest = column + 1; rest > 0; rest = (rest - 1) / 26) {
      letters.insert(0, (char) ('A' + (rest - 1) % 26));
    }
    return letters.toString();
  }
}
