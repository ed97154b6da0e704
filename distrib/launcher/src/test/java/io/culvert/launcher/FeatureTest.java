package io.culvert.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeatureTest {
  @TempDir Path folder;

  @Test
  void bundlesOfAllFeaturesComeOnceAtTheLowestLevelThatOneAsksFor() throws Exception {
    Files.writeString(folder.resolve("base.feature"), "# computed\n\n10 a-1.0.jar\n20 b.jar\r\n");
    Files.writeString(folder.resolve("more.feature"), "30\ta-1.0.jar\n10 b.jar\n20 c.jar\n");
    Files.writeString(folder.resolve("notes.txt"), "not a feature");

    assertThat(Feature.readAll(folder))
        .containsExactly(
            new Feature.Entry(10, "a-1.0.jar"),
            new Feature.Entry(10, "b.jar"),
            new Feature.Entry(20, "c.jar"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"10", "a.jar", "0 a.jar", "100 a.jar", "10 ../a.jar", "10 a.jar b.jar"})
  void aDamagedLineIsNamedWithItsPlaceAndWhatWasExpected(String line) throws Exception {
    Path file = Files.writeString(folder.resolve("base.feature"), "10 good.jar\n" + line + "\n");

    Failure failure = catchThrowableOfType(Failure.class, () -> Feature.readAll(folder));

    assertThat(failure)
        .hasMessageContaining(file + ":2: found \"" + line + "\"")
        .hasMessageContaining("expected a start level (1 to 99) and the name of a jar");
    assertThat(failure.exit()).isEqualTo(Exit.ENVIRONMENT);
    assertThat(failure.getMessage()).doesNotContain("\n");
  }

  @Test
  void bytesThatAreNoTextAreNamedAsSuch() throws Exception {
    Files.write(folder.resolve("base.feature"), new byte[] {(byte) 0xff, 0, (byte) 0xfe});

    assertThat(catchThrowableOfType(Failure.class, () -> Feature.readAll(folder)))
        .hasMessageContaining("base.feature isn't text");
  }

  @Test
  void withoutAnyFeatureTheInstallationIsIncomplete() {
    assertThat(catchThrowableOfType(Failure.class, () -> Feature.readAll(folder)))
        .hasMessageContaining("no *.feature in " + folder);
    assertThat(
            catchThrowableOfType(Failure.class, () -> Feature.readAll(folder.resolve("not-there"))))
        .hasMessageContaining("Installation incomplete");
  }
}
