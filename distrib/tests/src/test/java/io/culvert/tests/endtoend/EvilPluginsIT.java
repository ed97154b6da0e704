package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The whole gallery of evil plug-ins beside a healthy street of 200 devices: one demo, whose report
 * is held against a table of what the gateway must say of each.
 */
class EvilPluginsIT {
  /** Long enough for every one to be evil, noticed, and tried again. */
  private static final int SECONDS = 50;

  /** Threads of the gateway without evil are some sixty; each in process may have some more. */
  private static final int MOST_THREADS = 1_500;

  private static final long MOST_RESIDENT_KIB = 400 << 10;

  @TempDir static Path folder;
  private static JsonNode report;
  private static String said;

  /**
   * What must come of one.
   *
   * @param says what the gateway says of it, as a regular expression; {@code ""} if it has nothing
   *     to say
   * @param bad devices whose readings went bad at the platform, at least
   */
  record Expected(String name, boolean hosted, String says, int bad) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Expected> table() {
    return Stream.of(
        new Expected("hangs", false, "(validate|open|read) of evil-hangs-\\d hasn't returned", 3),
        new Expected("throws", false, "it fails by its own doing again and again", 3),
        new Expected("floods", false, "it floods: .* for evil-floods-\\d; expected at most", 3),
        new Expected("threads", false, "it has \\d+ threads.*; expected at most \\d+", 3),
        new Expected("sockets", false, "it has \\d+ TCP connections to 127\\.0\\.0\\.1", 3),
        new Expected("blocks-close", false, "close of evil-blocks-close-\\d hasn't returned", 3),
        // Nobody asks it to stop before the gateway itself does, which then goes without it.
        new Expected("blocks-stop", false, "", 0),
        new Expected("wrong-thread", false, "a hand-over of evil-wrong-thread-1 hasn't ret", 3),
        new Expected("nonsense", false, "it answered for evil-nonsense-\\d with \\d+ ", 3),
        new Expected("slow-validate", false, "validate of evil-slow-validate-\\d hasn't ret", 3),
        new Expected("spins", true, "was ended because read of evil-spins-1 hadn't returned", 3),
        new Expected("heap", true, "ran out of memory \\(Java heap space", 3),
        new Expected("exits", true, "ended by itself \\(exit 3", 3),
        new Expected("halts", true, "ended by itself \\(exit 4", 3),
        new Expected("crashes", true, "crashed in native code \\(SIGSEGV", 3));
  }

  @BeforeAll
  static void showTheGallery() throws Exception {
    Demo demo =
        Demo.run(
            folder,
            InstalledGateway.SHIPPED,
            // 200 devices of the demo's street lie behind fewer.
            40,
            Duration.ofMinutes(10),
            "--seconds",
            Integer.toString(SECONDS),
            "--devices",
            "200",
            "--evil",
            "all",
            "--work",
            folder.resolve("work").toString());
    said = demo.said();
    report = demo.exact();
  }

  @Test
  void theAccountOfTheHealthyStreetIsExact() {
    assertThat(report.at("/holds").asBoolean()).as(said).isTrue();
    assertThat(report.at("/lost").asLong()).isZero();
    assertThat(report.at("/duplicates").asLong()).isZero();
    assertThat(report.at("/confirmed").asLong()).isGreaterThan(10_000);
    assertThat(report.at("/intervals/count").asLong()).isGreaterThan(5_000);
  }

  @Test
  void theGatewayStaysWithinItsBounds() {
    assertThat(report.at("/figures/gatewayMostThreads").asInt()).isBetween(1, MOST_THREADS);
    assertThat(report.at("/figures/gatewayMostResidentKib").asLong())
        .isBetween(1L, MOST_RESIDENT_KIB);
  }

  @Test
  void everyOneIsInTheTable() {
    List<String> shown = new ArrayList<>();
    report.path("evil").forEach(one -> shown.add(one.path("name").asText()));
    assertThat(shown).containsExactlyElementsOf(table().map(Expected::name).toList());
  }

  @ParameterizedTest
  @MethodSource("table")
  void eachIsNamedWithWhatItDidAndItsReadingsWentBad(Expected expected) {
    JsonNode one = null;
    for (JsonNode each : report.path("evil")) {
      one = each.path("name").asText().equals(expected.name()) ? each : one;
    }
    assertThat(one).isNotNull();
    assertThat(one.path("stage").asText()).as("it came in: %s", one).isIn("running", "trial");
    assertThat(one.path("hosted").asBoolean()).as(one.toString()).isEqualTo(expected.hosted());
    // All were well once, except for the one whose devices never got so far.
    assertThat(one.path("good").asLong() > 0)
        .as(one.toString())
        .isEqualTo(!expected.name().equals("slow-validate"));
    if (expected.hosted()) {
      assertThat(one.path("process").asText()).as(one.toString()).containsPattern(expected.says());
      assertThat(one.path("ends").asInt()).as("restarted: %s", one).isPositive();
    } else if (expected.says().isEmpty()) {
      assertThat(one.path("quarantine")).as(one.toString()).isEmpty();
    } else {
      List<String> reasons = new ArrayList<>();
      one.path("quarantine").forEach(reason -> reasons.add(reason.asText()));
      assertThat(reasons)
          .as(one.toString())
          .anySatisfy(reason -> assertThat(reason).containsPattern(expected.says()));
      assertThat(one.path("times").asInt()).as(one.toString()).isPositive();
    }
    assertThat(one.path("devicesBad").asInt())
        .as(one.toString())
        .isGreaterThanOrEqualTo(expected.bad());
  }
}
