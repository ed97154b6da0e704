package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.culvert.simulator.replay.Recording;
import io.culvert.simulator.replay.Recording.Event;
import io.culvert.simulator.replay.Recording.Kind;
import io.culvert.simulator.replay.RecordingException;
import io.culvert.simulator.replay.Replay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A device is recorded through the shipped gateway, and a gateway can't tell its replay from it.
 */
class RecordReplayIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String PROFILE =
      """
      schema: culvert-profile/1
      id: foreign
      title: {en: Foreign slave}
      scheme: modbus-tcp
      interval: 500ms
      points:
        - {id: depth, title: {en: Depth}, address: "holding:0", type: uint16, scale: 0.001, unit: m}
        - {id: air, title: {en: Air}, address: "holding:1", type: int16, scale: 0.1, unit: Cel}
        - {id: pressure, title: {en: Pressure}, address: "holding:2", type: float32, unit: MPa}
        - {id: far, title: {en: Far away}, address: "holding:100", type: uint16}
        - {id: flow, title: {en: Flow}, address: "input:9;order=cdab", type: float32, unit: m3/h}
        - {id: pump, title: {en: Pump}, address: "coil:3", type: bool, class: state}
        - {id: nowhere, title: {en: Nowhere}, address: "holding:9000", type: uint16}
      """;

  @TempDir Path folder;

  @Test
  void aReplayOfAForeignDeviceIsReadAsTheDeviceWas() throws Exception {
    Path file = folder.resolve("unit-1.jsonl");
    try (Peer slave = Peer.pymodbus(folder);
        InstalledGateway gateway =
            InstalledGateway.unpack(folder.resolve("gateway"), site(slave.port(), slave.port()))) {
      gateway.write("etc/profiles/foreign.yaml", PROFILE);
      gateway.start();
      awaitOnline(gateway, "unit-1", "unit-7");
      await("all points have been read")
          .atMost(Duration.ofSeconds(60))
          .until(() -> readings(gateway, "unit-1").size() == 7);
      List<String> before = readings(gateway, "unit-1");

      InstalledGateway.Answer said =
          gateway.command("record", "unit-1", file.toString(), "--seconds", "6");

      assertThat(said.exit()).as(said.text()).isZero();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
      for (String unit : new String[] {"unit-1", "unit-7"}) {
        assertThat(gateway.command("buffer", "ledger", "--device", unit).text())
            .as("gaps of " + unit)
            .contains("0 gaps");
      }
      Recording recording = Recording.read(file);
      assertThat(recording.header())
          .containsEntry("gateway", "city-gw")
          .containsEntry("device", "unit-1")
          .containsEntry("profile", "foreign")
          .containsEntry("scheme", "modbus-tcp")
          .containsEntry("carrier", "tcp")
          .containsKey("matcher");
      List<Event> events = recording.events();
      assertThat(events.get(events.size() - 1).kind()).isEqualTo(Kind.ENDED);
      assertThat(events).filteredOn(event -> event.kind() == Kind.OPENED).hasSize(1);
      assertThat(events)
          .as("only what concerns the device")
          .filteredOn(event -> event.kind() == Kind.TO_DEVICE)
          .isNotEmpty()
          .allSatisfy(event -> assertThat(event.bytes()[6]).isEqualTo((byte) 1));

      try (Replay replay = Replay.tcp(recording, 0, 10)) {
        gateway.site(site(replay.port(), slave.port()));
        slave.close();
        await("the replay is read")
            .atMost(Duration.ofSeconds(60))
            .untilAsserted(
                () -> {
                  assertThat(replay.report().requests()).isGreaterThan(10);
                  assertThat(readings(gateway, "unit-1")).isEqualTo(before);
                });
        assertThat(replay.report().unknown()).isEmpty();
      }
      assertThat(gateway.stop()).isZero();
    }
  }

  /**
   * Each answer of a simulated device has another tick: whoever misses one, or is given the wrong
   * one, shows it.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aReplayOfAStreetsDeviceCountsAsTheDeviceDid(boolean serial) throws Exception {
    int[] port = new int[1];
    Path line = folder.resolve("line");
    Path file = folder.resolve("pump-001.jsonl");
    List<Long> recorded;
    try (Simulator simulator =
            Simulator.run(
                folder,
                base -> {
                  port[0] = base;
                  return street(base, serial);
                });
        Peer wire = serial ? Peer.socat(line, port[0]) : null;
        InstalledGateway gateway =
            InstalledGateway.unpack(
                folder.resolve("gateway"), site(simulator.site(), serial ? line : null))) {
      gateway.start();
      awaitOnline(gateway, "pump-001", "pump-002");
      if (!serial) {
        aRecorderThatDiesLeavesTheDeviceAsItWas(gateway);
      }

      // Ended by hand, as with Ctrl-C.
      Process recorder =
          new ProcessBuilder(
                  gateway.home().resolve("bin/culvert").toString(),
                  "record",
                  "pump-001",
                  file.toString())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("record.txt").toFile())
              .start();
      await("twelve answers are recorded")
          .atMost(Duration.ofSeconds(60))
          // Its first line may be there in part.
          .ignoreException(RecordingException.class)
          .until(() -> Files.exists(file) && ticks(Recording.read(file)).size() >= 12);
      recorder.destroy();
      assertThat(recorder.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(recorder.exitValue()).as(Files.readString(folder.resolve("record.txt"))).isZero();
      recorded = ticks(Recording.read(file));
      long last = recorded.get(recorded.size() - 1);
      assertThat(recorded)
          .isEqualTo(LongStream.rangeClosed(recorded.get(0), last).boxed().toList());

      await("the device is read on")
          .atMost(Duration.ofSeconds(60))
          .until(() -> exported(gateway).stream().anyMatch(tick -> tick > last + 3));
      List<Long> all = exported(gateway);
      assertThat(all)
          .as("no answer was lost, neither at the beginning of the recording nor at its end")
          .isEqualTo(LongStream.rangeClosed(all.get(0), all.get(all.size() - 1)).boxed().toList());
      assertThat(gateway.stop()).isZero();
    }
    aSecondGatewayReadsTheReplay(file, serial, recorded);
  }

  private void aRecorderThatDiesLeavesTheDeviceAsItWas(InstalledGateway gateway) throws Exception {
    Path file = folder.resolve("died.jsonl");
    Process recorder =
        new ProcessBuilder(
                gateway.home().resolve("bin/culvert").toString(),
                "record",
                "pump-001",
                file.toString())
            .start();
    await("it records")
        .atMost(Duration.ofSeconds(60))
        .until(() -> Files.exists(file) && Files.readAllLines(file).size() > 3);
    assertThat(gateway.command("record", "pump-001", "--seconds", "1").text())
        .contains("it is being recorded already");
    recorder.destroyForcibly().waitFor();
    await("its recording has ended")
        .atMost(Duration.ofSeconds(60))
        .until(() -> gateway.command("record", "pump-001", "--seconds", "1").exit() == 0);
  }

  private void aSecondGatewayReadsTheReplay(Path file, boolean serial, List<Long> recorded)
      throws Exception {
    Path device = folder.resolve("device");
    Path cabinet = folder.resolve("cabinet");
    Path said = folder.resolve("replay.txt");
    int port = Peer.freePort();
    Process cable =
        serial
            ? new ProcessBuilder(
                    Peer.program("socat"),
                    "pty,raw,echo=0,link=" + device,
                    "pty,raw,echo=0,link=" + cabinet)
                .start()
            : null;
    Process replay = null;
    try {
      if (serial) {
        await("the cable is there")
            .atMost(Duration.ofSeconds(20))
            .until(() -> Files.exists(device) && Files.exists(cabinet));
      }
      replay =
          new ProcessBuilder(
                  Simulator.java(),
                  "-jar",
                  Simulator.jar().toString(),
                  "replay",
                  file.toString(),
                  serial ? "--serial" : "--port",
                  serial ? device.toString() : Integer.toString(port))
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      await("the replay is there")
          .atMost(Duration.ofSeconds(60))
          .until(() -> InstalledGateway.text(said).contains("Ctrl-C ends"));
      String endpoint =
          serial
              ? "modbus-rtu://" + cabinet + "?baud=19200&parity=even&unit=1"
              : "modbus-tcp://127.0.0.1:" + port + "?unit=1";
      try (InstalledGateway gateway =
          InstalledGateway.unpack(
              folder.resolve("second"),
              """
              {"gateway": {"id": "second"}, "platforms": [], "devices": [
                {"id": "pump-001", "profile": "underpass-water", "endpoint": "%s",
                 "interval": "500ms", "timeout": "10s", "settings": {"responseTimeout": "4s"}}]}
              """
                  .formatted(endpoint))) {
        gateway.start();
        await("the replay was read to its end")
            .atMost(Duration.ofSeconds(120))
            .until(() -> exported(gateway).contains(recorded.get(recorded.size() - 1)));
        // Beyond the recording it is answered as the last time.
        assertThat(exported(gateway).stream().distinct().toList()).isEqualTo(recorded);
      }
    } finally {
      if (replay != null) {
        replay.destroy();
        assertThat(replay.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(replay.exitValue()).as(Files.readString(said)).isZero();
      }
      if (cable != null) {
        cable.destroyForcibly();
      }
    }
  }

  /** What the device counted in its recorded answers: the second of two registers of unit 1. */
  private static List<Long> ticks(Recording recording) {
    int at = recording.header().get("scheme").equals("modbus-tcp") ? 6 : 0;
    List<Long> ticks = new ArrayList<>();
    byte[] answer = {};
    for (Event event : recording.events()) {
      if (event.kind() == Kind.TO_DEVICE) {
        answer = new byte[0];
      } else if (event.kind() == Kind.TO_GATEWAY) {
        byte[] longer = java.util.Arrays.copyOf(answer, answer.length + event.bytes().length);
        System.arraycopy(event.bytes(), 0, longer, answer.length, event.bytes().length);
        boolean whole = answer.length < at + 7 && longer.length >= at + 7;
        answer = longer;
        if (whole && answer[at] == 1) {
          ticks.add((answer[at + 5] & 0xFFL) << 8 | answer[at + 6] & 0xFF);
        }
      }
    }
    return ticks;
  }

  /** The ticks of pump-001 that are on disk. */
  private static List<Long> exported(InstalledGateway gateway) throws Exception {
    List<Long> ticks = new ArrayList<>();
    String text =
        gateway.command("buffer", "export", "--device", "pump-001", "--point", "tick").text();
    for (String reading : text.lines().filter(each -> each.startsWith("{")).toList()) {
      JsonNode value = JSON.readTree(reading).get("value");
      if (!value.isNull()) {
        ticks.add(value.asLong());
      }
    }
    return ticks;
  }

  /** Point, value, unit and quality of each, as a person sees them. */
  private static List<String> readings(InstalledGateway gateway, String device) throws Exception {
    return gateway
        .command("shell", "read", device)
        .text()
        .lines()
        .filter(row -> row.matches("(depth|air|pressure|far|flow|pump|nowhere) .*"))
        .map(row -> row.replaceAll("(Good|Bad[A-Za-z]*|Uncertain[A-Za-z]*) .*", "$1"))
        .map(row -> row.replaceAll("\\s+", " "))
        .toList();
  }

  private static void awaitOnline(InstalledGateway gateway, String... devices) {
    for (String device : devices) {
      gateway.awaitLog(device + ": ONLINE");
    }
  }

  private static String site(int first, int second) {
    return """
        {"gateway": {"id": "city-gw"}, "platforms": [], "devices": [
          {"id": "unit-1", "profile": "foreign", "endpoint": "modbus-tcp://127.0.0.1:%d?unit=1",
           "timeout": "10s", "settings": {"responseTimeout": "4s"}},
          {"id": "unit-7", "profile": "foreign", "endpoint": "modbus-tcp://127.0.0.1:%d?unit=7",
           "timeout": "10s", "settings": {"responseTimeout": "4s"}}]}
        """
        .formatted(first, second);
  }

  private static String site(ObjectNode site, Path line) throws IOException {
    site.putArray("platforms");
    for (JsonNode device : site.get("devices")) {
      ObjectNode entry = (ObjectNode) device;
      entry.put("interval", "500ms");
      if (line != null) {
        String endpoint = device.get("endpoint").asText();
        entry.put(
            "endpoint",
            "modbus-rtu://"
                + line
                + "?baud=19200&parity=even&"
                + endpoint.substring(endpoint.indexOf("unit=")));
      }
    }
    return site.toPrettyString();
  }

  private static String street(int port, boolean serial) {
    return """
        schema: culvert-street/1
        title: To be recorded
        seed: 5
        devices:
          - {id: pump, count: 2, profile: underpass-water, framing: %s, port: %d, units-per-port: 2}
        """
        .formatted(serial ? "rtu" : "tcp", port);
  }
}
