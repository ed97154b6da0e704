package io.culvert.device.opcua;

import static io.culvert.device.opcua.NodeOpcuaTest.answer;
import static io.culvert.device.opcua.NodeOpcuaTest.point;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.testkit.RecordingSink;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that none of us wrote closes its connections, hangs, forgets, and comes back. */
@Timeout(180)
class NodeOpcuaReconnectTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private static final Map<String, String> SETTINGS =
      Map.of(
          "security", "none",
          "publishing", "50ms",
          "sampling", "0ms",
          "queue", "1000",
          "keepAlive", "1s",
          "timeout", "3s");

  @TempDir static Path folder;
  private static NodeServer server;

  private final OpcUaDriver driver = new OpcUaDriver();

  /** What all connections were told, in turn. */
  private final List<RecordingSink> sinks = new ArrayList<>();

  private Connection connection;
  private long next;

  @BeforeAll
  static void startServer() throws Exception {
    server = NodeServer.open(folder);
  }

  @AfterAll
  static void stopServer() throws Exception {
    server.close();
  }

  @AfterEach
  void stop() {
    driver.deactivate();
  }

  private RecordingSink sink() {
    return sinks.get(sinks.size() - 1);
  }

  /** As the core does when the link is lost. */
  private Instant reopen() throws Exception {
    if (connection != null) {
      connection.close();
    }
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () -> {
              RecordingSink sink = new RecordingSink();
              connection =
                  driver
                      .open(new Device("d", "p", server.endpoint(), SETTINGS), sink)
                      .toCompletableFuture()
                      .get(20, TimeUnit.SECONDS);
              sinks.add(sink);
              Point past = point("Past", DataType.INT32, Access.READ);
              answer(((Continuous) connection).subscribe(List.of(past)));
              return true;
            });
    return ((Continuous) connection).completeSince();
  }

  private void set(int times) throws Exception {
    for (int i = 0; i < times; i++) {
      next++;
      server.set("Past", Long.toString(next));
    }
  }

  private List<Long> values() {
    return sinks.stream()
        .flatMap(sink -> sink.samples().stream())
        .filter(sample -> sample.quality().good())
        .map(Sample::value)
        .map(value -> ((Value.Int) value).value())
        .toList();
  }

  /** All that was set since the first, once and in order. */
  private void whole(long first) {
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              if (!sink().lost().isEmpty()) {
                // A machine that stood still for a moment is a link that was lost.
                reopen();
              }
              assertThat(values().stream().filter(value -> value >= first).distinct())
                  .containsExactlyElementsOf(LongStream.rangeClosed(first, next).boxed().toList());
            });
  }

  private long begin() throws Exception {
    next = Instant.now().toEpochMilli() % 1_000_000;
    set(1);
    long first = next;
    reopen();
    set(20);
    whole(first);
    return first;
  }

  @Test
  void nothingIsLostWhenAllConnectionsAreClosedAtOnceAndAgain() throws Exception {
    long first = begin();
    for (int burst = 0; burst < 5; burst++) {
      server.tell("cut");
      set(10);
    }
    await().atMost(PATIENCE).until(() -> !sink().lost().isEmpty());
    set(10);
    assertThat(reopen()).as("since when nothing is missing").isNotNull();
    set(10);
    whole(first);
    assertThat(sinks).allSatisfy(sink -> assertThat(sink.missing()).isEmpty());
  }

  @Test
  void nothingIsLostWhenTheServerHangsForAWhile() throws Exception {
    long first = begin();
    server.freeze();
    try {
      await().atMost(PATIENCE).until(() -> !sink().lost().isEmpty());
    } finally {
      server.thaw();
    }
    set(10);
    assertThat(reopen()).isNotNull();
    set(10);
    whole(first);
  }

  @Test
  void aServerThatHasForgottenEverythingIsWatchedAnew() throws Exception {
    begin();
    server.tell("stop");
    await().atMost(PATIENCE).until(() -> !sink().lost().isEmpty());
    Instant before = Instant.now();
    server.tell("start");
    Instant since = reopen();
    assertThat(since == null || since.isAfter(before))
        .as("nothing is missing since %s, before which, at %s, the server was away", since, before)
        .isTrue();
    long again = next + 1;
    set(20);
    whole(again);
  }

  @Test
  void aSubscriptionThatTheServerDropsIsToldAndMadeAgain() throws Exception {
    begin();
    server.tell("drop");
    await().atMost(PATIENCE).until(() -> !sink().lost().isEmpty());
    reopen();
    long again = next + 1;
    set(20);
    whole(again);
  }

  @Test
  void aSessionThatTheServerForgetsWithItsSubscriptionsIsMadeAgain() throws Exception {
    begin();
    server.tell("forget", "\"subscriptions\": true");
    server.tell("cut");
    await().atMost(PATIENCE).until(() -> !sink().lost().isEmpty());
    reopen();
    long again = next + 1;
    set(20);
    whole(again);
  }
}
