package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.culvert.tests.endtoend.InstalledGateway;
import io.culvert.tests.endtoend.Peer;
import io.culvert.tests.endtoend.Simulator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The demo with fifty devices and 1,000 points a second, which must end with an exact account. */
final class Demo {
  private Demo() {}

  /** Runs it to its end; the audit's report. */
  static JsonNode run(Path folder, String... options) throws Exception {
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
                InstalledGateway.SHIPPED.toString(),
                "--devices",
                "50",
                "--points-per-second",
                "1000",
                "--mqtt-port",
                Integer.toString(Peer.freePort()),
                "--port-base",
                Integer.toString(Peer.freePorts(30)),
                "--report",
                report.toString()));
    line.addAll(List.of(options));
    Process demo =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      assertThat(demo.waitFor(Form.of(10, 60), TimeUnit.MINUTES))
          .as("the demo ends by itself")
          .isTrue();
    } finally {
      demo.descendants().forEach(ProcessHandle::destroyForcibly);
      demo.destroyForcibly();
    }
    String said = Files.readString(output);
    assertThat(demo.exitValue()).as(said).isZero();
    // Its figures, for whoever reads the log of the build.
    System.out.println(said.substring(said.indexOf("Audit:")));
    return new ObjectMapper().readTree(report.toFile());
  }
}
