package io.culvert.mqtt;

import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Secrets;
import io.culvert.mqtt.Dialect.Message;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forwards to one platform. A batch becomes one message or several; it is confirmed when the
 * platform has acknowledged them all. Each message takes one place of the window; only the last
 * batch that finds one free may go beyond it.
 *
 * <p>Owns one thread, in which everything happens but encoding, which is the caller's of {@link
 * #send}, and what is asked of the buffer ({@link Questions}).
 */
final class MqttForwarder implements Forwarder, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(MqttForwarder.class);

  /** Changes of state are gathered so long: at a start hundreds of devices come up together. */
  private static final long GATHER_MILLIS = 100;

  private final Settings settings;
  private final Dialect dialect;
  private final ScheduledThreadPoolExecutor thread;
  private final Session session;
  private final Monitor.Watch watch;
  private final Questions questions;
  private final AtomicInteger used = new AtomicInteger();

  /** Keeps the messages of a batch together and batches in the order of the calls. */
  private final Object order = new Object();

  private volatile Runnable wake = () -> {};
  private boolean gathering;

  /**
   * @param buffer to be asked by the platform what became of readings; gives {@code null} while
   *     there is none
   */
  MqttForwarder(
      Settings settings,
      Dialect dialect,
      Commands commands,
      Monitor monitor,
      Secrets secrets,
      Supplier<Buffer> buffer,
      InstantSource clock,
      RandomGenerator random) {
    this.settings = settings;
    this.dialect = dialect;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, task -> new Thread(task, "culvert-mqtt-" + settings.id()));
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread.setRemoveOnCancelPolicy(true);
    Executor ours = this::offer;
    StateBoard states = new StateBoard(dialect, settings.gateway(), clock, ours);
    this.questions = new Questions(settings.id(), buffer);
    Downlink downlink =
        new Downlink(settings.id(), dialect, commands, questions::ask, ours, this::publishNow);
    this.session =
        new Session(
            settings,
            secrets,
            thread,
            clock,
            random,
            new Session.Listener() {
              @Override
              public void connected(Link link) {
                link.subscribe(dialect.requests());
                states.tellAll(link);
              }

              @Override
              public void received(String topic, byte[] payload) {
                downlink.received(topic, payload);
              }

              @Override
              public void changed() {
                wake.run();
              }
            });
    this.watch = monitor.watch(status -> offer(() -> noted(states, status)));
    session.start();
  }

  private void noted(StateBoard states, Monitor.DeviceStatus status) {
    states.note(status);
    if (!gathering && states.changed()) {
      gathering = true;
      thread.schedule(
          () -> {
            gathering = false;
            Link link = session.link();
            if (link != null) {
              states.tellChanges(link);
            }
          },
          GATHER_MILLIS,
          TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public boolean ready() {
    return session.link() != null;
  }

  @Override
  public int window() {
    return ready() ? Math.max(0, settings.window() - used.get()) : 0;
  }

  @Override
  public void onChange(Runnable wake) {
    this.wake =
        () -> {
          try {
            wake.run();
          } catch (RuntimeException e) {
            LOG.error("{}: waking the buffer failed", settings.id(), e);
          }
        };
  }

  @Override
  public CompletionStage<Receipt> send(Batch batch) {
    Link link = session.link();
    if (link == null || used.get() >= settings.window()) {
      return CompletableFuture.completedFuture(Receipt.retry());
    }
    Dialect.Encoded encoded;
    try {
      encoded = dialect.encode(batch);
    } catch (RuntimeException e) {
      // Sent again it would fail again and hold up all that follows.
      LOG.error("{}: {} readings can't be encoded", settings.id(), batch.entries().size(), e);
      return CompletableFuture.completedFuture(
          new Receipt(new Outcome.Refused("it can't be encoded: " + e.getMessage()), Map.of()));
    }
    int places = encoded.messages().size();
    used.addAndGet(places);
    List<CompletableFuture<Boolean>> acks = new ArrayList<>(places);
    synchronized (order) {
      for (Message message : encoded.messages()) {
        acks.add(link.publish(message));
      }
    }
    return CompletableFuture.allOf(acks.toArray(CompletableFuture[]::new))
        .thenApplyAsync(
            all -> {
              used.addAndGet(-places);
              wake.run();
              return receipt(encoded, acks);
            },
            this::runAnyway);
  }

  private static Receipt receipt(Dialect.Encoded encoded, List<CompletableFuture<Boolean>> acks) {
    Map<Integer, Outcome> exceptions = new HashMap<>();
    encoded.refused().forEach((i, reason) -> exceptions.put(i, new Outcome.Refused(reason)));
    for (int m = 0; m < acks.size(); m++) {
      if (!acks.get(m).join()) {
        encoded.messages().get(m).entries().forEach(i -> exceptions.put(i, new Outcome.Retry()));
      }
    }
    return new Receipt(new Outcome.Confirmed(), exceptions);
  }

  /** Counts both directions; see {@link Traffic}. */
  @Override
  public long sentBytes() {
    return session.bytes();
  }

  /** What isn't worth keeping for a later link. */
  private void publishNow(Message message) {
    Link link = session.link();
    if (link != null) {
      link.publish(message);
    }
  }

  /** Runs in our thread; after the end not at all. */
  private void offer(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("{}: has ended", settings.id());
    }
  }

  /** Runs in our thread; after the end in the caller's, so that no receipt is left open. */
  private void runAnyway(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      task.run();
    }
  }

  /** Says goodbye to the platform and ends every thread. Blocks up to five seconds. */
  @Override
  public void close() {
    watch.close();
    questions.close();
    session.stop();
    thread.shutdown();
    try {
      if (!thread.awaitTermination(1, TimeUnit.SECONDS)) {
        thread.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
