package io.culvert.buffer;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;

/** A loop that a test drives: nothing runs, and no time passes, but by its hand. */
final class HandLoop implements Loop {
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private final List<Timer> timers = new ArrayList<>();
  private long nanos;
  private long each;

  private record Timer(long due, Runnable task) {}

  @Override
  public synchronized boolean execute(Runnable task) {
    return tasks.add(task);
  }

  @Override
  public synchronized void schedule(Runnable task, Duration delay) {
    timers.add(new Timer(nanos + delay.toNanos(), task));
  }

  @Override
  public synchronized long nanos() {
    nanos += each;
    return nanos;
  }

  /** From now on each look at the time takes some. */
  synchronized void slow(Duration look) {
    each = look.toNanos();
  }

  /** Runs one task; false if there is none. */
  boolean runOne() {
    Runnable task = next();
    if (task != null) {
      task.run();
    }
    return task != null;
  }

  /** Runs what is there to run now. */
  void run() {
    for (Runnable task = next(); task != null; task = next()) {
      task.run();
    }
  }

  private synchronized Runnable next() {
    return tasks.poll();
  }

  /** Lets time pass and runs what falls due in it, in order. */
  void pass(Duration time) {
    long end = nanos + time.toNanos();
    run();
    for (Timer timer = due(end); timer != null; timer = due(end)) {
      timer.task().run();
      run();
    }
    synchronized (this) {
      nanos = end;
    }
  }

  private synchronized Timer due(long end) {
    Timer first = timers.stream().min(Comparator.comparingLong(Timer::due)).orElse(null);
    if (first == null || first.due() > end) {
      return null;
    }
    timers.remove(first);
    nanos = Math.max(nanos, first.due());
    return first;
  }

  @Override
  public void close() {
    run();
  }
}
