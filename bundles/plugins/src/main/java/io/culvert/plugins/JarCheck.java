package io.culvert.plugins;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;
import org.osgi.framework.VersionRange;

/**
 * What a jar must say of itself to become a plug-in: a bundle that meets the gateway through {@code
 * io.culvert.api} alone, offers no package to others, and tells whose it is, under which terms,
 * what it serves and what it opens for that.
 */
final class JarCheck {
  private static final String API = "io.culvert.api";
  private static final String OURS = "io.culvert";
  private static final String SOUTHBOUND = API + ".southbound";
  private static final String LICENCE = "Bundle-License";
  private static final String COMPONENT = "Service-Component";
  static final String SCHEMES = "Culvert-Schemes";
  private static final String OPENS = "Culvert-Opens";
  private static final String LISTENS = "Culvert-Listens";
  static final String PROFILES = "Culvert-Profiles";
  private static final String NONE = "none";

  /** As URLs have it (RFC 3986, 3.1). */
  private static final Pattern SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]{0,63}");

  private static final Pattern CODE = Pattern.compile(".*\\.(class|jar)", Pattern.CASE_INSENSITIVE);

  private static final Pattern LONE_RETURN = Pattern.compile("\\r(?!\\n)");
  private static final Pattern MEANS = Pattern.compile("[a-z][a-z0-9-]{0,31}(:[0-9]{1,5})?");
  private static final Pattern FOLDER =
      Pattern.compile("[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64}){0,7}");
  private static final int LONGEST_TEXT = 1000;

  private JarCheck() {}

  /**
   * Holds a jar's manifest against the rules.
   *
   * @param api packages of the API that this gateway has, with their versions
   */
  static Identity check(JarContent content, Map<String, Version> api) throws Refused {
    if (content.manifest() == null) {
      throw new Refused("a jar without META-INF/MANIFEST.MF", "an OSGi bundle");
    }
    Attributes main = main(content.manifest());
    if (!"2".equals(text(main, Constants.BUNDLE_MANIFESTVERSION))) {
      throw new Refused("no Bundle-ManifestVersion: 2", "an OSGi bundle, as bnd makes it");
    }
    String name = symbolicName(main);
    try {
      return check(main, name, content, api);
    } catch (Refused e) {
      throw e.of(name);
    }
  }

  private static Identity check(
      Attributes main, String name, JarContent content, Map<String, Version> api) throws Refused {
    Version version = version(main);
    String vendor =
        required(main, Constants.BUNDLE_VENDOR, "the name of whoever made it and answers for it");
    String licence =
        required(main, LICENCE, "the terms it comes under, such as Apache-2.0 or Proprietary");
    refuse(main, Constants.FRAGMENT_HOST, "no fragment: a plug-in stands for itself");
    refuse(main, Constants.EXPORT_PACKAGE, "no exported package: plug-ins don't meet each other");
    refuse(main, Constants.REQUIRE_BUNDLE, "no required bundle: a jar holds its own libraries");
    boolean drivers = imports(main, api);
    dynamicImports(main);
    List<String> schemes = list(main, SCHEMES, SCHEME, "URL schemes such as lamp, lamp-tls");
    List<String> opens = list(main, OPENS, MEANS, "words such as tcp, udp, serial or none");
    List<String> listens = list(main, LISTENS, MEANS, "words such as tcp:7001 or none");
    String profiles = profiles(main, content);
    if (drivers && schemes.isEmpty()) {
      throw new Refused(
          "Import-Package: " + SOUTHBOUND + " and no " + SCHEMES,
          SCHEMES + " with the URL schemes of its drivers, such as lamp");
    }
    if (schemes.isEmpty() && profiles.isEmpty()) {
      throw new Refused(
          "neither " + SCHEMES + " nor " + PROFILES,
          "a plug-in that brings drivers, profiles or both, and says so");
    }
    String code = schemes.isEmpty() ? code(main, content) : "";
    if (!code.isEmpty()) {
      throw new Refused(
          code + " and no " + SCHEMES,
          SCHEMES + " with the URL schemes of its drivers, such as lamp, or profiles without code");
    }
    if (!schemes.isEmpty() && main.getValue(OPENS) == null && main.getValue(LISTENS) == null) {
      throw new Refused(
          SCHEMES + " and neither " + OPENS + " nor " + LISTENS,
          "what its drivers open, such as "
              + OPENS
              + ": tcp, or listen on, such as "
              + LISTENS
              + ": tcp:7001, or none");
    }
    return new Identity(
        name,
        version,
        vendor,
        licence,
        schemes,
        opens,
        listens,
        profiles,
        main.getValue(Constants.BUNDLE_NATIVECODE) != null || !content.nativeCode().isEmpty());
  }

  /**
   * What could run, of a jar that names no scheme: without one nobody would watch it, nor put it
   * into a process of its own.
   */
  private static String code(Attributes main, JarContent content) {
    for (String header : List.of(Constants.BUNDLE_ACTIVATOR, COMPONENT)) {
      if (main.getValue(header) != null) {
        return header + ": " + JarContent.shown(main.getValue(header));
      }
    }
    return content.entries().stream()
        .filter(entry -> CODE.matcher(entry).matches() || entry.equals(content.nativeCode()))
        .findFirst()
        .map(JarContent::shown)
        .orElse("");
  }

  /** The main section; of a header that stands twice readers take one or the other. */
  private static Attributes main(byte[] manifest) throws Refused {
    String text = new String(manifest, StandardCharsets.UTF_8);
    // The JDK ends a line there, the framework doesn't.
    if (LONE_RETURN.matcher(text).find()) {
      throw new Refused(
          "a carriage return without a line feed in META-INF/MANIFEST.MF",
          "lines that end as jar and bnd end them");
    }
    Set<String> seen = new HashSet<>();
    for (String line : text.split("\r\n|\n", -1)) {
      if (line.isEmpty()) {
        break;
      }
      int colon = line.indexOf(':');
      if (!line.startsWith(" ")
          && colon > 0
          && !seen.add(line.substring(0, colon).toLowerCase(Locale.ROOT))) {
        throw new Refused(
            "the header " + JarContent.shown(line.substring(0, colon)) + " twice",
            "each header of META-INF/MANIFEST.MF once");
      }
    }
    try {
      return new Manifest(new ByteArrayInputStream(manifest)).getMainAttributes();
    } catch (IOException | IllegalArgumentException e) {
      throw new Refused(
          "a META-INF/MANIFEST.MF that can't be read (" + e.getMessage() + ")", "an OSGi bundle");
    }
  }

  private static String symbolicName(Attributes main) throws Refused {
    String header = main.getValue(Constants.BUNDLE_SYMBOLICNAME);
    var names = Header.parse(header);
    if (names.size() != 1 || names.get(0).paths().size() != 1) {
      throw new Refused(
          header == null
              ? "no Bundle-SymbolicName"
              : "Bundle-SymbolicName: " + JarContent.shown(header),
          "one name");
    }
    String name = names.get(0).paths().get(0);
    if (!name.matches("[A-Za-z0-9_.-]{1,200}")) {
      throw new Refused(
          "Bundle-SymbolicName: " + JarContent.shown(name), "letters, digits, '.', '_' and '-'");
    }
    return name;
  }

  private static Version version(Attributes main) throws Refused {
    String version = text(main, Constants.BUNDLE_VERSION);
    if (version == null) {
      throw new Refused("no Bundle-Version", "one, such as 1.0.0: upgrades go by it");
    }
    try {
      return Version.parseVersion(version);
    } catch (IllegalArgumentException e) {
      throw new Refused("Bundle-Version: " + JarContent.shown(version), "a version such as 1.0.0");
    }
  }

  /**
   * @return whether it can have drivers
   */
  private static boolean imports(Attributes main, Map<String, Version> api) throws Refused {
    boolean drivers = false;
    for (Header.Clause clause : Header.parse(main.getValue(Constants.IMPORT_PACKAGE))) {
      for (String name : clause.paths()) {
        if (!within(name, OURS)) {
          continue;
        }
        if (!ofApi(name)) {
          throw new Refused(
              "Import-Package: " + JarContent.shown(name),
              "of the gateway's own packages only those of " + API);
        }
        VersionRange range = range(name, clause);
        if (!"optional".equals(clause.parameters().get("resolution:"))) {
          fits(name, range, api);
        }
        drivers |= within(name, SOUTHBOUND);
      }
    }
    return drivers;
  }

  private static VersionRange range(String name, Header.Clause clause) throws Refused {
    String text = clause.parameters().getOrDefault("version", "");
    try {
      VersionRange range = text.isEmpty() ? null : VersionRange.valueOf(text);
      if (range != null && range.getRight() != null) {
        return range;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new Refused(
        "Import-Package: " + JarContent.shown(name + ";version=\"" + text + "\""),
        "a range with an upper end such as [1.0,2)");
  }

  private static void fits(String name, VersionRange range, Map<String, Version> api)
      throws Refused {
    Version has = api.get(name);
    if (has != null && range.includes(has)) {
      return;
    }
    String packageName = JarContent.shown(name);
    if (has == null || has.compareTo(range.getLeft()) <= 0) {
      throw Refused.because(
          "it needs %s %s, this gateway has %s: upgrade the gateway or take an older version of the"
                  .formatted(packageName, shown(range.getLeft()), has == null ? "none" : shown(has))
              + " plug-in");
    }
    throw Refused.because(
        "it was made for %s below %s, this gateway has %s: take a newer version of the plug-in"
            .formatted(packageName, shown(range.getRight()), shown(has)));
  }

  private static String shown(Version version) {
    return version.getMicro() == 0
        ? version.getMajor() + "." + version.getMinor()
        : version.getMajor() + "." + version.getMinor() + "." + version.getMicro();
  }

  private static void dynamicImports(Attributes main) throws Refused {
    for (Header.Clause clause : Header.parse(main.getValue(Constants.DYNAMICIMPORT_PACKAGE))) {
      for (String name : clause.paths()) {
        boolean any = name.endsWith("*");
        String prefix = any ? name.substring(0, name.length() - 1) : name;
        if (name.startsWith(OURS) || any && (OURS + ".").startsWith(prefix)) {
          throw new Refused(
              "DynamicImport-Package: " + JarContent.shown(name),
              "Import-Package with a version range, so that an API that doesn't fit is refused");
        }
      }
    }
  }

  private static List<String> list(Attributes main, String header, Pattern word, String expected)
      throws Refused {
    String value = main.getValue(header);
    if (value == null) {
      return List.of();
    }
    List<String> words =
        Header.parse(value).stream().flatMap(clause -> clause.paths().stream()).toList();
    boolean right = !words.isEmpty() && words.stream().allMatch(w -> word.matcher(w).matches());
    if (!right || words.contains(NONE) && (words.size() > 1 || header.equals(SCHEMES))) {
      throw new Refused(header + ": " + JarContent.shown(value), expected);
    }
    return words.contains(NONE)
        ? List.of()
        : words.stream().map(w -> w.toLowerCase(Locale.ROOT)).toList();
  }

  private static String profiles(Attributes main, JarContent content) throws Refused {
    String folder = text(main, PROFILES);
    if (folder == null) {
      return "";
    }
    if (!FOLDER.matcher(folder).matches()) {
      throw new Refused(
          PROFILES + ": " + JarContent.shown(folder), "a folder of the jar, such as profiles");
    }
    boolean any =
        content.entries().stream()
            .anyMatch(
                entry ->
                    entry.startsWith(folder + "/")
                        && entry.endsWith(".yaml")
                        && entry.indexOf('/', folder.length() + 1) < 0);
    if (!any) {
      throw new Refused(
          PROFILES + ": " + folder + " and no file " + folder + "/*.yaml in the jar",
          "at least one profile there");
    }
    return folder;
  }

  private static String required(Attributes main, String header, String expected) throws Refused {
    String value = text(main, header);
    if (value == null || value.isEmpty()) {
      throw new Refused("no " + header, expected);
    }
    if (value.length() > LONGEST_TEXT || !value.equals(value.replaceAll("[\\p{Cc}\\p{Cf}]", ""))) {
      throw new Refused(
          header + ": " + JarContent.shown(value),
          "at most " + LONGEST_TEXT + " characters that can be printed");
    }
    return value;
  }

  private static void refuse(Attributes main, String header, String expected) throws Refused {
    String value = main.getValue(header);
    if (value != null && !value.isBlank()) {
      throw new Refused(header + ": " + JarContent.shown(value), expected);
    }
  }

  /** Whether a package is the API's. */
  static boolean ofApi(String name) {
    return within(name, API);
  }

  private static boolean within(String name, String prefix) {
    return name.equals(prefix) || name.startsWith(prefix + ".");
  }

  private static String text(Attributes main, String header) {
    String value = main.getValue(header);
    return value == null ? null : value.strip();
  }
}
