package io.culvert.core.site;

import io.culvert.api.service.Generations.Plugin;
import io.culvert.core.document.Faults;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import io.culvert.core.document.YamlReader;
import io.culvert.core.profile.ProfileRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import javax.xml.stream.XMLStreamException;

/**
 * Checks an installation's {@code etc} as the gateway would read it, without running one and
 * without changing anything: what the bundles of {@code system} and {@code plugins} declare is read
 * from their jars.
 */
public final class SiteCheck {
  private SiteCheck() {}

  /**
   * @param home of the installation
   * @return what is wrong, one line each; empty if nothing
   */
  public static List<String> check(Path home) throws IOException {
    ProfileRegistry profiles = new ProfileRegistry();
    Metatypes metatypes = new Metatypes();
    long number = 0;
    for (String folder : List.of("system", "plugins")) {
      for (Path jar : files(home.resolve(folder), ".jar")) {
        jar(jar, ++number, profiles, metatypes);
      }
    }
    Map<String, byte[]> own = new LinkedHashMap<>();
    for (Path file : files(home.resolve("etc/profiles"), ".yaml")) {
      own.put("etc/profiles/" + file.getFileName(), read(file, YamlReader.MAX_BYTES));
    }
    profiles.site(own);
    Path file = home.resolve("etc/site.json");
    Faults faults = new Faults("etc/site.json");
    List<String> problems = new ArrayList<>();
    if (!Files.isReadable(file)) {
      faults.file("nothing that can be read", "the site document");
      problems.addAll(faults.lines());
    } else {
      SiteDocument document = SiteDocument.read(read(file, JsonReader.MAX_BYTES), faults);
      problems.addAll(faults.lines());
      if (document != null) {
        problems.addAll(Derivation.of(document, metatypes).faults().lines());
        SiteKeeper.entries(document, profiles.snapshot(), problems);
        SiteKeeper.own(profiles.snapshot(), problems);
      }
    }
    problems.addAll(profiles.snapshot().problems());
    return List.copyOf(problems);
  }

  /**
   * Plug-ins in force by symbolic name, also while a gateway runs on this data directory; empty if
   * there are none.
   */
  public static Map<String, Plugin> plugins(Path data) throws IOException {
    return GenerationStore.peek(data.resolve("generations"));
  }

  /** Whether an installation's site document allows unsigned plug-ins. */
  public static boolean allowsUnsigned(Path home) throws IOException {
    Path file = home.resolve("etc/site.json");
    if (!Files.isReadable(file)) {
      return false;
    }
    SiteDocument document =
        SiteDocument.read(read(file, JsonReader.MAX_BYTES), new Faults("etc/site.json"));
    return document != null
        && document.plugins() != null
        && document.plugins().members().get("allowUnsigned") instanceof Node.Bool allowed
        && allowed.value();
  }

  private static void jar(Path jar, long number, ProfileRegistry profiles, Metatypes metatypes)
      throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    Map<String, Metatype> declared = new HashMap<>();
    try (JarFile bundle = new JarFile(jar.toFile())) {
      Manifest manifest = bundle.getManifest();
      String folder =
          manifest == null ? null : manifest.getMainAttributes().getValue(SiteService.PROFILES);
      for (JarEntry entry : (Iterable<JarEntry>) bundle.stream()::iterator) {
        String name = entry.getName();
        if (folder != null && within(name, folder.strip(), ".yaml")) {
          try (InputStream in = bundle.getInputStream(entry)) {
            files.put(jar.getFileName() + "!/" + name, in.readNBytes(YamlReader.MAX_BYTES + 1));
          }
        } else if (within(name, SiteService.METATYPE, ".xml")) {
          try (InputStream in = bundle.getInputStream(entry)) {
            declared.putAll(Metatype.read(in));
          } catch (XMLStreamException e) {
            throw new IOException(jar + ": " + name + " is no Metatype resource", e);
          }
        }
      }
    }
    profiles.bundle(number, files);
    metatypes.bundle(number, declared);
  }

  private static boolean within(String name, String folder, String ending) {
    return name.startsWith(folder + "/")
        && name.indexOf('/', folder.length() + 1) < 0
        && name.endsWith(ending);
  }

  private static List<Path> files(Path folder, String ending) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(file -> file.getFileName().toString().endsWith(ending))
          .sorted()
          .toList();
    }
  }

  private static byte[] read(Path file, int limit) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(limit + 1);
    }
  }
}
