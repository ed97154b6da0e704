package io.culvert.tools.registermap;

import io.culvert.tools.registermap.Sheet.Cell;
import io.culvert.tools.registermap.Sheet.Row;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Tables as text, one record a line (RFC 4180): UTF-8 with or without a byte order mark, UTF-16
 * with one, else GB18030, which Chinese spreadsheet programs write; separated by comma, semicolon
 * or tab.
 */
final class CsvFile {
  private static final List<Charset> CHARSETS =
      List.of(StandardCharsets.UTF_8, Charset.forName("GB18030"));
  private static final char[] SEPARATORS = {',', ';', '\t'};

  private final String text;
  private final char separator;
  private final List<Row> rows = new ArrayList<>();
  private final List<Cell> cells = new ArrayList<>();
  private int number = 1;
  private int at;

  private CsvFile(String text, char separator) {
    this.text = text;
    this.separator = separator;
  }

  /**
   * Reads a file by each separator, since a file doesn't tell its own.
   *
   * @return at least one table
   */
  static List<Sheet> read(byte[] file) throws UnreadableException {
    String text = decode(file);
    if (text.indexOf('\0') >= 0) {
      throw new UnreadableException("no text", "save it as CSV or .xlsx");
    }
    List<Sheet> sheets = new ArrayList<>();
    UnreadableException first = null;
    for (char separator : SEPARATORS) {
      try {
        sheets.add(new Sheet("", new CsvFile(text, separator).rows()));
      } catch (UnreadableException e) {
        first = first == null ? e : first;
      }
    }
    // A separator that never comes can't have gone wrong either.
    if (first != null && sheets.stream().allMatch(CsvFile::oneColumn)) {
      throw first;
    }
    return sheets;
  }

  private static boolean oneColumn(Sheet sheet) {
    return sheet.rows().stream().allMatch(row -> row.cells().size() < 2);
  }

  private static String decode(byte[] file) throws UnreadableException {
    if (file.length >= 2 && (file[0] & 0xFF) == 0xFF && (file[1] & 0xFF) == 0xFE) {
      return new String(file, 2, file.length - 2, StandardCharsets.UTF_16LE);
    }
    if (file.length >= 2 && (file[0] & 0xFF) == 0xFE && (file[1] & 0xFF) == 0xFF) {
      return new String(file, 2, file.length - 2, StandardCharsets.UTF_16BE);
    }
    for (Charset charset : CHARSETS) {
      try {
        String text = charset.newDecoder().decode(ByteBuffer.wrap(file)).toString();
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
      } catch (CharacterCodingException e) {
        // The next one may fit.
      }
    }
    throw new UnreadableException(
        "bytes that are neither UTF-8 nor GB18030", "save it as \"CSV UTF-8\" or .xlsx");
  }

  private List<Row> rows() throws UnreadableException {
    while (at < text.length()) {
      cells.add(text.charAt(at) == '"' ? quoted() : plain());
      if (cells.size() > Sheet.MAX_COLUMNS) {
        throw new UnreadableException(
            "more than " + Sheet.MAX_COLUMNS + " columns in row " + number, "remove the others");
      }
      if (at >= text.length() || text.charAt(at) != separator) {
        end();
      } else if (++at == text.length()) {
        cells.add(Cell.EMPTY);
        end();
      }
    }
    return rows;
  }

  /** The end of a record: of the file, or a line break. */
  private void end() throws UnreadableException {
    if (at < text.length() && text.charAt(at) == '\r') {
      at++;
    }
    if (at < text.length() && text.charAt(at) == '\n') {
      at++;
    }
    Row row = new Row(number++, cells);
    cells.clear();
    if (!row.blank()) {
      if (row.number() > Sheet.MAX_ROWS) {
        throw new UnreadableException(
            "more than " + Sheet.MAX_ROWS + " rows", "split it into one map a device");
      }
      rows.add(row);
    }
  }

  private Cell plain() throws UnreadableException {
    int from = at;
    while (at < text.length() && !ends(text.charAt(at))) {
      at++;
    }
    return cell(text.substring(from, at));
  }

  private boolean ends(char c) {
    return c == separator || c == '\n' || c == '\r';
  }

  private Cell quoted() throws UnreadableException {
    StringBuilder content = new StringBuilder();
    at++;
    while (true) {
      int quote = text.indexOf('"', at);
      if (quote < 0) {
        throw new UnreadableException(
            "a quotation mark in row " + number + " that is never closed", "close it or remove it");
      }
      content.append(text, at, quote);
      at = quote + 1;
      if (at >= text.length() || text.charAt(at) != '"') {
        break;
      }
      content.append('"');
      at++;
    }
    // What follows a closing mark belongs to the cell, as spreadsheet programs take it.
    int from = at;
    while (at < text.length() && !ends(text.charAt(at))) {
      at++;
    }
    return cell(content.append(text, from, at).toString());
  }

  private Cell cell(String content) throws UnreadableException {
    if (content.length() > Sheet.MAX_CELL) {
      throw new UnreadableException(
          "a cell of " + content.length() + " characters in row " + number,
          "keep cells below " + Sheet.MAX_CELL);
    }
    return Cell.of(content);
  }

  /** A file that spreadsheet programs read as it is: UTF-8 with byte order mark, commas, CRLF. */
  static byte[] write(List<List<Cell>> rows) {
    StringBuilder out = new StringBuilder("\uFEFF");
    for (List<Cell> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        String content = row.get(i).text();
        boolean plain = content.chars().noneMatch(c -> c == ',' || c == '"' || c < ' ');
        out.append(i == 0 ? "" : ",")
            .append(plain ? content : '"' + content.replace("\"", "\"\"") + '"');
      }
      out.append("\r\n");
    }
    return out.toString().getBytes(StandardCharsets.UTF_8);
  }
}
