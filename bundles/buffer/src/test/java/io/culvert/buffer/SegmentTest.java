package io.culvert.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SegmentTest {
  @TempDir Path directory;

  @Test
  void aCommitOfOneReadingAddsNoMoreThanTwoKibibytesToTheLog() throws Exception {
    try (DurableBuffer buffer =
        new DurableBuffer(
            directory,
            Readings.settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open))) {
      Path log = directory.resolve(Segment.fileName(1) + "-wal");
      commit(buffer, 0);
      long before = Files.size(log);

      for (int i = 1; i <= 20; i++) {
        commit(buffer, i);
      }

      assertThat(Files.size(log) - before).isPositive().isLessThanOrEqualTo(20 * 2048);
    }
  }

  private static void commit(DurableBuffer buffer, int number) throws Exception {
    buffer
        .accept(Readings.numbered("a", number, number + 1))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }
}
