package io.culvert.core.run;

import io.culvert.api.Reading;
import io.culvert.api.service.Monitor;
import io.culvert.core.model.Site;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The devices of the site in force and the drivers there are. Applies a site by difference: whom
 * nothing changed for doesn't notice. Used on the loop, except where it says otherwise.
 */
final class Registry {
  private static final Logger LOG = LoggerFactory.getLogger(Registry.class);

  private final Kit kit;
  private final Lanes lanes;
  private final Map<String, TreeSet<Served>> drivers = new LinkedHashMap<>();
  private final List<Monitor.Listener> listeners = new ArrayList<>();

  /** By id, in the site's order; replaced whole, so that any thread may look. */
  private volatile Map<String, Runner> runners = Map.of();

  private volatile String gateway = "";

  Registry(Kit kit, Lanes lanes) {
    this.kit = kit;
    this.lanes = lanes;
  }

  /** Id of the gateway, {@code ""} while there is no site. Any thread. */
  String gateway() {
    return gateway;
  }

  /** Any thread. */
  Runner runner(String device) {
    return runners.get(device);
  }

  /** In the site's order. Any thread. */
  List<Runner> all() {
    return List.copyOf(runners.values());
  }

  /** Any thread. */
  List<Monitor.DeviceStatus> devices() {
    List<Monitor.DeviceStatus> all = new ArrayList<>();
    runners.values().forEach(runner -> all.add(runner.status()));
    return all;
  }

  /** Any thread. */
  List<Reading> latest(String device) {
    Runner runner = runners.get(device);
    return runner == null ? List.of() : runner.latest();
  }

  void apply(Site site) {
    gateway = site.gateway();
    Map<String, Runner> before = runners;
    Map<String, Runner> after = new LinkedHashMap<>();
    List<Runner> fresh = new ArrayList<>();
    for (Site.Entry entry : site.devices()) {
      Runner old = before.get(entry.device().id());
      if (old != null && old.entry().equals(entry)) {
        after.put(old.id(), old);
      } else {
        Runner runner = new Runner(kit, lanes, entry, this::changed);
        after.put(runner.id(), runner);
        fresh.add(runner);
      }
    }
    for (Runner old : before.values()) {
      Runner kept = after.get(old.id());
      if (kept == null) {
        old.remove();
      } else if (kept != old) {
        old.stop("its configuration changed");
      }
    }
    runners = after;
    fresh.forEach(runner -> runner.begin(best(runner.scheme())));
    LOG.info("Site in force: {} devices, {} of them new or changed", after.size(), fresh.size());
  }

  /** The best driver of a scheme, {@code null} for none. */
  Served best(String scheme) {
    TreeSet<Served> serving = drivers.get(scheme);
    return serving == null ? null : serving.first();
  }

  void add(Served served) {
    String scheme = served.scheme().toLowerCase(Locale.ROOT);
    drivers.computeIfAbsent(scheme, s -> new TreeSet<>()).add(served);
    follow(scheme);
  }

  /** Ends everything that uses a driver and lets go of it. */
  void remove(Served served) {
    String scheme = served.scheme().toLowerCase(Locale.ROOT);
    TreeSet<Served> serving = drivers.get(scheme);
    if (serving != null && serving.remove(served) && serving.isEmpty()) {
      drivers.remove(scheme);
    }
    follow(scheme);
    served.release();
  }

  /** Devices that are to use a plug-in's drivers. */
  List<Runner> users(Conduct conduct) {
    return runners.values().stream()
        .filter(runner -> runner.served() != null && runner.served().conduct() == conduct)
        .toList();
  }

  private void follow(String scheme) {
    Served best = best(scheme);
    for (Runner runner : runners.values()) {
      if (runner.sound() && runner.served() != best && runner.scheme().equals(scheme)) {
        runner.use(best);
      }
    }
  }

  /** Tells a listener how every device is, then of each change, away from the loop. */
  void watch(Monitor.Listener listener) {
    listeners.add(listener);
    for (Runner runner : runners.values()) {
      tell(listener, runner.status());
    }
  }

  void unwatch(Monitor.Listener listener) {
    listeners.remove(listener);
  }

  private void changed(Runner runner) {
    Monitor.DeviceStatus status = runner.status();
    switch (status.state()) {
      case ONLINE, STARTING, REMOVED -> LOG.info("{}: {}", status.id(), status.state());
      // Every device waits until the plug-ins have started: nothing to warn of.
      case WAITING -> LOG.info("{}: {}: {}", status.id(), status.state(), status.message());
      default -> LOG.warn("{}: {}: {}", status.id(), status.state(), status.message());
    }
    for (Monitor.Listener listener : listeners) {
      tell(listener, status);
    }
  }

  private void tell(Monitor.Listener listener, Monitor.DeviceStatus status) {
    kit.notices()
        .execute(
            () -> {
              try {
                listener.changed(status);
              } catch (RuntimeException e) {
                LOG.error("A listener to the state of devices failed", e);
              }
            });
  }

  /** Ends every device. */
  void close() {
    runners.values().forEach(runner -> runner.stop("the gateway was stopped"));
    listeners.clear();
  }
}
