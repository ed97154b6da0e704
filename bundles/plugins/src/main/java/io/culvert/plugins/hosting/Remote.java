package io.culvert.plugins.hosting;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Sink;
import io.culvert.api.southbound.Writable;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** The gateway's end of a connection in a plug-in's process. Nothing here blocks. */
final class Remote implements Readable, Continuous, Writable, Browsable, Diagnosed, Historical {
  /** Most plans that the process keeps; one that is forgotten is sent again when it is read. */
  private static final int PLANS = 64;

  private final long number;
  private final Peer peer;
  private final Sink sink;
  private final Runnable whenClosed;
  private final Set<CompletableFuture<?>> pending = ConcurrentHashMap.newKeySet();
  private final Map<Long, Boolean> planned = new LinkedHashMap<>(16, 0.75f, true);
  private long plans;
  private volatile boolean closed;
  private volatile Instant completeSince;
  private final AtomicBoolean lost = new AtomicBoolean();
  private volatile Facts facts = new Facts(0, 0, 0, 0, 0, 0, Map.of());
  private volatile LineFacts line = new LineFacts(0, 0, 0, 0, 0);

  Remote(long number, Peer peer, Sink sink, Runnable whenClosed) {
    this.number = number;
    this.peer = peer;
    this.sink = sink;
    this.whenClosed = whenClosed;
  }

  /** As a connection that can do what the plug-in's own can, and no more. */
  Connection as(int abilities) {
    return (Connection)
        Proxy.newProxyInstance(
            Remote.class.getClassLoader(),
            Abilities.interfaces(abilities),
            (proxy, method, arguments) -> {
              if (method.getName().equals("equals")) {
                return proxy == arguments[0];
              }
              try {
                return method.invoke(this, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  Sink sink() {
    return sink;
  }

  /** Tells the sink that the link is gone, once. */
  void lost(IOException cause) {
    if (lost.compareAndSet(false, true)) {
      sink.lost(cause);
    }
  }

  boolean isClosed() {
    return closed;
  }

  /** What the connection has counted. */
  void figures(Facts facts, LineFacts line) {
    this.facts = facts;
    this.line = line;
  }

  @Override
  public Plan prepare(List<Point> points) {
    List<Point> copy = List.copyOf(points);
    long plan;
    synchronized (planned) {
      plan = ++plans;
      plan(plan, copy);
    }
    return () -> {
      synchronized (planned) {
        if (planned.get(plan) == null) {
          plan(plan, copy);
        }
        return call(Op.READ, out -> out.integer(plan), in -> Codec.list(in, Codec::sample));
      }
    };
  }

  private void plan(long plan, List<Point> points) {
    planned.put(plan, true);
    if (planned.size() > PLANS) {
      Long eldest = planned.keySet().iterator().next();
      planned.remove(eldest);
      peer.tell(Op.FORGET, out -> out.integer(number).integer(eldest));
    }
    peer.tell(
        Op.PREPARE,
        out -> {
          out.integer(number).integer(plan);
          Codec.list(out, points, Codec::point);
        });
  }

  @Override
  public CompletionStage<Void> subscribe(List<Point> points) {
    return call(
        Op.SUBSCRIBE,
        out -> Codec.list(out, points, Codec::point),
        in -> {
          completeSince = Codec.instant(in);
          return null;
        });
  }

  /** As it was told when the device agreed. */
  @Override
  public Instant completeSince() {
    return completeSince;
  }

  @Override
  public CompletionStage<Page> history(List<Point> points, Instant from, Instant to, String next) {
    return call(
        Op.HISTORY,
        out -> {
          Codec.list(out, points, Codec::point);
          Codec.instant(out, from);
          Codec.instant(out, to);
          out.text(next);
        },
        Codec::page);
  }

  @Override
  public CompletionStage<Quality> write(Point point, Value value) {
    return call(
        Op.WRITE,
        out -> {
          Codec.point(out, point);
          Codec.value(out, value);
        },
        Codec::quality);
  }

  @Override
  public CompletionStage<List<Found>> browse(String from, int limit) {
    return call(
        Op.BROWSE, out -> out.text(from).integer(limit), in -> Codec.list(in, Codec::found));
  }

  @Override
  public Facts facts() {
    return facts;
  }

  @Override
  public LineFacts line() {
    return line;
  }

  private <T> CompletableFuture<T> call(Op op, Peer.Body body, Codec.Get<T> get) {
    if (closed) {
      return CompletableFuture.failedFuture(new IOException("the connection is closed"));
    }
    CompletableFuture<T> answer =
        peer.call(
            op,
            out -> {
              out.integer(number);
              body.write(out);
            },
            get);
    pending.add(answer);
    answer.whenComplete((value, error) -> pending.remove(answer));
    if (closed) {
      end(answer);
    }
    return answer;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    whenClosed.run();
    peer.tell(Op.CLOSE, out -> out.integer(number));
    pending.forEach(Remote::end);
  }

  private static void end(CompletableFuture<?> answer) {
    answer.completeExceptionally(new IOException("the connection was closed"));
  }
}
