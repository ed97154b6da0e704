package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Browsable.Found;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Readable;
import io.culvert.testkit.RecordingSink;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the driver finds in a server can be read as it says. */
class BrowsedDeviceTest {
  private static Forest forest;

  @TempDir Path folder;
  private OpcUaDriver driver;

  @BeforeAll
  static void plant() throws Exception {
    forest = new Forest();
  }

  @AfterAll
  static void fell() throws Exception {
    forest.close();
  }

  @BeforeEach
  void start() {
    driver =
        new OpcUaDriver(
            new Security(folder, name -> Optional.empty(), Clock.systemUTC()),
            InstantSource.system(),
            System::nanoTime);
  }

  @AfterEach
  void stop() {
    driver.deactivate();
  }

  private static <T> T await(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(120, TimeUnit.SECONDS);
  }

  private Connection open(String profile, Map<String, String> settings) throws Exception {
    Device device = new Device("d", profile, URI.create(forest.endpoint()), settings);
    assertThat(driver.validate(device, List.of())).isEmpty();
    return await(driver.open(device, new RecordingSink()));
  }

  /** A point of each value that can be one. */
  private static List<Point> points(List<Found> found) {
    List<Point> points = new ArrayList<>();
    for (Found one : found) {
      String type = one.facts().get("type");
      String path = one.facts().get("path");
      // A name with half a character can't be sent to the server as it has it.
      if (type != null
          && path != null
          && !path.contains("half a character")
          && !one.facts().get("access").equals("none")) {
        DataType as = DataType.valueOf(type.toUpperCase(Locale.ROOT));
        points.add(new Point("p" + points.size(), path, as, Access.READ));
      }
    }
    return points;
  }

  private Map<String, Sample> read(Connection connection, List<Point> points, String root)
      throws Exception {
    Device device =
        new Device(
            "d", "p", URI.create(forest.endpoint()), Map.of("security", "none", "root", root));
    assertThat(driver.validate(device, points)).isEmpty();
    Map<String, Sample> samples = new HashMap<>();
    Map<String, String> addresses = new HashMap<>();
    points.forEach(point -> addresses.put(point.id(), point.address()));
    for (Sample sample : await(((Readable) connection).prepare(points).read())) {
      samples.put(addresses.get(sample.point()), sample);
    }
    return samples;
  }

  @Test
  void everyPathOfATreeLeadsBackToItsNode() throws Exception {
    String root = Forest.node("Plant");
    try (Connection connection = open("p", Map.of("security", "none", "root", root))) {
      for (String part : List.of("./Pump2", "./Types", "./Hostile", "./Ring")) {
        List<Found> found = await(((Browsable) connection).browse("tree:" + part, 1000));
        List<Point> relative = points(found);
        String below = Forest.node(part.substring(2));
        try (Connection rooted = open("p", Map.of("security", "none", "root", below))) {
          Map<String, Sample> samples = read(rooted, relative, below);
          assertThat(samples).hasSameSizeAs(relative);
          assertThat(samples.values())
              .allSatisfy(sample -> assertThat(sample.quality()).isEqualTo(Quality.GOOD));
          if (part.equals("./Pump2")) {
            assertThat(samples.get("./Level").value()).isEqualTo(Value.of(2.5));
            assertThat(samples.get("./Running").value()).isEqualTo(Value.of(true));
          }
          if (part.equals("./Types")) {
            assertThat(samples.get("./{" + Forest.OTHER + "}Foreign").value())
                .isEqualTo(Value.of(5));
          }
          for (Found one : found) {
            String path = one.facts().get("path");
            if (part.equals("./Hostile") && samples.containsKey(path)) {
              String number = one.address().replaceFirst(".*Hostile\\.", "");
              assertThat(samples.get(path).value())
                  .isEqualTo(Value.of(number.isEmpty() ? 1 : Long.parseLong(number)));
            }
          }
        }
      }
    }
  }

  @Test
  void endpointsAreToldWhereNoSessionIsToBeHad() throws Exception {
    // The server has nothing of the kind.
    Map<String, String> strict = Map.of("security", "Basic256Sha256");
    try (Connection connection = open("", strict)) {
      List<Found> top = await(((Browsable) connection).browse("", 10));
      assertThat(top.get(0).facts()).containsEntry("security", "none");
      assertThat(((Browsable) connection).browse("i=85", 10))
          .failsWithin(Duration.ofMinutes(2))
          .withThrowableThat()
          .withMessageContaining("Basic256Sha256");
    }
  }
}
