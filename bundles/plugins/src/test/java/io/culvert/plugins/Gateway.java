package io.culvert.plugins;

import io.culvert.api.service.Generations;
import io.culvert.api.service.Plugins;
import io.culvert.plugins.hosting.Hosts;
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
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.startlevel.BundleStartLevel;

/**
 * A real framework with the manager in it, a clock to turn by hand, generations in memory, and
 * devices that are as the test says.
 */
final class Gateway implements Generations, InstantSource {
  final Path inbox;
  final Path store;
  final Path trust;
  final Framework framework;
  final Hosts hosts;
  Manager manager;
  final Street street = new Street(this);
  private Generation current = new Generation(1, Map.of());
  private Generation back;
  private long last = 1;
  private final Map<String, TakenBack> takenBack = new TreeMap<>();
  private final Instant begin = Instant.now();
  private Instant now = begin;
  boolean diskFull;
  Settings settings = new Settings(false, Set.of(), Set.of(), 64, Duration.ofSeconds(60));

  Gateway(Path base) throws Exception {
    inbox = Files.createDirectories(base.resolve("plugins"));
    store = base.resolve("data/store");
    trust = Files.createDirectories(base.resolve("etc/trust"));
    Files.writeString(trust.resolve("vendor.pem"), Pki.pem(TestJar.VENDOR.certificate()));
    Map<String, String> configuration =
        Map.of(
            Constants.FRAMEWORK_STORAGE,
            base.resolve("cache").toString(),
            Constants.FRAMEWORK_STORAGE_CLEAN,
            Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT,
            Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
            "io.culvert.api;version=1.0.0,io.culvert.api.southbound;version=1.0.0,"
                + "org.slf4j;version=2.0.17,sun.misc",
            "culvert.home",
            base.toString(),
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
    hosts = new Hosts(own.getBundleContext(), base.resolve("data"));
    restartManager();
  }

  /** As at a start of the process, except that the framework's bundles stay. */
  void restartManager() throws Exception {
    Store s = new Store(store);
    BundleContext own = bundle("culvert.base").orElseThrow().getBundleContext();
    manager =
        new Manager(
            new Inbox(inbox, this),
            s,
            new Bundles(own, s, hosts, Duration.ofSeconds(2)),
            this,
            street,
            new Examiner(trust, this),
            this,
            () -> Duration.between(begin, now).toNanos(),
            settings);
    manager.start();
  }

  /** As at a start of the process after it was killed. */
  void restartAfterKill() throws Exception {
    if (back != null) {
      Generation trial = current;
      end(back, "the gateway ended", 1);
      trial.lock().keySet().forEach(name -> bundle(name).ifPresent(Gateway::uninstall));
    }
    restartManager();
  }

  private static void uninstall(Bundle bundle) {
    try {
      bundle.uninstall();
    } catch (BundleException e) {
      throw new IllegalStateException(e);
    }
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

  /** How far the jar of a file has come. */
  Plugins.Stage stage(String file) {
    return manager.plugins().stream()
        .filter(s -> s.file().equals(file))
        .map(Plugins.Status::stage)
        .findFirst()
        .orElse(null);
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
  public boolean onTrial() {
    return back != null;
  }

  @Override
  public Generation lock(Map<String, Plugin> lock) throws IOException {
    if (back != null) {
      throw new IllegalStateException("on trial");
    }
    return put(lock);
  }

  @Override
  public Generation trial(Map<String, Plugin> lock) throws IOException {
    if (back != null) {
      throw new IllegalStateException("on trial");
    }
    Generation before = current;
    put(lock);
    back = before;
    return current;
  }

  private Generation put(Map<String, Plugin> lock) throws IOException {
    if (diskFull) {
      throw new IOException("No space left on device");
    }
    current = new Generation(++last, new TreeMap<>(lock));
    return current;
  }

  @Override
  public void confirm() throws IOException {
    if (diskFull) {
      throw new IOException("No space left on device");
    }
    back = null;
    current.lock().values().forEach(p -> takenBack.remove(p.sha256()));
  }

  @Override
  public Generation revert(String reason) {
    end(back, reason, 0);
    return current;
  }

  private void end(Generation to, String reason, int interruption) {
    current
        .lock()
        .forEach(
            (name, plugin) -> {
              if (!plugin.equals(to.lock().get(name))) {
                TakenBack before = takenBack.get(plugin.sha256());
                int times = interruption * (before == null ? 1 : before.interruptions() + 1);
                takenBack.put(plugin.sha256(), new TakenBack(name, plugin, reason, times));
              }
            });
    current = to;
    back = null;
  }

  @Override
  public Map<String, TakenBack> takenBack() {
    return Map.copyOf(takenBack);
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
