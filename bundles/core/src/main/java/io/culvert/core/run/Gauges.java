package io.culvert.core.run;

import static java.util.Map.entry;

import io.culvert.api.ClockState;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Buffer.Forwarding;
import io.culvert.api.service.Drivers;
import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.service.Plugins;
import io.culvert.core.doctor.LaneVitals;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the gateway can tell of itself, by the address that its profile gives a point. What the core
 * and the buffer know anyway is told on the loop; what has to be looked up in files is told away
 * from it.
 */
final class Gauges {
  /** So many lanes or plug-ins are named in a structure: those with the highest figures. */
  static final int MOST_NAMED = 16;

  /** A lane that is busy for more of its time has no room for the next device. */
  static final double FULL = 0.8;

  /** A clock that is not synchronised for so long isn't just starting. */
  static final Duration LOST = Duration.ofHours(1);

  private static final Logger LOG = LoggerFactory.getLogger(Gauges.class);

  private static final Map<String, Function<Moment, Value>> AT_ONCE =
      Map.ofEntries(
          entry("clock:state", m -> text(m.clock)),
          entry("clock:step", m -> Value.of(m.step().toMillis() / 1e3)),
          entry("clock:lost", m -> Value.of(m.clockLost())),
          entry("process:uptime", m -> Value.of(m.uptime().toSeconds())),
          entry("memory:heap", m -> Value.of(heap())),
          entry("memory:heap-max", m -> Value.of(Runtime.getRuntime().maxMemory())),
          entry("readings:read", m -> Value.of(m.figures.read())),
          entry("readings:suppressed", m -> Value.of(m.figures.suppressed())),
          entry("readings:missed", m -> Value.of(m.figures.missed())),
          // The buffer's figure, so that it compares with what was confirmed: devices and gateway.
          entry("buffer:accepted", m -> Value.of(m.status.accepted())),
          entry("buffer:pending", m -> Value.of(m.status.pending())),
          entry("buffer:dropped", m -> Value.of(m.status.dropped())),
          entry("buffer:bytes", m -> Value.of(m.status.bytes())),
          entry("buffer:max-bytes", m -> Value.of(m.status.maxBytes())),
          entry("disk:state", m -> text(m.status.disk())),
          entry("disk:trouble", m -> Value.of(m.status.disk() != Buffer.Disk.WORKING)),
          entry("disk:written", m -> Value.of(m.status.written())),
          entry("uplink:count", m -> Value.of((long) m.status.forwarders().size())),
          entry("uplink:down", m -> m.sum(f -> f.ready() ? 0 : 1)),
          entry("uplink:ready", m -> m.each(f -> Value.of(f.ready()))),
          entry("uplink:confirmed", m -> m.sum(Forwarding::confirmed)),
          entry("uplink:confirmed-each", m -> m.each(f -> Value.of(f.confirmed()))),
          entry("uplink:refused", m -> m.sum(Forwarding::refused)),
          entry("uplink:unconfirmed", m -> m.sum(Forwarding::unconfirmed)),
          entry("uplink:unconfirmed-each", m -> m.each(f -> Value.of(f.unconfirmed()))),
          entry("uplink:sent-each", m -> m.each(f -> Value.of(f.sentBytes()))),
          entry("uplink:max-sent-each", m -> m.each(f -> Value.of(f.maxSentBytes()))),
          entry("device:count", m -> Value.of((long) m.runners.size())),
          entry("device:online", m -> m.devices(State.ONLINE)),
          entry("device:offline", m -> m.devices(State.OFFLINE)),
          entry("plugin:running", m -> Value.of(m.plugIns(p -> true))),
          entry("plugin:unsigned", m -> Value.of(m.plugIns(p -> p.signer().isEmpty()))),
          entry("plugin:quarantined", m -> Value.of(m.quarantined())),
          entry("plugin:trouble", m -> Value.of(m.quarantined() > 0)),
          entry("driver:threads", m -> m.drivers(DriverStatus::threads)),
          entry("driver:stuck", m -> m.drivers(DriverStatus::stuck)),
          entry("driver:warnings", m -> m.drivers(d -> d.warnings().size())),
          entry("driver:refused", m -> m.drivers(DriverStatus::refused)),
          entry("driver:errors", m -> m.drivers(DriverStatus::errors)),
          entry("driver:threads-each", m -> m.eachDriver(DriverStatus::threads, whole())),
          entry("driver:busy-each", m -> m.eachDriver(m::busy, Gauges::percent)),
          entry("driver:samples-each", m -> m.eachDriver(DriverStatus::samples, whole())),
          entry("driver:bytes-each", m -> m.eachDriver(DriverStatus::bytes, whole())),
          entry("driver:errors-each", m -> m.eachDriver(DriverStatus::errors, whole())),
          entry("lane:count", m -> Value.of((long) m.lanes().size())),
          entry("lane:trouble", m -> Value.of(m.lanes().stream().filter(Load::trouble).count())),
          entry("lane:busy", m -> m.worst(Load::busy, Gauges::percent)),
          entry("lane:unanswered", m -> m.worst(Load::unanswered, Gauges::percent)),
          entry("lane:offline", m -> m.worst(Load::offline, whole())));

