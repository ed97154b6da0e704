package io.culvert.simulator.street;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A device profile as the simulator reads it, by itself: the same file that the gateway has, and
 * none of the gateway's code.
 */
public record Profile(String id, String place, Duration interval, List<PointSpec> points) {
  private static final Pattern ADDRESS =
      Pattern.compile("(coil|discrete|input|holding):(0[xX][0-9a-fA-F]+|\\d+)(;.*)?");
  private static final Pattern TICK = Pattern.compile("tick(_.*)?");

  /** The type of a register's content. */
  enum Type {
    BOOL(1),
    INT16(1),
    UINT16(1),
    INT32(2),
    UINT32(2),
    INT64(4),
    UINT64(4),
    FLOAT32(2),
    FLOAT64(4),
    TEXT(0),
    STRUCT(0);

    final int registers;

    Type(int registers) {
      this.registers = registers;
    }

    double min() {
      return switch (this) {
        case BOOL, UINT16, UINT32, UINT64, TEXT, STRUCT -> 0;
        case INT16 -> Short.MIN_VALUE;
        case INT32 -> Integer.MIN_VALUE;
        case INT64 -> -0x1p53;
        case FLOAT32 -> -Float.MAX_VALUE;
        case FLOAT64 -> -Double.MAX_VALUE;
      };
    }

    double max() {
      return switch (this) {
        case BOOL -> 1;
        case TEXT, STRUCT -> 0;
        case INT16 -> Short.MAX_VALUE;
        case UINT16 -> 0xFFFF;
        case INT32 -> Integer.MAX_VALUE;
        case UINT32 -> 0xFFFFFFFFL;
        case INT64, UINT64 -> 0x1p53;
        case FLOAT32 -> Float.MAX_VALUE;
        case FLOAT64 -> Double.MAX_VALUE;
      };
    }
  }

  /**
   * One point.
   *
   * @param address on the wire
   * @param order of the bytes, {@code abcd} and so on
   * @param form what the register holds beyond its type
   * @param truth how it must look at the platform, if device and profile mean the same by it
   */
  record PointSpec(
      Table table,
      int address,
      Type type,
      String order,
      Form form,
      boolean readable,
      boolean writable,
      double scale,
      double offset,
      String deviceUnit,
      Factor factor,
      PointTruth truth) {
    String id() {
      return truth.id();
    }

    /** How many registers it takes. */
    int registers() {
      return type == Type.TEXT ? form.length() : type.registers;
    }

    double rawMin() {
      return form.bcd() || form.low() >= 0 ? 0 : type.min();
    }

    double rawMax() {
      if (form.low() >= 0) {
        return (1L << (form.high() - form.low() + 1)) - 1;
      }
      return form.bcd() ? Math.pow(10, 4 * type.registers) - 1 : type.max();
    }
  }

  /**
   * What a register holds.
   *
   * @param bit of a bool, −1 for none
   * @param low first bit of a field, −1 for a whole register
   * @param high last bit of a field
   * @param bcd whether it holds decimal digits
   * @param length registers of a text
   * @param notAvailable what it shows if there is no value, {@code null} if it always has one
   * @param modulus of a counter that rolls over, 0 for none
   */
  record Form(
      int bit, int low, int high, boolean bcd, int length, Double notAvailable, long modulus) {}

  /**
   * A scale that other points tell: the product of their values, or ten to the power of their sum.
   */
  record Factor(List<String> points, boolean exponent) {
    static final Factor NONE = new Factor(List.of(), false);
  }

  /** How many points can be read. */
  int readable() {
    return (int) points.stream().filter(PointSpec::readable).count();
  }

  /** How a point must look at the platform, {@code null} if there is no such point to be read. */
  public PointTruth truth(String point) {
    return points.stream()
        .filter(PointSpec::readable)
        .map(PointSpec::truth)
        .filter(truth -> truth.id().equals(point))
        .findFirst()
        .orElse(null);
  }

  /** Finds profiles by id: in folders first, then among those built into the simulator. */
  public static final class Library {
    private final List<Path> folders;
    private final Map<String, Profile> read = new HashMap<>();

    public Library(List<Path> folders) {
      this.folders = List.copyOf(folders);
    }

    /** Reads a profile, once. */
    public Profile find(String id) throws StreetException {
      Profile known = read.get(id);
      if (known == null) {
        known = load(id);
        read.put(id, known);
      }
      return known;
    }

    private Profile load(String id) throws StreetException {
      try {
        for (Path folder : folders) {
          Path file = folder.resolve(id + ".yaml");
          if (Files.isRegularFile(file)) {
            return parse(file.toString(), Files.readString(file));
          }
        }
        String resource = "profiles/" + id + ".yaml";
        try (InputStream in = Profile.class.getClassLoader().getResourceAsStream(resource)) {
          if (in != null) {
            return parse(resource, new String(in.readAllBytes(), StandardCharsets.UTF_8));
          }
        }
      } catch (IOException e) {
        throw new StreetException("profile '" + id + "' can't be read: " + e);
      }
      throw new StreetException(
          "found no profile '"
              + id
              + "': expected "
              + id
              + ".yaml in "
              + (folders.isEmpty() ? "a folder given by --profiles" : folders));
    }
  }

