package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Sink;
import io.culvert.testkit.RecordingSink;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.sdk.server.items.BaseMonitoredItem;
import org.eclipse.milo.opcua.sdk.server.subscriptions.Subscription;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SubscriptionTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final OpcUaDriver driver = new OpcUaDriver();
  private final RecordingSink sink = new RecordingSink();
  private PlantServer plant;

  @AfterEach
  void stop() throws Exception {
    driver.deactivate();
    plant.close();
  }

  private Device device(String id, String... settings) {
    Map<String, String> all = new HashMap<>(Map.of("security", "none", "publishing", "20ms"));
    for (int i = 0; i < settings.length; i += 2) {
      all.put(settings[i], settings[i + 1]);
    }
    return new Device(id, "p", plant.endpoint(), all);
  }

  private OpcUaConnection open(Device device, RecordingSink to) throws Exception {
    return (OpcUaConnection)
        driver.open(device, to).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private SubscribedConnection subscribe(Device device, RecordingSink to, Point... points)
      throws Exception {
    SubscribedConnection connection = (SubscribedConnection) open(device, to);
    connection.subscribe(List.of(points)).toCompletableFuture().get(60, TimeUnit.SECONDS);
    return connection;
  }

  private static Point point(String id, String node, DataType type) {
    return new Point(id, PlantServer.address(node), type, Access.READ);
  }

  private static Point tick(String options) {
    return new Point(
        "tick", PlantServer.address("Tick") + " " + options, DataType.INT32, Access.READ);
  }

  private static PlantServer ofSevenItemsACall() throws Exception {
    return new PlantServer(
        new OpcUaServerConfigLimits() {
          @Override
          public UInteger getMaxMonitoredItemsPerCall() {
            return uint(7);
          }
        });
  }

  /** So many points, of nodes that the plant is given for them. */
  private Point[] fifty() {
    Point[] points = new Point[50];
    for (int i = 0; i < points.length; i++) {
      plant.add("N" + i, NodeIds.Int32, i);
      points[i] = point("n" + i, "N" + i, DataType.INT32);
    }
    return points;
  }

  private static List<Long> numbers(List<Sample> samples) {
    return samples.stream().map(s -> (long) s.value().number()).toList();
  }

  private void arrive(int samples) {
    await().atMost(PATIENCE).until(() -> sink.samples().size() >= samples);
  }

  private static DataValue value(Object value, Instant source, Instant server) {
    return new DataValue(
        new Variant(value), StatusCode.GOOD, new DateTime(source), new DateTime(server));
  }

  @Test
  void everyValueThatIsSetArrivesOnceInOrder() throws Exception {
    plant = new PlantServer();
    subscribe(device("d1"), sink, tick("queue=1000"));
    for (int i = 1; i <= 200; i++) {
      plant.set("Tick", i);
    }
    arrive(201);
    assertThat(numbers(sink.samples()))
        .isEqualTo(IntStream.rangeClosed(0, 200).asLongStream().boxed().toList());
    assertThat(sink.missing()).isEmpty();
  }

  @Test
  void valuesOfAMomentStandTogetherAndEachPointStaysInOrder() throws Exception {
    plant = new PlantServer();
    subscribe(
        device("d1", "publishing", "3s"), sink, tick(""), point("a", "Int32", DataType.INT32));
    arrive(2);
    for (int i = 1; i <= 3; i++) {
      plant.set("Tick", i);
    }
    for (int i = 1; i <= 3; i++) {
      plant.set("Int32", i);
    }
    arrive(8);
    List<Sample> told = sink.samples().subList(2, 8);
    assertThat(numbers(told)).containsExactly(1L, 1L, 2L, 2L, 3L, 3L);
    assertThat(told.stream().map(Sample::point).distinct()).hasSize(2);
  }

  @Test
  void aQueueThatWasTooShortIsToldAndTheStatusPassesThrough() throws Exception {
    plant = new PlantServer();
    subscribe(device("d1", "publishing", "1s"), sink, tick("queue=10"));
    arrive(1);
    for (int i = 1; i <= 25; i++) {
      plant.set("Tick", i);
    }
    arrive(11);
    assertThat(numbers(sink.samples())).endsWith(24L, 25L);
    assertThat(sink.samples().get(10).quality()).isEqualTo(new Quality(0x480));
    assertThat(sink.missing()).isNotEmpty();
    RecordingSink.Missing gap = sink.missing().get(0);
    assertThat(gap.point()).isEqualTo("tick");
    assertThat(gap.readings()).isBetween(1L, 15L);
    assertThat(gap.from()).isEqualTo(sink.samples().get(0).deviceTime());
    assertThat(gap.to()).isAfter(gap.from());
  }

  @Test
  void settingsAndOptionsReachTheServer() throws Exception {
    plant = new PlantServer();
    subscribe(
        device("d1", "sampling", "250ms", "queue", "7"),
        sink,
        point("a", "Int32", DataType.INT32),
        tick("sampling=100ms queue=3"));
    BaseMonitoredItem<?> own = plant.items("Tick").get(0);
    assertThat(own.getSamplingInterval()).isEqualTo(100);
    assertThat(own.getQueueSize()).isEqualTo(3);
    assertThat(own.isDiscardOldest()).isTrue();
    BaseMonitoredItem<?> other = plant.items("Int32").get(0);
    assertThat(other.getSamplingInterval()).isEqualTo(250);
    assertThat(other.getQueueSize()).isEqualTo(7);
    Subscription subscription = plant.server().getSubscriptions().values().iterator().next();
    assertThat(subscription.getPublishingInterval()).isEqualTo(20);
    assertThat(subscription.getLifetimeCount() * 20).isGreaterThanOrEqualTo(600_000);
    assertThat(subscription.getMaxKeepAliveCount() * 20).isEqualTo(5_000);
  }

  @Test
  void deadBandAndTriggerAreTheServersWork() throws Exception {
    plant = new PlantServer();
    Point level =
        new Point(
            "level",
            PlantServer.address("Double") + " deadband=0.5",
            DataType.FLOAT64,
            Access.READ);
    subscribe(device("d1"), sink, level, tick("trigger=timestamp"));
    arrive(2);
    plant.set("Double", 2.6);
    plant.set("Double", 2.7);
    plant.set("Double", 9.0);
    plant.set("Tick", 0);
    plant.set("Tick", 0);
    arrive(5);
    Map<String, List<Double>> values =
        sink.samples().stream()
            .collect(
                Collectors.groupingBy(
                    Sample::point,
                    Collectors.mapping(s -> s.value().number(), Collectors.toList())));
    assertThat(values.get("level")).containsExactly(2.5, 9.0);
    assertThat(values.get("tick")).containsExactly(0.0, 0.0, 0.0);
  }

  @Test
  void aDeadBandInPercentIsOneOfTheRangeThatTheServerHas() throws Exception {
    plant = new PlantServer();
    plant.addAnalog("Ranged", 50.0, 0, 200);
    Point level =
        new Point(
            "level",
            PlantServer.address("Ranged") + " deadband=10%",
            DataType.FLOAT64,
            Access.READ);
    subscribe(device("d1"), sink, level);
    arrive(1);
    for (double value : new double[] {60, 69, 71, 52, 90, 92}) {
      plant.set("Ranged", value);
    }
    arrive(3);
    assertThat(sink.samples().stream().map(s -> s.value().number()))
        .containsExactly(50.0, 71.0, 92.0);
  }

  @Test
  void aDeadBandThatTheServerRefusesIsLeftOut() throws Exception {
    plant = new PlantServer();
    // Percent of a range that the node doesn't have.
    Point level = point("level", "Double", DataType.FLOAT64);
    Point tick = tick("deadband=5");
    LogCapture.start();
    SubscribedConnection connection = subscribe(device("d1", "deadband", "2%"), sink, level, tick);
    arrive(2);
    connection.subscribe(List.of(tick)).toCompletableFuture().get(60, TimeUnit.SECONDS);
    connection.subscribe(List.of(level, tick)).toCompletableFuture().get(60, TimeUnit.SECONDS);
    arrive(3);
    assertThat(LogCapture.stop())
        .filteredOn(line -> line.startsWith("INFO") && line.contains("dead-band"))
        .singleElement()
        .asString()
        .endsWith(": the server can't do the dead-band of level of d1; it is left out");
    plant.set("Double", 2.51);
    arrive(4);
    assertThat(sink.samples()).extracting(Sample::value).contains(Value.of(2.51));
  }

  @Test
  void aPointThatTheServerRefusesIsOneBadSample() throws Exception {
    plant = new PlantServer();
    SubscribedConnection connection =
        subscribe(
            device("d1"),
            sink,
            point("gone", "NoSuchNode", DataType.INT32),
            new Point("strange", "nsu=urn:nowhere;s=x", DataType.INT32, Access.READ),
            point("there", "Int32", DataType.INT32));
    arrive(3);
    Map<String, Quality> qualities =
        sink.samples().stream().collect(Collectors.toMap(Sample::point, Sample::quality));
    assertThat(qualities.get("gone")).isEqualTo(new Quality((int) StatusCodes.Bad_NodeIdUnknown));
    assertThat(qualities.get("strange").bad()).isTrue();
    assertThat(qualities.get("there").good()).isTrue();
    assertThat(connection.facts().refusals()).containsKey("BadNodeIdUnknown");
    assertThat(connection.facts().requests()).isPositive();
    assertThat(connection.facts().answers()).isEqualTo(connection.facts().requests());
  }

  @Test
  void aPointThatTheServerDoesNotHaveYetIsAskedForAgain() throws Exception {
    plant = new PlantServer();
    AtomicLong ahead = new AtomicLong();
    OpcUaDriver later =
        new OpcUaDriver(
            new Security(Path.of("etc/opcua"), name -> Optional.empty(), Clock.systemUTC()),
            InstantSource.system(),
            () -> System.nanoTime() + ahead.get());
    TypesPlant types = new TypesPlant(plant.server());
    try {
      SubscribedConnection connection =
          (SubscribedConnection)
              later
                  .open(device("d1", "keepAlive", "60s"), sink)
                  .toCompletableFuture()
                  .get(60, TimeUnit.SECONDS);
      connection
          .subscribe(
              List.of(
                  point("gone", "NoSuchNode", DataType.INT32),
                  point("late", "Late", DataType.INT32),
                  new Point("mode", TypesPlant.address("Mode1"), DataType.TEXT, Access.READ),
                  new Point("place", TypesPlant.address("Place1"), DataType.STRUCT, Access.READ)))
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS);
      arrive(4);
      assertThat(sink.samples()).allSatisfy(sample -> assertThat(sample.quality().bad()).isTrue());

      plant.add("Late", NodeIds.Int32, 5);
      types.startup();
      ahead.addAndGet(Duration.ofSeconds(61).toNanos());
      arrive(7);
      plant.set("Late", 6);
      arrive(8);
    } finally {
      later.deactivate();
    }
    assertThat(sink.samples()).hasSize(8);
    Map<String, List<String>> told =
        sink.samples().stream()
            .skip(4)
            .collect(
                Collectors.groupingBy(
                    Sample::point,
                    Collectors.mapping(s -> s.value().toString(), Collectors.toList())));
    assertThat(told.get("late")).containsExactly("5", "6");
    assertThat(told.get("mode")).containsExactly("Auto");
    assertThat(told.get("place")).containsExactly("{X=1.5, Y=-2.0}");
    types.shutdown();
  }

  @Test
  void manyPointsAreSpreadByTheServersLimits() throws Exception {
    plant = ofSevenItemsACall();
    plant.mostItems(20);
    subscribe(device("d1"), sink, fifty());
    arrive(50);
    assertThat(plant.server().getSubscriptions().values())
        .extracting(s -> s.getMonitoredItems().size())
        .containsExactlyInAnyOrder(20, 20, 10);
    assertThat(numbers(sink.samples())).doesNotHaveDuplicates().hasSize(50);
  }

  @Test
  void aServerThatTakesFewerItemsACallThanItSaysHasThemInSmallerOnes() throws Exception {
    plant = ofSevenItemsACall();
    plant.conceal(NodeIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall);
    SubscribedConnection connection = subscribe(device("d1"), sink, fifty());
    arrive(50);
    assertThat(numbers(sink.samples())).doesNotHaveDuplicates().hasSize(50);
    assertThat(plant.watched()).isEqualTo(50);
    // 50, 25 and 12 are too many.
    assertThat(connection.facts().refusals()).isEqualTo(Map.of("BadTooManyOperations", 3L));
    assertThat(connection.session.limits().create().most()).isEqualTo(6);
  }

  @Test
  void limitsOfTheFormerServerEndWithItAlsoIfTheNextCanNotBeAsked() throws Exception {
    plant = ofSevenItemsACall();
    SubscribedConnection connection =
        subscribe(device("d1"), sink, point("a", "Int32", DataType.INT32));
    assertThat(connection.session.limits().create().most()).isEqualTo(7);
    plant.stop();
    plant.failLimits();
    LogCapture.start();
    plant.start();
    await().atMost(PATIENCE).until(() -> plant.watched() == 1);
    assertThat(LogCapture.stop()).anyMatch(line -> line.contains("what it takes at once"));
    assertThat(connection.session.limits().create().most()).isEqualTo(1000);
  }

  @Test
  void oneSubscriptionServesAllWhereTheServerAllowsNoMore() throws Exception {
    plant =
        new PlantServer(
            new OpcUaServerConfigLimits() {
              @Override
              public UInteger getMaxSubscriptionsPerSession() {
                return uint(1);
              }
            });
    subscribe(device("d1"), sink, point("a", "Int32", DataType.INT32));
    subscribe(device("d2", "publishing", "40ms"), sink, point("b", "Int16", DataType.INT16));
    arrive(2);
    assertThat(plant.server().getSubscriptions()).hasSize(1);
    assertThat(sink.samples()).allSatisfy(sample -> assertThat(sample.quality().good()).isTrue());
  }

  @Test
  void devicesOfOneServerShareASessionAndEachHearsItsOwn() throws Exception {
    plant = new PlantServer();
    RecordingSink other = new RecordingSink();
    SubscribedConnection first = subscribe(device("d1"), sink, point("a", "Int32", DataType.INT32));
    subscribe(device("d2"), other, point("a", "Int16", DataType.INT16));
    assertThat(plant.server().getSessionManager().getAllSessions()).hasSize(1);
    arrive(1);
    first.close();
    await().atMost(PATIENCE).until(() -> plant.watched() == 1);
    plant.set("Int32", 1);
    plant.set("Int16", (short) 99);
    await().atMost(PATIENCE).until(() -> other.samples().size() == 2);
    assertThat(numbers(other.samples())).containsExactly(-16L, 99L);
    assertThat(numbers(sink.samples())).containsExactly(-32L);
  }

  @Test
  void theSessionEndsWithItsLastDevice() throws Exception {
    plant = new PlantServer();
    SubscribedConnection connection = subscribe(device("d1"), sink, tick(""));
    connection.close();
    await()
        .atMost(PATIENCE)
        .until(() -> plant.server().getSessionManager().getAllSessions().isEmpty());
    assertThat(plant.server().getSubscriptions()).isEmpty();
  }

  @Test
  void anotherSetOfPointsTakesThePlaceOfTheFormer() throws Exception {
    plant = new PlantServer();
    SubscribedConnection connection =
        subscribe(
            device("d1"),
            sink,
            point("a", "Int32", DataType.INT32),
            point("b", "Int16", DataType.INT16));
    arrive(2);
    connection
        .subscribe(
            List.of(point("b", "Int16", DataType.INT16), point("c", "Double", DataType.FLOAT64)))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
    assertThat(connection.completeSince()).isNull();
    arrive(3);
    plant.set("Int32", 5);
    plant.set("Double", 5.0);
    arrive(4);
    assertThat(sink.samples()).extracting(Sample::point).containsExactly("a", "b", "c", "c");
    assertThat(plant.watched()).isEqualTo(2);
  }

  @Test
  void theServerIsHeldBackWhileTheSinkIsFull() throws Exception {
    plant = new PlantServer();
    Slow slow = new Slow();
    SubscribedConnection connection =
        (SubscribedConnection)
            driver.open(device("d1"), slow).toCompletableFuture().get(60, TimeUnit.SECONDS);
    connection
        .subscribe(List.of(tick("queue=60000")))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
    BaseMonitoredItem<?> item = plant.items("Tick").get(0);
    int all = 0;
    while (!connection.session.isHeldBack()) {
      for (int i = 0; i < 3_000; i++) {
        plant.set("Tick", ++all);
      }
      await()
          .atMost(PATIENCE)
          .until(() -> !item.hasNotifications() || connection.session.isHeldBack());
    }
    for (int i = 0; i < 20_000; i++) {
      plant.set("Tick", ++all);
    }
    // What was asked for already may come; the rest stays where it is.
    await().atMost(PATIENCE).during(Duration.ofMillis(500)).until(item::hasNotifications);
    int last = all;
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              slow.accept();
              return slow.handed(last);
            });
    assertThat(slow.values())
        .isEqualTo(IntStream.rangeClosed(0, all).asLongStream().boxed().toList());
    assertThat(slow.missing).isZero();
  }

  /** A sink that accepts nothing until it is told to. */
  private static final class Slow implements Sink {
    private final List<Sample> samples = new ArrayList<>();
    private final List<CompletableFuture<Void>> pending = new ArrayList<>();
    private int missing;

    @Override
    public synchronized CompletionStage<Void> accept(List<Sample> more) {
      samples.addAll(more);
      pending.add(new CompletableFuture<>());
      return pending.get(pending.size() - 1);
    }

    void accept() {
      List<CompletableFuture<Void>> stages;
      synchronized (this) {
        stages = List.copyOf(pending);
        pending.clear();
      }
      stages.forEach(stage -> stage.complete(null));
    }

    synchronized boolean handed(long value) {
      return !samples.isEmpty() && samples.get(samples.size() - 1).value().number() == value;
    }

    synchronized List<Long> values() {
      return numbers(samples);
    }

    @Override
    public synchronized void missing(
        String point, Instant from, Instant to, long readings, String why) {
      missing++;
    }

    @Override
    public void lost(Throwable cause) {}
  }

  @Test
  void aMessageIsAcknowledgedWhenItIsAcceptedAndNotBefore() throws Exception {
    plant = new PlantServer();
    Slow slow = new Slow();
    SubscribedConnection connection =
        (SubscribedConnection)
            driver.open(device("d1"), slow).toCompletableFuture().get(60, TimeUnit.SECONDS);
    connection.subscribe(List.of(tick(""))).toCompletableFuture().get(60, TimeUnit.SECONDS);
    plant.set("Tick", 1);
    await().atMost(PATIENCE).until(() -> slow.handed(1));
    Subscription subscription = plant.server().getSubscriptions().values().iterator().next();
    plant.set("Tick", 2);
    await().atMost(PATIENCE).until(() -> slow.handed(2));
    plant.set("Tick", 3);
    await().atMost(PATIENCE).until(() -> slow.handed(3));
    assertThat(subscription.getAvailableSequenceNumbers()).hasSizeGreaterThanOrEqualTo(3);
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              slow.accept();
              plant.set("Tick", plant.value("Tick").equals(3) ? 4 : 3);
              return subscription.getAvailableSequenceNumbers().length <= 2;
            });
  }

  @Test
  void timeIsThatOfTheSourceOrIfWishedOfTheServer() throws Exception {
    plant = new PlantServer();
    Instant source = Instant.parse("2026-03-01T00:00:00Z");
    Instant server = Instant.parse("2026-03-01T00:00:05Z");
    RecordingSink byServer = new RecordingSink();
    subscribe(device("d1"), sink, tick(""));
    subscribe(device("d2", "time", "server"), byServer, tick(""));
    plant.set("Tick", value(1, source, server));
    arrive(2);
    await().atMost(PATIENCE).until(() -> byServer.samples().size() == 2);
    assertThat(sink.samples().get(1).deviceTime()).isEqualTo(source);
    assertThat(byServer.samples().get(1).deviceTime()).isEqualTo(server);
  }
}
