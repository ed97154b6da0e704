package io.culvert.simulator.evil.plugin;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Sink;
import io.culvert.api.southbound.Subscribable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Hands its sink samples as fast as it can, one or a thousand at a time, and waits for nothing; one
 * device from four threads. Ends when it is closed.
 */
public final class Floods extends EvilDriver {
  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    return CompletableFuture.completedFuture(new Tap(way(device), sink));
  }

  private static final class Tap implements Subscribable {
    private final int way;
    private final Sink sink;
    private volatile boolean closed;

    Tap(int way, Sink sink) {
      this.way = way;
      this.sink = sink;
    }

    @Override
    public CompletionStage<Void> subscribe(List<Point> points) {
      for (int i = 0; i < (way == 3 ? 4 : 1); i++) {
        Thread thread = new Thread(() -> run(points), "evil-floods-" + way + "-" + i);
        thread.setDaemon(true);
        thread.start();
      }
      return CompletableFuture.completedFuture(null);
    }

    private void run(List<Point> points) {
      long number = 0;
      while (number < GOOD_POLLS && !closed) {
        sink.accept(good(points, number++));
        LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
      }
      while (!closed) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < (way == 2 ? 1_000 : 1); i++) {
          samples.addAll(good(points, number++));
        }
        try {
          sink.accept(samples);
        } catch (RuntimeException e) {
          // Whatever it says, the next are on their way.
        }
      }
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
