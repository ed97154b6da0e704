package io.culvert.plugins.hosting;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/** A plug-in's jar around a class of the test's, with those nested in it. */
public final class PluginJar {
  private final Manifest manifest = new Manifest();
  private final List<Class<?>> classes = new ArrayList<>();
  private final Map<String, String> files = new LinkedHashMap<>();

  public static PluginJar of(Class<?> activator) {
    PluginJar jar = new PluginJar();
    jar.classes.add(activator);
    jar.header("Manifest-Version", "1.0");
    jar.header("Bundle-ManifestVersion", "2");
    jar.header("Bundle-SymbolicName", "com.example.odd");
    jar.header("Bundle-Version", "1.2.3");
    jar.header("Bundle-Vendor", "Odd Ltd");
    jar.header("Bundle-License", "Apache-2.0");
    jar.header("Bundle-Activator", activator.getName());
    jar.header("Culvert-Schemes", "odd, odder");
    jar.header("Culvert-Opens", "none");
    jar.header(
        "Import-Package",
        "org.osgi.framework,io.culvert.api;version=\"[1.0,2)\","
            + "io.culvert.api.service;version=\"[1.0,2)\";resolution:=optional,"
            + "io.culvert.api.southbound;version=\"[1.0,2)\",org.slf4j;version=\"[2.0,3)\",sun.misc");
    return jar;
  }

  public PluginJar header(String name, String value) {
    manifest.getMainAttributes().put(new Attributes.Name(name), value);
    return this;
  }

  public PluginJar file(String name, String text) {
    files.put(name, text);
    return this;
  }

  public Path in(Path folder) throws IOException {
    return in(folder, "plugin.jar");
  }

  public Path in(Path folder, String name) throws IOException {
    Path file = folder.resolve(name);
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out, manifest)) {
      for (Class<?> type : classes) {
        Path folderOfClass =
            Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath())
                .resolve(type.getPackageName().replace('.', '/'));
        try (Stream<Path> list = Files.list(folderOfClass)) {
          for (Path each : list.sorted().toList()) {
            String simple = each.getFileName().toString();
            if (simple.equals(type.getSimpleName() + ".class")
                || simple.startsWith(type.getSimpleName() + "$")) {
              jar.putNextEntry(
                  new JarEntry(type.getPackageName().replace('.', '/') + "/" + simple));
              try (InputStream in = Files.newInputStream(each)) {
                in.transferTo(jar);
              }
              jar.closeEntry();
            }
          }
        }
      }
      for (Map.Entry<String, String> each : files.entrySet()) {
        jar.putNextEntry(new JarEntry(each.getKey()));
        jar.write(each.getValue().getBytes(StandardCharsets.UTF_8));
        jar.closeEntry();
      }
    }
    return file;
  }
}
