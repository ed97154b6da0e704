package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.ClockState;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Commands.Command;
import io.culvert.api.service.Monitor.DeviceStatus;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Sink;
import io.culvert.core.model.Site;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Version;

/** With real threads and the real clock: what blocks, what goes, what is left behind. */
class LifeTest {
  private static final Duration FAST = Duration.ofMillis(50);

  /** For a machine that has much else to do. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Loop loop = new Loop(System::nanoTime, InstantSource.system());
  private final FakeBuffer buffer = new FakeBuffer();
  private final Engine engine =
      new Engine(
          loop,
          () -> ClockState.UNKNOWN,
          new SplittableRandom(1),
          Runnable::run,
          Runnable::run,
          new Machine(Path.of("")),
          List::of,
          (device, key) -> key);
  private final List<CountDownLatch> latches = new ArrayList<>();

  @BeforeEach
  void start() {
    engine.buffer(buffer);
    loop.start();
  }

  @AfterEach
  void stop() {
    latches.forEach(CountDownLatch::countDown);
    engine.close();
  }

  private void plug(Object key, Driver driver) {
    engine.addDriver(
        key,
        driver,
        List.of("fake"),
        0,
        plugIn(key),
        1,
        new Caller("fake", driver.getClass().getClassLoader()));
  }

  private static PlugIn plugIn(Object key) {
    return new PlugIn("io.culvert." + key, Version.emptyVersion, 0, true);
  }

  /** Returns when the site's devices are known. */
  private void apply(Site site) {
    engine.site(site);
    assertThat(loop.call(() -> {}, PATIENCE)).isTrue();
  }

  private static Site.Entry entry(String id, String lane) {
    return entry(id, lane, Duration.ofMillis(100));
  }

  private static Site.Entry entry(String id, String lane, Duration timeout) {
    return Rig.entry(id, lane, FAST, timeout, Rig.profile("plain", 2));
  }

