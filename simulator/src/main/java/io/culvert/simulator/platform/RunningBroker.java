package io.culvert.simulator.platform;

import io.culvert.simulator.street.StreetException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A broker that someone else runs, wherever it is: only the consumer is ours. It keeps its session,
 * so the broker should keep what it can't deliver; what it keeps after the end is the broker's to
 * forget.
 */
public final class RunningBroker implements Broker {
  private static final long PATIENCE_SECONDS = 10;

  private final String host;
  private final int port;
  private final KeptSubscription subscription;

  public RunningBroker(String host, int port, Consumer consumer) {
    this.host = host;
    this.port = port;
    // Others may audit there too.
    this.subscription =
        new KeptSubscription(
            host, port, "street-platform-" + ProcessHandle.current().pid(), consumer);
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public String name() {
    return "at " + host;
  }

  @Override
  public void start() throws StreetException {
    subscription.begin();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!subscription.connect()) {
      if (System.nanoTime() - deadline > 0) {
        throw new StreetException(
            "Found no MQTT broker at "
                + host
                + ":"
                + port
                + "; start it, or give another place by --broker and --mqtt-port");
      }
      LockSupport.parkNanos(50_000_000);
    }
  }

  /** Only whoever runs it can stop it. */
  @Override
  public void stop() {
    throw new UnsupportedOperationException("The broker is somebody else's");
  }

  @Override
  public void close() {
    subscription.close();
  }
}
