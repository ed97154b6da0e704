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

  private final String name;
  private final ClassLoader loader;
  private final AtomicInteger number = new AtomicInteger();
  private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
  private volatile ThreadPoolExecutor pool;

  /**
   * @param name for the threads
   * @param loader their context class loader: the driver's own, for libraries that look there.
   *     Threads that the driver starts from them inherit it, and are told by it; the core's, if the
   *     driver has none of its own
   */
  Caller(String name, ClassLoader loader) {
    this.name = name;
    this.loader = loader;
    this.pool = pool();
  }

  /** For tests. */
  Caller() {
    name = "";
    loader = null;
    pool = null;
  }

  private ThreadPoolExecutor pool() {
    ThreadPoolExecutor made =
        new ThreadPoolExecutor(
            MOST,
            MOST,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new DriverThread(task);
              threads.removeIf(old -> old.getState() == Thread.State.TERMINATED);
              threads.add(thread);
              return thread;
            }) {
          @Override
          protected void afterExecute(Runnable task, Throwable thrown) {
            ((DriverThread) Thread.currentThread()).tidy();
          }
        };
    made.allowCoreThreadTimeOut(true);
    return made;
  }

  private final class DriverThread extends Thread {
    private final String given;

    DriverThread(Runnable task) {
      super(task, "culvert-driver-" + name + "-" + number.incrementAndGet());
      given = getName();
      setDaemon(true);
      setContextClassLoader(loader);
    }

    /** Takes back what a call may have left changed; interruption is the pool's to take back. */
    void tidy() {
      if (getContextClassLoader() != loader) {
        setContextClassLoader(loader);
      }
      if (!getName().equals(given)) {
        setName(given);
      }
      if (getPriority() != NORM_PRIORITY) {
        setPriority(NORM_PRIORITY);
      }
    }

    Caller caller() {
      return Caller.this;
    }
  }

  /** Whose thread this is; {@code null} if it isn't one from which a driver is called. */
  static Caller of(Thread thread) {
    return thread instanceof DriverThread driver ? driver.caller() : null;
  }

  /** The context class loader of these threads. */
  ClassLoader loader() {
    return loader;
  }

  /** Runs an action on one of the threads; drops it after {@link #close}. Never blocks. */
  @Override
  public void execute(Runnable action) {
    ThreadPoolExecutor present = pool;
    try {
      present.execute(action);
    } catch (RejectedExecutionException e) {
      // Closed: nobody waits for it any more. Or renewed just now.
      if (present != pool) {
        execute(action);
      }
    }
  }

  /**
   * Gives up the present threads, which are interrupted and end when their calls return, if ever.
   * What waits for one is done on new ones.
   */
  void renew() {
    ThreadPoolExecutor old = pool;
    pool = pool();
    old.shutdownNow().forEach(this::execute);
  }

  /**
   * Takes no more; what was handed in is still done, then the threads end.
   *
   * @return ends what takes longer: blocks until the threads are gone or patience is at its end,
   *     and says which
   */
  Ending close() {
    ThreadPoolExecutor last = pool;
    last.shutdown();
    return millis -> {
      if (!last.awaitTermination(millis / 2, TimeUnit.MILLISECONDS)) {
        last.shutdownNow();
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
