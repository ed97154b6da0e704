package io.culvert.device.opcua;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs tasks on a pool, one after the other in the order they come. */
final class Serial implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(Serial.class);

  private final Executor pool;
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private boolean running;

  Serial(Executor pool) {
    this.pool = pool;
  }

  /** After the pool has ended, tasks are dropped. */
  @Override
  public void execute(Runnable task) {
    synchronized (tasks) {
      tasks.add(task);
      if (running) {
        return;
      }
      running = true;
    }
    try {
      pool.execute(this::drain);
    } catch (RejectedExecutionException ended) {
      synchronized (tasks) {
        running = false;
        tasks.clear();
      }
    }
  }

  private void drain() {
    while (true) {
      Runnable task;
      synchronized (tasks) {
        task = tasks.poll();
        if (task == null) {
          running = false;
          return;
        }
      }
      try {
        task.run();
      } catch (Throwable t) {
        // Whatever a server sent: the others' tasks go on.
        LOG.error("OPC UA: a fault in the driver; what it was about is left out", t);
      }
    }
  }
}
