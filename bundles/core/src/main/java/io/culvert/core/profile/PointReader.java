package io.culvert.core.profile;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.core.document.Faults;
import io.culvert.core.document.Fields;
import io.culvert.core.document.Node;
import io.culvert.core.model.PointModel;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
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
      List.of("scale", "offset", "unit", "deviceUnit", "range", "deadband");

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
    BigDecimal scale = fields.number("scale", BigDecimal.ONE);
    if (scale != null && scale.signum() == 0) {
      fields.wrong("scale", "a number other than 0");
    }
    BigDecimal offset = fields.number("offset", BigDecimal.ZERO);
    Units.Linear conversion = conversion();
    Double[] range = range();
    PointModel.Deadband deadband = deadband();
    fields.refuseOthers();
    if (type != null && !type.numeric()) {
      for (String key : NUMERIC) {
        if (fields.node().members().containsKey(key)) {
          faults.add(
              fields.node().keys().get(key),
              fields.path(key),
              "it at a point of type " + type.name().toLowerCase(java.util.Locale.ROOT),
              "it at numbers only: remove it");
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
        scale.multiply(conversion.factor()),
        offset.multiply(conversion.factor()).add(conversion.offset()),
        unit == null ? "" : ((Node.Text) unit).value(),
        range[0],
        range[1],
        streamClass,
        grade,
        deadband);
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
