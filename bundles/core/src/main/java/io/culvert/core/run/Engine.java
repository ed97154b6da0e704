package io.culvert.core.run;

import io.culvert.api.Reading;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Doctor;
import io.culvert.api.service.Drivers;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Plugins;
import io.culvert.api.service.Query;
import io.culvert.api.service.Recorder;
import io.culvert.api.service.Scan;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.SerialTaps;
import io.culvert.core.model.Site;
import io.culvert.core.normalise.ClockSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts the running part together. Any thread; only ends block, and for seconds at most. */
final class Engine implements Monitor {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final long ENDING_MILLIS = 2000;

  private final Loop loop;
  private final Kit kit;
  private final Registry registry;
  private final CommandDesk commands;
  private final Scanner scanner;
  private final Examiner examiner;
  private final Recordings recordings;
  private final GatewayPoints gateway;
  private final Warden warden;
  private final Map<Object, Plugged> drivers = new LinkedHashMap<>();

  /** A driver with the threads it is called from, once for each scheme. */
  private record Plugged(Caller caller, List<Served> schemes) {}

  /**
   * @param notices where listeners and callers are told
   * @param searches where the disk is read
   * @param machine what it runs on
   * @param plugins those that are installed; asked on the loop
   */
  Engine(
      Loop loop,
      ClockSource clock,
      RandomGenerator random,
      Executor notices,
      Executor searches,
      Machine machine,
      Supplier<List<Plugins.Status>> plugins,
      BinaryOperator<String> where) {
    this.loop = loop;
    Outlet outlet = new Outlet(loop);
    kit =
        new Kit(
            loop,
            outlet,
            new GapBook(loop, outlet),
            new Recall(loop, outlet, searches),
            new Tally(),
            clock,
            random,
            notices,
            where);
    Lanes lanes = new Lanes(loop);
    registry = new Registry(kit, lanes);
    commands = new CommandDesk(kit, registry::gateway, registry::runner);
    scanner = new Scanner(kit, lanes, registry::best, registry::runner);
    examiner = new Examiner(kit, registry::all);
    recordings = new Recordings(kit, registry::runner, registry::gateway);
    warden = new Warden(kit, registry, scanner, machine, searches);
    gateway =
        new GatewayPoints(kit, new Gauges(kit, registry::all, machine, warden, plugins), searches);
    loop.execute(examiner::start);
    loop.execute(warden::start);
  }

  Commands commands() {
    return commands;
  }

  Scan scan() {
    return scanner;
  }

  Doctor doctor() {
    return examiner;
  }

  Drivers conduct() {
    return warden;
  }

  Recorder recorder() {
    return recordings;
  }

  /** What drivers say of the frames of a scheme, in place of what was said before. */
  void matcher(String scheme, String words) {
    recordings.matcher(scheme, words);
  }

  /**
   * @param taps {@code null} while there are none
   */
  void taps(SerialTaps taps) {
    recordings.taps(taps);
  }

  void site(Site site) {
    loop.execute(
        () -> {
          registry.apply(site);
          gateway.apply(site);
        });
  }

  /**
   * @param buffer {@code null} while there is none
   */
  void buffer(Buffer buffer) {
    loop.execute(
        () -> {
          kit.outlet().buffer(buffer);
          kit.gaps().flush();
          kit.recall().buffered();
        });
  }

  /**
   * @param query {@code null} while there is none
   */
  void query(Query query) {
    loop.execute(() -> kit.recall().query(query));
  }

  /**
   * @param key tells the registration
   */
  synchronized void addDriver(
      Object key,
      Driver driver,
      Collection<String> schemes,
      int ranking,
      PlugIn plugIn,
      long serviceId,
      Caller caller) {
    Conduct conduct = warden.of(plugIn);
    List<Served> all = new ArrayList<>();
    for (String scheme : schemes) {
      Served served = new Served(driver, scheme, ranking, serviceId, caller, conduct);
      all.add(served);
      conduct.add(served);
      loop.execute(() -> registry.add(served));
    }
    drivers.put(key, new Plugged(caller, all));
  }

  /** Closes what uses a driver and lets go of it. When this returns, nothing holds it any more. */
  synchronized void removeDriver(Object key) {
    Plugged plugged = drivers.remove(key);
    if (plugged == null) {
      return;
    }
    loop.call(
        () -> {
          for (Served served : plugged.schemes()) {
            scanner.drop(served, "the driver of " + served.scheme() + " has gone");
            registry.remove(served);
            served.conduct().remove(served);
          }
        },
        PATIENCE);
    // Once more around: what the driver had answered before is in the loop's inbox until then.
    loop.call(() -> {}, PATIENCE);
    end(List.of(plugged));
  }

  private static void end(Collection<Plugged> ending) {
    Map<Plugged, Caller.Ending> endings = new LinkedHashMap<>();
    ending.forEach(plugged -> endings.put(plugged, plugged.caller().close()));
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ENDING_MILLIS);
    endings.forEach(
        (plugged, last) -> {
          long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
          try {
            if (!last.await(Math.max(100, left))) {
              LOG.error(
                  "The driver of {} doesn't return from a call, even when interrupted; its threads"
                      + " and classes stay until it does",
                  plugged.schemes().get(0).scheme());
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  @Override
  public List<DeviceStatus> devices() {
    return registry.devices();
  }

  @Override
  public List<Reading> latest(String device) {
    return !device.isEmpty() && device.equals(registry.gateway())
        ? gateway.latest()
        : registry.latest(device);
  }

  @Override
  public String gateway() {
    return registry.gateway();
  }

  @Override
  public Figures figures() {
    return kit.tally().figures();
  }

  @Override
  public Watch watch(Listener listener) {
    loop.execute(() -> registry.watch(listener));
    return () -> loop.execute(() -> registry.unwatch(listener));
  }

  /** Ends everything. What is read and not yet entered in the ledger is entered, if it can be. */
  synchronized void close() {
    CountDownLatch entered = new CountDownLatch(1);
    boolean ended =
        loop.call(
            () -> {
              commands.close();
              scanner.close();
              recordings.close();
              registry.close();
              gateway.close();
              kit.gaps().close(entered::countDown);
            },
            PATIENCE);
    try {
      if (ended && !entered.await(1, TimeUnit.SECONDS)) {
        LOG.warn("The buffer didn't take the last entries of the ledger in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    end(drivers.values());
    drivers.clear();
    loop.close();
  }
}
