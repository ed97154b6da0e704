package io.culvert.device.opcua;

import static io.culvert.device.opcua.Bytes.DATA_CHANGE;
import static io.culvert.device.opcua.Bytes.PUBLISH_RESPONSE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Subscribable;
import io.culvert.device.opcua.HostileServer.Script;
import io.culvert.testkit.RecordingSink;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.UaRequestMessageType;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateMonitoredItemsRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateMonitoredItemsResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateSubscriptionRequest;
import org.eclipse.milo.opcua.stack.core.types.structured.CreateSubscriptionResponse;
import org.eclipse.milo.opcua.stack.core.types.structured.PublishRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a server sends in place of what it was to tell by itself, it is left alone at the latest
 * by a new connection, memory stays bounded, and another's device is told on meanwhile.
 */
@Timeout(120)
class HostileMessagesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final long MOST_ALLOCATED = 192L << 20;

  /** Requests in answer to one prank; what is more is a loop. */
  private static final int MOST_REQUESTS = 20_000;

  private static final Map<String, String> SETTINGS =
      Map.of("security", "none", "publishing", "20ms", "keepAlive", "1s", "timeout", "2s");

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

  /**
   * @param service whose answers are pranks
   * @param times how often; then the server behaves
   */
  private record Prank(
      String name, Class<? extends UaRequestMessageType> service, int times, Script script) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** A Publish response by hand: a message with one notification. */
  private static byte[] message(long handle, long subscription, long number, Bytes object) {
    return Bytes.response(PUBLISH_RESPONSE, handle)
        .u32(subscription)
        .u32(-1)
        .u8(0)
        .u32(number)
        .i64(0)
        .u32(1)
        .raw(object.bytes())
        .u32(-1)
        .u32(-1)
        .bytes();
  }

  /** A notification of values, by the bytes after their count. */
  private static Bytes change(long count, Bytes values) {
    return new Bytes().object(DATA_CHANGE, new Bytes().u32(count).raw(values.bytes()));
  }

  private static Bytes seven(long handle) {
    return new Bytes().u32(handle).u8(1, 6).u32(7).u32(-1);
  }

  private static Prank message(String name, long subscription, long number, Bytes object) {
    return new Prank(
        name,
        PublishRequest.class,
        3,
        (wire, request) ->
            wire.answer(request, message(request.handle(), subscription, number, object)));
  }

  static Stream<Prank> pranks() {
    int million = 1_000_000;
    return Stream.of(
        message("values of handles that nobody has", 7, 1, change(1, seven(4_000_000))),
        message("a subscription that nobody has", 99, 1, change(1, seven(1))),
        message("a message from far ahead", 7, 4_000_000_000L, change(1, seven(1))),
        message("a message from some way ahead", 7, 2_000_000_000L, change(1, seven(1))),
        message("a message of number 0", 7, 0, change(1, seven(1))),
        message(
            "a notification of a type that there isn't",
            7,
            1,
            new Bytes().object(60_000, seven(1))),
        message(
            "a notification of garbage",
            7,
            1,
            new Bytes().object(DATA_CHANGE, new Bytes().times(300, 0xA5))),
        message("a notification of nothing", 7, 1, new Bytes().object(DATA_CHANGE, new Bytes())),
        message("values without end", 7, 1, change(Integer.MAX_VALUE, seven(1))),
        message("minus five values", 7, 1, change(-5, seven(1))),
        message(
            "a value of 400 million dimensions",
            7,
            1,
            change(1, new Bytes().u32(1).u8(1, 0xC6).u32(1).u32(5).u32(400 * million).u32(1))),
        message(
            "values within values", 7, 1, change(1, new Bytes().u32(1).times(200_000, 1, 0x17))),
        new Prank(
            "a keep-alive without end",
            PublishRequest.class,
            3000,
            (w, r) ->
                w.answer(
                    r,
                    Bytes.response(PUBLISH_RESPONSE, r.handle())
                        .u32(7)
                        .u32(-1)
                        .u8(0)
                        .u32(1)
                        .i64(0)
                        .u32(-1)
                        .u32(-1)
                        .u32(-1)
                        .bytes())),
        new Prank(
            "the same message without end",
            PublishRequest.class,
            3000,
            (w, r) -> w.answer(r, message(r.handle(), 7, 1, change(1, seven(1))))),
        new Prank(
            "no subscription",
            PublishRequest.class,
            20,
            (w, r) -> w.refuse(r, StatusCodes.Bad_NoSubscription)),
        new Prank(
            "too many requests",
            PublishRequest.class,
            20,
            (w, r) -> w.refuse(r, StatusCodes.Bad_TooManyPublishRequests)),
        new Prank(
            "no memory",
            PublishRequest.class,
            20,
            (w, r) -> w.refuse(r, StatusCodes.Bad_OutOfMemory)),
        new Prank(
            "a session that is over",
            PublishRequest.class,
            4,
            (w, r) -> w.refuse(r, StatusCodes.Bad_SessionIdInvalid)),
        new Prank(
            "an interval that is no number",
            CreateSubscriptionRequest.class,
            1,
            subscription(Double.NaN, 10, 10)),
        new Prank(
            "an interval without end",
            CreateSubscriptionRequest.class,
            1,
            subscription(Double.POSITIVE_INFINITY, 10, 10)),
        new Prank(
            "an interval below nothing",
            CreateSubscriptionRequest.class,
            1,
            subscription(-1e300, 10, 10)),
        new Prank(
            "a silence of all time",
            CreateSubscriptionRequest.class,
            1,
            subscription(1e300, 0xFFFF_FFFFL, 0xFFFF_FFFFL)),
        new Prank("no silence at all", CreateSubscriptionRequest.class, 1, subscription(0, 0, 0)),
        new Prank(
            "fewer items than asked for",
            CreateMonitoredItemsRequest.class,
            1,
            (w, r) ->
                w.answer(
                    r,
                    new CreateMonitoredItemsResponse(
                        w.response(r).getResponseHeader(), null, null))));
  }

  private static Script subscription(double interval, long lifetime, long keepAlive) {
    return (wire, request) -> {
      CreateSubscriptionResponse honest = (CreateSubscriptionResponse) wire.response(request);
      wire.answer(
          request,
          new CreateSubscriptionResponse(
              honest.getResponseHeader(),
              honest.getSubscriptionId(),
              interval,
              Unsigned.uint(lifetime),
              Unsigned.uint(keepAlive)));
    };
  }

  private static Point point(String name) {
    return new Point(name, "nsu=" + HostileServer.URI + ";s=" + name, DataType.INT32, Access.READ);
  }

  /** A device as the core has it: opened again when its link is lost. */
  private final class Watch {
    final HostileServer server;
    final String id;
    RecordingSink sink;
    Connection connection;
    int breaks;

    Watch(HostileServer server, String id) {
      this.server = server;
      this.id = id;
    }

    void open() throws Exception {
      close();
      sink = new RecordingSink();
      connection =
          driver
              .open(new Device(id, "p", server.endpoint(), SETTINGS), sink)
              .toCompletableFuture()
              .get(5, TimeUnit.SECONDS);
      ((Subscribable) connection)
          .subscribe(List.of(point("v0"), point("v1")))
          .toCompletableFuture()
          .get(5, TimeUnit.SECONDS);
    }

    void close() {
      if (connection != null) {
        connection.close();
        connection = null;
      }
    }

    /** Whether it is told a value that is set now. */
    boolean hears(int value) throws Exception {
      if (connection == null
          || !sink.lost().isEmpty()
          || sink.samples().stream().anyMatch(sample -> sample.quality().bad())) {
        breaks += connection == null ? 0 : 1;
        open();
      }
      server.set("v1", value);
      RecordingSink now = sink;
      await()
          .atMost(Duration.ofMillis(700))
          .until(
              () ->
                  now.samples().stream()
                      .anyMatch(
                          s -> s.point().equals("v1") && Value.of((long) value).equals(s.value())));
      return true;
    }
  }

  @ParameterizedTest
  @MethodSource("pranks")
  void aMessageThatIsNoneIsOvercome(Prank prank) throws Exception {
    Watch other = new Watch(neighbour, "n");
    other.open();
    Watch watch = new Watch(server, "d");
    AtomicInteger left = new AtomicInteger(prank.times);
    long allocated = HostileServerTest.allocated();
    server.play(
        prank.service,
        (wire, request) -> {
          if (left.getAndDecrement() > 0) {
            prank.script.play(wire, request);
          } else {
            wire.honest(request);
          }
        });
    AtomicInteger value = new AtomicInteger(1000);
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> watch.hears(value.incrementAndGet()) && left.get() <= 0);
    if (prank.name.startsWith("a notification")) {
      assertThat(watch.breaks).as("times that a loss was told").isPositive();
    }
    assertThat(other.hears(77)).isTrue();
    assertThat(server.requests()).as("requests").isLessThan(MOST_REQUESTS);
    assertThat(HostileServerTest.allocated() - allocated).isLessThan(MOST_ALLOCATED);
  }
}
