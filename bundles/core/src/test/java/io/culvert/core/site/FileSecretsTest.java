package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileSecretsTest {
  @TempDir Path etc;
  private FileSecrets secrets;

  @BeforeEach
  void create() throws IOException {
    Files.createDirectory(etc.resolve("secrets"));
    secrets = new FileSecrets(etc.resolve("secrets"));
  }

  @Test
  void readsWithoutTheLastLineBreak() throws IOException {
    Files.writeString(etc.resolve("secrets/city"), " päss word\n");

    assertThat(secrets.get("city")).contains(" päss word");
    assertThat(secrets.get("nobody")).isEmpty();
  }

  @Test
  void takesRightsFromOthers() throws IOException {
    Path file = Files.writeString(etc.resolve("secrets/city"), "x");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

    assertThat(secrets.get("city")).contains("x");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../site.json", "a/b", "", ".", "..", ".hidden", "a\nb"})
  void noWayOutOfTheFolder(String name) throws IOException {
    Files.writeString(etc.resolve("site.json"), "{}");
    Files.writeString(etc.resolve("secrets/.hidden"), "x");

    assertThat(secrets.get(name)).isEmpty();
  }

  @Test
  void aFileTooLongIsNone() throws IOException {
    Files.write(etc.resolve("secrets/long"), new byte[65537]);

    assertThat(secrets.get("long")).isEmpty();
  }
}
