package io.culvert.device.opcua;

import static io.culvert.api.Access.READ;
import static io.culvert.api.Access.READ_WRITE;
import static io.culvert.api.Access.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import io.culvert.testkit.RecordingSink;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a server that none of us wrote, without security. */
@Timeout(180)
class NodeOpcuaTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int NODES = 1000;

  @TempDir static Path folder;
  private static NodeServer server;

  private final OpcUaDriver driver = new OpcUaDriver();
  private final RecordingSink sink = new RecordingSink();

  @BeforeAll
  static void startServer() throws Exception {
    server = NodeServer.with(folder, "\"security\": false, \"nodes\": " + NODES);
  }

  @AfterAll
  static void stopServer() throws Exception {
    server.close();
  }

  @AfterEach
  void stop() {
    driver.deactivate();
  }

  private Connection open(Map<String, String> settings) throws Exception {
    Map<String, String> all = new HashMap<>(settings);
    all.put("security", "none");
    return answer(driver.open(new Device("d", "p", server.endpoint(), all), sink));
  }

  private Connection open() throws Exception {
    return open(Map.of("publishing", "50ms", "sampling", "0ms"));
  }

  static <T> T answer(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  static Point point(String name, DataType type, Access access) {
    return new Point(name, "nsu=urn:culvert:peer;s=" + name, type, access);
  }

  private static List<Sample> read(Connection connection, Point... points) throws Exception {
    return answer(((Readable) connection).prepare(List.of(points)).read());
  }

  @Test
  void everyValueOfAThousandNodesAtTenHertzArrivesInOrder() throws Exception {
    Subscribable connection = (Subscribable) open(Map.of("publishing", "100ms", "sampling", "0ms"));
    List<Point> points =
        IntStream.range(0, NODES).mapToObj(i -> point("C" + i, DataType.UINT32, READ)).toList();
    answer(connection.subscribe(points));
    assertThat(server.count("items")).isEqualTo(NODES);
    await().atMost(PATIENCE).until(() -> sink.samples().size() >= NODES);
    int times = 50;
    server.tell("pulse", "\"times\": " + times, "\"every\": 100");
    long all = NODES * (times + 1L);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                sink.samples().size()
                        + sink.missing().stream().mapToLong(RecordingSink.Missing::readings).sum()
                    >= all);
    Map<String, Long> last = new HashMap<>();
    Map<String, Long> gone = new HashMap<>();
    sink.missing().forEach(gap -> gone.merge(gap.point(), gap.readings(), Long::sum));
    for (Sample sample : sink.samples()) {
      assertThat(sample.quality()).isEqualTo(Quality.GOOD);
      assertThat(sample.deviceTime()).isNotNull();
      long value = ((Value.Int) sample.value()).value();
      long expected = last.getOrDefault(sample.point(), -1L) + 1;
      if (gone.containsKey(sample.point())) {
        assertThat(value).isGreaterThanOrEqualTo(expected);
      } else {
        assertThat(value).as("the next value of " + sample.point()).isEqualTo(expected);
      }
      last.put(sample.point(), value);
    }
    assertThat(last)
        .hasSize(NODES)
        .allSatisfy((point, value) -> assertThat(value).isEqualTo(times));
  }

  @Test
  void everyBuiltInTypeIsRead() throws Exception {
    Map<Point, Value> shown = new LinkedHashMap<>();
    shown.put(point("Boolean", DataType.BOOL, READ), Value.of(true));
    shown.put(point("SByte", DataType.INT16, READ), Value.of(-128L));
    shown.put(point("Byte", DataType.UINT16, READ), Value.of(255L));
    shown.put(point("Int16", DataType.INT16, READ), Value.of(-32768L));
    shown.put(point("UInt16", DataType.UINT16, READ), Value.of(65535L));
    shown.put(point("Int32", DataType.INT32, READ), Value.of((long) Integer.MIN_VALUE));
    shown.put(point("UInt32", DataType.UINT32, READ), Value.of(4294967295L));
    shown.put(point("Int64", DataType.INT64, READ), Value.of(Long.MIN_VALUE));
    shown.put(point("Float", DataType.FLOAT32, READ), Value.of(1.5));
    shown.put(point("Double", DataType.FLOAT64, READ), Value.of(-0.1));
    shown.put(point("String", DataType.TEXT, READ), Value.of("水位 ☃"));
    shown.put(point("LocalizedText", DataType.TEXT, READ), Value.of("Pegel"));
    shown.put(
        point("ByteString", DataType.BYTES, READ),
        new Value.Bytes(new byte[] {0, 127, (byte) 128, (byte) 255}));
    shown.put(point("Mode", DataType.INT32, READ), Value.of(1L));
    shown.put(
        point("DoubleArray", DataType.FLOAT64, READ),
        new Value.Array(List.of(Value.of(-0.1), Value.of(-0.1))));
    shown.put(
        point("Matrix", DataType.FLOAT64, READ),
        new Value.Array(IntStream.rangeClosed(1, 6).mapToObj(i -> Value.of((double) i)).toList()));
    List<Sample> samples = read(open(), shown.keySet().toArray(Point[]::new));
    Map<String, Value> values = new HashMap<>();
    samples.forEach(sample -> values.put(sample.point(), sample.value()));
    shown.forEach(
        (point, value) -> assertThat(values.get(point.id())).as(point.id()).isEqualTo(value));
    // Beyond what a value can hold.
    assertThat(read(open(), point("UInt64", DataType.UINT64, READ)).get(0).quality())
        .isEqualTo(Quality.BAD_OUT_OF_RANGE);
    assertThat(
            read(
                    open(),
                    point("DateTime", DataType.TEXT, READ),
                    point("Guid", DataType.TEXT, READ),
                    point("Mode", DataType.TEXT, READ))
                .stream()
                .map(sample -> ((Value.Text) sample.value()).value().toLowerCase()))
        .containsExactly(
            "2026-02-03t04:05:06.789z", "72962b91-fa75-4ae6-8d28-b404dc7daf63", "hand");
  }

  @Test
  void structuresAreTakenApartByTheirFields() throws Exception {
    Map<String, Value> fields =
        ((Value.Struct) read(open(), point("Pair", DataType.STRUCT, READ)).get(0).value()).fields();
    assertThat(fields.get("up.rate")).isEqualTo(Value.of(2.5));
    assertThat(fields.get("down.rate")).isEqualTo(Value.of(-1.0));
    assertThat(fields.get("up.counts"))
        .isEqualTo(new Value.Array(List.of(Value.of(1L), Value.of(2L), Value.of(3L))));
    assertThat(fields.get("up.note")).isEqualTo(Value.of("ok"));
  }

  @Test
  void aStatusOfTheServerComesThroughWhole() throws Exception {
    Connection connection = open();
    // UncertainSensorNotAccurate
    server.tell("set", "\"node\": \"Level\"", "\"value\": 3.5", "\"status\": " + 0x40930000L);
    Sample sample = read(connection, point("Level", DataType.FLOAT64, READ)).get(0);
    assertThat(sample.quality().code()).isEqualTo(0x40930000);
    assertThat(sample.value()).isEqualTo(Value.of(3.5));
  }

  @Test
  void whatIsWrittenIsReadBackAndARefusalIsTheServersOwn() throws Exception {
    Connection connection = open();
    Point setpoint = point("Setpoint", DataType.FLOAT64, READ_WRITE);
    Point count = point("Count", DataType.UINT16, READ_WRITE);
    Point text = point("Text", DataType.TEXT, READ_WRITE);
    Writable writable = (Writable) connection;
    assertThat(answer(writable.write(setpoint, Value.of(21.5)))).isEqualTo(Quality.GOOD);
    assertThat(answer(writable.write(count, Value.of(40_000L)))).isEqualTo(Quality.GOOD);
    assertThat(answer(writable.write(text, Value.of("阀")))).isEqualTo(Quality.GOOD);
    assertThat(read(connection, setpoint, count, text))
        .extracting(Sample::value)
        .containsExactly(Value.of(21.5), Value.of(40_000L), Value.of("阀"));
    Quality refused =
        answer(writable.write(point("ReadOnly", DataType.INT32, READ_WRITE), Value.of(6L)));
    assertThat(refused.bad()).isTrue();
    // BadNotWritable, or BadUserAccessDenied
    assertThat(refused.code()).isIn(0x803B0000, 0x801F0000);
  }

  @Test
  void aMethodIsCalledWithItsArguments() throws Exception {
    Connection connection = open();
    Point call =
        new Point(
            "scale",
            "method:nsu=urn:culvert:peer;s=Pump nsu=urn:culvert:peer;s=Scale",
            DataType.STRUCT,
            WRITE);
    Value arguments = new Value.Struct(Map.of("factor", Value.of(2.5), "offset", Value.of(-5L)));
    assertThat(answer(((Writable) connection).write(call, arguments))).isEqualTo(Quality.GOOD);
    assertThat(server.tell("get", "\"node\": \"Setpoint\"")).contains("\"value\":20");
    Value wrong = new Value.Struct(Map.of("factor", Value.of(-1.0), "offset", Value.of(0L)));
    // BadOutOfRange
    assertThat(answer(((Writable) connection).write(call, wrong)).code()).isEqualTo(0x803C0000);
  }

  @Test
  void whatTheServerKeptIsReadInPages() throws Exception {
    Connection connection = open();
    Point past = point("Past", DataType.INT32, READ);
    Instant from = Instant.parse("2026-03-01T00:00:00Z");
    int count = 250;
    for (int i = 1; i <= count; i++) {
      server.ask(
          "set",
          "\"node\": \"Past\"",
          "\"value\": " + i,
          "\"time\": " + from.plusSeconds(i).toEpochMilli());
    }
    server.tell("counts");
    List<Sample> samples = new ArrayList<>();
    String next = "";
    do {
      Historical.Page page =
          answer(
              ((Historical) connection)
                  .history(List.of(past), from, from.plusSeconds(count + 1), next));
      assertThat(page.without()).isEmpty();
      samples.addAll(page.samples());
      next = page.next();
    } while (!next.isEmpty());
    assertThat(samples)
        .extracting(Sample::value)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, count).mapToObj(i -> Value.of((long) i)).toList());
    assertThat(samples)
        .extracting(Sample::deviceTime)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, count).mapToObj(from::plusSeconds).toList());
  }

  @Test
  void theAddressSpaceIsFoundFromTheTop() throws Exception {
    Browsable browsable = (Browsable) open();
    assertThat(answer(browsable.browse("", 100))).isNotEmpty();
    List<Browsable.Found> top = answer(browsable.browse("i=85", 100));
    Browsable.Found counters =
        top.stream().filter(one -> one.title().equals("Counters")).findFirst().orElseThrow();
    List<Browsable.Found> below = answer(browsable.browse(counters.address(), NODES));
    assertThat(below).hasSize(NODES);
    assertThat(below.get(0).address()).startsWith("nsu=urn:culvert:peer;s=C");
  }

  @Test
  void anAlarmIsToldAndAcknowledged() throws Exception {
    Connection connection = open();
    Point alarms = new Point("alarms", "events:i=2253", DataType.STRUCT, READ);
    Point acknowledge = new Point("ack", "acknowledge:i=2253", DataType.STRUCT, WRITE);
    answer(((Subscribable) connection).subscribe(List.of(alarms)));
    server.set("TankLevel", "95");
    Map<String, Value> raised = event("active", Value.of(true));
    assertThat(raised.get("limit")).isEqualTo(Value.of("HighHigh"));
    assertThat(raised.get("acked")).isEqualTo(Value.of(false));
    // There may be another event of the same alarm on its way, which then is the one to name.
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                answer(
                        ((Writable) connection)
                            .write(
                                acknowledge,
                                new Value.Struct(
                                    Map.of(
                                        "event", event("active", Value.of(true)).get("event"),
                                        "comment", Value.of("seen")))))
                    .good());
    assertThat(event("acked", Value.of(true)).get("comment")).isEqualTo(Value.of("seen"));
    server.set("TankLevel", "50");
    event("active", Value.of(false));
  }

  private Map<String, Value> event(String field, Value value) {
    List<Map<String, Value>> found = new ArrayList<>();
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              for (Sample sample : sink.samples()) {
                if (sample.value() instanceof Value.Struct event
                    && value.equals(event.fields().get(field))) {
                  found.add(event.fields());
                }
              }
              return !found.isEmpty();
            });
    return found.get(found.size() - 1);
  }
}
