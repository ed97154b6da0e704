package io.culvert.tests.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.Value;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Generations;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.service.Plugins;
import io.culvert.api.service.Query;
import io.culvert.api.service.Scan;
import io.culvert.api.service.Secrets;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.wiring.BundleWiring;

/** Runs inside the framework, beside the bundles of the base. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class BaseIT {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int UPGRADES = 50;

  /** What the version now running and the core's pools have anew; one leak a time were fifty. */
  private static final int AT_WORK = 20;

  @Inject private BundleContext context;
  @Inject private Monitor monitor;
  @Inject private Plugins plugins;
  @Inject private Generations generations;

  private Path home;
  private Path inbox;

  @Configuration
  public static Option[] configuration() throws IOException {
    return new Option[] {Container.base()};
  }

  @Before
  public void find() throws IOException {
    home = Path.of(context.getProperty("culvert.home"));
    inbox = home.resolve("plugins");
    Files.writeString(
        home.resolve("etc/profiles/versioned.yaml"),
        """
        schema: culvert-profile/1
        id: versioned
        title: {en: Tells the version of its driver, zh-CN: 驱动版本}
        scheme: test
        interval: 100ms
        points:
          - id: version
            title: {en: Version, zh-CN: 版本}
            address: version
            type: int32
            access: read
            class: telemetry
            grade: general
        """);
    Files.writeString(
        home.resolve("etc/profiles/register.yaml"),
        """
        schema: culvert-profile/1
        id: register
        title: {en: One register, zh-CN: 单个寄存器}
        scheme: modbus-tcp
        interval: 100ms
        points:
          - id: register
            title: {en: Register, zh-CN: 寄存器}
            address: holding:17
            type: uint16
            access: read
            class: telemetry
            grade: general
        """);
  }

  @After
  public void empty() throws IOException {
    try (var jars = Files.list(inbox)) {
      for (Path jar : jars.toList()) {
        Files.delete(jar);
      }
    }
    site("");
    await().atMost(LIMIT).until(() -> plugins.plugins().isEmpty() && monitor.devices().isEmpty());
  }

  @Test
  public void everyBundleOfTheBaseIsActiveAndEveryServiceIsThere() {
    for (Bundle bundle : context.getBundles()) {
      boolean fragment = bundle.getHeaders("").get(Constants.FRAGMENT_HOST) != null;
      assertThat(bundle.getState())
          .as(bundle.getSymbolicName())
          .isEqualTo(fragment ? Bundle.RESOLVED : Bundle.ACTIVE);
    }
    for (Class<?> service :
        List.of(
            Monitor.class,
            Commands.class,
            Scan.class,
            Generations.class,
            Secrets.class,
            Buffer.class,
            Query.class,
            Plugins.class)) {
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThat(context.getServiceReference(service))
                      .as(service.getName())
                      .isNotNull());
    }
  }

  @Test
  public void aDeviceFollowsItsBundleInAndUpAndOutWhileAnotherMissesNothing() throws Exception {
    try (Slave slave = new Slave()) {
      site(
          """
          {"id": "steady", "profile": "register", "endpoint": "modbus-tcp://127.0.0.1:%d",
           "timeout": "10s"},
          {"id": "moving", "profile": "versioned", "endpoint": "test://x"}
          """
              .formatted(slave.port()));
      Files.copy(Container.shippedPlugin("culvert-device-modbus"), inbox.resolve("modbus.jar"));
      awaitState("steady", State.ONLINE);
      awaitState("moving", State.WAITING);
      long failuresBefore = device("steady").failures();
      var since = device("steady").since();

      Jars.put(Jars.testDriver("1.0.0"), inbox.resolve("driver.jar"));
      awaitValue("moving", 1);
      long id = bundle("io.culvert.tests.driver").getBundleId();
      Jars.put(Jars.testDriver("2.0.0"), inbox.resolve("driver.jar"));
      awaitValue("moving", 2);
      assertThat(bundle("io.culvert.tests.driver").getBundleId()).isEqualTo(id);
      assertThat(generations.current().lock().get("io.culvert.tests.driver").version())
          .isEqualTo("2.0.0");

      Files.delete(inbox.resolve("driver.jar"));
      awaitState("moving", State.WAITING);
      // The device waits as soon as the driver has stopped; its bundle goes after that.
      await()
          .atMost(LIMIT)
          .untilAsserted(() -> assertThat(bundle("io.culvert.tests.driver")).isNull());

      assertThat(device("steady").failures()).isEqualTo(failuresBefore);
      assertThat(device("steady").since()).isEqualTo(since);
    }
  }

  @Test
  public void badJarsAreRefusedByNameAndWhatRunsGoesOn() throws Exception {
    site("{\"id\": \"moving\", \"profile\": \"versioned\", \"endpoint\": \"test://x\"}");
    Jars.put(Jars.testDriver("1.0.0"), inbox.resolve("driver.jar"));
    awaitValue("moving", 1);

    Jars.put("no jar at all".getBytes(StandardCharsets.UTF_8), inbox.resolve("text.jar"));
    Jars.put(
        Jars.testDriver("2.0.0", "Bundle-SymbolicName", "io.culvert.core"),
        inbox.resolve("usurper.jar"));
    Jars.put(
        Jars.testDriver("3.0.0", "Import-Package", "io.culvert.api;version=\"[7,8)\""),
        inbox.resolve("driver.jar"));

    awaitMessage("text.jar", "found no whole jar");
    awaitMessage("usurper.jar", "a name that no bundle of the base has");
    awaitMessage("driver.jar", "it needs io.culvert.api 7.0, this gateway has 1.");
    assertThat(generations.current().lock().get("io.culvert.tests.driver").version())
        .isEqualTo("1.0.0");
    awaitValue("moving", 1);
  }

  @Test
  public void fiftyUpgradesOfTheModbusBundleLeaveNoClassLoaderNoThreadAndNoConnection()
      throws Exception {
    Path shipped = Container.shippedPlugin("culvert-device-modbus");
    try (Slave slave = new Slave()) {
      site(
          "{\"id\": \"steady\", \"profile\": \"register\", \"endpoint\": \"modbus-tcp://127.0.0.1:%d\"}"
              .formatted(slave.port()));
      awaitState("steady", State.WAITING);
      upgrade(shipped, 0);
      Set<String> before = threads();
      List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
      for (int n = 1; n <= UPGRADES; n++) {
        loaders.add(new WeakReference<>(loader("io.culvert.device.modbus")));
        upgrade(shipped, n);
      }

      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                System.gc();
                assertThat(loaders.stream().filter(l -> l.get() != null).count())
                    .as("class loaders of earlier versions")
                    .isZero();
              });
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () -> {
                Set<String> more = threads();
                more.removeAll(before);
                assertThat(more).as("threads more than before").hasSizeLessThanOrEqualTo(AT_WORK);
              });
      await().atMost(LIMIT).untilAsserted(() -> assertThat(slave.open()).isEqualTo(1));
    }
  }

  private void upgrade(Path shipped, int n) throws IOException {
    String version = "1.0." + n;
    var polled = n == 0 ? null : device("steady").lastAnswer();
    Jars.put(Jars.withVersion(shipped, version), inbox.resolve("modbus.jar"));
    await()
        .atMost(LIMIT)
        .until(
            () -> {
              Bundle bundle = bundle("io.culvert.device.modbus");
              Monitor.DeviceStatus d = device("steady");
              return bundle != null
                  && bundle.getVersion().toString().equals(version)
                  && bundle.getState() == Bundle.ACTIVE
                  && d.state() == State.ONLINE
                  && d.lastAnswer().toEpochMilli() >= bundle.getLastModified()
                  && !d.lastAnswer().equals(polled);
            });
  }

  /** By number and name, as a thread itself would hold its class loader. */
  private static Set<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> !t.getName().startsWith("slave-"))
        .map(t -> t.getId() + " " + t.getName())
        .collect(Collectors.toSet());
  }

  private ClassLoader loader(String bundle) {
    return bundle(bundle).adapt(BundleWiring.class).getClassLoader();
  }

  private Bundle bundle(String name) {
    return Arrays.stream(context.getBundles())
        .filter(b -> name.equals(b.getSymbolicName()))
        .findFirst()
        .orElse(null);
  }

  private void site(String devices) throws IOException {
    Path beside = home.resolve("etc/site.json.new");
    Files.writeString(
        beside,
        """
        {
          "gateway": {"id": "container"},
          "plugins": {"allowUnsigned": true},
          "devices": [%s]
        }
        """
            .formatted(devices));
    Files.move(
        beside,
        home.resolve("etc/site.json"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  private Monitor.DeviceStatus device(String id) {
    return monitor.devices().stream().filter(d -> d.id().equals(id)).findFirst().orElseThrow();
  }

  private void awaitState(String id, State state) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(monitor.devices())
                    .filteredOn(d -> d.id().equals(id))
                    .extracting(Monitor.DeviceStatus::state)
                    .containsExactly(state));
  }

  private void awaitValue(String id, long value) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(monitor.latest(id))
                    .extracting(Reading::value)
                    .containsExactly(Value.of(value)));
  }

  private void awaitMessage(String file, String part) {
    await()
        .atMost(LIMIT)
        .untilAsserted(
            () ->
                assertThat(plugins.plugins())
                    .filteredOn(s -> s.file().equals(file))
                    .extracting(Plugins.Status::message)
                    .anySatisfy(m -> assertThat(m).contains(part)));
  }
}
