package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

  /** What has a server of its own, {@link PlantIT} takes the account of. */
  private static final Path PLANT =
      Path.of("../../simulator/src/main/java/io/culvert/simulator/plant/Plant.java");

  private static final Path PROFILES =
      Path.of("../../devices/profiles/src/main/resources/profiles");

  @TempDir Path folder;

  @Test
  void everyShippedProfileIsInTheCityOrInThePlant() throws IOException {
    String places = Files.readString(STREET) + Files.readString(PLANT);
    try (Stream<Path> profiles = Files.list(PROFILES)) {
      List<String> ids =
          profiles.map(file -> file.getFileName().toString().replace(".yaml", "")).toList();
      assertThat(ids)
          .hasSizeGreaterThanOrEqualTo(18)
          .allSatisfy(
              id -> assertThat(places).containsPattern("profile: " + id + "[,}]|\"" + id + "\""));
    }
  }

  @Test
  void theAccountOfEveryClassOfDeviceIsExact() throws Exception {
    Demo demo =
        Demo.run(
            folder,
            InstalledGateway.SHIPPED,
            15,
            Duration.ofMinutes(3),
            "--street",
            STREET.toString(),
            "--points-per-second",
            "250",
            // The counters roll over in the first fifteen.
            "--seconds",
            "20");
    assertThat(demo.exit()).as(demo.said()).isZero();
    JsonNode audit = demo.audit();
    assertThat(audit.at("/lost").asLong()).isZero();
    assertThat(audit.at("/holds").asBoolean()).isTrue();
    assertThat(audit.at("/confirmed").asLong()).as(demo.said()).isGreaterThan(500);
  }
}
