package io.culvert.plugins;

import io.culvert.api.service.Generations;
import io.culvert.api.service.Plugins;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.startlevel.BundleStartLevel;

/** A real framework with the manager in it, a clock to turn by hand, and generations in memory. */
final class Gateway implements Generations, InstantSource {
  final Path inbox;
  final Path store;
  final Framework framework;
  Manager manager;
  private Generation current = new Generation(1, Map.of());
  private Instant now = Instant.now();
  boolean diskFull;
  Settings settings = new Settings(false, Set.of(), Set.of(), 64, Duration.ofSeconds(60));

  Gateway(Path base) throws Exception {
    inbox = Files.createDirectories(base.resolve("plugins"));
    store = base.resolve("data/store");
    Map<String, String> configuration =
        Map.of(
            Constants.FRAMEWORK_STORAGE,
            base.resolve("cache").toString(),
            Constants.FRAMEWORK_STORAGE_CLEAN,
            Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT,
            Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
            "io.culvert.api;version=1.0.0",
            Constants.FRAMEWORK_BEGINNING_STARTLEVEL,
            "80");
    framework = new FrameworkFactory().newFramework(configuration);
    framework.start();
    // Stands for the gateway's own bundles.
    Bundle own =
        framework
            .getBundleContext()
            .installBundle(
                "base", new ByteArrayInputStream(TestJar.of("culvert.base", "1.0.0").bytes()));
    own.adapt(BundleStartLevel.class).setStartLevel(20);
    own.start();
    restartManager();
  }

  /** As at a start of the process, except that the framework's bundles stay. */
  void restartManager() throws Exception {
    Store s = new Store(store);
    BundleContext own = bundle("culvert.base").orElseThrow().getBundleContext();
    manager = new Manager(new Inbox(inbox, this), s, new Bundles(own, s), this, this, settings);
    manager.start();
  }

  /** Looks as often as it takes for a file to count as settled. */
  void settle() throws InterruptedException {
    manager.pass();
    pass(Duration.ofSeconds(1));
  }

  void pass(Duration later) throws InterruptedException {
    now = now.plus(later);
    manager.pass();
  }

  Optional<Bundle> bundle(String name) {
    return Stream.of(framework.getBundleContext().getBundles())
        .filter(b -> name.equals(b.getSymbolicName()))
        .findFirst();
  }

  String running(String name) {
    return bundle(name)
        .filter(b -> b.getState() == Bundle.ACTIVE)
        .map(b -> b.getVersion().toString())
        .orElse("none");
  }

  String message(String file) {
    return manager.plugins().stream()
        .filter(s -> s.file().equals(file) && !s.message().isEmpty())
        .map(Plugins.Status::message)
        .findFirst()
        .orElse("");
  }

  @Override
  public Generation current() {
    return current;
  }

  @Override
  public Generation lock(Map<String, Plugin> lock) throws IOException {
    if (diskFull) {
      throw new IOException("No space left on device");
    }
    current = new Generation(current.number() + 1, new TreeMap<>(lock));
    return current;
  }

  @Override
  public List<String> problems() {
    return List.of();
  }

  @Override
  public Instant instant() {
    return now;
  }

  void close() throws Exception {
    framework.stop();
    framework.waitForStop(10_000);
  }
}
