package io.culvert.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.simulator.ReferenceGateway.Out;
import io.culvert.simulator.ReferenceGateway.Reading;
import io.culvert.simulator.audit.Audit;
import io.culvert.simulator.audit.Kill;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Rules;
import io.culvert.simulator.audit.Violation;
import io.culvert.simulator.evil.Arrivals;
import io.culvert.simulator.platform.Platform;
import io.culvert.simulator.slave.SlavePorts;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetFile;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The audit against an honest pipeline over real sockets, and against the same pipeline broken one
 * way at a time: each way is told as exactly what it is, and as nothing else.
 */
class AuditTest {
  private static final String STREET =
      """
      schema: culvert-street/1
      speed: 60
      seed: 3
      start: "07:00"
      devices:
        - {id: bridge, count: 2, profile: bridge-strain}
        - {id: underpass, count: 2, profile: underpass-water}
        - {id: gas, count: 2, profile: maker-a-gas, maker: a-gas}
        - {id: pump, count: 2, profile: maker-b-pump, maker: b-pump}
        - {id: main, count: 1, profile: water-main}
      behaviours:
        maker-b-pump: {inflow: [{constant: {value: 40}}]}
      """;
  private static final int ROUNDS = 90;

  private final DrivenClock clock = new DrivenClock();
  private final Profile.Library profiles = new Profile.Library(List.of());
  private SlavePorts slaves;
  private Audit audit;
  private ReferenceGateway gateway;
  private Platform platform;

  @BeforeEach
  void open() throws Exception {
    Street street = StreetFile.parse("street.yaml", STREET, profiles, freePorts(5), null);
    slaves = SlavePorts.open(street, "127.0.0.1", clock);
    audit = new Audit(slaves.truth());
    platform = new Platform(audit, clock);
    gateway = new ReferenceGateway(street, profiles, clock, platform);
  }

  @AfterEach
  void close() throws IOException {
    gateway.close();
    slaves.close();
  }

  @Test
  void honestPipelinePasses() throws Exception {
    rounds(ROUNDS);

    Report report = verdict();
    assertThat(report.examples()).isEmpty();
    assertThat(report.holds()).isTrue();
    assertThat(report.confirmed()).isGreaterThan(3_000);
    assertThat(report.suppressed()).isGreaterThan(200);
    assertThat(report.shown()).isEqualTo(report.confirmed() + report.suppressed());
    assertThat(report.byClass()).containsKeys("telemetry", "alarm", "state");
  }

  @Test
  void lostReadingIsLost() throws Exception {
    breakOnce(
        any("bridge-001", "telemetry"),
        (outs, out) -> {
          // The numbers before and after it stay what they were.
          Out rest = out.copy();
          boolean after = false;
          for (String id : List.copyOf(out.readings.keySet())) {
            if (id.equals("strain_3")) {
              after = true;
            }
            (after ? out : rest).readings.remove(id);
          }
          rest.readings.remove("strain_3");
          rest.first += 3;
          outs.add(outs.indexOf(out) + 1, rest);
        });

    assertOnly(Violation.LOST, 1);
    assertThat(verdict().examples().get(Violation.LOST).get(0))
        .contains("bridge-001/strain_3", "tick 11", "expected", "found nothing");
  }

  @Test
  void lostTailIsLost() throws Exception {
    rounds(10);
    gateway.breaking(List::clear);
    gateway.round();

    Report report = verdict();
    assertThat(report.counts()).containsOnlyKeys(Violation.LOST);
    assertThat(report.count(Violation.LOST)).isEqualTo(report.shown() - accounted(report));
  }

  @Test
  void duplicateBeyondTheWindowIsDuplicated() throws Exception {
    breakOnce(any("pump-001", "telemetry"), (outs, out) -> outs.add(out.copy()));

    long twice = audit.duplicates();
    assertThat(twice).isPositive();
    assertOnly(Violation.DUPLICATED, twice);
    assertThat(audit.verdict(Rules.STRICT.withDuplicates(twice)).holds())
        .as("the same within the window is no violation")
        .isTrue();
  }

