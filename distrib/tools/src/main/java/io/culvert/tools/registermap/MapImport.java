package io.culvert.tools.registermap;

import io.culvert.core.profile.ProfileReader;
import io.culvert.tools.registermap.Draft.Source;
import io.culvert.tools.registermap.Sheet.Cell;
import io.culvert.tools.registermap.Sheet.Row;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a profile of a maker's map. What is ambiguous is asked, not guessed. */
final class MapImport {
  static final String INTERVAL = "5s";
  static final String SCHEME = "modbus";
  private static final int LAST_ADDRESS = 0xFFFF;
  private static final String FUNCTIONS =
      "03 for holding registers, 04 for input registers, 01 for coils, 02 for discrete inputs";

  /**
   * What the person says beyond the map.
   *
   * @param name of the file, as an id, where nobody gives another
   * @param id of the profile, {@code null} for the map's own or the name
   * @param title in English, {@code null} for the map's own or the id
   * @param interval between polls, {@code null} for the map's own or {@value #INTERVAL}
   * @param scheme of its endpoints, {@code null} for the map's own or {@value #SCHEME}
   * @param base what the maker calls the first register: 0 or 1; {@code null} if the map says it
   * @param plain whether numbers such as 40001 are the request's, and no reference numbers
   * @param table of rows that name none, {@code null} for none
   * @param order of bytes where the map says nothing, {@code null} for {@code abcd}
   * @param sheet name of the sheet to take, {@code null} for the one that looks most like a map
   */
  record Options(
      String name,
      String id,
      String title,
      String interval,
      String scheme,
      Integer base,
      boolean plain,
      String table,
      String order,
      String sheet) {}

  private final Options options;
  private final Sheet sheet;
  private final Header header;
  private final List<Trouble> troubles = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final List<Map<String, Object>> points = new ArrayList<>();
  private final List<Source> sources = new ArrayList<>();
  private final List<Wire> wires = new ArrayList<>();
  private final Set<String> ids = new HashSet<>();
  private final Set<String> orders = new HashSet<>();
  private Integer base;
  private String section;

  /** What a point takes on the wire, for the look at overlaps. */
  private record Wire(int row, String table, int first, int count) {}

