package io.culvert.device.modbus;

import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Where a point lives in a device and how, such as {@code holding:100;order=cdab} or {@code
 * input:0x1F;bit=3}.
 *
 * @param table of the four, or a file
 * @param file number of the file, 1 to 65535; 0 for the tables
 * @param start first coil, input or register as it stands in the request, from 0; of a file, the
 *     record
 * @param codec of the value
 */
record Address(Table table, int file, int start, Codec codec) {
  /** Registers in one answer, and in one request to write (V1.1b3, 6.3 and 6.12). */
  private static final int MOST_READ = 125;

  private static final int MOST_WRITTEN = 123;

  /** The same of a file (V1.1b3, 6.14 and 6.15): reading is the narrower. */
  private static final int MOST_OF_FILE = 121;

  private static final String BCD = "bcd";
  private static final List<String> CHARSETS = List.of("ascii", "gbk", "utf-8", "utf-16be");

  /** Options, and a value as an example; of an option without one, the option itself. */
  private static final Map<String, String> OPTIONS = options();

  private static final String FORM = "coil:N, discrete:N, input:N, holding:N or file:F:R";

  private static Map<String, String> options() {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("order", "order=cdab");
    options.put("bit", "bit=3");
    options.put("bits", "bits=4-7");
    options.put(BCD, BCD);
    options.put("length", "length=10");
    options.put("charset", "charset=gbk");
    options.put("time", "time=unix32");
    return options;
  }

  /** How many coils, inputs or registers the value takes. */
  int count() {
    return codec.count();
  }

  /** The first after it. */
  int end() {
    return start + codec.count();
  }

  /** The address of a point that {@link #parse} found nothing wrong with. */
  static Address of(Point point, Settings settings) {
    Address address =
        parse(
            point,
            settings,
            problem -> {
              throw new IllegalArgumentException(problem.toString());
            });
    if (address == null) {
      throw new IllegalArgumentException(point.toString());
    }
    return address;
  }

  /**
   * Reads the address of a point.
   *
   * @return {@code null} if there was a problem to tell
   */
  static Address parse(Point point, Settings settings, Consumer<Problem> problems) {
    Parser parser = new Parser(point, settings, problems);
    Address address = parser.parse();
    return parser.wrong ? null : address;
  }

  /** For messages, as it is written without options. */
  @Override
  public String toString() {
    return table + ":" + (table == Table.FILE ? file + ":" : "") + start;
  }

  /** The parts of one address. */
  private static final class Parser {
    private final Point point;
    private final Settings settings;
    private final Consumer<Problem> problems;
    private final String text;
    private final String type;
    private final String place;
    private final List<String> written;

    /** What is written after the place, each option once. */
    private final Map<String, String> options = new LinkedHashMap<>();

    private Table table;
    private int file;
    private int start;
    private boolean wrong;

    Parser(Point point, Settings settings, Consumer<Problem> problems) {
      this.point = point;
      this.settings = settings;
      this.problems = problems;
      this.text = point.address().strip();
      this.type = point.type().name().toLowerCase(Locale.ROOT);
      String[] parts = text.split(";", -1);
      this.place = parts[0];
      this.written = List.of(parts).subList(1, parts.length);
    }

    private void tell(String part, String found, String expected) {
      wrong = true;
      String shown = found.isBlank() ? "nothing" : found;
      problems.accept(new Problem("points." + point.id() + "." + part, shown, expected));
    }

    private void tell(String found, String expected) {
      tell("address", found, expected);
    }

    Address parse() {
      String[] parts = place.split(":", 2);
      table = parts.length < 2 ? null : Table.named(parts[0]).orElse(null);
      if (table == null) {
        tell(text, expectedTable(parts));
        return null;
      }
      boolean placed = table == Table.FILE ? inFile(parts[1]) : inTable(parts[1]);
      Codec codec = split() ? codec() : null;
      if (point.access().writable() && !table.writable()) {
        tell(
            "access",
            point.access().name().toLowerCase(Locale.ROOT).replace('_', '-'),
            "read: nothing can be written to " + table + "; coil, holding and file can");
      }
      if (codec == null || !placed) {
        return null;
      }
      Address address = new Address(table, file, start, codec);
      place(address);
      return address;
    }

    private boolean inTable(String number) {
      OptionalInt at = Numbers.parse(number);
      if (at.isEmpty() || at.getAsInt() >= Table.SIZE) {
        tell(
            number.isEmpty() ? "no number after " + table + ":" : number, "0–65535, or 0x0–0xFFFF");
        return false;
      }
      start = at.getAsInt();
      return true;
    }

