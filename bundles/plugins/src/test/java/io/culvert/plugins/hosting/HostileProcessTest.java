package io.culvert.plugins.hosting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.plugins.hosting.fixture.Odd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.framework.BundleException;

/** Whatever a process does with the wire, the gateway ends it, says why, and takes no harm. */
@Timeout(300)
class HostileProcessTest {
  @TempDir Path folder;

  /** In place of Java a script, which starts the hostile process. */
  private Kit kit(String evil) throws Exception {
    Path script =
        Files.writeString(
            folder.resolve("java"),
            "#!/bin/sh\nexec '%s' -Xmx64m -cp '%s' %s %s\n"
                .formatted(
                    Path.of(System.getProperty("java.home"), "bin", "java"),
                    System.getProperty("java.class.path"),
                    Hostile.class.getName(),
                    evil));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    Kit usual = House.kit();
    return new Kit(script, usual.classPath(), usual.bundles(), usual.packages(), usual.home());
  }

  /** Long pauses, so that the first end can be looked at. */
  private House house(String evil) throws Exception {
    Limits limits =
        new Limits(
            House.LIMITS.start(),
            House.LIMITS.beat(),
            // Which the others need to do their evil, however slowly.
            Duration.ofSeconds(evil.equals("silent") ? 5 : 60),
            House.LIMITS.stuck(),
            Duration.ofMillis(200),
            Duration.ofMinutes(5),
            Duration.ofMinutes(5),
            House.LIMITS.good(),
            House.LIMITS.farewell());
    return new House(folder, limits, kit(evil));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "garbage   | sent what a plug-in's process may not (found ",
        "giant     | sent what a plug-in's process may not (found a frame of 2147483647 bytes)",
        "negative  | sent what a plug-in's process may not (found a frame of -1 bytes)",
        "operation | sent what a plug-in's process may not (found STOP from a plug-in's process)",
        "drivers   | sent what a plug-in's process may not (found a length of 10000 beyond the",
        "calls     | sent what a plug-in's process may not (found ",
        "lines     | sent what a plug-in's process may not (found more than 256 serial lines)",
        "devices   | sent what a plug-in's process may not (found more serial lines than a",
        "flaps     | sent what a plug-in's process may not (found more than 1000 changes",
        "hangup    | closed its connection to the gateway and was ended",
        "silent    | hadn't answered for 5 s and was ended",
        "prints    | ended by itself (exit 9, as by System.exit)",
      })
  void itIsEndedAndThatIsSaid(String evil, String why) throws Exception {
    try (House house = house(evil)) {
      try {
        house.host(PluginJar.of(Odd.class).in(folder));
      } catch (BundleException e) {
        // So early that it had no driver yet.
        assertThat(e).hasMessageStartingWith("its process " + why);
        return;
      }
      await()
          .atMost(Duration.ofSeconds(120))
          .untilAsserted(
              () ->
                  assertThat(house.hosts.trouble("com.example.odd"))
                      .startsWith("its process " + why));
      assertThat(house.hosts.processes()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"stranger", "rude"})
  void whoDoesNotKnowTheWordIsNotHeard(String evil) throws Exception {
    try (House house = house(evil)) {
      assertThatThrownBy(() -> house.host(PluginJar.of(Odd.class).in(folder)))
          .isInstanceOf(BundleException.class)
          .hasMessageContaining("found somebody else than the process that was started");
      assertThat(house.driver("odd")).isNull();
    }
  }

  @Test
  void whatItPrintsIsBoundedAndLooksLikeNothingElse() throws Exception {
    try (House house = house("prints")) {
      house.host(PluginJar.of(Odd.class).in(folder));
      house.awaitLog("its process ended by itself (exit 9");
      assertThat(house.log).hasSizeBetween(400, 5000);
      assertThat(house.log)
          .allSatisfy(line -> assertThat(line).hasSizeLessThan(9000).doesNotContain("\u001b"));
      assertThat(house.log).anyMatch(line -> line.startsWith("INFO prints: ?[2J? ERROR forged"));
      assertThat(house.log).anyMatch(line -> line.matches("WARN \\d+ more lines were left out.*"));
    }
  }
}
