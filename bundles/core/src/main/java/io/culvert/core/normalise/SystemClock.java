package io.culvert.core.normalise;

import io.culvert.api.ClockState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * What systemd-timesyncd says: it keeps a directory while it runs and a file in it from the moment
 * when the clock was first set (systemd-timesyncd.service(8)). Nothing is known where another
 * service keeps the time.
 */
@Component(service = ClockSource.class)
public final class SystemClock implements ClockSource {
  private static final long PERIOD_NANOS = 10_000_000_000L;

  private final Path directory;
  private final LongSupplier nanoTime;

  /** State and moment of the last look; one reference, so that readers need no lock. */
  private volatile Look last;

  private record Look(ClockState state, long at) {}

  @Activate
  public SystemClock() {
    this(Path.of("/run/systemd/timesync"), System::nanoTime);
  }

  SystemClock(Path directory, LongSupplier nanoTime) {
    this.directory = directory;
    this.nanoTime = nanoTime;
  }

  @Override
  public ClockState state() {
    long now = nanoTime.getAsLong();
    Look look = last;
    if (look == null || now - look.at >= PERIOD_NANOS) {
      look = new Look(look(), now);
      last = look;
    }
    return look.state;
  }

  private ClockState look() {
    if (Files.exists(directory.resolve("synchronized"))) {
      return ClockState.SYNCHRONISED;
    }
    return Files.isDirectory(directory) ? ClockState.UNSYNCHRONISED : ClockState.UNKNOWN;
  }
}
