package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Commands;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Sink;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Devices that tell by themselves. */
class SubscriptionTest {
  private final Rig rig = new Rig().plug();

  @BeforeEach
  void subscribe() {
    rig.driver.subscribable.add("a");
    rig.device("a", "one").apply().seconds(1);
  }

  private CompletableFuture<Void> tell(long value) {
    return rig.driver
        .sinks
        .get("a")
        .accept(List.of(Sample.good("p0", Value.of(value))))
        .toCompletableFuture();
  }

  @Test
  void theyAreSubscribedToOnceAndNotPolled() {
    rig.seconds(30);

    assertThat(rig.driver.log).containsExactly("open a", "subscribe a 2");
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(rig.buffer.ledger).isEmpty();
  }

  @Test
  void theDeviceIsAnsweredWhenItsReadingsAreOnDisk() {
    rig.buffer.hold = true;
    CompletableFuture<Void> told = tell(10);
    rig.settle();
    assertThat(told).isNotDone();

    rig.buffer.waiting.forEach(f -> f.complete(null));
    rig.settle();
    assertThat(told).isCompleted();
    assertThat(rig.buffer.good("a")).extracting(Reading::value).containsExactly(Value.of(1.0));
    assertThat(rig.status("a").lastAnswer()).isEqualTo(rig.now());
  }

  @Test
  void whatTheBufferRefusesIsPassedOnAndEntered() {
    rig.buffer.refusal = new IOException("disk full");
    CompletableFuture<Void> told = tell(10);
    rig.settle();

    assertThat(told).isCompletedExceptionally();
    assertThat(rig.buffer.ledger)
        .singleElement()
        .extracting(LedgerEntry::reason, LedgerEntry::count)
        .containsExactly(Reason.NOT_ACCEPTED, 1L);
  }

  @Test
  void aSinkThatIsFullPushesBackAndCounts() {
    rig.buffer.hold = true;
    List<CompletionStage<Void>> all = new ArrayList<>();
    for (int i = 0; i < Intake.MOST + 5; i++) {
      all.add(tell(i));
    }
    rig.settle();

    assertThat(all.stream().filter(s -> s.toCompletableFuture().isDone())).hasSize(5);
    assertThat(all.get(Intake.MOST).toCompletableFuture())
        .failsWithin(java.time.Duration.ZERO)
        .withThrowableOfType(java.util.concurrent.ExecutionException.class)
        .withCauseInstanceOf(RejectedExecutionException.class);
    assertThat(rig.buffer.ledger).singleElement().extracting(LedgerEntry::count).isEqualTo(5L);
    assertThat(rig.engine.figures().read()).isEqualTo(Intake.MOST + 5);
  }

  @Test
  void aLostLinkIsToldEnteredAndOpenedAgain() {
    Sink old = rig.driver.sinks.get("a");
    old.lost(new IOException("reset"));
    rig.settle();
    assertThat(rig.status("a").state()).isEqualTo(State.OFFLINE);
    assertThat(rig.status("a").message()).contains("the link is lost: IOException: reset");
    assertThat(rig.driver.closed("a")).isEqualTo(1);
    assertThat(rig.buffer.of("a")).hasSize(2).allMatch(r -> r.quality().bad());

    assertThat(old.accept(List.of(Sample.good("p0", Value.of(1)))).toCompletableFuture())
        .isCompletedExceptionally();
    old.lost(null);
    rig.seconds(5);
    assertThat(rig.driver.opened("a")).isEqualTo(2);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(tell(10)).isNotCompletedExceptionally();
    assertThat(rig.status("a").failures()).isEqualTo(1);
  }

  @Test
  void theTimeWithoutALinkStandsInTheLedger() {
    rig.driver.opens.put("a", () -> CompletableFuture.failedFuture(new IOException("refused")));
    rig.driver.sinks.get("a").lost(null);
    rig.seconds(20);
    rig.driver.opens.remove("a");
    while (rig.status("a").state() != State.ONLINE) {
      rig.advance(SECOND);
    }

    assertThat(rig.buffer.ledger)
        .singleElement()
        .satisfies(
            e -> {
              assertThat(e.reason()).isEqualTo(Reason.NEVER_READ);
              assertThat(e.exact()).isFalse();
              assertThat(e.count()).isGreaterThanOrEqualTo(40);
            });
  }

  @Test
  void aLinkThatIsLostWhileItIsOpenedIsClosedAndOpenedAgain() {
    rig.driver.sinks.get("a").lost(null);
    CompletableFuture<Connection> opening = new CompletableFuture<>();
    rig.driver.opens.put("a", () -> opening);
    rig.seconds(2);
    assertThat(rig.driver.opened("a")).isEqualTo(2);

    rig.driver.sinks.get("a").lost(new IOException("reset"));
    rig.settle();
    opening.complete(rig.driver.connection("a"));
    rig.driver.opens.remove("a");
    rig.seconds(10);

    assertThat(rig.driver.opened("a")).isEqualTo(3);
    assertThat(rig.driver.closed("a")).isEqualTo(2);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(tell(10)).isNotCompletedExceptionally();
  }

  @Test
  void aLinkThatIsLostWhileTheDeviceAgreesIsOpenedAgain() {
    rig.driver.sinks.get("a").lost(null);
    CompletableFuture<Void> agreement = new CompletableFuture<>();
    rig.driver.agreements.put("a", agreement);
    rig.seconds(2);
    rig.driver.sinks.get("a").lost(new IOException("reset"));
    rig.settle();
    rig.driver.agreements.remove("a");
    agreement.complete(null);
    rig.seconds(10);

    assertThat(rig.driver.opened("a")).isEqualTo(3);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    assertThat(tell(10)).isNotCompletedExceptionally();
  }

  /** A command needs the connection too, and opens it before the pause is over. */
  @Test
  void aLinkThatACommandOpenedCountsAsBack() {
    rig.driver.opens.put("a", () -> CompletableFuture.failedFuture(new IOException("refused")));
    rig.driver.sinks.get("a").lost(null);
    rig.seconds(20);
    rig.driver.opens.remove("a");
    rig.engine.commands().submit(new Commands.Command("c", "a", "p0", Value.of(1), "shell:test"));
    rig.settle();
    assertThat(rig.driver.log).endsWith("subscribe a 2");

    rig.seconds(2);
    assertThat(rig.status("a").state()).isEqualTo(State.ONLINE);
    long gaps = rig.buffer.ledger.size();
    rig.seconds(120);
    assertThat(rig.buffer.ledger).hasSize((int) gaps);
  }
}
