package io.culvert.plugins.hosting;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Sink;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * One connection in the plug-in's process. Its calls run one after the other, except {@link
 * #close}.
 */
final class AgentConnection implements Sink {
  /** Most hand-overs to the sink that may wait for their answer; the gateway allows some more. */
  static final int HANDOVERS = 512;

  private final long number;
  private final long driver;
  private final Device device;
  private final Peer peer;
  private final Calls calls;
  private final Calls.Strand strand;
  private final Runnable whenClosed;
  private final Map<Long, Readable.Plan> plans = new HashMap<>();
  private static final AtomicInteger HANDED_OVER = new AtomicInteger();
  private volatile Connection connection;
  private volatile boolean closed;
  private Figures told;

  /** What is missing at the source and isn't told yet, by point. */
  private final Map<String, Missing> missing = new LinkedHashMap<>();

  private boolean telling;

  private record Figures(Diagnosed.Facts facts, Diagnosed.LineFacts line) {}

  AgentConnection(
      long number, long driver, Device device, Peer peer, Calls calls, Runnable whenClosed) {
    this.number = number;
    this.driver = driver;
    this.device = device;
    this.peer = peer;
    this.calls = calls;
    this.strand = calls.strand();
    this.whenClosed = whenClosed;
  }

  boolean of(long driver) {
    return this.driver == driver;
  }

  void open(Supplier<Driver> of, Peer.Reply reply) {
    strand.run(
        "open of " + device.id(),
        reply,
        () -> {
          CompletionStage<Connection> opening;
          try {
            opening =
                Objects.requireNonNull(
                    of.get().open(device, this), "the driver returned null in place of a stage");
          } catch (Throwable t) {
            whenClosed.run();
            throw t;
          }
          reply.onCancel(() -> opening.toCompletableFuture().cancel(true));
          opening.whenComplete(
              (opened, error) -> {
                if (error != null) {
                  reply.fail(error);
                  whenClosed.run();
                } else if (opened == null) {
                  reply.fail(new IllegalStateException("the driver opened null"));
                  whenClosed.run();
                } else {
                  connection = opened;
                  if (closed) {
                    // Given up meanwhile.
                    shut();
                    reply.fail(new IOException("the connection is closed"));
                    return;
                  }
                  tellFigures();
                  reply.answer(Abilities.of(opened), (out, bits) -> out.integer(bits));
                }
              });
        });
  }

  void asked(Op op, Cbor.Reader in, Peer.Reply reply) throws Malformed {
    switch (op) {
      case READ -> {
        long plan = in.integer();
        answer(
            "read",
            reply,
            () -> {
              Readable.Plan prepared = plans.get(plan);
              if (prepared == null) {
                throw new IllegalStateException("these points couldn't be prepared");
              }
              return prepared.read();
            },
            (out, samples) -> Codec.list(out, samples, Codec::sample));
      }
      case SUBSCRIBE -> {
        List<Point> points = Codec.list(in, Codec::point);
        answer(
            "subscribe",
            reply,
            () -> ((Subscribable) connection).subscribe(points),
            (out, nothing) ->
                Codec.instant(
                    out, connection instanceof Continuous kept ? kept.completeSince() : null));
      }
      case WRITE -> {
        Point point = Codec.point(in);
        Value value = Codec.value(in);
        answer("write", reply, () -> ((Writable) connection).write(point, value), Codec::quality);
      }
      case BROWSE -> {
        String from = in.text();
        int limit = in.count(Integer.MAX_VALUE);
        answer(
            "browse",
            reply,
            () -> ((Browsable) connection).browse(from, limit),
            (out, list) -> Codec.list(out, list, Codec::found));
      }
      case HISTORY -> {
        List<Point> points = Codec.list(in, Codec::point);
        Instant from = Codec.instant(in);
        Instant to = Codec.instant(in);
        String next = in.text();
        answer(
            "history",
            reply,
            () -> ((Historical) connection).history(points, from, to, next),
            Codec::page);
      }
      default -> throw new Malformed(op + " where a call of a connection is expected");
    }
  }

  void told(Op op, Cbor.Reader in) throws Malformed {
    long plan = in.integer();
    switch (op) {
      case PREPARE -> {
        List<Point> points = Codec.list(in, Codec::point);
        // What it throws comes out of the first reading.
        strand.run(
            "prepare of " + device.id(),
            null,
            () -> {
              try {
                plans.put(plan, ((Readable) connection).prepare(points));
              } catch (RuntimeException e) {
                plans.put(
                    plan,
                    () -> {
                      throw e;
                    });
              }
            });
      }
      case FORGET -> strand.run("forget of " + device.id(), null, () -> plans.remove(plan));
      default -> throw new Malformed(op + " where something is to be told");
    }
  }

