package io.culvert.benchmarks;

import io.culvert.simulator.Session;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Rules;
import io.culvert.simulator.audit.Violation;
import io.culvert.simulator.platform.MosquittoBroker;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The whole line once: a street of simulated slaves in this process, Mosquitto in a process of its
 * own, a contender between them in its own, and the audit of what arrived. Figures are differences
 * between two marks, after a time to warm up in which the contender's JIT does most of its work.
 *
 * @param warmUp from the first reading at the platform to the first mark
 * @param window between the marks
 * @param brokerPort on loopback
 * @param portBase of the street's devices
 */
record Line(Duration warmUp, Duration window, int brokerPort, int portBase) {
  private static final Duration LONGEST_START = Duration.ofSeconds(120);
  private static final long LONGEST_DRAIN_MILLIS = 300_000;
  private static final long GLANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  /**
   * What one run gave.
   *
   * @param seconds between the marks
   * @param delivered readings that arrived at the platform between the marks, each counted once
   * @param expected readings that the load has in that time
   * @param rssBytes the contender's at the second mark
   * @param pssBytes likewise, −1 if unknown
   * @param medianMillis from a reading's time to its arrival
   * @param tailMillis likewise, 99 of 100
   * @param lost of the whole run: shown and neither arrived nor explained by a ledger
   * @param explained of the whole run: in the contender's ledger, most of it from its start
   * @param wrong of the whole run: every other finding of the audit
   */
  record Run(
      double seconds,
      long delivered,
      double expected,
      double contenderCpu,
      double simulatorCpu,
      double brokerCpu,
      long rssBytes,
      long pssBytes,
      long medianMillis,
      long tailMillis,
      long confirmed,
      long lost,
      long explained,
      long wrong,
      List<String> findings) {

    /** Delivered readings per CPU-second of the contender. */
    double perCpuSecond() {
      return Statistics.ratio(delivered, contenderCpu);
    }

    /** Share of the expected readings that were delivered. */
    double share() {
      return Statistics.ratio(delivered, expected);
    }
  }

  /** A contender that can't do it. */
  static final class FailedException extends Exception {
    private static final long serialVersionUID = 1;

    FailedException(String message) {
      super(message);
    }
  }

  private record Mark(
      long nanos,
      long delivered,
      ProcessFigures contender,
      ProcessFigures simulator,
      ProcessFigures broker) {}

  /**
   * Runs a contender. Blocks for warm-up, window and some seconds more.
   *
   * @param work an empty folder
   */
  Run run(Contender contender, Load load, Path work)
      throws FailedException, StreetException, IOException {
    Street street = load.street(work, portBase);
    Latencies latencies = new Latencies(Clock.systemUTC());
    try (Session session =
            new Session(street, "mosquitto", brokerPort, work, Clock.systemUTC(), latencies);
        Contender.Running running =
            contender.start(load, street, brokerPort, work.resolve("contender"))) {
      await("the first reading", running, () -> session.platform().firstReadingAt() != 0);
      pause(warmUp, running);
      latencies.clear();
      Mark from = mark(session, running);
      pause(window, running);
      Mark to = mark(session, running);
      long median = latencies.quantile(0.5);
      long tail = latencies.quantile(0.99);
      Report report = session.drain(Rules.STRICT, LONGEST_DRAIN_MILLIS, () -> {});
      double seconds = (to.nanos - from.nanos) / 1e9;
      long lost = report.count(Violation.LOST);
      long wrong = report.counts().values().stream().mapToLong(Long::longValue).sum() - lost;
      return new Run(
          seconds,
          to.delivered - from.delivered,
          load.rate() * seconds,
          to.contender.cpuSeconds() - from.contender.cpuSeconds(),
          to.simulator.cpuSeconds() - from.simulator.cpuSeconds(),
          to.broker.cpuSeconds() - from.broker.cpuSeconds(),
          to.contender.rssBytes(),
          to.contender.pssBytes(),
          median,
          tail,
          report.confirmed(),
          lost,
          report.explainedInAll(),
          wrong,
          report.examples().values().stream().flatMap(List::stream).limit(10).toList());
    }
  }

  private static Mark mark(Session session, Contender.Running running) {
    ProcessFigures contender = ProcessFigures.of(running.processes());
    long delivered = session.platform().readings() - session.audit().duplicates();
    ProcessHandle broker = ((MosquittoBroker) session.broker()).process();
    return new Mark(
        System.nanoTime(),
        delivered,
        contender,
        ProcessFigures.of(List.of(ProcessHandle.current())),
        ProcessFigures.of(broker == null ? List.of() : List.of(broker)));
  }

  /** Waits for something that a contender brings about. */
  static void await(String what, Contender.Running running, BooleanSupplier there)
      throws FailedException {
    long deadline = System.nanoTime() + LONGEST_START.toNanos();
    while (!there.getAsBoolean()) {
      check(running);
      if (System.nanoTime() > deadline) {
        throw new FailedException(
            what + " didn't come within " + LONGEST_START.toSeconds() + " s" + lastWords(running));
      }
      LockSupport.parkNanos(GLANCE_NANOS);
    }
  }

  /** Lets time pass in which a contender must live. */
  static void pause(Duration time, Contender.Running running) throws FailedException {
    long end = System.nanoTime() + time.toNanos();
    long left = time.toNanos();
    while (left > 0) {
      LockSupport.parkNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
      check(running);
      left = end - System.nanoTime();
    }
  }

  /**
   * Waits for the end of one that ends by itself.
   *
   * @param meanwhile called ten times a second
   */
  static void awaitEnd(Contender.Running running, Runnable meanwhile) {
    while (running.alive()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      meanwhile.run();
    }
  }

  private static void check(Contender.Running running) throws FailedException {
    if (!running.alive()) {
      throw new FailedException("it ended by itself" + lastWords(running));
    }
  }

  static String lastWords(Contender.Running running) {
    try {
      List<String> lines = Files.readAllLines(running.log());
      return "; it said last: "
          + String.join(" | ", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
    } catch (IOException e) {
      return "";
    }
  }
}
