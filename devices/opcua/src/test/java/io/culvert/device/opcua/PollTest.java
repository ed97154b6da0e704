package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Subscribable;
import io.culvert.testkit.RecordingSink;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.milo.opcua.sdk.server.OpcUaServerConfigLimits;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PollTest {
  private static final int MOST = 7;

  private final OpcUaDriver driver = new OpcUaDriver();
  private PlantServer plant;
  private Cable cable;
  private OpcUaConnection connection;

  @BeforeEach
  void start() throws Exception {
    plant =
        new PlantServer(
            new OpcUaServerConfigLimits() {
              @Override
              public UInteger getMaxNodesPerRead() {
                return uint(MOST);
              }
            });
    cable = new Cable(plant.port());
    open();
  }

  private void open() throws Exception {
    Device device =
        new Device(
            "d1",
            "p",
            cable.endpoint(),
            Map.of("security", "none", "mode", "poll", "keepAlive", "1s", "timeout", "2s"));
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
    cable.close();
    plant.close();
  }

  private static Point point(String id, String node) {
    return new Point(id, PlantServer.address(node), DataType.INT32, Access.READ);
  }

  @Test
  void pointsAreReadInAsManyCallsAsTheServersLimitTakes() throws Exception {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 3 * MOST; i++) {
      plant.add("N" + i, NodeIds.Int32, i);
      points.add(point("n" + i, "N" + i));
    }
    points.add(point("gone", "NoSuchNode"));
    assertThat(connection).isNotInstanceOf(Subscribable.class);
    Readable.Plan plan = connection.prepare(points);
    long before = connection.facts().requests();
    List<Sample> samples = plan.read().toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(connection.facts().requests() - before).isEqualTo(4);
    assertThat(samples).hasSize(3 * MOST + 1);
    plant.set("N3", 333);
    samples = plan.read().toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(samples)
        .filteredOn(s -> s.point().equals("n3"))
        .singleElement()
        .satisfies(s -> assertThat(s.value().number()).isEqualTo(333));
    assertThat(samples)
        .filteredOn(s -> s.point().equals("gone"))
        .singleElement()
        .satisfies(s -> assertThat(s.quality().bad()).isTrue());
    assertThat(connection.facts().refusals()).containsEntry("BadNodeIdUnknown", 2L);
    assertThat(plant.watched()).isZero();
  }

  @Test
  void aServerThatTakesFewerNodesACallThanItSaysIsAskedInSmallerOnes() throws Exception {
    connection.close();
    await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> plant.server().getSessionManager().getAllSessions().isEmpty());
    plant.conceal(NodeIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead);
    open();
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      plant.add("N" + i, NodeIds.Int32, i);
      points.add(point("n" + i, "N" + i));
    }
    Readable.Plan plan = connection.prepare(points);
    for (int i = 0; i < 2; i++) {
      List<Sample> samples = plan.read().toCompletableFuture().get(60, TimeUnit.SECONDS);
      assertThat(samples)
          .extracting(Sample::point)
          .isEqualTo(points.stream().map(Point::id).toList());
      assertThat(samples).allSatisfy(s -> assertThat(s.quality().good()).isTrue());
    }
    // 20 and 10 are too many, and that isn't found out again.
    assertThat(connection.facts().refusals()).isEqualTo(Map.of("BadTooManyOperations", 2L));
  }

  @Test
  void aValueThatFitsIntoNoAnswerIsOneBadSample() throws Exception {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < 2 * MOST; i++) {
      plant.add("N" + i, NodeIds.Int32, i);
      points.add(point("n" + i, "N" + i));
    }
    plant.enlarge("N3");
    List<Sample> samples =
        connection.prepare(points).read().toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertThat(samples).hasSize(2 * MOST);
    assertThat(samples)
        .filteredOn(s -> !s.quality().good())
        .singleElement()
        .satisfies(
            s -> {
              assertThat(s.point()).isEqualTo("n3");
              assertThat(s.quality())
                  .isEqualTo(new Quality((int) StatusCodes.Bad_ResponseTooLarge));
            });
    // That says nothing of how many others fit.
    assertThat(connection.session.limits().read().most()).isEqualTo(MOST);
  }

  @Test
  void aSilentServerIsATimeoutAndAClosedConnectionEndsWhatIsPending() throws Exception {
    Readable.Plan plan = connection.prepare(List.of(point("a", "Int32")));
    cable.pull();
    assertThat(plan.read().toCompletableFuture())
        .failsWithin(60, TimeUnit.SECONDS)
        .withThrowableOfType(ExecutionException.class)
        .havingCause()
        .isInstanceOfAny(java.util.concurrent.TimeoutException.class, IOException.class);
    CompletableFuture<List<Sample>> pending = plan.read().toCompletableFuture();
    connection.close();
    assertThat(pending)
        .failsWithin(60, TimeUnit.SECONDS)
        .withThrowableOfType(ExecutionException.class)
        .havingCause()
        .isInstanceOf(IOException.class);
  }
}
