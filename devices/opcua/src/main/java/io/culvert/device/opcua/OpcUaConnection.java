package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Readable;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * The way to one device of a server, over a {@link Session} that others may share.
 *
 * <p>Stages complete on the driver's threads; what follows them must not block.
 */
class OpcUaConnection implements Readable, Diagnosed {
  final Session session;
  final String device;
  final Settings settings;
  final Figures figures = new Figures();
  private final Set<CompletableFuture<?>> pending = ConcurrentHashMap.newKeySet();
  private final Consumer<OpcUaConnection> ended;
  private volatile boolean closed;

  /**
   * @param session in use for it; released when it is closed
   * @param ended told when it is closed
   */
  OpcUaConnection(
      Session session, String device, Settings settings, Consumer<OpcUaConnection> ended) {
    this.session = session;
    this.device = device;
    this.settings = settings;
    this.ended = ended;
  }

  @Override
  public Facts facts() {
    return figures.facts();
  }

  @Override
  public LineFacts line() {
    return new LineFacts(0, 0, 0, 0, 0);
  }

  @Override
  public Plan prepare(List<Point> points) {
    return new PollPlan(this, points);
  }

  /** Has an exchange end, at the latest, when the connection is closed. */
  <T> CompletableFuture<T> begin(CompletableFuture<T> exchange) {
    CompletableFuture<T> result = new CompletableFuture<>();
    pending.add(result);
    result.whenComplete((value, failure) -> pending.remove(result));
    exchange.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(Failures.outward(session.toString(), failure));
          }
        });
    if (closed) {
      result.completeExceptionally(closedException());
    }
    return result;
  }

  private IOException closedException() {
    return new IOException("The connection to " + device + " at " + session + " was closed");
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
    leave();
    session.release();
    ended.accept(this);
  }

  /** What else there is to end. */
  void leave() {}
}
