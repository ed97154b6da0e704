package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A demo that has come to its end.
 *
 * @param exit its exit code
 * @param said all that it printed
 * @param audit its report
 */
public record Demo(int exit, String said, JsonNode audit) {

  /**
   * Runs it to its end.
   *
   * @param ports that the street needs
   * @param patience so long it may take
   */
  static Demo run(Path folder, Path gateway, int ports, Duration patience, String... options)
      throws Exception {
    Path report = folder.resolve("audit.json");
    Path output = folder.resolve("demo.txt");
    List<String> line =
        new ArrayList<>(
            List.of(
                Simulator.java(),
                "-jar",
                Simulator.jar().toString(),
                "demo",
                "--gateway",
                gateway.toString(),
                "--mqtt-port",
                Integer.toString(Peer.freePort()),
                "--port-base",
                Integer.toString(Peer.freePorts(ports)),
                "--report",
                report.toString()));
    line.addAll(List.of(options));
    Process demo =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      assertThat(demo.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS))
          .as("the demo ends by itself")
          .isTrue();
    } finally {
      demo.descendants().forEach(ProcessHandle::destroyForcibly);
      demo.destroyForcibly();
    }
    String said = Files.readString(output);
    assertThat(report).as(said).exists();
    return new Demo(demo.exitValue(), said, new ObjectMapper().readTree(report.toFile()));
  }

  /** The same with fifty devices and 1,000 points a second. */
  public static Demo small(Path folder, Path gateway, Duration patience, String... options)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("--devices", "50", "--points-per-second", "1000"));
    all.addAll(List.of(options));
    // Fifty devices of the demo's street lie behind fewer ports.
    return run(folder, gateway, 30, patience, all.toArray(String[]::new));
  }

  /** The audit of one that ended well; prints its figures for whoever reads the build's log. */
  public JsonNode exact() {
    assertThat(exit).as(said).isZero();
    System.out.println(said.substring(said.indexOf("Audit:")));
    return audit;
  }
}
