package io.culvert.buffer;

import io.culvert.api.service.Buffer;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * Says what a refusal of the disk means: a state, and a sentence with what was found and what to
 * do. Looks at the disk, so may block.
 */
final class DiskState {
  private static final Finding WORKS = new Finding(Buffer.Disk.WORKING, "");

  /** As much as SQLite needs at least to begin with a file. */
  private static final int PROBE_BYTES = 64 << 10;

  private final Path directory;
  private final LongSupplier own;

  /**
   * @param state what the disk does
   * @param problem in a sentence, with what to do; {@code ""} if there is none
   */
  record Finding(Buffer.Disk state, String problem) {
    boolean works() {
      return state == Buffer.Disk.WORKING;
    }
  }

  /**
   * @param own bytes that the buffer takes in the directory
   */
  DiskState(Path directory, LongSupplier own) {
    this.directory = directory;
    this.own = own;
  }

  static Finding works() {
    return WORKS;
  }

  /** What it means that something could not be written. */
  Finding refused(Throwable failure) {
    return switch (state(failure)) {
      case FULL -> new Finding(Buffer.Disk.FULL, full());
      case READ_ONLY -> new Finding(Buffer.Disk.READ_ONLY, readOnly());
      default -> new Finding(Buffer.Disk.FAILING, failing(failure));
    };
  }

  /** What it means that the buffer can't be opened. */
  Finding unopened(IOException failure) {
    Finding finding = refused(failure);
    return finding.state() == Buffer.Disk.FAILING
        ? new Finding(
            Buffer.Disk.FAILING,
            "The buffer in " + directory + " can't be opened: " + words(failure) + ".")
        : finding;
  }

  private static String words(Throwable failure) {
    return failure.getMessage() == null ? failure.toString() : failure.getMessage();
  }

  /** What it means that it has not answered for so long. Does not look at the disk. */
  Finding silent(Duration since) {
    return new Finding(
        Buffer.Disk.FAILING,
        "The disk with "
            + directory
            + " doesn't answer: a commit has waited for "
            + since.toSeconds()
            + " s. Look at dmesg and the cables; if it doesn't come back, restart the machine and"
            + " replace the disk or card.");
  }

  private Buffer.Disk state(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLiteException sqlite) {
        return ofSqlite(sqlite);
      }
      if (cause instanceof IOException io && ofSystem(io) != Buffer.Disk.FAILING) {
        return ofSystem(io);
      }
    }
    return Buffer.Disk.FAILING;
  }

  private Buffer.Disk ofSqlite(SQLiteException failure) {
    int code = failure.getResultCode().code & 0xFF;
    if (code == SQLiteErrorCode.SQLITE_FULL.code) {
      return Buffer.Disk.FULL;
    }
    if (code == SQLiteErrorCode.SQLITE_READONLY.code) {
      return Buffer.Disk.READ_ONLY;
    }
    if (code == SQLiteErrorCode.SQLITE_IOERR.code || code == SQLiteErrorCode.SQLITE_CANTOPEN.code) {
      // SQLite does not say what the system had against it; a small file of our own tells.
      IOException reason = probe();
      return reason == null ? Buffer.Disk.FAILING : ofSystem(reason);
    }
    return Buffer.Disk.FAILING;
  }

  /** Tries to write a small file; {@code null} if that works. */
  private IOException probe() {
    Path file = directory.resolve("probe");
    try {
      Files.write(file, new byte[PROBE_BYTES]);
      return null;
    } catch (IOException e) {
      return e;
    } finally {
      try {
        Files.deleteIfExists(file);
      } catch (IOException ignored) {
        // It is written over the next time.
      }
    }
  }

  private static Buffer.Disk ofSystem(IOException failure) {
    String reason =
        failure instanceof FileSystemException file ? file.getReason() : failure.getMessage();
    String words = reason == null ? "" : reason.toLowerCase(Locale.ROOT);
    if (words.contains("no space left") || words.contains("quota exceeded")) {
      return Buffer.Disk.FULL;
    }
    if (words.contains("read-only file system")) {
      return Buffer.Disk.READ_ONLY;
    }
    return Buffer.Disk.FAILING;
  }

  private String full() {
    String found = "";
    try {
      FileStore store = Files.getFileStore(directory);
      found =
          ": "
              + bytes(store.getUsableSpace())
              + " of "
              + bytes(store.getTotalSpace())
              + " are free";
    } catch (IOException e) {
      found = " (" + e.getMessage() + ")";
    }
    return "The disk with "
        + directory
        + " is full"
        + found
        + ", the buffer takes "
        + bytes(own.getAsLong())
        + ". Free space on it, or lower buffer.maxBytes in etc/site.json; it goes on by itself.";
  }

  private String readOnly() {
    String where = "";
    try {
      // With the point where it is mounted and the device.
      where = ", mounted at " + Files.getFileStore(directory) + ",";
    } catch (IOException e) {
      where = "";
    }
    return "The disk with "
        + directory
        + where
        + " can only be read. The system does that to a disk with errors: look at dmesg, check it"
        + " with fsck, then mount it with -o remount,rw; it goes on by itself.";
  }

  private String failing(Throwable failure) {
    return "The disk with "
        + directory
        + " answers with an error ("
        + words(failure)
        + "). Look at dmesg; a disk or card that does so needs to be replaced.";
  }

  private static String bytes(long bytes) {
    if (bytes < 10L << 10) {
      return bytes + " bytes";
    }
    if (bytes < 10L << 20) {
      return (bytes >> 10) + " KiB";
    }
    return bytes < 10L << 30 ? (bytes >> 20) + " MiB" : (bytes >> 30) + " GiB";
  }
}
