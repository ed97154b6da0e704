package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Subscribable;
import io.culvert.testkit.RecordingSink;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a server that none of us wrote, without security. */
@Timeout(180)
class NodeOpcuaTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int NODES = 1000;

  @TempDir static Path folder;

  private final OpcUaDriver driver = new OpcUaDriver();
  private final RecordingSink sink = new RecordingSink();

  @AfterEach
  void stop() {
    driver.deactivate();
  }

  private Connection open(NodeServer server, Map<String, String> settings) throws Exception {
    Map<String, String> all = new HashMap<>(settings);
    all.putIfAbsent("security", "none");
    return answer(driver.open(new Device("d", "p", server.endpoint(), all), sink));
  }

  static <T> T answer(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  static Point point(String name, DataType type) {
    return new Point(name, "nsu=urn:culvert:peer;s=" + name, type, Access.READ);
  }

  /** What a test that sets values one after the other may not miss. */
  private void arrived(List<Point> points, long last) {
    Map<String, Long> next = new HashMap<>();
    Map<String, Long> missing = new HashMap<>();
    for (RecordingSink.Missing gap : sink.missing()) {
      missing.merge(gap.point(), gap.readings(), Long::sum);
    }
    for (Sample sample : sink.samples()) {
      assertThat(sample.quality().good()).as(sample.toString()).isTrue();
      long value = ((Value.Int) sample.value()).value();
      next.merge(sample.point(), 1L, Long::sum);
      assertThat(sample.deviceTime()).isNotNull();
      assertThat(value).isBetween(0L, last);
    }
    for (Point point : points) {
      assertThat(next.getOrDefault(point.id(), 0L) + missing.getOrDefault(point.id(), 0L))
          .as("values of %s, from 0 to %d", point.id(), last)
          .isGreaterThanOrEqualTo(last + 1);
    }
  }

  @Test
  void everyValueOfAThousandNodesAtTenHertzArrivesInOrder() throws Exception {
    try (NodeServer server = NodeServer.with(folder, "\"security\": false, \"nodes\": " + NODES)) {
      Subscribable connection =
          (Subscribable) open(server, Map.of("publishing", "100ms", "sampling", "0ms"));
      List<Point> points =
          IntStream.range(0, NODES).mapToObj(i -> point("C" + i, DataType.UINT32)).toList();
      answer(connection.subscribe(points));
      assertThat(server.count("items")).isEqualTo(NODES);
      await().atMost(PATIENCE).until(() -> sink.samples().size() >= NODES);
      int times = 50;
      server.tell("pulse", "\"times\": " + times, "\"every\": 100");
      await()
          .atMost(PATIENCE)
          .until(() -> sink.samples().size() + sink.missing().size() >= NODES * (times + 1));
      arrived(points, times);
      Map<String, Long> last = new HashMap<>();
      for (Sample sample : sink.samples()) {
        long value = ((Value.Int) sample.value()).value();
        Long before = last.put(sample.point(), value);
        assertThat(before == null ? value : value - before)
            .as("step of %s to %d", sample.point(), value)
            .isEqualTo(before == null ? 0L : 1L);
      }
    }
  }
}
