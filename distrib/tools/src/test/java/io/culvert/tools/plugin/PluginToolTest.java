package io.culvert.tools.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a vendor does on the command line, and what a gateway will find in the jar. */
class PluginToolTest {
  private static final String PROFILE =
      """
      schema: culvert-profile/1
      id: %s
      title: {en: Lamp controller}
      scheme: %s
      interval: 1s
      points:
        - id: power
          title: {en: Power}
          address: "%s"
          type: uint16
          unit: W
      """;

  @TempDir Path folder;

  private String password = "vendor's own";
  private String said;

  @Test
  void aKeyIsMadeWithTheCertificateForOperators() throws Exception {
    assertThat(run("key", file("vendor.p12"), "--name", "CN=Example Ltd, C=DE")).isZero();
    X509Certificate certificate = certificate(folder.resolve("vendor.pem"));
    assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=Example Ltd,C=DE");
    assertThat(certificate.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.3");
    assertThat(certificate.getSigAlgName()).isEqualTo("SHA256withECDSA");
    assertThat(((ECPublicKey) certificate.getPublicKey()).getParams().getOrder().bitLength())
        .isEqualTo(256);
    certificate.verify(certificate.getPublicKey());
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key())))
        .isEqualTo("rw-------");
    assertThat(files()).containsExactly("vendor.p12", "vendor.pem");
    assertThat(said).doesNotContain(password);
  }

  @Test
  void aKeyThatIsThereIsNeverReplaced() throws Exception {
    makeKey();
    byte[] before = Files.readAllBytes(key());
    assertThat(run("key", key().toString(), "--name", "CN=Other")).isOne();
    assertThat(said).contains("vendor.p12, which is there already");
    Files.delete(key());
    assertThat(run("key", key().toString(), "--name", "CN=Other")).isOne();
    assertThat(said).contains("vendor.pem, which is there already");
    assertThat(before).isNotEmpty();
  }

  @Test
  void aNameThatIsNoneAndAShortPasswordLeaveNothingBehind() throws Exception {
    assertThat(run("key", file("vendor.p12"), "--name", "Example")).isOne();
    assertThat(said).contains("found --name Example; write a distinguished name");
    password = "short";
    assertThat(run("key", file("vendor.p12"), "--name", "CN=Example")).isOne();
    assertThat(said).contains("keytool in trouble").doesNotContain("short");
    assertThat(files()).isEmpty();
  }

  @Test
  void profilesBecomeAPluginThatTheirVendorHasSigned() throws Exception {
    makeKey();
    String lamp = profile("a.yaml", "example-lamp", "lamp", "power");
    String pole = profile("b.yaml", "example-pole", "modbus", "holding:7");
    assertThat(
            run(
                "pack",
                lamp,
                pole,
                "--name",
                "com.example.lamp",
                "--version",
                "1.2.3",
                "--vendor",
                "例 GmbH & Söhne",
                "--licence",
                "LicenseRef-Example",
                "--key",
                key().toString(),
                "--out",
                file("lamp.jar")))
        .as(said)
        .isZero();
    try (JarFile jar = new JarFile(folder.resolve("lamp.jar").toFile())) {
      Attributes main = jar.getManifest().getMainAttributes();
      assertThat(main.getValue("Bundle-ManifestVersion")).isEqualTo("2");
      assertThat(main.getValue("Bundle-SymbolicName")).isEqualTo("com.example.lamp");
      assertThat(main.getValue("Bundle-Version")).isEqualTo("1.2.3");
      assertThat(main.getValue("Bundle-Vendor")).isEqualTo("例 GmbH & Söhne");
      assertThat(main.getValue("Bundle-License")).isEqualTo("LicenseRef-Example");
      assertThat(main.getValue("Culvert-Profiles")).isEqualTo("profiles");
      assertThat(main.getValue("Culvert-Schemes")).isNull();
      assertThat(signer(jar, "profiles/example-lamp.yaml"))
          .isEqualTo(certificate(folder.resolve("vendor.pem")));
      assertThat(signer(jar, "profiles/example-pole.yaml"))
          .isEqualTo(certificate(folder.resolve("vendor.pem")));
      assertThat(jar.getInputStream(jar.getEntry("profiles/example-lamp.yaml")))
          .hasBinaryContent(Files.readAllBytes(Path.of(lamp)));
    }
    assertThat(files()).containsExactly("a.yaml", "b.yaml", "lamp.jar", "vendor.p12", "vendor.pem");
  }

  @Test
  void everyFaultOfEveryProfileIsToldByFileAndLineAndNothingIsWritten() throws Exception {
    String unit = profile("unit.yaml", "one", "lamp", "power");
    Files.writeString(
        Path.of(unit), Files.readString(Path.of(unit)).replace("unit: W", "unit: watts"));
    String address = profile("address.yaml", "two", "modbus-tcp", "holding:70000");
    String again = profile("again.yaml", "three", "lamp", "power");
    String third = profile("third.yaml", "three", "lamp", "power");
    assertThat(pack(unit, address, again, third, file("no.yaml"))).isOne();
    assertThat(said.lines().toList())
        .hasSize(4)
        .anySatisfy(
            line -> assertThat(line).contains("unit.yaml:11: points[0].unit: found \"watts\""))
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("address.yaml:9")
                    .contains("points.power.address: found 70000; expected"))
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("third.yaml:2")
                    .contains("an id of its own: ")
                    .contains("again.yaml has it"))
        .anySatisfy(line -> assertThat(line).contains("no.yaml: found no such file"));
    assertThat(files()).noneMatch(name -> name.endsWith(".jar") || name.endsWith(".part"));
  }

  @Test
  void withoutAKeyItSaysThatThePluginIsNotSigned() throws Exception {
    assertThat(pack(profile("a.yaml", "one", "lamp", "power"))).isZero();
    assertThat(said).contains("not signed: only a gateway that allows unsigned");
    byte[] first = Files.readAllBytes(folder.resolve("lamp.jar"));
    assertThat(pack(file("a.yaml"))).isOne();
    assertThat(said).contains("lamp.jar, which is there already");
    assertThat(pack(file("a.yaml"), "--replace")).isZero();
    assertThat(folder.resolve("lamp.jar")).hasBinaryContent(first);
  }

  @Test
  void aSignatureTakesThePlaceOfTheOneBefore() throws Exception {
    Path other = otherKey("-keyalg", "RSA", "-keysize", "3072");
    pack(profile("a.yaml", "one", "lamp", "power"));
    // As a build signs for development, under a name of its own in the jar.
    Process jarsigner =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jarsigner").toString(),
                "-keystore",
                other.toString(),
                "-storepass",
                password,
                file("lamp.jar"),
                "mine")
            .inheritIO()
            .start();
    assertThat(jarsigner.waitFor()).isZero();
    makeKey();
    assertThat(run("sign", file("lamp.jar"), "--key", key().toString())).as(said).isZero();
    assertThat(said).contains("by CN=Example Ltd, without time-stamp: holds until ");
    try (JarFile jar = new JarFile(folder.resolve("lamp.jar").toFile())) {
      assertThat(signer(jar, "profiles/one.yaml").getSubjectX500Principal().getName())
          .isEqualTo("CN=Example Ltd");
      assertThat(jar.stream().map(JarEntry::getName).filter(n -> n.startsWith("META-INF/")))
          .containsExactlyInAnyOrder(
              "META-INF/MANIFEST.MF", "META-INF/VENDOR.SF", "META-INF/VENDOR.EC");
    }
  }

  @Test
  void whatCantBeSignedStaysAsItWas() throws Exception {
    makeKey();
    pack(profile("a.yaml", "one", "lamp", "power"));
    byte[] before = Files.readAllBytes(folder.resolve("lamp.jar"));
    assertThat(
            run(
                "sign",
                file("lamp.jar"),
                "--key",
                key().toString(),
                "--tsa",
                "http://127.0.0.1:9/"))
        .isOne();
    assertThat(said).contains("found no time-stamp from http://127.0.0.1:9/");
    password = "another one";
    assertThat(run("sign", file("lamp.jar"), "--key", key().toString())).isOne();
    assertThat(said).contains("found a password that isn't that of").doesNotContain("another one");
    password = "vendor's own";
    assertThat(run("sign", file("lamp.jar"), "--key", file("a.yaml"))).isOne();
    assertThat(said).contains("a.yaml, which is no PKCS #12 file");
    Path old = otherKey("-keyalg", "EC", "-startdate", "-10d", "-validity", "5");
    assertThat(run("sign", file("lamp.jar"), "--key", old.toString())).isOne();
    assertThat(said).contains("take a key whose certificate holds today");
    assertThat(folder.resolve("lamp.jar")).hasBinaryContent(before);
    assertThat(run("sign", file("a.yaml"), "--key", key().toString())).isOne();
    assertThat(said).contains("a.yaml, which is no jar");
    assertThat(files())
        .containsExactly("a.yaml", "lamp.jar", "other.p12", "vendor.p12", "vendor.pem");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "paint lamp.jar",
        "key",
        "key a.p12",
        "key a.p12 b.p12 --name CN=A",
        "key a.p12 --password secret",
        "sign a.jar",
        "sign a.jar --key",
        "sign a.jar --key a.p12 --tsa localhost",
        "pack --name a",
        "pack a.yaml --name a.b --version 1.0.0 --vendor V",
        "pack a.yaml --name a/b --version 1.0.0 --vendor V --licence MIT",
        "pack a.yaml --name a.b --version one --vendor V --licence MIT",
        "pack a.yaml --name a.b --version 1.0.0 --vendor V --licence MIT,GPL",
        "pack a.yaml --name a.b --version 1.0.0 --vendor V --licence MIT --tsa http://tsa"
      })
  void whatIsNotUnderstoodIsSaid(String line) throws Exception {
    assertThat(run(line.split(" "))).isEqualTo(2);
    assertThat(said).contains("found ").contains("see culvert plugin help");
    assertThat(files()).isEmpty();
  }

  private void makeKey() throws Exception {
    assertThat(run("key", key().toString(), "--name", "CN=Example Ltd")).as(said).isZero();
  }

  private Path key() {
    return folder.resolve("vendor.p12");
  }

  /** A key by the JDK's tool alone. */
  private Path otherKey(String... options) throws Exception {
    Path file = folder.resolve("other.p12");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "mine",
                "-dname",
                "CN=Other",
                "-keystore",
                file.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                password));
    command.addAll(List.of(options));
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    return file;
  }

  private String profile(String name, String id, String scheme, String address) throws IOException {
    return Files.writeString(folder.resolve(name), PROFILE.formatted(id, scheme, address))
        .toString();
  }

  private int pack(String... words) {
    List<String> all = new ArrayList<>(List.of("pack"));
    all.addAll(List.of(words));
    all.addAll(List.of("--name", "com.example.lamp", "--version", "1.0.0"));
    all.addAll(List.of("--vendor", "Example", "--licence", "MIT", "--out", file("lamp.jar")));
    return run(all.toArray(String[]::new));
  }

  private int run(String... args) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int exit = Main.run(List.of(args), (file, anew) -> password.toCharArray(), out, out);
    said = bytes.toString(StandardCharsets.UTF_8);
    return exit;
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private static X509Certificate certificate(Path pem) throws Exception {
    try (InputStream in = Files.newInputStream(pem)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  /** By whom an entry is signed, as the JDK finds it when it is read to the end. */
  private static X509Certificate signer(JarFile jar, String name) throws IOException {
    JarEntry entry = jar.getJarEntry(name);
    try (InputStream in = jar.getInputStream(entry)) {
      in.readAllBytes();
    }
    assertThat(entry.getCodeSigners()).as(name).hasSize(1);
    return (X509Certificate) entry.getCodeSigners()[0].getSignerCertPath().getCertificates().get(0);
  }
}
