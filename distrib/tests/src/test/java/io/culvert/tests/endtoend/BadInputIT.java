package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a person gets wrong is named, and the rest of the site goes on. */
class BadInputIT {
  private static final String GOOD =
      """
      schema: culvert-profile/1
      id: foreign
      title: {en: Foreign slave}
      scheme: modbus-tcp
      interval: 200ms
      points:
        - {id: depth, title: {en: Depth}, address: "holding:0", type: uint16, scale: 0.001, unit: m}
      """;

  @TempDir Path folder;

  @Test
  void everyMistakeIsNamedAndTheGoodDeviceRuns() throws Exception {
    try (Peer broker = Peer.mosquitto(folder);
        Peer slave = Peer.pymodbus(folder);
        Platform platform = new Platform(broker.port());
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), site(broker.port(), slave.port()))) {
      gateway.write("etc/profiles/foreign.yaml", GOOD);
      gateway.write(
          "etc/profiles/typo.yaml",
          """
          schema: culvert-profile/1
          id: typo
          title: {en: Typo}
          scheme: modbus-tcp
          interval: 1s
          points:
            - {id: depth, title: {en: Depth}, address: "holding:0", type: unit16, unit: metre}
          """);
      gateway.write(
          "etc/profiles/address.yaml",
          """
          schema: culvert-profile/1
          id: address
          title: {en: Address}
          scheme: modbus-tcp
          interval: 1s
          points:
            - {id: depth, title: {en: Depth}, address: "holding:70000", type: uint16}
          """);
      gateway.write("plugins/not-a-jar.jar", "This is no jar.");
      gateway.write("plugins/no-bundle.jar", jar());
      gateway.start();

      await("the good device at the platform")
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(
              () ->
                  assertThat(platform.latest("good/depth"))
                      .as(() -> "nothing yet; the gateway says:\n" + gateway.log())
                      .isNotNull());
      for (List<String> mistake :
          List.of(
              // site document: file and line, found, expected
              List.of("site.json:6", "1x", "250ms"),
              List.of("site.json:7", "endpoit", "endpoint"),
              List.of("site.json:8", "99999"),
              List.of("site.json:9", "devices[3].profile", "no-such-profile", "etc/profiles"),
              List.of("site.json:3", "windw", "window"),
              // profiles
              List.of("typo.yaml:7", "unit16", "uint16"),
              List.of("typo.yaml:7", "metre"),
              List.of("address.yaml:7", "70000", "65535"),
              // plug-in
              List.of("not-a-jar.jar", "no whole jar", "a bundle"),
              List.of("no-bundle.jar", "no Bundle-ManifestVersion", "an OSGi bundle"))) {
        await("a line that names " + mistake)
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(
                () ->
                    assertThat(gateway.log().lines())
                        .as(() -> mistake + " in\n" + gateway.log())
                        .anyMatch(
                            line ->
                                line.contains("found ")
                                    && line.contains("expected ")
                                    && mistake.stream().allMatch(line::contains)));
      }
      InstalledGateway.Answer status = gateway.command("status");
      assertThat(status.oneLine()).contains("1 of 6 devices online").contains("site.json:6");
      assertThat(gateway.command("shell", "devices").text()).containsPattern("good +online");

      // A document that isn't JSON leaves the last good one in force.
      Platform.Seen before = platform.latest("good/depth");
      gateway.site(
          site(broker.port(), slave.port()).replace("\"devices\": [", "\"devices\": [" + "{,"));
      gateway.awaitLog("site.json:5");
      int seen = platform.reports("good");
      await("the good device goes on")
          .atMost(Duration.ofSeconds(20))
          .until(() -> platform.reports("good") > seen + 5);
      assertThat(platform.latest("good/depth").value()).isEqualTo(before.value());
    }
  }

  private static byte[] jar() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes, new Manifest())) {
      jar.putNextEntry(new JarEntry("readme.txt"));
    }
    return bytes.toByteArray();
  }

  private static String site(int broker, int slave) {
    return """
    {
      "gateway": {"id": "city-gw"},
      "platforms": [{"id": "city", "url": "mqtt://127.0.0.1:%1$d", "windw": 3},
                    {"id": "town", "url": "mqtt://127.0.0.1:%1$d", "clientId": "town"}],
      "devices": [
        {"id": "interval", "profile": "foreign", "endpoint": "modbus-tcp://127.0.0.1:%2$d?unit=1", "interval": "1x"},
        {"id": "key", "profile": "foreign", "endpoit": "modbus-tcp://127.0.0.1:%2$d?unit=1"},
        {"id": "port", "profile": "foreign", "endpoint": "modbus-tcp://127.0.0.1:99999?unit=1"},
        {"id": "profile", "profile": "no-such-profile", "endpoint": "modbus-tcp://127.0.0.1:%2$d?unit=1"},
        {"id": "points", "profile": "address", "endpoint": "modbus-tcp://127.0.0.1:%2$d?unit=1"},
        {"id": "good", "profile": "foreign", "endpoint": "modbus-tcp://127.0.0.1:%2$d?unit=1"}
      ]
    }
    """
        .formatted(broker, slave);
  }
}