  private static final Map<String, Slow> LOOKED_UP =
      Map.ofEntries(
          entry("machine:uptime", l -> whole(l.machine.uptime())),
          entry("machine:load", l -> decimal(l.machine.load())),
          entry("machine:temperature", l -> whole(l.machine.temperature())),
          entry("process:cpu", l -> percent(l.machine.share())),
          entry("memory:resident", l -> whole(l.machine.resident())),
          entry("memory:available", l -> whole(l.machine.available())),
          entry("disk:free", l -> Value.of(l.machine.free())),
          entry("disk:total", l -> Value.of(l.machine.total())),
          entry("buffer:oldest", l -> Value.of(l.oldest().toSeconds())),
          entry("buffer:damaged-files", l -> Value.of((long) l.holdings().damagedFiles())));

  private final Kit kit;
  private final Supplier<List<Runner>> runners;
  private final Machine machine;
  private final Drivers drivers;
  private final Supplier<List<Plugins.Status>> plugins;
  private final Map<String, Busy> busy = new HashMap<>();
  private final long began;
  private final Instant beganAt;

  /** Since when the clock is known not to be synchronised; {@code null} if it isn't so. */
  private Long adriftSince;

  /**
   * @param runners of the site; called on the loop
   * @param plugins that are installed; called on the loop
   */
  Gauges(
      Kit kit,
      Supplier<List<Runner>> runners,
      Machine machine,
      Drivers drivers,
      Supplier<List<Plugins.Status>> plugins) {
    this.kit = kit;
    this.runners = runners;
    this.machine = machine;
    this.drivers = drivers;
    this.plugins = plugins;
    this.began = kit.loop().nanos();
    this.beganAt = kit.loop().now();
  }

  /** Whether there is anything at this address. */
  static boolean known(String address) {
    return AT_ONCE.containsKey(address) || slow(address);
  }

  /** All that a profile can ask for. */
  static Set<String> addresses() {
    Set<String> all = new TreeSet<>(AT_ONCE.keySet());
    all.addAll(LOOKED_UP.keySet());
    return all;
  }

  /** Whether what is at this address has to be looked up. */
  static boolean slow(String address) {
    return LOOKED_UP.containsKey(address);
  }

  /** Something that may read files. */
  @FunctionalInterface
  private interface Slow {
    Value read(Look look) throws IOException;
  }

  /**
   * Samples of points that aren't {@link #slow}, on the loop.
   *
   * @param status of the buffer
   */
  List<Sample> read(List<Point> points, Buffer.Status status) {
    Moment moment = new Moment(status);
    List<Sample> samples = new ArrayList<>(points.size());
    for (Point point : points) {
      Function<Moment, Value> gauge = AT_ONCE.get(point.address());
      samples.add(
          gauge == null
              ? Sample.bad(point.id(), Quality.BAD_NOT_FOUND)
              : Sample.good(point.id(), gauge.apply(moment)));
    }
    return samples;
  }

