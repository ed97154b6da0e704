package io.culvert.plugins;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.CRC32;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;
import org.osgi.framework.VersionRange;

/**
 * What a jar must be to become a plug-in: whole, a bundle, and one that meets the gateway through
 * {@code io.culvert.api} alone and offers no package to others.
 */
final class JarCheck {
  private static final String API = "io.culvert.api";
  private static final String OURS = "io.culvert";
  private static final String SCHEMES = "Culvert-Schemes";
  private static final String OPENS = "Culvert-Opens";
  private static final String LISTENS = "Culvert-Listens";
  private static final String PROFILES = "Culvert-Profiles";

  private JarCheck() {}

  /**
   * Reads the jar from end to end.
   *
   * @throws Unreadable if it isn't a whole jar, which it may yet become while it is copied
   */
  static Identity check(Path jar) throws Unreadable, Refused {
    Attributes main;
    // Multi-release content doesn't matter here, and a signature is another check's business.
    try (JarFile file = new JarFile(jar.toFile(), false)) {
      readAll(file);
      Manifest manifest = file.getManifest();
      if (manifest == null) {
        throw new Refused("a jar without META-INF/MANIFEST.MF", "an OSGi bundle");
      }
      main = manifest.getMainAttributes();
    } catch (IOException e) {
      throw new Unreadable(e);
    } catch (IllegalArgumentException | SecurityException e) {
      throw new Unreadable(new IOException(e));
    }
    Identity identity = identity(main);
    refuse(main, Constants.FRAGMENT_HOST, "no fragment: a plug-in stands for itself");
    refuse(main, Constants.EXPORT_PACKAGE, "no exported package: plug-ins don't meet each other");
    imports(main);
    for (Header.Clause clause : Header.parse(main.getValue(Constants.REQUIRE_BUNDLE))) {
      for (String name : clause.paths()) {
        if (within(name, OURS)) {
          throw new Refused(
              "Require-Bundle: " + name, "Import-Package of " + API + " packages instead");
        }
      }
    }
    for (Header.Clause clause : Header.parse(main.getValue(Constants.DYNAMICIMPORT_PACKAGE))) {
      for (String name : clause.paths()) {
        if (name.equals("*") || name.startsWith(OURS)) {
          throw new Refused(
              "DynamicImport-Package: " + name,
              "Import-Package with a version range, so that an API that doesn't fit is refused");
        }
      }
    }
    return identity;
  }

  private static Identity identity(Attributes main) throws Refused {
    if (!"2".equals(strip(main.getValue(Constants.BUNDLE_MANIFESTVERSION)))) {
      throw new Refused("no Bundle-ManifestVersion: 2", "an OSGi bundle, as bnd makes it");
    }
    var names = Header.parse(main.getValue(Constants.BUNDLE_SYMBOLICNAME));
    if (names.size() != 1 || names.get(0).paths().size() != 1) {
      throw new Refused(
          "Bundle-SymbolicName: " + main.getValue(Constants.BUNDLE_SYMBOLICNAME), "one name");
    }
    String name = names.get(0).paths().get(0);
    if (!name.matches("[A-Za-z0-9_.-]{1,200}")) {
      throw new Refused("Bundle-SymbolicName: " + name, "letters, digits, '.', '_' and '-'");
    }
    String version = main.getValue(Constants.BUNDLE_VERSION);
    try {
      if (version == null) {
        throw new Refused("no Bundle-Version", "one, such as 1.0.0: upgrades go by it");
      }
      return new Identity(
          name,
          Version.parseVersion(version),
          main.getValue(Constants.BUNDLE_VENDOR) == null
              ? ""
              : main.getValue(Constants.BUNDLE_VENDOR).strip(),
          main.getValue("Bundle-License") == null ? "" : main.getValue("Bundle-License").strip(),
          paths(main, SCHEMES),
          paths(main, OPENS),
          paths(main, LISTENS),
          main.getValue(PROFILES) == null ? "" : main.getValue(PROFILES).strip(),
          main.getValue(Constants.BUNDLE_NATIVECODE) != null);
    } catch (IllegalArgumentException e) {
      throw new Refused("Bundle-Version: " + version, "a version such as 1.0.0");
    }
  }

  private static List<String> paths(Attributes main, String header) {
    return Header.parse(main.getValue(header)).stream()
        .flatMap(clause -> clause.paths().stream())
        .toList();
  }

  private static void imports(Attributes main) throws Refused {
    for (Header.Clause clause : Header.parse(main.getValue(Constants.IMPORT_PACKAGE))) {
      for (String name : clause.paths()) {
        if (!within(name, OURS)) {
          continue;
        }
        if (!within(name, API)) {
          throw new Refused(
              "Import-Package: " + name, "of the gateway's own packages only those of " + API);
        }
        String range = clause.parameters().getOrDefault("version", "");
        if (!bounded(range)) {
          throw new Refused(
              "Import-Package: " + name + ";version=\"" + range + "\"",
              "a range with an upper end such as [1.0,2)");
        }
      }
    }
  }

  private static boolean bounded(String range) {
    try {
      return !range.isEmpty() && VersionRange.valueOf(range).getRight() != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static void refuse(Attributes main, String header, String expected) throws Refused {
    String value = main.getValue(header);
    if (value != null && !value.isBlank()) {
      throw new Refused(header + ": " + Header.parse(value).get(0).paths().get(0), expected);
    }
  }

  private static boolean within(String name, String prefix) {
    return name.equals(prefix) || name.startsWith(prefix + ".");
  }

  private static String strip(String value) {
    return value == null ? null : value.strip();
  }

  /** JarFile itself doesn't hold content against its checksum. */
  private static void readAll(JarFile file) throws IOException {
    byte[] chunk = new byte[1 << 16];
    Iterator<JarEntry> entries = file.entries().asIterator();
    while (entries.hasNext()) {
      JarEntry entry = entries.next();
      CRC32 crc = new CRC32();
      try (InputStream in = file.getInputStream(entry)) {
        for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
          crc.update(chunk, 0, n);
        }
      }
      if (entry.getCrc() != -1 && entry.getCrc() != crc.getValue()) {
        throw new IOException("checksum of " + entry.getName() + " is wrong");
      }
    }
  }

  /** Not a whole jar. */
  static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1;

    Unreadable(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }
}
