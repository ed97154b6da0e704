package io.culvert.plugins;

import io.culvert.plugins.fixture.Starts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** A device bundle as a vendor would hand it over, with one thing or another wrong. */
final class TestJar {
  private final Attributes headers;
  private final Manifest manifest = new Manifest();
  private Class<?> activator = Starts.class;
  private String filling = "";
  private final Map<String, String> files = new LinkedHashMap<>();

  private TestJar(String name, String version) {
    headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    header("Bundle-ManifestVersion", "2");
    header("Bundle-SymbolicName", name);
    header("Bundle-Version", version);
    header(
        "Import-Package",
        "org.osgi.framework;version=\"[1.8,2)\",io.culvert.api;version=\"[1.0,2)\"");
  }

  static TestJar of(String name, String version) {
    return new TestJar(name, version);
  }

  TestJar header(String name, String value) {
    if (value == null) {
      headers.remove(new Attributes.Name(name));
    } else {
      headers.put(new Attributes.Name(name), value);
    }
    return this;
  }

  TestJar activator(Class<?> type) {
    activator = type;
    return this;
  }

  TestJar filling(String text) {
    filling = text;
    return this;
  }

  TestJar file(String path, String text) {
    files.put(path, text);
    return this;
  }

  byte[] bytes() {
    header("Bundle-Activator", activator.getName());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    String path = activator.getName().replace('.', '/') + ".class";
    try (JarOutputStream jar = new JarOutputStream(bytes, manifest);
        InputStream in = activator.getClassLoader().getResourceAsStream(path)) {
      jar.putNextEntry(new JarEntry(path));
      in.transferTo(jar);
      jar.putNextEntry(new JarEntry("filling.txt"));
      jar.write(filling.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      jar.closeEntry();
      for (Map.Entry<String, String> file : files.entrySet()) {
        jar.putNextEntry(new JarEntry(file.getKey()));
        jar.write(file.getValue().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        jar.closeEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  Path in(Path folder, String file) throws IOException {
    return Files.write(folder.resolve(file), bytes());
  }
}
