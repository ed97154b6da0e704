package io.culvert.simulator;

import io.culvert.simulator.street.StreetException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The options of a command: {@code --name value}, or {@code --name} alone for a switch. */
public final class Options {
  private final Map<String, String> values = new HashMap<>();

  /**
   * @param known names that take a value
   * @param switches names that take none
   */
  public Options(List<String> args, List<String> known, List<String> switches)
      throws StreetException {
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      String name = arg.startsWith("--") ? arg.substring(2) : "";
      if (switches.contains(name)) {
        values.put(name, "");
      } else if (known.contains(name)) {
        if (i + 1 == args.size()) {
          throw new StreetException("found --" + name + " at the end, expected a value after it");
        }
        values.put(name, args.get(++i));
      } else {
        throw new StreetException(
            "found '" + arg + "', expected one of --" + String.join(", --", all(known, switches)));
      }
    }
  }

  private static List<String> all(List<String> known, List<String> switches) {
    return java.util.stream.Stream.concat(known.stream(), switches.stream()).sorted().toList();
  }

  /** Whether it was given. */
  public boolean has(String name) {
    return values.containsKey(name);
  }

  /** Its value, or what stands in where it wasn't given. */
  public String text(String name, String absent) {
    return values.getOrDefault(name, absent);
  }

  /** Its value; throws where it wasn't given. */
  public String required(String name) throws StreetException {
    if (!has(name)) {
      throw new StreetException("found no --" + name + ", which this command needs");
    }
    return values.get(name);
  }

  /** Its value as a whole number within bounds, both inclusive. */
  public int whole(String name, int absent, int min, int max) throws StreetException {
    if (!has(name)) {
      return absent;
    }
    try {
      int value = Integer.parseInt(values.get(name));
      if (value >= min && value <= max) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Told below, with the range.
    }
    throw new StreetException(
        "found --"
            + name
            + " "
            + values.get(name)
            + ", expected a whole number from "
            + min
            + " to "
            + max);
  }
}
