package io.culvert.buffer;

import static io.culvert.buffer.Readings.T0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Steps of the clock, over the real store, with clock and time in the test's hand. */
class TimelineTest {
  private static final Duration DAY = Duration.ofDays(1);

  @TempDir Path directory;
  private final HandLoop loop = new HandLoop();
  private Duration error = Duration.ZERO;
  private UUID boot = UUID.randomUUID();
  private Store store;
  private int made;
  private Connection writer;

  @BeforeEach
  void open() throws IOException {
    Machine machine = new Machine(this::clock, name -> loop, this::connect, boot, Seal.PLAIN, null);
    store =
        Store.open(
            directory, () -> new Bounds().settings(), machine, loop::nanos, new long[4], Map.of());
  }

  private Connection connect(Path file, boolean writable) throws SQLException {
    Connection connection = Sqlite.open(file, writable);
    writer = writable && file.toString().contains("segment") ? connection : writer;
    return connection;
  }

  @AfterEach
  void close() {
    store.close();
  }

  private Instant truth() {
    return T0.plusNanos(loop.nanos());
  }

  private Instant clock() {
    return truth().plus(error);
  }

  private Reading reading(ClockState state) {
    return reading(state, clock());
  }

  /** Its value is the true time, so that a test sees what became of the one it bears. */
  private Reading reading(ClockState state, Instant eventTime) {
    made++;
    return new Reading(
        "a",
        "p",
        StreamClass.TELEMETRY,
        Value.of(truth().toEpochMilli()),
        "",
        Quality.GOOD,
        eventTime,
        clock(),
        state,
        Grade.GENERAL);
  }

  private void commit(Reading... readings) throws IOException {
    store.append(List.of(readings));
  }

  private void second() {
    loop.pass(Duration.ofSeconds(1));
  }

  private void seconds(int count, ClockState state) throws IOException {
    for (int i = 0; i < count; i++) {
      second();
      commit(reading(state));
    }
  }

  private List<Reading> all() throws IOException {
    List<Batch.Entry> entries =
        Searches.history(store, "a", "p", Instant.MIN, Instant.MAX, 1000, () -> true).entries();
    assertThat(entries).hasSize(made);
    return entries.stream().map(Batch.Entry::reading).toList();
  }

  /** By how much a reading's time is wrong. */
  private static Duration wrong(Reading reading) {
    return Duration.between(
        Instant.ofEpochMilli(((Value.Int) reading.value()).value()), reading.receivedTime());
  }

  private List<Value.Struct> told() throws IOException {
    List<Value.Struct> told = new ArrayList<>();
    for (Batch.Entry entry :
        Searches.history(
                store, Readings.GATEWAY, Timeline.POINT, Instant.MIN, Instant.MAX, 1000, () -> true)
            .entries()) {
      told.add((Value.Struct) entry.reading().value());
    }
    return told;
  }

  @Test
  void whatWasStampedByAWrongClockIsRightOnceTheClockIs() throws IOException {
    error = DAY.negated();
    seconds(5, ClockState.UNSYNCHRONISED);
    error = Duration.ZERO;
    seconds(3, ClockState.UNSYNCHRONISED);
    assertThat(all()).as("nobody says that it is right yet").anyMatch(r -> !wrong(r).isZero());
    assertThat(told()).hasSize(1);
    assertThat(told().get(0).fields()).containsEntry("applied", Value.of(false));

    seconds(2, ClockState.SYNCHRONISED);
    assertThat(all()).allMatch(r -> wrong(r).isZero());
    assertThat(all().subList(0, 5))
        .allSatisfy(r -> assertThat(r.clock()).isEqualTo(ClockState.CORRECTED))
        .allSatisfy(r -> assertThat(r.eventTime()).isEqualTo(r.receivedTime()));
    assertThat(all().subList(5, 8))
        .allSatisfy(r -> assertThat(r.clock()).isEqualTo(ClockState.UNSYNCHRONISED));
    assertThat(told()).hasSize(2);
    assertThat(told().get(1).fields())
        .containsEntry("applied", Value.of(true))
        .containsEntry("shift", Value.of(86_400.0));

    close();
    open();
    assertThat(all()).as("after a restart").allMatch(r -> wrong(r).isZero());
    seconds(1, ClockState.SYNCHRONISED);
    assertThat(told()).as("told once").hasSize(2);
  }

  @Test
  void theSearchFindsThemByTheirRightTimes() throws IOException {
    error = DAY;
    seconds(5, ClockState.UNKNOWN);
    error = Duration.ZERO;
    seconds(5, ClockState.SYNCHRONISED);
    assertThat(Searches.history(store, "a", "p", T0, T0.plusSeconds(6), 100, () -> true).entries())
        .hasSize(5);
    assertThat(
            Searches.history(
                    store, "a", "p", T0.plus(DAY), T0.plus(DAY).plusSeconds(60), 100, () -> true)
                .entries())
        .isEmpty();
  }

