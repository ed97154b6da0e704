package io.culvert.plugins;

import io.culvert.api.service.Generations.Plugin;
import io.culvert.plugins.hosting.Hosts;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.Version;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;
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
  private final Hosts hosts;
  private final Duration patience;

  /** What bundles hang in, by symbolic name. */
  private final Map<String, String> stuck = new ConcurrentHashMap<>();

  private Place.Choice choice = (name, plugin) -> Place.GATEWAY;

  /** What runs, by symbolic name; a bundle that failed isn't here. */
  private final Map<String, Running> running = new TreeMap<>();

  /**
   * @param wanted where it has to run
   * @param actual where it runs
   * @param trouble why that isn't the same; {@code ""} if it is
   */
  private record Running(Plugin plugin, Place wanted, Place actual, String trouble) {}

  Bundles(BundleContext context, Store store, Hosts hosts) {
    this(context, store, hosts, Duration.ofSeconds(60));
  }

  /**
   * @param patience so long a bundle may take to start or stop
   */
  Bundles(BundleContext context, Store store, Hosts hosts, Duration patience) {
    this.context = context;
    this.store = store;
    this.hosts = hosts;
    this.patience = patience;
  }

  private interface Step {
    void run() throws BundleException;
  }

  /**
   * Has the framework call into a bundle, whose own code may never return. Interrupted after its
   * time, it has as much again to end; if it doesn't, the framework holds it for ever, and so would
   * everyone who asks it something about this bundle.
   */
  private void limited(String name, String what, Step step)
      throws BundleException, InterruptedException {
    String hangs = stuck(name);
    if (!hangs.isEmpty()) {
      throw new BundleException(hangs);
    }
    CompletableFuture<Void> end = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                step.run();
                end.complete(null);
              } catch (Throwable t) {
                end.completeExceptionally(t);
              }
            },
            "culvert-plugin-" + name + "-" + what);
    thread.setDaemon(true);
    thread.start();
    String late = "";
    try {
      if (ended(end)) {
        return;
      }
      late = "its " + what + " hadn't returned after " + patience.toSeconds() + " s";
      thread.interrupt();
      if (ended(end)) {
        LOG.warn("Plug-in {}: {}, and did when it was interrupted", name, late);
        return;
      }
    } catch (ExecutionException e) {
      if (!late.isEmpty()) {
        throw new BundleException(late);
      }
      if (e.getCause() instanceof BundleException thrown) {
        throw thrown;
      }
      throw new IllegalStateException(e.getCause().toString(), e.getCause());
    } catch (InterruptedException e) {
      thread.interrupt();
      throw e;
    }
    String sentence = late + ", nor when it was interrupted; restart the gateway to be rid of it";
    stuck.put(name, sentence);
    end.whenComplete((nothing, error) -> stuck.remove(name));
    throw new BundleException(sentence);
  }

  private boolean ended(CompletableFuture<Void> end)
      throws ExecutionException, InterruptedException {
    try {
      end.get(patience.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  /** What a bundle hangs in, in words; {@code ""} if it doesn't. */
  String stuck(String name) {
    return stuck.getOrDefault(name, "");
  }

  /** Says where plug-ins run from the next {@link #bring} on. */
  void choose(Place.Choice choice) {
    this.choice = choice;
  }

  /** Whether the bundle of this plug-in runs with exactly this content. */
  boolean runs(String name, Plugin plugin) {
    Running r = running.get(name);
    return r != null && r.plugin().sha256().equals(plugin.sha256());
  }

  /** Whether it runs, and no other place was tried than the one where it has to. */
  boolean runsInPlace(String name, Plugin plugin) {
    return runs(name, plugin) && running.get(name).wanted().equals(choice.of(name, plugin));
  }

  /** Whether it runs in a process of its own. */
  boolean hosted(String name) {
    Running r = running.get(name);
    return r != null && r.actual().hosted();
  }

  /** What is wrong with the place where it runs; {@code ""} if nothing. */
  String trouble(String name) {
    Running r = running.get(name);
    return r == null || r.trouble().isEmpty() ? hosts.trouble(name) : r.trouble();
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
        if (name instanceof String text && JarCheck.ofApi(text)) {
          api.put(text, (Version) each.getAttributes().get(Constants.VERSION_ATTRIBUTE));
        }
      }
    }
    return api;
  }

  /**
   * Brings the bundles to a lock.
   *
   * @param later plug-ins of the lock that aren't started if they don't run
   * @return why others of the lock don't run, by symbolic name; empty if all do
   * @throws InterruptedException also if the framework stops meanwhile
   */
  Map<String, String> bring(Map<String, Plugin> lock, Set<String> later)
      throws InterruptedException {
    for (String name : new TreeSet<>(ours().keySet())) {
      if (!lock.containsKey(name)) {
        remove(name);
      }
    }
    Map<String, String> failures = new LinkedHashMap<>();
    for (Map.Entry<String, Plugin> entry : new TreeMap<>(lock).entrySet()) {
      String name = entry.getKey();
      Plugin plugin = entry.getValue();
      if (runsInPlace(name, plugin) || later.contains(name)) {
        continue;
      }
      try {
        Place place = choice.of(name, plugin);
        if (runs(name, plugin)) {
          running.put(name, move(name, plugin, place));
        } else {
          put(name, plugin, place);
          running.put(name, new Running(plugin, place, place, ""));
        }
      } catch (BundleException | IllegalStateException e) {
        if (context.getBundle(0).getState() != Bundle.ACTIVE) {
          // The gateway stops: that says nothing of the plug-in, and must not become a generation.
          throw new InterruptedException("the framework stops");
        }
        running.remove(name);
        failures.put(name, Reason.of(e));
      } catch (IOException e) {
        running.remove(name);
        failures.put(name, "its jar can't be taken from the store: " + e);
      }
    }
    return failures;
  }

  /** Stops a plug-in whose successor is about to come; nothing if it isn't there. */
  void stop(String name) throws InterruptedException {
    Bundle bundle = ours().get(name);
    running.remove(name);
    hosts.stop(name);
    if (bundle != null) {
      try {
        limited(name, "stop", bundle::stop);
      } catch (BundleException | IllegalStateException e) {
        LOG.warn("Plug-in {} failed to stop: {}", name, Reason.of(e));
      }
    }
  }

  /** A plug-in that runs stays where it is if it can't run where it has to. */
  private Running move(String name, Plugin plugin, Place place)
      throws BundleException, IOException, InterruptedException {
    Place before = running.get(name).actual();
    try {
      put(name, plugin, place);
      return new Running(plugin, place, place, "");
    } catch (BundleException e) {
      String trouble =
          "can't run in %s (%s), and goes on in %s"
              .formatted(words(place), Reason.of(e), words(before));
      LOG.error("Plug-in {}: {}", name, trouble);
      put(name, plugin, before);
      return new Running(plugin, place, before, trouble);
    }
  }

  private static String words(Place place) {
    return place.hosted()
        ? "a process of its own with %d MiB of heap".formatted(place.memory())
        : "the gateway's process";
  }

  private void put(String name, Plugin plugin, Place place)
      throws BundleException, IOException, InterruptedException {
    Bundle bundle = ours().get(name);
    Path file = store.path(plugin.sha256());
    store.expectIntact(plugin.sha256());
    String verb = runs(name, plugin) ? "moved" : "upgraded";
    hosts.stop(name);
    try (InputStream jar = place.hosted() ? Hosts.shadow(file) : Files.newInputStream(file)) {
      if (bundle == null) {
        verb = "started";
        bundle = install(name, jar);
      } else {
        limited(name, "stop", bundle::stop);
        bundle.update(jar);
        // Until then the class loader of the old content stays.
        refresh(bundle);
      }
    }
    BundleStartLevel level = bundle.adapt(BundleStartLevel.class);
    if (level.getStartLevel() != level()) {
      level.setStartLevel(level());
    }
    Bundle whole = bundle;
    limited(name, "start", () -> whole.start(Bundle.START_ACTIVATION_POLICY));
    if (place.hosted()) {
      host(bundle, plugin, place);
    }
    LOG.info(
        "Plug-in {} {} {} ({}){}",
        name,
        plugin.version(),
        verb,
        plugin.origin(),
        place.hosted() ? ", in a process of its own" : "");
  }

  /**
   * At its level from the beginning: the framework would come on a thread of its own to a bundle
   * that is given another one, and start it once more if its start has just failed.
   */
  private Bundle install(String name, InputStream jar) throws BundleException {
    FrameworkStartLevel levels = context.getBundle(0).adapt(FrameworkStartLevel.class);
    int usual = levels.getInitialBundleStartLevel();
    levels.setInitialBundleStartLevel(level());
    try {
      return context.installBundle(LOCATION + name, jar);
    } finally {
      levels.setInitialBundleStartLevel(usual);
    }
  }

  private void host(Bundle bundle, Plugin plugin, Place place)
      throws BundleException, InterruptedException {
    try {
      hosts.start(
          bundle,
          () -> {
            store.expectIntact(plugin.sha256());
            return store.path(plugin.sha256());
          },
          place.memory());
    } catch (BundleException | InterruptedException e) {
      bundle.stop();
      throw e;
    }
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
    hosts.stop(name);
    try {
      limited(name, "stop", bundle::uninstall);
    } catch (BundleException | IllegalStateException e) {
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
