package io.culvert.core.profile;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.core.document.Faults;
import io.culvert.core.document.Fields;
import io.culvert.core.document.Node;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.RawType;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads the points of one profile, one after the other. */
final class PointReader {
  private static final String ID_EXPECTED =
      "1 to 64 lower-case letters, digits and underscores, a letter first; not seq_first,"
          + " seq_count, historical or an id that ends in _q or _u: messages use these names";
  private static final Pattern ID =
      Pattern.compile("(?!(seq_first|seq_count|historical)$)(?!.*_[qu]$)[a-z][a-z0-9_]{0,63}");
  private static final Pattern ADDRESS = Pattern.compile("\\S(.{0,254}\\S)?");
  private static final Pattern ANY = Pattern.compile(".*", Pattern.DOTALL);
  private static final Duration MIN_HEARTBEAT = Duration.ofSeconds(1);
  private static final Duration MAX_HEARTBEAT = Duration.ofHours(24);

  /** Keys that only numbers have. */
  private static final List<String> NUMERIC =
      List.of(
          "scale", "offset", "unit", "deviceUnit", "range", "deadband", "notAvailable", "counter");

  private static final String SCALE_EXPECTED =
      "a number, or an object such as {point: ratio} or {point: exponent, power: 10}";
  private static final int MAX_FACTORS = 4;

  private static final String CODES_EXPECTED =
      "a list of 1 to 16 raw values, such as [32767, 0x8000] or [NaN]";
  private static final int MAX_CODES = 16;
  private static final Pattern HEX = Pattern.compile("0x[0-9a-fA-F]{1,16}");

  private final Units units;
  private final Faults all;
  private Faults faults;
  private Fields fields;
  private String id;

  PointReader(Units units, Faults faults) {
    this.units = units;
    this.all = faults;
  }

  /** Id of the point read last; {@code null} if it has none that can be used. */
  String id() {
    return id;
  }

  /**
   * @return {@code null} if anything is wrong
   */
  PointModel read(Node.Obj point, String path) {
    faults = new Faults(all.file());
    fields = Fields.of(point, path, faults);
    id = fields.text("id", ID, ID_EXPECTED);
    ProfileReader.title(fields, false, faults);
    String address =
        fields.text("address", ADDRESS, "where the driver finds it, such as holding:0");
    DataType type = fields.choice("type", DataType.class, null);
    Access access = fields.choice("access", Access.class, Access.READ);
    StreamClass streamClass = fields.choice("class", StreamClass.class, StreamClass.TELEMETRY);
    Grade grade = fields.choice("grade", Grade.class, Grade.GENERAL);
    Duration interval =
        fields.duration("interval", ProfileReader.MIN_INTERVAL, ProfileReader.MAX_INTERVAL, null);
    Set<Value> notAvailable = notAvailable(type);
    PointModel.Counter counter = counter(type, access);
    Scale scale = scale();
    BigDecimal offset = fields.number("offset", BigDecimal.ZERO);
    Units.Linear conversion = conversion();
    Double[] range = range();
    PointModel.Deadband deadband = deadband();
    fields.refuseOthers();
    if (type != null && !type.numeric()) {
      for (String key : NUMERIC) {
        // The numbers in a structure may have a unit.
        boolean ofItsNumbers = type == DataType.STRUCT && key.equals("unit");
        if (!ofItsNumbers && fields.node().members().containsKey(key)) {
          misplaced(key, "of type " + word(type), "numbers");
        }
      }
    }
    all.addAll(faults);
    if (!faults.none()) {
      return null;
    }
    Node unit = fields.any("unit");
    return new PointModel(
        new Point(id, address, type, access),
        interval,
        notAvailable,
        counter,
        scale.constant().multiply(conversion.factor()),
        scale.factor(),
        offset.multiply(conversion.factor()).add(conversion.offset()),
        unit == null ? "" : ((Node.Text) unit).value(),
        range[0],
        range[1],
        streamClass,
        grade,
        deadband);
  }

  /**
   * @param factor {@code null} if there is none
   */
  private record Scale(BigDecimal constant, PointModel.Factor factor) {}

