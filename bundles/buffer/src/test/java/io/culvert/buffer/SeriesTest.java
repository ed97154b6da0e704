package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static io.culvert.buffer.Readings.of;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the series hold, and what becomes of their files. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class SeriesTest {
  @TempDir Path directory;
  private Store store;
  private Settings settings = new Bounds().settings();
  private long nanos;

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
            new Machine(() -> T0.plusNanos(nanos), ThreadLoop::new, Sqlite::open),
            () -> nanos,
            new long[StreamClass.values().length],
            java.util.Map.of());
  }

  private void nextSegment() {
    settings = new Bounds().segmentSpan(Duration.ZERO).settings();
  }

  private void sameSegment() {
    settings = new Bounds().settings();
  }

  private void grow() {
    boolean more = true;
    while (more) {
      more = store.series().advance(store);
    }
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("series-"))
          .sorted()
          .toList();
    }
  }

  private List<Reading> history(String device) throws IOException {
    return Searches.history(store, device, "n", Instant.MIN, Instant.MAX, 100_000, () -> true)
        .entries()
        .stream()
        .map(Batch.Entry::reading)
        .toList();
  }

  /** Takes the rows away, so that what is answered comes from the series. */
  private void breakRows(Segment segment) throws Exception {
    segment.closeReader();
    try (var connection = Sqlite.open(segment.file(), true)) {
      Sqlite.execute(connection, "UPDATE entry SET body = zeroblob(20)");
    }
  }

  @Test
  void anEvenSignalTakesFewBytes() throws Exception {
    open();
    for (int second = 0; second < 300; second++) {
      nanos += 1_000_000_000;
      store.append(Measure.poll(10, 20, T0.plusSeconds(second), second));
    }
    nextSegment();
    store.append(numbered("a", 0, 1));
    grow();
    assertThat(store.series().bytes() / (300.0 * 10 * 20)).as("bytes a reading").isLessThan(2.5);
    assertThat(store.segments().get(0).bytes() / (300.0 * 10 * 20)).isGreaterThan(2.5);
  }

  @Test
  void aSealedSegmentIsAnsweredFromItsSeriesAlone() throws Exception {
    open();
    for (int i = 0; i < 20; i++) {
      List<Reading> commit = new ArrayList<>(numbered("a", i * 10, i * 10 + 10));
      commit.addAll(numbered("b", i, i + 1));
      store.append(commit);
    }
    nextSegment();
    store.append(numbered("c", 0, 1));
    grow();
    breakRows(store.segments().get(0));

    assertThat(history("a")).isEqualTo(numbered("a", 0, 200));
    assertThat(history("b")).isEqualTo(numbered("b", 0, 20));
    assertThat(history("no such device")).isEmpty();
  }

  @Test
  void theNewestRowsAreAnsweredFromMemory() throws Exception {
    open();
    store.append(numbered("a", 0, 10));
    grow();
    breakRows(store.segments().get(0));
    store.append(numbered("a", 10, 20));
    assertThat(files()).isEmpty();

    assertThat(history("a")).isEqualTo(numbered("a", 0, 20));
  }

  @Test
  void whatIsInMemoryForLongGoesToDisk() throws Exception {
    open();
    store.append(numbered("a", 0, 10));
    grow();
    nanos += Duration.ofMinutes(30).toNanos();
    grow();
    assertThat(files()).hasSize(1);
    breakRows(store.segments().get(0));
    store.close();
    open();
    assertThat(history("a")).isEqualTo(numbered("a", 0, 10));
  }

  @Test
  void memoryIsBoundedByBlocks() throws Exception {
    open();
    List<Reading> all = new ArrayList<>();
    String text = "x".repeat(1000);
    for (int commit = 0; commit < 24; commit++) {
      List<Reading> readings = new ArrayList<>();
      for (int i = 0; i < 400; i++) {
        int n = commit * 400 + i;
        readings.add(of("a", "n", StreamClass.EVENT, Value.of(n + text), T0.plusMillis(n)));
      }
      store.append(readings);
      all.addAll(readings);
      grow();
      assertThat(
              store
                  .series()
                  .view(store.segments().get(0), StreamClass.EVENT, null, null)
                  .block()
                  .bytes())
          .isLessThan(2 << 20);
    }
    breakRows(store.segments().get(0));
    Segment segment = store.segments().get(0);
    assertThat(store.series().view(segment, StreamClass.EVENT, "a", "n").blocks())
        .hasSizeGreaterThan(5);
    assertThat(history("a")).isEqualTo(all);
  }

  @Test
  void aDeviceOfManyPointsIsReadWithoutUnpackingThemAll() throws Exception {
    open();
    List<Reading> all = new ArrayList<>();
    for (int second = 0; second < 40; second++) {
      List<Reading> poll = new ArrayList<>();
      for (int p = 0; p < 300; p++) {
        Value value = Value.of(Math.sin(second * 300 + p));
        poll.add(
            of("a", p == 7 ? "n" : "p" + p, StreamClass.TELEMETRY, value, T0.plusSeconds(second)));
      }
      store.append(poll);
      all.add(poll.get(7));
    }
    nextSegment();
    store.append(numbered("b", 0, 1));
    grow();
    breakRows(store.segments().get(0));
    assertThat(history("a")).isEqualTo(all);
  }

  @Test
  void theFileGoesWithItsSegmentAndCountsUntilThen() throws Exception {
    open();
    store.append(numbered("a", 0, 1000));
    nextSegment();
    store.append(numbered("a", 1000, 1001));
    long before = store.bytes();
    grow();
    assertThat(files()).hasSize(1);
    assertThat(store.bytes()).isEqualTo(before + Files.size(files().get(0)));

    store.delete(store.segments().get(0));

    assertThat(files()).isEmpty();
    assertThat(history("a")).hasSize(1);
    assertThat(store.bytes()).isEqualTo(store.segments().get(0).bytes());
  }

  @Test
  void aFileWithoutSegmentIsDeletedAtTheStart() throws Exception {
    Files.write(directory.resolve("series-0000000009.dat"), new byte[] {1});
    open();
    assertThat(files()).isEmpty();
  }

  @Test
  void aFileOfOtherPositionsIsMadeAgain() throws Exception {
    open();
    store.append(numbered("old", 0, 1000));
    nextSegment();
    store.append(numbered("a", 0, 10));
    grow();
    store.close();
    Files.move(
        directory.resolve("series-0000000001.dat"), directory.resolve("series-0000000002.dat"));
    open();
    assertThat(files()).isEmpty();
    grow();
    assertThat(history("old")).hasSize(1000);
    assertThat(history("a")).hasSize(10);
  }

  @Test
  void whatWasForgottenIsTakenInAnew() throws Exception {
    open();
    store.append(numbered("a", 0, 10));
    nextSegment();
    store.append(numbered("a", 10, 20));
    sameSegment();
    grow();
    store.series().forget(1);
    store.series().forget(2);
    assertThat(files()).isEmpty();
    assertThat(history("a")).isEqualTo(numbered("a", 0, 20));
    grow();
    breakRows(store.segments().get(0));
    breakRows(store.segments().get(1));
    assertThat(history("a")).isEqualTo(numbered("a", 0, 20));
  }

  @Test
  void damageIsAnsweredFromTheRowsAndMadeAgainOnce() throws Exception {
    open();
    store.append(numbered("a", 0, 1000));
    nextSegment();
    store.append(numbered("b", 0, 1));
    sameSegment();
    grow();
    for (int time = 0; time < 2; time++) {
      flip(files().get(0), 60);
      assertThat(history("a")).isEqualTo(numbered("a", 0, 1000));
      assertThat(files()).isEmpty();
      grow();
      assertThat(files()).hasSize(1 - time);
    }
    assertThat(history("a")).isEqualTo(numbered("a", 0, 1000));
  }

  @Test
  void aBlockThatACrashLeftHalfWrittenIsWrittenAnew() throws Exception {
    open();
    store.append(numbered("a", 0, 1000));
    grow();
    nanos += Duration.ofHours(1).toNanos();
    grow();
    long whole = Files.size(files().get(0));
    store.append(numbered("a", 1000, 2000));
    grow();
    nanos += Duration.ofHours(1).toNanos();
    grow();
    store.close();
    byte[] bytes = Files.readAllBytes(files().get(0));
    // The header is written last.
    java.util.Arrays.fill(bytes, (int) whole, (int) whole + 32, (byte) 0);
    Files.write(files().get(0), bytes);
    open();
    assertThat(store.series().bytes()).isEqualTo(whole);
    grow();
    nextSegment();
    store.append(numbered("b", 0, 1));
    grow();
    breakRows(store.segments().get(0));
    assertThat(history("a")).isEqualTo(numbered("a", 0, 2000));
    assertThat(Files.size(files().get(0))).isEqualTo(bytes.length);
  }

  @Test
  void aFullDiskStopsTheSeriesAndNothingElse() throws Exception {
    open();
    Path full = directory.resolve("series-0000000001.dat");
    Files.createSymbolicLink(full, Path.of("/dev/full"));
    store.append(numbered("a", 0, 1000));
    nextSegment();
    store.append(numbered("a", 1000, 1010));
    sameSegment();
    grow();
    assertThat(Files.isSymbolicLink(full)).isTrue();
    assertThat(history("a")).isEqualTo(numbered("a", 0, 1010));

    Files.delete(full);
    grow();
    assertThat(files()).as("not tried again at once").isEmpty();
    nanos += Duration.ofMinutes(5).toNanos();
    grow();
    breakRows(store.segments().get(0));
    breakRows(store.segments().get(1));
    assertThat(history("a")).isEqualTo(numbered("a", 0, 1010));
  }

  private static void flip(Path file, int at) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[at] ^= 0x10;
    Files.write(file, bytes);
  }
}
