package io.culvert.device.profiles;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.profile.LoadedProfile;
import io.culvert.core.profile.ProfileReader;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The profiles of this bundle. */
class ShippedProfilesTest {
  private static final Path FOLDER = Path.of("src/main/resources/profiles");

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void isRightAndNamedAsItsFile(Path file) throws IOException {
    LoadedProfile loaded =
        new ProfileReader().read(file.getFileName().toString(), Files.readAllBytes(file));

    assertThat(loaded.faults()).isEmpty();
    assertThat(file.getFileName()).hasToString(loaded.id() + ".yaml");
  }

  @ParameterizedTest
  @MethodSource("files")
  void hasATickInEachTableThatIsPolled(Path file) throws IOException {
    Profile profile = read(file);

    List<String> tables = profile.points().stream().filter(this::polled).map(this::table).toList();
    List<String> ticks =
        profile.points().stream()
            .filter(point -> point.point().id().matches("tick(_.*)?"))
            .peek(point -> assertThat(point.deadband()).isNull())
            .peek(point -> assertThat(point.scale()).isEqualByComparingTo(BigDecimal.ONE))
            .map(this::table)
            .toList();
    assertThat(ticks).doesNotHaveDuplicates().containsAll(tables);
  }

  @Test
  void aBridgeHasTwentyPoints() throws IOException {
    assertThat(read(FOLDER.resolve("bridge-strain.yaml")).points()).hasSize(20);
  }

  /** 77.0 °F is 25 °C; the conversion is folded into scale and offset. */
  @Test
  void fahrenheitOfThePumpBecomesCelsius() throws IOException {
    PointModel winding =
        read(FOLDER.resolve("maker-b-pump.yaml")).points().stream()
            .filter(point -> point.point().id().equals("winding_temperature"))
            .findFirst()
            .orElseThrow();

    double celsius =
        winding.scale().multiply(BigDecimal.valueOf(770)).add(winding.offset()).doubleValue();
    assertThat(celsius).isEqualTo(25.0);
  }

  private static Profile read(Path file) throws IOException {
    return new ProfileReader().read(file.toString(), Files.readAllBytes(file)).profile();
  }

  private boolean polled(PointModel point) {
    return point.point().access().readable() && !point.point().address().startsWith("events:");
  }

  /** Nodes of OPC UA all lie in one. */
  private String table(PointModel point) {
    String address = point.point().address();
    return address.startsWith("./") ? "node" : address.replaceFirst(":.*", "");
  }
}
