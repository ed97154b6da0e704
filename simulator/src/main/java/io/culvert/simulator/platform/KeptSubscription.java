package io.culvert.simulator.platform;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A consumer at a broker that connects again by itself whenever its connection ends: what the
 * broker took in between is delivered then.
 */
final class KeptSubscription implements AutoCloseable {
  private static final String FILTER = "$oc/#";

  private final String host;
  private final int port;
  private final String clientId;
  private final Broker.Consumer consumer;
  private final ScheduledExecutorService reconnector =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "platform-reconnect");
            thread.setDaemon(true);
            return thread;
          });
  private Subscriber subscriber;
  private boolean wanted;

  /**
   * @param clientId used by nobody else at this broker
   */
  KeptSubscription(String host, int port, String clientId, Broker.Consumer consumer) {
    this.host = host;
    this.port = port;
    this.clientId = clientId;
    this.consumer = consumer;
  }

  /** From now on it connects again whenever it must. */
  synchronized void begin() {
    wanted = true;
  }

  /** Connects if it isn't connected; tells whether it is now, or isn't to be. */
  synchronized boolean connect() {
    if (!wanted) {
      return true;
    }
    if (subscriber == null) {
      subscriber = new Subscriber(host, port, clientId, FILTER, consumer, this::reconnectSoon);
    }
    return subscriber.connected() || subscriber.connect();
  }

  private void reconnectSoon() {
    if (!reconnector.isShutdown()) {
      reconnector.execute(this::reconnect);
    }
  }

  private void reconnect() {
    if (!connect() && !reconnector.isShutdown()) {
      reconnector.schedule(this::reconnect, 100, TimeUnit.MILLISECONDS);
    }
  }

  /** Lets the connection go when it ends. */
  synchronized void pause() {
    wanted = false;
  }

  @Override
  public void close() {
    reconnector.shutdownNow();
    Subscriber last;
    synchronized (this) {
      wanted = false;
      last = subscriber;
      subscriber = null;
    }
    if (last != null) {
      last.close();
    }
  }
}
