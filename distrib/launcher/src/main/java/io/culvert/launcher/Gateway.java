package io.culvert.launcher;

import ch.qos.logback.classic.LoggerContext;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.felix.framework.FrameworkFactory;
import org.apache.felix.framework.util.FelixConstants;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The framework with the bundles of the features, from the first to the last breath.
 *
 * <p>The framework's cache is derived: it is made anew at each start, so that neither a power cut
 * nor a replaced jar can leave it half right, and system bundles are read where they lie.
 */
final class Gateway {
  /** How long bundles may take to stop before the process ends without them. */
  static final Duration STOP_LIMIT = Duration.ofSeconds(20);

  /** Start level of a running gateway: features use those below. */
  private static final int RUNNING_LEVEL = 80;

  private final Layout layout;
  private final Logger log;
  private final Framework framework;
  private volatile boolean ended;

  private Gateway(Layout layout) {
    this.layout = layout;
    this.log = LoggerFactory.getLogger("io.culvert.launcher");
    this.framework = new FrameworkFactory().newFramework(configuration());
  }

  /** Runs in the foreground until the framework stops or the process is told to. */
  static Exit run(Layout layout) throws Failure {
    List<Feature.Entry> bundles = Feature.readAll(layout.features());
    layout.prepare();
    try (DataLock lock = DataLock.take(layout)) {
      derive(layout);
      configureLog(layout);
      Gateway gateway = new Gateway(layout);
      Thread stopper = new Thread(() -> gateway.stop(lock), "culvert-stop");
      Runtime.getRuntime().addShutdownHook(stopper);
      gateway.start(bundles);
      lock.ready();
      gateway.framework.waitForStop(0);
      gateway.ended = true;
      return Exit.OK;
    } catch (BundleException | IOException e) {
      throw new Failure(Exit.FAILED, "The framework can't start: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Exit.FAILED;
    }
  }

  private static void derive(Layout layout) throws Failure {
    try {
      Layout.wipe(layout.cache());
      Path temporary = layout.cache().resolve("tmp");
      Files.createDirectories(temporary);
      // Native libraries are unpacked there; /tmp may be small or forbid execution.
      System.setProperty("java.io.tmpdir", temporary.toString());
    } catch (IOException e) {
      throw new Failure(
          Exit.ENVIRONMENT,
          "Cache can't be renewed: %s (%s); delete it by hand"
              .formatted(layout.cache(), Layout.reason(e)));
    }
  }

  private static void configureLog(Layout layout) {
    System.setProperty("culvert.home", layout.home().toString());
    System.setProperty("culvert.data", layout.data().toString());
    Path file = layout.etc().resolve("logback.xml");
    if (System.getProperty("logback.configurationFile") == null && Files.isReadable(file)) {
      System.setProperty("logback.configurationFile", file.toString());
    }
  }

  private Map<String, Object> configuration() {
    Map<String, Object> c = new HashMap<>();
    c.put(Constants.FRAMEWORK_STORAGE, layout.cache().resolve("framework").toString());
    c.put(Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
    c.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, Integer.toString(RUNNING_LEVEL));
    c.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, SystemPackages.EXTRA);
    c.put(FelixConstants.LOG_LOGGER_PROP, new FrameworkLog());
    // A class that a bundle didn't import is missing, and not by luck found on the class path.
    c.put(FelixConstants.IMPLICIT_BOOT_DELEGATION_PROP, "false");
    c.put("culvert.home", layout.home().toString());
    c.put("culvert.data", layout.data().toString());
    return c;
  }

  private void start(List<Feature.Entry> entries) throws BundleException {
    framework.init();
    framework
        .getBundleContext()
        .registerService(org.osgi.service.log.LoggerFactory.class, new OsgiLog(), null);
    List<Bundle> bundles = new ArrayList<>();
    int wanted = entries.size();
    for (Feature.Entry entry : entries) {
      Path jar = layout.system().resolve(entry.jar());
      try {
        Bundle bundle =
            framework.getBundleContext().installBundle("reference:" + jar.toUri().toURL());
        if (bundle.getHeaders("").get(Constants.FRAGMENT_HOST) == null) {
          bundle.adapt(BundleStartLevel.class).setStartLevel(entry.level());
          // Only marks it: the framework's own start level comes to it below.
          bundle.start(Bundle.START_ACTIVATION_POLICY);
          bundles.add(bundle);
        } else {
          wanted--;
        }
      } catch (BundleException | IOException e) {
        log.error("Bundle {} can't be installed: {}", jar, Reason.of(e));
      }
    }
    framework.start();
    int running = 0;
    for (Bundle bundle : bundles) {
      if (runs(bundle)) {
        running++;
      }
    }
    Duration sinceStart =
        Duration.ofMillis(
            System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime());
    if (running == wanted) {
      log.info(
          "Culvert runs: {} bundles in {} ms, data in {}",
          running,
          sinceStart.toMillis(),
          layout.data());
    } else {
      log.error(
          "Culvert runs with {} of {} bundles in {} ms; what is wrong with the others stands above",
          running,
          wanted,
          sinceStart.toMillis());
    }
  }

  /** Whether a bundle is up; one that isn't is asked once more, for its reason. */
  private boolean runs(Bundle bundle) {
    int waitsForItsFirstClass = Bundle.STARTING;
    if ((bundle.getState() & (Bundle.ACTIVE | waitsForItsFirstClass)) != 0) {
      return true;
    }
    try {
      bundle.start(Bundle.START_ACTIVATION_POLICY);
      return true;
    } catch (BundleException e) {
      log.error(
          "Bundle {} {} doesn't start: {}",
          bundle.getSymbolicName(),
          bundle.getVersion(),
          Reason.of(e),
          Reason.trace(e));
      return false;
    }
  }

  private void stop(DataLock lock) {
    // Otherwise told to by a signal, for which the JVM's exit code would be that of an accident.
    boolean endedByItself = ended;
    boolean clean = false;
    try {
      framework.stop();
      FrameworkEvent event = framework.waitForStop(STOP_LIMIT.toMillis());
      if (event.getType() == FrameworkEvent.WAIT_TIMEDOUT) {
        log.error("Bundles haven't stopped in {} s; ending without them", STOP_LIMIT.toSeconds());
      } else {
        log.info("Culvert has stopped");
        clean = true;
      }
    } catch (BundleException e) {
      log.error("The framework doesn't stop: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.close();
      if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
        context.stop();
      }
      if (clean && !endedByItself) {
        Runtime.getRuntime().halt(Exit.OK.code());
      }
    }
  }
}
