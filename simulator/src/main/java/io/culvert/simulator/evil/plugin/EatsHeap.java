package io.culvert.simulator.evil.plugin;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Keeps more and more, until there is no memory left, and answers well as long as it can. */
public final class EatsHeap extends EvilDriver {
  private static final int EACH_POLL = 32;

  private final Queue<byte[]> kept = new ConcurrentLinkedQueue<>();

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) throws Throwable {
    for (int i = 0; i < EACH_POLL; i++) {
      kept.add(new byte[1 << 20]);
    }
    return super.poll(connection, points);
  }
}
