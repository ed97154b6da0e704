package io.culvert.launcher;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;

/**
 * One gateway a data directory. A file lock rather than the process id in a file: it ends with the
 * process however that ends, and no other process can take over its number.
 */
final class DataLock implements AutoCloseable {
  private final Layout layout;
  private final FileChannel channel;

  private DataLock(Layout layout, FileChannel channel) {
    this.layout = layout;
    this.channel = channel;
  }

  /** Takes the lock and writes the process id, or says who has it. */
  static DataLock take(Layout layout) throws Failure {
    FileChannel channel = null;
    try {
      channel =
          FileChannel.open(layout.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(channel) == null) {
        channel.close();
        throw new Failure(
            Exit.ALREADY_RUNNING,
            "A gateway runs on %s already%s; stop it with: bin/culvert stop"
                .formatted(layout.data(), holder(layout)));
      }
      Files.deleteIfExists(layout.ready());
      write(layout.pid());
      return new DataLock(layout, channel);
    } catch (IOException e) {
      throw new Failure(
          Exit.ENVIRONMENT,
          "Data directory can't be locked: %s (%s)".formatted(layout.lock(), Layout.reason(e)));
    }
  }

  /** The process that holds the lock: empty if nobody does, 0 if somebody whose id isn't known. */
  static OptionalLong owner(Layout layout) throws IOException {
    if (!Files.exists(layout.lock())) {
      return OptionalLong.empty();
    }
    try (FileChannel channel = FileChannel.open(layout.lock(), StandardOpenOption.WRITE)) {
      try (FileLock lock = tryLock(channel)) {
        if (lock != null) {
          return OptionalLong.empty();
        }
      }
    }
    try {
      return OptionalLong.of(Long.parseLong(Files.readString(layout.pid()).strip()));
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.of(0);
    }
  }

  /** Tells those who wait that everything has had its turn to start. */
  void ready() throws IOException {
    write(layout.ready());
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(layout.ready());
      Files.deleteIfExists(layout.pid());
      channel.close();
    } catch (IOException e) {
      // The process ends next, and the lock with it.
    }
  }

  private static FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  private static String holder(Layout layout) {
    try {
      return " (process " + Files.readString(layout.pid()).strip() + ")";
    } catch (IOException e) {
      return "";
    }
  }

  private static void write(Path file) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".new");
    byte[] text = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
    try (FileChannel out =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      out.write(ByteBuffer.wrap(text));
    }
    Files.move(
        temporary,
        file,
        java.nio.file.StandardCopyOption.ATOMIC_MOVE,
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }
}