  /**
   * Samples of points that are {@link #slow}. Reads files: not on the loop, but one at a time.
   *
   * @param holdings asks the buffer
   */
  List<Sample> lookUp(List<Point> points, Supplier<Buffer.Holdings> holdings) {
    Look look = new Look(machine, kit.loop().now(), holdings);
    List<Sample> samples = new ArrayList<>(points.size());
    for (Point point : points) {
      samples.add(lookUp(point, look));
    }
    return samples;
  }

  private static Sample lookUp(Point point, Look look) {
    try {
      Value value = LOOKED_UP.get(point.address()).read(look);
      return value == null
          ? Sample.bad(point.id(), Quality.BAD_NOT_SUPPORTED)
          : Sample.good(point.id(), value);
    } catch (IOException | RuntimeException e) {
      LOG.debug("{} can't be looked up: {}", point.address(), Call.words(e));
      return Sample.bad(point.id(), Quality.BAD_DEVICE_FAILURE);
    }
  }

  /** How busy a lane is, and who doesn't answer on it. */
  private record Load(String lane, double busy, double unanswered, long offline) {
    boolean trouble() {
      return offline > 0 || busy >= FULL;
    }
  }

  /** Time that a plug-in had spent in calls when it was last asked for. */
  private record Busy(Duration inCalls, Duration present) {}

  /** What is so now; what costs something is counted when it is asked for, and once. */
  private final class Moment {
    private final Buffer.Status status;
    private final Monitor.Figures figures = kit.tally().figures();
    private final ClockState clock = kit.clock().state();
    private final List<Runner> runners = Gauges.this.runners.get();
    private List<Load> lanes;
    private List<DriverStatus> all;

    Moment(Buffer.Status status) {
      this.status = status;
    }

    Duration uptime() {
      return Duration.ofNanos(kit.loop().nanos() - began);
    }

    /** By how much the clock was set since the start. */
    Duration step() {
      return Duration.between(beganAt, kit.loop().now()).minus(uptime());
    }

    boolean clockLost() {
      if (clock != ClockState.UNSYNCHRONISED) {
        adriftSince = null;
        return false;
      }
      if (adriftSince == null) {
        adriftSince = kit.loop().nanos();
      }
      return kit.loop().nanos() - adriftSince >= LOST.toNanos();
    }

    Value devices(State state) {
      return Value.of(runners.stream().filter(r -> r.state() == state).count());
    }

    Value sum(ToLongFunction<Forwarding> figure) {
      return Value.of(status.forwarders().stream().mapToLong(figure).sum());
    }

    Value each(Function<Forwarding, Value> figure) {
      Map<String, Value> byPlatform = new LinkedHashMap<>();
      status.forwarders().forEach(f -> byPlatform.put(f.id(), figure.apply(f)));
      return new Value.Struct(byPlatform);
    }

    long plugIns(Predicate<Plugins.Status> which) {
      return plugins.get().stream().filter(p -> p.running() && which.test(p)).count();
    }

    List<DriverStatus> drivers() {
      if (all == null) {
        all = drivers.drivers();
      }
      return all;
    }

    long quarantined() {
      return drivers().stream().filter(d -> d.quarantine() != null).count();
    }

    Value drivers(ToLongFunction<DriverStatus> figure) {
      return Value.of(drivers().stream().mapToLong(figure).sum());
    }

    /** The part of one core that a plug-in's calls took since it was last asked for. */
    double busy(DriverStatus driver) {
      Busy before =
          busy.put(
              driver.plugin() + " " + driver.version(),
              new Busy(driver.inCalls(), driver.present()));
      boolean known = before != null && before.present.compareTo(driver.present()) < 0;
      long took = driver.inCalls().minus(known ? before.inCalls : Duration.ZERO).toNanos();
      long span = driver.present().minus(known ? before.present : Duration.ZERO).toNanos();
      return span <= 0 ? 0 : Math.max(0, (double) took / span);
    }

