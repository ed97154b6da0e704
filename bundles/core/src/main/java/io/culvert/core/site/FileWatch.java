package io.culvert.core.site;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Notices that files changed, on any file system: by looking at time, size and file key, and at the
 * content while a file is so young that a second change could bear the same time. For one thread.
 */
final class FileWatch {
  /** Coarsest time stamp of a file system in use (FAT: 2 s). */
  private static final Duration GRAIN = Duration.ofSeconds(2);

  private final Listing files;
  private final int maxBytes;
  private final InstantSource clock;
  private final Map<Path, Seen> seen = new TreeMap<>();
  private boolean first = true;

  /** Lists the files to watch. */
  @FunctionalInterface
  interface Listing {
    List<Path> list() throws IOException;
  }

  private record Stamp(Instant modified, long size, Object key) {}

  private record Seen(Stamp stamp, byte[] content, boolean young) {}

  /**
   * @param maxBytes how much of a file is read; a longer one is cut one byte after
   */
  FileWatch(Listing files, int maxBytes, InstantSource clock) {
    this.files = files;
    this.maxBytes = maxBytes;
    this.clock = clock;
  }

  /**
   * Looks at the files.
   *
   * @return whether any appeared, went or has other content than at the last look; true at the
   *     first
   */
  boolean look() throws IOException {
    boolean changed = first;
    first = false;
    List<Path> present = files.list();
    changed |= seen.keySet().retainAll(present);
    for (Path file : present) {
      Seen before = seen.get(file);
      Stamp stamp;
      byte[] content;
      Instant now = clock.instant();
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        stamp =
            new Stamp(
                attributes.lastModifiedTime().toInstant(), attributes.size(), attributes.fileKey());
        if (before != null && !before.young && stamp.equals(before.stamp)) {
          continue;
        }
        content = read(file);
      } catch (IOException e) {
        // Gone or forbidden at this moment; what becomes of it shows at the next look.
        changed |= seen.remove(file) != null;
        continue;
      }
      changed |= before == null || !Arrays.equals(before.content, content);
      boolean young = Duration.between(stamp.modified, now).compareTo(GRAIN) < 0;
      seen.put(file, new Seen(stamp, content, young));
    }
    return changed;
  }

  /** What the files held at the last look, by name. */
  Map<Path, byte[]> contents() {
    Map<Path, byte[]> contents = new LinkedHashMap<>();
    seen.forEach((file, s) -> contents.put(file, s.content));
    return contents;
  }

  /**
   * What tells one saving of a file from another, also with the same content; of the last look.
   *
   * @return {@code null} if it wasn't there
   */
  Object stamp(Path file) {
    Seen last = seen.get(file);
    return last == null ? null : last.stamp;
  }

  private byte[] read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(maxBytes + 1);
    }
  }
}
