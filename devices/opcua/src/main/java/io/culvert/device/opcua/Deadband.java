package io.culvert.device.opcua;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A change that the server need not tell (OPC 10000-4, 7.22.2; OPC 10000-8, 6.2).
 *
 * @param value in the point's own unit, or in percent of its EURange; above 0
 */
record Deadband(double value, boolean percent) {
  static final String EXPECTED = "a number above 0, or a percentage of the range such as 2%";
  private static final Pattern FORM = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(%?)");

  static Optional<Deadband> parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    double value = Double.parseDouble(matcher.group(1));
    boolean percent = !matcher.group(2).isEmpty();
    boolean fits = value > 0 && value < 1e300 && !(percent && value > 100);
    return fits ? Optional.of(new Deadband(value, percent)) : Optional.empty();
  }
}
