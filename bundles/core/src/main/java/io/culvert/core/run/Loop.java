package io.culvert.core.run;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that runs what it is handed in order, and timers when they are due. Its clocks are
 * given to it: one that only goes forward, for pauses and deadlines, and the wall clock, for what
 * is stored. A test starts no thread and calls {@link #runDue} instead.
 */
final class Loop implements Executor {
  private static final Logger LOG = LoggerFactory.getLogger(Loop.class);

  private final LongSupplier nanos;
  private final InstantSource wall;
  private final ConcurrentLinkedQueue<Runnable> inbox = new ConcurrentLinkedQueue<>();
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private long order;
  private int cancelled;
  private volatile Thread thread;
  private volatile boolean parked;
  private volatile boolean closed;

  /**
   * @param nanos monotonic, in nanoseconds from any beginning
   */
  Loop(LongSupplier nanos, InstantSource wall) {
    this.nanos = nanos;
    this.wall = wall;
  }

  /** Something to be done later. Used on the loop only. */
  final class Timer implements Comparable<Timer> {
    private final long at;
    private final long number;
    private Runnable action;

    private Timer(long at, Runnable action) {
      this.at = at;
      this.number = order++;
      this.action = action;
    }

    /** Lets go of the action, even though the entry itself stays in the queue for a while. */
    void cancel() {
      if (action != null) {
        action = null;
        if (++cancelled > 64 && cancelled > timers.size() / 2) {
          timers.removeIf(timer -> timer.action == null);
          cancelled = 0;
        }
      }
    }

    @Override
    public int compareTo(Timer other) {
      return at != other.at ? Long.signum(at - other.at) : Long.compare(number, other.number);
    }
  }

  long nanos() {
    return nanos.getAsLong();
  }

  Instant now() {
    return wall.instant();
  }

  /** Runs an action on the loop, after those handed in before. Any thread; never blocks. */
  @Override
  public void execute(Runnable action) {
    inbox.add(action);
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** Runs an action at a time of {@link #nanos}. On the loop only. */
  Timer at(long at, Runnable action) {
    Timer timer = new Timer(at, action);
    timers.add(timer);
    return timer;
  }

  Timer after(Duration delay, Runnable action) {
    return at(nanos() + delay.toNanos(), action);
  }

  /**
   * Runs an action on the loop and waits until it is done. From any thread but the loop's.
   *
   * @return whether it was done in time; {@code false} also if the loop is closed
   */
  boolean call(Runnable action, Duration patience) {
    Thread loop = thread;
    if (loop == null) {
      execute(action);
      runDue();
      return true;
    }
    CountDownLatch done = new CountDownLatch(1);
    execute(
        () -> {
          try {
            action.run();
          } finally {
            done.countDown();
          }
        });
    try {
      // In steps, so that a loop which is closed meanwhile keeps nobody.
      for (long left = patience.toMillis(); left > 0 && !closed; left -= 50) {
        if (done.await(Math.min(left, 50), TimeUnit.MILLISECONDS)) {
          return true;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return done.getCount() == 0;
  }

  /** Runs everything that is there and due, as the loop's thread does. For tests that drive it. */
  void runDue() {
    boolean more = true;
    while (more) {
      more = false;
      for (Runnable action = inbox.poll(); action != null; action = inbox.poll()) {
        run(action);
      }
      Timer first = timers.peek();
      if (first != null && first.at - nanos() <= 0) {
        timers.poll();
        Runnable action = first.action;
        if (action == null) {
          cancelled = Math.max(0, cancelled - 1);
        } else {
          first.action = null;
          run(action);
        }
        more = true;
      }
    }
  }

  /** When the next timer is due, by {@link #nanos}; far away if there is none. */
  long nextDue() {
    for (Timer first = timers.peek(); first != null; first = timers.peek()) {
      if (first.action != null) {
        return first.at;
      }
      timers.poll();
      cancelled = Math.max(0, cancelled - 1);
    }
    return nanos() + TimeUnit.HOURS.toNanos(1);
  }

  /** Whether this is the loop's thread. Any thread. */
  boolean isThread(Thread other) {
    return thread == other;
  }

  /** Whether what is handed in will still be run. */
  boolean open() {
    return !closed;
  }

  private static void run(Runnable action) {
    try {
      action.run();
    } catch (Throwable t) {
      // The loop carries every device; no single action may end it.
      LOG.error("Something went wrong inside the core; the rest goes on", t);
    }
  }

  void start() {
    Thread started = new Thread(this::serve, "culvert-core");
    started.setDaemon(true);
    thread = started;
    started.start();
  }

  private void serve() {
    while (!closed) {
      runDue();
      parked = true;
      if (inbox.isEmpty() && !closed) {
        long pause = nextDue() - nanos();
        if (pause > 0) {
          LockSupport.parkNanos(this, pause);
        }
      }
      parked = false;
    }
  }

  /** Ends the thread and forgets what waits. Any thread but the loop's. */
  void close() {
    closed = true;
    Thread loop = thread;
    if (loop != null) {
      LockSupport.unpark(loop);
      try {
        loop.join(2000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    inbox.clear();
  }
}
