package io.culvert.tools.registermap;

import io.culvert.tools.registermap.Sheet.Cell;
import io.culvert.tools.registermap.Sheet.Row;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Workbooks as Excel, WPS and LibreOffice write them (ECMA-376, SpreadsheetML), as far as a table
 * of texts and numbers needs: cells, shared and inline strings, cells merged downwards. Formulas
 * count with the value that the program last computed. Nothing outside the file is ever opened, no
 * document type is taken, and every part is read up to a bound.
 */
final class XlsxFile {
  /** Greatest size of a part, unpacked. */
  private static final int MAX_PART = 32 << 20;

  private static final int MAX_STRINGS = 1_000_000;
  private static final int MAX_SHEETS = 50;
  private static final int DIGITS = 15;
  private static final Pattern REFERENCE = Pattern.compile("([A-Z]{1,3})([0-9]{1,7})");

  /** A character that XML can't hold (18.4.8 and 22.9.2.19: ST_Xstring). */
  private static final Pattern ESCAPED = Pattern.compile("_x([0-9A-Fa-f]{4})_");

  private static final Pattern TO_ESCAPE =
      Pattern.compile("[\\x00-\\x08\\x0B-\\x1F\\uFFFE\\uFFFF]|_(?=x[0-9A-Fa-f]{4}_)");

  private final ZipFile zip;

  /** The JDK's own, whatever else lies on the class path: its bounds are known. */
  private final XMLInputFactory xml = XMLInputFactory.newDefaultFactory();

  private final List<String> strings = new ArrayList<>();
  private int characters;

  private XlsxFile(ZipFile zip) {
    this.zip = zip;
    xml.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    xml.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    xml.setProperty(XMLInputFactory.IS_COALESCING, false);
  }

  /** A part that grew beyond its bound. */
  private static final class Bounded extends FilterInputStream {
    private long left = MAX_PART;

    Bounded(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int c = super.read();
      count(c < 0 ? 0 : 1);
      return c;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = super.read(bytes, offset, length);
      count(Math.max(0, n));
      return n;
    }

    private void count(int n) throws IOException {
      left -= n;
      if (left < 0) {
        throw new IOException("a part of more than " + (MAX_PART >> 20) + " MB");
      }
    }
  }

