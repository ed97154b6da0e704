package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.southbound.Sink;
import io.culvert.core.model.Profile;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a device had and can't give any more stands in the ledger. */
class MissingTest {
  private final Rig rig = new Rig().plug();
  private Instant from;
  private Sink sink;

  @BeforeEach
  void subscribe() {
    rig.driver.subscribable.add("a");
    Profile profile =
        new Profile(
            "plain",
            "fake",
            Rig.SECOND,
            Map.of(),
            List.of(
                Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null),
                Rig.model("p1", Access.READ, StreamClass.TELEMETRY, null, null),
                Rig.model("mode", Access.READ, StreamClass.STATE, null, null)));
    rig.device(Rig.entry("a", "one", Rig.SECOND, Rig.SECOND, profile)).apply().seconds(10);
    from = rig.now().minusSeconds(5);
    sink = rig.driver.sinks.get("a");
  }

  @Test
  void itIsEnteredInTheClassOfItsPointWithTheDriversWords() {
    sink.missing("mode", from, from.plusSeconds(2), 7, "the server's queue was too short");
    rig.settle();

    assertThat(rig.buffer.ledger)
        .containsExactly(
            new LedgerEntry(
                "a",
                "state",
                from,
                from.plusSeconds(2),
                7,
                false,
                Reason.NEVER_READ,
                "only mode: the server's queue was too short"));
  }

  @Test
  void whatComesTogetherIsOneEntryAClass() {
    sink.missing("p0", from, from.plusSeconds(1), 7, "too short");
    sink.missing("p1", from.minusSeconds(1), from, 1, "too short");
    sink.missing("mode", from, from, 2, "too short");
    rig.settle();

    assertThat(rig.buffer.ledger)
        .extracting(LedgerEntry::streamClass, LedgerEntry::count, LedgerEntry::detail)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple("telemetry", 8L, "only p0 and others: too short"),
            org.assertj.core.groups.Tuple.tuple("state", 2L, "only mode: too short"));
    assertThat(rig.buffer.ledger)
        .filteredOn(e -> e.streamClass().equals("telemetry"))
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.from()).isEqualTo(from.minusSeconds(1));
              assertThat(e.to()).isEqualTo(from.plusSeconds(1));
            });
  }

  @Test
  void anOutageOfThatMomentStaysAnEntryOfItsOwn() {
    sink.lost(null);
    rig.settle();
    rig.buffer.ledgerRefusal = new IllegalStateException("full");
    rig.seconds(4);
    rig.driver.sinks.get("a").missing("p0", from, from, 1, "too short");
    rig.seconds(1);
    rig.buffer.ledgerRefusal = null;
    rig.seconds(10);

    assertThat(rig.buffer.ledger)
        .filteredOn(e -> e.streamClass().equals("telemetry"))
        .extracting(e -> e.detail().startsWith(Intake.ONLY))
        .containsExactlyInAnyOrder(true, false);
  }

  @Test
  void whatCannotBeSoIsPutRight() {
    sink.missing("p0", from, from.minusSeconds(9), -3, "x".repeat(10_000));
    rig.settle();
    sink.missing("p0", Instant.MIN, Instant.MAX, Long.MAX_VALUE, "far");
    sink.missing("p0", Instant.MIN, Instant.MAX, Long.MAX_VALUE, "far");
    sink.missing("nothing", from, from, 1, "of no point");
    rig.settle();

    assertThat(rig.buffer.ledger).hasSize(2);
    LedgerEntry first = rig.buffer.ledger.get(0);
    assertThat(first.to()).isEqualTo(first.from());
    assertThat(first.count()).isEqualTo(1);
    assertThat(first.detail()).hasSizeLessThan(400);
    LedgerEntry second = rig.buffer.ledger.get(1);
    assertThat(second.count()).isPositive();
    assertThat(second.from().toEpochMilli()).isZero();
    assertThat(second.to().toEpochMilli()).isPositive();
  }

  @Test
  void whatIsToldOfAClosedConnectionLeadsNowhere() {
    sink.lost(null);
    rig.settle();
    rig.buffer.ledger.clear();
    sink.missing("p0", from, from, 1, "too late");
    rig.settle();

    assertThat(rig.buffer.ledger).isEmpty();
  }

  /** The loop has one thing to do, however often it is told; the driver has gone too far. */
  @Test
  void aFloodOfItIsCountedAndTheDriverAccused() {
    int most = Conduct.A_SECOND;
    for (int i = 0; i < most; i++) {
      sink.missing("p0", from, from, 1, "too short");
    }
    rig.settle();
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.buffer.ledger)
        .singleElement()
        .extracting(LedgerEntry::count)
        .isEqualTo((long) most);

    sink.missing("p0", from, from, 1, "too short");
    rig.settle();
    assertThat(rig.status("a").state()).isEqualTo(State.QUARANTINED);
    assertThat(rig.status("a").message()).contains("it floods");
    assertThat(rig.buffer.ledger.stream().filter(e -> e.detail().startsWith(Intake.ONLY)))
        .hasSize(2);
  }

  @Test
  void pointsThatTheProfileDoesNotHaveCountAsRefused() {
    sink.missing("nothing", from, from, 1, "of no point");
    rig.settle();

    assertThat(rig.buffer.ledger).isEmpty();
    assertThat(rig.engine.conduct().drivers().get(0).refused()).isEqualTo(1);
  }
}
