package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor.State;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Devices that keep a subscription while nobody is connected. */
class ContinuityTest {
  private final Rig rig = new Rig().plug();

  /** What the device says; {@code null} at first. */
  private Instant complete;

  @BeforeEach
  void subscribe() {
    rig.driver.subscribable.add("a");
    rig.driver.completeSince.put("a", () -> complete);
    rig.device("a", "one").apply().seconds(10);
  }

  private void lose() {
    rig.driver.opens.put("a", () -> CompletableFuture.failedFuture(new IOException("refused")));
    rig.driver.sinks.get("a").lost(null);
    rig.settle();
  }

  private void comeBack() {
    rig.driver.opens.remove("a");
    for (int i = 0; i < 300 && rig.status("a").state() != State.ONLINE; i++) {
      rig.seconds(1);
    }
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    rig.seconds(1);
  }

  private List<LedgerEntry> entries(Reason reason) {
    return rig.buffer.ledger.stream().filter(e -> e.reason() == reason).toList();
  }

  @Test
  void anOutageThatTheSubscriptionSurvivedIsNoGap() {
    complete = rig.now();
    lose();
    rig.seconds(20);
    comeBack();

    assertThat(rig.buffer.ledger).isEmpty();
    rig.seconds(300);
    assertThat(rig.buffer.ledger).isEmpty();
  }

  @Test
  void whatWasEnteredOfItMeanwhileIsTakenBack() {
    complete = rig.now();
    lose();
    rig.seconds(200);
    assertThat(entries(Reason.NEVER_READ)).hasSize(3);
    comeBack();

    List<LedgerEntry> never = entries(Reason.NEVER_READ);
    assertThat(entries(Reason.RECOVERED))
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.device()).isEqualTo("a");
              assertThat(e.streamClass()).isEqualTo("telemetry");
              assertThat(e.from()).isEqualTo(never.get(0).from());
              assertThat(e.to()).isEqualTo(never.get(never.size() - 1).to());
              assertThat(e.count()).isEqualTo(never.stream().mapToLong(LedgerEntry::count).sum());
              assertThat(e.exact()).isFalse();
            });
  }

  @Test
  void oneThatIsCompleteFromLaterOnLeavesTheGap() {
    lose();
    rig.seconds(5);
    complete = rig.now();
    comeBack();

    assertThat(entries(Reason.NEVER_READ)).hasSize(1);
    assertThat(entries(Reason.RECOVERED)).isEmpty();
  }

  @Test
  void oneThatTheDeviceHasForgottenLeavesTheGap() {
    complete = null;
    lose();
    rig.seconds(100);
    comeBack();

    assertThat(entries(Reason.NEVER_READ)).hasSize(2);
    assertThat(entries(Reason.RECOVERED)).isEmpty();
  }

  /** Whatever it would have told between these is missing, whenever a turn was due. */
  @Test
  void aGapReachesFromTheLastThatWasHeardToTheNewSubscriptionWithoutHoles() {
    rig.driver.sinks.get("a").accept(List.of(Sample.good("p0", Value.of(1))));
    rig.settle();
    Instant heard = rig.now();
    rig.seconds(3);
    lose();
    rig.seconds(200);
    comeBack();
    Instant again = rig.now();

    List<LedgerEntry> never = entries(Reason.NEVER_READ);
    assertThat(never).hasSizeGreaterThan(2);
    assertThat(never.get(0).from()).isEqualTo(heard);
    for (int i = 1; i < never.size(); i++) {
      assertThat(never.get(i).from()).isEqualTo(never.get(i - 1).to());
    }
    assertThat(never.get(never.size() - 1).to()).isBetween(again.minusSeconds(2), again);
  }

  @Test
  void anOutageBetweenTwoTurnsIsAGapToo() {
    lose();
    comeBack();

    assertThat(entries(Reason.NEVER_READ)).isNotEmpty();
  }

  @Test
  void theNextOutageIsOneOfItsOwn() {
    complete = rig.now();
    lose();
    rig.seconds(70);
    comeBack();
    rig.buffer.ledger.clear();

    // Complete since before the first one only: the second began later.
    rig.seconds(10);
    complete = null;
    lose();
    rig.seconds(70);
    comeBack();
    assertThat(entries(Reason.RECOVERED)).isEmpty();
    rig.buffer.ledger.clear();

    complete = rig.now();
    lose();
    rig.seconds(70);
    comeBack();
    assertThat(entries(Reason.RECOVERED))
        .singleElement()
        .extracting(LedgerEntry::count)
        .isEqualTo(entries(Reason.NEVER_READ).stream().mapToLong(LedgerEntry::count).sum());
  }

  /** While there was no buffer, what the device told was turned away: nobody keeps that. */
  @Test
  void aTimeWithoutABufferIsNotRecoveredByWhatTheDeviceKept() {
    rig.engine.buffer(null);
    rig.seconds(70);
    rig.engine.buffer(rig.buffer);
    rig.seconds(5);
    long before = entries(Reason.NEVER_READ).stream().mapToLong(LedgerEntry::count).sum();
    assertThat(before).isPositive();

    complete = rig.now();
    lose();
    rig.seconds(30);
    comeBack();
    assertThat(entries(Reason.RECOVERED)).isEmpty();
    assertThat(entries(Reason.NEVER_READ).stream().mapToLong(LedgerEntry::count).sum())
        .isEqualTo(before);
  }

  @Test
  void aDriverThatThrowsWhenItIsAskedHasFailedToSubscribe() {
    rig.driver.completeSince.put(
        "a",
        () -> {
          throw new IllegalStateException("confused");
        });
    lose();
    rig.driver.opens.remove("a");
    rig.seconds(10);

    assertThat(rig.status("a").state()).isEqualTo(State.OFFLINE);
    rig.seconds(90);
    assertThat(rig.buffer.ledger.get(0).detail()).contains("of no use").contains("confused");
  }
}
