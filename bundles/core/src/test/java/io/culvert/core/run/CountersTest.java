package io.culvert.core.run;

import static io.culvert.core.run.Rig.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Query;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Counters go on from what is stored, over a start of the gateway. */
class CountersTest {
  private Rig rig = new Rig().plug();
  private final Store store = new Store();

  /** Answers from a list; notes what it was asked. */
  private static final class Store implements Query {
    final List<Reading> stored = new ArrayList<>();
    final List<Map<String, Set<String>>> asked = new ArrayList<>();
    boolean complete = true;
    RuntimeException failure;

    @Override
    public History history(
        String device, String point, Instant from, Instant to, int limit, Duration patience) {
      throw new AssertionError("not asked for");
    }

    @Override
    public Windows windows(
        String device, String point, Instant from, Instant to, Duration window, Duration patience) {
      throw new AssertionError("not asked for");
    }

    @Override
    public boolean each(String device, String point, Instant from, Instant to, Visitor visitor) {
      throw new AssertionError("not asked for");
    }

    @Override
    public Last last(Map<String, Set<String>> points, Duration patience) {
      asked.add(points);
      if (failure != null) {
        throw failure;
      }
      return new Last(stored, complete);
    }
  }

  private static Site.Entry device(String id) {
    PointModel counter =
        new PointModel(
            new Point("n", "holding:0", DataType.UINT16, Access.READ),
            null,
            Set.of(),
            new PointModel.Counter(65536, null),
            BigDecimal.ONE,
            null,
            BigDecimal.ZERO,
            "",
            null,
            null,
            StreamClass.TELEMETRY,
            Grade.GENERAL,
            null);
    PointModel plain = Rig.model("p0", Access.READ, StreamClass.TELEMETRY, null, null);
    return Rig.entry(
        id,
        "one",
        SECOND,
        SECOND,
        new Profile("p", "fake", SECOND, Map.of(), List.of(counter, plain)));
  }

  private static Reading stored(String device, long total) {
    return new Reading(
        device,
        "n",
        StreamClass.TELEMETRY,
        Value.of(total),
        "",
        Quality.GOOD,
        Rig.START,
        Rig.START,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }

  private List<String> totals(String device) {
    return rig.buffer.of(device).stream()
        .filter(r -> r.point().equals("n"))
        .map(r -> r.value() + " " + r.quality())
        .toList();
  }

  @Test
  void aTotalGoesOnFromWhatIsStored() {
    rig.engine.query(store);
    store.stored.add(stored("a", 65536L * 7 + 100));
    rig.driver.held.put("a.n", Value.of(150));
    rig.device(device("a")).apply().seconds(2);
    rig.driver.held.put("a.n", Value.of(20));
    rig.seconds(1);

    long total = 65536L * 7 + 150;
    assertThat(totals("a"))
        .containsExactly(total + " Good", total + " Good", "20 UncertainInitialValue");
  }

  @Test
  void devicesThatStartBeforeTheBufferAreAskedForTogetherWhenItIsThere() {
    rig = new Rig(false);
    rig.plug();
    rig.device(device("a")).device(device("b")).device("plain", "two").apply().seconds(20);
    store.stored.add(stored("b", 65536 + 4000));
    rig.driver.held.put("b.n", Value.of(4500));
    rig.engine.buffer(rig.buffer);
    rig.engine.query(store);
    rig.seconds(1);

    assertThat(store.asked).containsExactly(Map.of("a", Set.of("n"), "b", Set.of("n")));
    assertThat(totals("a")).containsExactly("0 Good");
    assertThat(totals("b")).containsExactly("70036 Good");
    assertThat(rig.engine.figures().missed()).isZero();
  }

  @Test
  void withoutAnAnswerPollingBeginsAfterAWhileAndTheTotalIsUncertainOnce() {
    rig.device(device("a")).device("plain", "two").apply();
    rig.advance(Recall.PATIENCE.minusMillis(1));
    assertThat(rig.driver.polls("a")).isEmpty();
    assertThat(rig.driver.polls("plain")).isNotEmpty();
    rig.seconds(2);

    assertThat(totals("a")).startsWith("0 UncertainInitialValue").doesNotHaveDuplicates();
    rig.engine.query(store);
    rig.seconds(2);
    assertThat(store.asked).describedAs("too late").isEmpty();
    assertThat(totals("a")).hasSize(4).last().isEqualTo("0 Good");
  }

  @Test
  void whatCannotBeReadOrWasNotSearchedToTheEndMakesTheTotalUncertainOnce() {
    store.failure = new UncheckedIOException(new java.io.IOException("disk"));
    rig.engine.query(store);
    rig.device(device("a")).apply().seconds(2);
    assertThat(totals("a")).containsExactly("0 UncertainInitialValue", "0 Good");

    store.failure = null;
    store.complete = false;
    store.stored.add(stored("c", 5));
    rig.driver.held.put("c.n", Value.of(6));
    rig.device(device("b")).device(device("c")).apply().seconds(2);
    assertThat(totals("b")).startsWith("0 UncertainInitialValue");
    assertThat(totals("c")).describedAs("this one was found").startsWith("6 Good");
  }

  @Test
  void aDriverThatIsExchangedDoesNotMakeItAskAgain() {
    rig.engine.query(store);
    rig.driver.held.put("a.n", Value.of(65000));
    rig.device(device("a")).apply().seconds(2);
    rig.plug("better", rig.driver, 1, "1.0.1");
    rig.driver.held.put("a.n", Value.of(100));
    rig.seconds(2);

    assertThat(store.asked).hasSize(1);
    assertThat(totals("a")).last().isEqualTo("65636 Good");
  }

  @Test
  void aDeviceThatGoesWhileItIsAskedForIsLeftAlone() {
    rig.device(device("a")).apply().seconds(1);
    rig.without("a").apply();
    rig.engine.query(store);
    rig.seconds(10);

    assertThat(rig.driver.polls("a")).isEmpty();
  }
}
