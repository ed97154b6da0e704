package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.testkit.RecordingSink;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FailoverTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final AtomicLong ahead = new AtomicLong();
  private final OpcUaDriver driver =
      new OpcUaDriver(
          new Security(Path.of("etc/opcua"), name -> Optional.empty(), Clock.systemUTC()),
          InstantSource.system(),
          () -> System.nanoTime() + ahead.get());
  private PlantServer first;
  private PlantServer second;

  @BeforeEach
  void start() throws Exception {
    first = new PlantServer();
    second = new PlantServer();
    first.set("Kept", 1.0);
    second.set("Kept", 2.0);
  }

  @AfterEach
  void stop() throws Exception {
    driver.deactivate();
    first.close();
    second.close();
  }

  private Device device() {
    return new Device(
        "d1",
        "p",
        first.endpoint(),
        Map.of(
            "security", "none",
            "publishing", "20ms",
            "keepAlive", "1s",
            "timeout", "2s",
            "servers", second.endpoint().toString()));
  }

  private static Point level() {
    return new Point("level", PlantServer.address("Kept"), DataType.FLOAT64, Access.READ);
  }

  private Core core() throws Exception {
    return new Core(driver, device(), List.of(level()));
  }

  private static void arrives(Core core, double value) {
    await()
        .atMost(PATIENCE)
        .until(() -> core.samples.stream().anyMatch(s -> s.value().number() == value));
  }

  private static double first(Core core) {
    await().atMost(PATIENCE).until(() -> !core.samples.isEmpty());
    return core.samples.get(0).value().number();
  }

  private static Instant last(List<Instant> told) {
    return told.get(told.size() - 1);
  }

  /** Whether a server was left because of its ServiceLevel. */
  private static boolean leftAt(Core core, int level) {
    return core.losses.stream().anyMatch(l -> l.getMessage().endsWith("ServiceLevel as " + level));
  }

  @Test
  void theFirstIsTakenThatIsHealthy() throws Exception {
    try (Core core = core()) {
      assertThat(first(core)).isEqualTo(1);
      assertThat(second.server().getSessionManager().getAllSessions()).isEmpty();
    }
  }

  @Test
  void oneThatSaysItIsntWellGivesWayToABetterOne() throws Exception {
    first.serviceLevel(100);
    try (Core core = core()) {
      assertThat(first(core)).isEqualTo(2);
      await()
          .atMost(PATIENCE)
          .until(() -> first.server().getSessionManager().getAllSessions().isEmpty());
    }
  }

  @Test
  void ofTwoThatArentWellTheBetterOneIsTaken() throws Exception {
    first.serviceLevel(150);
    second.serviceLevel(100);
    try (Core core = core()) {
      assertThat(first(core)).isEqualTo(1);
    }
  }

  @Test
  void oneThatIsntReachedIsPassedOver() throws Exception {
    first.stop();
    try (Core core = core()) {
      assertThat(first(core)).isEqualTo(2);
    }
    first.start();
  }

  @Test
  void whenNoneIsReachedTheReasonOfEachIsTold() throws Exception {
    first.stop();
    second.stop();
    assertThat(driver.open(device(), new RecordingSink()).toCompletableFuture())
        .failsWithin(60, TimeUnit.SECONDS)
        .withThrowableOfType(ExecutionException.class)
        .havingCause()
        .isInstanceOf(java.io.IOException.class)
        .withMessageContaining(":" + first.port())
        .withMessageContaining(":" + second.port())
        .withMessageContaining("nothing listens there");
    first.start();
    second.start();
  }

  @Test
  void whenTheOneInUseStopsAnotherGoesOnAndIsAskedForItsHistory() throws Exception {
    try (Core core = core()) {
      arrives(core, 1);
      Instant before = Instant.now();
      // Nobody is told, so they come from the history or not at all.
      assertThat(second.watched()).isZero();
      second.set("Kept", 2.5);
      second.set("Kept", 2.75);
      second.set("Kept", 3.0);
      first.stop();
      arrives(core, 3);
      second.set("Kept", 4.0);
      arrives(core, 4);
      await().atMost(PATIENCE).until(() -> core.completeSince.size() == 2);
      assertThat(core.completeSince.get(1)).isAfter(before);
      assertThat(core.samples).extracting(s -> s.value().number()).doesNotContain(2.5, 2.75);
      assertThat(core.history(before, Instant.now()))
          .extracting(s -> s.value().number())
          .contains(2.5, 2.75, 3.0);
      // There is no going back by itself.
      first.start();
      first.set("Kept", 5.0);
      second.set("Kept", 6.0);
      arrives(core, 6);
      assertThat(core.samples)
          .extracting(Sample::value)
          .doesNotContain(io.culvert.api.Value.of(5.0));
      second.stop();
      arrives(core, 5);
      second.start();
    }
  }

  @Test
  void oneInUseThatIsntWellAnyMoreGivesWayToABetterOneButNotTooOften() throws Exception {
    try (Core core = core()) {
      arrives(core, 1);
      Instant before = Instant.now();
      second.serviceLevel(150);
      second.set("Kept", 2.5);
      second.set("Kept", 2.75);
      first.serviceLevel(100);
      arrives(core, 2.75);
      await().atMost(PATIENCE).until(() -> last(core.completeSince).isAfter(before));
      assertThat(leftAt(core, 100)).isTrue();
      assertThat(core.history(before, Instant.now()))
          .extracting(s -> s.value().number())
          .contains(2.5, 2.75);
      first.serviceLevel(255);
      second.serviceLevel(149);
      await().atMost(PATIENCE).until(() -> second.serviceLevelAsked() > 3);
      assertThat(leftAt(core, 149)).isFalse();
      ahead.addAndGet(TimeUnit.MINUTES.toNanos(1));
      first.set("Kept", 3.0);
      arrives(core, 3);
    }
  }

  @Test
  void oneInUseThatIsntWellStaysUnlessAnotherIsBetter() throws Exception {
    try (Core core = core()) {
      arrives(core, 1);
      second.serviceLevel(100);
      first.serviceLevel(100);
      await()
          .atMost(PATIENCE)
          .until(
              () ->
                  second.sessions() == 1
                      && second.server().getSessionManager().getAllSessions().isEmpty());
      first.set("Kept", 3.0);
      arrives(core, 3);
      assertThat(leftAt(core, 100)).isFalse();
    }
  }
}
