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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.Matrix;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UByte;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.ULong;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UShort;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What is written to variables, and what methods are called with. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WritingTest {
  private static final Quality MISSING = new Quality(0x80760000);
  private static final Quality INVALID = new Quality(0x80AB0000);
  private static final Quality TOO_MANY = new Quality(0x80E50000);

  private final OpcUaDriver driver = new OpcUaDriver();
  private final RecordingSink sink = new RecordingSink();
  private PlantServer plant;
  private TypesPlant types;
  private SubscribedConnection connection;

  @BeforeAll
  void start() throws Exception {
    plant = new PlantServer();
    types = new TypesPlant(plant.server());
    types.startup();
    Device device =
        new Device(
            "d1",
            "p",
            plant.endpoint(),
            Map.of(
                "security", "none",
                "publishing", "20ms",
                "root", "./{" + TypesPlant.NAMESPACE + "}Types"));
    connection =
        (SubscribedConnection)
            driver.open(device, sink).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @AfterAll
  void stop() throws Exception {
    driver.deactivate();
    types.shutdown();
    plant.close();
  }

  private Quality write(String address, DataType type, Value value) throws Exception {
    Access access = address.startsWith("method:") ? Access.WRITE : Access.READ_WRITE;
    return connection
        .write(new Point("p", address, type, access), value)
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  private Object written(String name, DataType type, Value value) throws Exception {
    assertThat(write(PlantServer.address(name), type, value)).isEqualTo(Quality.GOOD);
    return plant.value(name);
  }

  private static Value list(Value... values) {
    return new Value.Array(List.of(values));
  }

  private static Value struct(Object... pairs) {
    Map<String, Value> fields = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      fields.put((String) pairs[i], (Value) pairs[i + 1]);
    }
    return new Value.Struct(fields);
  }

  @Test
  void aValueTakesTheTypeOfTheVariable() throws Exception {
    assertThat(written("Boolean", DataType.BOOL, Value.of(false))).isEqualTo(false);
    assertThat(written("SByte", DataType.INT16, Value.of(-5))).isEqualTo((byte) -5);
    assertThat(written("Byte", DataType.INT32, Value.of(200))).isEqualTo(UByte.valueOf(200));
    assertThat(written("Int16", DataType.FLOAT64, Value.of(7.0))).isEqualTo((short) 7);
    assertThat(written("UInt16", DataType.UINT16, Value.of(65535)))
        .isEqualTo(UShort.valueOf(65535));
    assertThat(written("Int32", DataType.INT32, Value.of(-9))).isEqualTo(-9);
    assertThat(written("UInt32", DataType.UINT32, Value.of(4294967295L))).isEqualTo(UInteger.MAX);
    assertThat(written("Int64", DataType.INT64, Value.of(Long.MIN_VALUE)))
        .isEqualTo(Long.MIN_VALUE);
    assertThat(written("UInt64", DataType.UINT64, Value.of(Long.MAX_VALUE)))
        .isEqualTo(ULong.valueOf(Long.MAX_VALUE));
    assertThat(written("Float", DataType.FLOAT64, Value.of(0.1))).isEqualTo(0.1f);
    assertThat(written("Double", DataType.INT32, Value.of(3))).isEqualTo(3.0);
    assertThat(written("String", DataType.TEXT, Value.of("泵"))).isEqualTo("泵");
    assertThat(written("LocalizedText", DataType.TEXT, Value.of("x")))
        .isEqualTo(new LocalizedText(null, "x"));
    assertThat(written("ByteString", DataType.BYTES, new Value.Bytes(new byte[] {9})))
        .isEqualTo(ByteString.of(new byte[] {9}));
    assertThat(written("Guid", DataType.TEXT, Value.of(new UUID(3, 4).toString())))
        .isEqualTo(new UUID(3, 4));
    Instant time = Instant.parse("2026-11-29T10:00:00.1234567Z");
    assertThat(written("DateTime", DataType.TEXT, Value.of(time.toString())))
        .isEqualTo(new DateTime(time));
    assertThat(written("DateTime", DataType.INT64, Value.of(1_000)))
        .isEqualTo(new DateTime(Instant.ofEpochSecond(1)));
    plant.add("Node", NodeIds.NodeId, NodeId.NULL_VALUE);
    assertThat(written("Node", DataType.TEXT, Value.of("i=85"))).isEqualTo(NodeIds.ObjectsFolder);
    plant.add("Status", NodeIds.StatusCode, StatusCode.GOOD);
    assertThat(written("Status", DataType.UINT32, Value.of(0x80740000L)))
        .isEqualTo(new StatusCode(0x80740000L));
    plant.add("Any", NodeIds.BaseDataType, 0.5);
    assertThat(written("Any", DataType.UINT16, Value.of(7))).isEqualTo(UShort.valueOf(7));
  }

  @Test
  void aValueThatTheTypeCanNotHoldIsRefusedBeforeItIsSent() throws Exception {
    Object before = plant.value("Byte");
    assertThat(write(PlantServer.address("Byte"), DataType.INT32, Value.of(256)))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write(PlantServer.address("Byte"), DataType.FLOAT64, Value.of(1.5)))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write(PlantServer.address("Byte"), DataType.TEXT, Value.of("1")))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(write(PlantServer.address("Byte"), DataType.INT32, list(Value.of(1))))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(write(PlantServer.address("Float"), DataType.FLOAT64, Value.of(1e300)))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write(PlantServer.address("Guid"), DataType.TEXT, Value.of("x")))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write(PlantServer.address("DateTime"), DataType.TEXT, Value.of("yesterday")))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(plant.value("Byte")).isEqualTo(before);
  }

  @Test
  void whatTheServerSaysOfAWritePassesAsItIs() throws Exception {
    assertThat(write(PlantServer.address("Fixed"), DataType.FLOAT64, Value.of(2.0)))
        .isEqualTo(new Quality(0x801F0000));
    assertThat(write(PlantServer.address("Nothing"), DataType.FLOAT64, Value.of(2.0)))
        .isEqualTo(new Quality(0x80340000));
    assertThat(write("nsu=urn:nobody;i=1", DataType.FLOAT64, Value.of(2.0)))
        .isEqualTo(Quality.BAD_NOT_FOUND);
  }

  @Test
  void listsMatricesAndPartsOfThemAreWritten() throws Exception {
    Value one = list(Value.of(5), Value.of(6), Value.of(7), Value.of(8));
    assertThat(written("Ints", DataType.INT32, one)).isEqualTo(new Integer[] {5, 6, 7, 8});
    String ints = PlantServer.address("Ints");
    assertThat(write(ints + " range=1:2", DataType.INT32, list(Value.of(-1), Value.of(-2))))
        .isEqualTo(Quality.GOOD);
    assertThat(write(ints + " range=3", DataType.INT32, Value.of(-3))).isEqualTo(Quality.GOOD);
    assertThat(plant.value("Ints")).isEqualTo(new Integer[] {5, -1, -2, -3});
    assertThat(write(ints, DataType.INT32, Value.of(1))).isEqualTo(Quality.BAD_TYPE_MISMATCH);
    Nodes.Target matrix = new Nodes.Target(NodeIds.Int32, 2, new int[] {2, 2}, StatusCode.GOOD);
    Writing writing = connection.session.nodes().get(60, TimeUnit.SECONDS).writing();
    assertThat(writing.variant(matrix, DataType.INT32, null, one).value())
        .isEqualTo(new Matrix(new Integer[] {5, 6, 7, 8}, new int[] {2, 2}));
    assertThat(
            writing
                .variant(matrix, DataType.INT32, "0:1,1", list(Value.of(1), Value.of(2)))
                .value())
        .isEqualTo(new Matrix(new Integer[] {1, 2}, new int[] {2, 1}));
  }

  @Test
  void anEnumerationIsWrittenByNumberOrName() throws Exception {
    assertThat(write("./Mode1", DataType.TEXT, Value.of("Manual"))).isEqualTo(Quality.GOOD);
    assertThat(types.variables.get("Mode1").getValue().value().value()).isEqualTo(2);
    assertThat(write("./Mode1", DataType.INT32, Value.of(0))).isEqualTo(Quality.GOOD);
    assertThat(types.variables.get("Mode1").getValue().value().value()).isEqualTo(0);
    assertThat(write("./Mode1", DataType.TEXT, Value.of("Broken")))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
  }

  /** Writes a structure that was read, or changed after that, and reads it again. */
  private Value through(String name, Value value) throws Exception {
    assertThat(write("./" + name, DataType.STRUCT, value)).isEqualTo(Quality.GOOD);
    Point point = new Point("p", "./" + name, DataType.STRUCT, Access.READ_WRITE);
    List<Sample> samples =
        connection.prepare(List.of(point)).read().toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(samples.get(0).quality()).isEqualTo(Quality.GOOD);
    return samples.get(0).value();
  }

  @Test
  void aStructureIsWrittenByTheNamesOfItsFields() throws Exception {
    Value place = struct("X", Value.of(1.25), "Y", Value.of(-3.5));
    assertThat(through("Place1", place)).isEqualTo(place);
    Value places =
        struct(
            "0.X", Value.of(1.0), "0.Y", Value.of(2.0), "1.X", Value.of(3.0), "1.Y", Value.of(4.0));
    assertThat(through("PlaceList", places)).isEqualTo(places);
    Value onlyC = struct("A", Value.of(1), "C.X", Value.of(0.5), "C.Y", Value.of(1.0));
    assertThat(through("Spare", onlyC)).isEqualTo(onlyC);
    Value onlyB = struct("A", Value.of(2), "B", Value.of("b"));
    assertThat(through("Spare", onlyB)).isEqualTo(onlyB);
    Value number = struct("Number", Value.of(4.5));
    assertThat(through("Either1", number)).isEqualTo(number);
  }

  @Test
  void aStructureWithWrongFieldsIsRefused() throws Exception {
    assertThat(write("./Place1", DataType.STRUCT, struct("X", Value.of(1.0))))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(
            write(
                "./Place1",
                DataType.STRUCT,
                struct("X", Value.of(1.0), "Y", Value.of(1.0), "Z", Value.of(1.0))))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(
            write(
                "./Either1",
                DataType.STRUCT,
                struct("Number", Value.of(1.0), "Words", Value.of("x"))))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
  }

  private List<Object> lastCall() {
    return types.calls.get(types.calls.size() - 1);
  }

  @Test
  void aMethodIsCalledWithItsArgumentsByName() throws Exception {
    assertThat(
            write(
                "method:. ./Blend",
                DataType.STRUCT,
                struct(
                    "Mode", Value.of("Auto"),
                    "At.X", Value.of(1.0),
                    "At.Y", Value.of(2.0),
                    "Amounts", list(Value.of(1.5), Value.of(2)),
                    "Name", Value.of("B1"))))
        .isEqualTo(Quality.GOOD);
    assertThat(lastCall().get(0)).isEqualTo("B1");
    assertThat(lastCall().get(1)).isEqualTo(new Double[] {1.5, 2.0});
    assertThat(lastCall().get(2)).isEqualTo(1);
    assertThat(lastCall().get(3)).isEqualTo(types.struct("Place", e -> TypesPlant.place(e, 1, 2)));
  }

  @Test
  void aMethodIsNotCalledWithMissingUnknownOrUnfitArguments() throws Exception {
    int before = types.calls.size();
    assertThat(write("method:. ./Blend", DataType.STRUCT, struct("Name", Value.of("B1"))))
        .isEqualTo(MISSING);
    assertThat(write("method:. ./Blend", DataType.TEXT, Value.of("B1"))).isEqualTo(MISSING);
    assertThat(write("method:. ./Blend", DataType.STRUCT, struct("Colour", Value.of("B1"))))
        .isEqualTo(INVALID);
    assertThat(
            write(
                "method:. ./Half",
                DataType.STRUCT,
                struct("Number", Value.of(2), "Colour", Value.of("red"))))
        .isEqualTo(INVALID);
    assertThat(write("method:. ./Half", DataType.TEXT, Value.of("two")))
        .isEqualTo(Quality.BAD_TYPE_MISMATCH);
    assertThat(write("method:. ./Reset", DataType.INT32, Value.of(1))).isEqualTo(TOO_MANY);
    assertThat(write("method:. ./Reset", DataType.BOOL, Value.of(false)))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(types.calls).hasSize(before);
  }

  @Test
  void aMethodWithoutArgumentsIsCalledByTrue() throws Exception {
    assertThat(write("method:. ./Reset", DataType.BOOL, Value.of(true))).isEqualTo(Quality.GOOD);
    assertThat(lastCall()).isEmpty();
    assertThat(write("method:. ./Reset", DataType.STRUCT, struct())).isEqualTo(Quality.GOOD);
  }

  @Test
  void theVerdictIsTheMethodsOwn() throws Exception {
    assertThat(write("method:. ./Half", DataType.INT32, Value.of(3)))
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(write("method:. ./Twice", DataType.INT32, Value.of(3)))
        .isEqualTo(new Quality(0x806F0000));
    assertThat(
            write(
                "method:" + PlantServer.address("Pump1") + " ./Twice",
                DataType.INT32,
                Value.of(21)))
        .isEqualTo(Quality.GOOD);
    assertThat(plant.calls()).contains(21);
  }

  @Test
  void whatAMethodGivesIsASampleOfItsResult() throws Exception {
    Point half = new Point("half", "result:. ./Half", DataType.INT32, Access.READ);
    Point blend = new Point("blend", "result:. ./Blend", DataType.STRUCT, Access.READ);
    connection.subscribe(List.of(half, blend)).toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(write("method:. ./Half", DataType.INT32, Value.of(42))).isEqualTo(Quality.GOOD);
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(sink.samples()).hasSize(1));
    assertThat(sink.samples().get(0)).isEqualTo(Sample.good("half", Value.of(21)));
    Map<String, Sample> read = new LinkedHashMap<>();
    connection
        .prepare(List.of(half, blend))
        .read()
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS)
        .forEach(sample -> read.put(sample.point(), sample));
    assertThat(read.get("half").value()).isEqualTo(Value.of(21));
  }
}
