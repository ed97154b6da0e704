package io.culvert.device.opcua;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Engineering units of servers (EUInformation, Part 8, 5.6.3) as UCUM codes. What isn't known for
 * certain has no code: a person decides then. Safe in any thread.
 */
final class Units {
  /** Name space of unit ids that are common codes of UN/ECE Recommendation 20. */
  static final String UNECE = "http://www.opcfoundation.org/UA/units/un/cefact";

  /** Stands in the table for what has no unit. */
  private static final String NONE = "1";

  /** Longest name that is looked at; what a server sends may be of any length. */
  private static final int LONGEST = 40;

  private static final String TABLE = "units.txt";

  /** By common code. */
  private final Map<String, String> codes = new HashMap<>();

  /** By name, as it is written. */
  private final Map<String, String> names = new HashMap<>();

  /** By name in lower case; {@code ""} where case decides. */
  private final Map<String, String> loose = new HashMap<>();

  /** Names that may mean several things. */
  private final Set<String> doubtful = new HashSet<>();

  private static final class Loaded {
    static final Units TABLE = new Units();
  }

  /** The table, which is read at the first use. */
  static Units table() {
    return Loaded.TABLE;
  }

  private Units() {
    try (InputStream in = Units.class.getResourceAsStream(TABLE);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.isBlank() && !line.startsWith("#")) {
          entry(line);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("The table of units in this bundle can't be read", e);
    }
  }

  private void entry(String line) {
    String[] columns = line.split(" ", 3);
    boolean shy = columns[1].startsWith("!");
    String ucum = shy ? columns[1].substring(1) : columns[1];
    if (!columns[0].equals("-")) {
      codes.put(columns[0], ucum);
    }
    if (shy) {
      doubtful.add(plain(ucum));
    } else {
      name(ucum, ucum);
    }
    if (columns.length > 2) {
      for (String name : columns[2].split(" \\| ")) {
        name(name, ucum);
      }
    }
  }

  private void name(String name, String ucum) {
    String plain = plain(name);
    names.put(plain, ucum);
    loose.merge(plain.toLowerCase(Locale.ROOT), ucum, (a, b) -> a.equals(b) ? a : "");
  }

  /** Common codes of the table, each with its UCUM code; for who checks it. */
  Map<String, String> codes() {
    return Map.copyOf(codes);
  }

  /** Names of the table, each with its UCUM code; for who checks it. */
  Map<String, String> names() {
    return Map.copyOf(names);
  }

  /**
   * The UCUM code of a unit.
   *
   * @param namespace of the id; only that of UN/ECE says what it is
   * @param id up to four characters of a common code, the last in the lowest byte
   * @param display name of the unit, {@code null} for none
   * @return {@code ""} for a number without unit; {@code null} if the unit isn't known, or id and
   *     name contradict each other
   */
  String ucum(String namespace, int id, String display) {
    String byId = UNECE.equals(namespace) ? codes.get(code(id)) : null;
    String byName = display == null ? null : named(display);
    if (byId == null || byName == null) {
      return none(byId == null ? byName : byId);
    }
    // The one that says more: percent as id, relative humidity as name.
    boolean same = byId.replaceAll("\\{.*?}", "").equals(byName.replaceAll("\\{.*?}", ""));
    return same ? none(byName.contains("{") ? byName : byId) : null;
  }

  /** The UCUM code of a unit by its name; as {@link #ucum}. */
  String ucum(String display) {
    return none(named(display));
  }

  private static String none(String ucum) {
    return NONE.equals(ucum) ? "" : ucum;
  }

  private String named(String display) {
    if (display.length() > LONGEST) {
      return null;
    }
    String plain = plain(display);
    String exact = names.get(plain);
    if (exact != null || doubtful.contains(plain)) {
      return exact;
    }
    String only = loose.get(plain.toLowerCase(Locale.ROOT));
    return only == null || only.isEmpty() ? null : only;
  }

  /** The common code that an id encodes; {@code ""} if it is none. */
  static String code(int id) {
    StringBuilder code = new StringBuilder();
    for (int shift = 24; shift >= 0; shift -= 8) {
      char c = (char) (id >> shift & 0xFF);
      if (c != 0 || code.length() > 0) {
        code.append(c);
      }
    }
    return code.toString();
  }

  private static String plain(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFKC)
        .replaceAll("[\\s\\p{Z}\\p{Cf}\\p{Cntrl}]+", "")
        .replace('μ', 'u')
        .replace('−', '-')
        .replaceAll("[·⋅∙•*]", ".")
        .replace("^", "");
  }
}
