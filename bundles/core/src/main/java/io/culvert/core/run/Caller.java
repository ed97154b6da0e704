package io.culvert.core.run;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads from which one driver is called: at most {@value #MOST}, none while it is idle, and
 * none after it has gone. So a driver that blocks although it may not ties up its own threads only:
 * up to {@value #MOST} of its devices may be stuck in a call before its others stand still too, and
 * another driver never notices.
 */
class Caller implements Executor {
  static final int MOST = 8;

  private static final long IDLE_SECONDS = 2;

  private final ThreadPoolExecutor pool;
  private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

  /**
   * @param name for the threads
   * @param loader their context class loader: the driver's own, for libraries that look there
   */
  Caller(String name, ClassLoader loader) {
    AtomicInteger number = new AtomicInteger();
    pool =
        new ThreadPoolExecutor(
            MOST,
            MOST,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread =
                  new Thread(task, "culvert-driver-" + name + "-" + number.incrementAndGet());
              thread.setDaemon(true);
              thread.setContextClassLoader(loader);
              threads.removeIf(old -> old.getState() == Thread.State.TERMINATED);
              threads.add(thread);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
  }

  /** For tests. */
  Caller() {
    pool = null;
  }

  /** Runs an action on one of the threads; drops it after {@link #close}. Never blocks. */
  @Override
  public void execute(Runnable action) {
    try {
      pool.execute(action);
    } catch (RejectedExecutionException e) {
      // Closed: nobody waits for it any more.
    }
  }

  /**
   * Takes no more; what was handed in is still done, then the threads end.
   *
   * @return ends what takes longer: blocks until the threads are gone or patience is at its end,
   *     and says which
   */
  Ending close() {
    pool.shutdown();
    return millis -> {
      if (!pool.awaitTermination(millis / 2, TimeUnit.MILLISECONDS)) {
        pool.shutdownNow();
      }
      long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis - millis / 2);
      for (Thread thread : threads) {
        // A pool that has terminated may still have threads on their way out.
        thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())));
        if (thread.isAlive()) {
          return false;
        }
      }
      return true;
    };
  }

  /** The second half of closing, which blocks. */
  @FunctionalInterface
  interface Ending {
    boolean await(long millis) throws InterruptedException;
  }
}
