package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static io.culvert.buffer.Readings.numbered;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of readings while the disk refuses them. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class AcceptorTest {
  @TempDir Path directory;
  private final Map<String, HandLoop> loops = new LinkedHashMap<>();
  private final FaultyDisk disk = new FaultyDisk("segment");
  private DurableBuffer buffer;

  @AfterEach
  void close() {
    if (buffer != null) {
      disk.broken(false);
      buffer.close();
    }
  }

  private void open(Path where, FaultyDisk on) throws IOException {
    open(where, on, Duration.ofHours(1));
  }

  private void open(Path where, FaultyDisk on, Duration segmentSpan) throws IOException {
    loops.clear();
    buffer =
        new DurableBuffer(
            where,
            new Bounds().segmentSpan(segmentSpan).settings(),
            new Machine(() -> T0, name -> loops.computeIfAbsent(name, n -> new HandLoop()), on));
    run();
  }

  private void run() {
    for (int i = 0; i < 5; i++) {
      loops.values().forEach(HandLoop::run);
    }
  }

  private void pass(Duration time) {
    for (long tenths = time.toMillis() / 10; tenths > 0; tenths--) {
      loops.values().forEach(loop -> loop.pass(Duration.ofMillis(10)));
      run();
    }
  }

  private CompletableFuture<Void> accept(List<Reading> readings) {
    return buffer.accept(readings).toCompletableFuture();
  }

  private static List<Reading> one(StreamClass streamClass, long value) {
    return List.of(Readings.of("a", "n", streamClass, Value.of(value), T0.plusMillis(value)));
  }

  private List<Batch.Entry> stored() {
    return buffer
        .history("a", "n", Instant.MIN, Instant.MAX, 100_000, Duration.ofMinutes(1))
        .entries();
  }

  @Test
  void theDiskIsTriedLessAndLessOften() throws Exception {
    open(directory, disk);
    disk.broken(true);
    accept(numbered("a", 0, 1));
    int before = disk.steps();
    pass(Duration.ofMillis(100));
    assertThat(disk.steps() - before).as("at once").isEqualTo(1);
    pass(Duration.ofMillis(250));
    assertThat(disk.steps() - before).isEqualTo(2);
    pass(Duration.ofMillis(500));
    assertThat(disk.steps() - before).isEqualTo(3);
    pass(Duration.ofSeconds(60));
    assertThat(disk.steps() - before).as("each five seconds in the end").isBetween(15, 18);
  }

  @Test
  void anAlarmIsTriedAtOnceButNotMoreThanEachSecond() throws Exception {
    open(directory, disk);
    disk.broken(true);
    accept(numbered("a", 0, 1));
    pass(Duration.ofSeconds(30));
    int before = disk.steps();
    for (int i = 1; i <= 100; i++) {
      accept(one(StreamClass.ALARM, i));
      pass(Duration.ofMillis(100));
    }
    assertThat(disk.steps() - before).isBetween(8, 13);

    disk.broken(false);
    pass(Duration.ofSeconds(1));
    CompletableFuture<Void> last = accept(one(StreamClass.ALARM, 101));
    run();
    assertThat(last).isCompleted();
    assertThat(stored()).hasSize(102);
  }

  @Test
  void whatIsHeldIsCommittedInTheOrderInWhichItCame() throws Exception {
    open(directory, disk);
    disk.broken(true);
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    List<Reading> offered = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      List<Reading> call = numbered("a", i * 100, i * 100 + 100);
      offered.addAll(call);
      answers.add(accept(call));
    }
    pass(Duration.ofSeconds(10));
    assertThat(answers).noneMatch(CompletableFuture::isDone);
    disk.broken(false);
    pass(Duration.ofSeconds(6));
    assertThat(answers).allMatch(CompletableFuture::isDone);
    assertThat(stored()).extracting(Batch.Entry::reading).isEqualTo(offered);
    assertThat(stored())
        .extracting(Batch.Entry::sequence)
        .isEqualTo(LongStream.rangeClosed(1, 40_000).boxed().toList());
  }

  @Test
  void telemetryIsGivenUpFirstAndAlarmsLast() throws Exception {
    open(directory, disk);
    disk.broken(true);
    Map<StreamClass, List<CompletableFuture<Void>>> answers = new LinkedHashMap<>();
    String large = "x".repeat(20_000);
    for (StreamClass streamClass : StreamClass.values()) {
      for (int i = 0; i < 400; i++) {
        List<Reading> call =
            List.of(Readings.of("a", "n", streamClass, Value.of(large + i), T0.plusMillis(i)));
        answers.computeIfAbsent(streamClass, s -> new ArrayList<>()).add(accept(call));
        run();
      }
    }
    // About 280 of 60 kB fit; the first of all is being tried and stays.
    assertThat(failed(answers.get(StreamClass.ALARM)))
        .as("the oldest alarms went for younger ones")
        .isBetween(100L, 140L);
    assertThat(answers.get(StreamClass.ALARM).get(0)).isNotDone();
    assertThat(answers.get(StreamClass.ALARM).get(30)).isCompletedExceptionally();
    assertThat(answers.get(StreamClass.ALARM).get(399)).isNotDone();
    for (StreamClass less : List.of(StreamClass.EVENT, StreamClass.STATE, StreamClass.TELEMETRY)) {
      assertThat(failed(answers.get(less))).as("none for a less important").isEqualTo(400);
    }
    assertThatThrownBy(() -> answers.get(StreamClass.TELEMETRY).get(0).get())
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("readings wait for the disk; the bound is")
        .hasMessageContaining("answers with an error");
    disk.broken(false);
    pass(Duration.ofSeconds(6));
    long accepted =
        answers.values().stream()
            .flatMap(List::stream)
            .filter(f -> !f.isCompletedExceptionally())
            .count();
    assertThat(stored()).as("offered = accepted + refused").hasSize((int) accepted);
  }

  private static long failed(List<CompletableFuture<Void>> answers) {
    return answers.stream().filter(CompletableFuture::isCompletedExceptionally).count();
  }

  @Test
  void aFaultAtAnyStepLosesNothingAndStoresNothingTwice(@TempDir Path others) throws Exception {
    int step = 0;
    boolean reached = true;
    boolean late = false;
    while (reached) {
      String what = "step " + step + ", " + late;
      Path where = Files.createDirectory(others.resolve(step + "-" + late));
      FaultyDisk faulty = new FaultyDisk("segment");
      // A file each commit, so that faults fall into changes of file too.
      open(where, faulty, Duration.ZERO);
      faulty.failAt(step, late);
      List<CompletableFuture<Void>> answers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        answers.add(accept(numbered("a", i * 10, i * 10 + 10)));
        pass(Duration.ofMillis(60));
      }
      pass(Duration.ofSeconds(1));
      reached = faulty.mend();
      assertThat(answers).as(what).allMatch(f -> f.isDone() && !f.isCompletedExceptionally());
      assertThat(buffer.status().problem()).as(what).isEmpty();
      buffer.close();
      open(where, new FaultyDisk("none"));
      assertThat(stored())
          .as(what)
          .extracting(Batch.Entry::reading)
          .isEqualTo(numbered("a", 0, 20));
      assertThat(stored())
          .as(what)
          .extracting(Batch.Entry::sequence)
          .isEqualTo(LongStream.rangeClosed(1, 20).boxed().toList());
      buffer.close();
      // A commit that failed may have come to the disk all the same.
      late = !late && faulty.failedCommit();
      step += late ? 0 : 1;
    }
    assertThat(step).isGreaterThan(20);
  }

  @Test
  void aFileWhoseSealFailedHoldsWhatIsAddedAfterwards() throws Exception {
    open(directory, disk, Duration.ZERO);
    accept(numbered("a", 0, 10));
    pass(Duration.ofMillis(100));
    // The seal is committed; taking in the log fails.
    disk.failAt(2, false);
    accept(numbered("a", 10, 20));
    pass(Duration.ofMillis(100));
    assertThat(disk.mend()).isTrue();
    assertThat(buffer.status().disk()).isEqualTo(Buffer.Disk.FAILING);
    buffer.configure(Readings.settings());
    pass(Duration.ofSeconds(1));
    assertThat(Files.exists(directory.resolve(Segment.fileName(2)))).as("goes on").isFalse();
    buffer.close();
    open(directory, disk);
    Platform platform = new Platform(4).confirming();
    buffer.add("city", platform);
    pass(Duration.ofSeconds(1));
    assertThat(platform.entries().stream().filter(e -> e.reading().device().equals("a")))
        .hasSize(20);
  }

  @Test
  void whatMayBeOnTheDiskIsNotToldAsRefused(@TempDir Path others) throws Exception {
    open(directory, disk);
    accept(numbered("a", 0, 10));
    pass(Duration.ofMillis(100));
    // The next commit comes to the disk, is told as failed, and then the disk is gone.
    disk.lie();
    CompletableFuture<Void> first = accept(numbered("a", 10, 20));
    pass(Duration.ofMillis(100));
    assertThat(stored(others, "before")).hasSize(20);
    List<CompletableFuture<Void>> later = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      later.add(accept(numbered("b", i * 1000, i * 1000 + 1000)));
      run();
    }
    pass(Duration.ofSeconds(30));
    assertThat(failed(later)).isPositive();
    assertThat(first).as("it may be there").isNotDone();
    assertThat(stored(others, "crash")).hasSize(20);

    disk.broken(false);
    pass(Duration.ofSeconds(6));
    assertThat(first).isCompleted();
    assertThat(stored()).as("once").hasSize(20);
  }

  /** Numbers that a stop of the machine at this moment would leave. */
  private List<Long> stored(Path others, String name) throws Exception {
    Path copy = Files.createDirectory(others.resolve(name));
    try (var files = Files.list(directory)) {
      for (Path file : files.filter(f -> !f.endsWith("lock")).toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    try (DurableBuffer left =
        new DurableBuffer(
            copy, Readings.settings(), new Machine(() -> T0, n -> new HandLoop(), Sqlite::open))) {
      return left
          .history("a", "n", Instant.MIN, Instant.MAX, 100_000, Duration.ofMinutes(1))
          .entries()
          .stream()
          .map(entry -> ((Value.Int) entry.reading().value()).value())
          .toList();
    }
  }

  @Test
  void aGapToldAsFailedAndEnteredAgainCountsOnce(@TempDir Path others) throws Exception {
    LedgerEntry gap =
        new LedgerEntry("a", "telemetry", T0, T0, 3, true, Reason.NOT_ACCEPTED, "Full.");
    LedgerEntry grows =
        new LedgerEntry("a", "telemetry", T0, T0, 3, true, Reason.DROPPED, Thinning.WHY);
    int step = 0;
    boolean reached = true;
    boolean late = false;
    while (reached) {
      Path where = Files.createDirectory(others.resolve(step + "-" + late));
      FaultyDisk faulty = new FaultyDisk("ledger");
      open(where, faulty);
      faulty.failAt(step, late);
      for (LedgerEntry entry : List.of(gap, grows, grows)) {
        CompletableFuture<Void> entered = gap(entry);
        if (entered.isCompletedExceptionally()) {
          entered = gap(entry);
        }
        assertThat(entered).isCompleted();
      }
      reached = faulty.mend();
      assertThat(buffer.ledger(Instant.MIN, Instant.MAX, 10))
          .as("step %s, %s", step, late)
          .extracting(entry -> entry.reason() + " " + entry.count())
          .containsExactlyInAnyOrder("NOT_ACCEPTED 3", "DROPPED 6");
      buffer.close();
      late = !late && faulty.failedCommit();
      step += late ? 0 : 1;
    }
    assertThat(step).isGreaterThan(20);
  }

  private CompletableFuture<Void> gap(LedgerEntry entry) {
    CompletableFuture<Void> entered = buffer.gap(entry).toCompletableFuture();
    run();
    return entered;
  }

  /** A loop on a thread whose time a test can put forward. */
  private static final class Ahead implements Loop {
    private final Loop loop;
    private volatile long ahead;

    Ahead(String name) {
      loop = new ThreadLoop(name);
    }

    @Override
    public boolean execute(Runnable task) {
      return loop.execute(task);
    }

    @Override
    public void schedule(Runnable task, Duration delay) {
      loop.schedule(task, delay);
    }

    @Override
    public long nanos() {
      return loop.nanos() + ahead;
    }

    @Override
    public void close() {
      loop.close();
    }
  }

  @Test
  void aDiskThatDoesNotAnswerHoldsUpNobody() throws Exception {
    Map<String, Ahead> threads = new LinkedHashMap<>();
    buffer =
        new DurableBuffer(
            directory,
            Readings.settings(),
            new Machine(
                Clock.systemUTC(), name -> threads.computeIfAbsent(name, Ahead::new), disk));
    accept(numbered("a", 0, 10)).get(60, TimeUnit.SECONDS);
    CountDownLatch hang = disk.hang();
    CompletableFuture<Void> first = accept(numbered("a", 10, 20));
    await().until(() -> threads.get("writer") != null && buffer.status().pending() == 10);
    threads.get("writer").ahead = Duration.ofSeconds(11).toNanos();
    await().until(() -> buffer.status().disk() == Buffer.Disk.FAILING);
    assertThat(buffer.status().problem())
        .contains(directory + " doesn't answer: a commit has waited");
    List<CompletableFuture<Void>> later = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      later.add(accept(numbered("b", i * 1000, i * 1000 + 1000)));
    }
    await().until(() -> failed(later) > 0);
    assertThat(buffer.status().pending()).isLessThanOrEqualTo(Acceptor.MAX_READINGS);
    assertThat(stored()).as("what is there can be read").hasSize(10);
    assertThat(first).isNotDone();
    assertThatThrownBy(() -> later.get(0).get())
        .hasCauseInstanceOf(IOException.class)
        .hasMessageContaining("doesn't answer");

    hang.countDown();
    first.get(60, TimeUnit.SECONDS);
    await().until(() -> buffer.status().pending() == 0);
    assertThat(buffer.status().disk()).isEqualTo(Buffer.Disk.WORKING);
    assertThat(later).allMatch(CompletableFuture::isDone);
    assertThat(buffer.status().accepted()).isEqualTo(20 + (300 - failed(later)) * 1000);
  }
}
