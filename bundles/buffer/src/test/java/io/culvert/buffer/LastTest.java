package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.of;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Query.Last;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The value of a point that was stored last. */
class LastTest {
  private static final Duration ENOUGH = Duration.ofMinutes(1);

  @TempDir Path directory;
  private DurableBuffer buffer;

  @AfterEach
  void close() {
    buffer.close();
  }

  /** Each commit begins a file of its own. */
  private void open() throws IOException {
    buffer =
        new DurableBuffer(
            directory,
            new Bounds().segmentSpan(Duration.ZERO).settings(),
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
  }

  private void accept(Reading... readings) throws Exception {
    buffer.accept(List.of(readings)).toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static Reading bad(String device, String point) {
    return new Reading(
        device,
        point,
        StreamClass.TELEMETRY,
        null,
        "",
        Quality.BAD_TIMEOUT,
        T0,
        T0,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }

  @Test
  void isTheOneCommittedLastThatHasAValueWhateverItsTimeAndClass() throws Exception {
    open();
    Reading old = of("a", "n", StreamClass.TELEMETRY, Value.of(1), T0.plusSeconds(60));
    Reading early = of("a", "n", StreamClass.TELEMETRY, Value.of(2), T0);
    Reading state = of("a", "mode", StreamClass.STATE, Value.of(3), T0);
    Reading other = of("b", "n", StreamClass.TELEMETRY, Value.of(4), T0);
    accept(state, other);
    accept(old, early, bad("a", "n"));
    accept(bad("a", "n"), of("c", "n", StreamClass.TELEMETRY, Value.of(5), T0));
    buffer.close();
    open();

    Last last =
        buffer.last(
            Map.of("a", Set.of("n", "mode", "nothing"), "b", Set.of("n"), "d", Set.of("n")),
            ENOUGH);

    assertThat(last.readings()).containsExactlyInAnyOrder(early, state, other);
    assertThat(last.complete()).isTrue();
  }

  @Test
  void saysWhenItHadNoTimeToLookEverywhere() throws Exception {
    open();
    accept(of("a", "n", StreamClass.TELEMETRY, Value.of(1), T0));

    Last last = buffer.last(Map.of("a", Set.of("n")), Duration.ZERO);

    assertThat(last.readings()).isEmpty();
    assertThat(last.complete()).isFalse();
  }

  @Test
  void endsWhenAllIsFoundAndIsCompleteThen() throws Exception {
    open();
    Reading reading = of("a", "n", StreamClass.TELEMETRY, Value.of(1), T0);
    accept(reading);

    assertThat(buffer.last(Map.of("a", Set.of("n")), ENOUGH))
        .isEqualTo(new Last(List.of(reading), true));
    assertThat(buffer.last(Map.of("a", Set.of()), Duration.ZERO))
        .isEqualTo(new Last(List.of(), true));
  }
}
