package io.culvert.plugins.hosting;

import io.culvert.api.service.Plugins.Process;
import io.culvert.api.service.Secrets;
import io.culvert.api.southbound.SerialLines;
import io.culvert.plugins.Header;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Supplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.SynchronousBundleListener;

/**
 * The hosted plug-ins of this gateway. One process each; in the gateway's own framework stands a
 * shadow in place of each, which holds its profiles and its drivers.
 */
public final class Hosts implements AutoCloseable {
  private final Supplier<Kit> kit;
  private final Limits limits;
  private final Path data;
  private final Supplier<SerialLines> lines;
  private final Supplier<Secrets> secrets;
  private final ScheduledThreadPoolExecutor timers;
  private final Map<String, Hosted> hosted = new ConcurrentHashMap<>();
  private final SynchronousBundleListener whenStopping = this::changed;

  /** {@code null} in tests that stop what they start themselves. */
  private Bundle system;

  /**
   * @param context of a bundle of the gateway, whose installation the processes run on
   * @param data folder of the gateway
   */
  public Hosts(BundleContext context, Path data) {
    this(
        () -> {
          try {
            return Kit.of(context);
          } catch (IOException e) {
            throw new IllegalStateException(e.getMessage(), e);
          }
        },
        Limits.USUAL,
        data,
        () -> service(context, SerialLines.class),
        () -> service(context, Secrets.class));
    system = context.getBundle(0);
    system.getBundleContext().addBundleListener(whenStopping);
  }

  private static <T> T service(BundleContext context, Class<T> type) {
    ServiceReference<T> reference = context.getServiceReference(type);
    return reference == null ? null : context.getService(reference);
  }

  Hosts(
      Supplier<Kit> kit,
      Limits limits,
      Path data,
      Supplier<SerialLines> lines,
      Supplier<Secrets> secrets) {
    this.kit = kit;
    this.limits = limits;
    this.data = data;
    this.lines = lines;
    this.secrets = secrets;
    timers =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "culvert-hosting");
              thread.setDaemon(true);
              return thread;
            });
    timers.setRemoveOnCancelPolicy(true);
    timers.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /**
   * A shadow that stops takes its process along; when the gateway stops, all do at the same time.
   */
  private void changed(BundleEvent event) {
    String name = event.getBundle().getSymbolicName();
    if (event.getType() == BundleEvent.STOPPING && name != null && hosts(name)) {
      if (system.getState() == Bundle.ACTIVE) {
        stop(name);
      } else {
        close();
      }
    }
  }

  /** What a plug-in is in the gateway's framework while it is hosted, as a jar. */
  public static InputStream shadow(Path jar) throws IOException {
    return Shadow.of(jar);
  }

  /** The jar of a plug-in, where it may be altered from outside while the plug-in runs. */
  @FunctionalInterface
  public interface Jar {
    /**
     * Asked before each start of the process, also when it is started again. May block.
     *
     * @throws IOException if it isn't what was checked, in words
     */
    Path intact() throws IOException;
  }

  /**
   * Starts a plug-in in a process of its own. Blocks until its drivers are there.
   *
   * @param shadow its started shadow
   * @param memory of its heap, in MiB
   * @throws BundleException if it doesn't start, and why; nothing is left of it then
   */
  public void start(Bundle shadow, Jar jar, int memory)
      throws BundleException, InterruptedException {
    String name = shadow.getSymbolicName();
    stop(name);
    Kit made;
    try {
      made = kit.get();
    } catch (IllegalStateException e) {
      throw new BundleException("no process of its own can be made: " + e.getMessage());
    }
    Run.Plan plan =
        new Run.Plan(
            made,
            limits,
            name,
            jar,
            memory,
            data.resolve("run").toAbsolutePath(),
            data.resolve("cache").resolve("hosted").resolve(name).toAbsolutePath(),
            lines,
            secrets);
    Hosted each = new Hosted(plan, shadow.getBundleContext(), schemes(shadow), timers);
    hosted.put(name, each);
    try {
      each.start();
    } catch (BundleException | InterruptedException e) {
      hosted.remove(name);
      throw e;
    }
  }

  /** In small letters, as devices name them. */
  private static Set<String> schemes(Bundle shadow) {
    Set<String> schemes = new LinkedHashSet<>();
    for (Header.Clause clause : Header.parse(shadow.getHeaders("").get("Culvert-Schemes"))) {
      clause.paths().forEach(scheme -> schemes.add(scheme.toLowerCase(Locale.ROOT)));
    }
    return schemes;
  }

  /** Ends a plug-in's process, if there is one. Blocks, for some seconds at most. */
  public void stop(String name) {
    Hosted each = hosted.remove(name);
    if (each != null) {
      each.stop();
    }
  }

  /** Whether a plug-in is hosted. */
  public boolean hosts(String name) {
    return hosted.containsKey(name);
  }

  /** What is wrong with a plug-in's process, in words; {@code ""} if nothing. */
  public String trouble(String name) {
    Hosted each = hosted.get(name);
    return each == null ? "" : each.trouble();
  }

  /** The processes that run. */
  public List<Process> processes() {
    List<Process> processes = new ArrayList<>();
    hosted.forEach((name, each) -> each.process().ifPresent(processes::add));
    return processes;
  }

  /** Ends all of them, at the same time. Blocks, for some seconds at most. */
  @Override
  public void close() {
    BundleContext context = system == null ? null : system.getBundleContext();
    if (context != null) {
      context.removeBundleListener(whenStopping);
    }
    List<Thread> stopping = new ArrayList<>();
    for (String name : Set.copyOf(hosted.keySet())) {
      Thread thread = new Thread(() -> stop(name), "culvert-hosted-" + name + "-stops");
      thread.start();
      stopping.add(thread);
    }
    for (Thread thread : stopping) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
    timers.shutdownNow();
  }
}
