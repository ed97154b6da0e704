package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
    return new StateFile(directory, Readings.wear()).load().stopped();
  }

  /** Does to the file written last what a power cut in the middle of its write may do. */
  private void tear() throws IOException {
    for (String name : List.of("delivery.0", "delivery.1")) {
      Path file = directory.resolve(name);
      byte[] whole = Files.readAllBytes(file);
      long latest = loaded();
      byte[] torn = whole.clone();
      torn[8] ^= 1;
      Files.write(file, torn);
      StateFile.State left = new StateFile(directory, Readings.wear()).load();
      if (left != null && left.stopped() != latest) {
        return;
      }
      Files.write(file, whole);
    }
    throw new AssertionError("The latest state stands in no file of its own");
  }

  @Test
  void aTornWriteLeavesTheStateBefore() throws IOException {
    StateFile file = new StateFile(directory, Readings.wear());
    for (long i = 1; i <= 5; i++) {
      save(file, i);
      assertThat(loaded()).isEqualTo(i);
    }
    tear();
    assertThat(loaded()).isEqualTo(4);

    StateFile next = new StateFile(directory, Readings.wear());
    next.load();
    save(next, 6);
    assertThat(loaded()).isEqualTo(6);
    tear();
    assertThat(loaded()).as("the whole one was not written over").isEqualTo(4);
  }

  @Test
  void aSaveThatFailsLeavesTheStateBefore() throws IOException {
    StateFile file = new StateFile(directory, Readings.wear());
    save(file, 1);
    save(file, 2);
    Path next = directory.resolve("delivery.1");
    Path aside = Files.move(next, directory.resolve("aside"));
    Files.createDirectory(next);
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> save(file, 3)).isInstanceOf(IOException.class);
      assertThat(loaded()).isEqualTo(2);
    }
    Files.delete(next);
    Files.move(aside, next);
    save(file, 4);
    assertThat(loaded()).isEqualTo(4);
    tear();
    assertThat(loaded()).isEqualTo(2);
  }

  @Test
  void aSaveTakesNoSpaceThatItDidNotHaveBefore() throws IOException {
    StateFile file = new StateFile(directory, Readings.wear());
    save(file, 1);
    Path first = directory.resolve("delivery.1");
    long size = Files.size(first);
    assertThat(size).isEqualTo(64 << 10);
    // As long as somebody has it open, a file that was made anew would be another one.
    Path same = Files.createLink(directory.resolve("same"), first);
    save(file, 2);
    save(file, 3);
    assertThat(Files.size(first)).isEqualTo(size);
    assertThat(Files.readAllBytes(same)).isEqualTo(Files.readAllBytes(first));
    assertThat(loaded()).isEqualTo(3);
  }
}
