package io.culvert.simulator.evil.plugin;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Takes a minute to find nothing wrong. */
public final class SlowValidate extends EvilDriver {
  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
      Thread.interrupted();
    }
    return List.of();
  }
}
