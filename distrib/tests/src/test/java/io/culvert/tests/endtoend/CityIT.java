package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One device of each class through the shipped gateway: word orders, decimal digits, fields of
 * bits, codes of no value, counters that roll over meanwhile, scales in other registers, texts, and
 * points with an interval of their own.
 */
class CityIT {
  private static final Path STREET =
      Path.of("../../simulator/src/main/resources/streets/city.yaml");
  private static final Path PROFILES =
      Path.of("../../devices/profiles/src/main/resources/profiles");

  @TempDir Path folder;

  @Test
  void everyShippedProfileIsInTheCity() throws IOException {
    String street = Files.readString(STREET);
    try (Stream<Path> profiles = Files.list(PROFILES)) {
      List<String> ids =
          profiles.map(file -> file.getFileName().toString().replace(".yaml", "")).toList();
      assertThat(ids)
          .hasSizeGreaterThanOrEqualTo(15)
          .allSatisfy(id -> assertThat(street).containsPattern("profile: " + id + "[,}]"));
    }
  }

  @Test
  void theAccountOfEveryClassOfDeviceIsExact() throws Exception {
    Path report = folder.resolve("audit.json");
    Path output = folder.resolve("demo.txt");
    Process demo =
        new ProcessBuilder(
                Simulator.java(),
                "-jar",
                Simulator.jar().toString(),
                "demo",
                "--gateway",
                InstalledGateway.SHIPPED.toString(),
                "--street",
                STREET.toString(),
                "--points-per-second",
                "250",
                // The counters roll over in the first fifteen.
                "--seconds",
                "20",
                "--mqtt-port",
                Integer.toString(Peer.freePort()),
                "--port-base",
                Integer.toString(Peer.freePorts(15)),
                "--report",
                report.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(demo.waitFor(180, TimeUnit.SECONDS)).as("the demo ends by itself").isTrue();
    } finally {
      demo.descendants().forEach(ProcessHandle::destroyForcibly);
      demo.destroyForcibly();
    }
    String said = Files.readString(output);
    assertThat(demo.exitValue()).as(said).isZero();
    JsonNode audit = new ObjectMapper().readTree(report.toFile());
    assertThat(audit.at("/lost").asLong()).isZero();
    assertThat(audit.at("/holds").asBoolean()).isTrue();
    assertThat(audit.at("/confirmed").asLong()).as(said).isGreaterThan(500);
  }
}
