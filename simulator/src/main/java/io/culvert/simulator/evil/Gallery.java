package io.culvert.simulator.evil;

import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Some of the evil plug-ins, with three devices each, one for each way to fail. */
public final class Gallery {
  /** Without any. */
  public static final Gallery NONE = new Gallery(List.of());

  private static final int DEVICES_EACH = 3;
  private static final String PACKAGE = Gallery.class.getPackageName() + ".plugin";
  private static final String FOLDER = PACKAGE.replace('.', '/');
  private static final String BASE = "EvilDriver";
  private static final String API = "[1.0,2)";

  private final List<Evil> evils;

  private Gallery(List<Evil> evils) {
    this.evils = List.copyOf(evils);
  }

  /**
   * Chooses.
   *
   * @param words {@code all}, {@code none}, or names with commas between
   */
  public static Gallery of(String words) throws StreetException {
    if (words.equals("none")) {
      return NONE;
    }
    if (words.equals("all")) {
      return new Gallery(List.of(Evil.values()));
    }
    List<Evil> chosen = new ArrayList<>();
    for (String word : words.split(",")) {
      chosen.add(
          Evil.named(word.strip())
              .orElseThrow(
                  () ->
                      new StreetException(
                          "found --evil with '"
                              + word
                              + "', expected all, none, or some of "
                              + Evil.keys()
                              + " with commas between")));
    }
    return new Gallery(chosen);
  }

  /**
   * A device of the gallery.
   *
   * @param endpoint as the site document has it
   */
  public record Resident(Evil evil, String id, String profile, String endpoint) {}

  public List<Evil> evils() {
    return evils;
  }

  /**
   * The devices.
   *
   * @param port where something listens for those that connect; no other is said to be there, so
   *     that the gateway can tell whose connections they are
   */
  public List<Resident> residents(int port) {
    List<Resident> residents = new ArrayList<>();
    for (Evil evil : evils) {
      for (int way = 1; way <= DEVICES_EACH; way++) {
        residents.add(
            new Resident(
                evil,
                evil.scheme() + "-" + way,
                evil.scheme(),
                evil.scheme()
                    + "://127.0.0.1:"
                    + (evil == Evil.SOCKETS ? port : 9)
                    + "?way="
                    + way));
      }
    }
    return residents;
  }

  /** Ids of all devices. */
  public Set<String> devices() {
    return residents(0).stream().map(Resident::id).collect(Collectors.toCollection(TreeSet::new));
  }

  /** Packs each plug-in into a jar of its own. */
  public void writeInto(Path folder) throws IOException {
    for (Evil evil : evils) {
      pack(evil, folder.resolve(evil.scheme() + ".jar"));
    }
  }

  private static void pack(Evil evil, Path file) throws IOException {
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file), manifest(evil))) {
      for (String name : classes(evil.driver())) {
        jar.putNextEntry(new JarEntry(FOLDER + "/" + name));
        try (InputStream in = Gallery.class.getResourceAsStream("/" + FOLDER + "/" + name)) {
          in.transferTo(jar);
        }
      }
      write(jar, "OSGI-INF/driver.xml", component(evil));
      write(jar, "profiles/" + evil.scheme() + ".yaml", profile(evil));
    }
  }

  private static void write(JarOutputStream jar, String name, String text) throws IOException {
    jar.putNextEntry(new JarEntry(name));
    jar.write(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Manifest manifest(Evil evil) {
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.putValue("Bundle-ManifestVersion", "2");
    main.putValue("Bundle-SymbolicName", evil.plugin());
    main.putValue("Bundle-Version", "1.0.0");
    main.putValue("Bundle-Vendor", "Evil Devices");
    main.putValue("Bundle-License", "Apache-2.0");
    main.putValue(
        "Import-Package",
        "io.culvert.api;version=\"%1$s\",io.culvert.api.southbound;version=\"%1$s\""
            .formatted(API));
    main.putValue("Service-Component", "OSGI-INF/driver.xml");
    main.putValue("Culvert-Schemes", evil.scheme());
    main.putValue("Culvert-Opens", evil == Evil.SOCKETS ? "tcp" : "none");
    main.putValue("Culvert-Listens", "none");
    main.putValue("Culvert-Profiles", "profiles");
    return manifest;
  }

  private static String component(Evil evil) {
    return """
        <?xml version="1.0" encoding="UTF-8"?>
        <scr:component xmlns:scr="http://www.osgi.org/xmlns/scr/v1.3.0" name="%s"%s>
          <property name="scheme" value="%s"/>
          <service><provide interface="io.culvert.api.southbound.Driver"/></service>
          <implementation class="%s.%s"/>
        </scr:component>
        """
        .formatted(
            evil.plugin(),
            evil == Evil.BLOCKS_STOP ? " deactivate=\"stop\"" : "",
            evil.scheme(),
            PACKAGE,
            evil.driver());
  }

  private static String profile(Evil evil) {
    return """
        schema: culvert-profile/1
        id: %1$s
        title: {en: "Evil device: %2$s", zh-CN: "恶意设备：%2$s"}
        scheme: %1$s
        interval: 1s
        points:
          - {id: level, title: {en: Level, zh-CN: 液位}, address: level, type: float64, unit: m}
          - {id: count, title: {en: Count, zh-CN: 计数}, address: count, type: int64}
          - {id: word, title: {en: Word, zh-CN: 文字}, address: word, type: text, class: state}
        """
        .formatted(evil.scheme(), evil.key());
  }

  /** The class files that a driver needs: its own, what is nested in it, and what all share. */
  private static List<String> classes(String driver) throws IOException {
    try {
      Path source =
          Path.of(Gallery.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      if (Files.isDirectory(source)) {
        return classes(driver, source);
      }
      try (FileSystem jar = FileSystems.newFileSystem(source)) {
        return classes(driver, jar.getPath("/"));
      }
    } catch (URISyntaxException e) {
      throw new IOException(e);
    }
  }

  private static List<String> classes(String driver, Path root) throws IOException {
    try (Stream<Path> files = Files.list(root.resolve(FOLDER))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(
              name ->
                  Stream.of(BASE, driver)
                      .anyMatch(c -> name.equals(c + ".class") || name.startsWith(c + "$")))
          .sorted()
          .toList();
    }
  }
}
