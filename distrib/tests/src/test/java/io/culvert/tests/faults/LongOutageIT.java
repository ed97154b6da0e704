package io.culvert.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Forwarder;
import io.culvert.buffer.OutlastingBuffer;
import io.culvert.mqtt.Forwarders;
import io.culvert.simulator.audit.Audit;
import io.culvert.simulator.audit.LedgerClaim;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Rules;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Mosquitto is stopped for longer than a test can last: buffer and forwarder of the product run in
 * the test's process, on a clock that it moves. What they are given is noted as the truth, and the
 * simulator's audit closes the account.
 */
class LongOutageIT {
  private static final String GATEWAY = "cabinet-17";
  private static final long ROOMY = 2L << 30;

  /** How late a live reading may be while the backlog drains; a second on a quiet machine. */
  private static final long LATE_MILLIS = 10_000;

  /** Handed over at once while time is short. */
  private static final int AT_ONCE = 4_000;

  @TempDir Path folder;

  @Test
  void anHourWithoutABrokerCostsNothing() throws Exception {
    // 100 readings a second; in the long form 1,000.
    try (Case outage = new Case(Form.of(50, 500), ROOMY, Form.of(20_000, 50_000))) {
      outage.lasts(Duration.ofHours(1), Duration.ofSeconds(1));
      outage.ends();
      outage.costsNothing();
    }
  }

  @Test
  void threeDaysWithoutABrokerCostNothing() throws Exception {
    // 1.6 million readings in the long form.
    try (Case outage = new Case(60, ROOMY, Form.of(5_000, 50_000))) {
      outage.lasts(Duration.ofDays(3), Duration.ofSeconds(Form.of(600, 20)));
      outage.ends();
      outage.costsNothing();
    }
  }

  @Test
  void whatTheDiskCannotHoldIsThinnedOutAndCountedAndNoAlarmIsMissed() throws Exception {
    try (Case outage = new Case(60, 4 << 20, 20_000)) {
      outage.lasts(Duration.ofDays(3), Duration.ofSeconds(Form.of(36, 10)));
      outage.ends();
      Report report = outage.account();
      long dropped = report.explained().getOrDefault("dropped", 0L);
      assertThat(dropped).isPositive();
      assertThat(report.explainedInAll()).isEqualTo(dropped);
      assertThat(
              report.ledger().stream()
                  .filter(entry -> entry.reason().equals("DROPPED"))
                  .mapToLong(LedgerClaim::count)
                  .sum())
          .as("the ledger counts what is missing")
          .isEqualTo(dropped);
      assertThat(report.byClass().get("alarm").explained()).as("alarms that were dropped").isZero();
    }
  }

  /** One outage. */
  private final class Case implements AutoCloseable {
    private final SyntheticStreet street;
    private final Audit audit;
    private final Broker broker;
    private final OutlastingBuffer buffer;
    private final Forwarder forwarder;
    private final Ear ear;
    private Instant polled;

    // Of the live readings while the backlog drained.
    private long handedOut;
    private long arrived;
    private long late;

    Case(int devices, long maxBytes, int historyPerSecond) throws Exception {
      street = new SyntheticStreet(devices);
      audit = new Audit(street.truth());
      broker = Broker.start(folder);
      buffer = new OutlastingBuffer(folder.resolve("buffer"), GATEWAY, maxBytes, historyPerSecond);
      ear = new Ear(broker, audit::message, () -> buffer.now().toEpochMilli());
      forwarder = Forwarders.open(GATEWAY, broker.host(), broker.port(), buffer::now);
      buffer.add("city", forwarder);
      polled = buffer.now();
      live(() -> ear.readings() < 2L * devices);
      awaitDelivery();
      await("the platform has all")
          .atMost(Duration.ofSeconds(60))
          .until(() -> ear.readings() == street.handedOut());
    }

    private long owed() {
      return buffer.buffer().status().forwarders().get(0).unconfirmed();
    }

    private void awaitDelivery() {
      await("all is delivered")
          .atMost(Duration.ofMinutes(Form.of(3, 20)))
          .pollInterval(Duration.ofMillis(100))
          .until(() -> owed() == 0);
    }

    /** Stops the broker and lets so much time pass, with a poll each interval. */
    void lasts(Duration outage, Duration interval) throws Exception {
      broker.stop();
      await("the outage is noticed").atMost(Duration.ofSeconds(30)).until(() -> !forwarder.ready());
      Instant end = buffer.now().plus(outage);
      List<Reading> waiting = new ArrayList<>();
      for (Instant at = buffer.now(); at.isBefore(end); at = at.plus(interval)) {
        waiting.addAll(street.poll(at));
        if (waiting.size() >= AT_ONCE || !at.plus(interval).isBefore(end)) {
          Duration ahead = Duration.between(buffer.now(), at);
          // A slow machine may have needed longer than the time that was told.
          buffer.pass(ahead.isNegative() ? Duration.ZERO : ahead);
          buffer.buffer().accept(waiting).toCompletableFuture().get(60, TimeUnit.SECONDS);
          polled = at;
          waiting = new ArrayList<>();
        }
      }
    }

    /** Starts the broker, and goes on with live readings until all is delivered. */
    void ends() throws Exception {
      long backlog = owed();
      ear.slowest("telemetry");
      ear.slowest("alarm");
      broker.start();
      await("the gateway is back").atMost(Duration.ofSeconds(30)).until(forwarder::ready);
      long before = ear.live();
      handedOut = street.handedOut();
      live(() -> owed() > backlog / 4);
      arrived = ear.live() - before;
      late = ear.slowest("telemetry");
      handedOut = street.handedOut() - handedOut;
      live(() -> owed() > 10L * AT_ONCE);
      awaitDelivery();
      System.out.printf(
          "backlog %,d; beside it %,d live readings, the latest after %d ms%n",
          backlog, arrived, late);
    }

    private interface Condition {
      boolean holds();
    }

    /** Polls ten times a second as long as a condition holds. */
    private void live(Condition condition) {
      await("live")
          .atMost(Duration.ofMinutes(Form.of(3, 20)))
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(100))
          .until(
              () -> {
                Instant at = buffer.now();
                // What was told ahead of time is not told again.
                if (at.isAfter(polled.plusMillis(1))) {
                  polled = at;
                  buffer.buffer().accept(street.poll(at));
                }
                return !condition.holds();
              });
    }

    Report account() {
      await("the audit has heard all")
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofSeconds(1))
          .conditionEvaluationListener(null)
          .untilAsserted(
              () -> assertThat(audit.verdict(Rules.STRICT).examples()).as("violations").isEmpty());
      Report report = audit.verdict(Rules.STRICT);
      assertThat(report.received().historical()).as("marked as historical").isPositive();
      assertThat(report.shown())
          .as("truth = confirmed + ledger + suppressed")
          .isEqualTo(report.confirmed() + report.explainedInAll() + report.suppressed());
      assertThat(arrived)
          .as("live readings that arrived beside the backlog, of %d", handedOut)
          .isGreaterThan(handedOut / 2);
      assertThat(late).as("the latest of them, in ms").isLessThan(LATE_MILLIS);
      return report;
    }

    void costsNothing() {
      Report report = account();
      assertThat(report.confirmed()).isEqualTo(report.shown());
      assertThat(buffer.buffer().ledger(Instant.MIN, Instant.MAX, 10)).isEmpty();
      assertThat(buffer.buffer().status().dropped()).isZero();
    }

    @Override
    public void close() throws Exception {
      buffer.close();
      ((AutoCloseable) forwarder).close();
      ear.close();
      broker.close();
    }
  }
}
