package io.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Writable;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the core relies on, whatever the protocol: a driver passes by naming itself and a device to
 * talk to. For drivers whose devices answer when asked and can be commanded.
 */
@Timeout(60)
public abstract class DriverContract {
  /** How long an answer of the peer may take. */
  private static final Duration ANSWER = Duration.ofSeconds(5);

  /** How long a call that must not block may take; generous, for a loaded machine. */
  private static final Duration AT_ONCE = Duration.ofSeconds(1);

  private Set<Thread> threadsBefore;
  private Peer peer;
  private Driver driver;
  private final List<Connection> opened = new ArrayList<>();

  /** Starts the device to talk to. */
  protected abstract Peer peer() throws Exception;

  /** Makes the driver as the framework activates it. */
  protected abstract Driver activate() throws Exception;

  /** Ends the driver as the framework deactivates it. */
  protected abstract void deactivate(Driver driver) throws Exception;

  @BeforeEach
  void startPeerAndDriver() throws Exception {
    peer = peer();
    threadsBefore = Thread.getAllStackTraces().keySet();
    driver = activate();
  }

  @AfterEach
  void stopPeerAndDriver() throws Exception {
    opened.forEach(Connection::close);
    if (driver != null) {
      deactivate(driver);
    }
    peer.close();
  }

  @Test
  void findsNothingWrongWithAValidDevice() {
    List<Point> points = new ArrayList<>(peer.values().keySet());
    points.addAll(peer.refused());
    points.add(writable());
    assertThat(driver.validate(peer.device(), points)).isEmpty();
    assertThat(driver.lane(peer.device())).isNotBlank();
  }

  @Test
  void tellsWhatIsWrongInsteadOfThrowing() {
    Device device = peer.device();
    String scheme = device.endpoint().getScheme();
    for (String endpoint :
        List.of("x", scheme + ":x", scheme + ":///", scheme + "://h:99999", scheme + "://h?=&&")) {
      Device wrong =
          new Device(device.id(), device.profile(), URI.create(endpoint), device.settings());
      assertThat(driver.validate(wrong, List.of())).as(endpoint).isNotEmpty();
    }
    Point point = writable();
    for (String address : List.of("", ":", ";", "☃", "\0", "-1", "%s%n", "a".repeat(10_000))) {
      Point wrong = new Point(point.id(), address, point.type(), point.access());
      assertThat(driver.validate(device, List.of(wrong)))
          .as(address)
          .isNotEmpty()
          .allSatisfy(problem -> assertThat(problem.key()).startsWith("points." + point.id()));
    }
    assertThat(
            driver.validate(
                new Device(device.id(), device.profile(), device.endpoint(), Map.of("☃", "")),
                List.of()))
        .isNotEmpty();
  }

  @Test
  void readsWhatTheDeviceHolds() throws Exception {
    Readable.Plan plan = open().prepare(List.copyOf(peer.values().keySet()));
    for (int cycle = 0; cycle < 3; cycle++) {
      assertThat(values(answer(plan.read()))).isEqualTo(expected());
    }
  }

  @Test
  void aPointThatIsRefusedIsDataAndHarmsNoNeighbour() throws Exception {
    List<Point> points = new ArrayList<>(peer.refused());
    points.addAll(peer.values().keySet());
    Readable.Plan plan = open().prepare(points);
    for (int cycle = 0; cycle < 3; cycle++) {
      List<Sample> samples = answer(plan.read());
      assertThat(samples)
          .extracting(Sample::point)
          .containsExactlyInAnyOrderElementsOf(points.stream().map(Point::id).toList());
      Map<String, Value> values = values(samples);
      for (Point refused : peer.refused()) {
        assertThat(sample(samples, refused).quality().bad()).isTrue();
        values.remove(refused.id());
      }
      assertThat(values).isEqualTo(expected());
    }
  }

  @Test
  void showsWhatWasWritten() throws Exception {
    Connection connection = open();
    Readable.Plan plan = ((Readable) connection).prepare(List.of(writable()));
    for (Value value : peer.writes().get(writable())) {
      assertThat(answer(((Writable) connection).write(writable(), value))).isEqualTo(Quality.GOOD);
      assertThat(answer(plan.read())).containsExactly(Sample.good(writable().id(), value));
    }
  }

  @Test
  void closingFromAnotherThreadEndsWhatIsPending() throws Exception {
    Readable connection = open();
    Readable.Plan plan = connection.prepare(List.copyOf(peer.values().keySet()));
    peer.hold();
    CompletableFuture<?> read = atOnce(plan::read);
    Thread closer = new Thread(connection::close);
    closer.start();
    closer.join(AT_ONCE.toMillis());
    assertThat(closer.isAlive()).as("close() blocks").isFalse();
    fails(read);
    peer.resume();
  }

