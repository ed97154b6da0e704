package io.culvert.device.opcua;

import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * A client's view of the driver's timer. Milo pauses after each attempt at a lost link, up to 16 s,
 * and can't be told to try at once; here its pauses, the only times that it gives in seconds, can
 * be cut short by who opens a device.
 *
 * <p>Safe in any thread; never blocks.
 */
final class Pauses extends AbstractExecutorService implements ScheduledExecutorService {
  private record Pause(Runnable task, ScheduledFuture<?> future) {}

  private final ScheduledExecutorService timer;
  private final Set<Pause> pauses = ConcurrentHashMap.newKeySet();
  private volatile Runnable listener = () -> {};

  Pauses(ScheduledExecutorService timer) {
    this.timer = timer;
  }

  /** Has this told, in any thread, whenever a pause begins: an attempt has failed. */
  void listen(Runnable begun) {
    listener = begun;
  }

  /**
   * Ends the pauses there are.
   *
   * @return whether there was one
   */
  boolean end() {
    boolean any = false;
    for (Pause pause : List.copyOf(pauses)) {
      if (pauses.remove(pause) && pause.future.cancel(false)) {
        timer.execute(pause.task);
        any = true;
      }
    }
    return any;
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
    ScheduledFuture<?> future = timer.schedule(task, delay, unit);
    if (unit == TimeUnit.SECONDS) {
      pauses.removeIf(pause -> pause.future.isDone());
      pauses.add(new Pause(task, future));
      listener.run();
    }
    return future;
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
    return timer.schedule(task, delay, unit);
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable task, long first, long period, TimeUnit unit) {
    return timer.scheduleAtFixedRate(task, first, period, unit);
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable task, long first, long delay, TimeUnit unit) {
    return timer.scheduleWithFixedDelay(task, first, delay, unit);
  }

  @Override
  public void execute(Runnable task) {
    timer.execute(task);
  }

  /** The timer is the driver's, and ends with it. */
  @Override
  public void shutdown() {}

  @Override
  public List<Runnable> shutdownNow() {
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return timer.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return timer.isTerminated();
  }

  @Override
  public boolean awaitTermination(long time, TimeUnit unit) throws InterruptedException {
    return timer.awaitTermination(time, unit);
  }
}