    private boolean inFile(String numbers) {
      String[] pair = numbers.split(":", 2);
      OptionalInt number = Numbers.parse(pair[0]);
      OptionalInt record = pair.length < 2 ? OptionalInt.empty() : Numbers.parse(pair[1]);
      if (number.isEmpty()
          || record.isEmpty()
          || number.getAsInt() < 1
          || number.getAsInt() > 0xFFFF
          || record.getAsInt() >= Table.RECORDS) {
        tell(place, "file:F:R with file 1–65535 and record 0–9999, such as file:4:17");
        return false;
      }
      file = number.getAsInt();
      start = record.getAsInt();
      return true;
    }

    /** Takes the options apart; returns whether each can be one. */
    private boolean split() {
      boolean sound = true;
      for (String option : written) {
        String[] pair = option.split("=", 2);
        boolean known = OPTIONS.containsKey(pair[0]);
        boolean valued = !pair[0].equals(BCD);
        if (!known || valued != (pair.length == 2)) {
          tell(option.isEmpty() ? "an empty option" : option, expectedOption(pair[0]));
          sound = false;
        } else if (options.putIfAbsent(pair[0], pair.length == 2 ? pair[1] : "") != null) {
          tell(pair[0] + " twice", "each option once");
          sound = false;
        } else if (table.bits()) {
          tell(option, "no options: a " + table + " is one bit");
          sound = false;
        }
      }
      return sound;
    }

    private String expectedOption(String name) {
      if (table.bits()) {
        return "no options: a " + table + " is one bit";
      }
      String all = String.join("; ", OPTIONS.values());
      return Nearest.to(name, OPTIONS.keySet())
          .map(near -> near + (near.equals(BCD) ? "" : "=…") + "? (" + all + ")")
          .orElse(all);
    }

    /** The codec; {@code null} if there was a problem to tell. */
    private Codec codec() {
      if (table.bits()) {
        return point.type() == DataType.BOOL ? Codec.BIT : bits();
      }
      return switch (point.type()) {
        case BOOL -> flag();
        case TEXT, BYTES -> row();
        case STRUCT -> {
          tell("type", type, "a number, bool, text or bytes: registers hold no structures");
          yield null;
        }
        default -> number();
      };
    }

    private Codec bits() {
      tell("type", type, "bool: a " + table + " is one bit; or a register's address");
      return null;
    }

    private Codec flag() {
      if (!only("order", "bit")) {
        return null;
      }
      if (!options.containsKey("bit")) {
        tell(
            text + " as bool, without a bit",
            place + ";bit=0 to " + place + ";bit=15, for one bit of the register");
        return null;
      }
      OptionalInt bit = Numbers.parse(options.get("bit"));
      if (bit.isEmpty() || bit.getAsInt() > 15) {
        tell("bit=" + options.get("bit"), "bit=0 to bit=15");
        return null;
      }
      return Codec.flag(order(settings.order()), bit.getAsInt());
    }

    private Codec number() {
      if (options.containsKey("bit")) {
        tell("type", type, "bool, since the address names one bit of a register");
        return null;
      }
      boolean unsigned =
          point.type() == DataType.UINT16
              || point.type() == DataType.UINT32
              || point.type() == DataType.UINT64;
      if (!unsigned && (options.containsKey(BCD) || options.containsKey("bits"))) {
        tell(
            "type",
            type,
            "uint16, uint32 or uint64, since the address says "
                + (options.containsKey(BCD) ? BCD : "bits"));
        return null;
      }
      if (options.containsKey(BCD) && options.containsKey("bits")) {
        tell("bcd and bits", "one of the two");
        return null;
      }
      if (!only("order", BCD, "bits")) {
        return null;
      }
      int registers = Codec.registers(point.type());
      Order order = order(settings.order());
      if (options.containsKey("bits")) {
        String[] ends = options.get("bits").split("-", 2);
        OptionalInt low = Numbers.parse(ends[0]);
        OptionalInt high = Numbers.parse(ends[ends.length - 1]);
        int top = 16 * registers - 1;
        if (ends.length < 2
            || low.isEmpty()
            || high.isEmpty()
            || low.getAsInt() > high.getAsInt()
            || high.getAsInt() > top) {
          tell(
              "bits=" + options.get("bits"),
              "bits=LOWEST-HIGHEST within 0–" + top + ", such as bits=4-7");
          return null;
        }
        return Codec.bits(registers, order, low.getAsInt(), high.getAsInt());
      }
      return options.containsKey(BCD)
          ? Codec.bcd(registers, order)
          : Codec.number(point.type(), order);
    }