  /** Parses a profile; {@code file} names it in errors. */
  public static Profile parse(String file, String text) throws StreetException {
    Section root = Section.read(file, text);
    String order = root.section("settings").map(s -> s.text("order", "abcd")).orElse("abcd");
    boolean modbus = !root.text("scheme", "modbus").equals(Street.Plant.SCHEME);
    List<PointSpec> points = new ArrayList<>();
    for (Section point : root.sections("points")) {
      points.add(point(point, order, modbus));
    }
    Profile profile =
        new Profile(
            root.text("id"),
            root.place(),
            root.duration("interval", Duration.ofSeconds(1)),
            List.copyOf(points));
    root.check();
    return profile;
  }

  private static PointSpec point(Section at, String defaultOrder, boolean modbus) {
    String id = at.text("id");
    String typeName = at.text("type").toUpperCase(Locale.ROOT);
    Type type = Type.UINT16;
    try {
      type = Type.valueOf(typeName);
    } catch (IllegalArgumentException e) {
      at.wrong(
          "type", "found the type '" + typeName + "', expected one of " + List.of(Type.values()));
    }
    Table table = Table.HOLDING;
    int address = 0;
    int bit = -1;
    int[] field = {-1, -1};
    boolean bcd = false;
    int length = 0;
    String order = defaultOrder;
    Matcher matcher = ADDRESS.matcher(at.text("address"));
    if (!modbus) {
      // The plant knows its points by their ids, so that a wrong address can't hide.
      table = null;
    } else if (matcher.matches()) {
      table = Table.byName(matcher.group(1));
      address = Integer.decode(decimal(matcher.group(2)));
      for (String option : matcher.group(3) == null ? new String[0] : matcher.group(3).split(";")) {
        if (option.startsWith("order=")) {
          order = option.substring(6);
        } else if (option.startsWith("bit=")) {
          bit = Integer.parseInt(option.substring(4));
        } else if (option.matches("bits=\\d{1,2}-\\d{1,2}")) {
          String[] ends = option.substring(5).split("-");
          field = new int[] {Integer.parseInt(ends[0]), Integer.parseInt(ends[1])};
        } else if (option.equals("bcd")) {
          bcd = true;
        } else if (option.startsWith("length=")) {
          length = Integer.parseInt(option.substring(7));
        } else if (!option.isEmpty()) {
          at.wrong(
              "address",
              "found the option '"
                  + option
                  + "', expected order=, bit=, bits=, bcd or length= in a street");
        }
      }
    } else {
      at.wrong(
          "address",
          "found the address '" + at.text("address") + "', expected such as holding:12 or coil:0");
    }
    Factor factor = Factor.NONE;
    double scale;
    if (at.isMap("scale")) {
      Section by = at.section("scale").orElseThrow();
      factor = new Factor(by.texts("point"), by.has("power"));
      scale = by.number("times", 1);
    } else {
      scale = at.number("scale", 1);
    }
    long modulus = at.section("counter").map(c -> c.whole("modulus", 0, 2, 1L << 53)).orElse(0L);
    Double notAvailable =
        at.has("notAvailable") ? code(at.texts("notAvailable").get(0), type) : null;
    String unit = at.text("unit", "");
    String deviceUnit = at.text("deviceUnit", unit);
    double step =
        Math.abs(Ucum.convert(scale, deviceUnit, unit) - Ucum.convert(0, deviceUnit, unit));
    if (Double.isNaN(step)) {
      at.wrong("unit", "found " + deviceUnit + " and " + unit + ", which can't be converted");
    }
    double[] range = at.has("range") ? at.numbers("range") : new double[] {Double.NaN, Double.NaN};
    double deadband = Double.NaN;
    long heartbeat = 0;
    if (at.has("deadband")) {
      Section band = at.section("deadband").orElseThrow();
      deadband = band.number("absolute");
      heartbeat = band.duration("heartbeat", Duration.ofSeconds(60)).toMillis();
    }
    // What is rounded in ways of its own, the device tells exactly.
    boolean exact =
        type == Type.FLOAT32
            || type == Type.FLOAT64
            || modulus > 0
            || !factor.points().isEmpty()
            || type == Type.TEXT;
    boolean tick = TICK.matcher(id).matches();
    String access = at.text("access", "read");
    PointTruth truth =
        new PointTruth(
            id,
            unit,
            exact ? 0 : step,
            type == Type.FLOAT32 ? 0x1p-24 : 0,
            type == Type.BOOL,
            at.text("class", "telemetry"),
            range[0],
            range[range.length - 1],
            deadband,
            heartbeat,
            tick,
            tick ? (long) type.max() + 1 : 0,
            at.duration("interval", Duration.ZERO).toMillis(),
            !factor.points().isEmpty(),
            null);
    return new PointSpec(
        table,
        address,
        type,
        order,
        new Form(bit, field[0], field[1], bcd, length, notAvailable, modulus),
        !access.equals("write"),
        !access.equals("read"),
        scale,
        at.number("offset", 0),
        deviceUnit,
        factor,
        truth);
  }

  /** A raw value as profiles write it: a number, its bits in hexadecimal, or NaN. */
  private static double code(String text, Type type) {
    if (!text.startsWith("0x") && !text.startsWith("0X")) {
      return text.equals("NaN") ? Double.NaN : Double.parseDouble(text);
    }
    long bits = Long.parseUnsignedLong(text.substring(2), 16);
    return switch (type) {
      case INT16 -> (short) bits;
      case INT32 -> (int) bits;
      case FLOAT32 -> Float.intBitsToFloat((int) bits);
      case FLOAT64 -> Double.longBitsToDouble(bits);
      default -> bits;
    };
  }

  private static String decimal(String number) {
    // A leading zero would mean octal to Integer.decode.
    return number.startsWith("0x") || number.startsWith("0X")
        ? number
        : Integer.toString(Integer.parseInt(number));
  }
}
