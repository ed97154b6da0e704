package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * The part of a row that is read without unpacking it: where it stands, and a sparse index of it by
 * device and time. Times are in milliseconds since 1970, rounded outwards, as the clock of the time
 * of the commit had them.
 *
 * @param streamClass of all readings in it
 * @param first position of the first reading in the log of the class
 * @param end position after the last; of a row that a bound has thinned out, after the last that
 *     was there
 * @param count of readings
 * @param stamp when it was committed
 * @param streams one each device, in the order of first appearance
 */
record RowHead(
    StreamClass streamClass, long first, long end, int count, Stamp stamp, List<Part> streams) {
  /** More would make a row, the unit of reading and of damage, too big. */
  static final int MAX_READINGS = 8192;

  /** Bound on the positions that a thinned row stands for. */
  static final int MAX_SPAN = 1 << 24;

  private static final int VERSION = 2;
  private static final StreamClass[] CLASSES = StreamClass.values();

  RowHead {
    streams = List.copyOf(streams);
  }

  /**
   * The moment of a commit.
   *
   * @param committed by the gateway's clock
   * @param newest latest {@code receivedTime} in the commit
   * @param elapsed the store's elapsed time, in milliseconds
   * @param boot of the machine
   * @param monotonic the machine's monotonic time, in milliseconds; compares within a boot
   */
  record Stamp(long committed, long newest, long elapsed, long boot, long monotonic) {}

  /**
   * One device's share.
   *
   * @param device id
   * @param sequence of its first reading here; the others follow, without gap unless the row is
   *     thinned out
   * @param count of its readings here
   * @param from earliest event
   * @param to latest event
   */
  record Part(String device, long sequence, int count, long from, long to) {}

  /** Whether a bound has taken readings out of it. */
  boolean thinned() {
    return end - first != count;
  }

  long elapsed() {
    return stamp.elapsed();
  }

  /** Earliest event. */
  long from() {
    return streams.stream().mapToLong(Part::from).min().orElse(Long.MAX_VALUE);
  }

  /** Latest event. */
  long to() {
    return streams.stream().mapToLong(Part::to).max().orElse(Long.MIN_VALUE);
  }

  /** The head of a row to be committed; {@code next} gives each device's next sequence number. */
  static RowHead of(
      StreamClass streamClass,
      long first,
      Stamp stamp,
      List<Reading> readings,
      ToLongFunction<String> next) {
    return of(streamClass, first, first + readings.size(), stamp, readings, next);
  }

  /**
   * The head of a row that has lost readings; {@code sequence} gives each device's first number.
   */
  static RowHead of(
      StreamClass streamClass,
      long first,
      long end,
      Stamp stamp,
      List<Reading> readings,
      ToLongFunction<String> sequence) {
    Map<String, long[]> counts = new LinkedHashMap<>();
    String device = null;
    long[] own = null;
    for (Reading reading : readings) {
      // The readings of one poll stand together, and most of them have one time.
      if (!reading.device().equals(device)) {
        device = reading.device();
        own = counts.computeIfAbsent(device, d -> new long[] {0, Long.MAX_VALUE, Long.MIN_VALUE});
      }
      own[0]++;
      own[1] = Math.min(own[1], floorMillis(reading.eventTime()));
      own[2] = Math.max(own[2], ceilMillis(reading.eventTime()));
    }
    List<Part> parts = new ArrayList<>(counts.size());
    counts.forEach(
        (id, c) -> parts.add(new Part(id, sequence.applyAsLong(id), (int) c[0], c[1], c[2])));
    return new RowHead(streamClass, first, end, readings.size(), stamp, parts);
  }

  byte[] encode() {
    ByteWriter out = new ByteWriter();
    out.u8(VERSION);
    out.u8(streamClass.ordinal());
    out.varint(first);
    out.varint(end - first);
    out.varint(count);
    long committed = stamp.committed();
    out.signed(committed);
    out.signed(stamp.newest() - committed);
    out.signed(stamp.elapsed());
    out.i64(stamp.boot());
    out.signed(stamp.monotonic());
    out.varint(streams.size());
    for (Part part : streams) {
      out.text(part.device());
      out.varint(part.sequence());
      out.varint(part.count());
      out.signed(part.from() - committed);
      out.varint(part.to() - part.from());
    }
    return out.toBytes();
  }

  static RowHead decode(byte[] bytes) throws DamagedException {
    ByteReader in = new ByteReader(bytes);
    int version = in.u8();
    if (version != VERSION) {
      throw new DamagedException("Row of version " + version + "; this program knows " + VERSION);
    }
    StreamClass streamClass = CLASSES[in.small(CLASSES.length - 1)];
    long first = in.varint();
    int span = in.small(MAX_SPAN);
    int count = in.small(Math.min(span, MAX_READINGS));
    long committed = in.signed();
    Stamp stamp = new Stamp(committed, committed + in.signed(), in.signed(), in.i64(), in.signed());
    int devices = in.count();
    List<Part> parts = new ArrayList<>(devices);
    int sum = 0;
    for (int i = 0; i < devices; i++) {
      String device = in.text();
      long sequence = in.varint();
      int readings = in.small(count);
      long from = committed + in.signed();
      parts.add(new Part(device, sequence, readings, from, from + in.varint()));
      sum += readings;
    }
    if (sum != count || !in.atEnd()) {
      throw new DamagedException("Head of " + count + " readings lists " + sum);
    }
    return new RowHead(streamClass, first, first + span, count, stamp, parts);
  }

  /** Milliseconds since 1970, rounded down; times beyond what they can hold are cut. */
  static long floorMillis(Instant time) {
    long limit = Long.MAX_VALUE / 4000;
    long seconds = Math.max(-limit, Math.min(limit, time.getEpochSecond()));
    return seconds * 1000 + time.getNano() / 1_000_000;
  }

  /** Milliseconds since 1970, rounded up. */
  static long ceilMillis(Instant time) {
    return floorMillis(time) + (time.getNano() % 1_000_000 == 0 ? 0 : 1);
  }
}
