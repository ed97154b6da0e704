package io.culvert.tools.registermap;

import io.culvert.core.document.Fields;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Units as makers write them, and their UCUM codes. What isn't here is taken for a UCUM code; the
 * profile's reader decides whether it is one.
 */
final class UnitNames {
  /** A factor before the unit: 0.1 kPa, ×0.01 ℃. */
  private static final Pattern FACTOR =
      Pattern.compile("[×xX*]? ?([0-9]+(?:\\.[0-9]+)?) ?[×xX*·]? ?([^0-9.].*)");

  private static final Set<String> NONE =
      Set.of(
          "", "-", "--", "---", "—", "–", "/", "n/a", "na", "none", "无", "nil", "\\", "无单位", "1");

  /** As they are written, where case decides. */
  private static final Map<String, String> EXACT = new LinkedHashMap<>();

  /** In lower case. */
  private static final Map<String, String> LOOSE = new LinkedHashMap<>();

  /** Right UCUM codes that a maker hardly means, and what he may mean. */
  private static final Map<String, String> DECEPTIVE =
      Map.ofEntries(
          Map.entry("C", "Cel for degrees Celsius (C is coulomb)"),
          Map.entry("F", "[degF] for degrees Fahrenheit (F is farad)"),
          Map.entry("PA", "Pa (PA is petaampere)"),
          Map.entry("MA", "mA for milliampere, or 1e6 as scale and A (MA is megaampere)"),
          Map.entry("MV", "mV for millivolt, kV with a scale of 1000 for megavolt"),
          Map.entry("mPa", "MPa for megapascal, or 0.001 as scale and Pa (mPa is millipascal)"),
          Map.entry("mw", "mW for milliwatt or MW for megawatt"),
          Map.entry("a", "A for ampere (a is a year)"),
          Map.entry("b", "{bit} or By (b is barn)"),
          Map.entry("T", "t for tonne (T is tesla)"),
          Map.entry("G", "[g] for acceleration, g for gram (G is gauss)"),
          Map.entry("度", "deg for an angle, kW.h for energy, Cel for a temperature"));

  /** What messages propose; the codes of the field. */
  private static final Set<String> CODES = new TreeSet<>();

