package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.testkit.RecordingSink;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class FeedTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private final Feed feed =
      new Feed(
          Runnable::run,
          InstantSource.fixed(START),
          "d1",
          Settings.parse(Map.of("security", "none"), problem -> {}));
  private final RecordingSink sink = new RecordingSink();
  private int taken;

  private void take(int from, int count) {
    List<Sample> samples = new ArrayList<>();
    for (int i = from; i < from + count; i++) {
      samples.add(
          new Sample("p", Value.of((long) i), io.culvert.api.Quality.GOOD, START.plusSeconds(i)));
    }
    feed.take(samples, () -> taken++);
  }

  private static List<Long> values(RecordingSink sink) {
    return sink.samples().stream().map(s -> ((Value.Int) s.value()).value()).toList();
  }

  @Test
  void whatComesWithoutASinkWaitsAndGoesToTheNextOneFirst() {
    take(0, 2);
    feed.attach(sink);
    take(2, 1);
    assertThat(values(sink)).containsExactly(0L, 1L, 2L);
    assertThat(taken).isEqualTo(2);
    assertThat(feed.waiting()).isZero();
  }

  @Test
  void whatIsTooMuchToKeepIsToldAsMissing() {
    for (int i = 0; i < 60; i++) {
      take(1000 * i, 1000);
    }
    assertThat(feed.waiting()).isEqualTo(Feed.MOST_WAITING);
    feed.attach(sink);
    assertThat(sink.missing())
        .singleElement()
        .satisfies(
            gap -> {
              assertThat(gap.point()).isEqualTo("p");
              assertThat(gap.readings()).isEqualTo(10_000);
              assertThat(gap.from()).isEqualTo(START);
              assertThat(gap.to()).isEqualTo(START.plusSeconds(9_999));
            });
    assertThat(values(sink)).hasSize(50_000).startsWith(10_000L).endsWith(59_999L);
    assertThat(taken).isEqualTo(60);
  }

  @Test
  void aSinkThatDoesNotAcceptGetsNoMoreThanItCanHold() {
    List<CompletableFuture<Void>> pending = new ArrayList<>();
    sink.answer(
        () -> {
          pending.add(new CompletableFuture<>());
          return pending.get(pending.size() - 1);
        });
    feed.attach(sink);
    for (int i = 0; i < 100; i++) {
      take(100 * i, 100);
    }
    assertThat(pending).hasSize(Feed.HAND_OVERS);
    assertThat(feed.waiting()).isEqualTo(10_000);
    assertThat(taken).isZero();
    pending.get(0).complete(null);
    // The rest goes in as few hand-overs as may be.
    assertThat(pending).hasSize(Feed.HAND_OVERS + 1);
    pending.get(1).completeExceptionally(new IOException("refused"));
    List.copyOf(pending).forEach(stage -> stage.complete(null));
    List.copyOf(pending).forEach(stage -> stage.complete(null));
    assertThat(values(sink)).hasSize(10_000).isSorted();
    assertThat(taken).isEqualTo(100);
    assertThat(feed.waiting()).isZero();
  }

  @Test
  void whatALostSinkHasNotAnsweredDoesNotHoldTheNextOneUp() {
    sink.answer(CompletableFuture::new);
    feed.attach(sink);
    for (int i = 0; i < Feed.HAND_OVERS; i++) {
      take(i, 1);
    }
    feed.lost(new IOException("cut"), START, 0);
    assertThat(sink.lost()).hasSize(1);
    take(100, 1);
    RecordingSink next = new RecordingSink();
    feed.attach(next);
    assertThat(values(next)).containsExactly(100L);
    assertThat(feed.waiting()).isZero();
  }

  @Test
  void completeSinceIsTheLastMessageBeforeTheFirstLossUnlessSomethingBroke() {
    feed.attach(sink);
    assertThat(feed.opened()).isNull();
    feed.watched(START);
    feed.lost(new IOException("cut"), START.plusSeconds(10), 0);
    feed.lost(new IOException("cut"), START.plusSeconds(20), 0);
    feed.attach(sink);
    assertThat(feed.opened()).isEqualTo(START.plusSeconds(10));
    feed.lost(new IOException("cut"), START.plusSeconds(30), 0);
    feed.broken();
    feed.attach(sink);
    assertThat(feed.opened()).isNull();
  }

  @Test
  void aConnectionThatIsLostBeforeItToldAnythingDoesNotShortenIt() {
    feed.watched(START);
    feed.lost(new IOException("cut"), START.plusSeconds(10), 0);
    take(0, 1);
    feed.attach(sink);
    assertThat(feed.opened()).isEqualTo(START.plusSeconds(10));
    feed.lost(new IOException("cut"), START.plusSeconds(20), 0);
    feed.attach(sink);
    assertThat(feed.opened()).isEqualTo(START.plusSeconds(10));
    take(1, 1);
    feed.lost(new IOException("cut"), START.plusSeconds(30), 0);
    feed.attach(sink);
    assertThat(feed.opened()).isEqualTo(START.plusSeconds(30));
  }

  @Test
  void overflowsOfOneMessageAreToldOnceAPoint() {
    feed.attach(sink);
    feed.overflown("p", START, START.plusSeconds(1));
    feed.overflown("q", START, START.plusSeconds(1));
    feed.overflown("p", START.plusSeconds(1), START.plusSeconds(3));
    feed.tellOverflown();
    assertThat(sink.missing()).hasSize(2);
    assertThat(sink.missing().get(0).readings()).isEqualTo(2);
    assertThat(sink.missing().get(0).to()).isEqualTo(START.plusSeconds(3));
  }
}
