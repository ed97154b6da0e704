package io.culvert.tests.endtoend;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/** A shipped plug-in with something changed, and so without a signature. */
final class PluginJar {
  private final JarFile shipped;
  private final Manifest manifest;
  private Class<?>[] more = {};

  private PluginJar(JarFile shipped) throws IOException {
    this.shipped = shipped;
    this.manifest = shipped.getManifest();
    manifest.getEntries().clear();
  }

  /** The file in {@code plugins/} of the archive whose name begins so. */
  static Path shipped(String prefix) throws IOException {
    try (Stream<Path> files = Files.list(InstalledGateway.SHIPPED.resolve("plugins"))) {
      return files
          .filter(f -> f.getFileName().toString().startsWith(prefix))
          .findFirst()
          .orElseThrow(() -> new IOException("no " + prefix + "*.jar is shipped"));
    }
  }

  static PluginJar from(Path shipped) throws IOException {
    // Without a look at the signature, which would miss the digests that are taken away here.
    return new PluginJar(new JarFile(shipped.toFile(), false));
  }

  /**
   * Sets a header.
   *
   * @param value {@code null} to take it away
   */
  PluginJar header(String name, String value) {
    if (value == null) {
      manifest.getMainAttributes().remove(new Attributes.Name(name));
    } else {
      manifest.getMainAttributes().putValue(name, value);
    }
    return this;
  }

  /** With this activator in place of the components, and the classes that it needs. */
  PluginJar activator(Class<?> type, Class<?>... others) {
    header("Service-Component", null);
    header("Bundle-Activator", type.getName());
    header(
        "Import-Package",
        manifest.getMainAttributes().getValue("Import-Package")
            + ",org.osgi.framework;version=\"[1.8,2)\"");
    more = Stream.concat(Stream.of(type), Stream.of(others)).toArray(Class<?>[]::new);
    return this;
  }

  byte[] bytes() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (shipped;
        JarOutputStream to = new JarOutputStream(bytes, manifest)) {
      for (JarEntry entry : shipped.stream().toList()) {
        String name = entry.getName();
        if (!entry.isDirectory()
            && !name.equals(JarFile.MANIFEST_NAME)
            && !name.matches("META-INF/.*\\.(SF|RSA|EC|DSA)")) {
          try (InputStream in = shipped.getInputStream(entry)) {
            put(to, name, in);
          }
        }
      }
      for (Class<?> type : more) {
        String name = type.getName().replace('.', '/') + ".class";
        try (InputStream in = type.getClassLoader().getResourceAsStream(name)) {
          put(to, name, in);
        }
      }
    }
    return bytes.toByteArray();
  }

  private static void put(JarOutputStream to, String name, InputStream in) throws IOException {
    to.putNextEntry(new JarEntry(name));
    in.transferTo(to);
  }
}