  @Test
  void resendingAWholePollInAnyMixtureOfClassesIsOnlyDuplication() throws Exception {
    // Another class comes before the tick that tells which answer it was read from.
    breakOnce(
        any("gas-001", "alarm"),
        (outs, out) -> {
          List<Out> copies = outs.stream().map(Out::copy).toList();
          outs.addAll(copies);
        });
    rounds(3);

    assertThat(audit.duplicates()).isGreaterThan(5);
    Report report = audit.verdict(Rules.STRICT.withDuplicates(audit.duplicates()));
    assertThat(report.examples()).isEmpty();
  }

  @Test
  void swappedOrderIsOutOfOrder() throws Exception {
    List<Out> held = new ArrayList<>();
    AtomicBoolean done = new AtomicBoolean();
    rounds(10);
    gateway.breaking(
        outs -> {
          for (Out out : List.copyOf(outs)) {
            if (any("main", "telemetry").test(out) && !done.get()) {
              if (held.isEmpty()) {
                held.add(out);
                outs.remove(out);
              } else {
                outs.add(held.get(0));
                done.set(true);
              }
            }
          }
        });
    rounds(10);

    assertOnly(Violation.OUT_OF_ORDER, held.get(0).readings.size());
  }

  @Test
  void historyMayLieBehindLiveValues() throws Exception {
    List<Out> held = new ArrayList<>();
    rounds(5);
    gateway.breaking(
        outs -> {
          held.addAll(outs);
          outs.clear();
        });
    rounds(5);
    gateway.breaking(outs -> {});
    rounds(5);
    for (Out out : held) {
      out.historical = true;
      gateway.publish(out);
    }

    Report report = verdict();
    assertThat(report.examples()).isEmpty();
    assertThat(report.received().historical()).isPositive();
  }

  @Test
  void scaledValueIsWrongValue() throws Exception {
    breakOnce(
        any("gas-002", "telemetry"),
        (outs, out) -> {
          Reading reading = out.readings.get("trend");
          reading.value = (Double) reading.value + 0.0002;
        });

    assertOnly(Violation.WRONG_VALUE, 1);
  }

  @Test
  void valueWithinHalfAStepIsRight() throws Exception {
    breakOnce(
        any("bridge-002", "telemetry"),
        (outs, out) -> {
          Reading reading = out.readings.get("strain_1");
          // What the register could show at best is off the truth by up to 0.05 already.
          reading.value = Math.rint((Double) reading.value * 10) / 10;
        });

    assertThat(verdict().holds()).isTrue();
  }

  @Test
  void otherUnitIsWrongUnit() throws Exception {
    breakOnce(
        any("bridge-001", "telemetry"), (outs, out) -> out.readings.get("supply").unit = "mV");

    assertOnly(Violation.WRONG_UNIT, 1);
  }

  @Test
  void corruptedQualityIsWrongQuality() throws Exception {
    breakOnce(
        any("bridge-001", "telemetry"),
        (outs, out) -> out.readings.get("strain_2").quality = "Uncertain");

    assertOnly(Violation.WRONG_QUALITY, 1);
  }

  @Test
  void rightValueToldAsBadIsWrongQuality() throws Exception {
    breakOnce(
        any("bridge-001", "telemetry"),
        (outs, out) -> {
          out.readings.get("strain_2").value = null;
          out.readings.get("strain_2").quality = "BadTimeout";
        });

    assertOnly(Violation.WRONG_QUALITY, 1);
  }