  /** A number, or what other points say, times a number. */
  private Scale scale() {
    Node node = fields.any("scale");
    if (node == null) {
      return new Scale(BigDecimal.ONE, null);
    }
    if (node instanceof Node.Num) {
      return new Scale(notZero(fields, "scale"), null);
    }
    if (!(node instanceof Node.Obj)) {
      fields.wrong("scale", SCALE_EXPECTED);
      return new Scale(BigDecimal.ONE, null);
    }
    Fields by = Fields.of(node, fields.path("scale"), faults);
    List<String> points = factors(by);
    BigDecimal constant = notZero(by, "times");
    Node power = by.any("power");
    if (power != null
        && !(power instanceof Node.Num base
            && base.value() != null
            && base.value().compareTo(BigDecimal.TEN) == 0)) {
      by.wrong("power", "10: the point tells an exponent of ten");
    }
    by.refuseOthers();
    return new Scale(
        constant, points.isEmpty() ? null : new PointModel.Factor(points, power != null));
  }

  private static BigDecimal notZero(Fields fields, String key) {
    BigDecimal number = fields.number(key, BigDecimal.ONE);
    if (number != null && number.signum() == 0) {
      fields.wrong(key, "a number other than 0");
    }
    return number;
  }

  /** What a list or a single id names; whether there are such points is seen when all are read. */
  private List<String> factors(Fields by) {
    String expected = "the id of a point, or a list of 1 to " + MAX_FACTORS;
    Node node = by.required("point", expected);
    if (node == null) {
      return List.of();
    }
    List<Node> items = node instanceof Node.Arr list ? list.items() : List.of(node);
    Set<String> ids = new LinkedHashSet<>();
    for (Node item : items) {
      if (!(item instanceof Node.Text text) || !ID.matcher(text.value()).matches()) {
        faults.add(item, by.path("point"), item.shown(), "the id of a point");
        return List.of();
      }
      if (!ids.add(text.value())) {
        faults.add(item, by.path("point"), item.shown() + " a second time", "each point once");
      }
    }
    if (ids.isEmpty() || ids.size() > MAX_FACTORS) {
      by.wrong("point", expected);
    }
    return List.copyOf(ids);
  }

  private Set<Value> notAvailable(DataType type) {
    Node node = fields.any("notAvailable");
    if (node == null || type == null || !type.numeric()) {
      return Set.of();
    }
    if (!(node instanceof Node.Arr list)
        || list.items().isEmpty()
        || list.items().size() > MAX_CODES) {
      fields.wrong("notAvailable", CODES_EXPECTED);
      return Set.of();
    }
    Set<Value> codes = new LinkedHashSet<>();
    for (int i = 0; i < list.items().size(); i++) {
      Node item = list.items().get(i);
      Value code = code(item, type);
      String path = fields.path("notAvailable") + "[" + i + "]";
      if (code == null) {
        faults.add(
            item,
            path,
            item.shown(),
            RawType.whole(type)
                ? "a raw value from "
                    + RawType.min(type)
                    + " to "
                    + RawType.max(type)
                    + ", or its bits, such as 0x7fff"
                : "a raw value, NaN, or its bits, such as 0x7fc00000");
      } else if (!codes.add(code)) {
        faults.add(item, path, item.shown() + ", which is the same as one before", "each once");
      }
    }
    return codes;
  }

  /**
   * A raw value as a maker's list tells it: a number, NaN, or the bits in hexadecimal.
   *
   * @return {@code null} if a point of this type never has it
   */
  private static Value code(Node item, DataType type) {
    if (item instanceof Node.Num number && number.value() != null) {
      BigDecimal exact = number.value();
      if (type == DataType.FLOAT32) {
        return Value.of((double) exact.floatValue());
      }
      if (type == DataType.FLOAT64) {
        return Value.of(exact.doubleValue());
      }
      return exact.stripTrailingZeros().scale() <= 0
              && exact.compareTo(BigDecimal.valueOf(RawType.min(type))) >= 0
              && exact.compareTo(BigDecimal.valueOf(RawType.max(type))) <= 0
          ? Value.of(exact.longValueExact())
          : null;
    }
    if (!(item instanceof Node.Text text)) {
      return null;
    }
    if (text.value().equals("NaN") && !RawType.whole(type)) {
      return Value.of(Double.NaN);
    }
    if (!HEX.matcher(text.value()).matches()) {
      return null;
    }
    Number value = RawType.ofBits(type, Long.parseUnsignedLong(text.value().substring(2), 16));
    if (value == null) {
      return null;
    }
    return value instanceof Double decimal ? Value.of(decimal) : Value.of(value.longValue());
  }

