package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.eclipse.milo.opcua.sdk.server.Session;
import org.eclipse.milo.opcua.sdk.server.subscriptions.Subscription;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Nothing is lost when the link is: every value that the server set is compared with what arrived.
 */
class ReconnectTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Map<String, String> SETTINGS =
      Map.of("security", "none", "publishing", "20ms", "queue", "20000", "keepAlive", "2s");

  private final OpcUaDriver driver = new OpcUaDriver();
  private PlantServer plant;
  private Cable cable;
  private Core core;
  private int set;

  @BeforeEach
  void start() throws Exception {
    plant = new PlantServer();
    cable = new Cable(plant.port());
    core = new Core(driver, device(cable.endpoint()), List.of(tick()));
  }

  @AfterEach
  void stop() throws Exception {
    core.close();
    driver.deactivate();
    cable.close();
    plant.close();
  }

  private static Device device(URI endpoint) {
    return device("d1", endpoint);
  }

  private static Device device(String id, URI endpoint) {
    return new Device(id, "p", endpoint, SETTINGS);
  }

  private static Point tick() {
    return new Point("tick", PlantServer.address("Tick"), DataType.INT32, Access.READ);
  }

  private void set(int more) {
    for (int i = 0; i < more; i++) {
      plant.set("Tick", ++set);
    }
  }

  private List<Integer> arrived() {
    return core.samples.stream().map(s -> (int) ((Value.Int) s.value()).value()).toList();
  }

  private void arrives(int value) {
    await().atMost(PATIENCE).until(() -> arrived().contains(value));
  }

  private void opened(int times) {
    await().atMost(PATIENCE).until(() -> core.completeSince.size() >= times);
  }

  private Subscription subscription() {
    return plant.server().getSubscriptions().values().iterator().next();
  }

  private void everyValueOnceInOrder() {
    arrives(set);
    String all = IntStream.rangeClosed(0, set).boxed().toList().toString();
    assertThat(arrived().toString()).isEqualTo(all);
    assertThat(core.missing).isEmpty();
  }

  @Test
  void aChannelClosedInABurstLosesNothing() throws Exception {
    for (int round = 1; round <= 3; round++) {
      set(200);
      arrives(set);
      Instant whole = Instant.now();
      cable.deafen();
      long before = cable.swallowed();
      set(50);
      await().atMost(PATIENCE).until(() -> cable.swallowed() > before + 1000);
      set(50);
      cable.cut();
      set(50);
      opened(round + 1);
      assertThat(core.completeSince.get(round)).isBeforeOrEqualTo(whole);
    }
    everyValueOnceInOrder();
    assertThat(core.losses).hasSize(3);
  }

  @Test
  void aHalfOpenConnectionIsNoticedAndLosesNothing() throws Exception {
    set(10);
    arrives(10);
    cable.pull();
    Instant pulled = Instant.now();
    set(100);
    await().atMost(PATIENCE).until(() -> core.losses.size() == 1);
    set(100);
    cable.cut();
    cable.plug();
    opened(2);
    everyValueOnceInOrder();
    assertThat(core.completeSince.get(1)).isBeforeOrEqualTo(pulled);
  }

  @Test
  void anotherSessionTakesTheSubscriptionOver() throws Exception {
    set(10);
    arrives(10);
    Instant whole = Instant.now();
    cable.deafen();
    set(1);
    await().atMost(PATIENCE).until(() -> cable.swallowed() > 0);
    // So the server has a way to tell the former session, which takes a number.
    assertThat(subscription().getSubscriptionManager().getPublishQueue().isNotEmpty()).isTrue();
    for (Session session : plant.server().getSessionManager().getAllSessions()) {
      plant.server().getSessionManager().killSession(session.getSessionId(), false);
    }
    cable.cut();
    set(100);
    opened(2);
    set(10);
    everyValueOnceInOrder();
    assertThat(core.completeSince.get(1)).isBeforeOrEqualTo(whole);
    assertThat(core.losses).hasSize(1);
  }

  @Test
  void aServerThatHasForgottenAllIsAskedForItsHistory() throws Exception {
    set(100);
    arrives(100);
    Instant before = Instant.now();
    plant.stop();
    set = 200;
    plant.start();
    for (int i = 101; i <= 200; i++) {
      plant.set("Tick", i);
    }
    opened(2);
    set(50);
    arrives(set);
    assertThat(core.completeSince.get(1)).isAfter(before);
    TreeSet<Integer> all = new TreeSet<>(arrived());
    for (Sample sample : core.history(before, Instant.now())) {
      all.add((int) ((Value.Int) sample.value()).value());
    }
    assertThat(all).containsExactlyElementsOf(IntStream.rangeClosed(0, set).boxed().toList());
  }

  @Test
  void aMessageThatTheServerCannotGiveAgainIsNotClaimed() throws Exception {
    set(10);
    arrives(10);
    cable.deafen();
    long before = cable.swallowed();
    set(100);
    await().atMost(PATIENCE).until(() -> cable.swallowed() > before + 1000);
    Subscription subscription = subscription();
    Instant gap = Instant.now();
    for (UInteger number : subscription.getAvailableSequenceNumbers()) {
      subscription.acknowledge(number);
    }
    // For as long as a server must keep its messages.
    cable.pull();
    cable.cut();
    await().atMost(PATIENCE).until(() -> Instant.now().isAfter(gap.plusMillis(2_500)));
    cable.plug();
    set(1);
    opened(2);
    arrives(set);
    assertThat(core.completeSince.subList(1, core.completeSince.size()))
        .allSatisfy(since -> assertThat(since).isAfter(gap));
    assertThat(arrived()).doesNotContain(50);
  }

  @Test
  void aSubscriptionThatTheServerDropsIsMadeAgain() throws Exception {
    set(10);
    arrives(10);
    Instant before = Instant.now();
    subscription().getSubscriptionManager().sessionClosed(true);
    await().atMost(PATIENCE).until(() -> core.losses.size() == 1);
    opened(2);
    set(10);
    arrives(set);
    assertThat(core.completeSince.get(1)).isAfter(before);
  }

  @Test
  void whatComesBeforeTheDeviceIsOpenAgainWaitsForIt() throws Exception {
    set(10);
    arrives(10);
    core.reopens = false;
    cable.cut();
    await().atMost(PATIENCE).until(() -> core.losses.size() == 1);
    set(100);
    // The session is back before the device is.
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                !core.connection().session.client().isCompletedExceptionally()
                    && !plant.items("Tick").get(0).hasNotifications());
    core.reopen();
    opened(2);
    everyValueOnceInOrder();
  }

  @Test
  void aLinkThatWasBrieflyLostInSilenceIsKnownToBeWhole() throws Exception {
    set(10);
    arrives(10);
    Instant whole = Instant.now();
    cable.cut();
    opened(2);
    assertThat(core.completeSince.get(1)).isBeforeOrEqualTo(whole);
    set(10);
    everyValueOnceInOrder();
  }

  @Test
  void whatAQueueOfOneMayHaveLostIsNotClaimed() throws Exception {
    Point other = new Point("other", PlantServer.address("Int32"), DataType.INT32, Access.READ);
    Point last =
        new Point("last", PlantServer.address("Tick") + " queue=1", DataType.INT32, Access.READ);
    try (Core asked = new Core(driver, device("d2", cable.endpoint()), List.of(other, last))) {
      plant.mostQueue(1);
      try (Core revised = new Core(driver, device("d3", cable.endpoint()), List.of(tick()))) {
        await()
            .atMost(PATIENCE)
            .until(() -> asked.samples.size() >= 2 && !revised.samples.isEmpty());
        set(10);
        arrives(10);
        Instant whole = Instant.now();
        cable.cut();
        set(3);
        opened(2);
        await()
            .atMost(PATIENCE)
            .until(() -> asked.completeSince.size() >= 2 && revised.completeSince.size() >= 2);
        assertThat(asked.completeSince.get(1)).isAfter(whole);
        assertThat(revised.completeSince.get(1)).isAfter(whole);
        // Those who have a queue lose nothing, though it is the same subscription.
        everyValueOnceInOrder();
      }
    }
  }

  @Test
  void aForgottenSubscriptionIsMadeAgainBeforeTheDeviceIsOpenAgain() throws Exception {
    set(10);
    arrives(10);
    core.reopens = false;
    plant.stop();
    plant.start();
    await().atMost(PATIENCE).until(() -> plant.watched() == 1);
    Instant again = Instant.now();
    set(10);
    core.reopen();
    opened(2);
    arrives(20);
    assertThat(arrived()).endsWith(11, 12, 13, 14, 15, 16, 17, 18, 19, 20);
    assertThat(core.completeSince.get(1)).isBeforeOrEqualTo(again);
  }
}
