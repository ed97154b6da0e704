package io.culvert.plugins;

import io.culvert.api.service.Generations;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Plugins;
import io.culvert.plugins.hosting.Hosts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at {@code plugins/} once a second, from when the base is up. */
@Component(
    name = PluginsComponent.PID,
    configurationPid = PluginsComponent.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true)
@Designate(ocd = PluginsConfig.class)
public final class PluginsComponent implements Plugins {
  static final String PID = "io.culvert.plugins";

  private static final Logger LOG = LoggerFactory.getLogger(PluginsComponent.class);
  private static final long PERIOD_MILLIS = 1000;

  private final BundleContext context;
  private final ScheduledExecutorService thread;
  private final Manager manager;
  private final Hosts hosts;
  private final FrameworkListener whenStarted;
  private boolean begun;

  @Activate
  public PluginsComponent(
      BundleContext context,
      PluginsConfig config,
      @Reference Generations generations,
      @Reference Monitor monitor)
      throws IOException {
    this.context = context;
    Path home = Path.of(context.getProperty("culvert.home"));
    String property = context.getProperty("culvert.data");
    Path data = property == null ? home.resolve("data") : Path.of(property);
    Store store = new Store(data.resolve("store"));
    hosts = new Hosts(context, data);
    Path folder = home.resolve("plugins");
    if (!Files.exists(folder)) {
      LOG.warn("There is no plug-in inbox {}; make that folder to add device bundles", folder);
    }
    InstantSource clock = InstantSource.system();
    manager =
        new Manager(
            new Inbox(folder, clock),
            store,
            new Bundles(context, store, hosts),
            generations,
            monitor,
            new Examiner(home.resolve("etc/trust"), clock),
            clock,
            System::nanoTime,
            Settings.of(config));
    thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread t = new Thread(task, "culvert-plugins");
              t.setDaemon(true);
              return t;
            });
    whenStarted =
        event -> {
          if (event.getType() == FrameworkEvent.STARTED) {
            begin();
          }
        };
    // Before that, starting a bundle only marks it, and one that fails would go unnoticed.
    context.addFrameworkListener(whenStarted);
    if (context.getBundle(0).getState() == Bundle.ACTIVE) {
      begin();
    }
  }

  @Modified
  void modified(PluginsConfig config) {
    manager.configure(Settings.of(config));
  }

  @Deactivate
  void stop() throws InterruptedException {
    context.removeFrameworkListener(whenStarted);
    thread.shutdownNow();
    if (!thread.awaitTermination(10, TimeUnit.SECONDS)) {
      LOG.warn("A plug-in is still being started or stopped");
    }
    if (context.getBundle(0).getState() != Bundle.STOPPING) {
      hosts.close();
    }
    // Else they end with their bundles, which stop when the core has let its devices go.
  }

  @Override
  public List<Status> plugins() {
    return manager.plugins();
  }

  @Override
  public List<String> problems() {
    return manager.problems();
  }

  @Override
  public List<Process> processes() {
    return hosts.processes();
  }

  private synchronized void begin() {
    if (begun) {
      return;
    }
    begun = true;
    thread.execute(() -> guard(manager::start));
    thread.scheduleWithFixedDelay(
        () -> guard(manager::pass), 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  private interface Step {
    void run() throws InterruptedException;
  }

  /** Whatever one pass throws, there is a next. */
  private static void guard(Step step) {
    try {
      step.run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      LOG.error("Looking at the plug-in inbox failed", e);
    }
  }
}
