package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StateFileTest {
  @TempDir Path directory;

  private void save(StateFile file, long stopped) throws IOException {
    file.save(stopped, null, new long[4], List.of());
  }

  private long loaded() {
    return new StateFile(directory).load().stopped();
  }

  /** Does to the file written last what a power cut in the middle of its write may do. */
  private void tear() throws IOException {
    for (String name : List.of("delivery.0", "delivery.1")) {
      Path file = directory.resolve(name);
      byte[] whole = Files.readAllBytes(file);
      long latest = loaded();
      Files.write(file, java.util.Arrays.copyOf(whole, whole.length - 1));
      StateFile.State left = new StateFile(directory).load();
      if (left != null && left.stopped() != latest) {
        return;
      }
      Files.write(file, whole);
    }
    throw new AssertionError("The latest state stands in no file of its own");
  }

  @Test
  void aTornWriteLeavesTheStateBefore() throws IOException {
    StateFile file = new StateFile(directory);
    for (long i = 1; i <= 5; i++) {
      save(file, i);
      assertThat(loaded()).isEqualTo(i);
    }
    tear();
    assertThat(loaded()).isEqualTo(4);

    StateFile next = new StateFile(directory);
    next.load();
    save(next, 6);
    assertThat(loaded()).isEqualTo(6);
    tear();
    assertThat(loaded()).as("the whole one was not written over").isEqualTo(4);
  }
}