  private interface Asked<T> {
    CompletionStage<T> run() throws Exception;
  }

  private <T> void answer(String what, Peer.Reply reply, Asked<T> asked, Codec.Put<? super T> put) {
    strand.run(
        what + " of " + device.id(),
        reply,
        () -> {
          if (closed) {
            throw new IOException("the connection is closed");
          }
          if (reply.isOver()) {
            return;
          }
          CompletionStage<T> stage =
              Objects.requireNonNull(asked.run(), "the driver returned null in place of a stage");
          reply.onCancel(() -> stage.toCompletableFuture().cancel(true));
          stage.whenComplete(
              (value, error) -> {
                tellFigures();
                if (error == null) {
                  reply.answer(value, put);
                } else {
                  reply.fail(error);
                }
              });
        });
  }

  /** Tells what the connection has counted, if that has changed. */
  void tellFigures() {
    if (!(connection instanceof Diagnosed diagnosed) || closed) {
      return;
    }
    try {
      Figures now = new Figures(diagnosed.facts(), diagnosed.line());
      synchronized (this) {
        if (now.equals(told)) {
          return;
        }
        told = now;
        peer.tell(
            Op.FIGURES,
            out -> {
              out.integer(number);
              Codec.facts(out, now.facts());
              Codec.line(out, now.line());
            });
      }
    } catch (RuntimeException e) {
      // Figures are told the next time, or not at all.
    }
  }

  /** From any thread; doesn't wait for the calls that run. */
  void close() {
    closed = true;
    whenClosed.run();
    if (connection != null) {
      calls.run("close of " + device.id(), null, this::shut);
    }
  }

  private void shut() {
    connection.close();
    strand.execute(plans::clear);
  }

  @Override
  public CompletionStage<Void> accept(List<Sample> samples) {
    if (closed) {
      return CompletableFuture.failedFuture(new IOException("the connection is closed"));
    }
    if (HANDED_OVER.incrementAndGet() > HANDOVERS) {
      HANDED_OVER.decrementAndGet();
      return CompletableFuture.failedFuture(
          new IOException(HANDOVERS + " hand-overs wait for their answer already"));
    }
    CompletableFuture<Void> accepted =
        peer.call(
            Op.ACCEPT,
            out -> {
              out.integer(number);
              Codec.list(out, samples, Codec::sample);
            },
            in -> null);
    accepted.whenComplete((nothing, error) -> HANDED_OVER.decrementAndGet());
    return accepted;
  }

  @Override
  public void missing(String point, Instant from, Instant to, long readings, String why) {
    if (closed) {
      return;
    }
    Missing one =
        new Missing(
            point, from, to, Math.max(1, Math.min(readings, Missing.MOST)), Words.shortened(why));
    synchronized (missing) {
      missing.merge(point, one, Missing::and);
      if (telling) {
        // It goes with the next.
        return;
      }
      telling = true;
    }
    tellMissing();
  }

  /** Tells a part of what waits; the rest when that was heard. So a flood of it is joined here. */
  private void tellMissing() {
    List<Missing> some = new ArrayList<>();
    synchronized (missing) {
      Iterator<Missing> waiting = missing.values().iterator();
      while (waiting.hasNext() && some.size() < Missing.AT_ONCE) {
        some.add(waiting.next());
        waiting.remove();
      }
      if (some.isEmpty() || closed) {
        telling = false;
        return;
      }
    }
    peer.call(
            Op.MISSING,
            out -> {
              out.integer(number);
              Codec.list(out, some, Missing::write);
            },
            in -> null)
        .whenComplete(
            (nothing, error) -> {
              if (error == null) {
                calls.run("missing of " + device.id(), null, this::tellMissing);
                return;
              }
              // The wire is full, or at its end: it goes with the next.
              synchronized (missing) {
                some.forEach(one -> missing.merge(one.point(), one, Missing::and));
                telling = false;
              }
            });
  }

  @Override
  public void lost(Throwable cause) {
    peer.tell(Op.LOST, out -> out.integer(number).text(cause == null ? "" : Words.of(cause)));
  }
}
