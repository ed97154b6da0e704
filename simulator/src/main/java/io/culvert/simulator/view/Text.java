package io.culvert.simulator.view;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Texts that fit their column, whatever characters they are of. */
public final class Text {
  private static final Map<String, String> UNITS =
      Map.ofEntries(
          Map.entry("um/m", "µm/m"),
          Map.entry("Cel", "°C"),
          Map.entry("[degF]", "°F"),
          Map.entry("deg", "°"),
          Map.entry("%{vol}", "% vol"),
          Map.entry("[ppm]", "ppm"),
          Map.entry("[pH]", "pH"),
          Map.entry("[NTU]", "NTU"),
          Map.entry("m3", "m³"),
          Map.entry("m3/h", "m³/h"),
          Map.entry("m3/s", "m³/s"),
          Map.entry("m/s2", "m/s²"),
          Map.entry("kW.h", "kWh"),
          Map.entry("uS/cm", "µS/cm"),
          Map.entry("ug/m3", "µg/m³"),
          Map.entry("mg/m3", "mg/m³"));

  private Text() {}

  /** How many columns a terminal gives a text: East Asian wide characters take two. */
  public static int width(String text) {
    int width = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      width += wide(c) ? 2 : 1;
      i += Character.charCount(c);
    }
    return width;
  }

  private static boolean wide(int c) {
    return c >= 0x1100
        && (c <= 0x115F
            || (c >= 0x2E80 && c <= 0xA4CF)
            || (c >= 0xAC00 && c <= 0xD7A3)
            || (c >= 0xF900 && c <= 0xFAFF)
            || (c >= 0xFE30 && c <= 0xFE6F)
            || (c >= 0xFF00 && c <= 0xFF60)
            || (c >= 0xFFE0 && c <= 0xFFE6)
            || c >= 0x1F300);
  }

  /** The beginning of a text, no wider than so. */
  public static String cut(String text, int width) {
    if (width(text) <= width) {
      return text;
    }
    StringBuilder cut = new StringBuilder();
    int used = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      used += wide(c) ? 2 : 1;
      if (used > width - 1) {
        break;
      }
      cut.appendCodePoint(c);
      i += Character.charCount(c);
    }
    return cut.append('…').toString();
  }

  public static String left(String text, int width) {
    String cut = cut(text, width);
    return cut + " ".repeat(Math.max(0, width - width(cut)));
  }

  public static String right(String text, int width) {
    String cut = cut(text, width);
    return " ".repeat(Math.max(0, width - width(cut))) + cut;
  }

  /** A unit as people write it, from its UCUM code. */
  public static String unit(String ucum) {
    return UNITS.getOrDefault(ucum, ucum);
  }

  /** A value as people write it. */
  public static String value(Object value) {
    if (value instanceof Double number) {
      if (number.isNaN() || number.isInfinite()) {
        return number.toString();
      }
      BigDecimal rounded =
          new BigDecimal(number.toString()).round(new MathContext(Math.abs(number) < 1e6 ? 6 : 10));
      String plain = rounded.stripTrailingZeros().toPlainString();
      return number == 0 ? "0" : plain;
    }
    if (value instanceof Map<?, ?> event && event.get("message") instanceof String message) {
      return message;
    }
    return value == null ? "–" : value.toString();
  }

  /** A count with thin groups: 12 345. */
  public static String count(double number) {
    return Double.isNaN(number)
        ? "–"
        : String.format(Locale.ROOT, "%,d", Math.round(number)).replace(',', ' ');
  }

  /** An age in milliseconds, short. */
  public static String age(long millis) {
    if (millis < 0) {
      return "0.0 s";
    }
    if (millis < 60_000) {
      return String.format(Locale.ROOT, "%.1f s", millis / 1e3);
    }
    return millis < 3_600_000 ? millis / 60_000 + " min" : millis / 3_600_000 + " h";
  }

  /** Seconds as a clock: 01:23, or 1:02:03. */
  public static String clock(long seconds) {
    return seconds < 3600
        ? String.format(Locale.ROOT, "%02d:%02d", seconds / 60, seconds % 60)
        : String.format(
            Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  /** A line of little bars, the greatest value full. */
  public static String bars(List<Double> values) {
    double most = values.stream().mapToDouble(Double::doubleValue).max().orElse(0);
    StringBuilder bars = new StringBuilder();
    for (double value : values) {
      int height = most <= 0 ? 0 : (int) Math.ceil(value / most * 8);
      bars.append(height == 0 ? ' ' : (char) ('\u2580' + height));
    }
    return bars.toString();
  }
}
