package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Counts the bytes that are written, and says how to write less while they run short. Thread-safe;
 * never blocks.
 *
 * <p>An eighth of the bound may be written at any time, the rest flows in evenly over 24 hours of
 * running; so any 24 hours stay below the bound. Once half of that eighth is used, commits become
 * rarer, step by step, up to 5 s. After three quarters, one of 2, 4 … 64 readings of each point of
 * telemetry is stored; after all of it none. Events and states are stored until the bound is passed
 * by a twentieth, alarms always.
 */
final class Wear {
  private static final int HOURS = 24;
  private static final long HOUR = Duration.ofHours(1).toNanos();
  private static final long LONGEST_INTERVAL = Duration.ofSeconds(5).toNanos();
  private static final long SAVED = Duration.ofMinutes(1).toNanos();

  /** Part of the bound that may be written at any time. */
  private static final double BURST = 1 / 8.0;

  private static final double RARER = 0.5;
  private static final double THINNER = 0.75;
  private static final double ALARMS_ONLY = 1 + 0.05 / BURST;
  private static final int INTERVAL_STEPS = 8;
  private static final int THINNING_STEPS = 6;

  private final Supplier<Settings> settings;
  private final LongSupplier nanos;
  private final LongSupplier bytes;

  /** Bytes by hour of running, the present one first. */
  private final long[] hours = new long[HOURS];

  private long ofHour;
  private long lastNanos;
  private long lastBytes;
  private long sinceSaved;

  /** Of what may be written at any time, in bytes. */
  private double used;

  /**
   * What is kept of it over a restart.
   *
   * @param hours bytes by hour of running, the present one first
   * @param ofHour milliseconds of the present one
   * @param used of what may be written at any time, in bytes
   */
  record Kept(long[] hours, long ofHour, long used) {
    static Kept read(ByteReader in) throws DamagedException {
      long[] hours = new long[HOURS];
      for (int i = 0; i < HOURS; i++) {
        hours[i] = in.varint();
      }
      return new Kept(hours, in.varint(), in.varint());
    }

    void write(ByteWriter out) {
      for (long each : hours) {
        out.varint(each);
      }
      out.varint(ofHour);
      out.varint(used);
    }
  }

  /**
   * @param nanos time that only runs forward
   * @param bytes written so far, counted from anywhere
   */
  Wear(Supplier<Settings> settings, LongSupplier nanos, LongSupplier bytes) {
    this.settings = settings;
    this.nanos = nanos;
    this.bytes = bytes;
    lastNanos = nanos.getAsLong();
    lastBytes = bytes.getAsLong();
  }

  /** Bytes that this process has had the kernel write to disks (proc(5)); 0 if it doesn't tell. */
  static long ofProcess() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/io"))) {
        if (line.startsWith("write_bytes: ")) {
          return Long.parseLong(line.substring(line.indexOf(' ') + 1));
        }
      }
      return 0;
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  /** Goes on from what an earlier run kept. */
  synchronized void restore(Kept kept) {
    System.arraycopy(kept.hours(), 0, hours, 0, HOURS);
    ofHour = Math.min(HOUR, Duration.ofMillis(kept.ofHour()).toNanos());
    used = kept.used();
  }

  /** What to keep. */
  synchronized Kept kept() {
    sinceSaved = 0;
    return new Kept(hours.clone(), Duration.ofNanos(ofHour).toMillis(), (long) Math.ceil(used));
  }

  /** Whether so much has come since the last {@link #kept} that it is worth a write. */
  synchronized boolean due() {
    return settings.get().maxWrittenPerDay() > 0 && sinceSaved >= SAVED;
  }

  /** Takes in what was written since the last call. */
  synchronized void count() {
    long now = nanos.getAsLong();
    long written = bytes.getAsLong();
    long passed = now - lastNanos;
    long more = Math.max(0, written - lastBytes);
    lastNanos = now;
    lastBytes = written;
    sinceSaved += passed;
    ofHour += passed;
    while (ofHour >= HOUR) {
      ofHour -= HOUR;
      System.arraycopy(hours, 0, hours, 1, HOURS - 1);
      hours[0] = 0;
    }
    hours[0] += more;
    double flow = max() * (1 - BURST) / (HOURS * (double) HOUR);
    used = max() == 0 ? 0 : Math.max(0, used + more - flow * passed);
  }

  private long max() {
    return settings.get().maxWrittenPerDay();
  }

  /** Bytes written in the last 24 hours of running, as far as known. */
  synchronized long written() {
    long sum = 0;
    for (long each : hours) {
      sum += each;
    }
    return sum;
  }

  private synchronized double level() {
    return max() == 0 ? 0 : used / (max() * BURST);
  }

  /** From a reading's arrival to its sync, at most. */
  Duration commitInterval() {
    Duration set = settings.get().commitInterval();
    long longer = Math.max(0, LONGEST_INTERVAL - set.toNanos());
    return set.plusNanos(longer / INTERVAL_STEPS * step(RARER, INTERVAL_STEPS));
  }

  /** How many readings of a point of telemetry come on one that is stored; 0 if none is. */
  int oneOf() {
    if (level() >= 1) {
      return 0;
    }
    return 1 << step(THINNER, THINNING_STEPS);
  }

  /** Whether readings of a class are stored at all. */
  boolean stores(StreamClass streamClass) {
    return switch (streamClass) {
      case ALARM -> true;
      case EVENT, STATE -> level() < ALARMS_ONLY;
      case TELEMETRY -> level() < 1;
    };
  }

  /** How far the level is beyond a mark, in steps that are the last a quarter above it. */
  private int step(double mark, int steps) {
    double beyond = (level() - mark) / (THINNER - RARER);
    return (int) Math.ceil(Math.max(0, Math.min(1, beyond)) * steps);
  }
}
