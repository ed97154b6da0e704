package io.culvert.tools.buffer;

import io.culvert.buffer.StoredBuffer;
import io.culvert.shell.BufferCommands;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * {@code culvert buffer} over the files of a gateway that doesn't run. Holds the lock of its data
 * directory, so that none starts meanwhile.
 */
public final class Main {
  /** As the launcher has it. */
  private static final int ALREADY_RUNNING = 4;

  private static final int ENVIRONMENT = 5;

  private Main() {}

  public static void main(String[] args) {
    Path home = Path.of(System.getProperty("culvert.home"));
    Path data = Path.of(System.getProperty("culvert.data"));
    int exit;
    try {
      exit = run(home, data, List.of(args));
    } catch (IOException e) {
      System.err.println("culvert: " + e.getMessage());
      exit = ENVIRONMENT;
    }
    System.exit(exit);
  }

  private static int run(Path home, Path data, List<String> words) throws IOException {
    Path directory = data.resolve("buffer");
    if (!Files.isDirectory(directory)) {
      throw new IOException("Nothing is stored in " + directory);
    }
    Path run = Files.createDirectories(data.resolve("run"));
    try (FileChannel channel =
            FileChannel.open(
                run.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock == null) {
        System.err.println("culvert: a gateway starts on " + data + "; try again in some seconds");
        return ALREADY_RUNNING;
      }
      Path pid = run.resolve("culvert.pid");
      Files.writeString(pid, ProcessHandle.current().pid() + "\n");
      // SQLite's library is unpacked there; /tmp may be small or forbid execution.
      System.setProperty(
          "org.sqlite.tmpdir", Files.createDirectories(data.resolve("cache/tmp")).toString());
      Keystore keystore = Keystore.of(home);
      try (StoredBuffer stored =
          new StoredBuffer(directory, keystore.file(), keystore.password())) {
        return BufferCommands.offline(stored, stored, words, System.out, System.err);
      } finally {
        Files.deleteIfExists(pid);
      }
    }
  }
}
