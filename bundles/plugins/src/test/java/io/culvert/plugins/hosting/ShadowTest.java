package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.plugins.hosting.fixture.Odd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShadowTest {
  @TempDir Path folder;

  @Test
  void itBringsProfilesAndMetatypeAndNothingThatRuns() throws IOException {
    Path jar =
        PluginJar.of(Odd.class)
            .header("Culvert-Profiles", " /profiles/ ")
            .header("Service-Component", "OSGI-INF/x.xml")
            .header("Bundle-NativeCode", "x.so")
            .file("profiles/odd.yaml", "schema: culvert-profile/1")
            .file("profiles2/other.yaml", "not one")
            .file("OSGI-INF/x.xml", "<component/>")
            .file("OSGI-INF/metatype/odd.xml", "<MetaData/>")
            .file("x.so", "ELF")
            .in(folder);
    Map<String, String> files = new LinkedHashMap<>();
    Manifest manifest;
    try (JarInputStream in = new JarInputStream(Shadow.of(jar))) {
      manifest = in.getManifest();
      for (JarEntry entry = in.getNextJarEntry(); entry != null; entry = in.getNextJarEntry()) {
        files.put(entry.getName(), new String(in.readAllBytes(), StandardCharsets.UTF_8));
      }
    }
    assertThat(files)
        .containsOnly(
            Map.entry("profiles/odd.yaml", "schema: culvert-profile/1"),
            Map.entry("OSGI-INF/metatype/odd.xml", "<MetaData/>"));
    Attributes main = manifest.getMainAttributes();
    assertThat(main.getValue("Bundle-SymbolicName")).isEqualTo("com.example.odd");
    assertThat(main.getValue("Bundle-Version")).isEqualTo("1.2.3");
    assertThat(main.getValue("Bundle-Vendor")).isEqualTo("Odd Ltd");
    assertThat(main.getValue("Culvert-Schemes")).isEqualTo("odd, odder");
    for (String absent :
        new String[] {
          "Import-Package", "Bundle-Activator", "Service-Component", "Bundle-NativeCode"
        }) {
      assertThat(main.getValue(absent)).as(absent).isNull();
    }
  }
}
