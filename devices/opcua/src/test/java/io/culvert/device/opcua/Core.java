package io.culvert.device.opcua;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Sink;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Does with one device what the core does: opens, subscribes, and begins anew when the driver says
 * that the link is lost, until it succeeds.
 */
final class Core implements AutoCloseable {
  private final OpcUaDriver driver;
  private final Device device;
  private final List<Point> points;
  private final ExecutorService loop = Executors.newSingleThreadExecutor();

  /** All that was handed over, whatever connection it came by, in order. */
  final List<Sample> samples = new CopyOnWriteArrayList<>();

  final List<Missing> missing = new CopyOnWriteArrayList<>();

  /** What each connection said, in order; {@link Instant#MAX} for {@code null}. */
  final List<Instant> completeSince = new CopyOnWriteArrayList<>();

  final List<Throwable> losses = new CopyOnWriteArrayList<>();

  /** How a hand-over is answered. */
  volatile Supplier<CompletionStage<Void>> answer = () -> CompletableFuture.completedFuture(null);

  /** Whether a lost connection is opened again. */
  volatile boolean reopens = true;

  private volatile SubscribedConnection connection;
  private volatile boolean closed;

  record Missing(String point, Instant from, Instant to, long readings) {}

  Core(OpcUaDriver driver, Device device, List<Point> points) throws Exception {
    this.driver = driver;
    this.device = device;
    this.points = points;
    loop.submit(this::open).get(120, TimeUnit.SECONDS);
  }

  private final class Gate implements Sink {
    private boolean shut;

    @Override
    public CompletionStage<Void> accept(List<Sample> taken) {
      synchronized (this) {
        if (shut) {
          return CompletableFuture.failedFuture(new IllegalStateException("shut"));
        }
      }
      samples.addAll(taken);
      return answer.get();
    }

    @Override
    public void missing(String point, Instant from, Instant to, long readings, String why) {
      missing.add(new Missing(point, from, to, readings));
    }

    @Override
    public void lost(Throwable cause) {
      synchronized (this) {
        if (shut) {
          return;
        }
        shut = true;
      }
      losses.add(cause);
      loop.execute(
          () -> {
            connection.close();
            if (reopens) {
              open();
            }
          });
    }
  }

  /** Opens again what {@link #reopens} kept closed. */
  void reopen() {
    loop.execute(this::open);
  }

  private void open() {
    while (!closed) {
      Gate gate = new Gate();
      SubscribedConnection opened = null;
      try {
        opened =
            (SubscribedConnection)
                driver.open(device, gate).toCompletableFuture().get(60, TimeUnit.SECONDS);
        connection = opened;
        opened.subscribe(points).toCompletableFuture().get(60, TimeUnit.SECONDS);
        Instant since = opened.completeSince();
        completeSince.add(since == null ? Instant.MAX : since);
        return;
      } catch (ExecutionException refused) {
        if (opened != null) {
          opened.close();
        }
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  SubscribedConnection connection() {
    return connection;
  }

  /** Reads all that the server kept. */
  List<Sample> history(Instant from, Instant to) throws Exception {
    List<Sample> all = new ArrayList<>();
    String next = "";
    do {
      Historical.Page page =
          connection
              .history(points, from, to, next)
              .toCompletableFuture()
              .get(60, TimeUnit.SECONDS);
      all.addAll(page.samples());
      next = page.next();
    } while (!next.isEmpty());
    return all;
  }

  @Override
  public void close() {
    closed = true;
    loop.shutdown();
    SubscribedConnection open = connection;
    if (open != null) {
      open.close();
    }
  }
}
