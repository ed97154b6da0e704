package io.culvert.simulator.street;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * As much of UCUM as the street needs, written apart from the gateway's: two units measure the same
 * if their dimensions agree, and then a value converts by {@code (value + shift) * factor}. Units
 * that aren't known here measure the same only as themselves.
 */
public record Ucum(Map<String, Integer> dimension, double factor, double shift) {
  private static final Pattern COMPONENT =
      Pattern.compile("([A-Za-z%]*(?:\\[[^]]+])?)(\\{[^}]*})?(-?\\d+)?");
  private static final Map<String, Double> PREFIXES =
      Map.ofEntries(
          Map.entry("n", 1e-9),
          Map.entry("u", 1e-6),
          Map.entry("m", 1e-3),
          Map.entry("c", 1e-2),
          Map.entry("d", 1e-1),
          Map.entry("h", 1e2),
          Map.entry("k", 1e3),
          Map.entry("M", 1e6),
          Map.entry("G", 1e9));
  private static final Map<String, Ucum> ATOMS =
      Map.ofEntries(
          atom("m", 1, "m", 1),
          atom("s", 1, "s", 1),
          atom("g", 1e-3, "kg", 1),
          atom("A", 1, "A", 1),
          atom("K", 1, "K", 1),
          atom("min", 60, "s", 1),
          atom("h", 3600, "s", 1),
          atom("d", 86400, "s", 1),
          atom("Hz", 1, "s", -1),
          atom("L", 1e-3, "m", 3),
          atom("l", 1e-3, "m", 3),
          atom("N", 1, "kg", 1, "m", 1, "s", -2),
          atom("Pa", 1, "kg", 1, "m", -1, "s", -2),
          atom("bar", 1e5, "kg", 1, "m", -1, "s", -2),
          atom("J", 1, "kg", 1, "m", 2, "s", -2),
          atom("W", 1, "kg", 1, "m", 2, "s", -3),
          atom("V", 1, "kg", 1, "m", 2, "s", -3, "A", -1),
          atom("deg", Math.PI / 180),
          atom("rad", 1),
          atom("%", 1e-2),
          atom("[ppm]", 1e-6),
          atom("[ppth]", 1e-3),
          Map.entry("Cel", new Ucum(Map.of("K", 1), 1, 273.15)),
          Map.entry("[degF]", new Ucum(Map.of("K", 1), 5.0 / 9, 459.67)));

  /** Converts a value, or answers NaN if the units don't measure the same. */
  public static double convert(double value, String from, String to) {
    if (from.equals(to)) {
      return value;
    }
    Ucum source = parse(from);
    Ucum target = parse(to);
    if (source == null || target == null || !source.dimension.equals(target.dimension)) {
      return Double.NaN;
    }
    return (value + source.shift) * source.factor / target.factor - target.shift;
  }

  private static Ucum parse(String unit) {
    Map<String, Integer> dimension = new HashMap<>();
    double factor = 1;
    double shift = 0;
    int sign = 1;
    int at = 0;
    while (at < unit.length()) {
      Matcher matcher = COMPONENT.matcher(unit).region(at, unit.length());
      if (!matcher.lookingAt() || matcher.end() == at) {
        return null;
      }
      String symbol = matcher.group(1);
      Ucum atom = symbol.isEmpty() ? new Ucum(Map.of(), 1, 0) : find(symbol);
      if (atom == null || (atom.shift != 0 && matcher.end() - at != unit.length())) {
        return null;
      }
      int power = sign * (matcher.group(3) == null ? 1 : Integer.parseInt(matcher.group(3)));
      factor *= Math.pow(atom.factor, power);
      shift = atom.shift;
      atom.dimension.forEach(
          (base, exponent) -> dimension.merge(base, exponent * power, Ucum::sum));
      at = matcher.end();
      if (at < unit.length()) {
        sign = unit.charAt(at) == '/' ? -1 : 1;
        if (sign == 1 && unit.charAt(at) != '.') {
          return null;
        }
        at++;
      }
    }
    return new Ucum(dimension, factor, shift);
  }

  private static Integer sum(Integer one, Integer other) {
    return one + other == 0 ? null : Integer.valueOf(one + other);
  }

  private static Ucum find(String symbol) {
    Ucum atom = ATOMS.get(symbol);
    if (atom != null || symbol.length() < 2) {
      return atom;
    }
    Double prefix = PREFIXES.get(symbol.substring(0, 1));
    Ucum rest = ATOMS.get(symbol.substring(1));
    return prefix == null || rest == null || rest.shift != 0
        ? null
        : new Ucum(rest.dimension, prefix * rest.factor, 0);
  }

  private static Map.Entry<String, Ucum> atom(String symbol, double factor, Object... dimension) {
    Map<String, Integer> exponents = new HashMap<>();
    for (int i = 0; i < dimension.length; i += 2) {
      exponents.put((String) dimension[i], (Integer) dimension[i + 1]);
    }
    return Map.entry(symbol, new Ucum(exponents, factor, 0));
  }
}
