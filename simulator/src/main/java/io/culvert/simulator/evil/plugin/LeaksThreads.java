package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Starts some threads with each poll, which never end. Answers well all the while. */
public final class LeaksThreads extends EvilDriver {
  private static final int EACH_POLL = 20;

  /** Where nobody stops it, the machine shall still be there. */
  private static final int MOST = 2_000;

  private final AtomicInteger started = new AtomicInteger();

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) throws Throwable {
    for (int i = 0; i < EACH_POLL && started.getAndIncrement() < MOST; i++) {
      Thread thread = new Thread(EvilDriver::never, "Timer-" + i);
      thread.setDaemon(true);
      thread.start();
    }
    return super.poll(connection, points);
  }
}
