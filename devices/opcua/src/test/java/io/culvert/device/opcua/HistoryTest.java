package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Historical.Page;
import io.culvert.testkit.RecordingSink;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HistoryTest {
  private static final Instant START = Instant.parse("2026-05-01T00:00:00Z");

  private final OpcUaDriver driver = new OpcUaDriver();
  private PlantServer plant;
  private OpcUaConnection connection;

  @BeforeEach
  void start() throws Exception {
    plant =
        new PlantServer(
            new OpcUaServerConfigLimits() {
              @Override
              public UInteger getMaxNodesPerHistoryReadData() {
                return UInteger.valueOf(3);
              }
            });
    plant.conceal(NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerHistoryReadData);
    Device device = new Device("d1", "p", plant.endpoint(), Map.of("security", "none"));
    connection =
        (OpcUaConnection)
            driver
                .open(device, new RecordingSink())
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
  }

  @AfterEach
  void stop() throws Exception {
    driver.deactivate();
    plant.close();
  }

  private static Point point(String id, String node) {
    return new Point(id, PlantServer.address(node), DataType.INT32, Access.READ);
  }

  private void keep(String node, int from, int to, int perSecond) {
    for (int i = from; i <= to; i++) {
      plant.set(
          node,
          new DataValue(
              new Variant(node.equals("Kept") ? (Object) (double) i : (Object) i),
              StatusCode.GOOD,
              new DateTime(START.plusSeconds(i / perSecond)),
              DateTime.now()));
    }
  }

  private Page page(List<Point> points, Instant from, Instant to, String next) throws Exception {
    return connection
        .history(points, from, to, next)
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  private static List<Integer> numbers(List<Sample> samples, String point) {
    return samples.stream()
        .filter(s -> s.point().equals(point))
        .map(s -> (int) s.value().number())
        .toList();
  }

  @Test
  void theWholeSpanIsReadInPagesEachPointOldestFirst() throws Exception {
    keep("Tick", 0, 1000, 1);
    keep("Kept", 0, 150, 1);
    List<Point> points =
        List.of(point("tick", "Tick"), point("kept", "Kept"), point("none", "Int32"));
    List<Sample> samples = new ArrayList<>();
    Set<String> without = new HashSet<>();
    String next = "";
    int pages = 0;
    do {
      Page page = page(points, START.plusSeconds(10), START.plusSeconds(900), next);
      samples.addAll(page.samples());
      without.addAll(page.without());
      next = page.next();
      pages++;
    } while (!next.isEmpty());
    assertThat(numbers(samples, "tick")).isEqualTo(IntStream.rangeClosed(10, 900).boxed().toList());
    assertThat(numbers(samples, "kept")).isEqualTo(IntStream.rangeClosed(10, 150).boxed().toList());
    assertThat(without).containsExactly("none");
    assertThat(pages).isGreaterThan(5);
    assertThat(samples.get(0).deviceTime()).isEqualTo(START.plusSeconds(10));
  }

  @Test
  void aServerThatTakesFewerNodesACallThanItSaysHasThemInSmallerOnes() throws Exception {
    keep("Tick", 0, 10, 1);
    List<Point> points = IntStream.range(0, 10).mapToObj(i -> point("tick" + i, "Tick")).toList();
    for (int i = 0; i < 2; i++) {
      List<Sample> samples = new ArrayList<>();
      String next = "";
      do {
        Page page = page(points, START, START.plusSeconds(900), next);
        samples.addAll(page.samples());
        assertThat(page.without()).isEmpty();
        next = page.next();
      } while (!next.isEmpty());
      for (Point point : points) {
        assertThat(numbers(samples, point.id()))
            .isEqualTo(IntStream.rangeClosed(0, 10).boxed().toList());
      }
    }
    // 10 and 5 are too many, and that isn't found out again.
    assertThat(connection.facts().refusals()).isEqualTo(Map.of("BadTooManyOperations", 2L));
  }

  @Test
  void aPageMayBeAskedForAgain() throws Exception {
    // Many values of one moment, so that a page ends between two of them.
    keep("Tick", 0, 1000, 40);
    List<Point> points = List.of(point("tick", "Tick"));
    List<Sample> samples = new ArrayList<>();
    String next = "";
    do {
      Page lost = page(points, START, START.plusSeconds(900), next);
      Page page = next.isEmpty() ? lost : page(points, START, START.plusSeconds(900), next);
      assertThat(page.samples()).startsWith(lost.samples().get(0));
      samples.addAll(page.samples());
      next = page.next();
    } while (!next.isEmpty());
    assertThat(numbers(samples, "tick")).isEqualTo(IntStream.rangeClosed(0, 1000).boxed().toList());
  }

  @Test
  void whatIsGivenUpIsReleased() throws Exception {
    keep("Tick", 0, 500, 1);
    List<Point> points = List.of(point("tick", "Tick"));
    page(points, START, START.plusSeconds(900), "");
    assertThat(plant.openHistories()).isEqualTo(1);
    page(points, START, START.plusSeconds(900), "");
    connection.close();
    org.awaitility.Awaitility.await().until(() -> plant.openHistories() == 0);
  }

  @Test
  void nothingIsAskedOfPointsWithoutHistory() throws Exception {
    Page page =
        page(
            List.of(point("a", "Int32"), point("b", "NoSuchNode")),
            START,
            START.plusSeconds(1),
            "");
    assertThat(page.samples()).isEmpty();
    assertThat(page.next()).isEmpty();
    assertThat(page.without()).containsExactlyInAnyOrder("a", "b");
  }
}
