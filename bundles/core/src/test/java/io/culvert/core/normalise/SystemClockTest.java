package io.culvert.core.normalise;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemClockTest {
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);

  @Test
  void saysWhatTimesyncdSaysAndLooksEveryTenSeconds(@TempDir Path run) throws IOException {
    Path timesync = run.resolve("timesync");
    SystemClock clock = new SystemClock(timesync, nanos::get);
    assertThat(clock.state()).isEqualTo(ClockState.UNKNOWN);

    Files.createDirectory(timesync);
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(10) - 1);
    assertThat(clock.state()).isEqualTo(ClockState.UNKNOWN);
    nanos.addAndGet(1);
    assertThat(clock.state()).isEqualTo(ClockState.UNSYNCHRONISED);

    Files.createFile(timesync.resolve("synchronized"));
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(10));
    assertThat(clock.state()).isEqualTo(ClockState.SYNCHRONISED);
  }
}
