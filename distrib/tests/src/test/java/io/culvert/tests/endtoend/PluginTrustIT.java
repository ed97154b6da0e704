package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.tests.endtoend.fixture.RunsAsLogger;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A vendor's signed jar meets a gateway, by the commands that vendor and operator type. */
class PluginTrustIT {
  private static final String SITE = "{\"gateway\": {\"id\": \"g\"}%s}";

  @TempDir Path folder;

  @BeforeEach
  void profile() throws IOException {
    Files.writeString(
        folder.resolve("lamp.yaml"),
        """
        schema: culvert-profile/1
        id: example-lamp
        title: {en: Lamp controller}
        scheme: modbus-tcp
        interval: 1s
        points:
          - id: power
            title: {en: Power}
            address: "holding:7"
            type: uint16
            unit: W
        """);
  }

  private InstalledGateway.Answer culvert(InstalledGateway gateway, String... words)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(gateway.home().resolve("bin/culvert").toString()));
    line.addAll(List.of(words));
    ProcessBuilder builder =
        new ProcessBuilder(line).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("CULVERT_KEY_PASSWORD", "of this test");
    Process process = builder.start();
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(text).isTrue();
    return new InstalledGateway.Answer(process.exitValue(), text);
  }

  private void pack(InstalledGateway gateway, String version)
      throws IOException, InterruptedException {
    InstalledGateway.Answer packed =
        culvert(
            gateway,
            "plugin",
            "pack",
            "lamp.yaml",
            "--name",
            "com.example.lamp",
            "--version",
            version,
            "--vendor",
            "Example Ltd",
            "--licence",
            "CC0-1.0",
            "--key",
            "vendor.p12",
            "--out",
            "lamp.jar",
            "--replace");
    assertThat(packed.exit()).as(packed.text()).isZero();
  }

  private void put(InstalledGateway gateway) throws IOException {
    Path beside = gateway.home().resolve("plugins/.lamp.jar.new");
    Files.copy(folder.resolve("lamp.jar"), beside, StandardCopyOption.REPLACE_EXISTING);
    Files.move(
        beside,
        gateway.home().resolve("plugins/lamp.jar"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  private static void awaitStatus(InstalledGateway gateway, String... parts) {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(gateway.command("status").oneLine()).contains(parts));
  }

  @Test
  void aVendorIsTrustedAndItsJarRunsWithoutARestart() throws Exception {
    try (InstalledGateway gateway =
        InstalledGateway.unpack(folder.resolve("gateway"), SITE.formatted(""))) {
      InstalledGateway.Answer key =
          culvert(gateway, "plugin", "key", "vendor.p12", "--name", "CN=Example Ltd");
      assertThat(key.exit()).as(key.text()).isZero();
      pack(gateway, "1.0.0");
      gateway.start();
      put(gateway);
      awaitStatus(
          gateway,
          "plugins/lamp.jar: it is signed by CN=Example Ltd, who isn't on the trust list",
          "Plug-in io.culvert.device.modbus");
      InstalledGateway.Answer check = culvert(gateway, "plugin", "check", "lamp.jar");
      assertThat(check.exit()).as(check.text()).isEqualTo(1);
      assertThat(check.text()).contains("lamp.jar: refused: it is signed by CN=Example Ltd");

      InstalledGateway.Answer add =
          culvert(gateway, "plugin", "trust", "add", "vendor.pem", "example");
      assertThat(add.exit()).as(add.text()).isZero();
      awaitStatus(gateway, "Plug-in com.example.lamp 1.0.0");
      assertThat(culvert(gateway, "plugin", "check", "lamp.jar").text())
          .contains("signed by: example", "this gateway takes it");

      pack(gateway, "0.9.0");
      put(gateway);
      awaitStatus(gateway, "com.example.lamp 0.9.0, older than 1.0.0 that is in force");
      assertThat(gateway.command("status").oneLine()).contains("Plug-in com.example.lamp 1.0.0");
      assertThat(gateway.stop()).isZero();
    }
  }

  @Test
  void aSiteForDevelopmentSaysSoOnTopOfItsStatus() throws Exception {
    try (InstalledGateway gateway =
        InstalledGateway.unpack(
            folder.resolve("gateway"),
            SITE.formatted(", \"plugins\": {\"allowUnsigned\": true}"))) {
      culvert(gateway, "plugin", "key", "vendor.p12", "--name", "CN=Example Ltd");
      pack(gateway, "1.0.0");
      put(gateway);
      gateway.start();
      awaitStatus(
          gateway,
          "unsigned plug-ins are allowed: whoever can write into plugins/",
          "unsigned plug-ins are allowed: com.example.lamp is signed by CN=Example Ltd, who isn't"
              + " on the trust list; for development only, set plugins.allowUnsigned to false",
          "Plug-in com.example.lamp 1.0.0");
      assertThat(gateway.log()).contains("WARN", "unsigned plug-ins are allowed");
    }
  }

  /** The JVM of a tool looks for a logger in all that is on its class path, and makes it. */
  @Test
  void noToolRunsCodeOfAJarThatNobodyHasCheckedYet() throws Exception {
    try (InstalledGateway gateway =
        InstalledGateway.unpack(folder.resolve("gateway"), SITE.formatted(""))) {
      Path jar = gateway.home().resolve("plugins/logging.jar");
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
        out.putNextEntry(new JarEntry("META-INF/services/org.slf4j.spi.SLF4JServiceProvider"));
        out.write(RunsAsLogger.class.getName().getBytes(StandardCharsets.UTF_8));
        String path = RunsAsLogger.class.getName().replace('.', '/') + ".class";
        out.putNextEntry(new JarEntry(path));
        try (InputStream in = RunsAsLogger.class.getClassLoader().getResourceAsStream(path)) {
          in.transferTo(out);
        }
      }

      assertThat(culvert(gateway, "plugin", "check", jar.toString()).text()).contains("refused");
      culvert(gateway, "plugin", "key", "vendor.p12", "--name", "CN=Example Ltd");
      pack(gateway, "1.0.0");
      assertThat(culvert(gateway, "opcua", "own", "renew").text()).contains("thumb-print");
      assertThat(culvert(gateway, "opcua", "trust", "list").exit()).isZero();
      assertThat(culvert(gateway, "profile", "list").text()).contains("lamp-pole");
      assertThat(gateway.home().resolve("ran")).as("a tool has run it").doesNotExist();
    }
  }
}
