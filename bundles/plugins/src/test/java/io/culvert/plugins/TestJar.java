package io.culvert.plugins;

import io.culvert.plugins.fixture.Starts;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
  /** On the trust list of {@link Gateway}, as {@code vendor}. */
  static final Pki.Identity VENDOR = Pki.order("CN=Test Vendor").make();

  private final Attributes headers;
  private final Manifest manifest = new Manifest();
  private Class<?> activator = Starts.class;
  private String filling = "";
  private Pki.Identity signer = VENDOR;
  private final Map<String, byte[]> files = new LinkedHashMap<>();

  private TestJar(String name, String version) {
    headers = manifest.getMainAttributes();
    headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    header("Bundle-ManifestVersion", "2");
    header("Bundle-SymbolicName", name);
    header("Bundle-Version", version);
    header("Bundle-Vendor", "Test Vendor");
    header("Bundle-License", "Apache-2.0");
    header("Culvert-Schemes", "test");
    header("Culvert-Opens", "none");
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

  /** {@code null} for a jar without code. */
  TestJar activator(Class<?> type) {
    activator = type;
    return this;
  }

  TestJar filling(String text) {
    filling = text;
    return this;
  }

  TestJar file(String path, String text) {
    return entry(path, text.getBytes(StandardCharsets.UTF_8));
  }

  TestJar entry(String path, byte[] content) {
    files.put(path, content);
    return this;
  }

  /** {@code null} for nobody. */
  TestJar signer(Pki.Identity who) {
    signer = who;
    return this;
  }

  byte[] bytes() {
    byte[] plain = unsigned();
    return signer == null ? plain : signer.sign(plain);
  }

  private byte[] unsigned() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    if (activator != null) {
      header("Bundle-Activator", activator.getName());
    }
    try (JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
      if (activator != null) {
        String path = activator.getName().replace('.', '/') + ".class";
        jar.putNextEntry(new JarEntry(path));
        try (InputStream in = activator.getClassLoader().getResourceAsStream(path)) {
          in.transferTo(jar);
        }
      }
      jar.putNextEntry(new JarEntry("filling.txt"));
      jar.write(filling.getBytes(StandardCharsets.UTF_8));
      jar.closeEntry();
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        jar.putNextEntry(new JarEntry(file.getKey()));
        jar.write(file.getValue());
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
