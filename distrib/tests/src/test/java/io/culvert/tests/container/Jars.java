package io.culvert.tests.container;

import io.culvert.tests.container.fixture.TestDriver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/** Device bundles of any version, and the way in which a careful person puts them in place. */
final class Jars {
  private Jars() {}

  /** The driver of this test, as a bundle {@code io.culvert.tests.driver}. */
  static byte[] testDriver(String version, String... headers) throws IOException {
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.putValue("Bundle-ManifestVersion", "2");
    main.putValue("Bundle-SymbolicName", "io.culvert.tests.driver");
    main.putValue("Bundle-Version", version);
    main.putValue("Bundle-Vendor", "Culvert's tests");
    main.putValue("Bundle-License", "Apache-2.0");
    main.putValue("Culvert-Schemes", "test");
    main.putValue("Culvert-Opens", "none");
    main.putValue("Bundle-Activator", TestDriver.class.getName());
    main.putValue(
        "Import-Package",
        "org.osgi.framework;version=\"[1.8,2)\",io.culvert.api;version=\"[1.0,2)\","
            + "io.culvert.api.southbound;version=\"[1.0,2)\"");
    for (int i = 0; i < headers.length; i += 2) {
      main.putValue(headers[i], headers[i + 1]);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
      for (String type : new String[] {"TestDriver", "TestDriver$Open"}) {
        String path = "io/culvert/tests/container/fixture/" + type + ".class";
        jar.putNextEntry(new JarEntry(path));
        try (InputStream in = TestDriver.class.getResourceAsStream("/" + path)) {
          in.transferTo(jar);
        }
      }
    }
    return bytes.toByteArray();
  }

  /** A shipped bundle as if it had been built as another version, and signed by nobody. */
  static byte[] withVersion(Path shipped, String version) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    // What is signed would be verified, and is altered on purpose.
    try (JarFile from = new JarFile(shipped.toFile(), false)) {
      Manifest manifest = from.getManifest();
      manifest.getEntries().clear();
      manifest.getMainAttributes().putValue("Bundle-Version", version);
      try (JarOutputStream to = new JarOutputStream(bytes, manifest)) {
        for (JarEntry entry : from.stream().toList()) {
          if (entry.getName().equals(JarFile.MANIFEST_NAME)
              || entry.getName().matches("META-INF/CULVERT\\..*")
              || entry.isDirectory()) {
            continue;
          }
          to.putNextEntry(new JarEntry(entry.getName()));
          try (InputStream in = from.getInputStream(entry)) {
            in.transferTo(to);
          }
        }
      }
    }
    return bytes.toByteArray();
  }

  /** Written beside, dated back so that it counts as settled, then renamed. */
  static void put(byte[] jar, Path target) throws IOException {
    Path beside = target.resolveSibling("." + target.getFileName() + ".new");
    Files.write(beside, jar);
    Files.setLastModifiedTime(beside, FileTime.from(Instant.now().minusSeconds(60)));
    Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
