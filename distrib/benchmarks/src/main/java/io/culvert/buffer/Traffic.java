package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What 200 devices with 20 points answer that are polled once a second, one after the other: 4,000
 * readings a second. The first point counts the polls, the others are levels with noise. Not
 * thread-safe.
 */
final class Traffic {
  static final int DEVICES = 200;
  static final int POINTS = 20;
  static final int PER_SECOND = DEVICES * POINTS;

  private final String[] devices = new String[DEVICES];
  private final String[] points = new String[POINTS];
  private final SplittableRandom noise;
  private final long start;
  private long produced;

  /**
   * @param start when the first poll is answered
   * @param street tells streets apart: devices of two have different ids
   */
  Traffic(Instant start, int street) {
    this.start = start.toEpochMilli();
    this.noise = new SplittableRandom(street);
    for (int d = 0; d < DEVICES; d++) {
      devices[d] = "uw" + street + "-" + String.format("%03d", d);
    }
    for (int p = 0; p < POINTS; p++) {
      points[p] = p == 0 ? "tick" : "level_" + p;
    }
  }

  /** The next readings, with the times that follow from the pace. */
  List<Reading> next(int count) {
    return next(count, null);
  }

  /**
   * The next readings, all of one time.
   *
   * @param at {@code null} for the times that follow from the pace
   */
  List<Reading> next(int count, Instant at) {
    List<Reading> readings = new ArrayList<>(count);
    Instant time = at;
    for (int i = 0; i < count; i++) {
      int device = (int) (produced / POINTS % DEVICES);
      int point = (int) (produced % POINTS);
      if (at == null && (time == null || point == 0)) {
        time = time();
      }
      readings.add(
          new Reading(
              devices[device],
              points[point],
              StreamClass.TELEMETRY,
              point == 0
                  ? Value.of(produced / PER_SECOND)
                  : Value.of((1000 + device + noise.nextInt(200)) / 1000.0),
              point == 0 ? "" : "m",
              Quality.GOOD,
              time,
              time,
              ClockState.SYNCHRONISED,
              Grade.GENERAL));
      produced++;
    }
    return readings;
  }

  /** When the poll is answered whose reading is the next one. */
  Instant time() {
    return Instant.ofEpochMilli(start + produced / POINTS * 1000 / DEVICES);
  }
}
