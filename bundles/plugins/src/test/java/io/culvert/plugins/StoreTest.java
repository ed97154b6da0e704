package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreTest {
  private static final int MOST = 1 << 20;

  @TempDir Path base;

  @Test
  void aFileThatIsLargerThanAnyPluginIsNotCopiedWholeAndLeavesNothing() throws Exception {
    Path folder = base.resolve("store");
    Store store = new Store(folder);
    Path jar = Files.write(base.resolve("x.jar"), new byte[MOST + 1]);

    assertThat(catchThrowableOfType(Refused.class, () -> store.stage(jar, MOST)))
        .hasMessage("found more than 1 MiB; expected a jar of at most 1 MiB");
    assertThat(folder).isEmptyDirectory();

    Files.write(jar, new byte[MOST]);
    assertThat(store.stage(jar, MOST).file()).hasSize(MOST);
  }
}
