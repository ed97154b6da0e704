package io.culvert.core.run;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Diagnosed.Facts;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import io.culvert.core.doctor.Counts;
import io.culvert.core.doctor.Vitals;
import io.culvert.core.run.Outcome.Failure;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device's way through its driver. It holds every object that comes from the driver, and lets
 * go of all of them in {@link #dispose}. Used on the loop only; each operation ends once, there, at
 * its deadline at the latest.
 */
final class Link {
  private static final Logger LOG = LoggerFactory.getLogger(Link.class);

  /** How long a driver may take to tell its figures. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  /**
   * How long a device may take to agree to a subscription: it is once, and of thousands of points,
   * where the deadline of an exchange is meant for one answer.
   */
  private static final Duration SUBSCRIBING = Duration.ofSeconds(30);

  private static final String LOST = "the link was lost while it was opened";

  private final Loop loop;
  private final Served served;
  private Device device;
  private final Duration timeout;
  private final List<List<Point>> groups;
  private final Vitals vitals;
  private final Set<Call<?, ?>> calls = new LinkedHashSet<>();
  private Connection connection;

  /** One a group; empty while the connection isn't prepared for reading. */
  private List<Readable.Plan> plans = List.of();

  private boolean subscribed;

  /** Since when nothing of the subscription is missing; {@code null} if not since before it. */
  private Instant completeSince;

  /** Names the last connection that was open; {@code null} before any. */
  private Object session;

  /** Whether the last connection can tell what the device kept. */
  private boolean historical;

  /** Told before the first exchange of a connection that can; goes on when it is done. */
  private Consumer<Runnable> whenHistorical = Runnable::run;

  private SinkGate sink;
  private boolean disposed;
  private Lane lane;

  /** When the connection was opened, by the loop's clock. */
  private long openedAt;

  /** What the driver had counted at the last look; {@code null} if it counts nothing. */
  private Look seen;

  private boolean looking;

  /** Calls whose deadline has passed and that still hold a thread. */
  private int stuck;

  private Runnable whenFree = () -> {};

  /** Told why it is disposed of; {@code null} if nobody wants to know. */
  private Consumer<String> whenDisposed;

  /**
   * @param timeout deadline of each exchange
   * @param groups what each kind of poll reads; none empty
   */
  Link(
      Loop loop,
      Served served,
      Device device,
      Duration timeout,
      List<List<Point>> groups,
      Vitals vitals) {
    this.loop = loop;
    this.served = served;
    this.device = device;
    this.timeout = timeout;
    this.groups = groups;
    this.vitals = vitals;
  }

  /** What a driver has counted so far. */
  private record Look(Facts facts, LineFacts line) {
    /** On a thread of the driver; {@code null} if it doesn't count, or can't. */
    static Look at(Connection connection) {
      try {
        return connection instanceof Diagnosed diagnosed
            ? new Look(
                Objects.requireNonNull(diagnosed.facts()), Objects.requireNonNull(diagnosed.line()))
            : null;
      } catch (Throwable t) {
        LOG.debug("The driver threw when it was asked for its figures: {}", Call.words(t));
        return null;
      }
    }
  }

  private record Opened(Connection connection, Look look) {}

  /** Says where it takes its turns. */
  void on(Lane lane) {
    this.lane = lane;
  }

  /** What a driver says of a device before it is opened. */
  record Verdict(List<Problem> problems, String lane) {}

  /** Asks the driver for problems and, if there are none, for the lane. */
  void check(List<Point> points, Consumer<Outcome<Verdict>> end) {
    call(
        "validate",
        timeout,
        () -> {
          List<Problem> problems = List.copyOf(served.driver().validate(device, points));
          String lane = problems.isEmpty() ? served.driver().lane(device) : "";
          if (lane == null) {
            throw new IllegalStateException("the driver names no lane");
          }
          return CompletableFuture.completedFuture(new Verdict(problems, lane));
        },
        verdict -> verdict,
        null,
        end);
  }

  /**
   * Has another way to the same device checked, as {@link #check} does.
   *
   * @param other the device with that way
   */
  void judge(Device other, List<Point> points, Consumer<Outcome<List<Problem>>> end) {
    this.<List<Problem>, List<Problem>>call(
        "validate",
        timeout,
        () ->
            CompletableFuture.completedFuture(List.copyOf(served.driver().validate(other, points))),
        problems -> problems,
        null,
        end);
  }

  /**
   * Has the device reached another way from now on: closes the connection, if there is one. Between
   * two exchanges, so in a turn of the lane.
   *
   * @param other the device with that way
   */
  void reach(Device other) {
    shut();
    device = other;
  }

  /**
   * Opens the connection and prepares it: a subscription if the device can tell by itself, else a
   * plan for reading.
   *
   * @param intake takes what the device sends by itself
   * @param lost told, once, that the driver says that the link is gone
   * @param end told {@code null} when it is ready
   */
  void open(Intake intake, Consumer<String> lost, Consumer<Failure> end) {
    SinkGate gate = new SinkGate(loop, served, device.id(), intake, lost);
    sink = gate;
    this.<Connection, Opened>call(
        "open",
        timeout,
        () -> served.driver().open(device, gate),
        opened -> {
          if (opened == null) {
            throw new IllegalStateException("the driver opened null");
          }
          return new Opened(opened, Look.at(opened));
        },
        // Too late to be of use, but open.
        this::close,
        outcome -> {
          if (outcome.ok() && sink != gate) {
            // Shut meanwhile: the driver has gone, or says that the link has.
            gate.shut();
            closeLater(outcome.value().connection(), null);
            end.accept(new Failure(false, disposed ? "the driver has gone" : LOST));
            return;
          }
          if (!outcome.ok()) {
            shut();
            end.accept(outcome.failure());
            return;
          }
          connection = outcome.value().connection();
          seen = outcome.value().look();
          openedAt = loop.nanos();
          session = new Object();
          historical = connection instanceof Historical;
          Connection opened = connection;
          if (historical && !groups.isEmpty()) {
            whenHistorical.accept(() -> prepare(opened, end));
          } else {
            prepare(opened, end);
          }
        });
  }

  /**
   * Says what to do, once a connection is open, before the first exchange with a device that keeps
   * what it measured.
   *
   * @param action given what to do then, in the same turn of the lane
   */
  void onHistorical(Consumer<Runnable> action) {
    whenHistorical = action;
  }

  private void prepare(Connection opened, Consumer<Failure> end) {
    if (connection != opened) {
      end.accept(new Failure(false, disposed ? "the driver has gone" : LOST));
    } else if (groups.isEmpty()) {
      end.accept(null);
    } else if (opened instanceof Subscribable subscribable) {
      List<Point> readable = groups.stream().flatMap(List::stream).toList();
      this.<Void, Instant>call(
          "subscribe",
          timeout.compareTo(SUBSCRIBING) > 0 ? timeout : SUBSCRIBING,
          () -> subscribable.subscribe(readable),
          nothing -> subscribable instanceof Continuous kept ? kept.completeSince() : null,
          null,
          outcome -> {
            subscribed = outcome.ok() && connection == opened;
            completeSince = subscribed ? outcome.value() : null;
            opened(opened, outcome.failure(), end);
          });
    } else if (opened instanceof Readable reader) {
      this.<List<Readable.Plan>, List<Readable.Plan>>call(
          "prepare",
          timeout,
          () ->
              CompletableFuture.completedFuture(
                  groups.stream().map(points -> prepare(reader, points)).toList()),
          prepared -> prepared,
          null,
          outcome -> {
            plans = outcome.ok() && connection == opened ? outcome.value() : List.of();
            opened(opened, outcome.failure(), end);
          });
    } else {
      opened(
          opened,
          new Failure(false, "the driver's connection can neither be read nor subscribed to"),
          end);
    }
  }

  private void opened(Connection opened, Failure failure, Consumer<Failure> end) {
    if (connection != opened) {
      end.accept(failure == null ? new Failure(false, LOST) : failure);
      return;
    }
    if (failure != null) {
      shut();
    }
    end.accept(failure);
  }

  private static Readable.Plan prepare(Readable reader, List<Point> points) {
    Readable.Plan prepared = reader.prepare(points);
    if (prepared == null) {
      throw new IllegalStateException("the driver prepared null");
    }
    return prepared;
  }

  boolean isOpen() {
    return connection != null;
  }

  boolean nothingToRead() {
    return groups.isEmpty();
  }

  /** Whether the device tells by itself, so that it isn't polled. */
  boolean subscribed() {
    return subscribed;
  }

  /**
   * Since when nothing is missing of what the device has to tell by itself; {@code null} if that
   * isn't known for any time before this connection.
   */
  Instant completeSince() {
    return completeSince;
  }

  /** Whether the connection, or the last one, can tell what the device kept. */
  boolean historical() {
    return historical;
  }

  /** Whether an earlier call still holds its thread: the device is left alone until it returns. */
  boolean blocked() {
    return stuck > 0;
  }

  /** Says whom to tell when it isn't {@link #blocked} any more. */
  void onFree(Runnable action) {
    whenFree = action;
  }

  /** Reads every point of a group once; there is one sample of each. */
  void read(int group, Consumer<Outcome<List<Sample>>> end) {
    if (plans.isEmpty()) {
      end.accept(Outcome.failed(loop.now(), false, "the connection is closed"));
      return;
    }
    Readable.Plan prepared = plans.get(group);
    List<Point> points = groups.get(group);
    // Taken on the driver's threads: how long the loop had other things to do is no latency.
    long[] span = new long[2];
    this.<List<Sample>, List<Sample>>call(
        "read",
        timeout,
        () -> {
          span[0] = loop.nanos();
          return prepared.read();
        },
        samples -> {
          span[1] = loop.nanos();
          return taken(samples, points);
        },
        null,
        outcome -> {
          if (outcome.ok()) {
            served.conduct().good();
            vitals.latency(loop.nanos(), span[1] - span[0]);
          }
          end.accept(outcome);
        });
  }

  /** Names the connection that is open, or the last one. */
  Object session() {
    return session;
  }

  /** Asks for a page of what the device kept; in a turn of the lane. */
  void history(
      List<Point> points,
      Instant from,
      Instant to,
      String next,
      Duration patience,
      Consumer<Outcome<Historical.Page>> end) {
    if (!(connection instanceof Historical keeper)) {
      end.accept(Outcome.failed(loop.now(), false, "the connection is closed"));
      return;
    }
    this.<Historical.Page, Historical.Page>call(
        "history",
        patience,
        () -> keeper.history(points, from, to, next),
        this::taken,
        null,
        outcome -> {
          if (outcome.ok()) {
            served.conduct().good();
          }
          end.accept(outcome);
        });
  }

  /**
   * Adds what the driver has counted since the last look to the figures of device and lane.
   *
   * @param end told when that is done, or there is nothing to look at
   */
  void look(Runnable end) {
    Connection open = connection;
    if (seen == null || looking) {
      end.run();
      return;
    }
    looking = true;
    this.<Look, Look>call(
        "look",
        LOOK,
        () -> CompletableFuture.completedFuture(Look.at(open)),
        look -> look,
        null,
        outcome -> {
          looking = false;
          if (outcome.value() != null && connection == open) {
            heard(seen, outcome.value(), openedAt, false);
            seen = outcome.value();
          }
          end.run();
        });
  }

  private void heard(Look before, Look now, long since, boolean last) {
    vitals.heard(loop.nanos(), loop.now(), Counts.since(now.facts(), before.facts()));
    if (lane != null) {
      lane.heard(served.scheme(), this, since, Counts.since(now.line(), before.line()), last);
    }
  }

  /** Whether a point can be read by itself, after a write. */
  boolean canReadBack() {
    return connection instanceof Readable;
  }

  void readBack(Point point, Consumer<Outcome<Sample>> end) {
    Readable reader = (Readable) connection;
    List<Point> one = List.of(point);
    this.<List<Sample>, Sample>call(
        "read back",
        timeout,
        () -> prepare(reader, one).read(),
        samples -> taken(samples, one).get(0),
        null,
        end);
  }

  /** Writes; ends with a failure if the connection can't. */
  void write(Point point, Value raw, Consumer<Outcome<Quality>> end) {
    if (!(connection instanceof Writable writer)) {
      end.accept(new Outcome<>(Quality.BAD_NOT_SUPPORTED, loop.now(), null));
      return;
    }
    this.<Quality, Quality>call(
        "write",
        timeout,
        () -> writer.write(point, raw),
        quality -> {
          if (quality == null) {
            throw new IllegalStateException("the driver's verdict is null");
          }
          return quality;
        },
        null,
        outcome -> {
          if (outcome.ok()) {
            served.conduct().good();
          }
          end.accept(outcome);
        });
  }

  void browse(
      String from, int limit, Duration patience, Consumer<Outcome<List<Browsable.Found>>> end) {
    if (!(connection instanceof Browsable browser)) {
      end.accept(
          Outcome.failed(
              loop.now(), false, "the driver of " + served.scheme() + " can't look around"));
      return;
    }
    this.<List<Browsable.Found>, List<Browsable.Found>>call(
        "browse",
        patience,
        () -> browser.browse(from, limit),
        found -> List.copyOf(found.size() > limit ? found.subList(0, limit) : found),
        null,
        end);
  }

  /** Closes the connection, if there is one; it may be opened again. */
  void shut() {
    Connection open = connection;
    Look before = seen;
    connection = null;
    seen = null;
    plans = List.of();
    subscribed = false;
    completeSince = null;
    if (sink != null) {
      sink.shut();
      sink = null;
    }
    if (open != null) {
      closeLater(open, before);
    }
  }

  /** Not among the calls that dispose ends: a connection is closed in any case. */
  private void closeLater(Connection open, Look before) {
    long since = openedAt;
    begin(
        this.<Look, Look>prepareCall(
            "close",
            () -> {
              Look last = before == null ? null : Look.at(open);
              close(open);
              return CompletableFuture.completedFuture(last);
            },
            last -> last,
            null),
        timeout,
        outcome -> {
          if (before != null) {
            heard(before, outcome.value() == null ? before : outcome.value(), since, true);
          }
        });
  }

  /**
   * Says whom to tell when it is disposed of, with the reason.
   *
   * @param action {@code null} for nobody
   */
  void onDisposal(Consumer<String> action) {
    whenDisposed = action;
  }

  /** Ends what is pending, closes, and lets go of everything of the driver. */
  void dispose(String why) {
    disposed = true;
    if (whenDisposed != null) {
      whenDisposed.accept(why);
    }
    shut();
    for (Call<?, ?> call : List.copyOf(calls)) {
      call.abort(new Failure(false, why));
    }
    calls.clear();
  }

  private void close(Connection open) {
    try {
      open.close();
    } catch (Throwable t) {
      LOG.warn(
          "{}: the driver threw when its connection was closed: {}", device.id(), Call.words(t));
    }
  }

  private <S, T> void call(
      String what,
      Duration patience,
      Callable<? extends CompletionStage<S>> body,
      Function<? super S, T> take,
      Consumer<? super S> late,
      Consumer<Outcome<T>> end) {
    if (disposed) {
      end.accept(Outcome.failed(loop.now(), false, "the driver has gone"));
      return;
    }
    Call<S, T> call = prepareCall(what, body, take, late);
    calls.add(call);
    begin(
        call,
        patience,
        outcome -> {
          calls.remove(call);
          end.accept(outcome);
        });
  }

  private <S, T> Call<S, T> prepareCall(
      String what,
      Callable<? extends CompletionStage<S>> body,
      Function<? super S, T> take,
      Consumer<? super S> late) {
    return new Call<>(what, device.id(), loop, served, body, take, late);
  }

  private <S, T> void begin(Call<S, T> call, Duration patience, Consumer<Outcome<T>> end) {
    call.start(
        patience,
        outcome -> {
          if (!call.returned() && !outcome.ok() && outcome.failure().timeout()) {
            stuck++;
            call.whenReturned(this::unstuck);
          }
          end.accept(outcome);
        });
  }

  private void unstuck() {
    if (--stuck == 0 && !disposed) {
      whenFree.run();
    }
  }

  /** Takes over an answer; counts it, and throws if there is absurdly much of it. */
  private List<Sample> taken(List<Sample> samples, List<Point> points) {
    // Before it is copied. A driver may tell more than it was asked for, but not without bound.
    int size = samples.size();
    if (size > Math.max(Conduct.AT_ONCE, 2 * points.size())) {
      throw flood(size + " samples where " + points.size() + " were asked for");
    }
    List<Sample> whole = whole(samples, points);
    long bytes = served.conduct().handed(whole);
    if (bytes > Conduct.BYTES_AT_ONCE) {
      throw flood(bytes + " bytes at once; expected at most " + Conduct.BYTES_AT_ONCE);
    }
    return whole;
  }

  private Historical.Page taken(Historical.Page page) {
    if (page.samples().size() > Conduct.AT_ONCE) {
      throw flood(page.samples().size() + " samples in a page of history");
    }
    long bytes = served.conduct().handed(page.samples());
    if (bytes > Conduct.BYTES_AT_ONCE || page.next().length() > Conduct.BYTES_AT_ONCE) {
      throw flood(bytes + " bytes at once; expected at most " + Conduct.BYTES_AT_ONCE);
    }
    return page;
  }

  private RuntimeException flood(String words) {
    served.conduct().accuse("it answered for " + device.id() + " with " + words);
    return new IllegalStateException(words);
  }

  /** Copies samples out of the driver's list: one a point, in the order of the points. */
  private static List<Sample> whole(List<Sample> samples, List<Point> points) {
    List<Sample> copy = List.copyOf(samples);
    int n = points.size();
    if (copy.size() == n) {
      int i = 0;
      while (i < n && copy.get(i).point().equals(points.get(i).id())) {
        i++;
      }
      if (i == n) {
        return copy;
      }
    }
    Map<String, Sample> byPoint = new HashMap<>();
    for (Sample sample : copy) {
      byPoint.put(sample.point(), sample);
    }
    List<Sample> whole = new ArrayList<>(n);
    int found = 0;
    for (Point point : points) {
      Sample sample = byPoint.get(point.id());
      found += sample == null ? 0 : 1;
      whole.add(sample == null ? Sample.bad(point.id(), Quality.BAD_COMMUNICATION) : sample);
    }
    if (found == 0) {
      throw new IllegalStateException("none of the points that were asked for is among it");
    }
    return whole;
  }
}