    /** Text, bytes or a date. The order of numbers says nothing of them: theirs is written. */
    private Codec row() {
      boolean words = point.type() == DataType.TEXT;
      if (words && options.containsKey("time")) {
        return time();
      }
      if (!(words ? only("order", "length", "charset") : only("order", "length"))) {
        return null;
      }
      int most = most();
      OptionalInt length = Numbers.parse(options.getOrDefault("length", ""));
      if (length.isEmpty() || length.getAsInt() < 1 || length.getAsInt() > most) {
        tell(
            options.containsKey("length")
                ? "length=" + options.get("length")
                : text + " as " + type + ", without a length",
            "length=1 to length=" + most + ", in registers" + (words ? "; or time=" : ""));
        return null;
      }
      Order order = plainOrder();
      if (order == null) {
        return null;
      }
      if (!words) {
        return RowCodec.bytes(length.getAsInt(), order);
      }
      String charset = options.getOrDefault("charset", CHARSETS.get(0));
      if (!CHARSETS.contains(charset)) {
        tell("charset=" + charset, Nearest.expected(charset, CHARSETS));
        return null;
      }
      String name = charset.equals("ascii") ? "US-ASCII" : charset;
      return RowCodec.text(length.getAsInt(), order, Charset.forName(name));
    }

    private int most() {
      int carried =
          table == Table.FILE ? MOST_OF_FILE : point.access().writable() ? MOST_WRITTEN : MOST_READ;
      return Math.min(settings.maxBlock(), carried);
    }

    private Codec time() {
      if (!only("order", "time")) {
        return null;
      }
      int form = TimeForm.NAMES.indexOf(options.get("time"));
      if (form < 0) {
        tell("time=" + options.get("time"), Nearest.expected(options.get("time"), TimeForm.NAMES));
        return null;
      }
      TimeForm time = TimeForm.values()[form];
      Order order = time.number() ? order(settings.order()) : plainOrder();
      return order == null ? null : time.codec(order, settings.zone());
    }

    private Order order(Order otherwise) {
      return Settings.order(
          options.get("order"),
          "points." + point.id() + ".address",
          otherwise,
          problem -> {
            wrong = true;
            problems.accept(problem);
          });
    }

    private Order plainOrder() {
      Order order = order(Order.ABCD);
      if (!order.plain()) {
        tell("order=" + order, "abcd, cdab, badc or dcba: the others are of 64-bit numbers");
        return null;
      }
      return order;
    }

    /** Whether no option but these is written. */
    private boolean only(String... these) {
      List<String> others = new ArrayList<>(options.keySet());
      others.removeAll(List.of(these));
      for (String other : others) {
        tell(
            other + " at type " + type,
            switch (other) {
              case "bit" -> "bit at bool";
              case "bits", BCD -> other + " at uint16, uint32 or uint64";
              case "length" -> "length at text and bytes, but not with time";
              default -> other + " at text";
            });
      }
      return others.isEmpty();
    }

    /** Checks that a whole address lies where it can be reached. */
    private void place(Address address) {
      int size = table == Table.FILE ? Table.RECORDS : Table.SIZE;
      int count = address.count();
      if (address.end() > size) {
        String last = table == Table.FILE ? "file:" + file + ":" : "";
        tell(
            place + " as " + type,
            last + "0–" + (size - count) + ", since it takes " + count + " registers");
        return;
      }
      if (!point.access().readable() || table == Table.FILE) {
        return;
      }
      int from = settings.floor(table, start);
      int to = settings.ceiling(table, address.end());
      Settings.Range range = settings.forbidden(table, from, to);
      if (range != null) {
        tell(
            place
                + (settings.align() > 1 ? ", read as " + table + ":" + from + "–" + (to - 1) : ""),
            "a place outside settings.forbidden " + range);
      } else if (to - from > settings.maxBlock() * Settings.unit(table)) {
        tell(
            place + ", read as " + table + ":" + from + "–" + (to - 1),
            "at most settings.maxBlock " + settings.maxBlock());
      }
    }

    /** What to write where no table could be made out. */
    private String expectedTable(String[] parts) {
      OptionalInt reference = parts.length == 1 ? Numbers.parse(text) : OptionalInt.empty();
      if (reference.isPresent() && text.matches("[0134][0-9]{4,5}")) {
        // The makers' reference numbers: first digit the table, then counted from 1.
        Table meant =
            switch (text.charAt(0)) {
              case '0' -> Table.COIL;
              case '1' -> Table.DISCRETE;
              case '3' -> Table.INPUT;
              default -> Table.HOLDING;
            };
        int counted = Integer.parseInt(text.substring(1));
        if (counted >= 1 && counted <= Table.SIZE) {
          return meant + ":" + (counted - 1) + "? (the number in the request, counted from 0)";
        }
      }
      String rest = parts.length == 1 ? "N" : parts[1];
      return Nearest.to(parts[0].toLowerCase(Locale.ROOT), Table.NAMES)
          .map(near -> near + ":" + rest + "? (" + FORM + ")")
          .orElse(FORM);
    }
  }
}
