package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static io.culvert.core.run.Rig.START;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor.Figures;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** What wasn't read or wasn't taken stands in the ledger, with span and count. */
class LedgerTest {
  private final Rig rig = new Rig().plug();

  /** Two points of telemetry and one of state that a poll reads; one that it can't. */
  private static final Profile MIXED =
      new Profile(
          "plain",
          "fake",
          SECOND,
          Map.of(),
          List.of(
              Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null),
              Rig.model("p1", Access.READ_WRITE, StreamClass.TELEMETRY, null, null),
              Rig.model("mode", Access.READ, StreamClass.STATE, null, null),
              Rig.model("reset", Access.WRITE, StreamClass.STATE, null, null)));

  private void fail(String id) {
    rig.driver.reads.put(id, points -> CompletableFuture.failedFuture(new IOException("cut")));
  }

  @Test
  void aGapSpansFromTheFirstFailedPollToTheLastAndCountsEveryTurnOfTheGrid() {
    rig.device(Rig.entry("a", "one", SECOND, SECOND, MIXED)).apply().seconds(10);
    Instant lastGood = START.plus(rig.driver.polls("a").get(9));
    assertThat(rig.buffer.ledger).isEmpty();

    fail("a");
    rig.seconds(20);
    assertThat(rig.buffer.ledger).describedAs("while it lasts").isEmpty();
    rig.driver.reads.remove("a");
    int polls = rig.driver.polls("a").size();
    while (rig.driver.polls("a").size() == polls) {
      rig.seconds(1);
    }

    Instant firstGood = START.plus(rig.driver.polls("a").get(polls));
    long turns = Duration.between(lastGood, firstGood).toSeconds() - 1;
    assertThat(rig.buffer.ledger)
        .containsExactlyInAnyOrder(
            new LedgerEntry(
                "a",
                "telemetry",
                lastGood.plusSeconds(1),
                firstGood.minusSeconds(1),
                2 * turns,
                false,
                Reason.NEVER_READ,
                "the driver says: IOException: cut"),
            new LedgerEntry(
                "a",
                "state",
                lastGood.plusSeconds(1),
                firstGood.minusSeconds(1),
                turns,
                false,
                Reason.NEVER_READ,
                "the driver says: IOException: cut"));
  }

  @Test
  void aGapThatLastsIsEnteredEveryMinute() {
    fail("a");
    rig.device("a", "one").apply().seconds(3 * 60 + 5);

    assertThat(rig.buffer.ledger).hasSize(3);
    assertThat(rig.buffer.ledger).extracting(LedgerEntry::count).containsOnly(61L * 2);
    for (int i = 1; i < 3; i++) {
      assertThat(rig.buffer.ledger.get(i).from())
          .isEqualTo(rig.buffer.ledger.get(i - 1).to().plusSeconds(1));
    }
  }

  @Test
  void aTimeOutSpansUntilItsDeadlineAndTheTurnsThatPassedMeanwhile() {
    rig.device(Rig.entry("a", "one", SECOND, Duration.ofMillis(2500), Rig.profile("plain", 2)))
        .apply()
        .seconds(5);
    Instant lastGood = START.plus(rig.driver.polls("a").get(4));
    rig.driver.reads.put("a", points -> new CompletableFuture<>());
    rig.seconds(1);
    rig.driver.reads.remove("a");
    rig.seconds(10);

    assertThat(rig.buffer.ledger)
        .containsExactly(
            new LedgerEntry(
                "a",
                "telemetry",
                lastGood.plusSeconds(1),
                lastGood.plusMillis(3500),
                2 * 3,
                false,
                Reason.NEVER_READ,
                "no answer within 2500ms"));
    assertThat(rig.engine.figures().missed()).isZero();
  }

  @Test
  void theValuesOfALostDeviceAreTakenBackOnce() {
    rig.device("a", "one").device("b", "two").apply().seconds(5);
    rig.driver.reads.put("a", points -> new CompletableFuture<>());
    fail("b");
    rig.seconds(120);

    assertThat(rig.buffer.of("a").stream().filter(r -> r.quality().bad()))
        .extracting(Reading::point, r -> r.quality().toString())
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("p0", "BadTimeout"),
            org.assertj.core.groups.Tuple.tuple("p1", "BadTimeout"));
    assertThat(rig.buffer.of("b").stream().filter(r -> r.quality().bad()))
        .extracting(r -> r.quality().toString())
        .containsExactly("BadNoCommunication", "BadNoCommunication");
    assertThat(rig.engine.latest("a")).allMatch(r -> r.quality().bad());
    assertThat(rig.engine.figures().read()).describedAs("of drivers only").isEqualTo(20);
  }

  @Test
  void whatTheBufferRefusesIsCountedExactlyAndNothingElseStops() {
    rig.device(Rig.entry("a", "one", SECOND, SECOND, MIXED)).apply().seconds(5);
    rig.buffer.refusal = new RejectedExecutionException("too much waits");
    rig.buffer.ledgerRefusal = new IOException("disk full");
    rig.seconds(7);
    assertThat(rig.driver.polls("a")).hasSize(12);
    rig.buffer.refusal = null;
    rig.buffer.ledgerRefusal = null;
    rig.seconds(10);

    Instant first = START.plus(rig.driver.polls("a").get(5));
    List<LedgerEntry> entries =
        rig.buffer.ledger.stream().filter(e -> e.device().equals("a")).toList();
    assertThat(entries)
        .containsExactlyInAnyOrder(
            new LedgerEntry(
                "a",
                "telemetry",
                first,
                first.plusSeconds(6),
                14,
                true,
                Reason.NOT_ACCEPTED,
                "RejectedExecutionException: too much waits"),
            new LedgerEntry(
                "a",
                "state",
                first,
                first.plusSeconds(6),
                7,
                true,
                Reason.NOT_ACCEPTED,
                "RejectedExecutionException: too much waits"));
    assertThat(rig.engine.figures().read()).isEqualTo(66);
    assertThat(rig.engine.figures().accepted()).isEqualTo(66 - 21);
    assertThat(rig.status("a").failures()).isZero();
  }

  @Test
  void aReadingThatWasNotTakenIsNotInForceForTheDeadBand() {
    PointModel plain = Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null);
    PointModel banded =
        new PointModel(
            plain.point(),
            plain.scale(),
            plain.offset(),
            plain.unit(),
            null,
            null,
            plain.streamClass(),
            plain.grade(),
            new PointModel.Deadband(0.5, Duration.ofHours(1)));
    rig.device(
            Rig.entry(
                "a",
                "one",
                SECOND,
                SECOND,
                new Profile("plain", "fake", SECOND, Map.of(), List.of(banded))))
        .apply()
        .seconds(5);
    assertThat(rig.engine.figures().suppressed()).isEqualTo(4);

    rig.buffer.refusal = new IOException("disk full");
    rig.driver.held.put("a.p0", Value.of(100));
    rig.seconds(1);
    rig.buffer.refusal = null;
    // What the platform has is still 0: going back to it is no news, and staying at 10 is.
    rig.driver.held.put("a.p0", Value.of(0));
    rig.seconds(2);
    assertThat(rig.engine.figures()).isEqualTo(new Figures(8, 6, 1, 0));
    rig.driver.held.put("a.p0", Value.of(100));
    rig.seconds(2);
    assertThat(rig.buffer.good("a"))
        .extracting(Reading::value)
        .containsExactly(Value.of(0.0), Value.of(10.0));
    assertThat(rig.engine.figures()).isEqualTo(new Figures(10, 7, 2, 0));
  }

  @Test
  void withoutABufferNothingIsPolledAndThatIsEntered() {
    rig.device("a", "one").apply().seconds(5);
    rig.engine.buffer(null);
    rig.seconds(7);
    assertThat(rig.driver.polls("a")).hasSize(5);
    rig.engine.buffer(rig.buffer);
    rig.seconds(5);

    Instant lastGood = START.plus(rig.driver.polls("a").get(4));
    assertThat(rig.driver.polls("a")).hasSize(10);
    assertThat(rig.buffer.ledger)
        .containsExactly(
            new LedgerEntry(
                "a",
                "telemetry",
                lastGood.plusSeconds(1),
                lastGood.plusSeconds(7),
                14,
                false,
                Reason.NEVER_READ,
                "there is no buffer to take it"));
  }

  @Test
  void whatIsNotReadBeforeTheFirstBufferComesIsTheBuffersOwnGap() {
    Rig early = new Rig(false);
    early.plug();
    early.device("a", "one").apply().seconds(5);
    assertThat(early.driver.polls("a")).isEmpty();
    early.engine.buffer(early.buffer);
    early.seconds(3);

    assertThat(early.driver.polls("a")).hasSize(3);
    assertThat(early.buffer.ledger).isEmpty();
    assertThat(early.engine.figures().missed()).isZero();
  }

  @Test
  void whatABufferThatGoesNeverAnswersIsNotWaitedForForEver() {
    rig.buffer.hold = true;
    rig.device("a", "one").apply().seconds(3);
    FakeBuffer next = new FakeBuffer();
    rig.engine.buffer(null);
    rig.engine.buffer(next);
    rig.seconds(15);

    assertThat(next.ledger)
        .filteredOn(e -> e.device().equals("a"))
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.count()).isEqualTo(6);
              assertThat(e.reason()).isEqualTo(Reason.NOT_ACCEPTED);
              assertThat(e.detail()).contains("went away");
            });
  }

  @Test
  void aPollThatAChangeOfTheSiteCutsOffIsEntered() {
    rig.device("a", "one").apply().seconds(5);
    rig.driver.reads.put("a", points -> new CompletableFuture<>());
    rig.seconds(1);
    rig.without("a").apply().seconds(1);

    assertThat(rig.buffer.ledger)
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.count()).isEqualTo(2);
              assertThat(e.reason()).isEqualTo(Reason.NEVER_READ);
              assertThat(e.detail()).isEqualTo("it was removed from the site");
            });
  }

  @Test
  void stoppingEntersWhatIsStillOpen() {
    fail("a");
    rig.device("a", "one").apply().seconds(5);
    assertThat(rig.buffer.ledger).isEmpty();
    rig.engine.close();

    assertThat(rig.buffer.ledger).singleElement().extracting(LedgerEntry::count).isEqualTo(10L);
  }

  /** Each turn of the grid is read, missed or in the ledger, whatever a device does. */
  @Property(tries = 200)
  void noTurnOfTheGridIsWithoutAnAccount(
      @ForAll @Size(min = 1, max = 60) List<@IntRange(min = 0, max = 4) Integer> answers,
      @ForAll @IntRange(min = 1, max = 3) int devices) {
    Rig own = new Rig().plug();
    int[] next = {0};
    for (int i = 0; i < devices; i++) {
      String id = "d" + i;
      own.driver.reads.put(
          id,
          points -> {
            List<Sample> samples = own.driver.samples(id, points);
            return switch (answers.get(next[0]++ % answers.size())) {
              case 0 -> CompletableFuture.completedFuture(samples);
              case 1 -> own.driver.after(Duration.ofMillis(300), samples);
              case 2 -> own.driver.after(Duration.ofMillis(1700), samples);
              case 3 -> CompletableFuture.failedFuture(new IOException("cut"));
              default -> new CompletableFuture<>();
            };
          });
      own.device(Rig.entry(id, "one", SECOND, Duration.ofSeconds(2), Rig.profile("plain", 1)));
    }
    own.apply().seconds(100);
    own.engine.close();

    long read = own.engine.figures().read();
    long entered = own.buffer.ledger.stream().mapToLong(LedgerEntry::count).sum();
    long missed = own.engine.figures().missed();
    assertThat(read + entered + missed).isEqualTo(100L * devices);
    assertThat(own.engine.figures().accepted()).isEqualTo(read);
  }
}
