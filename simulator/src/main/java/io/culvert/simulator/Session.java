package io.culvert.simulator;

import io.culvert.simulator.audit.Audit;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Rules;
import io.culvert.simulator.audit.Violation;
import io.culvert.simulator.plant.Plant;
import io.culvert.simulator.platform.Broker;
import io.culvert.simulator.platform.EmbeddedBroker;
import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.platform.MosquittoBroker;
import io.culvert.simulator.platform.Platform;
import io.culvert.simulator.platform.RunningBroker;
import io.culvert.simulator.platform.Witness;
import io.culvert.simulator.slave.SlavePorts;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** A street and a platform in one process, with the judge between them. */
public final class Session implements AutoCloseable {
  static final String HOST = "127.0.0.1";
  private static final String RUNNING = "running:";
  private static final long QUIET_MILLIS = 10_000;
  private static final long LULL_MILLIS = 300;

  /** As long as a gateway may take to enter a gap that lasts, and to deliver the entry. */
  private static final long GAP_MILLIS = 75_000;

  private final InstantSource clock;
  private final Street street;
  private final SlavePorts slaves;
  private final Plant plant;
  private final Audit audit;
  private final Platform platform;
  private final Broker broker;

  /**
   * Opens both. Blocks until everything listens.
   *
   * @param brokerKind {@code embedded}, {@code mosquitto}, or {@code running:} and the host of one
   *     that somebody else runs
   * @param work folder for what a broker writes
   */
  Session(Street street, String brokerKind, int brokerPort, Path work, InstantSource clock)
      throws StreetException {
    this(street, brokerKind, brokerPort, work, clock, entries -> {});
  }

  /**
   * As above.
   *
   * @param onlooker told of the entries of every message after the audit, by the thread that
   *     received it
   */
  public Session(
      Street street,
      String brokerKind,
      int brokerPort,
      Path work,
      InstantSource clock,
      Consumer<List<Entry>> onlooker)
      throws StreetException {
    this.clock = clock;
    this.street = street;
    this.slaves = SlavePorts.open(street, HOST, clock);
    this.plant = plant(street, slaves, clock);
    this.audit = new Audit(slaves.truth());
    this.platform = new Platform(watched(audit, onlooker), clock);
    Broker opened = null;
    try {
      opened = broker(brokerKind, brokerPort, work, platform);
      opened.start();
    } catch (StreetException e) {
      if (opened != null) {
        opened.close();
      }
      closeStreet();
      throw e;
    }
    this.broker = opened;
  }

  private static Plant plant(Street street, SlavePorts slaves, InstantSource clock)
      throws StreetException {
    try {
      return street.plant() == null ? null : Plant.open(street, HOST, clock, slaves.truth());
    } catch (StreetException e) {
      slaves.close();
      throw e;
    }
  }

  private static Witness watched(Audit audit, Consumer<List<Entry>> onlooker) {
    return new Witness() {
      @Override
      public void message(List<Entry> entries) {
        audit.message(entries);
        onlooker.accept(entries);
      }

      @Override
      public void malformed(String topic, String why) {
        audit.malformed(topic, why);
      }
    };
  }

  static Broker broker(String kind, int port, Path work, Broker.Consumer consumer)
      throws StreetException {
    if (kind.startsWith(RUNNING)) {
      return new RunningBroker(kind.substring(RUNNING.length()), port, consumer);
    }
    return switch (kind) {
      case "embedded" -> new EmbeddedBroker(port, consumer);
      case "mosquitto" -> new MosquittoBroker(port, work.resolve("mosquitto"), consumer);
      default ->
          throw new StreetException(
              "found --broker " + kind + ", expected embedded, mosquitto or running:HOST");
    };
  }

  /**
   * Leaves devices that don't belong to the street out of platform and audit. To be called before
   * the gateway starts.
   *
   * @param devices their ids
   * @param others told of what they send
   */
  void leaveOut(Set<String> devices, Consumer<List<Entry>> others) {
    audit.leaveOut(devices);
    platform.leaveOut(devices, others);
  }

  Street street() {
    return street;
  }

  public SlavePorts slaves() {
    return slaves;
  }

  /** What stands behind a server of OPC UA, {@code null} for nothing. */
  public Plant plant() {
    return plant;
  }

  /** Answers and values that the street has shown. */
  long shown() {
    return slaves.answers() + (plant == null ? 0 : plant.given());
  }

  public Audit audit() {
    return audit;
  }

  public Platform platform() {
    return platform;
  }

  public Broker broker() {
    return broker;
  }

  /** What an audit's report doesn't tell, for programs. */
  Map<String, Long> figures() {
    return Map.of("mostInWindow", audit.mostInWindow(), "messages", platform.messages());
  }

  /**
   * Makes the street silent and gives the gateway time to deliver what it has: until the account is
   * exact, or nothing has arrived for ten seconds, or the time is up. Where devices answer late, or
   * something is missing, it has more: what was shown too late is explained by a gap, and a gateway
   * may enter one that lasts once a minute.
   */
  public Report drain(Rules rules, long mostMillis, Runnable meanwhile) {
    slaves.fallSilent();
    if (plant != null) {
      plant.fallSilent();
    }
    long start = clock.millis();
    long settled = 0;
    while (true) {
      long now = clock.millis();
      long quiet = now - Math.max(start, platform.lastReadingAt());
      // Judging takes its time and the platform's too: not while more comes in anyway.
      if (quiet >= LULL_MILLIS || now - start >= mostMillis) {
        Report report = audit.verdict(rules);
        settled = report.holds() ? (settled == 0 ? now : settled) : 0;
        // An account that holds is looked at once more: a second copy might still be on its way.
        boolean done = settled != 0 && now - settled >= 1_000;
        long patience =
            street.answersLate() || report.count(Violation.LOST) > 0 ? GAP_MILLIS : QUIET_MILLIS;
        if (done || quiet >= patience || now - start >= Math.max(mostMillis, patience)) {
          return report;
        }
      }
      meanwhile.run();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(250));
    }
  }

  @Override
  public void close() {
    broker.close();
    closeStreet();
  }

  private void closeStreet() {
    slaves.close();
    if (plant != null) {
      plant.close();
    }
  }
}
