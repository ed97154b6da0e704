package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.testkit.RecordingSink;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SubscriptionTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final OpcUaDriver driver = new OpcUaDriver();
  private final RecordingSink sink = new RecordingSink();
  private PlantServer plant;

  @BeforeEach
  void start() throws Exception {
    plant = new PlantServer();
  }

  @AfterEach
  void stop() throws Exception {
    driver.deactivate();
    plant.close();
  }

  private SubscribedConnection open(Map<String, String> settings) throws Exception {
    Device device = new Device("d1", "p", plant.endpoint(), settings);
    return (SubscribedConnection)
        driver.open(device, sink).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static Point point(String id, String node, DataType type) {
    return new Point(id, PlantServer.address(node), type, Access.READ);
  }

  @Test
  void everyValueThatIsSetArrivesInOrder() throws Exception {
    SubscribedConnection connection =
        open(Map.of("security", "none", "publishing", "20ms", "queue", "1000"));
    connection
        .subscribe(List.of(point("tick", "Tick", DataType.INT32)))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
    for (int i = 1; i <= 200; i++) {
      plant.set("Tick", i);
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(sink.samples()).hasSizeGreaterThanOrEqualTo(201));
    List<Value> values = sink.samples().stream().map(Sample::value).toList();
    assertThat(values)
        .isEqualTo(IntStream.rangeClosed(0, 200).mapToObj(i -> Value.of((long) i)).toList());
  }
}
