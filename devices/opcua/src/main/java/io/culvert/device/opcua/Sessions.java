package io.culvert.device.opcua;

import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;

/** The sessions of the driver: one for all devices that can share it. Safe in any thread. */
final class Sessions {
  private static final long LOG_OUT_SECONDS = 2;

  private final Threads threads;
  private final Security security;
  private final InstantSource clock;
  private final LongSupplier nanos;
  private final Map<Session.Key, Session> sessions = new HashMap<>();
  private boolean ended;

  /**
   * @param nanos a clock as {@link System#nanoTime}
   */
  Sessions(Threads threads, Security security, InstantSource clock, LongSupplier nanos) {
    this.threads = threads;
    this.security = security;
    this.clock = clock;
    this.nanos = nanos;
  }

  /** The session for a device, in use; to be released once. */
  synchronized Session acquire(Session.Key key) {
    Session session = sessions.get(key);
    if (session == null) {
      session = new Session(key, threads, security, clock, nanos, idle -> retire(key, idle));
      if (!ended) {
        sessions.put(key, session);
      } else {
        session.close();
      }
    }
    session.use();
    return session;
  }

  private synchronized boolean retire(Session.Key key, Session idle) {
    return !idle.used() && sessions.remove(key, idle);
  }

  /** Ends all of them, and the threads; waits for that, at most a few seconds. */
  void end() {
    List<Session> open;
    synchronized (this) {
      ended = true;
      open = List.copyOf(sessions.values());
    }
    CompletableFuture<?>[] closing =
        open.stream().map(Session::close).toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(closing).get(LOG_OUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // The server will notice.
    }
    threads.end();
  }
}
