package io.culvert.device.opcua;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Writable;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.enumerated.TimestampsToReturn;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.ReadValueId;

/**
 * The way to one device of a server, over a {@link Session} that others may share.
 *
 * <p>Stages complete on the driver's threads; what follows them must not block.
 */
class OpcUaConnection implements Readable, Writable, Historical, Browsable, Diagnosed {
  final Session session;
  final String device;
  final Settings settings;
  final Figures figures = new Figures();
  private final History history = new History(this);
  private final Set<CompletableFuture<?>> pending = ConcurrentHashMap.newKeySet();
  private final Consumer<OpcUaConnection> ended;

  /** What each method gave that was called. */
  private final Map<Called, Calls.Outcome> results = new ConcurrentHashMap<>();

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

  @Override
  public CompletionStage<Page> history(List<Point> points, Instant from, Instant to, String next) {
    return begin(history.read(points, from, to, next));
  }

  @Override
  public CompletionStage<List<Found>> browse(String from, int limit) {
    CompletableFuture<List<Found>> look = session.browser().browse(from, limit, settings.root());
    CompletableFuture<List<Found>> result = begin(look);
    result.whenComplete((found, failure) -> look.cancel(false));
    return result;
  }

  @Override
  public CompletionStage<Quality> write(Point point, Value value) {
    Address address = Address.of(point);
    return begin(
        switch (address.kind()) {
          case VARIABLE -> Writing.write(session, figures, address, settings.root(), value);
          case METHOD -> call(address, value);
          case ACKNOWLEDGE -> session.conditions().acknowledge(session, figures, value);
          case RESULT, EVENTS -> CompletableFuture.completedFuture(Quality.BAD_NOT_WRITABLE);
        });
  }

  /**
   * Reads attributes.
   *
   * @return as many as were asked for; {@code null} where the server has forgotten one
   */
  CompletableFuture<List<DataValue>> read(TimestampsToReturn times, List<ReadValueId> attributes) {
    return session
        .limits()
        .read()
        .ask(
            attributes,
            some ->
                session
                    .request(figures, client -> client.readAsync(0, times, some))
                    .thenApply(ReadResponse::getResults)
                    .thenApply(results -> Batch.filled(results, new DataValue[0], some.size()))
                    .exceptionallyCompose(
                        failure ->
                            some.size() == 1 && Batch.tooMuch(failure)
                                ? CompletableFuture.completedFuture(alone(failure))
                                : CompletableFuture.failedFuture(failure)));
  }

  /** One that is too much alone isn't to keep the others away. */
  private static DataValue[] alone(Throwable failure) {
    return new DataValue[] {new DataValue(new StatusCode(Failures.status(failure)))};
  }

  private CompletableFuture<Quality> call(Address address, Value value) {
    return Calls.call(session, figures, address, settings.root(), value)
        .thenApply(
            outcome -> {
              if (!outcome.verdict().bad()) {
                results.put(Called.by(address), outcome);
                told(address, outcome);
              }
              return outcome.verdict();
            });
  }

  /** A method was called; whoever is told by himself is told what it gave. */
  void told(Address method, Calls.Outcome outcome) {}

  /** What a point shows that isn't read from the server. */
  Sample shown(Point point, Address address) {
    if (address.kind() != Address.Kind.RESULT) {
      // Events come by subscription only.
      return Sample.bad(point.id(), Quality.BAD_NOT_SUPPORTED);
    }
    Calls.Outcome last = results.get(Called.by(address));
    return last == null ? Sample.bad(point.id(), Quality.BAD_WAITING) : last.sample(point);
  }

  /** A method as points name it. */
  record Called(NodeRef object, NodeRef method) {
    static Called by(Address address) {
      return new Called(address.node(), address.method());
    }
  }

  /** Has an exchange end, at the latest, when the connection is closed. */
  <T> CompletableFuture<T> begin(CompletableFuture<T> exchange) {
    CompletableFuture<T> result = new CompletableFuture<>();
    pending.add(result);
    result.whenComplete((value, failure) -> pending.remove(result));
    if (closed) {
      result.completeExceptionally(closedException());
    }
    exchange.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(Failures.outward(session.toString(), failure));
          }
        });
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
    history.release();
    leave();
    session.release();
    ended.accept(this);
  }

  /** What else there is to end. */
  void leave() {}
}