  /** A row can't be taken; its trouble is in the list. */
  private static final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    Refused() {
      super(null, null, false, false);
    }
  }

  private MapImport(Options options, Sheet sheet, Header header) {
    this.options = options;
    this.sheet = sheet;
    this.header = header;
  }

  /**
   * @param sheets of one file
   * @throws UnreadableException if no sheet holds a map
   */
  static Draft of(List<Sheet> sheets, Options options) throws UnreadableException {
    for (Sheet sheet : sheets) {
      if (MapExport.wrote(sheet) && wanted(sheet, options)) {
        return OwnMap.read(sheet, options);
      }
    }
    Sheet best = null;
    Header header = null;
    for (Sheet sheet : sheets) {
      Header own = wanted(sheet, options) ? Header.find(sheet) : null;
      if (own != null && (header == null || own.columns().size() > header.columns().size())) {
        best = sheet;
        header = own;
      }
    }
    if (best == null) {
      List<String> names = sheets.stream().map(Sheet::name).distinct().toList();
      boolean missing = sheets.stream().noneMatch(sheet -> wanted(sheet, options));
      throw new UnreadableException(
          missing ? "no sheet " + Text.quoted(options.sheet()) : "no row with the headers of a map",
          missing
              ? "name one of " + names
              : "head one column \"Address\" (寄存器地址) and others \"Name\", \"Type\", \"Unit\" …");
    }
    return new MapImport(options, best, header).read(sheets.size());
  }

  private static boolean wanted(Sheet sheet, Options options) {
    return options.sheet() == null || sheet.name().equalsIgnoreCase(options.sheet().strip());
  }

  private Draft read(int sheets) {
    if (sheets > 1 && !sheet.name().isEmpty()) {
      notes.add("sheet " + Text.quoted(sheet.name()) + " is taken; --sheet NAME takes another");
    }
    if (!header.unknown().isEmpty()) {
      notes.add("not taken: column " + String.join(", column ", header.unknown()));
    }
    base = base();
    for (Row row : sheet.rows().subList(header.index() + 1, sheet.rows().size())) {
      if (!heading(row)) {
        try {
          point(row);
        } catch (Refused e) {
          // The next row may be right.
        }
      }
    }
    if (points.isEmpty() && troubles.isEmpty()) {
      troubles.add(
          new Trouble(header.row(), "", "no row below the headers", "write one row a register"));
    }
    overlaps();
    return new Draft(profile(), List.copyOf(sources), List.copyOf(troubles), List.copyOf(notes));
  }

  private Map<String, Object> profile() {
    Map<String, Object> profile = new LinkedHashMap<>();
    profile.put("schema", ProfileReader.SCHEMA);
    String id = options.id() == null ? options.name() : options.id();
    profile.put("id", id);
    profile.put("title", Map.of("en", options.title() == null ? id : options.title()));
    profile.put("scheme", options.scheme() == null ? SCHEME : options.scheme());
    profile.put("interval", options.interval() == null ? INTERVAL : options.interval());
    // One order for all says it once; where it also swaps single registers, each point says its
    // own.
    String common = orders.size() == 1 ? orders.iterator().next() : "abcd";
    if (common.equals("cdab")) {
      profile.put("settings", Map.of("order", common));
    }
    for (Map<String, Object> point : points) {
      Object order = point.remove("order");
      if (order != null && !order.equals(common.equals("cdab") ? common : "abcd")) {
        String[] parts = ((String) point.get("address")).split(";", 2);
        point.put(
            "address", parts[0] + ";order=" + order + (parts.length > 1 ? ";" + parts[1] : ""));
      }
    }
    profile.put("points", points);
    return profile;
  }

  /**
   * Whether plain numbers count from 0 or 1: as the person says, as the header says, or 0 if one of
   * them is 0; {@code null} if nobody knows.
   */
  private Integer base() {
    if (options.base() != null) {
      return options.base();
    }
    if (header.says(Column.ADDRESS, "0-based", "from 0", "从0", "pdu", "协议地址", "protocol")) {
      return 0;
    }
    if (header.says(Column.ADDRESS, "1-based", "from 1", "从1")) {
      return 1;
    }
    for (Row row : sheet.rows().subList(header.index() + 1, sheet.rows().size())) {
      Addresses.Place place = Addresses.parse(header.cell(row, Column.ADDRESS).text(), hex());
      if (place != null && place.value() == 0) {
        notes.add(
            "row " + row.number() + " has the address 0, so the maker counts registers from 0");
        return 0;
      }
    }
    return null;
  }

  private boolean hex() {
    return header.says(Column.ADDRESS, "hex", "十六进制", "16进制");
  }

  /** A row that heads those below it: {@code Input registers (04)}. */
  private boolean heading(Row row) {
    List<Cell> filled = row.cells().stream().filter(cell -> !cell.blank()).toList();
    if (filled.isEmpty()) {
      return true;
    }
    if (header.cell(row, Column.ADDRESS).blank() && filled.size() == 1) {
      String text = filled.get(0).text();
      String table = Cells.table(text);
      if (table == null && text.matches("(?is).*(function|功能码|fc).*")) {
        table = Cells.functions(text).stream().map(Cells::table).findFirst().orElse(null);
      }
      section = table == null ? section : table;
      return true;
    }
    // The headers once more, on the next page.
    return header.texts().equals(row.cells().stream().map(c -> Text.plain(c.text())).toList());
  }

  private Refused refuse(Row row, Column column, String found, String mend) {
    troubles.add(new Trouble(row.number(), header.place(column), found, mend));
    return new Refused();
  }

  private void point(Row row) throws Refused {
    Map<String, String> columns = new HashMap<>();
    Map<String, Object> point = new LinkedHashMap<>();
    Cell at = header.cell(row, Column.ADDRESS);
    if (at.blank()) {
      throw refuse(
          row, Column.ADDRESS, "nothing", "write the register's address, or empty the row");
    }
    Addresses.Place place = Addresses.parse(at.text(), hex());
    if (place == null) {
      throw refuse(
          row, Column.ADDRESS, Text.quoted(at.text()), "write such as 40001, 100, 0x0064 or 0064H");
    }
    if (place.bit() >= 0 && at.number()) {
      throw refuse(
          row,
          Column.ADDRESS,
          at.text() + " as a number, which may have been written " + at.text() + "0",
          "write it as text ('" + at.text() + ") or the bit in a column \"Bit\"");
    }
    Set<Integer> functions = Cells.functions(header.cell(row, Column.FUNCTION).text());
    functions.addAll(Cells.functions(header.cell(row, Column.WRITE_FUNCTION).text()));
    String table = table(row, place, functions);
    int wire = wire(row, place, table);
    boolean bits = table.equals("coil") || table.equals("discrete");
    int bit = bit(row, place, bits);
    int count = count(row, place);
    Types.Type type = type(row, count, bits, bit);
    String access = access(row, functions, table);
    StringBuilder address = new StringBuilder(table).append(':').append(wire);
    if (bit >= 0) {
      address.append(";bit=").append(bit);
    }
    if (type.bcd()) {
      address.append(";bcd");
    }
    if (type.name().equals("text")) {
      address.append(";length=").append(type.registers());
    }
    title(row, table, wire, bit, point, columns);
    point.put("address", address.toString());
    columns.put("address", header.place(Column.ADDRESS));
    point.put("type", type.name());
    columns.put("type", header.place(Column.TYPE));
    point.put("access", access);
    columns.put(
        "access", header.place(header.has(Column.ACCESS) ? Column.ACCESS : Column.FUNCTION));
    int registers = type.registers() > 0 ? type.registers() : Types.registers(type.name());
    order(row, type, bits ? 0 : registers, point);
    boolean numeric = !type.name().equals("bool") && !type.name().equals("text");
    if (numeric) {
      numbers(row, point, columns);
    } else if (type.name().equals("bool")) {
      String name = String.valueOf(point.get("title")).toLowerCase(java.util.Locale.ROOT);
      boolean alarm = name.matches(".*(alarm|报警|告警|warning).*");
      point.put("class", alarm ? "alarm" : "state");
    }
    if (count > 0 && numeric && !bits && count != Types.registers(type.name())) {
      troubles.add(
          new Trouble(
              row.number(),
              header.place(header.has(Column.COUNT) ? Column.COUNT : Column.ADDRESS),
              count + (count == 1 ? " register for " : " registers for ") + type.name(),
              "write a type of that length, or "
                  + Types.registers(type.name())
                  + " for "
                  + type.name()));
      return;
    }
    points.add(point);
    sources.add(new Source(row.number(), columns));
    ids.add((String) point.get("id"));
    wires.add(new Wire(row.number(), table, wire, bit >= 0 ? 0 : Math.max(1, registers)));
  }

  private String table(Row row, Addresses.Place place, Set<Integer> functions) throws Refused {
    Cell named = header.cell(row, Column.TABLE);
    String table = named.blank() ? null : Cells.table(named.text());
    if (table == null && !named.blank() && functions.isEmpty()) {
      functions.addAll(Cells.functions(named.text()));
    }
    String byFunction = null;
    for (int function : functions) {
      String one = Cells.table(function);
      if (one == null) {
        throw refuse(
            row, Column.FUNCTION, "function code " + function, "write 01, 02, 03 or 04 (read)");
      }
      byFunction = byFunction == null ? one : byFunction;
      if (!one.equals(byFunction)) {
        throw refuse(
            row,
            Column.FUNCTION,
            "codes of two tables: " + functions,
            "write 01 05 15 for coils, 02 for discrete inputs, 03 06 16 for holding registers, 04"
                + " for input registers");
      }
    }
    table = table == null ? byFunction : table;
    table = table == null ? section : table;
    boolean said = table != null;
    table = said ? table : options.table();
    if (place.table() != null && said && !table.equals(place.table()) && !options.plain()) {
      throw refuse(row, Column.ADDRESS, contradiction(place.table(), table), same(table));
    }
    if (place.looks() != null && !options.plain()) {
      if (said && !table.equals(place.looks()) && !leadingZero(place)) {
        throw refuse(row, Column.ADDRESS, contradiction(place.looks(), table), same(table));
      }
      return said && leadingZero(place) ? table : place.looks();
    }
    if (place.table() != null && !options.plain()) {
      return place.table();
    }
    if (table == null && (header.has(Column.FUNCTION) || header.has(Column.TABLE))) {
      Column at = header.has(Column.FUNCTION) ? Column.FUNCTION : Column.TABLE;
      throw refuse(
          row,
          at,
          Text.quoted(header.cell(row, at).text()) + ", which names no table",
          at == Column.FUNCTION ? "write " + FUNCTIONS : "write holding, input, coil or discrete");
    }
    if (table == null) {
      // As with the base, the rest of the map can be looked at all the same.
      open(
          "numbers that name no table ("
              + Text.shown(header.cell(row, Column.ADDRESS).text())
              + " in row "
              + row.number()
              + ")",
          "run with --table holding (the most common), input, coil or discrete; or add a column"
              + " \"Function code\" with "
              + FUNCTIONS);
      return "holding";
    }
    return table;
  }

  /** 00001 with a table beside it: a plain number with zeros before it. */
  private static boolean leadingZero(Addresses.Place place) {
    return "coil".equals(place.looks());
  }

  private static String contradiction(String looks, String table) {
    return "a number like those of " + looks + ", where the row says " + table;
  }

  private static String same(String table) {
    return "make the two agree; or, if it is the number in the request to "
        + table
        + ", run with --plain and --base 0 or 1";
  }

  /** What the whole map leaves open about its addresses, told once. */
  private void open(String found, String mend) {
    if (troubles.stream().noneMatch(t -> t.row() == 0 && t.mend().equals(mend))) {
      troubles.add(new Trouble(0, header.place(Column.ADDRESS), found, mend));
    }
  }

  private int wire(Row row, Addresses.Place place, String table) throws Refused {
    boolean reference =
        !options.plain()
            && (place.table() != null
                || table.equals(place.looks()) && !(leadingZero(place) && sayTable(row)));
    int number = reference ? place.number() : place.value();
    Integer from = reference ? Integer.valueOf(options.base() == null ? 1 : options.base()) : base;
    if (from == null) {
      open(
          "plain numbers ("
              + Text.shown(header.cell(row, Column.ADDRESS).text())
              + " in row "
              + row.number()
              + "), which may count registers from 0 or from 1",
          "run with --base 0 if the first register has the number 0, which is usual; with --base 1"
              + " if it has 1");
      from = 0;
    }
    int wire = number - from;
    if (wire < 0 || wire > LAST_ADDRESS) {
      throw refuse(
          row,
          Column.ADDRESS,
          Text.quoted(header.cell(row, Column.ADDRESS).text()),
          reference && wire < 0
              ? "numbers of this kind begin with 1; run with --base 0 if the maker's begin with 0"
              : "write an address from " + from + " to " + (LAST_ADDRESS + from));
    }
    return wire;
  }

  private boolean sayTable(Row row) {
    return !header.cell(row, Column.FUNCTION).blank()
        || !header.cell(row, Column.TABLE).blank()
        || section != null;
  }

  private int bit(Row row, Addresses.Place place, boolean bits) throws Refused {
    Cell cell = header.cell(row, Column.BIT);
    if (bits || place.bit() < 0 && cell.blank()) {
      return -1;
    }
    String text = place.bit() >= 0 ? Integer.toString(place.bit()) : Text.plain(cell.text());
    String number = text.toLowerCase(java.util.Locale.ROOT).replaceFirst("^(bit|b|第) ?", "");
    number = number.replaceFirst("位$", "");
    if (number.matches("-|/|—")) {
      return -1;
    }
    if (!number.matches("[0-9]|1[0-5]")) {
      throw refuse(
          row,
          place.bit() >= 0 ? Column.ADDRESS : Column.BIT,
          Text.quoted(text),
          "write a bit from 0, the lowest, to 15");
    }
    return Integer.parseInt(number);
  }

  private int count(Row row, Addresses.Place place) throws Refused {
    boolean bytes = !header.has(Column.COUNT) && header.has(Column.BYTES);
    Column column = bytes ? Column.BYTES : Column.COUNT;
    String text = Text.plain(header.cell(row, column).text());
    if (text.isEmpty() || text.matches("-|/|—")) {
      return place.count();
    }
    BigDecimal number =
        Cells.number(text.replaceFirst("(?i) ?(words?|registers?|bytes?|个|字节|字)$", ""));
    int count;
    try {
      count = number == null ? -1 : number.intValueExact();
    } catch (ArithmeticException e) {
      count = -1;
    }
    boolean inBytes =
        bytes || text.matches("(?i).*(byte|字节)s?$") || header.says(column, "byte", "字节");
    if (count < 1 || count > 125 * (inBytes ? 2 : 1)) {
      throw refuse(row, column, Text.quoted(text), "write how many registers it takes, 1 to 125");
    }
    return inBytes ? (count + 1) / 2 : count;
  }

  private Types.Type type(Row row, int count, boolean bits, int bit) throws Refused {
    if (bits || bit >= 0) {
      return new Types.Type("bool", false, null, 0);
    }
    Cell cell = header.cell(row, Column.TYPE);
    String allowed =
        "int16, uint16, int32, uint32, int64, uint64, float32, float64, bcd16, bcd32 or string";
    if (cell.blank()) {
      throw refuse(row, Column.TYPE, "no type", "write one of " + allowed);
    }
    Types.Type type = Types.parse(cell.text(), count);
    if (type == null || type.name() == null) {
      throw refuse(
          row,
          Column.TYPE,
          Text.quoted(cell.text()),
          type == null
              ? "write one of " + allowed
              : "say its length in a column \"Registers\", or write such as string16");
    }
    if (type.name().equals("bool")) {
      throw refuse(
          row,
          Column.TYPE,
          Text.quoted(cell.text()) + " in a register, without a bit",
          "say which: 40005.3, or a column \"Bit\"; or write uint16 for the whole register");
    }
    return type;
  }

  private String access(Row row, Set<Integer> functions, String table) throws Refused {
    Cell cell = header.cell(row, Column.ACCESS);
    if (cell.blank()) {
      return functions.stream().anyMatch(Cells::writes)
          ? functions.stream().allMatch(Cells::writes) && functions.size() > 0 && !reads(functions)
              ? "write"
              : "read-write"
          : "read";
    }
    String access = Cells.access(cell.text());
    if (access == null) {
      throw refuse(row, Column.ACCESS, Text.quoted(cell.text()), "write R, W or R/W");
    }
    if (!access.equals("read") && (table.equals("input") || table.equals("discrete"))) {
      throw refuse(
          row,
          Column.ACCESS,
          Text.quoted(cell.text()),
          "write R: nothing can be written to " + table);
    }
    return access;
  }

  private static boolean reads(Set<Integer> functions) {
    return functions.stream().anyMatch(function -> function <= 4);
  }

  private void order(Row row, Types.Type type, int registers, Map<String, Object> point)
      throws Refused {
    Cell cell = header.cell(row, Column.ORDER);
    String order = type.order();
    if (!cell.blank() && !Text.plain(cell.text()).matches("-|/|—|AB|ab")) {
      order = Cells.order(cell.text());
      if (order == null) {
        throw refuse(
            row,
            Column.ORDER,
            Text.quoted(cell.text()),
            "write ABCD (high word first), CDAB (low word first), BADC or DCBA");
      }
    }
    order = order == null ? options.order() : order;
    if (registers > 1 && !type.name().equals("text")) {
      order = order == null ? "abcd" : order;
      orders.add(order);
      point.put("order", order);
    } else if (registers == 1 && order != null && !order.equals("abcd") && !order.equals("cdab")) {
      point.put("order", order);
    }
  }

  private void title(
      Row row,
      String table,
      int wire,
      int bit,
      Map<String, Object> point,
      Map<String, String> columns)
      throws Refused {
    String name = header.cell(row, Column.NAME).text();
    String chinese = header.cell(row, Column.NAME_ZH).text();
    Column from = header.has(Column.NAME) ? Column.NAME : Column.NAME_ZH;
    if (name.isBlank() && chinese.isBlank()) {
      name = header.cell(row, Column.DESCRIPTION).text();
      from = Column.DESCRIPTION;
    }
    String otherwise = table + "_" + wire + (bit >= 0 ? "_bit_" + bit : "");
    Names.Title title = Names.title(name, chinese);
    Cell own = header.cell(row, Column.ID);
    if (own.text().matches("[a-z][a-z0-9_]*")) {
      if (ids.contains(own.text())) {
        throw refuse(
            row, Column.ID, Text.quoted(own.text()), "write another: a row above has this one");
      }
      point.put("id", own.text());
    } else {
      point.put("id", Names.id(title.english(), otherwise, ids));
    }
    columns.put("id", header.place(own.blank() ? from : Column.ID));
    columns.put("title", header.place(from));
    Map<String, Object> titles = new LinkedHashMap<>();
    if (title.english() != null || title.chinese() != null) {
      titles.put(
          "en",
          title.english() == null
              ? Character.toUpperCase(table.charAt(0)) + table.substring(1) + " " + wire
              : title.english());
      if (title.chinese() != null) {
        titles.put("zh-CN", title.chinese());
      }
      point.put("title", titles);
    }
    if (title.english() == null) {
      notes.add(
          "row "
              + row.number()
              + ": "
              + Text.quoted(chinese.isBlank() ? name : chinese)
              + " has no English name, so its id is "
              + point.get("id")
              + "; a column \"English name\" gives a better one");
    }
  }

  private void numbers(Row row, Map<String, Object> point, Map<String, String> columns)
      throws Refused {
    UnitNames.Unit unit = UnitNames.parse(header.cell(row, Column.UNIT).text());
    if (unit.code() == null) {
      throw refuse(
          row, Column.UNIT, Text.quoted(header.cell(row, Column.UNIT).text()), unit.mend());
    }
    Cells.Scale scale = scale(row, unit);
    if (scale.factor().compareTo(BigDecimal.ONE) != 0) {
      point.put("scale", scale.factor());
      columns.put("scale", header.place(Column.SCALE));
      if (scale.factor().compareTo(BigDecimal.TEN) >= 0) {
        notes.add(
            "row "
                + row.number()
                + ": the raw value is multiplied by "
                + Text.number(scale.factor())
                + "; if the maker means divided, write "
                + Text.number(Cells.inverse(scale.factor())));
      }
    }
    BigDecimal offset = offset(row, scale.offset());
    if (offset.signum() != 0) {
      point.put("offset", offset);
      columns.put("offset", header.place(Column.OFFSET));
    }
    if (!unit.code().isEmpty()) {
      point.put("unit", unit.code());
    }
    columns.put("unit", header.place(Column.UNIT));
    BigDecimal[] range = range(row);
    if (range != null) {
      point.put("range", List.of(range[0], range[1]));
      columns.put("range", header.place(header.has(Column.RANGE) ? Column.RANGE : Column.MIN));
    }
    notAvailable(row, point, columns);
  }

  private Cells.Scale scale(Row row, UnitNames.Unit unit) throws Refused {
    BigDecimal factor = null;
    BigDecimal offset = BigDecimal.ZERO;
    Column from = Column.SCALE;
    for (Column column : new Column[] {Column.SCALE, Column.DIVISOR, Column.DECIMALS}) {
      String text = Text.plain(header.cell(row, column).text());
      if (factor != null || text.isEmpty() || text.matches("-+|/|—|无|none|n/a|N/A")) {
        continue;
      }
      from = column;
      if (column == Column.SCALE) {
        Cells.Scale scale = Cells.scale(text);
        factor = scale == null ? null : scale.factor();
        offset = scale == null ? offset : scale.offset();
      } else {
        BigDecimal number = Cells.number(text);
        factor =
            number == null
                ? null
                : column == Column.DIVISOR
                    ? Cells.inverse(number)
                    : number.abs().compareTo(BigDecimal.TEN) > 0
                        ? null
                        : BigDecimal.ONE.scaleByPowerOfTen(-number.intValue());
      }
      if (factor == null) {
        throw refuse(row, column, Text.quoted(text), "write a number other than 0, such as 0.1");
      }
    }
    if (factor != null && unit.factor() != null && factor.compareTo(unit.factor()) != 0) {
      throw refuse(
          row,
          Column.UNIT,
          Text.number(unit.factor())
              + " before the unit and "
              + Text.number(factor)
              + " as "
              + header.place(from),
          "write the unit alone, and in the other column what the raw value is multiplied by");
    }
    factor = factor == null ? unit.factor() : factor;
    return new Cells.Scale(
        factor == null || factor.signum() == 0 ? BigDecimal.ONE : factor, offset);
  }

  private BigDecimal offset(Row row, BigDecimal otherwise) throws Refused {
    String text = Text.plain(header.cell(row, Column.OFFSET).text());
    if (text.isEmpty() || text.matches("-+|/|—")) {
      return otherwise;
    }
    BigDecimal offset = Cells.number(text);
    if (offset == null) {
      throw refuse(
          row, Column.OFFSET, Text.quoted(text), "write what is added after scaling, such as -40");
    }
    return offset;
  }

  private BigDecimal[] range(Row row) throws Refused {
    String text = Text.plain(header.cell(row, Column.RANGE).text());
    if (text.isEmpty()) {
      String low = Text.plain(header.cell(row, Column.MIN).text());
      String high = Text.plain(header.cell(row, Column.MAX).text());
      if (low.isEmpty() || high.isEmpty()) {
        return null;
      }
      text = low + " .. " + high;
    }
    if (text.matches("-+|/|—|无|n/a|N/A")) {
      return null;
    }
    // States: 0: stopped, 1: running. Nothing for a range, and nothing wrong.
    if (text.matches("(?s).*[0-9] ?[:=：-] ?[\\p{L}].*")) {
      notes.add("row " + row.number() + ": " + Text.quoted(text) + " isn't taken: no range");
      return null;
    }
    BigDecimal[] range = Cells.range(text);
    if (range == null || range[0].compareTo(range[1]) > 0) {
      throw refuse(
          row,
          header.has(Column.RANGE) ? Column.RANGE : Column.MIN,
          Text.quoted(text),
          "write least and greatest, such as -40..80, or nothing");
    }
    // What the register holds, not what the quantity can be.
    boolean raw =
        List.of("0..65535", "-32768..32767", "0..4294967295")
            .contains(Text.number(range[0]) + ".." + Text.number(range[1]));
    return raw ? null : range;
  }

  private void notAvailable(Row row, Map<String, Object> point, Map<String, String> columns)
      throws Refused {
    String text = Text.plain(header.cell(row, Column.NOT_AVAILABLE).text());
    if (text.isEmpty() || text.matches("-+|/|—|无")) {
      return;
    }
    List<Object> codes = new ArrayList<>();
    for (String part : text.split("[,;/、 ]+")) {
      String hex = part.replaceFirst("(?i)^0x|h$", "");
      Object code =
          !hex.equals(part) && hex.matches("[0-9a-fA-F]{1,16}")
              ? "0x" + hex
              : part.equalsIgnoreCase("nan") ? "NaN" : Cells.number(part);
      if (code == null) {
        throw refuse(
            row,
            Column.NOT_AVAILABLE,
            Text.quoted(text),
            "write raw values, such as 65535 or 0x7FFF");
      }
      codes.add(code);
    }
    point.put("notAvailable", codes);
    columns.put("notAvailable", header.place(Column.NOT_AVAILABLE));
  }

  /** Two values that share a part of their registers: mostly a wrong type or base. */
  private void overlaps() {
    Map<String, Wire> taken = new HashMap<>();
    for (Wire wire : wires) {
      for (int i = 0; i < wire.count; i++) {
        Wire other = taken.putIfAbsent(wire.table + (wire.first + i), wire);
        if (other != null && !(other.first == wire.first && other.count == wire.count)) {
          notes.add(
              "row "
                  + wire.row
                  + " shares registers with row "
                  + other.row
                  + ": is a type too long?");
          break;
        }
      }
    }
  }
}
