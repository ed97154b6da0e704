package io.culvert.plugins.hosting;

import io.culvert.api.service.Plugins.Process;
import io.culvert.api.southbound.Driver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceRegistration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One hosted plug-in: keeps its process, and its drivers in the gateway's framework. What changes
 * is changed on one thread of its own, which ends while it is idle.
 */
final class Hosted implements Run.Owner {
  private final Run.Plan plan;
  private final BundleContext shadow;
  private final Set<String> declared;
  private final ScheduledExecutorService timers;
  private final Logger log;
  private final ThreadPoolExecutor thread;
  private final Pauses pauses;
  private final CompletableFuture<Void> firstStart = new CompletableFuture<>();
  private final Map<HostedDriver, ServiceRegistration<Driver>> drivers = new LinkedHashMap<>();
  private volatile Run run;
  private volatile boolean stopping;

  /** The last end; {@code null} if there was none since the last good life. */
  private volatile End end;

  /**
   * @param why as the rest of a sentence that begins with "its process"
   * @param times since the last good life
   * @param first when it ended the first time since, as {@link System#nanoTime}
   * @param at when it ended
   * @param again when it is started again
   */
  private record End(String why, int times, long first, long at, long again) {}

  /**
   * @param shadow context of the bundle for which drivers are registered
   * @param declared schemes that the plug-in's manifest names, in small letters; others don't get
   *     through
   */
  Hosted(
      Run.Plan plan, BundleContext shadow, Set<String> declared, ScheduledExecutorService timers) {
    this.plan = plan;
    this.shadow = shadow;
    this.declared = declared;
    this.timers = timers;
    log = LoggerFactory.getLogger("io.culvert.plugins.hosting." + plan.name());
    pauses = new Pauses(plan.limits().pause(), plan.limits().longestPause(), plan.limits().good());
    thread =
        new ThreadPoolExecutor(
            1,
            1,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread t = new Thread(task, "culvert-hosted-" + plan.name());
              t.setDaemon(true);
              return t;
            });
    thread.allowCoreThreadTimeOut(true);
  }

  /**
   * Starts the process; when this returns, the plug-in has started in it and its drivers are there.
   * Blocks.
   *
   * @throws BundleException if the plug-in doesn't start, and why; then nothing is left of it
   */
  void start() throws BundleException, InterruptedException {
    execute(this::launch);
    try {
      firstStart.get();
    } catch (ExecutionException e) {
      stop();
      throw new BundleException(e.getCause().getMessage());
    } catch (InterruptedException e) {
      stop();
      throw e;
    }
  }

  /** Ends the process and takes its drivers back. Blocks, for some seconds at most. */
  void stop() {
    stopping = true;
    // From another thread than the one that waits for the start.
    firstStart.completeExceptionally(new IOException("its process was stopped"));
    execute(
        () -> {
          drivers.values().forEach(Hosted::unregister);
          drivers.clear();
        });
    Run last = run;
    if (last != null) {
      try {
        last.stop();
      } catch (InterruptedException e) {
        last.kill("was stopped");
        Thread.currentThread().interrupt();
      }
    }
    thread.shutdown();
    try {
      thread.awaitTermination(plan.limits().farewell().toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    // One that was being started meanwhile.
    Run late = run;
    if (late != null && late != last) {
      late.kill("was stopped");
    }
  }

  /** What is wrong, in words; {@code ""} if nothing. */
  String trouble() {
    End last = end;
    Run now = run;
    if (last == null || now != null && now.age().compareTo(plan.limits().good()) > 0) {
      return "";
    }
    long time = System.nanoTime();
    String often =
        last.times() == 1
            ? ""
            : " (%d times in %s)".formatted(last.times(), words(last.at() - last.first()));
    String next =
        now == null
            ? "; it is started again in " + words(Math.max(0, last.again() - time))
            : " %s ago; it runs again".formatted(words(time - last.at()));
    return "its process " + last.why() + often + next;
  }

  Optional<Process> process() {
    Run now = run;
    End last = end;
    return now == null
        ? Optional.empty()
        : Optional.of(
            new Process(
                plan.name(),
                now.pid(),
                now.figures().memory(),
                now.figures().cpu(),
                last == null ? 0 : last.times()));
  }

  private static String words(long nanos) {
    long seconds = TimeUnit.NANOSECONDS.toSeconds(nanos + 500_000_000);
    return seconds < 120 ? seconds + " s" : (seconds + 30) / 60 + " min";
  }

  private void execute(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      log.debug("Stopped already");
    }
  }

  private void launch() {
    if (stopping) {
      return;
    }
    try {
      Run made = Run.start(plan, log, timers, this);
      run = made;
      // Who has stopped it meanwhile may have looked for it too early.
      if (stopping) {
        made.kill("was stopped");
      }
    } catch (IOException e) {
      over(Duration.ZERO, "can't be started: " + e.getMessage());
    }
  }

  @Override
  public void drivers(Run of, Map<Long, Announced> offers) {
    execute(() -> bring(of, offers));
  }

  private void bring(Run of, Map<Long, Announced> offers) {
    if (of != run || stopping) {
      return;
    }
    List<HostedDriver> gone = new ArrayList<>(drivers.keySet());
    Map<Long, Announced> allowed = new LinkedHashMap<>();
    offers.forEach(
        (number, offer) -> {
          List<String> names = offer.schemes();
          List<String> kept =
              names.stream()
                  .filter(name -> declared.contains(name.toLowerCase(Locale.ROOT)))
                  .sorted()
                  .toList();
          if (kept.size() < names.size()) {
            log.warn(
                "Serves {}, but Culvert-Schemes of its manifest names {} only", names, declared);
          }
          if (!kept.isEmpty()) {
            allowed.put(number, offer.with(kept));
          }
        });
    try {
      allowed.forEach(
          (number, offer) -> {
            List<String> names = offer.schemes();
            HostedDriver known =
                gone.stream().filter(d -> d.schemes().equals(names)).findFirst().orElse(null);
            if (known == null) {
              HostedDriver driver = new HostedDriver(plan.name(), names, plan.limits().answer());
              driver.lead(of, number);
              drivers.put(
                  driver,
                  shadow.registerService(Driver.class, driver, properties(offer, of.pid())));
            } else {
              gone.remove(known);
              if (known.lead(of, number)) {
                // Whoever was told something in its absence is to ask again.
                drivers.get(known).setProperties(properties(offer, of.pid()));
              }
            }
          });
      gone.forEach(driver -> unregister(drivers.remove(driver)));
    } catch (IllegalStateException e) {
      log.debug("The bundle is stopped", e);
    }
    if (!firstStart.isDone()) {
      log.info("Runs in process {}", of.pid());
      firstStart.complete(null);
    } else if (end != null) {
      log.info("Runs again, in process {}", of.pid());
    }
  }

  private static Hashtable<String, Object> properties(Announced offer, long pid) {
    Hashtable<String, Object> properties = new Hashtable<>();
    properties.put(Driver.SCHEME, offer.schemes().toArray(String[]::new));
    if (!offer.matchers().isEmpty()) {
      properties.put(Driver.MATCHER, offer.matchers().toArray(String[]::new));
    }
    properties.put("culvert.process", pid);
    return properties;
  }

  private static void unregister(ServiceRegistration<Driver> registration) {
    try {
      registration.unregister();
    } catch (IllegalStateException e) {
      // With its bundle.
    }
  }

  @Override
  public void ended(Run of, String why) {
    execute(
        () -> {
          if (of == run) {
            run = null;
            over(of.age(), why);
          }
        });
  }

  private void over(Duration life, String why) {
    if (stopping) {
      return;
    }
    if (!firstStart.isDone()) {
      firstStart.completeExceptionally(new IOException("its process " + why));
      return;
    }
    Duration pause = pauses.after(life);
    long now = System.nanoTime();
    End last = end;
    end =
        new End(
            why,
            pauses.ends(),
            last == null || pauses.ends() == 1 ? now : last.first(),
            now,
            now + pause.toNanos());
    String trouble = trouble();
    log.error("Hosted plug-in {}: {}", plan.name(), trouble);
    drivers
        .keySet()
        .forEach(
            driver -> driver.lead("plug-in " + plan.name() + " isn't there: its process " + why));
    timers.schedule(() -> execute(this::launch), pause.toMillis(), TimeUnit.MILLISECONDS);
  }
}
