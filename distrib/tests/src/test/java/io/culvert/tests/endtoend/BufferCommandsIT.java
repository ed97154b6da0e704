package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code bin/culvert buffer} as a person at the cabinet types it: beside a running gateway, after
 * it was killed, and where a file is damaged; and the same question from the platform.
 */
class BufferCommandsIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DEVICE = "pump-001";

  @TempDir Path folder;
  private InstalledGateway gateway;
  private int files;

  @Test
  void whatIsStoredIsToldProvedAndExportedAlsoWhereNoGatewayRuns() throws Exception {
    try (Simulator simulator = Simulator.run(folder, BufferCommandsIT::street);
        Platform platform = new Platform(simulator.mqttPort());
        InstalledGateway installed =
            InstalledGateway.unpack(folder.resolve("gateway"), site(simulator.site()))) {
      gateway = installed;
      InstalledGateway.Answer none = gateway.command("buffer", "status");
      assertThat(none.exit()).isEqualTo(5);
      assertThat(none.text()).contains("Nothing is stored in ");

      gateway.start();
      await("readings arrive")
          .atMost(Duration.ofSeconds(60))
          .until(() -> platform.polls(DEVICE).size() > 10);
      Instant to = Instant.now().truncatedTo(ChronoUnit.MILLIS);
      await("all of before is committed")
          .atMost(Duration.ofSeconds(60))
          .until(() -> last(platform.polls(DEVICE)).isAfter(to.plusSeconds(2)));

      JsonNode status = json("status");
      assertThat(status.get("running").asBoolean()).isTrue();
      assertThat(status.get("disk").asText()).isEqualTo("working");
      assertThat(status.at("/platforms/0/ready").asBoolean()).isTrue();
      InstalledGateway.Answer screen = gateway.command("buffer", "status");
      assertThat(screen.exit()).as(screen.text()).isZero();
      assertThat(screen.text()).contains("The disk works", "telemetry", "connected");
      assertThat(screen.text().lines()).allMatch(line -> line.length() <= 80);
      assertThat(json("verify").get("problems")).isEmpty();

      String[] span = {"--device", DEVICE, "--from", "2026-01-01", "--to", to.toString()};
      Map<String, Long> accepted = accepted(span);
      assertThat(accepted.get("telemetry")).isGreaterThan(9);
      List<String> lines = export("jsonl", span);
      assertThat(counted(lines)).isEqualTo(accepted);
      assertThat(askedByThePlatform(simulator, platform, to)).isEqualTo(accepted);
      String point = JSON.readTree(lines.get(0)).get("point").asText();
      InstalledGateway.Answer windows =
          gateway.command("shell", "history", DEVICE, point, "1h", "1h");
      assertThat(windows.exit()).as(windows.text()).isZero();
      assertThat(windows.text().lines().toList().get(0))
          .containsSubsequence("from", "count", "bad", "min", "mean", "max", "last");
      assertThat(windows.text().lines()).as("one window").hasSizeBetween(2, 3);

      gateway.kill();
      assertThat(export("jsonl", span)).isEqualTo(lines);
      assertThat(accepted(span)).isEqualTo(accepted);
      assertThat(json("status").get("running").asBoolean()).isFalse();
      assertThat(json("verify").get("problems")).isEmpty();
      List<String> csv = export("csv", span);
      assertThat(csv).hasSize(lines.size() + 1);
      assertThat(csv.get(0)).startsWith("device,point,class,seq,value,unit,");
      JsonNode pack = JSON.readTree(String.join("\n", export("senml", span)));
      assertThat(pack).hasSizeGreaterThan(9);
      assertThat(pack.get(0).get("bn").asText()).isEqualTo(DEVICE + "/");

      damageASegment();
      InstalledGateway.Answer damaged = gateway.command("buffer", "verify");
      assertThat(damaged.exit()).isEqualTo(1);
      assertThat(damaged.oneLine()).contains("segment-0000000001.db: can't be read");
      InstalledGateway.Answer rest = gateway.command("buffer", "export", "--device", DEVICE);
      assertThat(rest.exit()).isEqualTo(1);
      assertThat(rest.text()).contains("some rows can't be read");
      assertThat(gateway.home().resolve("data/buffer/segment-0000000001.db")).exists();
      assertThat(gateway.command("buffer", "nonsense").exit()).isEqualTo(2);
    }
  }

  private static Instant last(List<Instant> polls) {
    return polls.get(polls.size() - 1);
  }

  private JsonNode json(String... words) throws Exception {
    List<String> line = new ArrayList<>(List.of("buffer"));
    line.addAll(List.of(words));
    line.add("--json");
    InstalledGateway.Answer said = gateway.command(line.toArray(String[]::new));
    assertThat(said.exit()).as(said.text()).isZero();
    // Where no gateway runs, a line on standard error says so first.
    return JSON.readTree(said.text().substring(said.text().indexOf('{')));
  }

  /** By class, as the ledger tells of a device. */
  private Map<String, Long> accepted(String... span) throws Exception {
    JsonNode ledger =
        json(Stream.concat(Stream.of("ledger"), Stream.of(span)).toArray(String[]::new));
    assertThat(ledger.get("complete").asBoolean()).isTrue();
    for (JsonNode platform : ledger.get("platforms")) {
      assertThat(platform.get("settled").asLong() + platform.get("waiting").asLong())
          .isEqualTo(ledger.at("/accepted/" + platform.get("class").asText()).asLong());
    }
    return counts(ledger.get("accepted"));
  }

  private static Map<String, Long> counts(JsonNode object) {
    Map<String, Long> counts = new TreeMap<>();
    object.fields().forEachRemaining(f -> counts.put(f.getKey(), f.getValue().asLong()));
    return counts;
  }

  private List<String> export(String format, String... span) throws Exception {
    Path file = folder.resolve("export-" + files++);
    List<String> line = new ArrayList<>(List.of("buffer", "export", "--format", format));
    line.addAll(List.of(span));
    line.addAll(List.of("--out", file.toString()));
    InstalledGateway.Answer said = gateway.command(line.toArray(String[]::new));
    assertThat(said.exit()).as(said.text()).isZero();
    assertThat(said.text()).contains(" readings written");
    return Files.readAllLines(file);
  }

  /** Readings by class; each stream's numbers must follow each other. */
  private static Map<String, Long> counted(List<String> lines) throws IOException {
    Map<String, List<Long>> sequences = new TreeMap<>();
    for (String line : lines) {
      JsonNode reading = JSON.readTree(line);
      assertThat(reading.get("device").asText()).isEqualTo(DEVICE);
      sequences
          .computeIfAbsent(reading.get("class").asText(), c -> new ArrayList<>())
          .add(reading.get("seq").asLong());
    }
    Map<String, Long> counts = new TreeMap<>();
    sequences.forEach(
        (streamClass, of) -> {
          assertThat(of)
              .as(streamClass)
              .isEqualTo(LongStream.rangeClosed(1, of.size()).boxed().toList());
          counts.put(streamClass, (long) of.size());
        });
    return counts;
  }

  private static Map<String, Long> askedByThePlatform(
      Simulator simulator, Platform platform, Instant to) throws Exception {
    String sys = "$oc/devices/" + simulator.site().at("/gateway/id").asText() + "/sys/commands/";
    platform.publish(
        sys + "request_id=prove-it",
        """
        {"command_name": "ledger",
         "paras": {"device": "%s", "from": "2026-01-01T00:00:00Z", "to": "%s"}}
        """
            .formatted(DEVICE, to));
    String answer = "commands/response/request_id=prove-it";
    await("the gateway answers")
        .atMost(Duration.ofSeconds(30))
        .until(() -> !platform.messages(answer).isEmpty());
    JsonNode body = platform.messages(answer).get(0).body();
    assertThat(body.get("result_code").asInt()).as(body.toString()).isZero();
    assertThat(body.at("/paras/complete").asBoolean()).isTrue();
    Map<String, Long> accepted = counts(body.at("/paras/accepted"));
    accepted.forEach(
        (streamClass, count) ->
            assertThat(
                    body.at("/paras/settled/" + streamClass).asLong()
                        + body.at("/paras/unconfirmed/" + streamClass).asLong())
                .isEqualTo(count));
    return accepted;
  }

  private void damageASegment() throws IOException {
    Path segment = gateway.home().resolve("data/buffer/segment-0000000001.db");
    assertThat(segment).exists();
    Files.write(segment, "not a database ".repeat(1000).getBytes());
  }

  private static String site(ObjectNode site) {
    for (JsonNode device : site.get("devices")) {
      ((ObjectNode) device).put("interval", "500ms");
    }
    return site.toPrettyString();
  }

  private static String street(int portBase) {
    return """
        schema: culvert-street/1
        title: A street to be accounted for
        seed: 4
        devices:
          - {id: pump, count: 2, profile: underpass-water, port: %d, units-per-port: 2}
        """
        .formatted(portBase + 1);
  }
}
