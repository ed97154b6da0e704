package io.culvert.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder that goes when it has been used. */
record Work(Path folder) implements AutoCloseable {

  /** Makes one in the system's folder for temporary files. */
  static Work create() throws IOException {
    return new Work(Files.createTempDirectory("culvert-bench-"));
  }

  /** Deletes it. What can't be deleted stays and is told: it is no reason to lose a measurement. */
  @Override
  public void close() {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> all = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : all) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException e) {
      System.err.println("Left behind: " + folder + " (" + e.getMessage() + ")");
    }
  }
}
