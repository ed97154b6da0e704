package io.culvert.simulator.plant;

import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;

/**
 * One variable of a device, as its maker describes it.
 *
 * @param name browse name below the device
 * @param point id of the profile's point that reads it
 * @param unit {@code null} for none
 * @param low least value that is possible, of a set-point that is accepted
 * @param high greatest
 * @param step what it is rounded to, 0 for nothing
 * @param texts of an enumeration by number; empty for others
 */
record Variable(
    String name,
    String point,
    Words title,
    Type type,
    Unit unit,
    double low,
    double high,
    double step,
    boolean writable,
    Words... texts) {

  /** A text in the two languages of the plant. */
  record Words(String en, String zh) {}

  /** How the server holds it. */
  enum Type {
    DOUBLE,
    FLOAT,
    INT32,
    UINT32,
    BOOLEAN
  }

  /**
   * A unit as OPC UA has it (OPC 10000-8, 5.6.3).
   *
   * @param code of UN/CEFACT Recommendation 20, {@code ""} where it has none
   * @param ucum the same in UCUM
   */
  record Unit(String code, String symbol, String name, String ucum) {
    /** The code's characters as one number, −1 for none. */
    int id() {
      int id = 0;
      for (int i = 0; i < code.length(); i++) {
        id = id << 8 | code.charAt(i);
      }
      return code.isEmpty() ? -1 : id;
    }
  }

  static final Unit METRE = new Unit("MTR", "m", "metre", "m");
  static final Unit MILLIMETRE = new Unit("MMT", "mm", "millimetre", "mm");
  static final Unit CUBIC_METRE_PER_HOUR = new Unit("MQH", "m³/h", "cubic metre per hour", "m3/h");
  static final Unit KILOPASCAL = new Unit("KPA", "kPa", "kilopascal", "kPa");
  static final Unit AMPERE = new Unit("AMP", "A", "ampere", "A");
  static final Unit KILOWATT = new Unit("KWT", "kW", "kilowatt", "kW");
  static final Unit HOUR = new Unit("HUR", "h", "hour", "h");
  static final Unit METRE_PER_SECOND_SQUARED =
      new Unit("MSK", "m/s²", "metre per second squared", "m/s2");
  static final Unit CELSIUS = new Unit("CEL", "°C", "degree Celsius", "Cel");
  static final Unit MILLIGRAM_PER_LITRE = new Unit("M1", "mg/L", "milligram per litre", "mg/L");
  static final Unit PH = new Unit("Q30", "pH", "pH (potential of Hydrogen)", "[pH]");
  static final Unit MICROSIEMENS_PER_CENTIMETRE =
      new Unit("G42", "µS/cm", "microsiemens per centimetre", "uS/cm");
  static final Unit MICROMETRE_PER_METRE = new Unit("", "µm/m", "micrometre per metre", "um/m");
  static final Unit TURBIDITY = new Unit("", "NTU", "nephelometric turbidity unit", "[NTU]");

  /** Counts the cycles of the device; each has its own number. */
  static Variable tick() {
    return new Variable(
        "Tick",
        "tick",
        new Words("Cycle counter", "周期计数"),
        Type.UINT32,
        null,
        0,
        1L << 32,
        1,
        false);
  }

  static Variable measured(
      String name,
      String point,
      Words title,
      Type type,
      Unit unit,
      double low,
      double high,
      double step) {
    return new Variable(name, point, title, type, unit, low, high, step, false);
  }

  static Variable setPoint(
      String name, String point, Words title, Unit unit, double low, double high) {
    return new Variable(name, point, title, Type.DOUBLE, unit, low, high, 0, true);
  }

  /** What it truly shows of a quantity: rounded, and as its type holds it. NaN is no value. */
  double shows(double quantity) {
    double rounded = step > 0 ? Math.rint(quantity / step) * step : quantity;
    return switch (type) {
      case FLOAT -> (float) rounded;
      case BOOLEAN -> quantity >= 0.5 ? 1 : 0;
      default -> rounded;
    };
  }

  /** A value in its type. */
  Object held(double value) {
    return switch (type) {
      case DOUBLE -> value;
      case FLOAT -> (float) value;
      case INT32 -> (int) value;
      case UINT32 -> UInteger.valueOf((long) value);
      case BOOLEAN -> value >= 0.5;
    };
  }
}
