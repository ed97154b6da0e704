package io.culvert.tests.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may import whom: the rules of the house, held against the compiled classes and jars. */
class ImportRulesTest {
  private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();

  /** Every module below a folder that has compiled classes, by folder name. */
  private static List<String> modules(String folder) throws IOException {
    try (Stream<Path> found = Files.list(ROOT.resolve(folder))) {
      return found
          .filter(module -> Files.isDirectory(module.resolve("target/classes")))
          .map(module -> folder + "/" + module.getFileName())
          .sorted()
          .toList();
    }
  }

  static List<String> bundles() throws IOException {
    return modules("bundles");
  }

  static List<String> devices() throws IOException {
    return modules("devices").stream().filter(module -> !module.endsWith("/testkit")).toList();
  }

  private static JavaClasses in(String module) {
    JavaClasses classes =
        new ClassFileImporter().importPath(ROOT.resolve(module).resolve("target/classes"));
    return classes;
  }

  @Test
  void everyModuleOfTheHouseIsBuilt() throws IOException {
    assertThat(bundles())
        .contains(
            "bundles/api",
            "bundles/buffer",
            "bundles/core",
            "bundles/mqtt",
            "bundles/plugins",
            "bundles/serial",
            "bundles/shell");
    assertThat(devices()).contains("devices/modbus");
  }

  @Test
  void theApiImportsNothingButJava() {
    classes()
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage("java..", "io.culvert.api..", "org.osgi.annotation.."))
        .check(in("bundles/api"));
  }

  @ParameterizedTest
  @MethodSource("bundles")
  void aBundleMeetsItsSiblingsOnlyThroughTheApi(String module) {
    String own = "io.culvert." + module.substring(module.indexOf('/') + 1) + "..";
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.culvert..")
                .and(resideOutsideOfPackages("io.culvert.api..", own)))
        .check(in(module));
  }

  @ParameterizedTest
  @MethodSource("devices")
  void aDeviceBundleKnowsTheApiAndItsProtocolOnly(String module) {
    String own = "io.culvert.device." + module.substring(module.indexOf('/') + 1) + "..";
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.culvert..", "org.eclipse.paho..", "org.sqlite..")
                .and(resideOutsideOfPackages("io.culvert.api..", own)))
        .allowEmptyShould(true)
        .check(in(module));
  }

  @Test
  void theSimulatorSharesNoCodeWithTheGateway() {
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.culvert..", "com.digitalpetri..")
                .and(resideOutsideOfPackages("io.culvert.simulator..", "io.culvert.api..")))
        .check(in("simulator"));
  }

  @Test
  void ofTheSimulatorOnlyTheEvilPluginsKnowTheApiAndNobodyKnowsThem() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.culvert.simulator.evil.plugin")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.culvert.api..", "io.culvert.simulator.evil.plugin"))
        .check(in("simulator"));
  }

  @Test
  void theLauncherKnowsNoBundle() {
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("io.culvert..")
                .and(resideOutsideOfPackages("io.culvert.launcher..")))
        .check(in("distrib/launcher"));
  }

  @ParameterizedTest
  @MethodSource("bundles")
  void packagesOfABundleFormNoCycle(String module) {
    slices()
        .matching("io.culvert." + module.substring(module.indexOf('/') + 1) + ".(*)..")
        .should()
        .beFreeOfCycles()
        .allowEmptyShould(true)
        .check(in(module));
  }

  @Test
  void onlyTheApiExportsPackages() throws IOException {
    Set<String> exporting = new TreeSet<>();
    for (String module : Stream.concat(bundles().stream(), devices().stream()).toList()) {
      try (Stream<Path> jars = Files.list(ROOT.resolve(module).resolve("target"))) {
        List<Path> bundle =
            jars.filter(jar -> jar.getFileName().toString().matches("culvert-.*\\.jar")).toList();
        assertThat(bundle).as("jars of %s", module).hasSize(1);
        try (JarFile jar = new JarFile(bundle.get(0).toFile())) {
          if (jar.getManifest().getMainAttributes().getValue("Export-Package") != null) {
            exporting.add(module);
          }
        }
      }
    }
    assertThat(exporting).containsExactly("bundles/api");
  }
}