  @Test
  void severalStepsAddUp() throws IOException {
    error = Duration.ofHours(-5);
    seconds(2, ClockState.UNSYNCHRONISED);
    error = Duration.ofMinutes(90);
    seconds(2, ClockState.UNSYNCHRONISED);
    error = Duration.ofSeconds(-3);
    seconds(2, ClockState.UNSYNCHRONISED);
    error = Duration.ZERO;
    seconds(2, ClockState.SYNCHRONISED);
    assertThat(all()).allMatch(r -> wrong(r).isZero());
  }

  @Test
  void aClockThatWasRightIsNotCorrected() throws IOException {
    seconds(3, ClockState.SYNCHRONISED);
    error = DAY;
    seconds(3, ClockState.SYNCHRONISED);
    error = Duration.ZERO;
    seconds(3, ClockState.SYNCHRONISED);
    List<Reading> all = all().stream().filter(r -> wrong(r).isZero()).toList();
    assertThat(all).as("only what the clock itself said wrongly stays").hasSize(6);
    assertThat(told()).as("each step, seen and found").hasSize(4);
  }

  @Test
  void readingsOfOneCommitAreToldApart() throws IOException {
    error = DAY.negated();
    seconds(1, ClockState.UNSYNCHRONISED);
    second();
    Reading before = reading(ClockState.UNSYNCHRONISED);
    error = Duration.ZERO;
    commit(before, reading(ClockState.UNSYNCHRONISED));
    seconds(1, ClockState.SYNCHRONISED);
    assertThat(all()).allMatch(r -> wrong(r).isZero());
  }

  @Test
  void readingsThatTheDiskRefusedAtTheStepAreToldApartLater() throws Exception {
    error = DAY.negated();
    seconds(1, ClockState.UNSYNCHRONISED);
    second();
    Reading before = reading(ClockState.UNSYNCHRONISED);
    error = Duration.ZERO;
    Sqlite.execute(writer, "PRAGMA max_page_count=1");
    StringBuilder large = new StringBuilder();
    new Random(1).ints(20_000, ' ', '~').forEach(c -> large.append((char) c));
    Reading tooMuch =
        Readings.of("b", "text", StreamClass.EVENT, Value.of(large.toString()), clock());
    assertThatThrownBy(() -> commit(before, tooMuch)).hasMessageContaining("full");
    second();
    commit(before, reading(ClockState.UNSYNCHRONISED));
    seconds(1, ClockState.SYNCHRONISED);
    assertThat(all()).allMatch(r -> wrong(r).isZero());
    assertThat(told()).as("told once").hasSize(2);
  }

  @Test
  void aTimeThatTheDeviceToldIsLeftAlone() throws IOException {
    error = DAY.negated();
    second();
    Instant own = Instant.parse("2020-01-01T00:00:00Z");
    commit(reading(ClockState.UNSYNCHRONISED, own));
    error = Duration.ZERO;
    seconds(1, ClockState.SYNCHRONISED);
    Reading first = all().get(0);
    assertThat(first.eventTime()).isEqualTo(own);
    assertThat(wrong(first)).isZero();
  }

  @Test
  void whatAnotherBootStampedIsNotTouched() throws IOException {
    error = DAY.negated();
    seconds(2, ClockState.UNSYNCHRONISED);
    close();
    boot = UUID.randomUUID();
    error = Duration.ofHours(-1);
    open();
    seconds(2, ClockState.UNSYNCHRONISED);
    error = Duration.ZERO;
    seconds(1, ClockState.SYNCHRONISED);
    assertThat(all().stream().filter(r -> wrong(r).isZero())).hasSize(3);
    assertThat(told()).hasSize(2);
  }

  @Test
  void aStepWhileTheProcessWasDownIsSeen() throws IOException {
    error = DAY.negated();
    seconds(2, ClockState.UNSYNCHRONISED);
    close();
    second();
    error = Duration.ZERO;
    open();
    seconds(2, ClockState.SYNCHRONISED);
    assertThat(all()).allMatch(r -> wrong(r).isZero());
  }

  @Test
  void aSlowClockMakesNoStep() throws IOException {
    for (int i = 0; i < 50; i++) {
      error = error.plusMillis(500);
      seconds(1, ClockState.UNSYNCHRONISED);
    }
    assertThat(told()).isEmpty();
  }

  @Test
  void aDamagedRecordStopsNothing() throws IOException {
    error = DAY.negated();
    seconds(2, ClockState.UNSYNCHRONISED);
    error = Duration.ZERO;
    seconds(2, ClockState.SYNCHRONISED);
    close();
    try (RandomAccessFile file =
        new RandomAccessFile(directory.resolve("clock.log").toFile(), "rw")) {
      file.seek(20);
      file.write(77);
    }
    open();
    seconds(2, ClockState.SYNCHRONISED);
    assertThat(all()).hasSize(6);
  }
}
