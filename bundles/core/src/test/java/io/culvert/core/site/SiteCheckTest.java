package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SiteCheckTest {
  @TempDir Path home;

  @Test
  void findsWhatTheGatewayWouldFind() throws IOException {
    Jars.bundle(
        home.resolve("system/mqtt.jar"),
        Map.of("Bundle-SymbolicName", "mqtt"),
        Map.of("OSGI-INF/metatype/m.xml", MetatypeTest.XML));
    Jars.bundle(
        home.resolve("plugins/water.jar"),
        Map.of("Bundle-SymbolicName", "water", "Culvert-Profiles", "profiles"),
        Map.of(
            "profiles/water.yaml",
            SiteKeeperTest.PROFILE,
            "profiles/bad.yaml",
            "a: b: c",
            "profiles/deep/not-read.yaml",
            "x"));
    Files.createDirectories(home.resolve("etc/profiles"));
    Files.writeString(home.resolve("etc/profiles/empty.yaml"), "");
    Files.writeString(
        home.resolve("etc/site.json"),
        """
        {"gateway": {"id": "g"}, "platforms": [
          {"id": "city", "url": "mqtt://h", "window": 0}
        ], "devices": [
          {"id": "a", "profile": "water", "endpoint": "opc.tcp://h"},
          {"id": "b", "profile": "water", "endpoint": "modbus-tcp://h", "interval": "1x"}
        ]}
        """);

    assertThat(SiteCheck.check(home))
        .containsExactly(
            "etc/site.json:5: devices[1].interval: found \"1x\"; expected a duration such as 250ms, 1s,"
                + " 5m",
            "etc/site.json:2: platforms[0].window: found 0; expected a whole number from 1 to 1000",
            "etc/site.json:4: devices[0].endpoint: found \"opc.tcp://h\"; expected a URL whose"
                + " scheme is modbus-tcp or begins with modbus-tcp-, as the profile water is for it",
            "etc/profiles/empty.yaml:1:1: found an empty file; expected a YAML mapping",
            "water.jar!/profiles/bad.yaml:1:5: found mapping values are not allowed here; expected YAML"
                + " 1.2");
  }

  @Test
  void aMissingDocumentIsNamed() throws IOException {
    assertThat(SiteCheck.check(home))
        .containsExactly(
            "etc/site.json: found nothing that can be read; expected the site document");
  }
}