  private PointModel.Counter counter(DataType type, Access access) {
    Node node = fields.any("counter");
    if (node == null || type == null || !type.numeric()) {
      return null;
    }
    Fields counter = Fields.of(node, fields.path("counter"), faults);
    if (counter == null) {
      return null;
    }
    boolean whole = RawType.whole(type);
    if (!whole) {
      misplaced("counter", "of type " + word(type), "whole numbers");
    } else if (access != null && access != Access.READ) {
      misplaced("counter", "that can be written", "points of access read");
    }
    // One more than the greatest value, as far as a long holds it.
    long count = whole ? Math.max(RawType.max(type), RawType.max(type) + 1) : Long.MAX_VALUE;
    String expected = "a whole number from 2 to " + count + ", such as 65536 or 100000000";
    counter.required("modulus", expected);
    Long modulus = whole(counter, "modulus", 2, count, expected);
    Long maxStep =
        whole(
            counter,
            "maxStep",
            1,
            (modulus == null ? count : modulus) - 1,
            "a whole number of at least 1 and less than modulus");
    counter.refuseOthers();
    return modulus == null ? null : new PointModel.Counter(modulus, maxStep);
  }

  /**
   * @return {@code null} if it is missing or wrong
   */
  private static Long whole(Fields fields, String key, long min, long max, String expected) {
    BigDecimal number = fields.number(key, null);
    if (number == null) {
      return null;
    }
    if (number.stripTrailingZeros().scale() > 0
        || number.compareTo(BigDecimal.valueOf(min)) < 0
        || number.compareTo(BigDecimal.valueOf(max)) > 0) {
      fields.wrong(key, expected);
      return null;
    }
    return number.longValueExact();
  }

  /** A fault about a key that a point of this kind can't have. */
  private void misplaced(String key, String kind, String where) {
    faults.add(
        fields.node().keys().get(key),
        fields.path(key),
        "it at a point " + kind,
        "it at " + where + " only: remove it");
  }

  private static String word(DataType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private Units.Linear conversion() {
    String unit = fields.optionalText("unit", ANY, "a UCUM code such as m3/h");
    String deviceUnit = fields.optionalText("deviceUnit", ANY, "a UCUM code such as m3/h");
    boolean sound = unit != null && checked("unit", unit);
    if (deviceUnit == null) {
      return Units.Linear.IDENTITY;
    }
    if (fields.any("unit") == null) {
      fields.wrong("deviceUnit", "a key unit beside it: the unit that it is converted to");
      return Units.Linear.IDENTITY;
    }
    if (!checked("deviceUnit", deviceUnit) || !sound) {
      return Units.Linear.IDENTITY;
    }
    try {
      return units.convert(deviceUnit, unit);
    } catch (Units.Impossible e) {
      fields.wrong("deviceUnit", e.getMessage());
      return Units.Linear.IDENTITY;
    }
  }

  private boolean checked(String key, String code) {
    try {
      units.check(code);
      return true;
    } catch (Units.Impossible e) {
      fields.wrong(key, e.getMessage());
      return false;
    }
  }

  private Double[] range() {
    Double[] range = {null, null};
    Node node = fields.any("range");
    if (node == null) {
      return range;
    }
    if (!(node instanceof Node.Arr list) || list.items().size() != 2) {
      fields.wrong("range", "two numbers: [least, greatest]");
      return range;
    }
    BigDecimal least = Fields.number(list.items().get(0), fields.path("range") + "[0]", faults);
    BigDecimal most = Fields.number(list.items().get(1), fields.path("range") + "[1]", faults);
    if (least == null || most == null) {
      return range;
    }
    if (least.compareTo(most) > 0) {
      faults.add(
          node, fields.path("range"), "[" + least + ", " + most + "]", "the lesser number first");
    }
    range[0] = least.doubleValue();
    range[1] = most.doubleValue();
    return range;
  }

  private PointModel.Deadband deadband() {
    Node node = fields.any("deadband");
    if (node == null) {
      return null;
    }
    Fields band = Fields.of(node, fields.path("deadband"), faults);
    if (band == null) {
      return null;
    }
    band.required("absolute", "a number of 0 or more, in the point's unit");
    BigDecimal absolute = band.number("absolute", BigDecimal.ZERO);
    if (absolute != null && absolute.signum() < 0) {
      band.wrong("absolute", "a number of 0 or more");
    }
    band.required("heartbeat", "a duration such as 60s, after which a reading counts in any case");
    Duration heartbeat = band.duration("heartbeat", MIN_HEARTBEAT, MAX_HEARTBEAT, MIN_HEARTBEAT);
    band.refuseOthers();
    return absolute == null || heartbeat == null
        ? null
        : new PointModel.Deadband(absolute.doubleValue(), heartbeat);
  }
}
