package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server of OPC UA is looked around in with the commands for people, and what lies below one of
 * its nodes becomes a profile that a second device of it is read by.
 */
class BrowseIT {
  private static final Pattern POINT =
      Pattern.compile("(?m)^([a-z][a-z0-9_]*) +(\\S+) .*\\bGood\\b.*$");

  @TempDir Path folder;

  @Test
  void aSubTreeBecomesAProfileThatReadsWhatTheShippedOneReads() throws Exception {
    try (Simulator plant =
        Simulator.run(Files.createDirectory(folder.resolve("s")), this::street)) {
      ObjectNode site = plant.site();
      // A pause of the machine isn't to cost the session.
      Simulator.device(site, "station").withObject("/settings").put("keepAlive", "20s");
      try (InstalledGateway gateway =
          InstalledGateway.unpack(folder.resolve("gateway"), site.toString())) {
        gateway.start();
        awaitPoint(gateway, "station", "start_level");

        assertThat(gateway.command("shell", "scan", "station").text())
            .contains("opc.tcp://", "i=85", "no security", "search:<words>");
        String root = Simulator.device(site, "station").get("settings").get("root").asText();
        assertThat(gateway.command("shell", "scan", "station", root).text())
            .containsPattern("variable +float64 .*read-write")
            .contains("StartLevel", "m3/h", "method");
        assertThat(
                gateway
                    .command("shell", "scan", "station", "search:startlevel below " + root)
                    .text())
            .contains("./StartLevel");

        InstalledGateway.Answer made =
            gateway.command("profile", "from", "station", root, "--id", "found");
        assertThat(made.exit()).as(made.text()).isZero();
        assertThat(made.text())
            .contains("profile found with")
            .contains("\"profile\": \"found\"")
            .contains("\"root\": \"" + root + "\"")
            .contains("the other settings of station");
        assertThat(gateway.home().resolve("etc/profiles/found.yaml"))
            .content()
            .contains("address: \"./StartLevel\"")
            .contains("unit: m3/h")
            .contains("a method of (")
            .contains("zh-CN: ");

        ObjectNode again = Simulator.device(site, "station").deepCopy();
        again.put("id", "again").put("profile", "found");
        ((ArrayNode) site.get("devices")).add(again);
        gateway.site(site.toString());
        awaitPoint(gateway, "again", "start_level");
        await("all of its points")
            .atMost(Duration.ofSeconds(120))
            .untilAsserted(
                () ->
                    assertThat(points(gateway, "again"))
                        .hasSizeGreaterThanOrEqualTo(points(gateway, "station").size()));
        Map<String, String> shipped = points(gateway, "station");
        Map<String, String> found = points(gateway, "again");
        assertThat(found.get("start_level")).isEqualTo(shipped.get("start_level"));
        assertThat(found.get("stop_level")).isEqualTo(shipped.get("stop_level"));
        for (JsonNode device : site.get("devices")) {
          assertThat(gateway.command("shell", "read", device.get("id").asText()).text())
              .doesNotContain("Bad");
        }
      }
    }
  }

  private String street(int port) {
    return """
        schema: culvert-street/1
        title: A pump station behind a server
        seed: 17
        plant:
          port: %d
          security: none
          devices: [{id: station, profile: opcua-pump-station}]
        """
        .formatted(port);
  }

  private static void awaitPoint(InstalledGateway gateway, String device, String point) {
    await(point + " of " + device)
        .atMost(Duration.ofSeconds(120))
        .untilAsserted(() -> assertThat(points(gateway, device)).containsKey(point));
  }

  private static Map<String, String> points(InstalledGateway gateway, String device)
      throws Exception {
    Map<String, String> values = new HashMap<>();
    Matcher lines = POINT.matcher(gateway.command("shell", "read", device).text());
    while (lines.find()) {
      values.put(lines.group(1), lines.group(2));
    }
    return values;
  }
}
