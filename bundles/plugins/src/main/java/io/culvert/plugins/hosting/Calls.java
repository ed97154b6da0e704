package io.culvert.plugins.hosting;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a plug-in's process from which its drivers are called: as many as in the gateway,
 * none while they are idle. Knows which call holds its thread for how long.
 */
final class Calls {
  private static final int MOST = 8;
  private static final long IDLE_SECONDS = 10;

  private final ThreadPoolExecutor pool;
  private final Map<Thread, Running> running = new ConcurrentHashMap<>();

  Calls() {
    pool =
        new ThreadPoolExecutor(
            MOST,
            MOST,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "culvert-driver");
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
  }

  private record Running(String what, long since) {}

  /** The call that holds its thread longest. */
  record Longest(String what, long millis) {}

  interface Action {
    void run() throws Exception;
  }

  Longest longest() {
    long now = System.nanoTime();
    Longest longest = new Longest("", 0);
    for (Running each : running.values()) {
      long millis = TimeUnit.NANOSECONDS.toMillis(now - each.since());
      if (millis > longest.millis()) {
        longest = new Longest(each.what(), millis);
      }
    }
    return longest;
  }

  /**
   * Runs a call. What it throws is the answer.
   *
   * @param reply {@code null} if nobody waits for one
   */
  void run(String what, Peer.Reply reply, Action action) {
    run(pool, what, reply, action);
  }

  private void run(Executor on, String what, Peer.Reply reply, Action action) {
    on.execute(
        () -> {
          running.put(Thread.currentThread(), new Running(what, System.nanoTime()));
          try {
            action.run();
          } catch (OutOfMemoryError e) {
            throw e;
          } catch (Throwable t) {
            if (reply != null) {
              reply.fail(t);
            }
          } finally {
            running.remove(Thread.currentThread());
          }
        });
  }

  /** A place where one call runs after the other: one connection's. */
  Strand strand() {
    return new Strand();
  }

  final class Strand implements Executor {
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private boolean busy;

    void run(String what, Peer.Reply reply, Action action) {
      Calls.this.run(this, what, reply, action);
    }

    @Override
    public void execute(Runnable task) {
      synchronized (waiting) {
        waiting.add(task);
        if (busy) {
          return;
        }
        busy = true;
      }
      pool.execute(this::next);
    }

    private void next() {
      Runnable task;
      synchronized (waiting) {
        task = waiting.remove();
      }
      try {
        task.run();
      } finally {
        synchronized (waiting) {
          busy = !waiting.isEmpty();
          if (busy) {
            pool.execute(this::next);
          }
        }
      }
    }
  }
}
