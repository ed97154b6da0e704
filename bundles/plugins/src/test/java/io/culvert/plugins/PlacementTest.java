package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.service.Plugins;
import io.culvert.api.service.Plugins.Stage;
import io.culvert.plugins.hosting.Hosts;
import io.culvert.plugins.hosting.PluginJar;
import io.culvert.plugins.hosting.fixture.Odd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.ServiceReference;

/** Which plug-ins run in a process of their own, and how they get there and back. */
@Timeout(300)
class PlacementTest {
  private static final String NAME = "com.example.odd";
  private static final String OTHER = "com.example.other";

  @TempDir Path base;
  private Gateway gateway;

  @BeforeEach
  void start() throws Exception {
    gateway = new Gateway(base);
    put(PluginJar.of(Odd.class), "odd.jar");
    put(PluginJar.of(Odd.class).header("Bundle-SymbolicName", OTHER), "other.jar");
    settle();
  }

  @AfterEach
  void stop() throws Exception {
    gateway.close();
    assertThat(gateway.hosts.processes()).as("processes left behind").isEmpty();
  }

  private void put(PluginJar jar, String file) throws Exception {
    Path unsigned = jar.in(Files.createTempDirectory(base, "jar"));
    Path beside = base.resolve(file);
    Files.write(beside, TestJar.VENDOR.sign(Files.readAllBytes(unsigned)));
    Files.move(beside, gateway.inbox.resolve(file), StandardCopyOption.REPLACE_EXISTING);
  }

  private void settle() throws Exception {
    // One after the other, each on trial.
    for (int i = 0; i < 4; i++) {
      gateway.settle();
    }
  }

  private void settings(int memory, String... hosted) throws Exception {
    gateway.manager.configure(
        new Settings(false, Set.of(hosted), Set.of(), memory, Duration.ofSeconds(60)));
    gateway.manager.pass();
  }

  private Plugins.Status status(String name) {
    return gateway.manager.plugins().stream()
        .filter(s -> s.symbolicName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private ServiceReference<?> driver(String name) {
    return gateway.bundle(name).orElseThrow().getRegisteredServices()[0];
  }

  /** Whether the driver stands in for one elsewhere: its class isn't the plug-in's own. */
  private boolean elsewhere(String name) {
    Object driver = gateway.framework.getBundleContext().getService(driver(name));
    return driver.getClass().getClassLoader() == Hosts.class.getClassLoader();
  }

  @Test
  void theSettingMovesARunningPluginOutAndInAndTouchesNoOther() throws Exception {
    ServiceReference<?> neighbour = driver(OTHER);
    assertThat(status(NAME).hosted()).isFalse();
    assertThat(elsewhere(NAME)).isFalse();

    settings(64, NAME);
    assertThat(status(NAME).hosted()).isTrue();
    assertThat(status(NAME).stage()).isEqualTo(Stage.RUNNING);
    assertThat(status(NAME).message()).isEmpty();
    assertThat(elsewhere(NAME)).isTrue();
    assertThat(gateway.hosts.processes()).hasSize(1);
    assertThat(driver(OTHER)).isSameAs(neighbour);

    long pid = gateway.hosts.processes().get(0).pid();
    settings(64, NAME);
    assertThat(gateway.hosts.processes().get(0).pid()).as("nothing to do").isEqualTo(pid);
    settings(96, NAME);
    assertThat(gateway.hosts.processes().get(0).pid()).as("other memory").isNotEqualTo(pid);

    settings(64);
    assertThat(status(NAME).hosted()).isFalse();
    assertThat(status(NAME).stage()).isEqualTo(Stage.RUNNING);
    assertThat(elsewhere(NAME)).isFalse();
    assertThat(gateway.hosts.processes()).isEmpty();
    assertThat(driver(OTHER)).isSameAs(neighbour);
  }

  @Test
  void whatCannotRunThereStaysAndThatIsSaid() throws Exception {
    settings(1 << 30, NAME);
    assertThat(status(NAME).hosted()).isFalse();
    assertThat(status(NAME).stage()).isEqualTo(Stage.RUNNING);
    assertThat(status(NAME).message())
        .startsWith(
            "can't run in a process of its own with 1073741824 MiB of heap (its process doesn't"
                + " start (exit 1, ")
        .endsWith(", and goes on in the gateway's process");
    assertThat(elsewhere(NAME)).isFalse();
    settings(64, NAME);
    assertThat(status(NAME).hosted()).isTrue();
    assertThat(status(NAME).message()).isEmpty();
  }

  @Test
  void nativeCodeRunsInAProcessOfItsOwnWithoutASetting() throws Exception {
    put(
        PluginJar.of(Odd.class)
            .header("Bundle-SymbolicName", "com.example.native")
            .header("Bundle-NativeCode", "lib/libodd.so;osname=Linux")
            .file("lib/libodd.so", "\u007fELF"),
        "native.jar");
    settle();
    assertThat(status("com.example.native").hosted()).isTrue();
    assertThat(status(NAME).hosted()).isFalse();
  }

  @Test
  void aSignerCanBeSetApartAndWithdrawingTrustBringsNobodyIn() throws Exception {
    gateway.manager.configure(
        new Settings(false, Set.of(), Set.of("vendor"), 64, Duration.ofSeconds(60)));
    gateway.manager.pass();
    assertThat(gateway.hosts.processes()).hasSize(2);
    Files.delete(gateway.trust.resolve("vendor.pem"));
    settle();
    assertThat(gateway.manager.plugins()).anyMatch(s -> s.stage() == Stage.REFUSED);
    assertThat(gateway.hosts.processes()).hasSize(2);
    gateway.manager.configure(
        new Settings(false, Set.of(), Set.of("another"), 64, Duration.ofSeconds(60)));
    Files.writeString(gateway.trust.resolve("vendor.pem"), Pki.pem(TestJar.VENDOR.certificate()));
    settle();
    assertThat(gateway.hosts.processes()).isEmpty();
  }

  @Test
  void aProcessThatEndedIsNotStartedAgainOnAnotherJar() throws Exception {
    settings(64, NAME);
    try (Stream<Path> jars = Files.list(gateway.store)) {
      for (Path jar : jars.toList()) {
        Files.writeString(jar, "altered", StandardOpenOption.APPEND);
      }
    }
    long pid = gateway.hosts.processes().get(0).pid();
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () -> {
              gateway.manager.pass();
              assertThat(status(NAME).message())
                  .contains("can't be started")
                  .contains("isn't what was checked; put the jar in anew");
            });
    assertThat(gateway.hosts.processes()).isEmpty();
  }

  @Test
  void removedItsProcessGoesToo() throws Exception {
    settings(64, NAME);
    Files.delete(gateway.inbox.resolve("odd.jar"));
    settle();
    assertThat(gateway.bundle(NAME)).isEmpty();
    assertThat(gateway.hosts.processes()).isEmpty();
  }

  @Test
  void anUpgradeIsHostedAsTheOneBefore() throws Exception {
    settings(64, NAME);
    long pid = gateway.hosts.processes().get(0).pid();
    put(PluginJar.of(Odd.class).header("Bundle-Version", "1.3.0"), "odd.jar");
    settle();
    assertThat(status(NAME).version()).isEqualTo("1.3.0");
    assertThat(status(NAME).hosted()).isTrue();
    assertThat(gateway.hosts.processes())
        .singleElement()
        .satisfies(p -> assertThat(p.pid()).isNotEqualTo(pid));
  }
}
