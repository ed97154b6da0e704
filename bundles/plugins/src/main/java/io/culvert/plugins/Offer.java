package io.culvert.plugins;

import io.culvert.api.service.Monitor.DeviceStatus;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a plug-in has for devices.
 *
 * @param schemes in lower case
 * @param profiles ids, and perhaps more words that aren't
 */
record Offer(Set<String> schemes, Set<String> profiles) {
  static final Offer NONE = new Offer(Set.of(), Set.of());

  private static final int MOST_BYTES = 4 << 20;

  /**
   * Ids in a profile, its own and those of its points: reading YAML is the core's affair, and a
   * device that is watched in vain does no harm.
   */
  private static final Pattern ID =
      Pattern.compile("\\bid[\"']?\\s*:\\s*[\"']?([a-z0-9][a-z0-9._-]*)");

  Offer {
    schemes = Set.copyOf(schemes);
    profiles = Set.copyOf(profiles);
  }

  /** Of a jar that has been checked. */
  static Offer of(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile(), false)) {
      Attributes main = file.getManifest().getMainAttributes();
      Set<String> schemes = new HashSet<>();
      for (Header.Clause clause : Header.parse(main.getValue(JarCheck.SCHEMES))) {
        clause.paths().forEach(scheme -> schemes.add(scheme.toLowerCase(Locale.ROOT)));
      }
      Set<String> profiles = new HashSet<>();
      String folder = main.getValue(JarCheck.PROFILES);
      if (folder != null) {
        String prefix = folder.strip().replaceFirst("^/", "").replaceFirst("/?$", "/");
        List<JarEntry> entries = new ArrayList<>();
        file.stream()
            .filter(e -> e.getName().startsWith(prefix) && e.getName().endsWith(".yaml"))
            .forEach(entries::add);
        for (JarEntry entry : entries) {
          try (InputStream in = file.getInputStream(entry)) {
            Matcher id = ID.matcher(new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8));
            while (id.find()) {
              profiles.add(id.group(1));
            }
          }
        }
      }
      return new Offer(schemes, profiles);
    }
  }

  Offer and(Offer other) {
    Set<String> bothSchemes = new HashSet<>(schemes);
    bothSchemes.addAll(other.schemes);
    Set<String> bothProfiles = new HashSet<>(profiles);
    bothProfiles.addAll(other.profiles);
    return new Offer(bothSchemes, bothProfiles);
  }

  /** Whether a device uses any of it. */
  boolean serves(DeviceStatus device) {
    return schemes.contains(scheme(device)) || profiles.contains(device.profile());
  }

  static String scheme(DeviceStatus device) {
    int colon = device.endpoint().indexOf(':');
    return colon < 0 ? "" : device.endpoint().substring(0, colon).toLowerCase(Locale.ROOT);
  }
}
