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
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Sink;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/** A driver whose devices do what the test says; by default they answer at once and well. */
class FakeDriver implements Driver {
  private final Rig rig;

  /** What it serves. */
  final String scheme;

  /** How each device reads; the function gets the points. */
  final Map<String, Function<List<Point>, CompletionStage<List<Sample>>>> reads =
      new ConcurrentHashMap<>();

  final Map<String, Supplier<CompletionStage<Connection>>> opens = new ConcurrentHashMap<>();
  final Map<String, BiFunction<Point, Value, CompletionStage<Quality>>> writes =
      new ConcurrentHashMap<>();

  /** Devices that tell by themselves. */
  final List<String> subscribable = new CopyOnWriteArrayList<>();

  /** Since when the subscription of such a device is complete; of others it isn't kept. */
  final Map<String, Supplier<Instant>> completeSince = new ConcurrentHashMap<>();

  /** What devices kept; those of others keep nothing. */
  final Map<String, Keeper> histories = new ConcurrentHashMap<>();

  /** Questions for what a device kept: {@code a 2 from to next}, with the number of points. */
  final List<String> pages = new CopyOnWriteArrayList<>();

  /** What it wants a person to see to. */
  volatile List<String> warnings = List.of();

  /** How a device tells what it kept. */
  interface Keeper {
    CompletionStage<Historical.Page> history(
        List<Point> points, Instant from, Instant to, String next);
  }

  /** When such a device agrees; at once where there is none. */
  final Map<String, CompletionStage<Void>> agreements = new ConcurrentHashMap<>();

  final Map<String, Sink> sinks = new ConcurrentHashMap<>();

  /** Where each device was opened, in order. */
  final Map<String, List<URI>> endpoints = new ConcurrentHashMap<>();

  /** As which each was opened, in order. */
  final List<Device> devices = new CopyOnWriteArrayList<>();

  /** Since the rig's beginning, by device. */
  final Map<String, List<Duration>> polls = new ConcurrentHashMap<>();

  /** In order: {@code open a}, {@code read a}, {@code write a.p0=5}, {@code close a}. */
  final List<String> log = new CopyOnWriteArrayList<>();

  /** What the devices hold, by {@code device.point}; 0 where nothing was written. */
  final Map<String, Value> held = new ConcurrentHashMap<>();

  /** What the connections of a device have counted; those of others count nothing. */
  final Map<String, Supplier<Diagnosed.Facts>> facts = new ConcurrentHashMap<>();

  /** What is counted on the line of all of them. */
  volatile Diagnosed.LineFacts line = new Diagnosed.LineFacts(0, 0, 0, 0, 0);

  volatile List<Problem> problems = List.of();

  FakeDriver(Rig rig) {
    this(rig, "fake");
  }

