package io.culvert.tools.registermap;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** The profiles of an installation: of {@code etc/profiles}, then of the bundles in its inbox. */
final class Installed {
  private static final String HEADER = "Culvert-Profiles";
  private static final int MAX_BYTES = 1 << 20;

  private Installed() {}

  static Path folder(Path home) {
    return home.resolve("etc/profiles");
  }

  /**
   * By file name without its ending, as profiles are named. Of two with a name, the site's is
   * taken, as the gateway does.
   */
  static Map<String, byte[]> profiles(Path home) throws IOException {
    Map<String, byte[]> profiles = new TreeMap<>();
    if (Files.isDirectory(home.resolve("plugins"))) {
      try (DirectoryStream<Path> jars =
          Files.newDirectoryStream(home.resolve("plugins"), "*.jar")) {
        for (Path jar : jars) {
          read(jar, profiles);
        }
      }
    }
    if (Files.isDirectory(folder(home))) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder(home), "*.yaml")) {
        for (Path file : files) {
          profiles.put(name(file.getFileName().toString()), Files.readAllBytes(file));
        }
      }
    }
    return profiles;
  }

  private static void read(Path jar, Map<String, byte[]> profiles) throws IOException {
    try (JarFile bundle = new JarFile(jar.toFile())) {
      String folder =
          bundle.getManifest() == null
              ? null
              : bundle.getManifest().getMainAttributes().getValue(HEADER);
      if (folder == null) {
        return;
      }
      String prefix = folder.strip() + "/";
      for (Enumeration<JarEntry> entries = bundle.entries(); entries.hasMoreElements(); ) {
        JarEntry entry = entries.nextElement();
        if (entry.getName().startsWith(prefix) && entry.getName().endsWith(".yaml")) {
          try (InputStream in = bundle.getInputStream(entry)) {
            profiles.putIfAbsent(
                name(entry.getName().substring(prefix.length())), in.readNBytes(MAX_BYTES));
          }
        }
      }
    }
  }

  private static String name(String file) {
    return file.replaceFirst("\\.yaml$", "");
  }
}
