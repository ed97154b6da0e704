package io.culvert.plugins;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Monitor;
import io.culvert.core.site.StoredGenerations;
import io.culvert.plugins.hosting.Hosts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;

/**
 * A gateway's plug-ins with all that makes their life, in a real framework on real files: {@code
 * StepsVictim <home>} looks at the inbox until nothing is left to be done, and ends. It has one
 * device, which the plug-in {@code meter} serves: well, unless its version is 9.
 */
final class StepsVictim implements Monitor, AutoCloseable {
  static final String PLUGIN = "meter";
  private static final int PASSES = 6;
  private static final Duration WINDOW = Duration.ofSeconds(3);

  private final StoredGenerations generations;
  private final Framework framework;
  private final Manager manager;
  private final Instant begin = Instant.now();
  private Instant now = begin;
  private long value;

  StepsVictim(Path home) throws Exception {
    generations = StoredGenerations.open(generations(home));
    framework =
        new FrameworkFactory()
            .newFramework(
                Map.of(
                    "culvert.home",
                    home.toString(),
                    Constants.FRAMEWORK_STORAGE,
                    home.resolve("cache").toString(),
                    Constants.FRAMEWORK_STORAGE_CLEAN,
                    Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT));
    framework.start();
    Store store = new Store(store(home));
    manager =
        new Manager(
            new Inbox(Files.createDirectories(home.resolve("plugins")), () -> now),
            store,
            new Bundles(
                framework.getBundleContext(),
                store,
                new Hosts(framework.getBundleContext(), home.resolve("data"))),
            generations,
            this,
            new Examiner(home.resolve("etc/trust"), () -> now),
            () -> now,
            () -> Duration.between(begin, now).toNanos(),
            new Settings(true, Set.of(), Set.of(), 64, WINDOW));
    // As at a start: what is in force comes from the store.
    manager.start();
  }

  public static void main(String[] args) throws Exception {
    StepsVictim victim = new StepsVictim(Path.of(args[0]));
    victim.settle();
    // The framework's end is no step of a plug-in's life.
    Runtime.getRuntime().halt(0);
  }

  static Path generations(Path home) {
    return home.resolve("data/generations");
  }

  static Path store(Path home) {
    return home.resolve("data/store");
  }

  void settle() throws InterruptedException {
    for (int i = 0; i < PASSES; i++) {
      manager.pass();
      now = now.plusSeconds(1);
    }
  }

  /** Version of the plug-in that runs, {@code "none"} if none does. */
  String running() {
    return Stream.of(framework.getBundleContext().getBundles())
        .filter(b -> PLUGIN.equals(b.getSymbolicName()) && b.getState() == Bundle.ACTIVE)
        .map(b -> b.getVersion().toString())
        .findFirst()
        .orElse("none");
  }

  @Override
  public void close() throws BundleException, InterruptedException, IOException {
    framework.stop();
    framework.waitForStop(10_000);
  }

  @Override
  public String gateway() {
    return "g";
  }

  @Override
  public List<DeviceStatus> devices() {
    String running = running();
    State state =
        running.equals("none")
            ? State.WAITING
            : running.startsWith("9") ? State.OFFLINE : State.ONLINE;
    return List.of(new DeviceStatus("one", "x", "lamp://h", "lane", state, "", begin, begin, 0, 0));
  }

  @Override
  public List<Reading> latest(String device) {
    return List.of(
        new Reading(
            device,
            "power",
            StreamClass.TELEMETRY,
            Value.of(++value),
            "W",
            Quality.GOOD,
            now,
            now,
            ClockState.SYNCHRONISED,
            Grade.GENERAL));
  }

  @Override
  public Figures figures() {
    return new Figures(0, 0, 0, 0);
  }

  @Override
  public Watch watch(Listener listener) {
    return () -> {};
  }
}
