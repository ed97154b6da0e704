package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A platform that is gone though TCP doesn't say so. */
class HalfOpenIT {
  private static final int KEEP_ALIVE_SECONDS = 4;

  /** Of whole seconds without a word: less than one and a half keep-alives. */
  private static final int LIMIT = KEEP_ALIVE_SECONDS * 3 / 2;

  private static final Pattern NOTICED = Pattern.compile("no sign of life for (\\d+) s");

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
      int rounds = 0;
      for (int kept = 0; kept < Form.of(1, 10); ) {
        rounds++;
        int before = noticed(line).size();
        breaks.happens();
        long broken = System.nanoTime();
        long silent = awaitLoss(line, before);
        // What the gateway counts is judged closely, and that it counts from the right moment.
        boolean soon = Duration.ofNanos(System.nanoTime() - broken).toSeconds() < 2 * LIMIT;
        heals.happens();
        line.flows(3_000);
        kept += soon && silent < LIMIT ? 1 : 0;
        // A pause of the machine delays one; a defect delays them all.
        assertThat(rounds - kept).as("not noticed within %d s, of %d", LIMIT, rounds).isLessThan(3);
      }
      var audit = line.end(rounds);
      assertThat(audit.report().at("/historical").asLong())
          .as("what was read meanwhile")
          .isPositive();
    }
  }

  /** After how many seconds without a word, by its own account, the gateway noticed the last. */
  private static long awaitLoss(Line line, int before) {
    await("the gateway notices")
        .atMost(Duration.ofSeconds(60))
        .until(() -> noticed(line).size() > before);
    List<Long> noticed = noticed(line);
    return noticed.get(noticed.size() - 1);
  }

  private static List<Long> noticed(Line line) {
    return NOTICED
        .matcher(line.gateway().log())
        .results()
        .map(found -> Long.parseLong(found.group(1)))
        .toList();
  }
}
