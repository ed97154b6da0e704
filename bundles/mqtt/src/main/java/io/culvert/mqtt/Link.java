package io.culvert.mqtt;

import io.culvert.mqtt.Dialect.Message;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;
import org.eclipse.paho.client.mqttv3.IMqttActionListener;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.IMqttToken;
import org.eclipse.paho.client.mqttv3.MqttAsyncClient;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * One connection to a platform, from CONNECT to its end; never used twice, so that nothing of an
 * old connection can leak into a new one. Safe in any thread; only {@link #close} blocks.
 *
 * <p>MQTT 3.1.1, clean session, QoS 1. The client's own reconnection, buffer and persistence are
 * off: what isn't acknowledged when the link goes down is told so at once, and the buffer sends it
 * again.
 */
final class Link {

  private static final int QOS = 1;
  private static final int FAILURE = 0x80;
  private static final long QUIESCE_MILLIS = 500;
  private static final long GOODBYE_MILLIS = 500;

  /** As long at least, and two keep-alives, a platform may take for one acknowledgement. */
  private static final Duration SLOW = Duration.ofSeconds(30);

  /** Held, because the log manager would forget the level of a logger that nobody refers to. */
  private static final Logger CLIENT_LOG = Logger.getLogger("org.eclipse.paho.client.mqttv3");

  static {
    // Whatever the client has to say, the session says in words.
    CLIENT_LOG.setLevel(Level.OFF);
  }

  private final Settings settings;
  private final Events events;
  private final Wire wire;
  private final KeepAlive keepAlive;
  private final MqttAsyncClient client;

  /** In the order of the calls. */
  private final Set<CompletableFuture<Boolean>> pending =
      Collections.synchronizedSet(new LinkedHashSet<>());

  private final AtomicBoolean down = new AtomicBoolean();
  private volatile boolean up;

  // Of the executor.
  private CompletableFuture<Boolean> oldest;
  private long oldestSince;

  /** What happens on a link. Called from the client's threads: must return at once. */
  interface Events {
    /** The platform has accepted the connection. */
    void up(Link link);

    /** The link is of no use any more, or never was; called once. */
    void down(Link link, Throwable cause);

    /** A topic filter isn't granted. */
    void refused(String filter);

    void received(String topic, byte[] payload);
  }

  /**
   * @param tls {@code null} for a plain link
   * @param traffic where what goes over it is counted
   * @param executor for the keep-alive's ticks
   */
  Link(
      Settings settings,
      SSLContext tls,
      Traffic traffic,
      Events events,
      ScheduledExecutorService executor)
      throws MqttException {
    this.settings = settings;
    this.events = events;
    this.wire = new Wire(settings, tls, traffic);
    this.keepAlive =
        new KeepAlive(settings.keepAlive(), executor, this::down, this::missAcknowledgements);
    this.client =
        new MqttAsyncClient(
            WireFactory.SCHEME + "://" + settings.host() + ":" + settings.port(),
            settings.clientId(),
            new MemoryPersistence(),
            keepAlive);
  }

  /** Starts to connect; {@link Events} tell how it ends. The caller watches over the time. */
  void connect(char[] password) {
    MqttConnectOptions options = new WireFactory.Options(wire);
    // Said outright: by default the client tries 3.1 after each failure of 3.1.1.
    options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
    options.setCleanSession(true);
    options.setAutomaticReconnect(false);
    options.setKeepAliveInterval((int) settings.keepAlive().toSeconds());
    // The window is the forwarder's; the client's must never be the narrower one (default 10).
    options.setMaxInflight(0xFFFF);
    if (!settings.user().isEmpty()) {
      options.setUserName(settings.user());
      options.setPassword(password);
    }
    client.setCallback(new Callback());
    try {
      client.connect(
          options,
          null,
          listener(
              () -> {
                up = true;
                keepAlive.heard();
                events.up(this);
              },
              this::down));
    } catch (MqttException | RuntimeException e) {
      down(e);
    }
  }

  /** Asks for what the platform sends. */
  void subscribe(List<String> filters) {
    for (String filter : filters) {
      try {
        client.subscribe(
            filter,
            QOS,
            null,
            new IMqttActionListener() {
              @Override
              public void onSuccess(IMqttToken token) {
                keepAlive.heard();
                int[] granted = token.getGrantedQos();
                if (granted != null && granted.length > 0 && granted[0] == FAILURE) {
                  events.refused(filter);
                }
              }

              @Override
              public void onFailure(IMqttToken token, Throwable cause) {
                // The link is going down, which is told elsewhere.
              }
            });
      } catch (MqttException | RuntimeException e) {
        down(e);
      }
    }
  }

  /**
   * Publishes; messages leave in the order of the calls.
   *
   * @return true when the platform has acknowledged it, false once that can't happen any more.
   *     Completed by the client's thread, which must not be held up
   */
  CompletableFuture<Boolean> publish(Message message) {
    CompletableFuture<Boolean> ack = new CompletableFuture<>();
    pending.add(ack);
    if (down.get()) {
      settle(ack, false);
      return ack;
    }
    try {
      client.publish(
          message.topic(),
          message.payload(),
          QOS,
          false,
          null,
          listener(
              () -> {
                keepAlive.heard();
                settle(ack, true);
              },
              cause -> settle(ack, false)));
    } catch (MqttException | RuntimeException e) {
      // Nothing can be published: then there is no link.
      settle(ack, false);
      down(e);
    }
    return ack;
  }

  /**
   * Gives the link up if an acknowledgement is lost though the platform is there: it acknowledges
   * in the order of the messages (clause 4.6), and nothing but a new connection lets us send again.
   */
  private void missAcknowledgements() {
    CompletableFuture<Boolean> first;
    synchronized (pending) {
      first = pending.isEmpty() ? null : pending.iterator().next();
    }
    long now = System.nanoTime();
    if (first != oldest) {
      oldest = first;
      oldestSince = now;
    } else if (first != null) {
      Duration waited = Duration.ofNanos(now - oldestSince);
      Duration twice = settings.keepAlive().multipliedBy(2);
      if (waited.compareTo(twice.compareTo(SLOW) > 0 ? twice : SLOW) >= 0) {
        down(new UnacknowledgedException(waited));
      }
    }
  }

  boolean isDown() {
    return down.get();
  }

  /** Ends the link without a word. */
  void cut() {
    down.set(true);
    wire.stop();
    settleAll();
  }

  /**
   * Waits half a second for what is on its way, says goodbye and ends the link. Blocks up to two
   * seconds.
   */
  void close() {
    // Saying goodbye before the platform has answered leaves threads of the client behind, and so
    // does the client's own disconnect() where nobody reads.
    if (up && !down.get()) {
      try {
        client.disconnectForcibly(QUIESCE_MILLIS, GOODBYE_MILLIS, true);
      } catch (MqttException | RuntimeException e) {
        // Then without a word.
      }
    }
    cut();
  }

  private void down(Throwable cause) {
    if (down.compareAndSet(false, true)) {
      settleAll();
      events.down(this, cause);
    }
  }

  private void settleAll() {
    List<CompletableFuture<Boolean>> open;
    synchronized (pending) {
      open = List.copyOf(pending);
    }
    open.forEach(ack -> settle(ack, false));
  }

  private void settle(CompletableFuture<Boolean> ack, boolean acknowledged) {
    pending.remove(ack);
    ack.complete(acknowledged);
  }

  private static IMqttActionListener listener(Runnable success, FailureListener failure) {
    return new IMqttActionListener() {
      @Override
      public void onSuccess(IMqttToken token) {
        success.run();
      }

      @Override
      public void onFailure(IMqttToken token, Throwable cause) {
        failure.failed(cause);
      }
    };
  }

  private interface FailureListener {
    void failed(Throwable cause);
  }

  /** The client drops the connection if one of these throws. */
  private final class Callback implements MqttCallback {
    @Override
    public void connectionLost(Throwable cause) {
      down(cause);
    }

    @Override
    public void messageArrived(String topic, MqttMessage message) {
      keepAlive.heard();
      events.received(topic, message.getPayload());
    }

    @Override
    public void deliveryComplete(IMqttDeliveryToken token) {
      // Told to the listener of each publish.
    }
  }

  /** For tests and messages. */
  @Override
  public String toString() {
    return settings.url() + (down.get() ? " (down)" : "");
  }

  /** The other side hasn't said anything for too long. */
  static final class SilentException extends Exception {
    private static final long serialVersionUID = 1;

    SilentException(Duration silence) {
      super("no sign of life for " + silence.toSeconds() + " s");
    }
  }

  /** The platform answers, and doesn't acknowledge. */
  static final class UnacknowledgedException extends Exception {
    private static final long serialVersionUID = 1;

    UnacknowledgedException(Duration waited) {
      super("a message was not acknowledged for " + waited.toSeconds() + " s");
    }
  }
}
