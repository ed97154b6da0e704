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
import io.culvert.api.southbound.Readable;
import io.culvert.testkit.RecordingSink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.stack.core.NamespaceTable;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What is read from a server: where it is, and what it is there. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class NodesTest {
  private final OpcUaDriver driver = new OpcUaDriver();
  private PlantServer plant;
  private TypesPlant types;

  @BeforeAll
  void start() throws Exception {
    plant =
        new PlantServer(
            new OpcUaServerConfigLimits() {
              @Override
              public UInteger getMaxNodesPerTranslateBrowsePathsToNodeIds() {
                return UInteger.valueOf(40);
              }

              @Override
              public UInteger getMaxNodesPerRead() {
                return UInteger.valueOf(30);
              }

              @Override
              public UInteger getMaxNodesPerBrowse() {
                return UInteger.valueOf(7);
              }
            });
    types = new TypesPlant(plant.server());
    types.startup();
  }

  @AfterAll
  void stop() throws Exception {
    driver.deactivate();
    types.shutdown();
    plant.close();
  }

  private Map<String, Sample> read(Map<String, String> settings, Point... points) throws Exception {
    Map<String, String> all = new HashMap<>(settings);
    all.putAll(Map.of("security", "none", "mode", "poll"));
    Device device = new Device("d1", "p", plant.endpoint(), all);
    assertThat(driver.validate(device, List.of(points))).isEmpty();
    try (OpcUaConnection connection =
        (OpcUaConnection)
            driver
                .open(device, new RecordingSink())
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS)) {
      return connection
          .prepare(List.of(points))
          .read()
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS)
          .stream()
          .collect(Collectors.toMap(Sample::point, Function.identity()));
    }
  }

  private Sample read(String address, DataType type) throws Exception {
    return read(Map.of(), new Point("p", address, type, Access.READ)).get("p");
  }

  private Value value(String name, DataType type) throws Exception {
    Sample sample = read(TypesPlant.address(name), type);
    assertThat(sample.quality()).isEqualTo(Quality.GOOD);
    return sample.value();
  }

  @Test
  void aPathIsFoundFromTheRootAndAnUnknownOneSpoilsNothing() throws Exception {
    Map<String, Sample> samples =
        read(
            Map.of("root", "./{" + PlantServer.NAMESPACE + "}Plant"),
            new Point("level", "./Pump1/Level", DataType.FLOAT64, Access.READ),
            new Point(
                "named",
                "./Pump1/{" + PlantServer.NAMESPACE + "}Level",
                DataType.FLOAT64,
                Access.READ),
            new Point("absolute", PlantServer.address("Int32"), DataType.INT32, Access.READ),
            new Point("nowhere", "./Pump2/Level", DataType.FLOAT64, Access.READ),
            new Point("elsewhere", "./Pump1/{urn:nobody}Level", DataType.FLOAT64, Access.READ),
            new Point("unknown", "nsu=urn:nobody;s=Level", DataType.FLOAT64, Access.READ),
            new Point("missing", PlantServer.address("Nothing"), DataType.FLOAT64, Access.READ));
    assertThat(samples.get("level").value()).isEqualTo(Value.of(0.5));
    assertThat(samples.get("named").value()).isEqualTo(Value.of(0.5));
    assertThat(samples.get("absolute").value()).isEqualTo(Value.of(-32));
    assertThat(samples.get("nowhere")).isEqualTo(Sample.bad("nowhere", new Quality(0x806F0000)));
    assertThat(samples.get("elsewhere")).isEqualTo(Sample.bad("elsewhere", Quality.BAD_NOT_FOUND));
    assertThat(samples.get("unknown")).isEqualTo(Sample.bad("unknown", Quality.BAD_NOT_FOUND));
    assertThat(samples.get("missing").quality()).isEqualTo(new Quality(0x80340000));
  }

  @Test
  void withoutARootPathsBeginAtTheObjectsFolder() throws Exception {
    assertThat(read("./{" + PlantServer.NAMESPACE + "}Plant/Pump1/Level", DataType.FLOAT64).value())
        .isEqualTo(Value.of(0.5));
    assertThat(read("./Server/ServerStatus/State", DataType.TEXT).value())
        .isEqualTo(Value.of("Running"));
  }

  @Test
  void aRootThatIsNotThereIsToldOfEachPathOnly() throws Exception {
    Map<String, Sample> samples =
        read(
            Map.of("root", "nsu=urn:nobody;s=Plant"),
            new Point("level", "./Pump1/Level", DataType.FLOAT64, Access.READ),
            new Point("absolute", PlantServer.address("Int32"), DataType.INT32, Access.READ));
    assertThat(samples.get("level").quality()).isEqualTo(Quality.BAD_NOT_FOUND);
    assertThat(samples.get("absolute").value()).isEqualTo(Value.of(-32));
  }

  @Test
  void manyPathsAreAskedForInPartsAndAllFound() throws Exception {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      plant.add("Many" + i, NodeIds.Int32, i);
      points.add(new Point("p" + i, "./Many" + i, DataType.INT32, Access.READ));
    }
    Map<String, Sample> samples =
        read(
            Map.of("root", "./{" + PlantServer.NAMESPACE + "}Plant"), points.toArray(new Point[0]));
    for (int i = 0; i < 250; i++) {
      assertThat(samples.get("p" + i).value()).isEqualTo(Value.of(i));
    }
  }

  @Test
  void aRangeIsAPartOfAList() throws Exception {
    Sample part = read(PlantServer.address("Ints") + " range=1:2", DataType.INT32);
    assertThat(part.value()).isEqualTo(new Value.Array(List.of(Value.of(2), Value.of(3))));
    assertThat(read(PlantServer.address("Ints") + " range=9", DataType.INT32).quality())
        .isEqualTo(new Quality(0x80370000));
  }

  @Test
  void anEnumerationIsItsNumberOrItsName() throws Exception {
    assertThat(value("Mode1", DataType.INT32)).isEqualTo(Value.of(1));
    assertThat(value("Mode1", DataType.TEXT)).isEqualTo(Value.of("Auto"));
    assertThat(value("ModeList", DataType.TEXT)).hasToString("[Manual, Off, 7]");
    assertThat(value("OldState1", DataType.TEXT)).isEqualTo(Value.of("Busy"));
    assertThat(value("Flags1", DataType.TEXT)).isEqualTo(Value.of("Low | High"));
    assertThat(value("Flags1", DataType.UINT16)).isEqualTo(Value.of(5));
    assertThat(value("Discrete", DataType.TEXT)).isEqualTo(Value.of("Open"));
    assertThat(value("Switch", DataType.TEXT)).isEqualTo(Value.of("On"));
    assertThat(value("Switch", DataType.BOOL)).isEqualTo(Value.of(true));
  }

  @Test
  void aStructureIsFlatWithInnerOnesListsAndMatrices() throws Exception {
    assertThat(value("Place1", DataType.STRUCT)).hasToString("{X=1.5, Y=-2.0}");
    assertThat(value("PlaceList", DataType.STRUCT))
        .hasToString("{0.X=1.0, 0.Y=2.0, 1.X=3.0, 1.Y=4.0}");
    assertThat(value("Report1", DataType.STRUCT))
        .hasToString(
            "{Name=R1, At.X=1.0, At.Y=2.0, Levels=[0.5, 1.5], Places.0.X=3.0, Places.0.Y=4.0,"
                + " Places.1.X=5.0, Places.1.Y=6.0, Mode=2, Weight=12.5,"
                + " When=2025-08-18T14:13:20Z, Any=[7, 8], Range.Low=0.0, Range.High=100.0,"
                + " Table=[1, 2, 3, 4]}");
    assertThat(value("Spare", DataType.STRUCT)).hasToString("{A=-4, C.X=0.25, C.Y=0.5}");
    assertThat(value("Either1", DataType.STRUCT)).hasToString("{Words=words}");
  }

  @Test
  void aStructureOfAnAbstractTypeIsTakenApartByTheOneItIs() throws Exception {
    assertThat(value("Anything", DataType.STRUCT)).hasToString("{X=7.0, Y=8.0}");
  }

  @Test
  void aStructureIsTakenApartByADictionaryIfItsTypeSaysNothing() throws Exception {
    assertThat(value("OldPlace1", DataType.STRUCT)).hasToString("{X=1.5, Y=-2.0}");
    assertThat(value("OldReport1", DataType.STRUCT))
        .hasToString(
            "{Name=R1, At.X=1.0, At.Y=2.0, Levels=[0.5, 1.5], Places.0.X=3.0, Places.0.Y=4.0,"
                + " Mode=1, Range.Low=0.0, Range.High=100.0, Any=7}");
    assertThat(value("OldSometimes1", DataType.STRUCT)).hasToString("{A=-4, C=[words]}");
    assertThat(value("OldEither1", DataType.STRUCT)).hasToString("{Words=words}");
    assertThat(read(TypesPlant.address("OldPacked1"), DataType.STRUCT).quality())
        .as("made of bits, which OPC UA's encoding doesn't have")
        .isEqualTo(Values.UNKNOWN_TYPE);
  }

  @Test
  void aStructureOfOpcUaItselfIsKnown() throws Exception {
    Sample status = read("i=2256", DataType.STRUCT);
    assertThat(((Value.Struct) status.value()).fields())
        .containsEntry("State", Value.of(0))
        .containsKeys("BuildInfo.ProductUri", "StartTime");
  }

  @Test
  void whatCanNotBeTakenApartIsBadAndNothingElse() throws Exception {
    assertThat(read(TypesPlant.address("Endless1"), DataType.STRUCT).quality())
        .isEqualTo(new Quality(0x80080000));
    assertThat(read(TypesPlant.address("Broken"), DataType.STRUCT).quality())
        .isEqualTo(new Quality(0x80070000));
    assertThat(read(TypesPlant.address("Stranger"), DataType.STRUCT).quality())
        .isEqualTo(Values.UNKNOWN_TYPE);
    assertThat(read(TypesPlant.address("Mode1"), DataType.STRUCT).quality())
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
  }

  @Test
  void aTypeThatAppearsLaterIsLearntWithItsFirstValue() throws Exception {
    // A session of its own, which no other test has led to the type.
    Map<String, String> settings = Map.of("locale", "en");
    Point point = new Point("p", TypesPlant.address("Holder1"), DataType.STRUCT, Access.READ);
    assertThat(read(settings, point).get("p").quality()).isEqualTo(Values.UNKNOWN_TYPE);
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(
            () ->
                assertThat("" + read(settings, point).get("p").value())
                    .isEqualTo("{Content.Y=6.5, Content.Z=7.5}"));
  }

  @Test
  void aNamespaceMayHaveAnotherIndexWhenTheServerStartsAnew() throws Exception {
    try (PlantServer restarted = new PlantServer()) {
      TypesPlant first = new TypesPlant(restarted.server());
      first.startup();
      Map<String, String> settings = Map.of("security", "none", "mode", "poll");
      Device device = new Device("d2", "p", restarted.endpoint(), settings);
      Point mode = new Point("m", TypesPlant.address("Mode1"), DataType.TEXT, Access.READ);
      try (OpcUaConnection connection =
          (OpcUaConnection)
              driver
                  .open(device, new RecordingSink())
                  .toCompletableFuture()
                  .get(60, TimeUnit.SECONDS)) {
        Readable.Plan plan = connection.prepare(List.of(mode));
        assertThat(plan.read().toCompletableFuture().get(60, TimeUnit.SECONDS))
            .extracting(Sample::value)
            .containsExactly(Value.of("Auto"));
        int index = first.getNamespaceIndex().intValue();
        restarted.stop();
        restarted.start();
        restarted.server().getNamespaceTable().add("urn:culvert:test:before");
        TypesPlant second = new TypesPlant(restarted.server());
        second.startup();
        assertThat(second.getNamespaceIndex().intValue()).isNotEqualTo(index);
        await()
            .atMost(Duration.ofSeconds(60))
            .ignoreExceptions()
            .untilAsserted(
                () ->
                    assertThat(plan.read().toCompletableFuture().get(60, TimeUnit.SECONDS))
                        .extracting(Sample::value)
                        .containsExactly(Value.of("Auto")));
      }
    }
  }

  @Test
  void aNamespaceThatAppearsLaterIsFoundInTheSameSession() throws Exception {
    try (PlantServer starting = new PlantServer()) {
      Map<String, String> settings = Map.of("security", "none", "mode", "poll");
      Device device = new Device("d3", "p", starting.endpoint(), settings);
      Point mode = new Point("m", TypesPlant.address("Mode1"), DataType.INT32, Access.READ);
      try (OpcUaConnection connection =
          (OpcUaConnection)
              driver
                  .open(device, new RecordingSink())
                  .toCompletableFuture()
                  .get(60, TimeUnit.SECONDS)) {
        Readable.Plan plan = connection.prepare(List.of(mode));
        assertThat(plan.read().toCompletableFuture().get(60, TimeUnit.SECONDS))
            .containsExactly(Sample.bad("m", Quality.BAD_NOT_FOUND));
        new TypesPlant(starting.server()).startup();
        assertThat(plan.read().toCompletableFuture().get(60, TimeUnit.SECONDS))
            .extracting(Sample::value)
            .containsExactly(Value.of(1));
      }
    }
  }

  @Test
  void aSubscriptionReadsValuesTheSameWay() throws Exception {
    Map<String, String> settings =
        Map.of(
            "security", "none",
            "publishing", "20ms",
            "root", "./{" + TypesPlant.NAMESPACE + "}Types");
    RecordingSink sink = new RecordingSink();
    Device device = new Device("d4", "p", plant.endpoint(), settings);
    try (SubscribedConnection connection =
        (SubscribedConnection)
            driver.open(device, sink).toCompletableFuture().get(60, TimeUnit.SECONDS)) {
      connection
          .subscribe(
              List.of(
                  new Point("mode", "./Mode1", DataType.TEXT, Access.READ),
                  new Point("one", "./ModeList range=1", DataType.TEXT, Access.READ),
                  new Point("place", "./Place1", DataType.STRUCT, Access.READ),
                  new Point("none", "./Nothing", DataType.INT32, Access.READ)))
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS);
      await()
          .atMost(Duration.ofSeconds(60))
          .untilAsserted(() -> assertThat(sink.samples()).hasSize(4));
      Map<String, String> shown =
          sink.samples().stream()
              .collect(
                  Collectors.toMap(
                      Sample::point, sample -> sample.value() + " " + sample.quality()));
      assertThat(shown)
          .containsEntry("mode", "Auto Good")
          .containsEntry("one", "[Off] Good")
          .containsEntry("place", "{X=1.5, Y=-2.0} Good")
          .containsEntry("none", "null Bad(0x806F0000)");
    }
  }

  @Test
  void namespacesThatStandTwiceMoveNoOther() {
    NamespaceTable table = new NamespaceTable();
    Nodes.enter(
        new String[] {"http://opcfoundation.org/UA/", "", "", "urn:a", null, "urn:b"}, table);
    assertThat(table.getIndex("urn:a")).isEqualTo(UShort.valueOf(3));
    assertThat(table.getIndex("urn:b")).isEqualTo(UShort.valueOf(5));
  }
}
