package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.testkit.RecordingSink;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events and alarms of a server, and what acknowledges them. */
class EventsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Instant TIME = Instant.parse("2026-11-29T09:30:00.5Z");
  private static final Quality EVENT_UNKNOWN = new Quality(0x809A0000);
  private static final Quality INVALID = new Quality(0x80AB0000);
  private static final Quality MISSING = new Quality(0x80760000);
  private static final Quality ALREADY = new Quality(0x80CF0000);

  private static final Point ACKNOWLEDGE =
      new Point("ack", "acknowledge:i=2253", DataType.STRUCT, Access.WRITE);

  private final OpcUaDriver driver = new OpcUaDriver();
  private final RecordingSink sink = new RecordingSink();
  private PlantServer plant;
  private AlarmsPlant alarms;
  private SubscribedConnection connection;

  @BeforeEach
  void start() throws Exception {
    plant = new PlantServer();
    alarms = new AlarmsPlant(plant.server());
    alarms.startup();
    open("20ms");
  }

  private void open(String publishing) throws Exception {
    Device device =
        new Device(
            "d" + publishing,
            "p",
            plant.endpoint(),
            Map.of("security", "none", "publishing", publishing));
    connection =
        (SubscribedConnection)
            driver.open(device, sink).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @AfterEach
  void stop() throws Exception {
    driver.deactivate();
    alarms.shutdown();
    plant.close();
  }

  private void subscribe(String options) throws Exception {
    Point events = new Point("alarms", "events:i=2253" + options, DataType.STRUCT, Access.READ);
    connection.subscribe(List.of(events)).toCompletableFuture().get(60, TimeUnit.SECONDS);
    // From here on, nothing is told again that a test doesn't ask for.
    await().atMost(PATIENCE).until(() -> alarms.refreshes() == 1);
  }

  private static String hex(String event) {
    return HexFormat.of().formatHex(AlarmsPlant.bytes(event).bytesOrEmpty());
  }

  private List<Sample> awaitSamples(int count) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(sink.samples()).hasSizeGreaterThanOrEqualTo(count));
    return sink.samples();
  }

  private static Map<String, Value> fields(Sample sample) {
    assertThat(sample.quality()).isEqualTo(Quality.GOOD);
    return ((Value.Struct) sample.value()).fields();
  }

  private Quality acknowledge(Object... pairs) throws Exception {
    Map<String, Value> fields = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      fields.put((String) pairs[i], Value.of((String) pairs[i + 1]));
    }
    return connection
        .write(ACKNOWLEDGE, new Value.Struct(fields))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  private static String condition(String name) {
    return "nsu=" + AlarmsPlant.NAMESPACE + ";s=" + name;
  }

  @Test
  void aConditionsChangeIsAStructureWithPlainNames() throws Exception {
    subscribe("");
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "HighHigh"));
    Sample sample = awaitSamples(1).get(0);
    assertThat(sample.point()).isEqualTo("alarms");
    assertThat(sample.deviceTime()).isEqualTo(TIME);
    assertThat(fields(sample).toString())
        .isEqualTo(
            "{event=6531, type=ExclusiveLevelAlarmType, time=2026-11-29T09:30:00.500Z,"
                + " sourceNode=nsu=urn:culvert:test:alarms;s=Tank, source=Tank,"
                + " message=Level of High, severity=700,"
                + " condition=nsu=urn:culvert:test:alarms;s=High, conditionName=High, retain=true,"
                + " enabled=true, quality=UncertainSensorNotAccurate, comment=seen, acked=false,"
                + " confirmed=false, active=true, suppressed=false, limit=HighHigh}");
  }

  @Test
  void anEventHasOnlyWhatEveryEventHas() throws Exception {
    subscribe("");
    alarms.fire(NodeIds.AuditEventType, "e1");
    assertThat(fields(awaitSamples(1).get(0)).toString())
        .isEqualTo(
            "{event=6531, type=AuditEventType, time=2026-11-29T10:00:00Z, sourceNode=i=2253,"
                + " source=Server, message=event e1, severity=1}");
  }

  @Test
  void aFieldThatCanNotBeReadIsLeftOutAlone() throws Exception {
    subscribe("");
    alarms.comment =
        ExtensionObject.of(ByteString.of(new byte[] {1}), NodeId.parse("ns=1;s=Nobodys"));
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
    assertThat(fields(awaitSamples(1).get(0)))
        .containsEntry("event", Value.of(hex("e1")))
        .containsEntry("active", Value.of(true))
        .doesNotContainKey("comment");
    assertThat(acknowledge("event", hex("e1"))).isEqualTo(Quality.GOOD);
  }

  @Test
  void alarmsFromBeforeAreToldWhenTheSubscriptionIsMade() throws Exception {
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
    subscribe("");
    Sample first = awaitSamples(1).get(0);
    assertThat(first.deviceTime()).isEqualTo(TIME);
    assertThat(fields(first))
        .containsEntry("event", Value.of(hex("e1")))
        .containsEntry("refresh", Value.of(true));
    alarms.set("High", new AlarmsPlant.State("e2", TIME.plusSeconds(1), false, false, "High"));
    assertThat(fields(awaitSamples(2).get(1)))
        .containsEntry("event", Value.of(hex("e2")))
        .containsEntry("active", Value.of(false))
        .doesNotContainKey("refresh");
  }

  @Test
  void aServerThatLostTrackIsAskedForAllAlarmsAgain() throws Exception {
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
    subscribe("");
    awaitSamples(1);
    alarms.fire(NodeIds.RefreshRequiredEventType, "again");
    assertThat(fields(awaitSamples(2).get(1)))
        .containsEntry("event", Value.of(hex("e1")))
        .containsEntry("refresh", Value.of(true));
  }

  @Test
  void eventsThatTheServersQueueWasTooShortForAreMissing() throws Exception {
    open("500ms");
    subscribe(" queue=2");
    for (int i = 0; i < 200; i++) {
      alarms.fire(NodeIds.AuditEventType, "e" + i);
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(sink.missing())
                    .isNotEmpty()
                    .allSatisfy(gap -> assertThat(gap.point()).isEqualTo("alarms")));
    assertThat(sink.samples())
        .noneMatch(sample -> sample.value().toString().contains("EventQueueOverflow"));
  }

  @Test
  void anAlarmIsNewThoughTheEndOfWhatWasToldAgainIsLostInAnOverflow() throws Exception {
    subscribe("");
    alarms.fire(NodeIds.RefreshStartEventType, "start");
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
    assertThat(fields(awaitSamples(1).get(0))).containsEntry("refresh", Value.of(true));
    alarms.fire(NodeIds.EventQueueOverflowEventType, "overflow");
    alarms.set("High", new AlarmsPlant.State("e2", TIME, true, false, "High"));
    assertThat(fields(awaitSamples(2).get(1)))
        .containsEntry("event", Value.of(hex("e2")))
        .doesNotContainKey("refresh");
  }

  private static Sample arrives(Core core, String event) {
    await()
        .atMost(PATIENCE)
        .until(() -> core.samples.stream().anyMatch(s -> s.value().toString().contains(event)));
    return core.samples.stream()
        .filter(s -> s.value().toString().contains(event))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void anAlarmIsNewThoughTheLinkWasLostWhileOthersWereToldAgain() throws Exception {
    Point events = new Point("alarms", "events:i=2253", DataType.STRUCT, Access.READ);
    Map<String, String> settings = Map.of("security", "none", "publishing", "20ms");
    try (Cable cable = new Cable(plant.port());
        Core core =
            new Core(driver, new Device("d1", "p", cable.endpoint(), settings), List.of(events))) {
      await().atMost(PATIENCE).until(() -> alarms.refreshes() == 1);
      alarms.fire(NodeIds.RefreshStartEventType, "start");
      alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
      assertThat(fields(arrives(core, hex("e1")))).containsEntry("refresh", Value.of(true));
      cable.cut();
      await().atMost(PATIENCE).until(() -> core.completeSince.size() >= 2);
      alarms.set("High", new AlarmsPlant.State("e2", TIME, true, false, "High"));
      assertThat(fields(arrives(core, hex("e2")))).doesNotContainKey("refresh");
    }
  }

  @Test
  void anEventIsAcknowledgedOnItsConditionWithAComment() throws Exception {
    subscribe("");
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
    awaitSamples(1);
    assertThat(acknowledge("event", hex("e1"), "comment", "on my way")).isEqualTo(Quality.GOOD);
    assertThat(alarms.calls).containsExactly("High acknowledge e1 on my way");
  }

  @Test
  void aConditionIsAcknowledgedByItsLastEvent() throws Exception {
    subscribe("");
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
    alarms.set("High", new AlarmsPlant.State("e2", TIME.plusSeconds(1), true, false, "High"));
    awaitSamples(2);
    assertThat(acknowledge("condition", condition("High"))).isEqualTo(Quality.GOOD);
    assertThat(acknowledge("condition", condition("High"), "action", "confirm"))
        .isEqualTo(Quality.GOOD);
    assertThat(alarms.calls).containsExactly("High acknowledge e2 null", "High confirm e2 null");
  }

  @Test
  void theServersVerdictOnAnAcknowledgementPasses() throws Exception {
    subscribe("");
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, true, "High"));
    awaitSamples(1);
    assertThat(acknowledge("event", hex("e1"))).isEqualTo(ALREADY);
    assertThat(acknowledge("event", hex("e0"), "condition", condition("High")))
        .isEqualTo(EVENT_UNKNOWN);
  }

  @Test
  void whatCanNotBeAcknowledgedIsNotSent() throws Exception {
    assertThat(acknowledge("event", hex("e1"))).isEqualTo(EVENT_UNKNOWN);
    assertThat(acknowledge("condition", condition("High"))).isEqualTo(EVENT_UNKNOWN);
    assertThat(acknowledge("comment", "all of them")).isEqualTo(MISSING);
    assertThat(acknowledge("event", "xyz", "condition", condition("High"))).isEqualTo(INVALID);
    assertThat(acknowledge("event", hex("e1"), "colour", "red")).isEqualTo(INVALID);
    assertThat(acknowledge("event", hex("e1"), "condition", "./High")).isEqualTo(INVALID);
    assertThat(acknowledge("event", hex("e1"), "condition", "nsu=urn:nobody;s=High"))
        .isEqualTo(Quality.BAD_NOT_FOUND);
    assertThat(acknowledge("event", hex("e1"), "condition", condition("High"), "action", "silence"))
        .isEqualTo(INVALID);
    assertThat(alarms.calls).isEmpty();
  }

  @Test
  void aServerThatDoesNotKnowAllFieldsIsAskedForTheOthers() throws Exception {
    // Milo's server then tells no events at all, without a word.
    plant
        .server()
        .getAddressSpaceManager()
        .getManagedNode(NodeIds.NonExclusiveLimitAlarmType)
        .orElseThrow()
        .delete();
    alarms.set("High", new AlarmsPlant.State("e1", TIME, true, false, "High"));
    Point events = new Point("alarms", "events:i=2253", DataType.STRUCT, Access.READ);
    connection.subscribe(List.of(events)).toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(fields(awaitSamples(1).get(0)))
        .containsEntry("event", Value.of(hex("e1")))
        .containsEntry("active", Value.of(true))
        .doesNotContainKey("high");
  }

  @Test
  void eventsCanNotBePolled() {
    Device device =
        new Device("d", "p", plant.endpoint(), Map.of("security", "none", "mode", "poll"));
    Point events = new Point("alarms", "events:i=2253", DataType.STRUCT, Access.READ);
    assertThat(driver.validate(device, List.of(events)))
        .singleElement()
        .asString()
        .isEqualTo(
            "points.alarms.address: found events: with the setting mode=poll; expected"
                + " mode=subscribe: events can't be asked for");
  }

  @Test
  void memoryOfConditionsIsBounded() {
    Conditions conditions = new Conditions();
    for (int i = 0; i < Conditions.MOST + 10; i++) {
      conditions.remember("c" + i, AlarmsPlant.bytes("e" + i), false);
    }
    assertThat(conditions.size()).isEqualTo(2 * Conditions.MOST);
  }
}
