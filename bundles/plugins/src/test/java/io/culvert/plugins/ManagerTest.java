package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.plugins.fixture.Picky;
import io.culvert.plugins.fixture.Throws;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleException;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.startlevel.BundleStartLevel;

class ManagerTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private static final Settings DEVELOPMENT =
      new Settings(true, Set.of(), Set.of(), 64, Duration.ofSeconds(60));

  @TempDir Path base;
  private Gateway gateway;

  @BeforeEach
  void start() throws Exception {
    gateway = new Gateway(base);
  }

  @AfterEach
  void stop() throws Exception {
    gateway.close();
  }

  @Test
  void aJarPutIntoTheInboxRunsFromTheStoreInANewGeneration() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    var locked = gateway.current().lock().get("meter");
    assertThat(locked.version()).isEqualTo("1.0.0");
    assertThat(locked.origin()).isEqualTo("meter.jar");
    assertThat(gateway.store.resolve(locked.sha256() + ".jar"))
        .hasSameBinaryContentAs(gateway.inbox.resolve("meter.jar"));
    assertThat(gateway.current().number()).isEqualTo(2);
  }

  @Test
  void nothingHappensWhileNothingChanges() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    long number = gateway.current().number();
    long touched = gateway.bundle("meter").orElseThrow().getLastModified();
    for (int i = 0; i < 5; i++) {
      gateway.pass(SECOND);
    }

    assertThat(gateway.current().number()).isEqualTo(number);
    assertThat(gateway.bundle("meter").orElseThrow().getLastModified()).isEqualTo(touched);
  }

  @Test
  void aReplacedJarIsUpgradedInPlaceAndOthersAreNotTouched() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    TestJar.of("gate", "1.0.0").in(gateway.inbox, "gate.jar");
    gateway.settle();
    long id = gateway.bundle("meter").orElseThrow().getBundleId();
    var gateService = gateway.bundle("gate").orElseThrow().getRegisteredServices()[0];

    TestJar.of("meter", "1.1.0").in(gateway.inbox, "meter.jar");
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.1.0");
    assertThat(gateway.bundle("meter").orElseThrow().getBundleId()).isEqualTo(id);
    // The same registration, so it was never stopped.
    assertThat(gateway.bundle("gate").orElseThrow().getRegisteredServices())
        .containsExactly(gateService);
  }

  @Test
  void aRemovedJarGoes() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    Files.delete(gateway.inbox.resolve("meter.jar"));
    gateway.pass(SECOND);

    assertThat(gateway.bundle("meter")).isEmpty();
    assertThat(gateway.current().lock()).isEmpty();
  }

  @Test
  void aJarThatIsStillBeingCopiedIsWaitedForWithoutAWord() throws Exception {
    byte[] whole = TestJar.of("meter", "1.0.0").bytes();
    Path jar = gateway.inbox.resolve("meter.jar");
    for (int n = 1; n <= 10; n++) {
      Files.write(jar, Arrays.copyOf(whole, whole.length * n / 11));
      gateway.pass(SECOND);
      // Stalls now and then, as over a slow line.
      gateway.pass(SECOND);
      assertThat(gateway.message("meter.jar")).isEmpty();
    }
    assertThat(gateway.bundle("meter")).isEmpty();
    Files.write(jar, whole);
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
  }

  @Test
  void aJarThatStaysHalfIsRefusedAndTakenWhenItIsWhole() throws Exception {
    byte[] whole = TestJar.of("meter", "1.0.0").bytes();
    Path jar = Files.write(gateway.inbox.resolve("meter.jar"), Arrays.copyOf(whole, 300));
    gateway.pass(SECOND);
    gateway.pass(Manager.PATIENCE);
    gateway.pass(SECOND);
    assertThat(gateway.message("meter.jar")).contains("found no whole jar", "expected a bundle");

    Files.write(jar, whole);
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar")).isEmpty();
  }

  @Test
  void aSuccessorUnderAnotherNameTakesOverWithoutAStop() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter-1.0.0.jar");
    gateway.settle();
    long id = gateway.bundle("meter").orElseThrow().getBundleId();

    Files.delete(gateway.inbox.resolve("meter-1.0.0.jar"));
    TestJar.of("meter", "1.1.0").in(gateway.inbox, "meter-1.1.0.jar");
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    gateway.pass(SECOND);

    assertThat(gateway.running("meter")).isEqualTo("1.1.0");
    assertThat(gateway.bundle("meter").orElseThrow().getBundleId()).isEqualTo(id);
  }

  @Test
  void aSuccessorUnderAnotherNameThatIsRefusedLeavesTheOneBeforeInForce() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter-1.0.0.jar");
    gateway.settle();
    Files.delete(gateway.inbox.resolve("meter-1.0.0.jar"));
    TestJar.of("meter", "1.1.0").signer(null).in(gateway.inbox, "meter-1.1.0.jar");
    gateway.settle();
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter-1.1.0.jar"))
        .contains("it is unsigned", "meter 1.0.0 stays in force");

    TestJar.of("meter", "1.2.0")
        .header("Bundle-License", null)
        .in(gateway.inbox, "meter-1.2.0.jar");
    Files.delete(gateway.inbox.resolve("meter-1.1.0.jar"));
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter-1.2.0.jar"))
        .contains("no Bundle-License", "meter 1.0.0 stays in force");

    Files.delete(gateway.inbox.resolve("meter-1.2.0.jar"));
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("none");
  }

  @Test
  void aRefusedJarDoesNotBringBackWhatWasInForceWhenItCame() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "a.jar");
    gateway.settle();
    TestJar.of("meter", "1.1.0").signer(null).in(gateway.inbox, "a.jar");
    gateway.settle();
    TestJar.of("meter", "1.2.0").in(gateway.inbox, "b.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.2.0");

    Files.delete(gateway.inbox.resolve("b.jar"));
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.2.0");
  }

  static Stream<Arguments> badJars() {
    return Stream.of(
        Arguments.of("Bundle-SymbolicName", null, "no Bundle-SymbolicName; expected one name"),
        Arguments.of("Bundle-ManifestVersion", null, "no Bundle-ManifestVersion: 2"),
        Arguments.of("Bundle-Version", null, "no Bundle-Version"),
        Arguments.of("Bundle-Version", "one", "Bundle-Version: one; expected a version"),
        Arguments.of("Bundle-SymbolicName", "a/../b", "a/../b; expected letters"),
        Arguments.of("Fragment-Host", "io.culvert.core", "Fragment-Host: io.culvert.core"),
        Arguments.of("Export-Package", "com.acme.x;version=1", "Export-Package: com.acme.x"),
        Arguments.of("Require-Bundle", "io.culvert.core", "Require-Bundle: io.culvert.core"),
        Arguments.of("DynamicImport-Package", "*", "DynamicImport-Package: *"),
        Arguments.of("DynamicImport-Package", "org.x,io.*", "DynamicImport-Package: io.*"),
        Arguments.of(
            "Import-Package",
            "io.culvert.core.run;version=\"[1.0,2)\"",
            "Import-Package: io.culvert.core.run; expected of the gateway's own packages only"),
        Arguments.of(
            "Import-Package", "io.culvert.api", "io.culvert.api;version=\"\"; expected a range"),
        Arguments.of(
            "Import-Package",
            "io.culvert.api;version=\"1.0\"",
            "io.culvert.api;version=\"1.0\"; expected a range"),
        Arguments.of(
            "Bundle-SymbolicName",
            "org.apache.felix.framework",
            "a name that no bundle of the base"));
  }

  @ParameterizedTest
  @MethodSource("badJars")
  void aBadJarIsRefusedWithTheReasonAndLeavesEverythingInForce(
      String header, String value, String reason) throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    long number = gateway.current().number();

    TestJar.of("meter", "2.0.0").header(header, value).in(gateway.inbox, "meter.jar");
    TestJar.of("gate", "1.0.0").in(gateway.inbox, "gate.jar");
    gateway.settle();

    assertThat(gateway.message("meter.jar")).contains("found ", reason);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.running("gate")).isEqualTo("1.0.0");
    assertThat(gateway.current().number()).isEqualTo(number + 1);
  }

  @Test
  void contentThatDoesNotFitItsChecksumIsRefused() throws Exception {
    byte[] bytes = TestJar.of("meter", "1.0.0").filling("x".repeat(200)).bytes();
    // Within the compressed content of the first entry, behind the local header.
    bytes[60] ^= 0x20;
    Files.write(gateway.inbox.resolve("meter.jar"), bytes);
    gateway.pass(SECOND);
    gateway.pass(Manager.PATIENCE);
    gateway.pass(SECOND);

    assertThat(gateway.message("meter.jar")).contains("found no whole jar");
    assertThat(gateway.bundle("meter")).isEmpty();
  }

  @Test
  void aBundleThatDoesNotResolveGoesBackToTheOneBefore() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    TestJar.of("meter", "2.0.0")
        .header("Import-Package", "com.acme.missing;version=\"[9.0,10)\"")
        .in(gateway.inbox, "meter.jar");
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.current().lock().get("meter").version()).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar"))
        .contains(
            "meter 2.0.0 doesn't start",
            "nothing in this gateway provides package com.acme.missing [9.0.0,10.0.0)");
    // And isn't tried again until it changes.
    long number = gateway.current().number();
    gateway.pass(SECOND);
    gateway.pass(SECOND);
    assertThat(gateway.current().number()).isEqualTo(number);
  }

  @Test
  void aBundleThatDoesNotStartIsLeftOutAndTriedAgainWhenItChanges() throws Exception {
    TestJar.of("meter", "1.0.0").activator(Throws.class).in(gateway.inbox, "meter.jar");
    TestJar.of("gate", "1.0.0").in(gateway.inbox, "gate.jar");
    gateway.settle();

    assertThat(gateway.bundle("meter")).isEmpty();
    assertThat(gateway.running("gate")).isEqualTo("1.0.0");
    assertThat(gateway.current().lock()).containsOnlyKeys("gate");
    assertThat(gateway.message("meter.jar")).contains("doesn't start", "no licence key");

    TestJar.of("meter", "1.0.1").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.0.1");
  }

  @Test
  void whatIsInForceAndDoesNotStartStaysInForceAndIsTriedAgainByItself() throws Exception {
    TestJar.of("meter", "1.0.0").activator(Picky.class).in(gateway.inbox, "meter.jar");
    gateway.settle();
    gateway.bundle("meter").orElseThrow().uninstall();
    System.setProperty(Picky.OBSTACLE, "the adapter isn't there yet");
    try {
      gateway.restartManager();
      gateway.pass(SECOND);
      gateway.pass(SECOND);
      assertThat(gateway.running("meter")).isEqualTo("none");
      assertThat(gateway.current().lock()).containsOnlyKeys("meter");
      assertThat(gateway.message("meter.jar"))
          .contains("the adapter isn't there yet", "it is tried again by itself, after 10 s");
      gateway.pass(Duration.ofSeconds(10));
      assertThat(gateway.message("meter.jar")).contains("after 20 s");
    } finally {
      System.clearProperty(Picky.OBSTACLE);
    }
    gateway.pass(Duration.ofSeconds(19));
    assertThat(gateway.running("meter")).isEqualTo("none");
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar")).isEmpty();
  }

  @Test
  void ofTwoJarsWithOneNameTheHigherVersionRunsAndTheOtherIsNamed() throws Exception {
    TestJar.of("meter", "1.9.0").in(gateway.inbox, "b.jar");
    TestJar.of("meter", "1.10.0").in(gateway.inbox, "a.jar");
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.10.0");
    assertThat(gateway.message("b.jar")).contains("1.10.0 of a.jar is in force");
    gateway.pass(SECOND);
    assertThat(gateway.message("b.jar")).contains("1.10.0 of a.jar is in force");
  }

  @Test
  void anOlderOneIsNotTakenUntilNoneIsInForce() throws Exception {
    TestJar.of("meter", "1.10.0").in(gateway.inbox, "a.jar");
    gateway.settle();
    TestJar.of("meter", "1.9.0").in(gateway.inbox, "a.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.10.0");
    assertThat(gateway.message("a.jar"))
        .contains("meter 1.9.0, older than 1.10.0 that is in force", "remove every jar of it");

    // As a copy of an old inbox over this one does.
    Files.move(gateway.inbox.resolve("a.jar"), gateway.inbox.resolve("b.jar"));
    gateway.settle();
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.10.0");
    assertThat(gateway.message("b.jar")).contains("older than 1.10.0 that is in force");

    Files.delete(gateway.inbox.resolve("b.jar"));
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("none");
    TestJar.of("meter", "1.9.0").in(gateway.inbox, "b.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    assertThat(gateway.message("b.jar")).isEmpty();
  }

  @Test
  void oneVersionHasOneContentUnlessTheSiteIsForDevelopment() throws Exception {
    TestJar.of("meter", "1.0.0").filling("first").in(gateway.inbox, "meter.jar");
    gateway.settle();
    String first = gateway.current().lock().get("meter").sha256();
    TestJar.of("meter", "1.0.0").filling("second").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.message("meter.jar"))
        .contains("another meter 1.0.0 than the one in force", "a higher version");
    assertThat(gateway.current().lock().get("meter").sha256()).isEqualTo(first);

    gateway.manager.configure(DEVELOPMENT);
    gateway.pass(SECOND);
    assertThat(gateway.current().lock().get("meter").sha256()).isNotEqualTo(first);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
  }

  @Test
  void aSnapshotIsWhateverWasBuiltLast() throws Exception {
    TestJar.of("meter", "1.0.0.SNAPSHOT").filling("first").in(gateway.inbox, "meter.jar");
    gateway.settle();
    String first = gateway.current().lock().get("meter").sha256();
    TestJar.of("meter", "1.0.0.SNAPSHOT").filling("second").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.message("meter.jar")).isEmpty();
    assertThat(gateway.current().lock().get("meter").sha256()).isNotEqualTo(first);
  }

  @Test
  void anUnsignedOneRunsWhereTheSiteAllowsItAndStatusSaysSoLoudly() throws Exception {
    TestJar.of("meter", "1.0.0").signer(null).in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("none");
    assertThat(gateway.message("meter.jar")).contains("it is unsigned: get it signed");
    assertThat(gateway.manager.problems()).isEmpty();

    gateway.manager.configure(DEVELOPMENT);
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar"))
        .startsWith("unsigned plug-ins are allowed: meter is unsigned; for development only");
    assertThat(gateway.manager.problems())
        .singleElement()
        .asString()
        .startsWith("unsigned plug-ins are allowed");

    gateway.manager.configure(gateway.settings);
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).as("nobody is cut off by a setting").isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar"))
        .contains("it is unsigned", "meter 1.0.0 stays in force");
    gateway.restartManager();
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar")).contains("it is unsigned");
  }

  @Test
  void aJarIsTakenWhenItsVendorIsTrustedAndStaysReportedWhenTrustIsWithdrawn() throws Exception {
    Pki.Identity acme = Pki.order("CN=Acme").make();
    TestJar.of("meter", "1.0.0").signer(acme).in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.message("meter.jar"))
        .contains("signed by CN=Acme, who isn't on the trust list", "bin/culvert plugin trust add");
    long number = gateway.current().number();
    gateway.pass(SECOND);
    assertThat(gateway.current().number()).isEqualTo(number);

    Path pem = Files.writeString(gateway.trust.resolve("acme.pem"), Pki.pem(acme.certificate()));
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar")).isEmpty();
    assertThat(gateway.manager.plugins().get(0).signer()).isEqualTo("acme");
    assertThat(gateway.manager.plugins().get(0).vendor()).isEqualTo("Test Vendor");

    Files.delete(pem);
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar"))
        .contains("CN=Acme, who isn't on the trust list", "meter 1.0.0 stays in force");
    gateway.restartManager();
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(gateway.message("meter.jar")).contains("CN=Acme, who isn't on the trust list");
  }

  /** A cabinet without a battery for its clock starts in 1970. */
  @Test
  void aClockThatIsNotSetYetRefusesAJarOnlyUntilItIs() throws Exception {
    Pki.Identity later =
        Pki.order("CN=Later")
            .valid(gateway.instant().plusSeconds(3600), gateway.instant().plusSeconds(7200))
            .make();
    Files.writeString(gateway.trust.resolve("later.pem"), Pki.pem(later.certificate()));
    TestJar.of("meter", "1.0.0").signer(later).in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.message("meter.jar")).contains("set the gateway's clock if it is wrong");

    gateway.pass(Duration.ofSeconds(3600));
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");

    gateway.pass(Duration.ofDays(1));
    gateway.restartManager();
    gateway.pass(SECOND);
    assertThat(gateway.message("meter.jar")).as("it was in time when it was taken").isEmpty();
    TestJar.of("gate", "1.0.0").signer(later).in(gateway.inbox, "gate.jar");
    gateway.settle();
    assertThat(gateway.message("gate.jar"))
        .contains("the certificate CN=Later is valid from", "no time-stamp says when");
  }

  @Test
  void atStartTheGenerationInForceComesFromTheStoreAndTheRestIsSwept() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    TestJar.of("meter", "1.1.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(files(gateway.store)).hasSize(2);
    Files.writeString(gateway.store.resolve("incoming17.tmp"), "cut off by a power cut");
    gateway.bundle("meter").orElseThrow().uninstall();
    // Nothing of it in the inbox at that moment: the lock alone decides.
    Files.delete(gateway.inbox.resolve("meter.jar"));
    gateway.restartManager();

    assertThat(gateway.running("meter")).isEqualTo("1.1.0");
    assertThat(files(gateway.store))
        .containsExactly(gateway.current().lock().get("meter").sha256() + ".jar");
  }

  @Test
  void whatWasAlteredInTheStoreDoesNotStart() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    Path stored = gateway.store.resolve(gateway.current().lock().get("meter").sha256() + ".jar");
    byte[] whole = Files.readAllBytes(stored);
    Files.write(stored, TestJar.of("meter", "1.0.0").filling("altered").signer(null).bytes());
    gateway.bundle("meter").orElseThrow().uninstall();
    gateway.restartManager();
    assertThat(gateway.running("meter")).isEqualTo("none");

    gateway.settle();
    assertThat(gateway.running("meter")).as("from the inbox").isEqualTo("1.0.0");
    assertThat(stored).hasBinaryContent(whole);
  }

  /** Then the core lets its devices go before their drivers do. */
  @Test
  void whenTheGatewayStopsTheBaseStopsFirstAlsoIfTheBundleIsFromAnEarlierRun() throws Exception {
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(stopped()).containsExactly("culvert.base", "meter");

    gateway.framework.start();
    Bundle meter = gateway.bundle("meter").orElseThrow();
    meter.adapt(BundleStartLevel.class).setStartLevel(80);
    gateway.restartManager();
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
    assertThat(stopped()).containsExactly("culvert.base", "meter");
  }

  /** Stops the framework and says what stopped, in order. */
  private List<String> stopped() throws Exception {
    List<String> stopped = Collections.synchronizedList(new ArrayList<>());
    gateway
        .framework
        .getBundleContext()
        .addBundleListener(
            (SynchronousBundleListener)
                event -> {
                  if (event.getType() == BundleEvent.STOPPED) {
                    stopped.add(event.getBundle().getSymbolicName());
                  }
                });
    gateway.framework.stop();
    gateway.framework.waitForStop(10_000);
    return stopped.stream().filter(name -> !name.startsWith("org.apache")).toList();
  }

  @Test
  void anInboxThatCanNotBeReadStopsNothing() throws Exception {
    Path jar = TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    Files.delete(jar);
    Files.delete(gateway.inbox);
    gateway.pass(SECOND);

    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
  }

  @Test
  void withoutRoomForAGenerationNothingChangesUntilThereIs() throws Exception {
    gateway.diskFull = true;
    TestJar.of("meter", "1.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.bundle("meter")).isEmpty();

    gateway.diskFull = false;
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.0.0");
  }

  private static Stream<String> names(Path folder) throws IOException {
    try (var list = Files.list(folder)) {
      return list.map(p -> p.getFileName().toString()).toList().stream();
    }
  }

  /** As by the shell: then there is nothing left to uninstall. */
  @Test
  void aPluginThatSomebodyElseUninstallsAtThatMomentIsGoneAllTheSame() throws Exception {
    TestJar.of("odd", "1.0.0").in(gateway.inbox, "odd.jar");
    gateway.settle();
    Bundle bundle = gateway.bundle("odd").orElseThrow();
    CountDownLatch held = new CountDownLatch(1);
    SynchronousBundleListener holds =
        event -> {
          if (event.getType() == BundleEvent.STOPPING && event.getBundle() == bundle) {
            held.countDown();
            await().atMost(Duration.ofSeconds(10)).until(ManagerTest::managerWaits);
          }
        };
    gateway.framework.getBundleContext().addBundleListener(holds);
    Thread other =
        new Thread(
            () -> {
              try {
                bundle.uninstall();
              } catch (BundleException e) {
                throw new IllegalStateException(e);
              }
            });
    other.start();
    held.await();
    Files.delete(gateway.inbox.resolve("odd.jar"));
    gateway.settle();
    other.join(90_000);
    gateway.settle();

    assertThat(gateway.bundle("odd")).isEmpty();
    assertThat(gateway.manager.plugins()).isEmpty();
  }

  private static boolean managerWaits() {
    return Thread.getAllStackTraces().keySet().stream()
        .anyMatch(
            thread ->
                thread.getName().equals("culvert-plugin-odd-stop")
                    && thread.getState() == Thread.State.WAITING);
  }

  private static java.util.List<String> files(Path folder) throws IOException {
    return names(folder).sorted().toList();
  }
}
