package io.culvert.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Where an installation lies and where it writes.
 *
 * @param home what was unpacked; only read
 * @param data everything that the gateway writes
 */
record Layout(Path home, Path data) {

  /** Below this there is no sense in starting: the buffer could not commit for long. */
  static final long LEAST_FREE_BYTES = 32L << 20;

  static Layout fromSystemProperties() {
    Path home = Path.of(System.getProperty("culvert.home", ".")).toAbsolutePath().normalize();
    String data = System.getProperty("culvert.data", "");
    return new Layout(
        home, data.isEmpty() ? home.resolve("data") : Path.of(data).toAbsolutePath().normalize());
  }

  Path etc() {
    return home.resolve("etc");
  }

  Path features() {
    return home.resolve("features");
  }

  Path system() {
    return home.resolve("system");
  }

  /** Derived: bundles as the framework keeps them, configuration, temporary files. */
  Path cache() {
    return data.resolve("cache");
  }

  Path run() {
    return data.resolve("run");
  }

  /** Held, as a file lock, by the process whose data this is; the kernel lets go when it dies. */
  Path lock() {
    return run().resolve("lock");
  }

  Path pid() {
    return run().resolve("culvert.pid");
  }

  /** There, holding the process id, while every bundle has had its turn to start. */
  Path ready() {
    return run().resolve("ready");
  }

  Path socket() {
    return run().resolve("control.sock");
  }

  /** Names the socket where the path of {@link #socket} is longer than the kernel takes. */
  Path socketElsewhere() {
    return run().resolve("control.path");
  }

  /** Makes the directories and sees that they can be written. */
  void prepare() throws Failure {
    Path tried = data;
    try {
      Files.createDirectories(data);
      tried = run();
      Files.createDirectories(run());
      if (Files.getFileStore(run()).supportsFileAttributeView("posix")) {
        // The control socket lies here: its owner's alone, from before there is a socket.
        Files.setPosixFilePermissions(run(), PosixFilePermissions.fromString("rwx------"));
      }
      tried = Files.createTempFile(run(), "probe", ".tmp");
      Files.write(tried, new byte[4096]);
      Files.delete(tried);
      long free = Files.getFileStore(data).getUsableSpace();
      if (free < LEAST_FREE_BYTES) {
        throw new Failure(
            Exit.ENVIRONMENT,
            "Disk full: %d MiB free for %s, at least %d MiB needed; free some space or set CULVERT_DATA to another disk"
                .formatted(free >> 20, data, LEAST_FREE_BYTES >> 20));
      }
    } catch (IOException e) {
      throw new Failure(
          Exit.ENVIRONMENT,
          "Data directory can't be written: %s (%s); give user %s the right to write there or set CULVERT_DATA"
              .formatted(tried, reason(e), System.getProperty("user.name")));
    }
  }

  /** What an I/O error says beside the path, which the sentence around it names. */
  static String reason(IOException e) {
    if (e instanceof java.nio.file.AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof java.nio.file.FileAlreadyExistsException) {
      return "there is something that isn't a directory";
    }
    if (e instanceof java.nio.file.FileSystemException f && f.getReason() != null) {
      return f.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }

  /** Deletes a tree of derived files. */
  static void wipe(Path tree) throws IOException {
    if (!Files.exists(tree, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (var walk = Files.walk(tree)) {
      for (Path p : Set.copyOf(walk.toList()).stream().sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.deleteIfExists(p);
      }
    }
  }
}
