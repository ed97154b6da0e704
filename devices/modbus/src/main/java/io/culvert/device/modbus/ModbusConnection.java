package io.culvert.device.modbus;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Writable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;

/**
 * The way to one unit, over a {@link Link} that others may share.
 *
 * <p>Exchanges run on the link's loop; their stages complete there, so what follows them must not
 * block.
 */
final class ModbusConnection implements Readable, Writable, Browsable, Diagnosed {
  /**
   * How long a request that is alone in its exchange may stay unanswered. The core's deadline ends
   * it long before; this only sees to it that nothing is kept for ever if nobody does.
   */
  static final Duration BACKSTOP = Duration.ofSeconds(60);

  /** For a whole scan: less than the core's patience with one, 30 s. */
  private static final Duration SCAN = Duration.ofSeconds(25);

  private final Link link;
  private final Endpoint endpoint;
  private final Settings settings;
  private final Findings findings;
  private final Runnable release;
  private final Set<CompletableFuture<?>> pending = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /**
   * @param findings of this device, by whomever
   * @param release gives the link back; called once
   */
  ModbusConnection(
      Link link, Endpoint endpoint, Settings settings, Findings findings, Runnable release) {
    this.link = link;
    this.endpoint = endpoint;
    this.settings = settings;
    this.findings = findings;
    this.release = release;
    link.count(endpoint.unit());
  }

  /**
   * How long a request that is alone in its exchange may stay unanswered: where others wait for it,
   * no longer than any.
   */
  Duration patience() {
    return link.capacity() == 1 ? settings.responseTimeout() : BACKSTOP;
  }

  @Override
  public Facts facts() {
    return link.facts(endpoint.unit());
  }

  @Override
  public LineFacts line() {
    return link.lineFacts();
  }

  @Override
  public Plan prepare(List<Point> points) {
    List<Block.Item> items = new ArrayList<>(points.size());
    for (Point point : points) {
      items.add(new Block.Item(items.size(), point, Address.of(point, settings)));
    }
    return new ReadPlan(this, link, endpoint.unit(), settings, findings, items);
  }

  /**
   * {@inheritDoc}
   *
   * <p>See {@link Writing} for the functions. A broadcast is uncertain at best: nobody answers it.
   */
  @Override
  public CompletionStage<Quality> write(Point point, Value value) {
    Address address = Address.of(point, settings);
    if (!address.table().writable()) {
      return CompletableFuture.completedFuture(Quality.BAD_NOT_WRITABLE);
    }
    if (!Codec.fits(point.type(), value)) {
      return CompletableFuture.completedFuture(Quality.BAD_TYPE_MISMATCH);
    }
    byte[] registers = address.codec().encode(value);
    if (registers == null) {
      return CompletableFuture.completedFuture(Quality.BAD_OUT_OF_RANGE);
    }
    CompletableFuture<Quality> result = new CompletableFuture<>();
    Writing writing =
        new Writing(
            request -> ask(result, request), settings.write(), findings, address, registers);
    if (!settings.broadcast()) {
      begin(result, () -> writing.run().whenComplete((verdict, f) -> end(result, verdict, f)));
      return result;
    }
    byte[] request = writing.blind();
    if (request == null) {
      return CompletableFuture.completedFuture(Quality.BAD_NOT_SUPPORTED);
    }
    begin(
        result,
        () ->
            link.broadcast(request)
                .whenComplete((sent, failure) -> end(result, Quality.UNCERTAIN, failure)));
    return result;
  }

  private static void end(CompletableFuture<Quality> result, Quality verdict, Throwable failure) {
    if (failure == null) {
      result.complete(verdict);
    } else {
      result.completeExceptionally(outward(failure));
    }
  }

  /** One of the requests that make up an exchange, ended with it. */
  private CompletableFuture<byte[]> ask(CompletableFuture<?> result, byte[] request) {
    CompletableFuture<byte[]> exchange = link.exchange(endpoint.unit(), request, patience(), true);
    onEnd(result, () -> exchange.cancel(false));
    return exchange;
  }

  /**
   * Lists the units 1 to 247 that answer at this address, with what they say of themselves: {@link
   * Identification}. Begins with the endpoint's unit. Ends after 25 seconds with what was found by
   * then: on a serial line, where a unit that isn't there costs 200 ms or more, about half of them
   * can be asked in that time. A unit has nothing below it.
   */
  @Override
  public CompletionStage<List<Found>> browse(String from, int limit) {
    return from.isEmpty() ? scan(limit, SCAN) : CompletableFuture.completedFuture(List.of());
  }

  CompletionStage<List<Found>> scan(int limit, Duration budget) {
    CompletableFuture<List<Found>> result = new CompletableFuture<>();
    UnitScan scan = new UnitScan(link, endpoint, settings.responseTimeout(), budget, limit, result);
    onEnd(result, scan::end);
    begin(result, scan::start);
    return result;
  }

  /** Starts an exchange on the link's loop, to be ended by {@link #close} if it is pending then. */
  void begin(CompletableFuture<?> result, Runnable exchange) {
    pending.add(result);
    result.whenComplete((value, failure) -> pending.remove(result));
    if (closed) {
      result.completeExceptionally(closedException());
      return;
    }
    try {
      link.execute(
          () -> {
            if (!result.isDone()) {
              exchange.run();
            }
          });
    } catch (RejectedExecutionException stopped) {
      result.completeExceptionally(closedException());
    }
  }

  /** Does something on the link's loop if an exchange fails, most of all if from outside. */
  void onEnd(CompletableFuture<?> result, Runnable task) {
    result.whenComplete(
        (value, failure) -> {
          if (failure != null) {
            try {
              link.execute(task);
            } catch (RejectedExecutionException stopped) {
              // The loop is gone, and with it whatever there was to end.
            }
          }
        });
  }

  /** A failure as the core may see it: of a class that outlives this bundle. */
  static Exception outward(Throwable failure) {
    return failure instanceof TimeoutException timeout
        ? timeout
        : new IOException(failure.getMessage());
  }

  private IOException closedException() {
    return new IOException("The connection to " + this + " was closed");
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    List.copyOf(pending).forEach(result -> result.completeExceptionally(closedException()));
    release.run();
  }

  /** Whether there is a link at this moment; it is made again when needed. */
  boolean connected() {
    return link.isConnected();
  }

  /** For messages. */
  @Override
  public String toString() {
    return "unit " + endpoint.unit() + " at " + endpoint.address();
  }
}