    Value eachDriver(ToDoubleFunction<DriverStatus> figure, Function<Double, Value> shown) {
      Map<String, Double> figures = new LinkedHashMap<>();
      // Of two versions of one plug-in, the sum.
      drivers().forEach(d -> figures.merge(d.plugin(), figure.applyAsDouble(d), Double::sum));
      return highest(figures, shown);
    }

    List<Load> lanes() {
      if (lanes == null) {
        Map<Lane, Long> offline = new LinkedHashMap<>();
        for (Runner runner : runners) {
          if (runner.lane() != null) {
            offline.merge(runner.lane(), runner.state() == State.OFFLINE ? 1L : 0L, Long::sum);
          }
        }
        lanes = new ArrayList<>();
        offline.forEach((lane, count) -> lanes.add(load(lane, count)));
      }
      return lanes;
    }

    private Load load(Lane lane, long offline) {
      LaneVitals.Figures figures = lane.vitals().figures(kit.loop().nanos());
      return new Load(
          lane.name(),
          Examiner.share(figures.busyNanos(), figures.span()),
          Examiner.share(figures.unansweredNanos(), figures.span()),
          offline);
    }

    /** The lanes of the highest figures, those first; none whose figure is 0. */
    Value worst(ToDoubleFunction<Load> figure, Function<Double, Value> shown) {
      Map<String, Double> figures = new LinkedHashMap<>();
      lanes().forEach(lane -> figures.put(lane.lane(), figure.applyAsDouble(lane)));
      return highest(figures, shown);
    }

    private static Value highest(Map<String, Double> figures, Function<Double, Value> shown) {
      Map<String, Value> named = new LinkedHashMap<>();
      figures.entrySet().stream()
          .filter(entry -> entry.getValue() > 0)
          .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
          .limit(MOST_NAMED)
          .forEach(entry -> named.put(entry.getKey(), shown.apply(entry.getValue())));
      return new Value.Struct(named);
    }
  }

  /** What is looked up together; the buffer is asked once for it. */
  private static final class Look {
    private final Machine machine;
    private final Instant now;
    private final Supplier<Buffer.Holdings> ask;
    private Buffer.Holdings holdings;
    private RuntimeException failure;

    Look(Machine machine, Instant now, Supplier<Buffer.Holdings> ask) {
      this.machine = machine;
      this.now = now;
      this.ask = ask;
    }

    Buffer.Holdings holdings() {
      if (failure != null) {
        throw failure;
      }
      if (holdings == null) {
        try {
          holdings = ask.get();
        } catch (RuntimeException e) {
          failure = e;
          throw e;
        }
      }
      return holdings;
    }

    /** Age of the oldest reading that a platform waits for. */
    Duration oldest() {
      Duration age = Duration.ZERO;
      for (Buffer.Owed owed : holdings().owed()) {
        Duration waited = Duration.between(owed.oldest(), now);
        age = waited.compareTo(age) > 0 ? waited : age;
      }
      return age;
    }
  }

  private static long heap() {
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private static Function<Double, Value> whole() {
    return number -> Value.of(number.longValue());
  }

  private static Value text(Enum<?> state) {
    return Value.of(state.name().toLowerCase(Locale.ROOT).replace('_', ' '));
  }

  /** {@code null} for none. */
  private static Value percent(Double share) {
    return share == null ? null : Value.of(Math.round(share * 1000) / 10.0);
  }

  /** {@code null} for none. */
  private static Value whole(Long number) {
    return number == null ? null : Value.of(number.longValue());
  }

  /** {@code null} for none. */
  private static Value decimal(Double number) {
    return number == null ? null : Value.of(number.doubleValue());
  }
}