  /**
   * Reads every sheet.
   *
   * @throws UnreadableException also where the file is damaged or beyond a bound
   */
  static List<Sheet> read(Path file) throws UnreadableException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      return new XlsxFile(zip).sheets();
    } catch (IOException e) {
      throw unreadable(e.getMessage());
    } catch (XMLStreamException e) {
      Throwable cause = e.getNestedException();
      throw unreadable(cause instanceof IOException ? cause.getMessage() : "XML that breaks off");
    } catch (UncheckedIOException | IllegalArgumentException | IndexOutOfBoundsException e) {
      // The JDK's parsers let such through for some damaged files.
      throw unreadable(e.getMessage());
    }
  }

  private static UnreadableException unreadable(String why) {
    return new UnreadableException(
        "a workbook that can't be read (" + Text.shown(String.valueOf(why)) + ")",
        "open it in a spreadsheet program and save it as .xlsx or CSV again");
  }

  private List<Sheet> sheets() throws IOException, XMLStreamException, UnreadableException {
    if (zip.getEntry("xl/workbook.xml") == null) {
      throw new UnreadableException("no workbook in it", "save it as .xlsx or CSV");
    }
    Map<String, String> targets = new HashMap<>();
    each(
        "xl/_rels/workbook.xml.rels",
        "Relationship",
        at -> targets.put(at.getAttributeValue(null, "Id"), at.getAttributeValue(null, "Target")));
    Map<String, String> parts = new LinkedHashMap<>();
    each(
        "xl/workbook.xml",
        "sheet",
        at -> {
          String target = targets.get(attribute(at, "id"));
          if (target != null && parts.size() < MAX_SHEETS) {
            parts.put(
                Text.orEmpty(at.getAttributeValue(null, "name")),
                target.startsWith("/") ? target.substring(1) : "xl/" + target);
          }
        });
    if (zip.getEntry("xl/sharedStrings.xml") != null) {
      readStrings();
    }
    List<Sheet> sheets = new ArrayList<>();
    for (Map.Entry<String, String> part : parts.entrySet()) {
      if (zip.getEntry(part.getValue()) != null) {
        sheets.add(sheet(part.getKey(), part.getValue()));
      }
    }
    if (sheets.isEmpty()) {
      throw new UnreadableException("a workbook without sheets", "put the map into a sheet");
    }
    return sheets;
  }

  /** An attribute by its local name; the name space differs between editions of the standard. */
  private static String attribute(XMLStreamReader at, String name) {
    for (int i = 0; i < at.getAttributeCount(); i++) {
      if (at.getAttributeLocalName(i).equals(name)) {
        return at.getAttributeValue(i);
      }
    }
    return null;
  }

  private interface Visitor {
    void visit(XMLStreamReader at);
  }

  private void each(String part, String element, Visitor visitor)
      throws IOException, XMLStreamException {
    ZipEntry entry = zip.getEntry(part);
    if (entry == null) {
      throw new IOException(part + " is missing");
    }
    try (InputStream in = new Bounded(zip.getInputStream(entry))) {
      XMLStreamReader at = xml.createXMLStreamReader(in);
      while (at.hasNext()) {
        if (next(at) == XMLStreamConstants.START_ELEMENT && at.getLocalName().equals(element)) {
          visitor.visit(at);
        }
      }
    }
  }

  private static int next(XMLStreamReader at) throws XMLStreamException, IOException {
    int event = at.next();
    if (event == XMLStreamConstants.DTD || event == XMLStreamConstants.ENTITY_REFERENCE) {
      throw new IOException("a document type, which no workbook has");
    }
    return event;
  }

  private void readStrings() throws IOException, XMLStreamException, UnreadableException {
    try (InputStream in = new Bounded(zip.getInputStream(zip.getEntry("xl/sharedStrings.xml")))) {
      XMLStreamReader at = xml.createXMLStreamReader(in);
      while (at.hasNext()) {
        if (next(at) == XMLStreamConstants.START_ELEMENT && at.getLocalName().equals("si")) {
          strings.add(text(at, "si"));
          if (strings.size() > MAX_STRINGS) {
            throw new IOException("more than " + MAX_STRINGS + " strings");
          }
        }
      }
    }
  }

  /** The text of a string's runs up to its end; readings aloud (rPh) don't count. */
  private String text(XMLStreamReader at, String end)
      throws XMLStreamException, IOException, UnreadableException {
    StringBuilder text = new StringBuilder();
    boolean inText = false;
    int aloud = 0;
    while (at.hasNext()) {
      int event = next(at);
      if (event == XMLStreamConstants.START_ELEMENT) {
        inText = at.getLocalName().equals("t");
        aloud += at.getLocalName().equals("rPh") ? 1 : 0;
      } else if (event == XMLStreamConstants.END_ELEMENT) {
        inText = false;
        aloud -= at.getLocalName().equals("rPh") ? 1 : 0;
        if (at.getLocalName().equals(end)) {
          break;
        }
      } else if (inText && aloud == 0 && at.isCharacters()) {
        append(text, at.getText());
      }
    }
    return unescape(text.toString());
  }

  private void append(StringBuilder text, String more) throws UnreadableException {
    characters += more.length();
    if (text.length() + more.length() > Sheet.MAX_CELL) {
      throw new UnreadableException(
          "a cell of more than " + Sheet.MAX_CELL + " characters", "shorten it");
    }
    if (characters > Sheet.MAX_TEXT) {
      throw new UnreadableException(
          "more than " + Sheet.MAX_TEXT + " characters", "split it into one map a device");
    }
    text.append(more);
  }

  private static String unescape(String text) {
    return text.contains("_x")
        ? ESCAPED
            .matcher(text)
            .replaceAll(
                m ->
                    Matcher.quoteReplacement(
                        String.valueOf((char) Integer.parseInt(m.group(1), 16))))
        : text;
  }

  private static String escape(String text) {
    return TO_ESCAPE
        .matcher(text)
        .replaceAll(m -> String.format("_x%04X_", (int) m.group().charAt(0)));
  }

  private Sheet sheet(String name, String part)
      throws IOException, XMLStreamException, UnreadableException {
    TreeMap<Integer, List<Cell>> rows = new TreeMap<>();
    List<int[]> merged = new ArrayList<>();
    try (InputStream in = new Bounded(zip.getInputStream(zip.getEntry(part)))) {
      XMLStreamReader at = xml.createXMLStreamReader(in);
      int row = 0;
      int column = 0;
      while (at.hasNext()) {
        if (next(at) != XMLStreamConstants.START_ELEMENT) {
          continue;
        }
        switch (at.getLocalName()) {
          case "row" -> {
            String number = at.getAttributeValue(null, "r");
            row = number == null ? row + 1 : Integer.parseInt(number);
            column = 0;
          }
          case "c" -> {
            int[] place = place(at.getAttributeValue(null, "r"));
            column = place == null ? column : place[0];
            Cell cell = cell(at);
            if (!cell.text().isEmpty()) {
              put(rows, row, column, cell);
            }
            column++;
          }
          case "mergeCell" -> {
            String[] corners = Text.orEmpty(at.getAttributeValue(null, "ref")).split(":");
            int[] from = place(corners[0]);
            int[] to = corners.length == 2 ? place(corners[1]) : null;
            if (from != null && to != null && merged.size() < Sheet.MAX_ROWS) {
              merged.add(new int[] {from[0], from[1], to[1]});
            }
          }
          default -> {
            // Widths, styles, pictures …
          }
        }
      }
    }
    fill(rows, merged);
    List<Row> list = new ArrayList<>();
    rows.forEach((number, cells) -> list.add(new Row(number, cells)));
    list.removeIf(Row::blank);
    return new Sheet(name, list);
  }

  private static void put(TreeMap<Integer, List<Cell>> rows, int row, int column, Cell cell)
      throws UnreadableException {
    if (cell.blank()) {
      return;
    }
    if (row < 1 || row > Sheet.MAX_ROWS || column >= Sheet.MAX_COLUMNS) {
      throw new UnreadableException(
          "something in row " + row + ", column " + Sheet.letters(column),
          "keep within " + Sheet.MAX_ROWS + " rows and " + Sheet.MAX_COLUMNS + " columns");
    }
    List<Cell> cells = rows.computeIfAbsent(row, key -> new ArrayList<>());
    while (cells.size() <= column) {
      cells.add(Cell.EMPTY);
    }
    cells.set(column, cell);
  }

  /** What a cell over several rows says, holds for each of them. */
  private static void fill(TreeMap<Integer, List<Cell>> rows, List<int[]> merged)
      throws UnreadableException {
    int room = Sheet.MAX_ROWS * 10;
    for (int[] range : merged) {
      List<Cell> first = rows.get(range[1]);
      Cell cell = first == null || first.size() <= range[0] ? Cell.EMPTY : first.get(range[0]);
      for (int row = range[1] + 1; !cell.blank() && row <= range[2] && room > 0; row++, room--) {
        // Only beside something else: an empty row stays one.
        if (rows.containsKey(row)) {
          put(rows, row, range[0], cell);
        }
      }
    }
  }

  /** Column from 0 and row from 1; {@code null} if it is no reference to a cell. */
  private static int[] place(String reference) {
    Matcher form = REFERENCE.matcher(Text.orEmpty(reference));
    if (!form.matches()) {
      return null;
    }
    int column = 0;
    for (char c : form.group(1).toCharArray()) {
      column = column * 26 + c - 'A' + 1;
    }
    return new int[] {column - 1, Integer.parseInt(form.group(2))};
  }

  private Cell cell(XMLStreamReader at)
      throws XMLStreamException, IOException, UnreadableException {
    String type = Text.orEmpty(at.getAttributeValue(null, "t"));
    if (type.equals("inlineStr")) {
      return Cell.of(text(at, "c"));
    }
    StringBuilder value = new StringBuilder();
    boolean inValue = false;
    while (at.hasNext()) {
      int event = next(at);
      if (event == XMLStreamConstants.START_ELEMENT) {
        inValue = at.getLocalName().equals("v");
      } else if (event == XMLStreamConstants.END_ELEMENT) {
        inValue = false;
        if (at.getLocalName().equals("c")) {
          break;
        }
      } else if (inValue && at.isCharacters()) {
        append(value, at.getText());
      }
    }
    String content = value.toString();
    return switch (type) {
      case "s" -> Cell.of(shared(content.strip()));
      case "b" -> Cell.of(content.strip().equals("1") ? "TRUE" : "FALSE");
      case "str" -> Cell.of(unescape(content));
      case "e" -> Cell.of(content);
      default -> number(content.strip());
    };
  }

  private String shared(String index) throws UnreadableException {
    int i = index.matches("[0-9]{1,7}") ? Integer.parseInt(index) : -1;
    if (i < 0 || i >= strings.size()) {
      throw unreadable("a string that isn't there");
    }
    characters += strings.get(i).length();
    if (characters > Sheet.MAX_TEXT) {
      throw new UnreadableException(
          "more than " + Sheet.MAX_TEXT + " characters", "split it into one map a device");
    }
    return strings.get(i);
  }

  /** A number as people see it: the file says 0.1 as 0.10000000000000001. */
  private static Cell number(String content) {
    if (content.isEmpty()) {
      return Cell.EMPTY;
    }
    if (content.length() > 40 || !content.matches("-?[0-9.]+([eE][-+]?[0-9]{1,3})?")) {
      return Cell.of(content);
    }
    BigDecimal exact = new BigDecimal(content);
    if (exact.precision() > DIGITS) {
      exact = BigDecimal.valueOf(Double.parseDouble(content));
    }
    return new Cell(Text.number(exact), true);
  }

  /** One sheet, with numbers as numbers as far as every spreadsheet program keeps their digits. */
  static byte[] write(String name, List<List<Cell>> rows) {
    StringBuilder sheet = new StringBuilder(HEAD + "<worksheet xmlns=\"" + MAIN + "\"><sheetData>");
    for (int r = 0; r < rows.size(); r++) {
      sheet.append("<row r=\"").append(r + 1).append("\">");
      List<Cell> cells = rows.get(r);
      for (int c = 0; c < cells.size(); c++) {
        Cell cell = cells.get(c);
        if (cell.text().isEmpty()) {
          continue;
        }
        sheet.append("<c r=\"").append(Sheet.letters(c)).append(r + 1).append('"');
        if (cell.number() && new BigDecimal(cell.text()).precision() <= DIGITS) {
          sheet.append("><v>").append(cell.text()).append("</v></c>");
        } else {
          sheet
              .append(" t=\"inlineStr\"><is><t xml:space=\"preserve\">")
              .append(entities(escape(cell.text())))
              .append("</t></is></c>");
        }
      }
      sheet.append("</row>");
    }
    sheet.append("</sheetData></worksheet>");
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(file)) {
      part(
          out,
          "[Content_Types].xml",
          HEAD
              + "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
              + "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package"
              + ".relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>"
              + "<Override PartName=\"/xl/workbook.xml\" ContentType=\""
              + TYPE
              + "sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\""
              + TYPE
              + "worksheet+xml\"/></Types>");
      part(out, "_rels/.rels", relationship("officeDocument", "xl/workbook.xml"));
      part(out, "xl/_rels/workbook.xml.rels", relationship("worksheet", "worksheets/sheet1.xml"));
      part(
          out,
          "xl/workbook.xml",
          HEAD
              + "<workbook xmlns=\""
              + MAIN
              + "\" xmlns:r=\""
              + RELATIONS
              + "\"><sheets><sheet name=\""
              + entities(name)
              + "\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>");
      part(out, "xl/worksheets/sheet1.xml", sheet.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file.toByteArray();
  }

  private static final String HEAD =
      "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
  private static final String MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  private static final String RELATIONS =
      "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  private static final String TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.";

  private static String relationship(String type, String target) {
    return HEAD
        + "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
        + "<Relationship Id=\"rId1\" Type=\""
        + RELATIONS
        + "/"
        + type
        + "\" Target=\""
        + target
        + "\"/></Relationships>";
  }

  private static void part(ZipOutputStream out, String name, String content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    // The same map gives the same file.
    entry.setTimeLocal(LocalDateTime.of(1980, 1, 1, 0, 0));
    out.putNextEntry(entry);
    out.write(content.getBytes(StandardCharsets.UTF_8));
    out.closeEntry();
  }

  private static String entities(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