  @Test
  void tickThatNobodyShowedIsInvented() throws Exception {
    rounds(10);
    long again = 1_000_000;
    AtomicBoolean done = new AtomicBoolean();
    gateway.breaking(
        outs -> {
          if (!outs.isEmpty() && outs.get(0).device.equals("underpass-001") && !done.get()) {
            done.set(true);
            Out invented = new Out("underpass-001", "telemetry", clock.millis());
            invented.first = again;
            invented.readings.put("tick", new Reading(5_000.0, "", "Good"));
            outs.add(invented);
          }
        });
    gateway.round();

    Report report = verdict();
    assertThat(report.count(Violation.INVENTED)).isEqualTo(1);
    assertThat(report.counts().keySet())
        .as("and the numbers up to its own are missing")
        .containsOnly(Violation.INVENTED, Violation.SEQUENCE);
  }

  @Test
  void readingOfNoPointIsInvented() throws Exception {
    // The last of its entry, and the last entry of its stream: no number is missing.
    rounds(10);
    gateway.breaking(
        outs -> {
          for (Out out : outs) {
            if (any("main", "telemetry").test(out)) {
              out.readings.put("colour", new Reading("blue", "", "Good"));
            }
          }
        });
    gateway.round();

    assertOnly(Violation.INVENTED, 1);
  }

  @Test
  void sameReadingUnderAnotherNumberIsInvented() throws Exception {
    rounds(10);
    gateway.breaking(
        outs -> {
          for (Out out : List.copyOf(outs)) {
            if (any("main", "state").test(out)) {
              Out again = out.copy();
              again.first = out.first + out.readings.size();
              outs.add(again);
            }
          }
        });
    gateway.round();

    assertOnly(Violation.INVENTED, 1);
  }

  @Test
  void numberUsedTwiceIsSequence() throws Exception {
    rounds(10);
    gateway.breaking(
        outs -> {
          for (Out out : outs) {
            if (any("main", "state").test(out)) {
              out.first -= 1;
            }
          }
        });
    gateway.round();

    Report report = audit.verdict(Rules.STRICT.withDuplicates(1));
    assertThat(report.counts()).containsExactlyEntriesOf(Map.of(Violation.SEQUENCE, 1L));
  }

  @Test
  void suppressionBeyondTheDeadBandIsSuppressedWrongly() throws Exception {
    rounds(3);
    long[] hidden = new long[1];
    gateway.withholding(
        outs -> {
          for (Out out : outs) {
            // The well fills by more than the dead-band between two polls.
            if (any("pump-001", "telemetry").test(out)
                && hidden[0] == 0
                && out.readings.remove("level") != null) {
              hidden[0]++;
            }
          }
        });
    rounds(12);

    assertThat(hidden[0]).isEqualTo(1);
    assertOnly(Violation.SUPPRESSED_WRONGLY, 1);
  }

  @Test
  void heartbeatLeftOutIsSuppressedWrongly() throws Exception {
    long[] hidden = new long[1];
    rounds(2);
    gateway.withholding(
        outs -> {
          for (Out out : outs) {
            if (any("main", "telemetry").test(out) && out.readings.remove("flow") != null) {
              hidden[0]++;
            }
          }
        });
    rounds(330);

    Report report = verdict();
    assertThat(hidden[0]).isPositive();
    assertThat(report.counts()).containsOnlyKeys(Violation.SUPPRESSED_WRONGLY);
    assertThat(report.examples().get(Violation.SUPPRESSED_WRONGLY).get(0)).contains("main/flow");
  }

  @Test
  void countedEntryExplainsWhatItCounts() throws Exception {
    long lost = dropEntry("main", "state");
    gateway.ledger("main", "state", clock.millis(), clock.millis(), lost, true, "DROPPED");

    Report report = verdict();
    assertThat(report.examples()).isEmpty();
    assertThat(report.explained()).containsExactlyEntriesOf(Map.of("dropped", lost));
  }

  @Test
  void entryForMoreThanIsGoneIsALedgerLie() throws Exception {
    rounds(10);
    gateway.ledger(
        "bridge-001", "telemetry", clock.millis() - 5_000, clock.millis(), 1, true, "DROPPED");

    assertOnly(Violation.LEDGER, 1);
  }

