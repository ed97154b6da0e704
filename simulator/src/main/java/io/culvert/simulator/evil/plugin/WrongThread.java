package io.culvert.simulator.evil.plugin;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Sink;
import io.culvert.api.southbound.Subscribable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Uses threads and stages that aren't its own. One device blocks in what it hangs on the sink's
 * stage, so on the thread that completes it; one completes that stage itself; one answers twice and
 * from a shared thread, and leaves the thread that called it interrupted and renamed.
 */
public final class WrongThread extends EvilDriver {
  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    return way(device) == 3
        ? super.open(device, sink)
        : CompletableFuture.completedFuture(new Pusher(way(device), sink));
  }

  @Override
  CompletionStage<List<Sample>> poll(Polled connection, List<Point> points) {
    CompletableFuture<List<Sample>> answer = new CompletableFuture<>();
    ForkJoinPool.commonPool()
        .execute(
            () -> {
              answer.complete(good(points, 1));
              answer.obtrudeValue(good(points, 2));
              answer.obtrudeException(new IllegalStateException("after all not"));
            });
    Thread caller = Thread.currentThread();
    caller.setName("evil-was-here");
    caller.setContextClassLoader(null);
    caller.interrupt();
    return answer;
  }

  private static final class Pusher implements Subscribable {
    private final int way;
    private final Sink sink;
    private volatile boolean closed;

    Pusher(int way, Sink sink) {
      this.way = way;
      this.sink = sink;
    }

    @Override
    public CompletionStage<Void> subscribe(List<Point> points) {
      Thread thread = new Thread(() -> run(points), "evil-wrong-thread-" + way);
      thread.setDaemon(true);
      thread.start();
      return CompletableFuture.completedFuture(null);
    }

    private void run(List<Point> points) {
      for (long number = 0; !closed; number++) {
        CompletableFuture<Void> accepted = sink.accept(good(points, number)).toCompletableFuture();
        if (number >= GOOD_POLLS && way == 1) {
          accepted.whenComplete((nothing, failure) -> never());
        } else if (number >= GOOD_POLLS) {
          accepted.complete(null);
          accepted.obtrudeException(new IllegalStateException("says the driver"));
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
      }
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
