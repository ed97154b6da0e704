package io.culvert.plugins;

import io.culvert.api.service.Generations.Plugin;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.Version;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.framework.wiring.FrameworkWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings the running bundles to a lock, touching only those that differ. One thread at a time. */
final class Bundles {
  private static final Logger LOG = LoggerFactory.getLogger(Bundles.class);

  /** Location of a bundle that is ours; the rest is its symbolic name. */
  private static final String LOCATION = "culvert-plugin:";

  private static final long REFRESH_LIMIT_SECONDS = 30;

  private final BundleContext context;
  private final Store store;

  /** What runs, by symbolic name; a bundle that failed isn't here. */
  private final Map<String, Plugin> running = new TreeMap<>();

  Bundles(BundleContext context, Store store) {
    this.context = context;
    this.store = store;
  }

  /** Whether the bundle of this plug-in runs with exactly this content. */
  boolean runs(String name, Plugin plugin) {
    Plugin r = running.get(name);
    return r != null && r.sha256().equals(plugin.sha256());
  }

  /** Whether a symbolic name belongs to the base, so that no plug-in may take it. */
  boolean ofBase(String name) {
    for (Bundle bundle : context.getBundles()) {
      if (name.equals(bundle.getSymbolicName()) && !bundle.getLocation().startsWith(LOCATION)) {
        return true;
      }
    }
    return false;
  }

  /** Packages of the API that this gateway has, with their versions. */
  Map<String, Version> api() {
    Map<String, Version> api = new TreeMap<>();
    for (Bundle bundle : context.getBundles()) {
      BundleWiring wiring = bundle.adapt(BundleWiring.class);
      if (wiring == null || bundle.getLocation().startsWith(LOCATION)) {
        continue;
      }
      for (BundleCapability each : wiring.getCapabilities(BundleRevision.PACKAGE_NAMESPACE)) {
        Object name = each.getAttributes().get(BundleRevision.PACKAGE_NAMESPACE);
        if (name instanceof String text
            && (text.equals(JarCheck.API) || text.startsWith(JarCheck.API + "."))) {
          api.put(text, (Version) each.getAttributes().get(Constants.VERSION_ATTRIBUTE));
        }
      }
    }
    return api;
  }

  /**
   * @throws InterruptedException also if the framework stops meanwhile
   * @return why a plug-in of the lock doesn't run, by symbolic name; empty if all do
   */
  Map<String, String> bring(Map<String, Plugin> lock) throws InterruptedException {
    for (String name : new TreeSet<>(ours().keySet())) {
      if (!lock.containsKey(name)) {
        remove(name);
      }
    }
    Map<String, String> failures = new LinkedHashMap<>();
    for (Map.Entry<String, Plugin> entry : new TreeMap<>(lock).entrySet()) {
      String name = entry.getKey();
      Plugin plugin = entry.getValue();
      if (runs(name, plugin)) {
        continue;
      }
      try {
        put(name, plugin);
        running.put(name, plugin);
      } catch (BundleException | IllegalStateException e) {
        if (context.getBundle(0).getState() != Bundle.ACTIVE) {
          // The gateway stops: that says nothing of the plug-in, and must not become a generation.
          throw new InterruptedException("the framework stops");
        }
        running.remove(name);
        failures.put(name, Reason.of(e));
      } catch (IOException e) {
        running.remove(name);
        failures.put(name, "its jar can't be read from the store: " + e);
      }
    }
    return failures;
  }

  /** Stops a plug-in whose successor is about to come; nothing if it isn't there. */
  void stop(String name) {
    Bundle bundle = ours().get(name);
    running.remove(name);
    if (bundle != null) {
      try {
        bundle.stop();
      } catch (BundleException e) {
        LOG.warn("Plug-in {} failed to stop: {}", name, Reason.of(e));
      }
    }
  }

  private void put(String name, Plugin plugin)
      throws BundleException, IOException, InterruptedException {
    Bundle bundle = ours().get(name);
    String verb;
    try (InputStream jar = Files.newInputStream(store.path(plugin.sha256()))) {
      if (bundle == null) {
        verb = "started";
        bundle = context.installBundle(LOCATION + name, jar);
      } else {
        verb = "upgraded";
        bundle.stop();
        bundle.update(jar);
        // Until then the class loader of the old content stays.
        refresh(bundle);
      }
    }
    bundle.adapt(BundleStartLevel.class).setStartLevel(level());
    bundle.start(Bundle.START_ACTIVATION_POLICY);
    LOG.info("Plug-in {} {} {} ({})", name, plugin.version(), verb, plugin.origin());
  }

  /**
   * Below the base's bundles, so that the core stops first when the gateway does: it lets its
   * devices go itself, and no device is told to be without a driver.
   */
  private int level() {
    return Math.max(1, context.getBundle().adapt(BundleStartLevel.class).getStartLevel() - 1);
  }

  private void remove(String name) throws InterruptedException {
    Bundle bundle = ours().get(name);
    running.remove(name);
    try {
      bundle.uninstall();
    } catch (BundleException e) {
      LOG.error("Plug-in {} doesn't go: {}", name, Reason.of(e), e);
      return;
    }
    refresh(bundle);
    LOG.info("Plug-in {} removed", name);
  }

  private void refresh(Bundle bundle) throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    context
        .getBundle(0)
        .adapt(FrameworkWiring.class)
        .refreshBundles(
            List.of(bundle),
            event -> {
              if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                done.countDown();
              }
            });
    if (!done.await(REFRESH_LIMIT_SECONDS, TimeUnit.SECONDS)) {
      LOG.error("The framework doesn't refresh {}; going on", bundle.getSymbolicName());
    }
  }

  private Map<String, Bundle> ours() {
    Map<String, Bundle> found = new TreeMap<>();
    for (Bundle bundle : context.getBundles()) {
      if (bundle.getLocation().startsWith(LOCATION)) {
        found.put(bundle.getLocation().substring(LOCATION.length()), bundle);
      }
    }
    return found;
  }
}