  @Test
  void entryForFewerThanAreGoneLeavesTheRestLost() throws Exception {
    long lost = dropEntry("bridge-002", "telemetry");
    gateway.ledger(
        "bridge-002", "telemetry", clock.millis(), clock.millis(), lost - 2, true, "DROPPED");

    assertOnly(Violation.LOST, 2);
  }

  @Test
  void aSpanThatWasThinnedOutHoldsReadingsThatArrived() throws Exception {
    long lost = thin("main");
    gateway.ledger("main", "telemetry", thinnedFrom, clock.millis(), lost, true, "DROPPED");
    rounds(5);

    Report report = verdict();
    assertThat(report.examples()).isEmpty();
    assertThat(report.explained().get("dropped")).isGreaterThanOrEqualTo(lost);
    assertThat(report.suppressed()).isPositive();
  }

  @Test
  void whatWasThinnedOutBeyondTheCountIsMissed() throws Exception {
    long lost = thin("main");
    gateway.ledger("main", "telemetry", thinnedFrom, clock.millis(), lost - 3, true, "DROPPED");
    rounds(5);

    Report report = verdict();
    assertThat(report.count(Violation.LOST) + report.count(Violation.SEQUENCE)).isEqualTo(3);
  }

  @Test
  void aClockThatJumpsIsNoViolationWhereTimesAreIgnored() throws Exception {
    audit.ignoreTimes();
    jumpingRounds();
    assertThat(verdict().examples()).isEmpty();
    assertThat(verdict().suppressed()).isPositive();

    long lost = dropEntry("bridge-001", "state");
    assertOnly(Violation.LOST, lost);
  }

  @Test
  void aClockThatJumpsIsNoticedElse() throws Exception {
    jumpingRounds();
    assertThat(verdict().holds()).isFalse();
  }

  /** Ahead by a day, behind by a day, and right again. */
  private void jumpingRounds() throws Exception {
    for (long days : new long[] {0, 1, -1, 0}) {
      gateway.breaking(outs -> outs.forEach(out -> out.event += days * 86_400_000));
      rounds(10);
    }
  }

  private long thinnedFrom;

  /**
   * Leaves out the telemetry of a device in every second of some rounds; tells how many readings.
   */
  private long thin(String device) throws Exception {
    rounds(10);
    thinnedFrom = clock.millis();
    long[] lost = new long[2];
    gateway.breaking(
        outs ->
            outs.removeIf(
                out -> {
                  boolean hit = any(device, "telemetry").test(out) && lost[1]++ % 2 == 0;
                  lost[0] += hit ? out.readings.size() : 0;
                  return hit;
                }));
    rounds(40);
    gateway.breaking(outs -> {});
    return lost[0];
  }

  @Test
  void aKillIsInTheLedgerFromItsLastCommitToTheFirstReadingAfterIt() throws Exception {
    rounds(10);
    long last = clock.millis();
    gateway.roundLostInACrash();
    gateway.roundLostInACrash();
    gateway.ledger("*", "*", last, clock.millis(), 0, false, "INTERRUPTION");
    rounds(5);

    assertThat(verdict(new Kill(last + 1_000, last + 1_100)).examples()).isEmpty();
    assertThat(verdict(new Kill(last + 1_500, last + 1_600)).examples().get(Violation.LEDGER))
        .as("and no earlier")
        .singleElement()
        .asString()
        .contains("expected to begin 1250 ms before a kill at most");
    assertThat(
            verdict(new Kill(last + 1_000, last + 1_100), new Kill(last + 3_500, last + 3_600))
                .examples()
                .get(Violation.LEDGER))
        .singleElement()
        .asString()
        .contains("killed at", "no entry says so");
  }

