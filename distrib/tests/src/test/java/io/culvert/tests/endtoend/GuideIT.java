package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.service.component.annotations.Component;

/** The guide for a device bundle, followed as it stands, into a running gateway. */
class GuideIT {
  private static final Path GUIDE = Path.of("../../docs/guides/device-bundle.md");

  @TempDir Path folder;

  @Test
  void theBundleOfTheGuideReadsAndWritesItsLamp() throws Exception {
    Map<String, String> lamp = new ConcurrentHashMap<>(Map.of("power", "87.5", "on", "true"));
    HttpServer controller = controller(lamp);
    try (Peer broker = Peer.mosquitto(folder);
        Platform platform = new Platform(broker.port());
        InstalledGateway gateway =
            InstalledGateway.unpack(
                folder.resolve("gateway"),
                site(broker.port(), controller.getAddress().getPort()))) {
      gateway.start();
      gateway.awaitLog("lamp-1");
      await("the device waits and says for what")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(gateway.command("status").oneLine())
                      .contains("device lamp-1 waiting")
                      .contains("site.json:4")
                      .contains("found no profile example-lamp"));

      Files.copy(bundle(), gateway.home().resolve("plugins/lamp-driver-1.0.0.jar"));
      await("the reading of a device that was waiting")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(platform.latest("lamp-1/power"))
                      .as(() -> gateway.log())
                      .isNotNull()
                      .satisfies(
                          seen -> {
                            assertThat(seen.value().asDouble()).isEqualTo(87.5);
                            assertThat(seen.unit()).isEqualTo("W");
                          }));

      InstalledGateway.Answer answer =
          gateway.command("shell", "write", "lamp-1", "burning", "false");
      assertThat(answer.exit()).as(answer.text()).isZero();
      assertThat(lamp).containsEntry("on", "false");
    } finally {
      controller.stop(0);
    }
  }

  private static HttpServer controller(Map<String, String> points) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/points",
        exchange -> {
          String path = exchange.getRequestURI().getPath();
          byte[] body = new byte[0];
          if (exchange.getRequestMethod().equals("PUT")) {
            points.put(
                path.substring(path.lastIndexOf('/') + 1),
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          } else {
            StringBuilder lines = new StringBuilder();
            points.forEach(
                (name, value) -> lines.append(name).append('=').append(value).append('\n'));
            body = lines.toString().getBytes(StandardCharsets.UTF_8);
          }
          exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    return server;
  }

  /**
   * Compiles the guide's Java, packs it with the guide's bnd instructions and the guide's profile.
   */
  private Path bundle() throws Exception {
    String guide = Files.readString(GUIDE);
    Path sources = folder.resolve("src");
    Path classes = Files.createDirectories(folder.resolve("classes"));
    Path driver = named(guide, sources, "java");
    Path yaml = named(guide, classes, "yaml");
    // The guide names files by their place in a Maven project.
    Path profiles = Files.createDirectories(classes.resolve("profiles"));
    Files.move(yaml, profiles.resolve(yaml.getFileName()));

    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    Path api = Path.of("../../bundles/api/target/classes").toAbsolutePath();
    Path annotations =
        Path.of(Component.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    int result =
        compiler.run(
            null,
            null,
            null,
            "--release",
            "17",
            "-Xlint:all,-classfile",
            "-proc:none",
            "-d",
            classes.toString(),
            "-cp",
            api + File.pathSeparator + annotations,
            driver.toString());
    assertThat(result).as("the guide's code compiles").isZero();

    Matcher instructions =
        Pattern.compile("<bnd><!\\[CDATA\\[(.*?)]]>", Pattern.DOTALL).matcher(guide);
    assertThat(instructions.find()).isTrue();
    Path jar = folder.resolve("lamp.jar");
    try (Builder builder = new Builder()) {
      builder.setProperties(new StringReader(instructions.group(1)));
      builder.setProperty("Bundle-Version", "1.0.0");
      builder.setProperty("-includeresource", classes.toString());
      builder.setProperty("-privatepackage", "com.example.lamp");
      builder.setProperty("-noimportjava", "true");
      builder.addClasspath(List.of(classes.toFile(), api().toFile(), annotations.toFile()));
      Jar built = builder.build();
      assertThat(builder.getErrors()).isEmpty();
      built.write(jar.toFile());
    }
    return jar;
  }

  private static Path api() throws IOException {
    try (var files = Files.list(Path.of("../../bundles/api/target"))) {
      return files
          .filter(f -> f.getFileName().toString().matches("culvert-api-.*\\.jar"))
          .findFirst()
          .orElseThrow(() -> new IOException("No jar of the API"));
    }
  }

  /** Writes the fenced block of a language that follows a line naming a file of that extension. */
  private static Path named(String guide, Path folder, String extension) throws IOException {
    Matcher block =
        Pattern.compile(
                "`[^`]*/([^`/]+\\." + extension + ")`:\\s*```" + extension + "\n(.*?)```",
                Pattern.DOTALL)
            .matcher(guide);
    assertThat(block.find()).as("a block of " + extension + " in the guide").isTrue();
    Path file = Files.createDirectories(folder).resolve(block.group(1));
    Files.writeString(file, block.group(2));
    return file;
  }

  private static String site(int broker, int lamp) {
    return """
    {
      "gateway": {"id": "city-gw"}, "plugins": {"allowUnsigned": true},
      "platforms": [{"id": "city", "url": "mqtt://127.0.0.1:%d"}],
      "devices": [{"id": "lamp-1", "profile": "example-lamp", "endpoint": "lamp://127.0.0.1:%d"}]
    }
    """
        .formatted(broker, lamp);
  }
}
