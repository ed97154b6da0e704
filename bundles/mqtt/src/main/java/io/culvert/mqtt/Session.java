package io.culvert.mqtt;

import io.culvert.api.service.Secrets;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a link to one platform: connects, notices its loss, tries again with growing, jittered
 * pauses, and tells people about it. All of it happens in the executor's one thread; what others
 * may call says so.
 */
final class Session {

  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  /**
   * A link that broke sooner counts as another failed attempt, so that a quarrel over a client id
   * doesn't become a storm.
   */
  private static final Duration STABLE = Duration.ofSeconds(10);

  private static final long STOP_SECONDS = 5;

  private final Settings settings;
  private final Secrets secrets;
  private final ScheduledExecutorService executor;
  private final InstantSource clock;
  private final Listener listener;
  private final Backoff backoff;
  private final Outage outage = new Outage();
  private final Traffic traffic = new Traffic();
  private final Set<String> toldRefused = new HashSet<>();

  private Link current;
  private ScheduledFuture<?> deadline;
  private Instant upSince;
  private boolean toldFailure = true;
  private boolean stopped;

  /** The link that can be used, {@code null} if there is none. */
  private volatile Link ready;

  /** What the session's owner does about it; called in the executor's thread. */
  interface Listener {
    /** There is a new link; what is published before this returns goes first. */
    void connected(Link link);

    void received(String topic, byte[] payload);

    /** {@link Session#link} has changed. */
    void changed();
  }

  /**
   * @param executor of one thread, shut down by its owner after {@link #stop}
   */
  Session(
      Settings settings,
      Secrets secrets,
      ScheduledExecutorService executor,
      InstantSource clock,
      RandomGenerator random,
      Listener listener) {
    this.settings = settings;
    this.secrets = secrets;
    this.executor = executor;
    this.clock = clock;
    this.listener = listener;
    this.backoff = new Backoff(settings.backoff(), settings.maxBackoff(), random);
  }

  /** Begins to connect. Any thread; returns at once. */
  void start() {
    post(this::attempt);
  }

  /** Says goodbye to the platform. Not from the executor's thread; blocks up to five seconds. */
  void stop() {
    try {
      executor
          .submit(
              () -> {
                stopped = true;
                Link link = current;
                current = null;
                ready = null;
                if (link != null) {
                  link.close();
                }
              })
          .get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("{}: the connection to {} did not end in order", settings.id(), settings.url(), e);
    }
  }

  /** The link to publish on, {@code null} if the platform can't be reached. Any thread. */
  Link link() {
    Link link = ready;
    return link == null || link.isDown() ? null : link;
  }

  /** Bytes that went over all its links, either way. Any thread. */
  long bytes() {
    return traffic.bytes();
  }

  private void attempt() {
    if (stopped) {
      return;
    }
    try {
      SSLContext tls =
          settings.tls() ? Trust.context(settings.trust(), secret(settings.trustPassword())) : null;
      char[] password = secret(settings.password());
      Link link = new Link(settings, tls, traffic, new LinkEvents(), executor);
      current = link;
      deadline =
          executor.schedule(
              () -> timedOut(link), settings.connectTimeout().toMillis(), TimeUnit.MILLISECONDS);
      link.connect(password);
    } catch (IOException | GeneralSecurityException | MqttException | RuntimeException e) {
      failed("cannot reach", Reasons.of(e, settings, false));
    }
  }

  /** Resolves {@code secret:name}; {@code null} if nothing is configured. */
  private char[] secret(String configured) throws IOException {
    if (configured.isEmpty()) {
      return null;
    }
    if (!configured.startsWith(Secrets.PREFIX)) {
      return configured.toCharArray();
    }
    String name = configured.substring(Secrets.PREFIX.length());
    return secrets
        .get(name)
        .orElseThrow(
            () ->
                new IOException(
                    "there is no secret " + name + "; put it into the file etc/secrets/" + name))
        .toCharArray();
  }

  private void timedOut(Link link) {
    if (current == link && ready != link) {
      down(link, new SocketTimeoutException());
    }
  }

  private void up(Link link) {
    if (current != link || link.isDown()) {
      return;
    }
    deadline.cancel(false);
    upSince = clock.instant();
    if (toldFailure) {
      toldFailure = false;
      LOG.info("{}: connected to {}", settings.id(), settings.url());
    }
    listener.connected(link);
    ready = link;
    listener.changed();
  }

  private void down(Link link, Throwable cause) {
    if (current != link) {
      return;
    }
    boolean wasUp = ready == link;
    ready = null;
    current = null;
    deadline.cancel(false);
    link.cut();
    if (wasUp && !clock.instant().isBefore(upSince.plus(STABLE))) {
      backoff.reset();
      outage.over();
    }
    failed(wasUp ? "lost" : "cannot reach", Reasons.of(cause, settings, wasUp));
    if (wasUp) {
      listener.changed();
    }
  }

  private void failed(String what, String reason) {
    Duration pause = backoff.next(clock.instant());
    if (outage.worthTelling(reason, clock.instant())) {
      toldFailure = true;
      LOG.warn(
          "{}: {} {}: {}; next try {}",
          settings.id(),
          what,
          settings.url(),
          reason,
          inWords(pause));
    }
    executor.schedule(this::attempt, pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void refused(String filter) {
    if (toldRefused.add(filter)) {
      LOG.warn(
          "{}: the platform doesn't let us subscribe to {}; its commands won't arrive. Have it"
              + " permitted there",
          settings.id(),
          filter);
    }
  }

  private static String inWords(Duration pause) {
    long seconds = (pause.toMillis() + 500) / 1000;
    return seconds == 0 ? "at once" : "in " + seconds + " s";
  }

  private void post(Runnable task) {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException e) {
      // The session has ended: nobody wants to know any more.
    }
  }

  /** Brings what the client's threads tell into the executor's. */
  private final class LinkEvents implements Link.Events {
    @Override
    public void up(Link link) {
      post(() -> Session.this.up(link));
    }

    @Override
    public void down(Link link, Throwable cause) {
      post(() -> Session.this.down(link, cause));
    }

    @Override
    public void refused(String filter) {
      post(() -> Session.this.refused(filter));
    }

    @Override
    public void received(String topic, byte[] payload) {
      post(() -> listener.received(topic, payload));
    }
  }
}