  @Test
  void anInterruptionWithoutAKillIsALedgerLie() throws Exception {
    rounds(10);
    long last = clock.millis();
    gateway.roundLostInACrash();
    gateway.ledger("*", "*", last, clock.millis(), 0, false, "INTERRUPTION");
    gateway.ledger("*", "*", last - 20_000, last - 19_500, 0, false, "INTERRUPTION");
    rounds(5);

    assertThat(verdict(new Kill(last + 500, last + 600)).count(Violation.LEDGER)).isEqualTo(1);
  }

  private Report verdict(Kill... kills) {
    return audit.verdict(Rules.STRICT.withKills(List.of(kills)));
  }

  @Test
  void interruptionExplainsItsSpanAndNoMore() throws Exception {
    rounds(10);
    long last = clock.millis();
    for (int i = 0; i < 3; i++) {
      gateway.roundLostInACrash();
    }
    long lostUntil = clock.millis();
    rounds(5);
    gateway.ledger("*", "*", last, lostUntil, 0, false, "INTERRUPTION");

    Report report = verdict();
    assertThat(report.examples()).isEmpty();
    assertThat(report.explained().get("interruption")).isPositive();
  }

  @Test
  void interruptionThatEndsTooEarlyLeavesTheRestLost() throws Exception {
    rounds(10);
    long last = clock.millis();
    for (int i = 0; i < 3; i++) {
      gateway.roundLostInACrash();
    }
    rounds(5);
    gateway.ledger("*", "*", last, last + 1_000, 0, false, "INTERRUPTION");

    Report report = verdict();
    assertThat(report.counts()).containsOnlyKeys(Violation.LOST);
  }

  @Test
  void interruptionOverWhatArrivedIsALedgerLie() throws Exception {
    rounds(10);
    gateway.ledger(
        "*", "*", clock.millis() - 5_000, clock.millis() - 1_000, 0, false, "INTERRUPTION");

    assertOnly(Violation.LEDGER, 1);
  }

  /** A device that remembers: what was never read comes late, with the time at which it was so. */
  @Test
  void whatWasRecoveredMayLieInASpanInWhichNothingWasRead() throws Exception {
    long[] span = fillInLater(0);
    gateway.ledger("bridge-001", "telemetry", span[0], span[1], span[2], false, "NEVER_READ");
    assertThat(verdict().counts()).containsOnlyKeys(Violation.LEDGER);

    gateway.ledger("bridge-001", "telemetry", span[0], span[1], span[2], false, "RECOVERED");
    assertThat(verdict().examples()).isEmpty();
    assertThat(verdict().explained()).isEmpty();
  }

  @Test
  void whatIsMissingAlthoughItWasRecoveredIsLost() throws Exception {
    long[] span = fillInLater(4);
    gateway.ledger("bridge-001", "telemetry", span[0], span[1], span[2], false, "NEVER_READ");
    gateway.ledger("bridge-001", "telemetry", span[0], span[1], span[2], false, "RECOVERED");

    assertOnly(Violation.LOST, span[3]);
  }

  @Test
  void whatWasNotRecoveredIsExplainedAsBefore() throws Exception {
    long[] span = fillInLater(4);
    gateway.ledger("bridge-001", "telemetry", span[0], span[1], span[2], false, "NEVER_READ");
    gateway.ledger(
        "bridge-001", "telemetry", span[0], span[1], span[2] - span[3], false, "RECOVERED");

    assertThat(verdict().examples()).isEmpty();
    assertThat(verdict().explained()).containsEntry("never read", span[3]);
  }

  @Test
  void anInterruptionExplainsNothingThatWasRecovered() throws Exception {
    long[] span = fillInLater(4);
    gateway.ledger("*", "*", span[0], span[1], 0, false, "INTERRUPTION");
    gateway.ledger("bridge-001", "telemetry", span[0], span[1], span[2], false, "RECOVERED");

    assertThat(verdict().count(Violation.LOST)).isEqualTo(span[3]);
  }