  FakeDriver(Rig rig, String scheme) {
    this.rig = rig;
    this.scheme = scheme;
  }

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    return problems;
  }

  @Override
  public List<String> warnings() {
    return warnings;
  }

  @Override
  public String lane(Device device) {
    return "fake:" + device.endpoint().getHost();
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    log.add("open " + device.id());
    devices.add(device);
    sinks.put(device.id(), sink);
    endpoints
        .computeIfAbsent(device.id(), d -> new CopyOnWriteArrayList<>())
        .add(device.endpoint());
    Supplier<CompletionStage<Connection>> how = opens.get(device.id());
    if (how != null) {
      return how.get();
    }
    return CompletableFuture.completedFuture(connection(device.id()));
  }

  Connection connection(String id) {
    boolean keeps = histories.containsKey(id);
    return subscribable.contains(id)
        ? completeSince.containsKey(id)
            ? keeps ? new RememberingAll(id) : new GoingOn(id)
            : keeps ? new Remembering(id) : new Telling(id)
        : keeps
            ? new AskedRemembering(id)
            : facts.containsKey(id) ? new Counting(id) : new Asked(id);
  }

  int opened(String id) {
    return (int) log.stream().filter(("open " + id)::equals).count();
  }

  int closed(String id) {
    return (int) log.stream().filter(("close " + id)::equals).count();
  }

  List<Duration> polls(String id) {
    return polls.getOrDefault(id, List.of());
  }

  List<Sample> samples(String id, List<Point> points) {
    List<Sample> samples = new ArrayList<>();
    for (Point point : points) {
      samples.add(Sample.good(point.id(), held.getOrDefault(id + "." + point.id(), Value.of(0))));
    }
    return samples;
  }

  /** An answer that takes its time. */
  <T> CompletionStage<T> after(Duration delay, T answer) {
    CompletableFuture<T> later = new CompletableFuture<>();
    rig.loop.execute(() -> rig.loop.after(delay, () -> later.complete(answer)));
    return later;
  }

  private class Plain implements Connection {
    final String id;

    Plain(String id) {
      this.id = id;
    }

    @Override
    public void close() {
      log.add("close " + id);
    }
  }

  private final class Counting extends Asked implements Diagnosed {
    Counting(String id) {
      super(id);
    }

    @Override
    public Facts facts() {
      return facts.get(id).get();
    }

    @Override
    public LineFacts line() {
      return line;
    }
  }

  private class Asked extends Plain implements Readable, Writable, Browsable {
    Asked(String id) {
      super(id);
    }

    @Override
    public Plan prepare(List<Point> points) {
      return () -> {
        polls.computeIfAbsent(id, d -> new CopyOnWriteArrayList<>()).add(rig.elapsed());
        log.add("read " + id);
        Function<List<Point>, CompletionStage<List<Sample>>> how = reads.get(id);
        return how == null
            ? CompletableFuture.completedFuture(samples(id, points))
            : how.apply(points);
      };
    }

    @Override
    public CompletionStage<Quality> write(Point point, Value value) {
      log.add("write " + id + "." + point.id() + "=" + value);
      BiFunction<Point, Value, CompletionStage<Quality>> how = writes.get(id);
      if (how != null) {
        return how.apply(point, value);
      }
      held.put(id + "." + point.id(), value);
      return CompletableFuture.completedFuture(Quality.GOOD);
    }

    @Override
    public CompletionStage<List<Found>> browse(String from, int limit) {
      log.add("browse " + id);
      List<Found> found = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        found.add(new Found("fake://there/" + i, "Device " + i, Map.of()));
      }
      return CompletableFuture.completedFuture(found);
    }
  }

  private CompletionStage<Historical.Page> page(
      String id, List<Point> points, Instant from, Instant to, String next) {
    log.add("history " + id);
    pages.add(String.join(" ", id, "" + points.size(), from.toString(), to.toString(), next));
    return histories.get(id).history(points, from, to, next);
  }

  private final class AskedRemembering extends Asked implements Historical {
    AskedRemembering(String id) {
      super(id);
    }

    @Override
    public CompletionStage<Page> history(
        List<Point> points, Instant from, Instant to, String next) {
      return page(id, points, from, to, next);
    }
  }

  private final class Remembering extends Telling implements Historical {
    Remembering(String id) {
      super(id);
    }

    @Override
    public CompletionStage<Page> history(
        List<Point> points, Instant from, Instant to, String next) {
      return page(id, points, from, to, next);
    }
  }

  private class GoingOn extends Telling implements Continuous {
    GoingOn(String id) {
      super(id);
    }

    @Override
    public Instant completeSince() {
      return completeSince.get(id).get();
    }
  }

  private final class RememberingAll extends GoingOn implements Historical {
    RememberingAll(String id) {
      super(id);
    }

    @Override
    public CompletionStage<Page> history(
        List<Point> points, Instant from, Instant to, String next) {
      return page(id, points, from, to, next);
    }
  }

  private class Telling extends Plain implements Subscribable {
    Telling(String id) {
      super(id);
    }

    @Override
    public CompletionStage<Void> subscribe(List<Point> points) {
      log.add("subscribe " + id + " " + points.size());
      return agreements.getOrDefault(id, CompletableFuture.completedFuture(null));
    }
  }
}