  @Test
  void closingTwiceIsHarmlessAndWhatComesAfterFails() throws Exception {
    Readable connection = open();
    Readable.Plan plan = connection.prepare(List.copyOf(peer.values().keySet()));
    connection.close();
    connection.close();
    fails(atOnce(plan::read));
    assertThat(values(answer(open().prepare(List.copyOf(peer.values().keySet())).read())))
        .isEqualTo(expected());
  }

  @Test
  void aCancelledExchangeLeavesTheConnectionUsable() throws Exception {
    Readable connection = open();
    Readable.Plan plan = connection.prepare(List.copyOf(peer.values().keySet()));
    peer.hold();
    CompletableFuture<?> late = atOnce(plan::read);
    assertThatThrownBy(() -> late.get(50, TimeUnit.MILLISECONDS))
        .isNotInstanceOf(ExecutionException.class);
    late.cancel(true);
    peer.resume();
    assertThat(values(answer(plan.read()))).isEqualTo(expected());
  }

  @Test
  void aLinkThatIsLostIsAnException() throws Exception {
    Readable.Plan plan = open().prepare(List.copyOf(peer.values().keySet()));
    answer(plan.read());
    peer.hold();
    CompletableFuture<?> pending = atOnce(plan::read);
    peer.stop();
    fails(pending);
    fails(atOnce(plan::read));
  }

  @Test
  void anAbsentDeviceFailsToOpenOrToAnswer() throws Exception {
    peer.stop();
    CompletableFuture<Connection> opening =
        atOnce(() -> driver.open(peer.device(), new RecordingSink()));
    try {
      Connection connection = answer(opening);
      opened.add(connection);
      fails(atOnce(((Readable) connection).prepare(List.of(writable()))::read));
    } catch (ExecutionException refused) {
      assertThat(refused.getCause()).hasMessageNotContaining("null");
    }
  }

  @Test
  void aDeviceThatReturnsIsReached() throws Exception {
    Readable before = open();
    Readable.Plan plan = before.prepare(List.copyOf(peer.values().keySet()));
    answer(plan.read());
    peer.stop();
    fails(atOnce(plan::read));
    before.close();
    peer.start();
    assertThat(values(answer(open().prepare(List.copyOf(peer.values().keySet())).read())))
        .isEqualTo(expected());
  }

  @Test
  void leavesNoThreadBehind() throws Exception {
    Readable idle = open();
    Readable busy = open();
    answer(idle.prepare(List.copyOf(peer.values().keySet())).read());
    peer.hold();
    CompletableFuture<?> pending = atOnce(busy.prepare(List.copyOf(peer.values().keySet()))::read);
    idle.close();
    busy.close();
    deactivate(driver);
    driver = null;
    fails(pending);
    await()
        .pollInSameThread()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(threadsSince()).isEmpty());
    peer.resume();
  }

  @Test
  void deactivationEndsWhatIsOpen() throws Exception {
    Readable connection = open();
    Readable.Plan plan = connection.prepare(List.copyOf(peer.values().keySet()));
    peer.hold();
    CompletableFuture<?> pending = atOnce(plan::read);
    deactivate(driver);
    driver = null;
    fails(pending);
    fails(atOnce(plan::read));
    connection.close();
    peer.resume();
  }

  private Point writable() {
    return peer.writes().keySet().iterator().next();
  }

  private Set<String> threadsSince() {
    Set<Thread> threads = new HashSet<>(Thread.getAllStackTraces().keySet());
    threads.removeAll(threadsBefore);
    return threads.stream()
        .map(Thread::getName)
        // The JDK's own, which waits for child processes of a peer.
        .filter(name -> !name.startsWith("process reaper"))
        .collect(Collectors.toSet());
  }

  private Readable open() throws Exception {
    Connection connection = answer(driver.open(peer.device(), new RecordingSink()));
    opened.add(connection);
    return (Readable) connection;
  }

  private Map<String, Value> expected() {
    return peer.values().entrySet().stream()
        .collect(Collectors.toMap(entry -> entry.getKey().id(), Map.Entry::getValue));
  }

  private static Map<String, Value> values(List<Sample> samples) {
    Map<String, Value> values = new HashMap<>();
    samples.forEach(sample -> values.put(sample.point(), sample.value()));
    return values;
  }

  private static Sample sample(List<Sample> samples, Point point) {
    return samples.stream().filter(s -> s.point().equals(point.id())).findFirst().orElseThrow();
  }

  private static <T> T answer(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static void fails(CompletableFuture<?> stage) {
    assertThatThrownBy(() -> answer(stage)).isInstanceOf(ExecutionException.class);
  }

  private interface Call<T> {
    CompletionStage<T> run();
  }

  private static <T> CompletableFuture<T> atOnce(Call<T> call) {
    long before = System.nanoTime();
    CompletableFuture<T> stage = call.run().toCompletableFuture();
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(AT_ONCE);
    return stage;
  }
}