  @Test
  void aRecoveryOfNothingIsALedgerLie() throws Exception {
    rounds(10);
    gateway.ledger(
        "bridge-001", "telemetry", clock.millis() - 5_000, clock.millis(), 5, false, "RECOVERED");

    assertOnly(Violation.LEDGER, 1);
    assertThat(verdict().examples().get(Violation.LEDGER).get(0))
        .contains("no entry says that anything was missing");
  }

  @Test
  void anEntryOfSomePointsOnlyMayLieOverReadingsOfOthers() throws Exception {
    rounds(10);
    gateway.ledger(
        "bridge-001",
        "telemetry",
        clock.millis() - 5_000,
        clock.millis(),
        5,
        false,
        "NEVER_READ",
        "only strain_9: the server's queue was too short");

    assertThat(verdict().examples()).isEmpty();
  }

  /**
   * Keeps the telemetry of a device back for some rounds and brings it later, but for some of it.
   *
   * @return first and last moment, readings in all, readings that are left out
   */
  private long[] fillInLater(int leftOut) throws Exception {
    rounds(10);
    List<Out> held = new ArrayList<>();
    long[] span = {clock.millis(), 0, 0, 0};
    gateway.withholding(
        outs -> outs.removeIf(out -> any("bridge-001", "telemetry").test(out) && held.add(out)));
    rounds(12);
    gateway.withholding(outs -> {});
    span[1] = clock.millis();
    rounds(5);
    for (int i = 0; i < held.size(); i++) {
      int readings = held.get(i).readings.size();
      span[2] += readings;
      if (i >= held.size() - leftOut) {
        span[3] += readings;
      } else {
        gateway.publishLate(held.get(i));
      }
    }
    return span;
  }

  @Test
  void pollThatTheGatewayCallsNeverReadIsExplainedUpToItsCount() throws Exception {
    long lost = dropEntry("bridge-001", "telemetry");
    gateway.ledger(
        "bridge-001", "telemetry", clock.millis(), clock.millis(), lost - 1, false, "NEVER_READ");

    assertOnly(Violation.LOST, 1);
    assertThat(verdict().explained()).containsEntry("never read", lost - 1);
  }

  @Test
  void answerThatCameTooLateIsExplainedByWhatThePlatformWasTold() throws Exception {
    rounds(10);
    gateway.breaking(
        outs ->
            outs.removeIf(
                out -> {
                  boolean hit = out.device.equals("underpass-001");
                  if (hit) {
                    out.readings.clear();
                    for (String point : List.of("level", "tick")) {
                      out.readings.put(point, new Reading(null, "", "BadTimeout"));
                    }
                    publish(out);
                  }
                  return hit;
                }));
    gateway.round();
    gateway.breaking(outs -> {});

    Report report = verdict();
    assertThat(report.counts().keySet()).isSubsetOf(Violation.SEQUENCE);
    assertThat(report.explained().get("told as bad")).isBetween(1L, 2L);
  }

  @Test
  void messageOutsideTheDialectIsMalformed() throws Exception {
    rounds(3);
    Platform platform = new Platform(audit, clock);
    platform.message(
        "$oc/devices/reference/sys/properties/report",
        "{\"services\":[{}]}".getBytes(StandardCharsets.UTF_8));

    assertOnly(Violation.MALFORMED, 1);
  }

  @Test
  void whatDoesNotBelongToTheStreetIsLeftOutOfEverythingAndToldToWhomeverItConcerns()
      throws Exception {
    Arrivals arrivals = new Arrivals();
    audit.leaveOut(Set.of("evil-1"));
    platform.leaveOut(Set.of("evil-1"), arrivals);
    rounds(3);
    long readings = platform.readings();
    Out evil = new Out("evil-1", "telemetry", clock.millis());
    evil.first = 1;
    evil.readings.put("level", new Reading(1.5, "m", "Good"));
    evil.readings.put("count", new Reading(null, "", "BadTimeout"));
    evil.readings.put("word", new Reading(2.5, "m", "Uncertain"));
    gateway.publish(evil);
    gateway.ledger("evil-1", "telemetry", 0, clock.millis(), 5, true, "not_accepted");
    gateway.ledger("bridge-001", "telemetry", 1, 2, 0, true, "never_read");

    assertThat(verdict().holds()).isTrue();
    assertThat(platform.readings()).isEqualTo(readings);
    assertThat(platform.devices()).doesNotContain("evil-1");
    assertThat(audit.ledger())
        .singleElement()
        .satisfies(entry -> assertThat(entry.device()).isEqualTo("bridge-001"));
    assertThat(arrivals.of("evil-1")).isEqualTo(new Arrivals.Tally(2, 1));
  }

