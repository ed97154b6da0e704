package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Sink;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.sdk.client.OpcUaSession;
import org.eclipse.milo.opcua.sdk.client.SessionActivityListener;
import org.eclipse.milo.opcua.sdk.client.UaSession;
import org.eclipse.milo.opcua.sdk.client.session.State;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.encoding.EncodingContext;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CallMethodResult;
import org.eclipse.milo.opcua.stack.core.types.structured.EndpointDescription;
import org.eclipse.milo.opcua.stack.core.types.structured.EventFilterResult;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoredItemModifyRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.MonitoringParameters;
import org.eclipse.milo.opcua.stack.core.types.structured.NotificationMessage;
import org.eclipse.milo.opcua.stack.core.types.structured.PublishRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.PublishResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.SubscriptionAcknowledgement;
import org.eclipse.milo.opcua.stack.core.types.structured.TransferResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session with a server, or with one of several that know the same, shared by devices.
 *
 * <p>Milo brings a lost channel and session back (OPC 10000-4, 6.7); subscriptions are kept here,
 * because Milo acknowledges messages before anybody has them and gives a subscription up in cases
 * in which it could go on: see docs/decisions/0028. While a subscription is worth keeping the
 * session lives on without devices, so that the server keeps what it has to tell.
 *
 * <p>What changes its state runs in one order, never blocking. The methods that others call are
 * safe in any thread.
 */
final class Session {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  /** How long the server keeps a subscription that nobody asks for, and what is kept here. */
  static final Duration LIFETIME = Duration.ofMinutes(10);

  /** How long a device that was closed though the link was there may be opened again. */
  private static final Duration LINGER = Duration.ofSeconds(4);

  /**
   * How long what came about after all is kept for those who had given it up: who opens a device
   * waits for a few seconds only, and tries again much later.
   */
  private static final Duration LATE = Duration.ofMinutes(1);

  /** Samples on their way to sinks before the server is held back. */
  private static final int MOST_ON_THE_WAY = 30_000;

  /** Publish requests that wait at the server, at most. */
  private static final int MOST_PUBLISHES = 20;

  /** Values in one message, so that memory is bounded. */
  static final int MOST_A_MESSAGE = 4_000;

  /** Until conditions are asked for again, if the server is still telling them. */
  private static final long REFRESH_MILLIS = 1_000;

  private static final long TICK_MILLIS = 500;

  /** How long a server that has nothing to tell is waited for, to know that it has nothing. */
  private static final long SETTLED_MILLIS = 1_500;

  private static final long RESTORE_MILLIS = 1_000;

  /** How long a reachable server may take until Milo has the session back. */
  private static final Duration RETURN = Duration.ofSeconds(20);

  private static final Duration RETRY = Duration.ofSeconds(5);

  /** How often, at most, a better server is looked for, or gone over to. */
  private static final Duration LOOK = Duration.ofMinutes(1);

  /** How often in a row the server in use says that it isn't well before that counts. */
  private static final int UNWELL = 2;

  /**
   * What devices must have in common to share a session.
   *
   * @param servers in the order of preference
   */
  record Key(List<Endpoint> servers, Settings settings) {
    static Key of(Endpoint endpoint, Settings settings) {
      List<Endpoint> servers = new ArrayList<>();
      servers.add(endpoint);
      servers.addAll(settings.servers());
      return new Key(servers.stream().distinct().toList(), settings.ofSession());
    }
  }

  private final Key key;
  private final Settings settings;
  private final Threads threads;
  private final Connector connector;
  private final InstantSource clock;
  private final LongSupplier nanos;
  private final Predicate<Session> retired;
  private final AtomicInteger users = new AtomicInteger();
  private final Serial order;

  private final Map<String, Feed> feeds = new LinkedHashMap<>();
  private final List<Subscription> subscriptions = new ArrayList<>();

  /** The creation of items that is under way, or was last: one after the other, none twice. */
  private CompletableFuture<Void> creating = CompletableFuture.completedFuture(null);

  private final List<CompletableFuture<Void>> waiters = new ArrayList<>();
  private final ScheduledFuture<?> ticks;

  /** The present one; {@code null} while there was none yet. */
  private volatile Connector.Connected connected;

  private volatile boolean active;
  private volatile Limits limits = Limits.untold();
  private volatile Nodes nodes;
  private final Conditions conditions = new Conditions();
  private final Browser browser;
  private volatile boolean closed;
  private volatile boolean held;

  /** Whether a session is there and its subscriptions are being taken over. */
  private boolean restoring;

  /** Subscriptions that nobody wants any more, which the server couldn't be told. */
  private final List<UInteger> orphans = new ArrayList<>();

  /** The one that was there last; Milo has one object for it until it has to create another. */
  private UaSession lastSession;

  private Connector.Attempt attempt;

  /** Grows whenever what was asked before may be without an answer. */
  private volatile long era;

  private int published;

