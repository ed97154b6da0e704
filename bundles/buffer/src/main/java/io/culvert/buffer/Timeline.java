package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Steps of the gateway's clock, and what they make of the times of readings that were stamped
 * before.
 *
 * <p>A step is seen by the machine's monotonic time: at a commit, the clock has moved by {@value
 * #STEP_MILLIS} ms or more against it since the commit before in the same boot. It is recorded at
 * once, and <em>applied</em> when a reading says that the clock is synchronised: what says so is
 * known to be right, so what was stamped before, in the same boot and by a clock that did not say
 * so, was wrong by the sum of the steps since. Nothing on disk is changed for it: times are
 * corrected on reading, and the reading's clock state is {@link ClockState#CORRECTED} then. A time
 * that the device told is left alone.
 *
 * <p>Each record goes to the platform as an event of the gateway, point {@value #POINT}, in the
 * commit that saw it; so a platform can correct what it had before.
 *
 * <p>Kept in a file of fixed size, a ring of {@value #SLOTS} records each with a checksum, so that
 * a full disk does not silence it and it grows with nobody's clock. Records are made on the writing
 * thread; corrections are asked for on any.
 */
final class Timeline {
  static final String POINT = "clock_set";
  static final long STEP_MILLIS = 1000;

  private static final Logger LOG = LoggerFactory.getLogger(Timeline.class);
  private static final int SLOTS = 512;
  private static final int SLOT_BYTES = 80;
  private static final int STEP = 1;
  private static final int APPLIED = 2;

  private final Path file;
  private final long boot;
  private long nextRecord;

  /** Steps of any boot, oldest first; replaced whole. */
  private volatile Step[] steps = {};

  private volatile Shift[] shifts = {};

  /** Clock less monotonic time at the last commit of this boot. */
  private Long offset;

  /** Elapsed time from which on {@link #offset} holds. */
  private long since;

  private long lastElapsed = -1;

  /** The step since the last commit that succeeded; {@code null} if there was none. */
  private Step open;

  private List<Told> untold = new ArrayList<>();

  /**
   * A step of the clock.
   *
   * @param since elapsed time of the store from which on the clock had run without a step
   * @param at elapsed time from which on it runs with this one
   * @param millis how far it was set
   * @param before what it showed just before
   * @param offset clock less monotonic time after it
   * @param applied whether the clock is known to be right after it, or after one that followed
   */
  record Step(
      long boot, long since, long at, long millis, long before, long offset, boolean applied) {}

  /** What rows of a span of elapsed time are to be corrected by. */
  private record Shift(long since, long at, long millis) {}

  /** What is to be told of a step: when it was seen or when it was found to be right. */
  private record Told(Step step, long elapsed) {}

  /**
   * Readings of a commit.
   *
   * @param before stamped before a step that is seen only now
   * @param stampBefore of those
   * @param after the others
   */
  record Arranged(
      List<Reading> before, RowHead.Stamp stampBefore, List<Reading> after, RowHead.Stamp stamp) {}

  private Timeline(Path file, long boot) {
    this.file = file;
    this.boot = boot;
  }

  /** Reads what is there; records that can't be read are left out. */
  static Timeline open(Path directory, long boot) throws IOException {
    Timeline timeline = new Timeline(directory.resolve("clock.log"), boot);
    timeline.load();
    return timeline;
  }

  /** Reads what is there, and makes nothing. */
  static Timeline openToRead(Path directory, long boot) throws IOException {
    Timeline timeline = new Timeline(directory.resolve("clock.log"), boot);
    if (Files.exists(timeline.file)) {
      timeline.load(Files.readAllBytes(timeline.file));
    }
    return timeline;
  }

  private void load() throws IOException {
    if (!Files.exists(file) || Files.size(file) < (long) SLOTS * SLOT_BYTES) {
      Files.write(
          file,
          new byte[SLOTS * SLOT_BYTES],
          StandardOpenOption.CREATE,
          StandardOpenOption.WRITE,
          StandardOpenOption.SYNC);
      Sqlite.syncDirectory(file.getParent());
    }
    load(Files.readAllBytes(file));
  }

  private void load(byte[] bytes) {
    record Slot(long number, int kind, Step step) {}
    List<Slot> slots = new ArrayList<>();
    for (int i = 0; i < bytes.length / SLOT_BYTES; i++) {
      byte[] slot = Arrays.copyOfRange(bytes, i * SLOT_BYTES, (i + 1) * SLOT_BYTES);
      try {
        ByteReader in = new ByteReader(RowCodec.unseal(slot));
        long number = in.i64();
        int kind = in.u8();
        slots.add(
            new Slot(
                number,
                kind,
                new Step(in.i64(), in.i64(), in.i64(), in.i64(), in.i64(), in.i64(), false)));
      } catch (DamagedException empty) {
        // Never written, or torn by a power cut: then its commit wasn't made either.
        continue;
      }
    }
    slots.sort(Comparator.comparingLong(Slot::number));
    List<Step> known = new ArrayList<>();
    for (Slot slot : slots) {
      nextRecord = Math.max(nextRecord, slot.number() + 1);
      if (slot.kind() == STEP) {
        known.add(slot.step());
        untold.add(new Told(slot.step(), slot.step().at()));
      } else {
        // Everything of that boot up to then.
        known.replaceAll(s -> s.boot() == slot.step().boot() ? applied(s) : s);
        untold.add(new Told(applied(slot.step()), slot.step().at()));
      }
    }
    publish(known);
  }

  private static Step applied(Step step) {
    return new Step(
        step.boot(), step.since(), step.at(), step.millis(), step.before(), step.offset(), true);
  }

  /**
   * Goes on after the newest row of the log.
   *
   * @param last its stamp; {@code null} if there is none
   */
  void resume(RowHead.Stamp last) {
    lastElapsed = last == null ? -1 : last.elapsed();
    // What its own commit, or an earlier one, has told already.
    untold.removeIf(told -> told.elapsed() <= lastElapsed);
    if (last != null && last.boot() == boot) {
      offset = last.committed() - last.monotonic();
    }
    for (Step step : steps) {
      if (step.boot() == boot) {
        since = step.at();
        if (step.at() > lastElapsed) {
          offset = step.offset();
        }
      } else {
        since = Math.max(since, step.at());
      }
    }
    if (offset == null) {
      since = lastElapsed + 1;
    }
  }

  /**
   * Looks at the clock before a commit.
   *
   * @param stamp of the commit
   * @param gateway whose event a step is
   * @return the readings, with an event for each step that isn't told yet
   * @throws IOException if a step can't be recorded; nothing has changed then
   */
  Arranged arrange(List<Reading> readings, RowHead.Stamp stamp, String gateway) throws IOException {
    long now = stamp.committed() - stamp.monotonic();
    long elapsed = Math.max(stamp.elapsed(), lastElapsed);
    if (offset != null && Math.abs(now - offset) >= STEP_MILLIS) {
      long millis = now - offset;
      elapsed = Math.max(elapsed, lastElapsed + 2);
      Step step = new Step(boot, since, elapsed, millis, stamp.committed() - millis, now, false);
      record(STEP, step);
      List<Step> known = new ArrayList<>(List.of(steps));
      known.add(step);
      publish(known);
      untold.add(new Told(step, elapsed));
      since = elapsed;
      open = step;
      LOG.warn(
          "The gateway's clock was set by {} s, from {}",
          millis / 1000.0,
          Instant.ofEpochMilli(step.before()));
    }
    List<Reading> before = List.of();
    List<Reading> after = readings;
    RowHead.Stamp stampBefore = null;
    if (open != null) {
      // By the time that they bear: before the step, or after it?
      elapsed = Math.max(elapsed, open.at());
      long clockBefore = stamp.committed() - open.millis();
      before = new ArrayList<>();
      after = new ArrayList<>();
      for (Reading reading : readings) {
        long received = RowHead.floorMillis(reading.receivedTime());
        boolean old = Math.abs(received - clockBefore) < Math.abs(received - stamp.committed());
        (old ? before : after).add(reading);
      }
      stampBefore =
          new RowHead.Stamp(
              clockBefore,
              Math.min(stamp.newest(), clockBefore),
              open.at() - 1,
              boot,
              stamp.monotonic());
    }
    offset = now;
    decide(readings, elapsed);
    RowHead.Stamp arranged =
        new RowHead.Stamp(stamp.committed(), stamp.newest(), elapsed, boot, stamp.monotonic());
    if (!untold.isEmpty()) {
      after = new ArrayList<>(after);
      for (Told told : untold) {
        after.add(event(told.step(), gateway, Instant.ofEpochMilli(stamp.committed())));
      }
    }
    return new Arranged(before, stampBefore, after, arranged);
  }

  /** What {@link #arrange} arranged is on disk. */
  void committed(RowHead.Stamp stamp) {
    lastElapsed = Math.max(lastElapsed, stamp.elapsed());
    untold.clear();
    open = null;
  }

  private void decide(List<Reading> readings, long elapsed) throws IOException {
    Step last = null;
    for (Step step : steps) {
      last = step.boot() == boot && !step.applied() ? step : last;
    }
    if (last == null || readings.stream().noneMatch(r -> r.clock() == ClockState.SYNCHRONISED)) {
      return;
    }
    Step right =
        new Step(boot, last.since(), elapsed, last.millis(), last.before(), last.offset(), true);
    record(APPLIED, right);
    List<Step> known = new ArrayList<>(List.of(steps));
    known.replaceAll(s -> s.boot() == boot ? applied(s) : s);
    publish(known);
    untold.add(new Told(applied(last), elapsed));
    LOG.info("The clock is synchronised; readings stamped before it was set are corrected");
  }

  private void publish(List<Step> known) {
    List<Shift> sums = new ArrayList<>();
    for (int i = 0; i < known.size(); i++) {
      Step step = known.get(i);
      long sum = 0;
      for (int j = i; j < known.size(); j++) {
        if (known.get(j).boot() == step.boot() && known.get(j).applied()) {
          sum += known.get(j).millis();
        }
      }
      if (sum != 0 && step.applied()) {
        sums.add(new Shift(step.since(), step.at(), sum));
      }
    }
    steps = known.toArray(Step[]::new);
    shifts = sums.toArray(Shift[]::new);
  }

  private void record(int kind, Step step) throws IOException {
    ByteWriter out = new ByteWriter();
    out.i64(nextRecord);
    out.u8(kind);
    out.i64(step.boot());
    out.i64(step.since());
    out.i64(step.at());
    out.i64(step.millis());
    out.i64(step.before());
    out.i64(step.offset());
    while (out.length() < SLOT_BYTES - 4) {
      out.u8(0);
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(RowCodec.seal(out.toBytes()));
      channel.position(nextRecord % SLOTS * SLOT_BYTES);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    nextRecord++;
  }

  private static Reading event(Step step, String gateway, Instant at) {
    Map<String, Value> fields = new LinkedHashMap<>();
    fields.put("from", Value.of(Instant.ofEpochMilli(step.before()).toString()));
    fields.put("to", Value.of(Instant.ofEpochMilli(step.before() + step.millis()).toString()));
    fields.put("shift", Value.of(step.millis() / 1000.0));
    fields.put("applied", Value.of(step.applied()));
    return new Reading(
        gateway,
        POINT,
        StreamClass.EVENT,
        new Value.Struct(fields),
        "",
        Quality.GOOD,
        at,
        at,
        ClockState.UNKNOWN,
        Grade.GENERAL);
  }

  /** By how much rows committed at an elapsed time are to be corrected, in milliseconds. */
  private long shift(long elapsed) {
    for (Shift shift : shifts) {
      if (elapsed >= shift.since() && elapsed < shift.at()) {
        return shift.millis();
      }
    }
    return 0;
  }

  /**
   * How readings of a commit are to be corrected; {@code null} if they are right as they are.
   *
   * @param elapsed of the commit
   */
  UnaryOperator<Reading> correction(long elapsed) {
    long millis = shift(elapsed);
    return millis == 0 ? null : reading -> correct(reading, millis);
  }

  private static Reading correct(Reading reading, long millis) {
    if (reading.clock() == ClockState.SYNCHRONISED || reading.clock() == ClockState.CORRECTED) {
      return reading;
    }
    Instant received = reading.receivedTime().plusMillis(millis);
    boolean own = reading.eventTime().equals(reading.receivedTime());
    return new Reading(
        reading.device(),
        reading.point(),
        reading.streamClass(),
        reading.value(),
        reading.unit(),
        reading.quality(),
        own ? received : reading.eventTime(),
        received,
        ClockState.CORRECTED,
        reading.grade());
  }

  /** A row with the times that are right as far as is known. */
  Row correct(Row row) {
    UnaryOperator<Reading> correction = correction(row.head().elapsed());
    if (correction == null) {
      return row;
    }
    List<Batch.Entry> entries = new ArrayList<>(row.entries().size());
    for (Batch.Entry entry : row.entries()) {
      entries.add(new Batch.Entry(entry.sequence(), correction.apply(entry.reading())));
    }
    return row.with(entries);
  }

  /** A head whose spans of time take in the times that are right. */
  RowHead correct(RowHead head) {
    long millis = shift(head.elapsed());
    if (millis == 0) {
      return head;
    }
    List<RowHead.Part> parts = new ArrayList<>(head.streams().size());
    for (RowHead.Part part : head.streams()) {
      parts.add(
          new RowHead.Part(
              part.device(),
              part.sequence(),
              part.count(),
              Math.min(part.from(), part.from() + millis),
              Math.max(part.to(), part.to() + millis)));
    }
    return new RowHead(
        head.streamClass(), head.first(), head.end(), head.count(), head.stamp(), parts);
  }

  /** Another number whenever rows of a span of elapsed time are to be corrected otherwise. */
  long state(long first, long last) {
    long state = 0;
    for (Shift shift : shifts) {
      if (shift.at() > first && shift.since() <= last) {
        state = ((state * 31 + shift.since()) * 31 + shift.at()) * 31 + shift.millis();
      }
    }
    return state;
  }

  /** The largest corrections backward (0 or less) and forward (0 or more), in milliseconds. */
  long[] widest() {
    long[] widest = {0, 0};
    for (Shift shift : shifts) {
      widest[0] = Math.min(widest[0], shift.millis());
      widest[1] = Math.max(widest[1], shift.millis());
    }
    return widest;
  }
}