  @Test
  void anIntervalIsFromOneReadingThatArrivedToTheNext() throws Exception {
    rounds(20);
    assertThat(audit.intervals(0).median()).isEqualTo(1_000);
    assertThat(audit.intervals(0).longest()).isEqualTo(1_000);
    long tables = audit.intervals(0).count() / 19;

    // One answer of one device doesn't arrive: one interval is as long as two.
    gateway.breaking(outs -> outs.removeIf(any("underpass-001", "telemetry")));
    gateway.round();
    gateway.breaking(outs -> {});
    long since = clock.millis() + 500;
    rounds(20);

    assertThat(audit.intervals(0).longest()).isEqualTo(2_000);
    assertThat(audit.intervals(0).tail()).isEqualTo(1_000);
    assertThat(audit.intervals(0).count()).isEqualTo(40 * tables - 1);
    assertThat(audit.intervals(since).longest()).as("it was before that").isEqualTo(1_000);
  }

  private void publish(Out out) {
    try {
      gateway.publish(out);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private interface Spoiler {
    void spoil(List<Out> outs, Out out);
  }

  /** Runs, spoils one entry in round 11, and runs on. */
  private void breakOnce(Predicate<Out> which, Spoiler spoiler) throws Exception {
    rounds(10);
    AtomicBoolean done = new AtomicBoolean();
    gateway.breaking(
        outs -> {
          for (Out out : List.copyOf(outs)) {
            if (which.test(out) && done.compareAndSet(false, true)) {
              spoiler.spoil(outs, out);
            }
          }
        });
    gateway.round();
    assertThat(done).as("something was spoiled").isTrue();
    gateway.breaking(outs -> {});
    rounds(5);
  }

  private long dropEntry(String device, String streamClass) throws Exception {
    rounds(10);
    long[] lost = new long[1];
    gateway.breaking(
        outs ->
            outs.removeIf(
                out -> {
                  boolean hit = any(device, streamClass).test(out);
                  lost[0] += hit ? out.readings.size() : 0;
                  return hit;
                }));
    gateway.round();
    gateway.breaking(outs -> {});
    assertThat(lost[0]).isPositive();
    return lost[0];
  }

  private static Predicate<Out> any(String device, String streamClass) {
    return out -> out.device.equals(device) && out.streamClass.equals(streamClass);
  }

  private void rounds(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      gateway.round();
    }
  }

  private static long accounted(Report report) {
    return report.confirmed() + report.suppressed() + report.explainedInAll();
  }

  private void assertOnly(Violation violation, long count) {
    Report report = verdict();
    assertThat(report.counts())
        .as(() -> report.examples().toString())
        .containsExactlyEntriesOf(Map.of(violation, count));
    assertThat(report.holds()).isFalse();
  }

  /** A first port with as many free ones after it. */
  static int freePorts(int count) throws IOException {
    for (int attempt = 0; attempt < 50; attempt++) {
      try (ServerSocket first = new ServerSocket(0)) {
        int port = first.getLocalPort();
        boolean free = port + count < 65_000;
        for (int i = 1; free && i < count; i++) {
          try (ServerSocket next = new ServerSocket(port + i)) {
            free = next.isBound();
          } catch (IOException e) {
            free = false;
          }
        }
        if (free) {
          return port;
        }
      }
    }
    throw new IOException("found no free ports");
  }
}
