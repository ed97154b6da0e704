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
import java.util.Random;

/** Answers of a street to its polls. */
final class Measure {
  private static final Random NOISE = new Random(1);

  private Measure() {}

  /** What a number of devices answer to one poll each. */
  static List<Reading> poll(int devices, int points, Instant at, long tick) {
    List<Reading> readings = new ArrayList<>(devices * points);
    for (int d = 0; d < devices; d++) {
      Instant time = at.plusMillis(d);
      for (int p = 0; p < points; p++) {
        Value value = p == 0 ? Value.of(tick) : Value.of((1000 + d + NOISE.nextInt(200)) / 1000.0);
        readings.add(
            new Reading(
                "uw-%03d".formatted(d),
                p == 0 ? "tick" : "level_" + p,
                StreamClass.TELEMETRY,
                value,
                p == 0 ? "" : "m",
                Quality.GOOD,
                time,
                time,
                ClockState.SYNCHRONISED,
                Grade.GENERAL));
      }
    }
    return readings;
  }
}
