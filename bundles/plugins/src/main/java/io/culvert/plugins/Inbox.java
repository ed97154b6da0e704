package io.culvert.plugins;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The folder where jars are put. It is looked at rather than watched, as not every file system
 * tells of changes, and a jar counts only when nobody writes to it any more.
 */
final class Inbox {
  /** A file that hasn't changed for so long is taken at first sight. */
  static final Duration SETTLED = Duration.ofSeconds(2);

  private final Path folder;
  private final InstantSource clock;
  private Map<String, Seen> seen = Map.of();

  Inbox(Path folder, InstantSource clock) {
    this.folder = folder;
    this.clock = clock;
  }

  /** What tells one content of a file from another without reading it. */
  record Stamp(long size, Instant modified, Object key) {}

  /**
   * @param path of the jar
   * @param stamp at this look
   * @param settled whether it is the same as at the look before, or has been for a while
   * @param since when this content was first seen
   */
  record Seen(Path path, Stamp stamp, boolean settled, Instant since) {}

  /**
   * Every jar, by file name.
   *
   * @throws IOException if the folder can't be read, which doesn't mean that it is empty
   */
  Map<String, Seen> look() throws IOException {
    Instant now = clock.instant();
    Map<String, Seen> next = new TreeMap<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(
            folder,
            p -> {
              String name = p.getFileName().toString();
              return name.endsWith(".jar") && !name.startsWith(".");
            })) {
      for (Path file : files) {
        BasicFileAttributes a;
        try {
          a = Files.readAttributes(file, BasicFileAttributes.class);
        } catch (NoSuchFileException e) {
          continue;
        }
        if (!a.isRegularFile()) {
          continue;
        }
        String name = file.getFileName().toString();
        Stamp stamp = new Stamp(a.size(), a.lastModifiedTime().toInstant(), a.fileKey());
        Seen before = seen.get(name);
        boolean same = before != null && before.stamp.equals(stamp);
        boolean old =
            Duration.between(stamp.modified, now).compareTo(SETTLED) >= 0 && stamp.size > 0;
        next.put(name, new Seen(file, stamp, same || old, same ? before.since : now));
      }
    }
    seen = next;
    return new HashMap<>(next);
  }
}
