package io.culvert.plugins;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/**
 * The jars that generations name, by the hash of their content: {@code <sha256>.jar}. A file here
 * is whole and never changes.
 */
final class Store {
  private static final String SUFFIX = ".jar";
  private final Path folder;

  Store(Path folder) throws IOException {
    this.folder = folder;
    Files.createDirectories(folder);
  }

  /**
   * A copy that isn't in the store yet; what is checked is this copy, which nobody else changes.
   */
  record Staged(Path file, String sha256) {}

  /**
   * Copies a file beside the store's, and syncs it.
   *
   * @throws Refused if it is larger than any plug-in; no more than that is copied
   */
  Staged stage(Path source) throws IOException, Refused {
    return stage(source, JarContent.MAX_FILE);
  }

  Staged stage(Path source, long most) throws IOException, Refused {
    Path temporary = Files.createTempFile(folder, "incoming", ".tmp");
    try {
      MessageDigest digest = sha256();
      try (InputStream in = Files.newInputStream(source);
          FileChannel out = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        byte[] chunk = new byte[1 << 16];
        long size = 0;
        for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
          size += n;
          if (size > most) {
            throw new Refused(
                "more than " + (most >> 20) + " MiB", "a jar of at most " + (most >> 20) + " MiB");
          }
          digest.update(chunk, 0, n);
          ByteBuffer buffer = ByteBuffer.wrap(chunk, 0, n);
          while (buffer.hasRemaining()) {
            out.write(buffer);
          }
        }
        out.force(true);
      }
      return new Staged(temporary, HexFormat.of().formatHex(digest.digest()));
    } catch (IOException | RuntimeException | Refused e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
  }

  void commit(Staged staged) throws IOException {
    Files.move(staged.file(), path(staged.sha256()), StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  void discard(Staged staged) {
    try {
      Files.deleteIfExists(staged.file());
    } catch (IOException e) {
      // Swept with the rest at the next start.
    }
  }

  Path path(String sha256) {
    return folder.resolve(sha256 + SUFFIX);
  }

  /**
   * Holds a jar against its hash: a disk may have damaged it since it was checked, or somebody
   * altered it.
   *
   * @throws IOException if it is another one, or can't be read
   */
  void expectIntact(String sha256) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = Files.newInputStream(path(sha256))) {
      byte[] chunk = new byte[1 << 16];
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        digest.update(chunk, 0, n);
      }
    }
    if (!HexFormat.of().formatHex(digest.digest()).equals(sha256)) {
      throw new IOException(path(sha256) + " isn't what was checked; put the jar in anew");
    }
  }

  boolean has(String sha256) {
    return Files.isRegularFile(path(sha256));
  }

  /** Deletes what no generation names. */
  void keepOnly(Set<String> hashes) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (!name.endsWith(SUFFIX)
            || !hashes.contains(name.substring(0, name.length() - SUFFIX.length()))) {
          Files.deleteIfExists(file);
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