  /**
   * Publish requests without an answer since the link was there: the server may still answer them
   * into the void. Milo may fail them before it tells that the link is lost.
   */
  private int unanswered;

  private int mostPublishes = MOST_PUBLISHES;
  private boolean pumpLater;
  private long idleSince;
  private long lostSince;
  private long triedAt;

  /** Whether an attempt at the lost link is under way that a waiter had made. */
  private boolean tried;

  /** When the present server, lost, was found to answer again; 0 if it wasn't. */
  private long answeredAt;

  /** The service level that the present server told last, and how often it wasn't well in a row. */
  private int level;

  private int unwell;
  private long levelAt;
  private CompletableFuture<?> levelAsked = CompletableFuture.completedFuture(null);

  /** When a better server was last looked for, or another taken. */
  private long lookedAt;

  /** What kept the last attempt from success; {@code null} if nothing. */
  private String failure;

  /**
   * @param nanos a clock as {@link System#nanoTime}
   * @param retired asked whether it may end, since nobody uses it
   */
  Session(
      Key key,
      Threads threads,
      Security security,
      InstantSource clock,
      LongSupplier nanos,
      Predicate<Session> retired) {
    this.key = key;
    this.settings = key.settings();
    this.threads = threads;
    this.connector = new Connector(threads, security, settings);
    this.clock = clock;
    this.nanos = nanos;
    this.retired = retired;
    this.order = new Serial(threads.answers());
    this.browser = new Browser(toString(), looked(), threads.looking(), nanos, Walk.MOST);
    this.idleSince = nanos.getAsLong();
    this.levelAt = idleSince;
    this.lookedAt = idleSince - LOOK.toNanos();
    this.ticks =
        threads
            .scheduler()
            .scheduleWithFixedDelay(
                () -> run(this::tick), TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  // For whoever talks to the server.

  /** The endpoint that people wrote, for messages. */
  @Override
  public String toString() {
    return key.servers().get(0).toString();
  }

  /** The client, if the link is there; fails at once otherwise. */
  CompletableFuture<OpcUaClient> client() {
    Connector.Connected present = connected;
    return active && present != null
        ? CompletableFuture.completedFuture(present.client())
        : CompletableFuture.failedFuture(lostException());
  }

  /**
   * Asks the server something, and counts it.
   *
   * @param request makes it; called at once
   * @return fails with what the core may see, if the link is lost or the server refuses all of it
   */
  <T> CompletableFuture<T> ask(
      Figures figures, Function<OpcUaClient, ? extends CompletionStage<T>> request) {
    return request(figures, request)
        .exceptionallyCompose(
            failure -> CompletableFuture.failedFuture(Failures.outward(toString(), failure)));
  }

  /** As {@link #ask}, but fails as Milo does. */
  <T> CompletableFuture<T> request(
      Figures figures, Function<OpcUaClient, ? extends CompletionStage<T>> request) {
    return client()
        .thenCompose(
            present -> {
              figures.request();
              long begun = nanos();
              return request
                  .apply(present)
                  .whenComplete(
                      (answer, failure) -> {
                        if (failure == null || Failures.refused(failure)) {
                          figures.answer(nanos() - begun);
                        }
                        if (failure != null) {
                          long status = Failures.status(failure);
                          if (status == StatusCodes.Bad_Timeout) {
                            figures.timeout();
                          } else if (Failures.refused(failure)) {
                            figures.refusal(status);
                          }
                        }
                      });
            });
  }

  /** Grows whenever the server may have become another: what was found on it may hold no more. */
  long era() {
    return era;
  }

  /** What the server takes at once. */
  Limits limits() {
    return limits;
  }

  /** The server's nodes as they are in the present session; fails at once if the link is lost. */
  CompletableFuture<Nodes> nodes() {
    return client().thenApply(present -> nodes);
  }

  /** What its events told of conditions. */
  Conditions conditions() {
    return conditions;
  }

  /** Looks around; asking for endpoints needs no session, so none is opened for that. */
  Browser browser() {
    return browser;
  }

  private Browser.Server looked() {
    return new Browser.Server() {
      @Override
      public CompletionStage<Nodes> nodes() {
        return open().thenCompose(up -> Session.this.nodes());
      }

      @Override
      public CompletionStage<List<EndpointDescription>> endpoints() {
        return connector.discover(key.servers().get(0));
      }
    };
  }

  private Link link(OpcUaClient by, NamespaceTable namespaces) {
    return new Link() {
      @Override
      public <T> CompletableFuture<T> ask(
          Function<OpcUaClient, ? extends CompletionStage<T>> request) {
        return client().thenCompose(present -> request.apply(by));
      }

      @Override
      public Limits limits() {
        return limits;
      }

      @Override
      public NamespaceTable namespaces() {
        return namespaces;
      }

      @Override
      public EncodingContext encoding() {
        return by.getStaticEncodingContext();
      }
    };
  }

  /** For calls that block. */
  Executor blocking() {
    return threads.blocking();
  }

  Instant now() {
    return clock.instant();
  }

  long nanos() {
    return nanos.getAsLong();
  }

  /** Does something in the session's order. */
  void run(Runnable task) {
    order.execute(task);
  }

  // Devices that come and go.

  /** One more connection uses it; ended by {@link #release}. */
  void use() {
    users.incrementAndGet();
  }

  void release() {
    users.decrementAndGet();
    run(() -> idleSince = nanos());
  }

  boolean used() {
    return users.get() > 0;
  }

  /**
   * Completes when there is a session with the server; fails if none comes about in the time that a
   * request may take.
   */
  CompletableFuture<Void> open() {
    CompletableFuture<Void> opened = new CompletableFuture<>();
    if (closed) {
      opened.completeExceptionally(closedException());
      return opened;
    }
    run(
        () -> {
          if (closed) {
            opened.completeExceptionally(closedException());
          } else if (active) {
            opened.complete(null);
          } else {
            waiters.add(opened);
            if (connected == null) {
              begin(key.servers(), Connector.UNTOLD);
            } else {
              schedule(settings.timeout().toMillis(), () -> refuse(opened, lostException()));
              tried = connected.wire().pauses.end();
            }
          }
        });
    return opened;
  }

  /** Milo's attempt at the lost link has failed; who opens a device now has one made, and waits. */
  private void paused(Connector.Connected by) {
    if (by != connected || active || waiters.isEmpty()) {
      return;
    }
    if (tried) {
      tried = false;
      List.copyOf(waiters).forEach(waiter -> refuse(waiter, lostException()));
    } else {
      tried = by.wire().pauses.end();
    }
  }

  private void refuse(CompletableFuture<Void> waiter, Exception why) {
    if (waiters.remove(waiter)) {
      waiter.completeExceptionally(why);
    }
  }

  private IOException lostException() {
    return new IOException(
        "The link to " + this + " is lost" + (failure == null ? "" : "; " + failure));
  }

  private IOException closedException() {
    return new IOException("The connection to " + this + " was closed");
  }

  /**
   * Tries servers, unless that is under way.
   *
   * @param above the service level of the present one, if a better one is looked for; else {@link
   *     Connector#UNTOLD}
   */
  private void begin(List<Endpoint> servers, int above) {
    if (attempt != null || closed) {
      return;
    }
    triedAt = nanos();
    Connector.Attempt now = connector.attempt(servers, above);
    attempt = now;
    now.outcome()
        .whenComplete(
            (made, failed) ->
                run(
                    () -> {
                      if (attempt != now || closed) {
                        if (made != null) {
                          connector.end(made);
                        }
                        return;
                      }
                      attempt = null;
                      if (failed == null) {
                        if (above != Connector.UNTOLD && active) {
                          leaveFor(now.level());
                        }
                        adopt(made);
                      } else if (above == Connector.UNTOLD) {
                        refuse(failed);
                      }
                    }));
  }

  private void refuse(Throwable cause) {
    Exception outward = Failures.outward(toString(), cause);
    failure = outward.getMessage();
    if (connected == null) {
      List.copyOf(waiters).forEach(waiter -> refuse(waiter, outward));
    }
  }

  /** Gives up the server in use for a better one, as if it were lost, if it still isn't well. */
  private void leaveFor(int better) {
    if (unwell >= UNWELL && better > level) {
      failure = server() + " isn't well: it gives its ServiceLevel as " + level;
      lost(connected);
    }
  }

  private void adopt(Connector.Connected made) {
    Connector.Connected before = connected;
    if (before != null && active) {
      connector.end(made);
      return;
    }
    if (before != null) {
      LOG.info("{}: goes on with {}", this, made.endpoint());
      lookedAt = nanos();
    }
    OpcUaClient adopted = made.client();
    connected = made;
    if (waiters.isEmpty()) {
      idleSince = nanos() + LATE.minus(LINGER).toNanos();
    }
    made.wire().pauses.listen(() -> run(() -> paused(made)));
    adopted.addSessionActivityListener(
        new SessionActivityListener() {
          @Override
          public void onSessionActive(UaSession session) {
            run(() -> activated(made, session));
          }

          @Override
          public void onSessionInactive(UaSession session) {
            run(() -> lost(made));
          }
        });
    adopted
        .getSessionAsync()
        .whenComplete(
            (session, failure) ->
                run(
                    () -> {
                      if (failure == null) {
                        activated(made, session);
                      }
                    }));
    if (before != null) {
      // Its session may still own what is about to be transferred, so it ends later.
      threads.scheduler().schedule(() -> connector.end(before), 5, TimeUnit.SECONDS);
    }
  }

  private void activated(Connector.Connected by, UaSession present) {
    if (by != connected || active || restoring || closed) {
      return;
    }
    restoring = true;
    // Not by its id: there are servers that begin with the same one whenever they start.
    boolean same = present == lastSession;
    lastSession = present;
    era++;
    published = 0;
    mostPublishes = MOST_PUBLISHES;
    long now = era;
    LOG.debug("{}: session {}", this, same ? "reactivated" : "created");
    CompletableFuture<?> ready =
        same
            ? CompletableFuture.completedFuture(null)
            : Limits.of(by.client())
                .exceptionally(
                    failure -> {
                      LOG.info(
                          "{} doesn't say what it takes at once: {}",
                          this,
                          Failures.outward(toString(), failure).getMessage());
                      return Limits.untold();
                    })
                .thenAccept(told -> limits = told)
                .thenCompose(told -> Nodes.namespaces(by.client()))
                .exceptionally(
                    failure -> {
                      LOG.info(
                          "{} doesn't say which namespaces it has: {}",
                          this,
                          Failures.outward(toString(), failure).getMessage());
                      return by.client().getNamespaceTable();
                    })
                .thenAccept(namespaces -> nodes = new Nodes(link(by.client(), namespaces)));
    ready.whenComplete(
        (told, failure) ->
            run(
                () -> {
                  if (era == now) {
                    restore(by.client(), same, now);
                  }
                }));
  }

  private void restore(OpcUaClient by, boolean same, long now) {
    if (!same) {
      orphans.clear();
    }
    List<Subscription> kept =
        subscriptions.stream().filter(s -> s.id != null && s.server.equals(server())).toList();
    for (Subscription subscription : subscriptions) {
      if (subscription.id != null && !subscription.server.equals(server())) {
        forget(subscription, "another server took over");
      }
    }
    if (same || kept.isEmpty()) {
      restored(now, kept);
      return;
    }
    by.transferSubscriptionsAsync(kept.stream().map(s -> s.id).toList(), false)
        .whenComplete(
            (answer, failure) ->
                run(
                    () -> {
                      if (era != now) {
                        return;
                      }
                      if (failure != null && !Failures.refused(failure)) {
                        // Not known whether they were; in a session of its own that does no harm.
                        schedule(
                            RESTORE_MILLIS,
                            () -> {
                              if (era == now) {
                                restore(by, false, now);
                              }
                            });
                        return;
                      }
                      TransferResult[] results =
                          failure == null ? answer.getResults() : new TransferResult[0];
                      List<Subscription> transferred = new ArrayList<>();
                      for (int i = 0; i < kept.size(); i++) {
                        Subscription subscription = kept.get(i);
                        TransferResult result =
                            results != null && i < results.length ? results[i] : null;
                        if (result != null && result.getStatusCode().isGood()) {
                          subscription.transferred(result.getAvailableSequenceNumbers());
                          transferred.add(subscription);
                        } else {
                          LOG.debug(
                              "{}: a subscription isn't transferred: {}",
                              this,
                              result == null ? failure : result.getStatusCode());
                          forget(subscription, "the server has forgotten the subscription");
                        }
                      }
                      restored(now, transferred);
                    }));
  }

  private void restored(long now, List<Subscription> kept) {
    active = true;
    tried = false;
    restoring = false;
    failure = null;
    answeredAt = 0;
    int most = unanswered;
    unanswered = 0;
    kept.forEach(subscription -> subscription.resume(most));
    if (!orphans.isEmpty()) {
      connected.client().deleteSubscriptionsAsync(List.copyOf(orphans));
      orphans.clear();
    }
    List<CompletableFuture<Void>> waiting = List.copyOf(waiters);
    waiters.clear();
    waiting.forEach(waiter -> waiter.complete(null));
    for (Subscription subscription : List.copyOf(subscriptions)) {
      if (subscription.id == null) {
        recreate(subscription);
      }
    }
    pump();
  }

  private void lost(Connector.Connected by) {
    if (by != connected || !active && !restoring) {
      return;
    }
    active = false;
    restoring = false;
    unwell = 0;
    era++;
    unanswered = Math.min(MOST_PUBLISHES, unanswered + published);
    published = 0;
    lostSince = nanos();
    triedAt = nanos();
    IOException why = lostException();
    LOG.debug("{}: link lost", this);
    subscriptions.forEach(Subscription::broken);
    feeds.values().forEach(feed -> lost(feed, why));
  }

  private void lost(Feed feed, IOException why) {
    Instant heard =
        feed.items.values().stream()
            .filter(item -> item.subscription != null && item.subscription.id != null)
            .map(item -> item.subscription)
            .distinct()
            .map(Subscription::heard)
            .min(Instant::compareTo)
            .orElse(now());
    feed.lost(why, heard, nanos() + LIFETIME.toNanos());
  }

  // Watching points.

  /**
   * Has points watched for a device.
   *
   * @param problems samples of points that can't be watched go to the sink
   * @return since when nothing is missing; {@code null} within if that is from now on only
   */
  CompletableFuture<Instant> watch(
      String device, Settings of, Figures figures, List<Point> points, Sink sink) {
    CompletableFuture<Instant> watched = new CompletableFuture<>();
    run(
        () -> {
          if (!active) {
            watched.completeExceptionally(lostException());
            return;
          }
          Feed feed = feeds.get(device);
          if (feed == null || !feed.settings.equals(of)) {
            if (feed != null) {
              drop(feed);
            }
            feed = new Feed(order, clock, device, of);
            feeds.put(device, feed);
          }
          watch(feed, figures, points, sink, watched);
        });
    return watched;
  }

  private void watch(
      Feed feed,
      Figures figures,
      List<Point> points,
      Sink sink,
      CompletableFuture<Instant> watched) {
    Map<String, Point> wanted = new LinkedHashMap<>();
    points.forEach(point -> wanted.put(point.id(), point));
    List<Item> gone =
        feed.items.values().stream()
            .filter(item -> !item.point.equals(wanted.get(item.point.id())))
            .toList();
    gone.forEach(item -> feed.items.remove(item.point.id()));
    remove(gone);
    boolean more = false;
    for (Point point : wanted.values()) {
      if (!feed.items.containsKey(point.id())) {
        feed.items.put(point.id(), new Item(feed, point, Address.parse(point, p -> {})));
        more = true;
      }
    }
    boolean whole = !more;
    feed.attach(sink);
    create(feed, figures, false)
        .thenCompose(created -> settled(feed))
        .whenComplete(
            (known, failure) ->
                run(
                    () -> {
                      Instant since = feed.opened();
                      if (failure != null) {
                        watched.completeExceptionally(Failures.outward(toString(), failure));
                        return;
                      }
                      feed.watched(now());
                      watched.complete(whole && known ? since : null);
                      pump();
                    }));
    pump();
  }

  /**
   * Completes when it is known what the server can give again of a device's points, or soon.
   *
   * @return whether it is known
   */
  private CompletableFuture<Boolean> settled(Feed feed) {
    return CompletableFuture.allOf(
            feed.items.values().stream()
                .map(item -> item.subscription)
                .filter(Objects::nonNull)
                .distinct()
                .map(Subscription::settled)
                .toArray(CompletableFuture<?>[]::new))
        .thenApply(all -> true)
        .completeOnTimeout(false, SETTLED_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * Creates what the server doesn't watch yet; completes in the session's order.
   *
   * @param again whether the device was told what the server refused
   */
  private CompletableFuture<Void> create(Feed feed, Figures figures, boolean again) {
    CompletableFuture<Void> created = new CompletableFuture<>();
    feed.creating(true, 0);
    created.whenComplete(
        (done, failure) ->
            feed.creating(false, failure == null ? nanos() + LATE.toNanos() : nanos()));
    CompletableFuture<Void> before = creating;
    creating = created;
    before.whenComplete(
        (done, failed) ->
            run(
                () ->
                    new Watching(this, feed, figures, again)
                        .run()
                        .whenComplete(
                            (watching, failure) ->
                                run(
                                    () -> {
                                      if (failure == null) {
                                        created.complete(null);
                                      } else {
                                        created.completeExceptionally(failure);
                                      }
                                    }))));
    return created;
  }

  /** Hands samples to a device that come of something else than a subscription. */
  void tell(String device, List<Sample> samples) {
    run(
        () -> {
          Feed feed = feeds.get(device);
          if (feed != null) {
            feed.take(samples, () -> {});
          }
        });
  }

  /** Asks for fewer fields of events if the server doesn't know all of them. */
  void narrow(Subscription subscription, Item item, ExtensionObject filterResult) {
    if (filterResult == null
        || filterResult.isNull()
        || !(filterResult.decode(encoding()) instanceof EventFilterResult result)
        || !item.events.narrow(result)) {
      return;
    }
    MonitoredItemModifyRequest request =
        new MonitoredItemModifyRequest(
            item.id,
            new MonitoringParameters(
                item.handle,
                0.0,
                ExtensionObject.encode(encoding(), item.events.filter()),
                Unsigned.uint(item.queue()),
                true));
    connected
        .client()
        .modifyMonitoredItemsAsync(subscription.id, TimestampsToReturn.Both, List.of(request))
        .whenComplete(
            // What it told until now, nobody has heard.
            (answer, failure) -> run(() -> refresh(subscription)));
  }

  /**
   * Has the server tell the states of conditions again, as events of a subscription (Part 9,
   * 5.5.7). A server without conditions has none to tell.
   */
  void refresh(Subscription subscription) {
    UInteger id = subscription.id;
    if (!active || id == null) {
      return;
    }
    CallMethodRequest request =
        new CallMethodRequest(
            NodeIds.ConditionType,
            NodeIds.ConditionType_ConditionRefresh,
            new Variant[] {new Variant(id)});
    connected
        .client()
        .callAsync(List.of(request))
        .whenComplete(
            (answer, failure) -> {
              CallMethodResult[] results = failure == null ? answer.getResults() : null;
              long status =
                  results == null || results.length == 0 ? 0 : results[0].getStatusCode().value();
              if (status == StatusCodes.Bad_RefreshInProgress) {
                schedule(
                    REFRESH_MILLIS,
                    () -> {
                      if (id.equals(subscription.id)) {
                        refresh(subscription);
                      }
                    });
              } else {
                LOG.debug("{}: conditions told again: {}", this, Failures.name(status));
              }
            });
  }

  /** A connection ends. */
  void leave(String device, Sink sink) {
    run(
        () -> {
          Feed feed = feeds.get(device);
          if (feed != null) {
            Duration kept = active ? LINGER : LIFETIME;
            feed.detach(sink, nanos() + kept.toNanos());
          }
        });
  }

  /** An item that nobody wants any more was created meanwhile. */
  void giveUp(Subscription subscription, Item item) {
    connected.client().deleteMonitoredItemsAsync(subscription.id, List.of(item.id));
    item.id = null;
  }

  private void drop(Feed feed) {
    feeds.remove(feed.device);
    List<Item> all = List.copyOf(feed.items.values());
    feed.items.clear();
    remove(all);
  }

  private void remove(Collection<Item> items) {
    Map<Subscription, List<UInteger>> known = new HashMap<>();
    for (Item item : items) {
      Subscription subscription = item.subscription;
      if (subscription == null) {
        continue;
      }
      if (subscription.id != null && item.id != null) {
        known.computeIfAbsent(subscription, s -> new ArrayList<>()).add(item.id);
      }
      subscription.remove(item);
    }
    OpcUaClient present = connected.client();
    known.forEach(
        (subscription, ids) -> {
          if (subscription.items().isEmpty()) {
            return;
          }
          int most = limits.create().most();
          for (int i = 0; active && i < ids.size(); i += most) {
            present.deleteMonitoredItemsAsync(
                subscription.id, ids.subList(i, Math.min(ids.size(), i + most)));
          }
        });
    for (Subscription subscription : List.copyOf(subscriptions)) {
      if (subscription.items().isEmpty()) {
        subscriptions.remove(subscription);
        if (subscription.id != null && active) {
          present.deleteSubscriptionsAsync(List.of(subscription.id));
        } else if (subscription.id != null) {
          orphans.add(subscription.id);
        }
        subscription.forgotten();
      }
    }
  }

  /** A subscription that has room for one more item; a new one if need be. */
  Subscription room(Duration publishing) {
    Subscription full = null;
    int here = 0;
    for (Subscription subscription : subscriptions) {
      boolean takes = !subscription.full && subscription.items().size() < limits.items();
      if (takes && subscription.publishing.equals(publishing)) {
        return subscription;
      }
      full = takes ? subscription : full;
      here++;
    }
    if (here >= limits.subscriptions() && full != null) {
      return full;
    }
    Subscription more = new Subscription(this, publishing);
    subscriptions.add(more);
    return more;
  }

  /**
   * The server takes no more subscriptions.
   *
   * @return whether there are others
   */
  boolean without(Subscription refused) {
    subscriptions.remove(refused);
    boolean others = subscriptions.stream().anyMatch(s -> s.id != null && !s.full);
    if (others) {
      limits = limits.withSubscriptions(subscriptions.size());
    }
    return others;
  }

  Settings settings() {
    return settings;
  }

  /** Which of the servers it is with. */
  Endpoint server() {
    return connected.endpoint();
  }

  // Subscriptions that break.

  private void forget(Subscription subscription, String why) {
    LOG.debug("{}: subscription {} is made again: {}", this, subscription.id, why);
    subscription.forgotten();
    broken(subscription, why);
  }

  /** Messages are lost for good. */
  void broken(Subscription subscription, String why) {
    IOException cause = new IOException(this + ": " + why);
    subscription.broken();
    for (Feed feed : feeds(subscription)) {
      feed.broken();
      if (subscription.id != null) {
        feed.watched(now());
      }
      // Else the connection is told so when it is open.
      if (!feed.opening()) {
        lost(feed, cause);
      }
    }
  }

  private static Set<Feed> feeds(Subscription subscription) {
    return subscription.items().stream().map(item -> item.feed).collect(Collectors.toSet());
  }

  void statusChanged(Subscription subscription, StatusCode status) {
    if (status.isBad() || status.value() == StatusCodes.Good_SubscriptionTransferred) {
      forget(subscription, "the server ended the subscription: " + Failures.name(status.value()));
      recreate(subscription);
    }
  }

  private void recreate(Subscription subscription) {
    for (Feed feed : feeds(subscription)) {
      create(feed, new Figures(), false)
          .whenComplete(
              (done, failure) -> {
                if (failure == null) {
                  feed.watched(now());
                  pump();
                } else {
                  LOG.debug("{}: a subscription isn't made again", this, failure);
                }
              });
    }
  }

  /**
   * Asks for a message again (5.14.6).
   *
   * @param given told it
   * @param gone told that the server doesn't have it
   * @param failed told, a while later, that there was no answer, though the link isn't lost
   */
  void republish(
      Subscription subscription,
      UInteger number,
      Consumer<NotificationMessage> given,
      Runnable gone,
      Runnable failed) {
    OpcUaClient present = connected.client();
    UInteger id = subscription.id;
    long now = era;
    present
        .republishAsync(id, number)
        .whenComplete(
            (answer, failure) ->
                run(
                    () -> {
                      if (era != now || !id.equals(subscription.id)) {
                        return;
                      }
                      long status = failure == null ? 0 : Failures.status(failure);
                      if (failure == null) {
                        given.accept(answer.getNotificationMessage());
                      } else if (status == StatusCodes.Bad_SubscriptionIdInvalid) {
                        forget(subscription, "the server has forgotten the subscription");
                        recreate(subscription);
                      } else if (Failures.refused(failure)
                          && status != StatusCodes.Bad_SessionIdInvalid
                          && status != StatusCodes.Bad_SessionClosed) {
                        gone.run();
                      } else {
                        schedule(
                            RESTORE_MILLIS,
                            () -> {
                              if (era == now && id.equals(subscription.id)) {
                                failed.run();
                              }
                            });
                      }
                    }));
  }

  EncodingContext encoding() {
    return connected.client().getStaticEncodingContext();
  }

  // Publishing.

  /** Whether the server isn't asked for more, because too much waits here. */
  boolean isHeldBack() {
    return held;
  }

  private boolean heldBack() {
    int attached = 0;
    int waiting = 0;
    boolean any = false;
    for (Feed feed : feeds.values()) {
      any |= feed.attached();
      attached += feed.attached() ? feed.waiting() : 0;
      waiting += feed.waiting();
    }
    held =
        attached > MOST_ON_THE_WAY
            || !any && waiting > Feed.MOST_WAITING / 2
            || subscriptions.stream().anyMatch(Subscription::waits);
    return held;
  }

  /** Sends as many Publish requests as the server should have. */
  void pump() {
    if (!active || closed || pumpLater) {
      return;
    }
    List<Subscription> known = subscriptions.stream().filter(s -> s.id != null).toList();
    if (known.isEmpty() || heldBack()) {
      return;
    }
    int most = Math.min(mostPublishes, known.size() + 2);
    while (published < most) {
      publish(known);
    }
  }

  private void publish(List<Subscription> known) {
    published++;
    long now = era;
    OpcUaClient present = connected.client();
    List<Runnable> again = new ArrayList<>();
    List<SubscriptionAcknowledgement> acknowledgements = new ArrayList<>();
    Duration silence = settings.timeout();
    for (Subscription subscription : known) {
      acknowledgements.addAll(subscription.acknowledgements(again));
      silence = silence.compareTo(subscription.silence()) < 0 ? subscription.silence() : silence;
    }
    Set<UInteger> ids = known.stream().map(s -> s.id).collect(Collectors.toSet());
    UInteger patience =
        Unsigned.uint(
            Math.min(
                UInteger.MAX_VALUE,
                silence.multipliedBy(known.size() + 3L).plus(settings.timeout()).toMillis()));
    present
        .getSessionAsync()
        .thenCompose(
            (OpcUaSession session) ->
                present.sendRequestAsync(
                    new PublishRequest(
                        present.newRequestHeader(session.getAuthenticationToken(), patience),
                        acknowledgements.toArray(new SubscriptionAcknowledgement[0]))))
        .whenComplete(
            (answer, failure) ->
                run(
                    () -> {
                      // Another server may give its subscriptions the same ids.
                      if (present == connected.client()) {
                        published(now, ids, again, (PublishResponse) answer, failure);
                      }
                    }));
  }

  private void published(
      long then,
      Set<UInteger> ids,
      List<Runnable> again,
      PublishResponse answer,
      Throwable failure) {
    boolean present = then == era;
    if (present) {
      published--;
    }
    if (failure == null && answer.getNotificationMessage() != null) {
      subscriptions.stream()
          .filter(s -> answer.getSubscriptionId().equals(s.id))
          .findFirst()
          .ifPresent(
              s ->
                  s.published(
                      answer.getNotificationMessage(), answer.getAvailableSequenceNumbers()));
      pump();
      return;
    }
    again.forEach(Runnable::run);
    if (!present) {
      return;
    }
    if (failure != null && !Failures.refused(failure)) {
      unanswered++;
    }
    long status = Failures.status(failure);
    if (status == StatusCodes.Bad_TooManyPublishRequests) {
      mostPublishes = Math.max(1, published);
    } else if (status == StatusCodes.Bad_NoSubscription) {
      for (Subscription subscription : List.copyOf(subscriptions)) {
        if (subscription.id != null && ids.contains(subscription.id)) {
          forget(subscription, "the server has forgotten the subscription");
          recreate(subscription);
        }
      }
    }
    later();
  }

  /** Not at once: what has just failed would fail again. */
  private void later() {
    if (!pumpLater) {
      pumpLater = true;
      schedule(
          200,
          () -> {
            pumpLater = false;
            pump();
          });
    }
  }

  private void schedule(long millis, Runnable task) {
    try {
      threads.scheduler().schedule(() -> run(task), millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException ended) {
      // The driver ends.
    }
  }

  // The passage of time.

  private void tick() {
    if (closed) {
      return;
    }
    long now = nanos();
    for (Feed feed : List.copyOf(feeds.values())) {
      if (feed.expired(now)) {
        drop(feed);
      }
    }
    if (!used() && feeds.isEmpty() && now - idleSince > LINGER.toNanos() && retired.test(this)) {
      close();
      return;
    }
    if (active) {
      for (Subscription subscription : List.copyOf(subscriptions)) {
        if (heldBack()) {
          subscription.alive();
        } else if (subscription.silent(now, settings.keepAlive().multipliedBy(2))) {
          UInteger silent = subscription.id;
          forget(subscription, "the server sends nothing for the subscription");
          connected.client().deleteSubscriptionsAsync(List.of(silent));
          recreate(subscription);
        } else {
          subscription.follow();
        }
      }
      for (Feed feed : feeds.values()) {
        if (feed.attached() && feed.againAt != null && now - feed.againAt >= 0) {
          feed.againAt = now + Watching.AGAIN.toNanos();
          create(feed, new Figures(), true).thenRun(this::pump);
        }
      }
      pump();
      if (key.servers().size() > 1) {
        askLevel(now);
      }
    } else if (connected != null && attempt == null) {
      seek(now);
    }
  }

  /** The server in use may say that it isn't well, though it keeps the link (6.6.2.4.2). */
  private void askLevel(long now) {
    if (!levelAsked.isDone() || now - levelAt < settings.keepAlive().toNanos()) {
      return;
    }
    Connector.Connected present = connected;
    levelAt = now;
    levelAsked =
        Connector.level(present)
            .whenComplete(
                (told, failed) ->
                    run(
                        () -> {
                          if (failed == null && present == connected && active) {
                            told(told);
                          }
                        }));
  }

  private void told(int now) {
    level = now;
    unwell = now == Connector.UNTOLD || now >= Connector.HEALTHY ? 0 : unwell + 1;
    if (unwell >= UNWELL && attempt == null && nanos() - lookedAt > LOOK.toNanos()) {
      lookedAt = nanos();
      begin(others(), now);
    }
  }

  private List<Endpoint> others() {
    return key.servers().stream().filter(endpoint -> !endpoint.equals(server())).toList();
  }

  /**
   * The link is lost, and Milo tries to bring it back. If there are other servers, they are tried
   * too; and if the present one answers, but not with the session, it may have changed its keys, so
   * it is asked anew.
   */
  private void seek(long now) {
    Connector.Connected present = connected;
    if (!restoring && present.client().getSessionFsm().getState() == State.Active) {
      // It is back, and that went unheard.
      present
          .client()
          .getSessionAsync()
          .thenAccept(session -> run(() -> activated(present, session)));
    }
    if (now - triedAt < RETRY.toNanos()) {
      return;
    }
    List<Endpoint> others = others();
    if (!others.isEmpty() && now - lostSince > settings.keepAlive().multipliedBy(2).toNanos()) {
      begin(others, Connector.UNTOLD);
    } else if (answeredAt != 0 && now - answeredAt > RETURN.toNanos()) {
      begin(List.of(server()), Connector.UNTOLD);
    } else {
      triedAt = now;
      connector
          .discover(server())
          .whenComplete(
              (answer, failed) ->
                  run(
                      () -> {
                        if (failed != null) {
                          answeredAt = 0;
                          failure = Failures.outward(server().toString(), failed).getMessage();
                        } else if (answeredAt == 0) {
                          answeredAt = nanos();
                          failure = null;
                        }
                      }));
    }
  }

  /**
   * Ends the session and all that hangs on it.
   *
   * @return completes when the server was told, or can't be
   */
  CompletableFuture<Void> close() {
    if (closed) {
      return CompletableFuture.completedFuture(null);
    }
    closed = true;
    ticks.cancel(false);
    CompletableFuture<Void> gone = new CompletableFuture<>();
    run(
        () -> {
          active = false;
          era++;
          List.copyOf(waiters).forEach(waiter -> refuse(waiter, closedException()));
          if (attempt != null) {
            attempt.cancel();
            attempt = null;
          }
          if (connected == null) {
            gone.complete(null);
          } else {
            connector.end(connected).whenComplete((done, failed) -> gone.complete(null));
          }
        });
    return gone;
  }
}
