package io.culvert.tools.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator does on the command line before a jar goes into the inbox. */
class TrustToolTest {
  private static final String HASH = "0".repeat(64);

  @TempDir Path folder;
  private Path home;
  private String said;

  @BeforeEach
  void install() throws IOException {
    home = Files.createDirectories(folder.resolve("home"));
    Files.createDirectories(home.resolve("system"));
    Files.createDirectories(home.resolve("etc"));
    site("");
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.putValue("Bundle-SymbolicName", "io.culvert.api");
    main.putValue("Export-Package", "io.culvert.api;version=\"1.0.0\"");
    try (OutputStream out = Files.newOutputStream(home.resolve("system/culvert-api.jar"))) {
      new JarOutputStream(out, manifest).close();
    }
    System.setProperty("culvert.home", home.toString());
    System.setProperty("culvert.data", home.resolve("data").toString());
  }

  @AfterEach
  void forget() {
    System.clearProperty("culvert.home");
    System.clearProperty("culvert.data");
  }

  private void site(String section) throws IOException {
    Files.writeString(
        home.resolve("etc/site.json"), "{\"gateway\": {\"id\": \"g\"}" + section + "}");
  }

  private int run(String... words) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int exit = Main.run(List.of(words), (file, anew) -> "a password".toCharArray(), out, out);
    said = bytes.toString(StandardCharsets.UTF_8);
    return exit;
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private void pack(String name, String version, String key) throws IOException {
    Files.writeString(
        folder.resolve("lamp.yaml"),
        """
        schema: culvert-profile/1
        id: example-lamp
        title: {en: Lamp controller}
        scheme: lamp
        interval: 1s
        points:
          - id: power
            title: {en: Power}
            address: power
            type: uint16
            unit: W
        """);
    assertThat(
            run(
                "pack",
                file("lamp.yaml"),
                "--name",
                name,
                "--version",
                version,
                "--vendor",
                "Example Ltd",
                "--licence",
                "CC0-1.0",
                "--key",
                file(key),
                "--out",
                file("lamp.jar"),
                "--replace"))
        .as(said)
        .isZero();
  }

  @Test
  void aPackedJarIsTakenOnceItsVendorIsTrusted() throws IOException {
    assertThat(run("key", file("vendor.p12"), "--name", "CN=Example Ltd")).isZero();
    pack("com.example.lamp", "1.0.0", "vendor.p12");

    assertThat(run("check", file("lamp.jar"))).isOne();
    assertThat(said)
        .contains("lamp.jar: refused: it is signed by CN=Example Ltd, who isn't on the trust list");

    assertThat(run("trust", "add", file("vendor.pem"), "example")).as(said).isZero();
    assertThat(said).contains("trusted as example", "CN=Example Ltd", "SHA-256 ");
    assertThat(run("check", file("lamp.jar"))).as(said).isZero();
    assertThat(said)
        .contains(
            "plug-in: com.example.lamp 1.0.0",
            "vendor: Example Ltd",
            "licence: CC0-1.0",
            "profiles: in profiles",
            "signed by: example",
            "this gateway takes it");

    assertThat(run("trust", "list")).isZero();
    assertThat(said).startsWith("example\n  CN=Example Ltd\n");
    assertThat(run("trust", "remove", "example")).isZero();
    assertThat(run("trust", "list")).isZero();
    assertThat(said).contains("nobody is trusted");
    assertThat(run("check", file("lamp.jar"))).isOne();
  }

  @Test
  void aSiteForDevelopmentTakesItAndTheCheckWarns() throws IOException {
    assertThat(run("key", file("vendor.p12"), "--name", "CN=Example Ltd")).isZero();
    pack("com.example.lamp", "1.0.0", "vendor.p12");
    site(", \"plugins\": {\"allowUnsigned\": true}");
    assertThat(run("check", file("lamp.jar"))).as(said).isZero();
    assertThat(said)
        .contains("signed by: nobody trusted", "warning: unsigned plug-ins are allowed");
  }

  @Test
  void whatWouldBeAStepBackIsSaidBeforeItIsTried() throws IOException {
    assertThat(run("key", file("vendor.p12"), "--name", "CN=Example Ltd")).isZero();
    assertThat(run("trust", "add", file("vendor.pem"))).isZero();
    pack("com.example.lamp", "1.0.0", "vendor.p12");
    Path generation = Files.createDirectories(home.resolve("data/generations/7"));
    Files.writeString(
        generation.resolve("lock.json"),
        "{\"com.example.lamp\": {\"version\": \"1.1.0\", \"sha256\": \"%s\", \"origin\": \"l\"}}"
            .formatted(HASH));
    Files.writeString(home.resolve("data/generations/current"), "7\n");

    assertThat(run("check", file("lamp.jar"))).isOne();
    assertThat(said).contains("com.example.lamp 1.0.0, older than 1.1.0 that is in force");
    pack("com.example.lamp", "1.2.0", "vendor.p12");
    assertThat(run("check", file("lamp.jar"))).as(said).isZero();
  }

  @Test
  void aNameOfTheBaseIsNotToBeHad() throws IOException {
    assertThat(run("key", file("vendor.p12"), "--name", "CN=Example Ltd")).isZero();
    assertThat(run("trust", "add", file("vendor.pem"))).isZero();
    pack("io.culvert.api", "1.0.0", "vendor.p12");
    assertThat(run("check", file("lamp.jar"))).isOne();
    assertThat(said).contains("a name that no bundle of the base has");
  }

  @Test
  void whatIsNoCertificateIsNotTrusted() throws IOException {
    Files.writeString(folder.resolve("text.pem"), "no certificate");
    assertThat(run("trust", "add", file("text.pem"))).isOne();
    assertThat(said).contains("text.pem: found no certificate; expected X.509");
    assertThat(run("key", file("vendor.p12"), "--name", "CN=Example Ltd")).isZero();
    assertThat(run("trust", "add", file("vendor.p12"))).isOne();
    assertThat(run("trust", "add", file("vendor.pem"), "../up")).isEqualTo(2);
    assertThat(said).contains("found the name ../up; expected letters");
    assertThat(home.resolve("etc/trust")).doesNotExist();
  }

  @Test
  void anotherCertificateTakesNobodysPlace() throws IOException {
    assertThat(run("key", file("one.p12"), "--name", "CN=One")).isZero();
    assertThat(run("key", file("two.p12"), "--name", "CN=Two")).isZero();
    assertThat(run("trust", "add", file("one.pem"), "vendor")).isZero();
    byte[] before = Files.readAllBytes(home.resolve("etc/trust/vendor.pem"));
    assertThat(run("trust", "add", file("one.pem"), "vendor")).as("the same again").isZero();
    assertThat(run("trust", "add", file("two.pem"), "vendor")).isOne();
    assertThat(said).contains("which holds other certificates", "trust remove vendor");
    assertThat(home.resolve("etc/trust/vendor.pem")).hasBinaryContent(before);
    try (var files = Files.list(home.resolve("etc/trust"))) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void wordsThatAreNotUnderstoodAreNamed() throws IOException {
    assertThat(run("trust", "everybody")).isEqualTo(2);
    assertThat(said).contains("found trust everybody; expected trust list");
    assertThat(run("trust", "remove", "nobody")).isOne();
    assertThat(said).contains("found no nobody on the trust list");
    assertThat(run("check", file("nothing.jar"))).isOne();
    assertThat(said).contains("nothing.jar");
  }
}
