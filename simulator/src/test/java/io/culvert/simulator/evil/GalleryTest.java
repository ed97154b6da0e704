package io.culvert.simulator.evil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.view.Words;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GalleryTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(Evil.class)
  void aJarIsWholeAndHoldsOneDriverAndNothingOfTheOthers(Evil evil) throws Exception {
    Gallery.of(evil.key()).writeInto(folder);

    Path file = folder.resolve("evil-" + evil.key() + ".jar");
    try (JarFile jar = new JarFile(file.toFile())) {
      Attributes main = jar.getManifest().getMainAttributes();
      assertThat(main.getValue("Bundle-SymbolicName")).isEqualTo("com.example.evil." + evil.key());
      assertThat(main.getValue("Culvert-Schemes")).isEqualTo("evil-" + evil.key());
      assertThat(main.getValue("Bundle-Vendor")).isNotBlank();
      assertThat(main.getValue("Bundle-License")).isNotBlank();
      assertThat(main.getValue("Culvert-Opens")).isNotBlank();
      assertThat(jar.getEntry(main.getValue("Service-Component"))).isNotNull();
      assertThat(jar.getEntry("profiles/evil-" + evil.key() + ".yaml")).isNotNull();
      List<String> drivers =
          jar.stream()
              .map(entry -> entry.getName().replaceAll(".*/", ""))
              .filter(name -> name.endsWith(".class") && !name.contains("$"))
              .toList();
      assertThat(drivers).containsExactlyInAnyOrder("EvilDriver.class", evil.driver() + ".class");
    }
    // Nothing of the simulator is there to help: what the jar lacks, a class is missing for.
    URL api =
        Class.forName("io.culvert.api.southbound.Driver")
            .getProtectionDomain()
            .getCodeSource()
            .getLocation();
    try (URLClassLoader alone =
            new URLClassLoader(
                new URL[] {file.toUri().toURL(), api}, ClassLoader.getPlatformClassLoader());
        JarFile jar = new JarFile(file.toFile())) {
      for (var entry : jar.stream().filter(e -> e.getName().endsWith(".class")).toList()) {
        String name = entry.getName().replace('/', '.').replaceAll("\\.class$", "");
        Class<?> type = Class.forName(name, true, alone);
        type.getDeclaredMethods();
        for (Class<?> nested : type.getDeclaredClasses()) {
          assertThat(nested.getClassLoader()).isSameAs(alone);
        }
      }
      Class<?> driver =
          Class.forName("io.culvert.simulator.evil.plugin." + evil.driver(), true, alone);
      Object made = driver.getConstructor().newInstance();
      Class<?> spi = Class.forName("io.culvert.api.southbound.Driver", false, alone);
      assertThat(spi.isInstance(made)).isTrue();
    }
  }

  @Test
  void aChoiceIsMadeByNames() throws Exception {
    assertThat(Gallery.of("none").evils()).isEmpty();
    assertThat(Gallery.of("all").evils()).containsExactly(Evil.values());
    assertThat(Gallery.of("hangs, exits").evils()).containsExactly(Evil.HANGS, Evil.EXITS);
    assertThat(Gallery.of("floods").devices())
        .containsExactly("evil-floods-1", "evil-floods-2", "evil-floods-3");
    assertThatThrownBy(() -> Gallery.of("hangs,sulks"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found --evil with 'sulks', expected all, none, or some of hangs,");
  }

  @ParameterizedTest
  @EnumSource(Evil.class)
  void whatItDoesIsToldInBothLanguages(Evil evil) {
    String key = "evil." + evil.key();
    assertThat(new Words("en").get(key)).isNotEqualTo(key);
    assertThat(new Words("zh-CN").get(key))
        .isNotEqualTo(key)
        .isNotEqualTo(new Words("en").get(key));
  }
}
