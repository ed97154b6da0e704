package io.culvert.device.opcua;

import static io.culvert.device.opcua.Bytes.BROWSE_RESPONSE;
import static io.culvert.device.opcua.Bytes.READ_RESPONSE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.ThreadMXBean;
import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.device.opcua.HostileServer.Request;
import io.culvert.device.opcua.HostileServer.Script;
import io.culvert.testkit.RecordingSink;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.ExtensionObject;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.structured.*;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a server sends, nothing crashes, nothing goes on for ever, memory stays bounded, the
 * device of another server is served meanwhile, and the failure is told in words.
 */
@Timeout(120)
class HostileServerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** What a prank may have the driver's threads ask for in memory, be it given back at once. */
  private static final long MOST_ALLOCATED = 192L << 20;

  private static final Map<String, String> CALM =
      Map.of("security", "none", "publishing", "20ms", "keepAlive", "60s");

  private static final Map<String, String> HASTY =
      Map.of("security", "none", "publishing", "20ms", "keepAlive", "60s", "timeout", "2s");

  /** What is left of an array whose dimensions don't fit it. */
  private static final Value FIVE_AND_SIX = new Value.Array(List.of(Value.of(5L), Value.of(6L)));

  private final OpcUaDriver driver = new OpcUaDriver();
  private HostileServer server;
  private HostileServer neighbour;

  @BeforeEach
  void start() throws Exception {
    server = new HostileServer();
    neighbour = new HostileServer();
  }

  @AfterEach
  void stop() throws Exception {
    driver.deactivate();
    server.close();
    neighbour.close();
  }

  private static Point point(String name) {
    return new Point(name, "nsu=" + HostileServer.URI + ";s=" + name, DataType.INT32, Access.READ);
  }

  private static <T> T answer(CompletableFuture<T> stage) throws Exception {
    return stage.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private CompletableFuture<Connection> opening(HostileServer to, RecordingSink sink) {
    Device device =
        to == server
            ? new Device("d", "p", to.endpoint(), HASTY)
            : new Device("n", "p", to.endpoint(), CALM);
    return driver.open(device, sink).toCompletableFuture();
  }

  private Connection open(HostileServer to) throws Exception {
    return answer(opening(to, new RecordingSink()));
  }

  private static CompletableFuture<List<Sample>> reading(Connection connection) {
    return ((Readable) connection)
        .prepare(List.of(point("v0"), point("v1"), point("v2")))
        .read()
        .toCompletableFuture();
  }

  private static void reads(Connection connection) throws Exception {
    assertThat(answer(reading(connection)))
        .extracting(Sample::value)
        .containsExactly(Value.of(0L), Value.of(1L), Value.of(2L));
  }

  private record Prank(String name, Script script, String words) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Prank prank(String name, Script script) {
    return new Prank(name, script, "");
  }

  private static Script greeting(byte[] bytes) {
    return (wire, request) -> wire.raw(bytes);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** What comes in place of an Acknowledge. */
  static Stream<Prank> greetings() {
    return Stream.of(
        new Prank(
            "another protocol",
            greeting(ascii("HTTP/1.1 400 Bad Request\r\n\r\n")),
            "is no OPC UA server: it begins with \"HTTP/1.1 400"),
        new Prank("buffers of no size", (w, r) -> w.acknowledge(0, 0), "takes 0 bytes at once"),
        new Prank(
            "a buffer that holds the header of a request and nothing of it",
            (w, r) -> w.acknowledge(79, 65_535),
            "takes 79 bytes at once"),
        new Prank(
            "messages of no size",
            (w, r) -> w.acknowledge(65_535, 0),
            "sends 0, instead of 8192 or more"),
        prank(
            "a message of length 0",
            greeting(new Bytes().raw(ascii("ACKF")).u32(0).times(20, 0).bytes())),
        prank(
            "a message of length 2 GB and more",
            greeting(new Bytes().raw(ascii("ACKF")).u32(-1).times(20, 0).bytes())),
        prank(
            "an error",
            greeting(
                new Bytes()
                    .raw(ascii("ERRF"))
                    .u32(31)
                    .u32(0x80AC0000L)
                    .text("go away")
                    .times(4, 0)
                    .bytes())),
        prank(
            "an error that is cut short", greeting(new Bytes().raw(ascii("ERRF")).u32(8).bytes())),
        prank("half a word", greeting(ascii("ACK"))),
        prank(
            "an end",
            (w, r) -> {
              throw new IOException("enough");
            }),
        prank(
            "garbage without end",
            (w, r) -> {
              byte[] garbage = new byte[1 << 16];
              Arrays.fill(garbage, (byte) 'x');
              for (int i = 0; i < 3000; i++) {
                w.raw(garbage);
              }
            }));
  }

  @ParameterizedTest
  @MethodSource("greetings")
  void aBadGreetingIsToldInWords(Prank prank) throws Exception {
    server.play(
        (wire, request) -> {
          if (request.type().equals("HEL")) {
            prank.script.play(wire, request);
          } else {
            wire.honest(request);
          }
        });
    suffersOpening(prank);
  }

  private static Script keys(long life) {
    return (wire, request) -> {
      OpenSecureChannelResponse honest = (OpenSecureChannelResponse) wire.response(request);
      wire.answer(
          request,
          new OpenSecureChannelResponse(
              honest.getResponseHeader(),
              honest.getServerProtocolVersion(),
              new ChannelSecurityToken(
                  Unsigned.uint(1), Unsigned.uint(1), DateTime.now(), Unsigned.uint(life)),
              ByteString.NULL_VALUE));
    };
  }

  /** What comes in place of keys for the channel. */
  static Stream<Prank> channels() {
    return Stream.of(
        prank("garbage", (w, r) -> w.answer(r, new byte[100])),
        prank("nothing", (w, r) -> w.answer(r, new byte[0])),
        prank(
            "another's answer",
            (w, r) -> w.answer(r, Bytes.response(READ_RESPONSE, 1).u32(0).u32(0).bytes())),
        prank("keys for no time", keys(1)),
        prank(
            "pieces without end",
            (w, r) -> {
              for (int i = 0; i < 100_000; i++) {
                w.send("OPNC", r.id(), new byte[1]);
              }
            }),
        prank("a refusal", (w, r) -> w.refuse(r, 0x80550000L)),
        prank(
            "a length of minus one for the policy",
            (w, r) -> w.raw(new Bytes().raw(ascii("OPNF")).u32(60).u32(1).times(48, 255).bytes())),
        prank(
            "a policy of 2 GB",
            (w, r) ->
                w.raw(
                    new Bytes()
                        .raw(ascii("OPNF"))
                        .u32(60)
                        .u32(1)
                        .u32(Integer.MAX_VALUE)
                        .times(44, 255)
                        .bytes())));
  }

  @ParameterizedTest
  @MethodSource("channels")
  void aChannelThatIsNoneIsGivenUp(Prank prank) throws Exception {
    server.play(OpenSecureChannelRequest.class, prank.script);
    suffersOpening(prank);
  }

  @Test
  void keysWithoutEndEndTheChannel() throws Exception {
    Connection connection = open(server);
    reads(connection);
    server.play(
        ReadRequest.class,
        (wire, request) -> {
          byte[] keys =
              server.bytes(
                  wire.response(
                      new Request(
                          "OPN",
                          1,
                          new OpenSecureChannelRequest(
                              request.message().getRequestHeader(),
                              Unsigned.uint(0),
                              null,
                              null,
                              ByteString.NULL_VALUE,
                              Unsigned.uint(3_600_000)))));
          for (int i = 0; i < 1_000_000; i++) {
            wire.send("OPNF", 1, keys);
          }
        });
    long allocated = allocated();
    fails(reading(connection));
    assertThat(allocated() - allocated).isLessThan(MOST_ALLOCATED);
    recovers();
  }

  /** Services that are asked for before the first value is read. */
  static Stream<Prank> sessions() {
    return Stream.of(
        prank(
            "many endpoints",
            (w, r) -> {
              if (r.asks(GetEndpointsRequest.class)) {
                GetEndpointsResponse one = (GetEndpointsResponse) w.response(r);
                EndpointDescription[] many = new EndpointDescription[100_000];
                Arrays.fill(many, one.getEndpoints()[0]);
                w.answer(r, new GetEndpointsResponse(one.getResponseHeader(), many));
              } else {
                w.honest(r);
              }
            }),
        prank(
            "no endpoint",
            (w, r) -> {
              if (r.asks(GetEndpointsRequest.class)) {
                w.answer(r, new GetEndpointsResponse(w.response(r).getResponseHeader(), null));
              } else {
                w.honest(r);
              }
            }),
        prank(
            "no session",
            (w, r) -> {
              if (r.asks(CreateSessionRequest.class)) {
                w.refuse(r, 0x80560000L);
              } else {
                w.honest(r);
              }
            }),
        prank(
            "a session that can't be had",
            (w, r) -> {
              if (r.asks(ActivateSessionRequest.class)) {
                w.refuse(r, 0x80200000L);
              } else {
                w.honest(r);
              }
            }),
        prank(
            "a session of garbage",
            (w, r) -> {
              if (r.asks(CreateSessionRequest.class)) {
                w.answer(r, Bytes.response(464, r.handle()).times(200, 255).bytes());
              } else {
                w.honest(r);
              }
            }));
  }

  @ParameterizedTest
  @MethodSource("sessions")
  void aSessionThatIsNoneIsToldInWords(Prank prank) throws Exception {
    server.play(prank.script);
    suffersOpening(prank);
  }

  private static Script read(Bytes values) {
    return (wire, request) ->
        wire.answer(
            request, Bytes.response(READ_RESPONSE, request.handle()).raw(values.bytes()).bytes());
  }

  /** An answer to a read with one value, by its Variant. */
  private static Script variant(Bytes variant) {
    return read(new Bytes().u32(1).u8(1).raw(variant.bytes()).u32(-1));
  }

  private static Bytes nested(int times, int... bytes) {
    return new Bytes().times(times, bytes);
  }

  /** What comes in place of values. */
  static Stream<Prank> readings() {
    int million = 1_000_000;
    return Stream.of(
        prank(
            "an array of 400 million dimensions",
            variant(new Bytes().u8(0xC6).u32(1).u32(5).u32(400 * million).u32(1))),
        prank(
            "as many dimensions as there are numbers",
            variant(new Bytes().u8(0xC6).u32(1).u32(5).u32(Integer.MAX_VALUE).u32(1))),
        prank(
            "dimensions of no array",
            variant(new Bytes().u8(0xC6).u32(2).u32(5).u32(6).u32(2).u32(65_536).u32(65_536))),
        prank(
            "arrays of two million within arrays",
            variant(nested(1000, 0x98, 0x00, 0x00, 0x1F, 0x00))),
        prank("values within values", variant(nested(200_000, 0x17, 0x01))),
        prank("arrays of one within arrays", variant(nested(100_000, 0x98, 1, 0, 0, 0))),
        prank("an array of minus two", variant(new Bytes().u8(0x86).u32(-2))),
        prank("an array of two billion", variant(new Bytes().u8(0x86).u32(Integer.MAX_VALUE))),
        prank("a text of minus seven", variant(new Bytes().u8(12).u32(-7))),
        prank("a text of two billion", variant(new Bytes().u8(12).u32(Integer.MAX_VALUE))),
        prank("a type that there isn't", variant(new Bytes().u8(0x3F).times(50, 255))),
        prank(
            "a structure of two billion",
            variant(new Bytes().u8(22).node(5).u8(1).u32(Integer.MAX_VALUE))),
        prank(
            "two million values of nothing",
            variant(new Bytes().u8(0x97).u32(2 * million).times(2 * million, 0))),
        prank("results without end", read(new Bytes().u32(Integer.MAX_VALUE).times(100, 0))),
        prank("minus five results", read(new Bytes().u32(-5).u32(-1))),
        prank("no results", read(new Bytes().u32(0).u32(-1))),
        prank("none at all", read(new Bytes().u32(-1).u32(-1))),
        prank(
            "a million more than asked for",
            read(new Bytes().u32(million).times(million, 0).u32(-1))),
        prank("troubles within troubles", read(new Bytes().u32(0).u32(1).times(1_900_000, 0x40))),
        prank(
            "another's answer",
            (w, r) ->
                w.answer(r, Bytes.response(BROWSE_RESPONSE, r.handle()).u32(0).u32(0).bytes())),
        prank("a request", (w, r) -> w.answer(r, server(r))),
        prank("garbage", (w, r) -> w.answer(r, new Bytes().times(5000, 0xA5).bytes())),
        prank("a message of 50 MB", (w, r) -> w.answer(r, new byte[50 * million])),
        prank(
            "pieces without end",
            (w, r) -> {
              for (int i = 0; i < million; i++) {
                w.send("MSGC", r.id(), new byte[1]);
              }
            }),
        prank(
            "a piece given up",
            (w, r) -> w.send("MSGA", r.id(), new Bytes().u32(0x80AC0000L).text("no").bytes())),
        prank("a piece given up without a reason", (w, r) -> w.send("MSGA", r.id(), new byte[0])),
        prank(
            "an answer to nobody",
            (w, r) -> w.answer(new Request("MSG", 4_000_000, r.message()), w.response(r))),
        prank(
            "answers to nobody without end",
            (w, r) -> {
              byte[] body = Bytes.response(READ_RESPONSE, 1).u32(-1).u32(-1).bytes();
              for (int i = 0; i < million; i++) {
                w.send("MSGF", million + i, body);
              }
            }),
        prank("a number that was used", (w, r) -> w.raw(w.frame("MSGF", r.id(), new byte[40], 1))),
        prank(
            "a number from the future",
            (w, r) -> w.raw(w.frame("MSGF", r.id(), new byte[40], 900_000_000))),
        prank("a message of no kind", (w, r) -> w.send("XYZF", r.id(), new byte[40])),
        prank(
            "a message of length 0",
            (w, r) -> w.raw(new Bytes().raw(ascii("MSGF")).u32(0).times(100, 0).bytes())),
        prank(
            "a message of length 2 GB and more",
            (w, r) -> w.raw(new Bytes().raw(ascii("MSGF")).u32(-1).times(100, 0).bytes())),
        prank(
            "another's channel",
            (w, r) -> w.raw(new Bytes().raw(ascii("MSGF")).u32(32).u32(999).times(20, 0).bytes())),
        prank(
            "another's key",
            (w, r) ->
                w.raw(new Bytes().raw(ascii("MSGF")).u32(32).u32(1).u32(99).times(16, 0).bytes())),
        prank("a greeting once more", (w, r) -> w.acknowledge(65_535, 65_535)),
        prank(
            "an error",
            (w, r) ->
                w.raw(new Bytes().raw(ascii("ERRF")).u32(16).u32(0x80AC0000L).u32(-1).bytes())),
        prank(
            "an end",
            (w, r) -> {
              throw new IOException("enough");
            }),
        prank("silence", (w, r) -> {}));
  }

  private static byte[] server(Request request) {
    return new Bytes().node(631).times(100, 0).bytes();
  }

  @ParameterizedTest
  @MethodSource("readings")
  void anAnswerThatIsNoneCostsItsReadingAndNoMore(Prank prank) throws Exception {
    Connection other = open(neighbour);
    Connection connection = open(server);
    reads(connection);
    server.play(ReadRequest.class, prank.script);
    long allocated = allocated();
    CompletableFuture<List<Sample>> reading = reading(connection);
    CompletableFuture<Object> over = new CompletableFuture<>();
    reading.whenComplete((samples, failure) -> over.complete(null));
    answer(over);
    if (reading.isCompletedExceptionally()) {
      fails(reading);
    } else {
      assertThat(reading.join())
          .hasSize(3)
          .allMatch(sample -> sample.quality().bad() || FIVE_AND_SIX.equals(sample.value()));
    }
    assertThat(allocated() - allocated).as("bytes asked for").isLessThan(MOST_ALLOCATED);
    reads(other);
    connection.close();
    recovers();
  }

  @Test
  void anAnswerThatComesByteByByteIsAnAnswer() throws Exception {
    Connection connection = open(server);
    server.play(
        ReadRequest.class,
        (wire, request) -> {
          for (byte piece : wire.next("MSGF", request.id(), server.bytes(wire.response(request)))) {
            wire.raw(new byte[] {piece});
          }
        });
    reads(connection);
  }

  @Test
  void timesThatAreNoneAreLeftOut() throws Exception {
    for (long time : new long[] {Long.MIN_VALUE, -1, 0, 1, Long.MAX_VALUE}) {
      Connection connection = open(server);
      server.play(
          ReadRequest.class,
          read(
              new Bytes()
                  .u32(3)
                  .times(0)
                  .raw(timed(time))
                  .raw(timed(time))
                  .raw(timed(time))
                  .u32(-1)));
      List<Sample> samples = answer(reading(connection));
      assertThat(samples).extracting(Sample::value).containsOnly(Value.of(7L));
      connection.close();
      server.behave();
    }
  }

  @Test
  void childrenWithoutEndComeToAnEnd() throws Exception {
    Connection connection = open(server);
    ReferenceDescription[] children = new ReferenceDescription[5_000];
    Arrays.setAll(children, i -> HostileServer.reference("c" + i));
    server.play(
        (wire, request) -> {
          BrowseResult more =
              new BrowseResult(StatusCode.GOOD, ByteString.of(new byte[] {1}), children);
          if (request.asks(BrowseRequest.class)) {
            int nodes = ((BrowseRequest) request.message()).getNodesToBrowse().length;
            BrowseResult[] all = new BrowseResult[nodes];
            Arrays.fill(all, more);
            wire.answer(request, new BrowseResponse(server.header(request.handle(), 0), all, null));
          } else if (request.asks(BrowseNextRequest.class)) {
            int points = ((BrowseNextRequest) request.message()).getContinuationPoints().length;
            BrowseResult[] all = new BrowseResult[points];
            Arrays.fill(all, more);
            wire.answer(
                request, new BrowseNextResponse(server.header(request.handle(), 0), all, null));
          } else {
            wire.honest(request);
          }
        });
    assertThat(fails(((Browsable) connection).browse("i=85", 10_000).toCompletableFuture()))
        .contains("children");
    assertThat(server.requests()).isLessThan(200);
    server.behave();
    reads(connection);
  }

  @Test
  void aHistoryWithoutEndIsGivenPageByPage() throws Exception {
    Connection connection = open(server);
    server.play(
        (wire, request) -> {
          if (request.asks(HistoryReadRequest.class)) {
            DataValue[] values = new DataValue[1_000];
            Arrays.fill(
                values,
                new DataValue(new Variant(1), StatusCode.GOOD, new DateTime(Instant.now())));
            HistoryReadResult more =
                new HistoryReadResult(
                    StatusCode.GOOD,
                    ByteString.of(new byte[] {1}),
                    server.object(new HistoryData(values)));
            wire.answer(
                request,
                new HistoryReadResponse(
                    server.header(request.handle(), 0), new HistoryReadResult[] {more}, null));
          } else {
            wire.honest(request);
          }
        });
    String next = "";
    for (int page = 0; page < 5; page++) {
      int before = server.requests();
      Historical.Page found =
          answer(
              ((Historical) connection)
                  .history(
                      List.of(point("v0")),
                      Instant.now().minusSeconds(60),
                      Instant.now().plusSeconds(60),
                      next)
                  .toCompletableFuture());
      assertThat(found.samples()).hasSizeLessThan(100_000);
      assertThat(server.requests() - before).isLessThan(100);
      next = found.next();
    }
    server.behave();
    reads(connection);
  }

  private Core core(String... more) throws Exception {
    Map<String, String> settings = new HashMap<>(HASTY);
    settings.put("keepAlive", "1s");
    for (int i = 0; i < more.length; i += 2) {
      settings.put(more[i], more[i + 1]);
    }
    return new Core(
        driver, new Device("d", "p", server.endpoint(), settings), List.of(point("v0")));
  }

  private static void arrives(Core core, long value) {
    await()
        .atMost(PATIENCE.multipliedBy(2))
        .until(() -> core.samples.stream().anyMatch(s -> s.value().equals(Value.of(value))));
  }

  @Test
  void aSessionThatIsCreatedAnewIsAnotherThoughItHasTheSameId() throws Exception {
    try (Core core = core()) {
      arrives(core, 0);
      AtomicBoolean forgotten = new AtomicBoolean();
      server.play(
          (wire, request) -> {
            if (request.asks(ActivateSessionRequest.class) && !forgotten.getAndSet(true)) {
              wire.refuse(request, StatusCodes.Bad_SessionIdInvalid);
            } else {
              wire.honest(request);
            }
          });
      server.cut();
      await().atMost(PATIENCE.multipliedBy(2)).until(() -> core.completeSince.size() >= 2);
      server.set("v0", 42);
      arrives(core, 42);
    }
  }

  @Test
  void anotherServersSessionIsAnotherThoughItHasTheSameId() throws Exception {
    try (Core core = core("servers", neighbour.endpoint().toString())) {
      arrives(core, 0);
      // Its namespaces stand elsewhere.
      List<NodeId> watched = new CopyOnWriteArrayList<>();
      neighbour.play(
          (wire, request) -> {
            if (request.message() instanceof ReadRequest read
                && read.getNodesToRead().length == 1
                && read.getNodesToRead()[0].getNodeId().equals(NodeIds.Server_NamespaceArray)) {
              String[] uris = {"http://opcfoundation.org/UA/", "urn:other", HostileServer.URI};
              DataValue[] answer = {new DataValue(new Variant(uris))};
              wire.answer(
                  request, new ReadResponse(neighbour.header(request.handle(), 0), answer, null));
              return;
            }
            if (request.message() instanceof CreateMonitoredItemsRequest create) {
              watched.add(create.getItemsToCreate()[0].getItemToMonitor().getNodeId());
            }
            wire.honest(request);
          });
      neighbour.set("v0", 43);
      server.close();
      arrives(core, 43);
      assertThat(watched).containsOnly(new NodeId(2, "v0"));
    }
  }

  @Test
  void whatAServerThatWasLeftStillTellsIsNotTakenForTheOthers() throws Exception {
    try (Core core = core("servers", neighbour.endpoint().toString())) {
      arrives(core, 0);
      neighbour.set("v0", 42);
      server.serviceLevel(100);
      arrives(core, 42);
      // Its channel is there for some seconds, and both number their subscriptions alike.
      server.set("v0", 13);
      neighbour.set("v0", 43);
      arrives(core, 43);
      assertThat(core.samples).extracting(Sample::value).doesNotContain(Value.of(13L));
    }
  }

  @Test
  void whatOneSubscriptionToldIsNotAcknowledgedToTheNext() throws Exception {
    CompletableFuture<Request> first = new CompletableFuture<>();
    CompletableFuture<HostileServer.Wire> to = new CompletableFuture<>();
    List<Long> acknowledged = new CopyOnWriteArrayList<>();
    server.play(
        PublishRequest.class,
        (wire, request) -> {
          SubscriptionAcknowledgement[] numbers =
              ((PublishRequest) request.message()).getSubscriptionAcknowledgements();
          if (numbers != null && numbers.length > 0 && first.complete(request)) {
            to.complete(wire);
            return;
          }
          for (int i = 0; numbers != null && i < numbers.length; i++) {
            acknowledged.add(numbers[i].getSequenceNumber().longValue());
          }
          wire.honest(request);
        });
    try (Core core = core("keepAlive", "60s")) {
      arrives(core, 0);
      server.set("v0", 41);
      answer(first);
      await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofSeconds(1))
          .until(
              () -> {
                server.publish(this::ended);
                return !core.losses.isEmpty();
              });
      await().atMost(PATIENCE).until(() -> core.completeSince.size() >= 2);
      // The request that acknowledges what the former one told fails only now.
      answer(to).refuse(first.join(), StatusCodes.Bad_TcpServerTooBusy);
      server.set("v0", 42);
      arrives(core, 42);
      await().atMost(PATIENCE).until(() -> acknowledged.stream().anyMatch(n -> n > 2));
      assertThat(acknowledged).doesNotContain(1L);
    }
  }

  /** A message that the subscription has come to its end. */
  private byte[] ended(long handle) {
    StatusChangeNotification end =
        new StatusChangeNotification(new StatusCode(StatusCodes.Bad_Timeout), null);
    return server.bytes(
        new PublishResponse(
            server.header(handle, 0),
            Unsigned.uint(7),
            null,
            false,
            new NotificationMessage(
                Unsigned.uint(3), DateTime.now(), new ExtensionObject[] {server.object(end)}),
            null,
            null));
  }

  private static byte[] timed(long time) {
    return new Bytes().u8(0x0D, 6).u32(7).i64(time).i64(time).bytes();
  }

  private void suffersOpening(Prank prank) throws Exception {
    Connection other = open(neighbour);
    long allocated = allocated();
    RecordingSink sink = new RecordingSink();
    CompletableFuture<Connection> opening = opening(server, sink);
    String words = fails(opening);
    assertThat(words).contains(prank.words);
    assertThat(allocated() - allocated).as("bytes asked for").isLessThan(MOST_ALLOCATED);
    reads(other);
    recovers();
  }

  /** A failure that the core and people can live with. */
  private static String fails(CompletableFuture<?> stage) throws Exception {
    try {
      Object answer = stage.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      throw new AssertionError("was answered with " + answer);
    } catch (ExecutionException failed) {
      Throwable cause = failed.getCause();
      assertThat(cause.getClass())
          .isIn(IOException.class, TimeoutException.class, ConnectException.class);
      assertThat(cause.getMessage())
          .containsPattern("127\\.0\\.0\\.1|[Ss]erver")
          .doesNotContain("null")
          .contains(" ");
      return cause.getMessage();
    }
  }

  private void recovers() throws Exception {
    server.behave();
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .untilAsserted(() -> reads(opening(server, new RecordingSink()).get(5, TimeUnit.SECONDS)));
  }

  static long allocated() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long[] drivers =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("opcua"))
            .mapToLong(Thread::getId)
            .toArray();
    return Arrays.stream(threads.getThreadAllocatedBytes(drivers)).filter(bytes -> bytes > 0).sum();
  }
}