  private DeviceStatus status(String id) {
    return engine.devices().stream().filter(s -> s.id().equals(id)).findFirst().orElseThrow();
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("culvert-"))
        .toList();
  }

  /** A driver whose read blocks the calling thread for the devices that the test names. */
  private static class Blocking implements Driver {
    final Map<String, CountDownLatch> blocked = new ConcurrentHashMap<>();
    final Map<String, AtomicInteger> calls = new ConcurrentHashMap<>();

    /** Released when the device's connection is closed. */
    final Map<String, CountDownLatch> endsByClosing = new ConcurrentHashMap<>();

    @Override
    public List<Problem> validate(Device device, List<Point> points) {
      return List.of();
    }

    @Override
    public String lane(Device device) {
      return device.endpoint().getHost();
    }

    @Override
    public CompletionStage<Connection> open(Device device, Sink sink) {
      return CompletableFuture.completedFuture(new BlockingConnection(device.id()));
    }

    private final class BlockingConnection implements Readable {
      private final String id;

      BlockingConnection(String id) {
        this.id = id;
      }

      @Override
      public Plan prepare(List<Point> points) {
        return () -> {
          calls.computeIfAbsent(id, i -> new AtomicInteger()).incrementAndGet();
          CountDownLatch latch = blocked.get(id);
          while (latch != null && latch.getCount() > 0) {
            try {
              latch.await();
            } catch (InterruptedException e) {
              // As a library would that knows no better.
            }
          }
          return CompletableFuture.completedFuture(
              points.stream().map(p -> Sample.good(p.id(), Value.of(1))).toList());
        };
      }

      @Override
      public void close() {
        CountDownLatch latch = endsByClosing.get(id);
        if (latch != null) {
          latch.countDown();
        }
      }
    }
  }

  @Test
  void callsThatBlockTieUpTheirOwnDevicesOnlyAndTheseAreLeftAloneUntilTheyReturn() {
    Blocking driver = new Blocking();
    CountDownLatch latch = new CountDownLatch(1);
    latches.add(latch);
    List<Site.Entry> entries = new ArrayList<>();
    for (int i = 0; i < Caller.MOST - 1; i++) {
      driver.blocked.put("bad" + i, latch);
      // Each in front of good ones on the same lane.
      entries.add(entry("bad" + i, "lane-" + i));
    }
    for (int i = 0; i < 50; i++) {
      // These answer, however busy the machine is.
      entries.add(entry("good" + i, "lane-" + i, Duration.ofSeconds(5)));
    }
    plug("k", driver);
    apply(new Site("g", entries));

    await()
        .atMost(PATIENCE)
        .until(() -> status("bad0").failures() > 0 && status("good49").polls() > 0);
    Map<String, Long> before = new ConcurrentHashMap<>();
    engine.devices().forEach(s -> before.put(s.id(), s.polls()));
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              for (int i = 0; i < 50; i++) {
                assertThat(status("good" + i).polls() - before.get("good" + i)).isGreaterThan(20);
                assertThat(status("good" + i).state()).isEqualTo(State.ONLINE);
              }
            });
    for (int i = 0; i < Caller.MOST - 1; i++) {
      assertThat(driver.calls.get("bad" + i).get()).describedAs("calls while stuck").isEqualTo(1);
      assertThat(status("bad" + i).state()).isEqualTo(State.OFFLINE);
      assertThat(status("bad" + i).message()).contains("hasn't returned");
    }

    latch.countDown();
    await()
        .atMost(PATIENCE)
        .until(() -> engine.devices().stream().allMatch(s -> s.state() == State.ONLINE));
  }

  @Test
  void aDeviceThatWasWellAndThenBlocksIsOfflineAndItsConnectionIsClosed() {
    Blocking driver = new Blocking();
    CountDownLatch latch = new CountDownLatch(1);
    plug("k", driver);
    List<State> states = new CopyOnWriteArrayList<>();
    engine.watch(status -> states.add(status.state()));
    apply(new Site("g", List.of(entry("a", "one"))));
    await().atMost(PATIENCE).until(() -> status("a").state() == State.ONLINE);
    driver.endsByClosing.put("a", latch);
    driver.blocked.put("a", latch);

    // Closing is what ends the call: then the device is tried again, so it may not be off for long.
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(states).containsSubsequence(State.ONLINE, State.OFFLINE, State.ONLINE));
    assertThat(latch.getCount()).isZero();
  }

  @Test
  void oneDriverThatBlocksEveryThreadOfItsDoesNotHoldUpAnother() {
    Blocking stuck = new Blocking();
    CountDownLatch latch = new CountDownLatch(1);
    latches.add(latch);
    List<Site.Entry> entries = new ArrayList<>();
    for (int i = 0; i < 2 * Caller.MOST; i++) {
      stuck.blocked.put("bad" + i, latch);
      entries.add(entry("bad" + i, "bad-" + i));
    }
    Site.Entry good = entry("good", "good");
    entries.add(
        new Site.Entry(
            new Device("good", "plain", java.net.URI.create("other://good"), Map.of()),
            good.profile(),
            good.interval(),
            PATIENCE,
            ""));
    plug("k", stuck);
    engine.addDriver(
        "o",
        new Blocking(),
        List.of("other"),
        0,
        plugIn("o"),
        2,
        new Caller("other", getClass().getClassLoader()));
    apply(new Site("g", entries));

    await()
        .atMost(PATIENCE)
        .until(() -> stuck.calls.size() == Caller.MOST && status("bad15").failures() > 0);
    long before = status("good").polls();
    await().atMost(PATIENCE).until(() -> status("good").polls() > before + 20);
    assertThat(status("good").failures()).isZero();
    assertThat(stuck.calls).hasSize(Caller.MOST);
    assertThat(threads().stream().filter(n -> n.startsWith("culvert-driver-fake")))
        .hasSize(Caller.MOST);
  }

  @Test
  void whatADriverHasOnTheCoresThreadIsRunElsewhereAndEndsInQuarantine() {
    List<Thread> ran = new CopyOnWriteArrayList<>();
    List<Sample> told =
        new AbstractList<>() {
          @Override
          public Sample get(int index) {
            ran.add(Thread.currentThread());
            return Sample.good("p" + index, Value.of(1));
          }

          @Override
          public int size() {
            ran.add(Thread.currentThread());
            return 2;
          }
        };
    Blocking driver =
        new Blocking() {
          @Override
          public CompletionStage<Connection> open(Device device, Sink sink) {
            return CompletableFuture.completedFuture(
                new Readable() {
                  @Override
                  public Plan prepare(List<Point> points) {
                    return () -> {
                      CompletableFuture<List<Sample>> answer = new CompletableFuture<>();
                      loop.execute(() -> answer.complete(told));
                      return answer;
                    };
                  }

                  @Override
                  public void close() {
                    ran.add(Thread.currentThread());
                  }
                });
          }
        };
    plug("k", driver);
    apply(new Site("g", List.of(entry("a", "one"))));
    await().atMost(PATIENCE).until(() -> status("a").state() == State.QUARANTINED);

    assertThat(status("a").message()).contains("read of a was answered from the core's own thread");
    await().atMost(PATIENCE).until(() -> !ran.isEmpty());
    assertThat(ran).allMatch(thread -> thread.getName().startsWith("culvert-driver-fake"));
  }

  @Test
  void thousandsOfIdleDevicesCostNoThread() {
    Rig rig = new Rig();
    for (int i = 0; i < 3000; i++) {
      Duration hour = Duration.ofHours(1);
      rig.device(Rig.entry("d" + i, "lane-" + i, hour, hour, Rig.profile("plain", 1)));
    }
    rig.plug("k", rig.driver, 0, "1.0.0", new Caller("fake", getClass().getClassLoader())).apply();

    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              rig.advance(Duration.ofMillis(500));
              return rig.engine.devices().stream().allMatch(s -> s.state() == State.ONLINE);
            });
    assertThat(threads()).hasSizeLessThanOrEqualTo(1 + Caller.MOST);
    await().atMost(PATIENCE).until(() -> threads().equals(List.of("culvert-core")));
    rig.engine.close();
  }

  @Test
  void stoppingLeavesNoThread() {
    plug("k", new Blocking());
    apply(new Site("g", List.of(entry("a", "one"))));
    await().atMost(PATIENCE).until(() -> status("a").state() == State.ONLINE);
    engine.close();

    assertThat(threads()).isEmpty();
  }

  /** Defines the classes of {@link CarelessDriver} anew, as a bundle's loader would. */
  private static final class PluginLoader extends ClassLoader {
    PluginLoader() {
      super(LifeTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(CarelessDriver.class.getName())) {
        return super.loadClass(name, resolve);
      }
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private WeakReference<ClassLoader> plugAndRemove(Object key) throws Exception {
    ClassLoader loader = new PluginLoader();
    Class<?> type = loader.loadClass(CarelessDriver.class.getName());
    assertThat(type).isNotSameAs(CarelessDriver.class);
    plug(key, (Driver) type.getDeclaredConstructor().newInstance());
    await().atMost(PATIENCE).until(() -> status("good").state() == State.ONLINE);
    await()
        .atMost(PATIENCE)
        .until(() -> status("never").failures() > 0 && status("throws").failures() > 0);
    // One command is under way, and one scan, when the driver goes.
    engine.commands().submit(new Command("1", "good", "p0", Value.of(1), "shell:root"));
    engine.scan().scan("fake://there", "", 10);
    engine.removeDriver(key);
    assertThat(threads()).noneMatch(name -> name.startsWith("culvert-driver"));
    return new WeakReference<>(loader);
  }

  @Test
  void aDriverThatGoesIsNotHeldByAnything() throws Exception {
    List<Site.Entry> entries = new ArrayList<>();
    for (String id : List.of("good", "never", "fails", "throws")) {
      entries.add(entry(id, id));
    }
    apply(new Site("g", entries));
    List<WeakReference<ClassLoader>> gone = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      gone.add(plugAndRemove("driver-" + i));
      assertThat(status("good").state()).isEqualTo(State.WAITING);
    }

    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              System.gc();
              return gone.stream().allMatch(reference -> reference.get() == null);
            });
  }
}
