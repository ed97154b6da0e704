package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static io.culvert.buffer.Readings.of;
import static io.culvert.buffer.Readings.telemetry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Query.History;
import io.culvert.api.service.Query.Window;
import io.culvert.api.service.Query.Windows;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bounds on time and memory, windows, and queries while the log changes under them. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class SearchesTest {
  private static final BooleanSupplier ALWAYS = () -> true;

  @TempDir Path directory;
  private Store store;
  private volatile Settings settings = new Bounds().settings();

  @AfterEach
  void close() {
    if (store != null) {
      store.close();
    }
  }

  private void open() throws IOException {
    store =
        Store.open(
            directory,
            () -> settings,
            new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open),
            System::nanoTime,
            new long[StreamClass.values().length],
            java.util.Map.of());
  }

  private static BooleanSupplier times(int count) {
    AtomicInteger left = new AtomicInteger(count);
    return () -> left.getAndDecrement() > 0;
  }

  private List<Batch.Entry> history(String device) throws IOException {
    return Searches.history(store, device, "n", Instant.MIN, Instant.MAX, 100_000, ALWAYS)
        .entries();
  }

  /** Rows whose times are not in the order of their commits, partly in series. */
  private List<Reading> mixed() throws IOException {
    List<Reading> all = new ArrayList<>();
    for (int commit = 0; commit < 12; commit++) {
      settings = new Bounds().segmentSpan(Duration.ofHours(commit % 4 == 0 ? 0 : 6)).settings();
      List<Reading> readings = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        int n = (commit * 5 + i) * 37 % 60;
        readings.add(telemetry("a", n, T0.plusSeconds(n)));
      }
      store.append(readings);
      all.addAll(readings);
      if (commit == 9) {
        store.series().advance(store);
      }
    }
    all.sort(java.util.Comparator.comparing(Reading::eventTime));
    return all;
  }

  @Test
  void historyEndsWhenTheTimeIsOverWithTheOldestThatItFound() throws Exception {
    open();
    List<Reading> all = mixed();
    boolean complete = false;
    int found = 0;
    for (int steps = 0; !complete; steps++) {
      History history = Searches.history(store, "a", "n", T0, T0.plusSeconds(60), 20, times(steps));
      List<Reading> readings = history.entries().stream().map(Batch.Entry::reading).toList();
      assertThat(readings).isSortedAccordingTo(java.util.Comparator.comparing(Reading::eventTime));
      assertThat(all).containsAll(readings);
      assertThat(readings.size()).isGreaterThanOrEqualTo(found).isLessThanOrEqualTo(20);
      assertThat(steps).isLessThan(40);
      found = readings.size();
      complete = history.complete();
      if (complete) {
        assertThat(steps).as("asked between rows").isGreaterThan(2);
        assertThat(readings).isEqualTo(all.subList(0, 20));
      }
    }
  }

  @Test
  void atOneTimeAlarmsComeFirstWhereverTheyStand() throws Exception {
    open();
    Reading one = telemetry("a", 1, T0);
    Reading alarm = of("a", "n", StreamClass.ALARM, Value.of(3), T0);
    store.append(List.of(one, telemetry("a", 2, T0)));
    settings = new Bounds().segmentSpan(Duration.ZERO).settings();
    store.append(List.of(alarm));
    assertThat(
            Searches.history(store, "a", "n", T0, T0.plusMillis(1), 2, ALWAYS).entries().stream()
                .map(Batch.Entry::reading))
        .containsExactly(alarm, one);
  }

  @Test
  void theTimeIsLookedAtBeforeEachRow() throws Exception {
    open();
    for (int i = 0; i < 5; i++) {
      store.append(numbered("a", i, i + 1));
    }
    for (int steps = 0; steps < 5; steps++) {
      History history =
          Searches.history(store, "a", "n", Instant.MIN, Instant.MAX, 10, times(steps));
      assertThat(history.entries()).hasSize(steps);
      assertThat(history.complete()).isFalse();
    }
  }

  @Test
  void windowsEndWhenTheTimeIsOver() throws Exception {
    open();
    mixed();
    Windows none =
        Searches.windows(store, "a", "n", T0, T0.plusSeconds(60), Duration.ofSeconds(7), times(0));
    assertThat(none.complete()).isFalse();
    assertThat(none.windows()).isEmpty();
    Windows all =
        Searches.windows(store, "a", "n", T0, T0.plusSeconds(60), Duration.ofSeconds(7), ALWAYS);
    assertThat(all.complete()).isTrue();
    assertThat(all.windows().get(8))
        .isEqualTo(
            new Window(
                T0.plusSeconds(56), 4, 0, 56, 59, 57.5, telemetry("a", 59, T0.plusSeconds(59))));
    assertThat(all.windows()).hasSize(9);
  }

  @Test
  void badReadingsAndWhatIsNoNumberAreCountedOnly() throws Exception {
    open();
    List<Reading> readings =
        List.of(
            of("a", "n", StreamClass.STATE, Value.of(true), T0),
            of("a", "n", StreamClass.STATE, Value.of(false), T0.plusMillis(1)),
            of("a", "n", StreamClass.STATE, Value.of(Double.NaN), T0.plusMillis(2)),
            of("a", "n", StreamClass.STATE, Value.of("fault"), T0.plusMillis(4)),
            of("a", "n", StreamClass.STATE, Value.of(true), T0.plusMillis(3)),
            bad(T0.plusMillis(5)),
            bad(T0.plusSeconds(1)),
            of("a", "n", StreamClass.STATE, Value.of("x"), T0.plusSeconds(2)));
    store.append(readings);
    List<Window> windows =
        Searches.windows(store, "a", "n", T0, T0.plusSeconds(3), Duration.ofSeconds(1), ALWAYS)
            .windows();
    assertThat(windows.get(0)).isEqualTo(new Window(T0, 5, 1, 0, 1, 2 / 3.0, readings.get(3)));
    assertThat(windows.get(1))
        .isEqualTo(new Window(T0.plusSeconds(1), 0, 1, Double.NaN, Double.NaN, Double.NaN, null));
    assertThat(windows.get(2))
        .isEqualTo(
            new Window(
                T0.plusSeconds(2), 1, 0, Double.NaN, Double.NaN, Double.NaN, readings.get(7)));
  }

  private static Reading bad(Instant at) {
    Reading good = of("a", "n", StreamClass.STATE, Value.of(9), at);
    return new Reading(
        good.device(),
        good.point(),
        good.streamClass(),
        good.value(),
        "",
        io.culvert.api.Quality.BAD_TIMEOUT,
        at,
        at,
        good.clock(),
        good.grade());
  }

  @Test
  void aWindowMayBeLongerThanNanosecondsCount() throws Exception {
    open();
    store.append(numbered("a", 0, 3));
    Windows windows =
        Searches.windows(
            store, "a", "n", Instant.MIN, Instant.MAX, Duration.ofDays(365L * 100_000_000), ALWAYS);
    assertThat(windows.windows()).hasSize(1);
    assertThat(windows.windows().get(0).count()).isEqualTo(3);
  }

  @Test
  void windowsAreBounded() throws Exception {
    open();
    assertThatThrownBy(
            () ->
                Searches.windows(
                    store,
                    "a",
                    "n",
                    T0,
                    T0.plusSeconds(100_000).plusNanos(1),
                    Duration.ofSeconds(1),
                    ALWAYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("are 100001 windows of PT1S; at most 100000 are possible");
    assertThatThrownBy(
            () ->
                Searches.windows(
                    store, "a", "n", Instant.MIN, Instant.MAX, Duration.ofMillis(1), ALWAYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 100000 are possible");
    assertThatThrownBy(
            () ->
                Searches.windows(
                    store, "a", "n", T0, T0.plusSeconds(1), Duration.ofNanos(999_999), ALWAYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 ms or more is possible");
    assertThat(Searches.windows(store, "a", "n", T0, T0, Duration.ofSeconds(1), ALWAYS).windows())
        .isEmpty();
  }

  @Test
  void aRowThatCannotBeReadIsPassedOverAndTold() throws Exception {
    open();
    for (int i = 0; i < 4; i++) {
      store.append(numbered("a", i * 10, i * 10 + 10));
    }
    List<Reading> seen = new ArrayList<>();
    assertThat(each(seen)).isTrue();
    assertThat(seen).hasSize(40);
    store.close();
    damage("body", 10);
    open();
    seen.clear();
    assertThat(each(seen)).isFalse();
    assertThat(seen).hasSize(30);
    store.close();
    damage("head", 20);
    open();
    seen.clear();
    assertThat(each(seen)).isFalse();
    assertThat(seen).containsExactlyElementsOf(concat(numbered("a", 0, 10), numbered("a", 30, 40)));
    store.series().advance(store);
    seen.clear();
    assertThat(each(seen)).isFalse();
    assertThat(seen).containsExactlyElementsOf(concat(numbered("a", 0, 10), numbered("a", 30, 40)));
    assertThat(history("a")).hasSize(20);
  }

  private boolean each(List<Reading> seen) throws IOException {
    return Searches.each(
        store, "a", "n", Instant.MIN, Instant.MAX, entry -> seen.add(entry.reading()));
  }

  private static <T> List<T> concat(List<T> one, List<T> other) {
    List<T> both = new ArrayList<>(one);
    both.addAll(other);
    return both;
  }

  private void damage(String column, long position) throws Exception {
    long id = (long) StreamClass.TELEMETRY.ordinal() << 60 | position;
    try (var connection = Sqlite.open(directory.resolve("segment-0000000001.db"), true)) {
      Sqlite.execute(connection, "UPDATE entry SET " + column + " = x'0102' WHERE id = " + id);
    }
  }

  @Test
  void aQueryDuringWritesHasEachReadingOnceAndAllThatWereThere() throws Exception {
    settings = new Bounds().segmentBytes(40_000).settings();
    open();
    store.series().begin(store, new ThreadLoop("series"));
    append(numbered("a", 0, 20));
    AtomicLong committed = new AtomicLong(20);
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              for (int commit = 1; commit < 500; commit++) {
                int first = commit * 20;
                append(numbered("a", first, first + 20));
                committed.set(first + 20);
              }
            });
    long queries = 0;
    while (!writer.isDone() || queries == 0) {
      long before = committed.get();
      List<Batch.Entry> entries = history("a");
      assertThat(entries.size()).isGreaterThanOrEqualTo((int) before);
      for (int i = 0; i < entries.size(); i++) {
        if (entries.get(i).sequence() != i + 1) {
          assertThat(entries.get(i).sequence()).isEqualTo(i + 1);
        }
      }
      assertThat(
              Searches.last(store, Map.of("a", Set.of("n")), ALWAYS)
                  .readings()
                  .get(0)
                  .value()
                  .number())
          .isGreaterThanOrEqualTo(before - 1.0);
      queries++;
    }
    writer.get();
    assertThat(store.segments()).hasSizeGreaterThan(3);
  }

  private void append(List<Reading> readings) {
    try {
      store.append(readings);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aQueryDuringRetentionFindsWhatIsLeft() throws Exception {
    settings = new Bounds().segmentBytes(20_000).settings();
    open();
    store.series().begin(store, new ThreadLoop("series"));
    append(numbered("a", 0, 20));
    AtomicLong committed = new AtomicLong(20);
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              try {
                for (int commit = 1; commit < 500; commit++) {
                  store.append(numbered("a", commit * 20, commit * 20 + 20));
                  committed.set(commit * 20 + 20);
                  if (store.segments().size() > 3) {
                    store.delete(store.segments().get(0));
                  }
                }
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    int queries = 0;
    while (!writer.isDone() || queries == 0) {
      long before = committed.get();
      List<Long> sequences = history("a").stream().map(Batch.Entry::sequence).toList();
      // The active file is never deleted.
      assertThat(sequences.get(sequences.size() - 1)).isGreaterThanOrEqualTo(before);
      for (int i = 1; i < sequences.size(); i++) {
        if (sequences.get(i) <= sequences.get(i - 1)) {
          assertThat(sequences.get(i)).isGreaterThan(sequences.get(i - 1));
        }
      }
      Searches.each(store, "", "", Instant.MIN, Instant.MAX, entry -> true);
      queries++;
    }
    writer.get();
    store.close();
    try (var files = java.nio.file.Files.list(directory)) {
      List<String> names = files.map(file -> file.getFileName().toString()).toList();
      assertThat(names.stream().filter(name -> name.startsWith("series")).toList())
          .hasSizeLessThanOrEqualTo(store.segments().size());
    }
  }
}