  static {
    exact("Cel", "°C", "degC", "deg C", "摄氏度", "Celsius", "°c", "oC");
    exact("[degF]", "°F", "degF", "华氏度");
    exact("K", "K");
    exact("deg", "°", "degree", "degrees", "deg");
    exact("%", "%", "百分比", "percent", "pct");
    exact("%{RH}", "%RH", "RH%", "%rh", "RH", "% RH");
    exact("%{vol}", "%vol", "%VOL", "vol%", "VOL%", "%Vol", "% vol", "V/V", "% VOL");
    exact("%{LEL}", "%LEL", "LEL%", "%lel", "% LEL", "LEL");
    exact("[ppm]", "ppm", "PPM", "Ppm");
    exact("[ppb]", "ppb", "PPB");
    exact("[ppth]", "‰");
    exact("[pH]", "pH", "PH", "ph");
    exact("[NTU]", "NTU", "ntu", "FNU", "度NTU");
    exact("uS/cm", "μS/cm", "us/cm", "uS/cm", "μs/cm", "US/CM");
    exact("mS/cm", "mS/cm", "ms/cm");
    exact("mg/L", "mg/L", "mg/l", "毫克/升", "MG/L");
    exact("ug/L", "μg/L", "ug/l", "μg/l");
    exact("mg/m3", "mg/m3", "mg/m^3", "毫克/立方米");
    exact("ug/m3", "μg/m3", "ug/m^3", "μg/m^3", "微克/立方米");
    exact(
        "m3/h",
        "m3/h",
        "m^3/h",
        "m3/hr",
        "M3/H",
        "M3/h",
        "立方米/小时",
        "立方/小时",
        "方/时",
        "m3/小时",
        "cubic meter per hour");
    exact("m3/s", "m^3/s", "立方米/秒", "M3/S");
    exact("m3/d", "m^3/d", "立方米/天", "m3/day");
    exact("m3", "m^3", "M3", "立方米", "立方", "方", "cbm");
    exact("L/s", "l/s", "升/秒", "L/S");
    exact("L/min", "l/min", "LPM", "lpm", "升/分");
    exact("L/h", "l/h", "升/小时", "L/H");
    exact("L", "升", "l", "litre", "liter");
    exact("m/s", "m/s", "米/秒", "M/S");
    exact("m/s2", "m/s^2", "m/s²", "米/秒2");
    exact("mm/s", "mm/s", "毫米/秒");
    exact("km/h", "km/h", "kmh", "kph", "KM/H", "公里/小时", "千米/小时");
    exact("[g]", "gn", "g0");
    exact("m", "米", "meter", "metre", "M");
    exact("mm", "毫米", "MM", "millimeter", "millimetre");
    exact("cm", "厘米", "CM");
    exact("km", "千米", "公里", "KM");
    exact("um/m", "με", "ue", "microstrain", "微应变", "ustrain", "μm/m");
    exact("Pa", "帕", "帕斯卡");
    exact("kPa", "千帕", "Kpa");
    exact("MPa", "兆帕", "Mpa");
    exact("bar", "巴", "Bar", "BAR");
    exact("mbar", "毫巴");
    exact("hPa", "百帕", "Hpa");
    exact("m[H2O]", "mH2O", "mH20", "米水柱");
    exact("V", "伏", "伏特", "volt", "volts");
    exact("mV", "毫伏");
    exact("kV", "千伏", "KV");
    exact("A", "安", "安培", "amp", "amps", "ampere");
    exact("mA", "毫安");
    exact("W", "瓦", "瓦特", "watt");
    exact("kW", "千瓦", "KW", "Kw");
    exact("MW", "兆瓦");
    exact("kV.A", "kVA", "KVA", "千伏安");
    exact("kV.A{var}", "kvar", "kVar", "KVAR", "Kvar", "kVAr", "千乏");
    exact("kW.h", "kWh", "KWH", "kwh", "kW·h", "kW-h", "KWh", "千瓦时", "kW*h", "kW h");
    exact("W.h", "Wh", "W·h", "瓦时");
    exact("MW.h", "MWh", "MW·h", "兆瓦时");
    exact("kV.A{var}.h", "kvarh", "kVarh", "KVARH", "千乏时");
    exact("Hz", "赫兹", "HZ", "赫");
    exact("Ohm", "Ω", "欧", "欧姆", "ohm", "ohms");
    exact("kOhm", "kΩ", "千欧");
    exact("MOhm", "MΩ", "兆欧");
    exact("s", "秒", "sec", "second", "seconds");
    exact("ms", "毫秒");
    exact("min", "分钟", "分", "minute", "minutes", "Min");
    exact("h", "小时", "时", "hr", "hour", "hours");
    exact("d", "天", "日", "day", "days");
    exact("{rpm}/min", "rpm", "RPM", "r/min", "转/分", "rev/min");
    exact("lx", "lux", "Lux", "LUX", "勒克斯");
    exact("dB{A}", "dB(A)", "dBA", "分贝", "db(A)");
    exact("dB", "db");
    exact("kg", "Kg", "KG", "公斤", "千克");
    exact("t", "吨", "ton", "tonne");
    exact("t/h", "吨/小时", "T/h");
    exact("W/m2", "W/m^2", "瓦/平方米");
    exact("m2", "m^2", "平方米");
    exact("{veh}", "辆", "veh", "vehicles", "pcu");
    exact("{veh}/h", "辆/小时", "veh/h", "辆/h", "pcu/h");
    exact("{count}", "次", "个", "times", "counts", "count", "pcs", "台");
    exact("mm/h", "毫米/小时", "mm/hr");
    EXACT.forEach((name, code) -> LOOSE.putIfAbsent(name.toLowerCase(Locale.ROOT), code));
    CODES.addAll(EXACT.values());
    CODES.forEach(code -> LOOSE.putIfAbsent(code.toLowerCase(Locale.ROOT), code));
  }

  private static void exact(String code, String... names) {
    EXACT.put(code, code);
    for (String name : names) {
      EXACT.put(name, code);
    }
  }

  private UnitNames() {}

  /**
   * What a unit's cell says.
   *
   * @param code UCUM, {@code ""} for none; {@code null} if it means something else
   * @param factor that stands before it, {@code null} for none
   * @param mend where code is {@code null}
   */
  record Unit(String code, BigDecimal factor, String mend) {}

  static Unit parse(String text) {
    // Mega and milli differ in case only, so what is written decides first.
    String plain = Text.plain(text.replace("⁻¹", "^-1")).replace('µ', 'μ').replace('／', '/');
    if (!EXACT.containsKey(plain)) {
      plain = plain.replaceFirst("^[(\\[](.*)[)\\]]$", "$1");
    }
    if (NONE.contains(plain.toLowerCase(Locale.ROOT))) {
      return new Unit("", null, null);
    }
    BigDecimal factor = null;
    Matcher before = FACTOR.matcher(plain);
    if (before.matches()) {
      factor = Cells.number(before.group(1));
      plain = before.group(2).strip();
    }
    String code = EXACT.get(plain);
    if (code == null && DECEPTIVE.containsKey(plain)) {
      return new Unit(null, factor, "write " + DECEPTIVE.get(plain));
    }
    if (code == null) {
      code = LOOSE.get(plain.toLowerCase(Locale.ROOT));
    }
    return new Unit(code == null ? plain : code, factor, null);
  }

  /** Every way of writing that is known. */
  static Set<String> names() {
    return EXACT.keySet();
  }

  /** What to write instead of something that is no unit. */
  static String mend(String unit) {
    Optional<String> near = Fields.nearest(unit, LOOSE.keySet()).map(LOOSE::get);
    return "write " + near.orElse("a UCUM code such as m, m3/h, Cel, kW.h") + " (https://ucum.org)";
  }
}
