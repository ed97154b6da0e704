package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A platform that is gone though TCP doesn't say so. */
class HalfOpenIT {
  private static final int KEEP_ALIVE_SECONDS = 4;

  /** One and a half keep-alives, and a look at the log in between. */
  private static final Duration LIMIT = Duration.ofMillis(1_500L * KEEP_ALIVE_SECONDS + 500);

  @TempDir Path folder;

  private interface Fault {
    void happens() throws Exception;
  }

  @Test
  void aBrokerStoppedInItsTracksIsNoticedInTimeAndCostsNothing() throws Exception {
    try (Broker broker = Broker.start(folder)) {
      account(broker, broker::freeze, broker::thaw);
    }
  }

  @Test
  void aPulledWireIsNoticedInTimeAndCostsNothing() throws Exception {
    try (Namespace namespace = Namespace.open();
        Broker broker = Broker.start(folder, namespace)) {
      account(broker, namespace::pull, namespace::plug);
    }
  }

  /** The audit's own subscriber hangs on the same broker: it waits, and keeps its session. */
  private void account(Broker broker, Fault breaks, Fault heals) throws Exception {
    try (Line line =
        Line.open(
            folder,
            broker,
            site -> Line.platform(site).put("keepAliveSeconds", KEEP_ALIVE_SECONDS))) {
      for (int round = 1; round <= Form.of(1, 10); round++) {
        breaks.happens();
        awaitLosses(line, round);
        heals.happens();
        line.flows(3_000);
      }
      var audit = line.end(Form.of(1, 10));
      assertThat(audit.report().at("/historical").asLong())
          .as("what was read meanwhile")
          .isPositive();
    }
  }

  private static void awaitLosses(Line line, int count) {
    await("the gateway notices")
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> line.gateway().log().split("no sign of life for", -1).length > count);
  }
}
