package io.culvert.plugins.hosting;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;

/**
 * What a hosted plug-in is in the gateway's own framework: a bundle of its name with its profiles
 * and Metatype resources, and nothing that could run.
 */
final class Shadow {
  private static final String PROFILES = "Culvert-Profiles";
  private static final String METATYPE = "OSGI-INF/metatype/";
  private static final String L10N = "OSGI-INF/l10n/";

  /** What stays of the manifest. */
  private static final List<String> KEPT =
      List.of(
          Constants.BUNDLE_MANIFESTVERSION,
          Constants.BUNDLE_SYMBOLICNAME,
          Constants.BUNDLE_VERSION,
          Constants.BUNDLE_NAME,
          Constants.BUNDLE_VENDOR,
          Constants.BUNDLE_DESCRIPTION,
          Constants.BUNDLE_LOCALIZATION,
          "Bundle-License",
          "Culvert-Schemes",
          "Culvert-Opens",
          "Culvert-Listens",
          PROFILES);

  /** More than the profiles of a plug-in will ever be. */
  private static final int MOST_BYTES = 64 << 20;

  private Shadow() {}

  static InputStream of(Path jar) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarFile file = new JarFile(jar.toFile(), false)) {
      Attributes from = file.getManifest().getMainAttributes();
      Manifest manifest = new Manifest();
      Attributes to = manifest.getMainAttributes();
      to.put(Attributes.Name.MANIFEST_VERSION, "1.0");
      for (String header : KEPT) {
        String value = from.getValue(header);
        if (value != null) {
          to.putValue(header, value);
        }
      }
      String profiles = from.getValue(PROFILES);
      String folder = profiles == null ? null : profiles.strip().replaceAll("^/+|/+$", "") + "/";
      try (JarOutputStream out = new JarOutputStream(bytes, manifest)) {
        Iterator<JarEntry> entries = file.entries().asIterator();
        while (entries.hasNext()) {
          JarEntry entry = entries.next();
          String name = entry.getName();
          if (!entry.isDirectory()
              && (folder != null && name.startsWith(folder)
                  || name.startsWith(METATYPE)
                  || name.startsWith(L10N))
              && !name.endsWith(".class")) {
            out.putNextEntry(new JarEntry(name));
            try (InputStream in = file.getInputStream(entry)) {
              copy(in, out, bytes);
            }
            out.closeEntry();
          }
        }
      }
    }
    return new ByteArrayInputStream(bytes.toByteArray());
  }

  private static void copy(InputStream in, JarOutputStream out, ByteArrayOutputStream bytes)
      throws IOException {
    byte[] chunk = new byte[1 << 16];
    for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
      out.write(chunk, 0, n);
      if (bytes.size() > MOST_BYTES) {
        throw new IOException("its profiles are larger than " + (MOST_BYTES >> 20) + " MiB");
      }
    }
  }
}
