package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Leaves threads running in circles with each poll; one device's poll never ends itself. */
public final class Spins extends EvilDriver {
  private static final int MOST = 4 * Runtime.getRuntime().availableProcessors();

  private final AtomicInteger started = new AtomicInteger();
  private volatile long turns;

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) throws Throwable {
    if (connection.way() == 1) {
      spin();
    }
    if (started.getAndIncrement() < MOST) {
      Thread thread = new Thread(this::spin, "evil-spins");
      thread.setDaemon(true);
      thread.setPriority(Thread.MAX_PRIORITY);
      thread.start();
    }
    return super.poll(connection, points);
  }

  private void spin() {
    while (true) {
      turns++;
    }
  }
}
