package io.culvert.core.run;

import io.culvert.api.Access;
import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.api.service.Monitor.DeviceStatus;
import io.culvert.api.service.Plugins;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.osgi.framework.Version;

/** The engine under a clock that the test drives: nothing happens but in {@link #advance}. */
final class Rig {
  static final Instant START = Instant.parse("2026-11-21T00:00:00Z");
  static final Duration SECOND = Duration.ofSeconds(1);
  static final String GATEWAY = "cabinet-17";

  /** Files as the kernel of a small board shows them. */
  static final Path MACHINE = Path.of("src/test/resources/machine");

  private volatile long nanos = 1_000_000_000_000L;
  private final long began = nanos;
  final Loop loop = new Loop(() -> nanos, this::now);
  final Engine engine;
  final FakeBuffer buffer = new FakeBuffer();
  final FakeDriver driver = new FakeDriver(this);
  private final List<Site.Entry> devices = new ArrayList<>();

  /** What is looked up in files waits here; {@code null} if it is done at once. */
  List<Runnable> searches;

  ClockState clock = ClockState.SYNCHRONISED;

  /** By how much the wall clock is off. */
  Duration step = Duration.ZERO;

  /** Processor time used so far. */
  Duration cpu = Duration.ZERO;

  /** What is installed. */
  List<Plugins.Status> plugins = List.of();

  /** What the gateway tells of itself; {@code null} for nothing. */
  Profile own;

  Rig() {
    this(true);
  }

  /**
   * @param buffered whether there is a buffer from the beginning
   */
  Rig(boolean buffered) {
    this(buffered, MACHINE);
  }

  /**
   * @param machine where the kernel's files are
   */
  Rig(boolean buffered, Path machine) {
    engine =
        new Engine(
            loop,
            () -> clock,
            new SplittableRandom(17),
            Runnable::run,
            this::search,
            new Machine(machine, MACHINE, () -> nanos, () -> Optional.of(cpu)),
            () -> plugins,
            (device, key) -> "etc/site.json:7: " + key);
    if (buffered) {
      engine.buffer(buffer);
    }
  }

  private void search(Runnable search) {
    if (searches == null) {
      search.run();
    } else {
      searches.add(search);
    }
  }

  Instant now() {
    return START.plusNanos(nanos - began).plus(step);
  }

  /** Since the beginning. */
  Duration elapsed() {
    return Duration.ofNanos(nanos - began);
  }

  /** Lets time pass, stopping wherever a timer is due. */
  Rig advance(Duration by) {
    long target = nanos + by.toNanos();
    loop.runDue();
    while (loop.nextDue() <= target) {
      nanos = Math.max(nanos, loop.nextDue());
      loop.runDue();
    }
    nanos = target;
    loop.runDue();
    return this;
  }

  Rig seconds(long seconds) {
    return advance(Duration.ofSeconds(seconds));
  }

  /** Does what is due now, and no more. */
  Rig settle() {
    return advance(Duration.ZERO);
  }

  Rig plug() {
    return plug("fake", driver, 0, "1.0.0");
  }

  Rig plug(Object key, FakeDriver plugged, int ranking, String version) {
    return plug(key, plugged, ranking, version, new DirectCaller());
  }

  Rig plug(Object key, FakeDriver plugged, int ranking, String version, Caller caller) {
    PlugIn plugIn =
        new PlugIn("io.culvert." + key, new Version(version), 0, plugged.scheme.equals("evil"));
    engine.addDriver(
        key, plugged, List.of(plugged.scheme), ranking, plugIn, key.hashCode(), caller);
    return settle();
  }

  /** Adds a device to the site, or changes it; {@link #apply} makes it so. */
  Rig device(String id, String lane) {
    return device(entry(id, lane, SECOND, Duration.ofSeconds(2), profile("plain", 2)));
  }

  Rig device(Site.Entry entry) {
    for (int i = 0; i < devices.size(); i++) {
      if (devices.get(i).device().id().equals(entry.device().id())) {
        devices.set(i, entry);
        return this;
      }
    }
    devices.add(entry);
    return this;
  }

  Rig without(String id) {
    devices.removeIf(entry -> entry.device().id().equals(id));
    return this;
  }

  Rig apply() {
    engine.site(new Site(GATEWAY, own, devices));
    return settle();
  }

  DeviceStatus status(String id) {
    return engine.devices().stream().filter(s -> s.id().equals(id)).findFirst().orElseThrow();
  }

  static Site.Entry entry(
      String id, String lane, Duration interval, Duration timeout, Profile profile) {
    return new Site.Entry(
        new Device(id, "plain", URI.create("fake://" + lane + "/" + id), Map.of()),
        profile,
        interval,
        timeout,
        "");
  }

  /** Points {@code p0}, {@code p1} … of raw integers that can be read and written. */
  static Profile profile(String id, int points) {
    List<PointModel> models = new ArrayList<>();
    for (int i = 0; i < points; i++) {
      models.add(model("p" + i, Access.READ_WRITE, StreamClass.TELEMETRY, null, null));
    }
    return new Profile(id, "fake", SECOND, Map.of(), models);
  }

  static PointModel model(
      String id, Access access, StreamClass streamClass, Double min, Double max) {
    return new PointModel(
        new Point(id, "holding:0", DataType.INT32, access),
        new BigDecimal("0.1"),
        BigDecimal.ZERO,
        "m",
        min,
        max,
        streamClass,
        Grade.GENERAL,
        null);
  }

  /** Calls at once, on the thread that asks: the loop. */
  static final class DirectCaller extends Caller {
    @Override
    public void execute(Runnable action) {
      action.run();
    }

    @Override
    Ending close() {
      return millis -> true;
    }
  }
}
