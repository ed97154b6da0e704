package io.culvert.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.simulator.street.StreetException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  @TempDir Path folder;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @Test
  void siteDocumentMatchesTheStreet() throws Exception {
    Path street =
        Files.writeString(
            folder.resolve("street.yaml"),
            "schema: culvert-street/1\nport-base: 6000\ndevices:\n"
                + "  - {id: uw, count: 2, profile: underpass-water, units-per-port: 1}\n");

    assertThat(run("site", "--street", street.toString(), "--mqtt-port", "1999")).isZero();

    assertThat(output())
        .contains("\"url\" : \"mqtt://127.0.0.1:1999\"")
        .contains("\"endpoint\" : \"modbus-tcp://127.0.0.1:6001?unit=1\"")
        .contains("\"interval\" : \"1000ms\"");
  }

  @Test
  void helpIsHelpful() throws Exception {
    assertThat(run("help")).isZero();
    assertThat(output()).contains("simulator demo", "--kills", "127.0.0.1");
  }

  @Test
  void demoStreetIsSound() throws Exception {
    Path street = folder.resolve("demo.yaml");
    try (var in = Main.class.getResourceAsStream("/streets/demo.yaml")) {
      Files.copy(in, street);
    }
    assertThat(run("site", "--street", street.toString())).isZero();
    assertThat(output().split("\"endpoint\"")).hasSize(201);
  }

  @Test
  void aDiskWithoutRoomIsNamedBeforeAnythingIsCopied() {
    assertThatThrownBy(() -> Gateway.requireRoom(folder, Long.MAX_VALUE))
        .isInstanceOf(StreetException.class)
        .hasMessageStartingWith("Disk full: ")
        .hasMessageContaining("MiB free in " + folder)
        .hasMessageContaining("--work");
    assertThatCode(() -> Gateway.requireRoom(folder, 1)).doesNotThrowAnyException();
  }

  @Test
  void whatIsWrongOnTheCommandLineIsNamed() {
    assertThatThrownBy(() -> run("stret"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found the command 'stret', expected street");
    assertThatThrownBy(() -> run("site"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found no --street");
    assertThatThrownBy(() -> run("demo", "--gateway", "x", "--secnds", "3"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found '--secnds', expected one of");
    assertThatThrownBy(() -> run("demo", "--gateway", "x", "--seconds", "soon"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found --seconds soon, expected a whole number");
    assertThatThrownBy(() -> run("demo", "--gateway", "x", "--evil", "worse"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found --evil with 'worse', expected all, none, or some of hangs");
    assertThatThrownBy(() -> run("demo", "--gateway", folder.toString()))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("expected an unpacked Culvert");
    assertThatThrownBy(() -> run("street", "--street", folder.resolve("no.yaml").toString()))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("no.yaml: can't be read");
  }

  @Test
  void aReplayEndsByItselfAndSaysWhatBecameOfIt() throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("a.jsonl"),
            """
            {"format":"culvert-recording/1","device":"lamp-1","start":"2026-11-29T08:00:00Z"}
            {"nanos":1,"connection":1,"event":"opened"}
            {"nanos":2,"connection":1,"to":"device","hex":"01"}
            """);

    assertThat(run("replay", file.toString(), "--port", "0", "--seconds", "1")).isZero();

    assertThat(output())
        .contains("lamp-1 as it was on 2026-11-29T08:00:00Z, on 127.0.0.1:")
        .contains("0 requests", "1 recorded requests never came");
  }

  @Test
  void whatIsWrongWithAReplayIsNamed() throws Exception {
    assertThatThrownBy(() -> run("replay", "--port", "0"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found no file");
    Path file = Files.writeString(folder.resolve("a.jsonl"), "nonsense\n");
    assertThatThrownBy(() -> run("replay", file.toString()))
        .hasMessageContaining("a.jsonl:1: found what is no JSON");
    Files.writeString(file, "{\"format\":\"culvert-recording/1\"}\n");
    assertThatThrownBy(() -> run("replay", file.toString(), "--speed", "0"))
        .isInstanceOf(StreetException.class)
        .hasMessageContaining("found --speed 0, expected a number");
  }

  private int run(String... args) throws Exception {
    return Main.run(List.of(args), new PrintStream(bytes, true, StandardCharsets.UTF_8));
  }

  private String output() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
