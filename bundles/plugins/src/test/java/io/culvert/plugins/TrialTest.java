package io.culvert.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Quality;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.service.Plugins.Stage;
import io.culvert.plugins.fixture.Hangs;
import io.culvert.plugins.fixture.Throws;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Plug-ins that must prove themselves on the devices that they touch. */
class TrialTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration WINDOW = Duration.ofSeconds(60);

  @TempDir Path base;
  private Gateway gateway;
  private Street street;

  @BeforeEach
  void start() throws Exception {
    gateway = new Gateway(base);
    street = gateway.street;
  }

  @AfterEach
  void stop() throws Exception {
    gateway.close();
  }

  private TestJar meter(String version) {
    return TestJar.of("meter", version).header("Culvert-Schemes", "lamp, lamp-tls");
  }

  /** The plug-in 1.9.0 with two devices, each of two points, all good. */
  private void running() throws Exception {
    meter("1.9.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    street.device("one", "lamp://h1");
    street.device("two", "lamp-tls://h2");
    street.device("other", "modbus://h3");
    answer("one", "two", "other");
  }

  private void answer(String... devices) {
    for (String device : devices) {
      street.answer(device, Quality.GOOD, "power", "state");
    }
  }

  /** Puts 2.0.0 in, which is on trial then. */
  private void upgrade() throws Exception {
    meter("2.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.TRIAL);
    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
    assertThat(gateway.onTrial()).isTrue();
  }

  private void assertTakenBack(String reason) {
    assertThat(gateway.onTrial()).isFalse();
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    assertThat(gateway.current().lock().get("meter").version()).isEqualTo("1.9.0");
    assertThat(gateway.manager.plugins())
        .extracting("stage")
        .containsExactlyInAnyOrder(Stage.RUNNING, Stage.REFUSED);
    assertThat(gateway.message("meter.jar")).isEqualTo("meter 2.0.0 was taken back: " + reason);
  }

  @Test
  void anUpgradeIsInForceAtOnceWhenEveryDeviceIsGoodAgain() throws Exception {
    running();
    upgrade();
    answer("one");
    gateway.pass(SECOND);
    assertThat(gateway.onTrial()).as("the other hasn't been read").isTrue();

    answer("two");
    gateway.pass(SECOND);
    assertThat(gateway.onTrial()).isFalse();
    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.RUNNING);
    assertThat(gateway.current().lock().get("meter").version()).isEqualTo("2.0.0");
  }

  @Test
  void whatWasReadBeforeTheChangeProvesNothing() throws Exception {
    running();
    upgrade();
    gateway.pass(WINDOW.minus(SECOND));
    assertThat(gateway.onTrial()).isTrue();
    gateway.pass(SECOND);

    assertTakenBack(
        "2 of 2 devices that were good are not: one (power: not read, state: not read),"
            + " two (power: not read, state: not read); back to 1.9.0; it is tried again when its"
            + " file changes");
  }

  @Test
  void anUpgradeWhoseDevicesAreSilentIsTakenBackWithTheirNames() throws Exception {
    running();
    upgrade();
    answer("two");
    street.become("one", State.OFFLINE, "no answer within 2 s");
    gateway.pass(WINDOW);

    assertTakenBack(
        "1 of 2 devices that were good is not: one (OFFLINE: no answer within 2 s); back to 1.9.0;"
            + " it is tried again when its file changes");
  }

  @Test
  void onePointThatWasGoodAndIsNotSpeaksAgainstIt() throws Exception {
    running();
    upgrade();
    answer("one", "two");
    street.answer("one", Quality.BAD_NOT_FOUND, "state");
    gateway.pass(WINDOW);

    assertTakenBack(
        "1 of 2 devices that were good is not: one (state: BadNotFound); back to 1.9.0; it is tried"
            + " again when its file changes");
  }

  @Test
  void whatWasBadBeforeMayBeBadAfter() throws Exception {
    running();
    street.become("two", State.OFFLINE, "no answer");
    street.answer("one", Quality.BAD_SENSOR_FAILURE, "state");
    upgrade();
    street.answer("one", Quality.GOOD, "power");
    gateway.pass(SECOND);

    assertThat(gateway.onTrial()).isFalse();
    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
  }

  @Test
  void manyBadDevicesAreCountedAndSomeNamed() throws Exception {
    running();
    for (int i = 10; i < 20; i++) {
      street.device("d" + i, "lamp://h" + i);
      answer("d" + i);
    }
    upgrade();
    for (int i = 10; i < 20; i++) {
      street.become("d" + i, State.INVALID, "");
    }
    answer("one", "two");
    gateway.pass(WINDOW);

    assertThat(gateway.message("meter.jar"))
        .contains(
            "10 of 12 devices that were good are not: d10 (INVALID), d11 (INVALID), d12 (INVALID),"
                + " d13 (INVALID), d14 (INVALID), and 5 more; back to 1.9.0");
  }

  @Test
  void aDeviceOfAnotherPluginOnTheSameLaneCounts() throws Exception {
    running();
    street.device("bus-1", "x", "lamp:///dev/ttyS1", "serial:/dev/ttyS1");
    street.device("bus-2", "x", "modbus:///dev/ttyS1", "serial:/dev/ttyS1");
    answer("bus-1", "bus-2");
    upgrade();
    answer("one", "two", "bus-1");
    street.become("bus-2", State.OFFLINE, "no answer");
    gateway.pass(WINDOW);

    assertTakenBack(
        "1 of 4 devices that were good is not: bus-2 (OFFLINE: no answer); back to 1.9.0; it is"
            + " tried again when its file changes");
  }

  @Test
  void aDeviceWithAProfileOfThePluginCounts() throws Exception {
    String yaml = "schema: culvert-profile/1\nid: 'pole'\nscheme: modbus\n";
    for (String version : new String[] {"1.9.0", "2.0.0"}) {
      if (version.equals("2.0.0")) {
        street.device("pole-1", "pole", "modbus://h", "lane");
        answer("pole-1");
        gateway.pass(WINDOW);
      }
      TestJar.of("meter", version)
          .header("Culvert-Profiles", "profiles")
          .file("profiles/pole.yaml", yaml)
          .in(gateway.inbox, "meter.jar");
      gateway.settle();
    }
    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.TRIAL);
    street.become("pole-1", State.INVALID, "points.level: found x");
    gateway.pass(WINDOW);

    assertTakenBack(
        "1 of 1 devices that were good is not: pole-1 (INVALID: points.level: found x); back to"
            + " 1.9.0; it is tried again when its file changes");
  }

  @Test
  void aPointThatIsReadTooRarelyForTheProbeDoesNotSpeakAgainstIt() throws Exception {
    running();
    street.answer("one", Duration.ofMinutes(20), Quality.GOOD, "daily");
    upgrade();
    answer("one", "two");
    gateway.pass(SECOND);
    assertThat(gateway.onTrial()).as("it may yet be read").isTrue();
    gateway.pass(WINDOW);

    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
    assertThat(gateway.onTrial()).isFalse();
  }

  @Test
  void aPointThatTheProfileHasNoLongerDoesNotSpeakAgainstIt() throws Exception {
    running();
    upgrade();
    street.forget("one");
    street.answer("one", Quality.GOOD, "power");
    answer("two");
    gateway.pass(WINDOW);

    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
    assertThat(gateway.onTrial()).isFalse();
  }

  @Test
  void aDeviceOfWhichNothingIsReadAnyMoreSpeaksAgainstIt() throws Exception {
    running();
    upgrade();
    answer("two");
    street.forget("one");
    gateway.pass(WINDOW);

    assertTakenBack(
        "1 of 2 devices that were good is not: one (power: not read, state: not read); back to"
            + " 1.9.0; it is tried again when its file changes");
  }

  @Test
  void aDeviceThatIsTakenOutOfTheSiteMeanwhileIsForgotten() throws Exception {
    running();
    upgrade();
    answer("one");
    street.remove("two");
    gateway.pass(SECOND);

    assertThat(gateway.onTrial()).isFalse();
    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
  }

  @Test
  void aVersionWithoutASchemeThatDevicesUseIsRefusedBeforeAnythingStops() throws Exception {
    running();
    var service = gateway.bundle("meter").orElseThrow().getRegisteredServices()[0];
    TestJar.of("meter", "2.0.0").header("Culvert-Schemes", "lamp").in(gateway.inbox, "meter.jar");
    gateway.settle();

    assertThat(gateway.message("meter.jar"))
        .contains("meter 2.0.0 has no driver of lamp-tls, which 1.9.0 has and devices use");
    assertThat(gateway.bundle("meter").orElseThrow().getRegisteredServices())
        .containsExactly(service);
    assertThat(gateway.onTrial()).isFalse();

    street.remove("two");
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).as("without a touch of its file").isEqualTo("2.0.0");
  }

  @Test
  void aSchemeThatAnotherPluginHasMayGo() throws Exception {
    running();
    TestJar.of("tls", "1.0.0").header("Culvert-Schemes", "LAMP-TLS").in(gateway.inbox, "tls.jar");
    gateway.settle();
    answer("one", "two");
    gateway.pass(SECOND);
    TestJar.of("meter", "2.0.0").header("Culvert-Schemes", "lamp").in(gateway.inbox, "meter.jar");
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
  }

  @Test
  void aJarThatWasTakenBackIsTriedAgainOnlyWhenItsFileChanges() throws Exception {
    running();
    upgrade();
    gateway.pass(WINDOW);
    long number = gateway.current().number();
    for (int i = 0; i < 5; i++) {
      gateway.pass(SECOND);
    }
    assertThat(gateway.current().number()).isEqualTo(number);

    Files.setLastModifiedTime(
        gateway.inbox.resolve("meter.jar"), FileTime.from(Instant.now().plusSeconds(5)));
    gateway.settle();
    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.TRIAL);
    answer("one", "two");
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
    assertThat(gateway.message("meter.jar")).isEmpty();
  }

  @Test
  void norIsItTriedAgainAfterARestart() throws Exception {
    running();
    upgrade();
    gateway.pass(WINDOW);
    String message = gateway.message("meter.jar");
    gateway.restartManager();
    gateway.settle();
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    assertThat(gateway.message("meter.jar")).isEqualTo(message);
    assertThat(gateway.onTrial()).isFalse();

    Files.delete(gateway.inbox.resolve("meter.jar"));
    gateway.pass(SECOND);
    meter("2.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).as("put in anew").isEqualTo("2.0.0");
  }

  /** As the person does who keeps each version's jar under its own name. */
  @Test
  void theOneBeforeStaysAlsoIfItsOwnFileIsGone() throws Exception {
    running();
    Files.delete(gateway.inbox.resolve("meter.jar"));
    meter("2.0.0").in(gateway.inbox, "meter-2.jar");
    gateway.settle();
    assertThat(gateway.stage("meter-2.jar")).isEqualTo(Stage.TRIAL);
    gateway.pass(WINDOW);
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");

    gateway.restartManager();
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
  }

  @Test
  void anUpgradeThatAKillCutOffIsRefusedAndSaysWhy() throws Exception {
    running();
    upgrade();
    gateway.restartAfterKill();
    gateway.settle();
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    assertThat(gateway.message("meter.jar")).isEqualTo("the gateway ended");
  }

  @Test
  void anInstallationThatAKillCutOffIsTriedAgainButNotForEver() throws Exception {
    street.device("one", "lamp://h1");
    street.answer("one", Quality.GOOD, "power");
    meter("1.0.0").in(gateway.inbox, "meter.jar");
    for (int n = 1; n <= Manager.INSTALLATION_TRIES; n++) {
      gateway.settle();
      assertThat(gateway.stage("meter.jar")).as("try " + n).isEqualTo(Stage.TRIAL);
      gateway.restartAfterKill();
      assertThat(gateway.bundle("meter")).isEmpty();
    }
    gateway.settle();

    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.REFUSED);
    assertThat(gateway.bundle("meter")).isEmpty();
  }

  @Test
  void aManagerThatLostTrackOfATrialTakesItBack() throws Exception {
    running();
    upgrade();
    gateway.restartManager();
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    assertThat(gateway.message("meter.jar"))
        .contains("taken back: nobody watched it to the end of its trial");
  }

  @Test
  void whileOneIsOnTrialTheInboxWaits() throws Exception {
    running();
    upgrade();
    TestJar.of("gate", "1.0.0").in(gateway.inbox, "gate.jar");
    gateway.settle();
    assertThat(gateway.bundle("gate")).isEmpty();

    answer("one", "two");
    gateway.settle();
    assertThat(gateway.running("gate")).isEqualTo("1.0.0");
    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
  }

  @Test
  void theRemovalOfAJarNeedsNoProbe() throws Exception {
    running();
    Files.delete(gateway.inbox.resolve("meter.jar"));
    gateway.pass(SECOND);

    assertThat(gateway.bundle("meter")).isEmpty();
    assertThat(gateway.onTrial()).isFalse();
  }

  @Test
  void oneThatDoesNotStartGoesBackAtOnce() throws Exception {
    running();
    meter("2.0.0").activator(Throws.class).in(gateway.inbox, "meter.jar");
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    assertThat(gateway.message("meter.jar"))
        .contains("meter 2.0.0 doesn't start: ", "no licence key", "; back to 1.9.0; ");
    assertThat(gateway.takenBack()).hasSize(1);
  }

  @Test
  @Timeout(60)
  void oneWhoseStartNeverReturnsGoesBackToo() throws Exception {
    running();
    meter("2.0.0").activator(Hangs.class).in(gateway.inbox, "meter.jar");
    gateway.settle();

    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    assertThat(gateway.onTrial()).isFalse();
    assertThat(gateway.message("meter.jar")).contains("doesn't start: its start hadn't returned");
  }

  @Test
  @Timeout(60)
  void noPluginKeepsTheOthersWaitingByAStartThatNeverReturns() throws Exception {
    running();
    meter("2.0.0").activator(Hangs.class).header("Deaf", "x").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.onTrial()).isFalse();
    assertThat(gateway.current().lock().get("meter").version()).isEqualTo("1.9.0");
    assertThat(gateway.message("meter.jar")).contains("its start hadn't returned", "restart");

    TestJar.of("gate", "1.0.0").in(gateway.inbox, "gate.jar");
    gateway.settle();
    assertThat(gateway.running("gate")).isEqualTo("1.0.0");
  }

  @Test
  void rightAfterAStartAnUpgradeWaitsUntilItIsKnownWhatIsGood() throws Exception {
    running();
    street.become("one", State.STARTING, "");
    street.become("two", State.WAITING, "no driver of lamp-tls");
    gateway.restartManager();
    meter("2.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    answer("one");
    gateway.pass(SECOND);
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    answer("two");
    gateway.pass(SECOND);
    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.TRIAL);
  }

  @Test
  void butNotForEver() throws Exception {
    running();
    street.become("two", State.STARTING, "");
    gateway.restartManager();
    meter("2.0.0").in(gateway.inbox, "meter.jar");
    gateway.settle();
    assertThat(gateway.running("meter")).isEqualTo("1.9.0");
    gateway.pass(WINDOW);

    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.TRIAL);
  }

  @Test
  void aDiskThatRefusesToConfirmIsAskedAgain() throws Exception {
    running();
    upgrade();
    answer("one", "two");
    gateway.diskFull = true;
    gateway.pass(SECOND);
    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.TRIAL);

    gateway.diskFull = false;
    gateway.pass(WINDOW);
    assertThat(gateway.stage("meter.jar")).isEqualTo(Stage.RUNNING);
    assertThat(gateway.running("meter")).isEqualTo("2.0.0");
  }
}
