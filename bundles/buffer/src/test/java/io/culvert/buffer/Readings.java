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

/** Readings and settings for tests. */
final class Readings {
  static final Instant T0 = Instant.parse("2026-11-21T08:00:00Z");
  static final String GATEWAY = "cabinet-17";

  private Readings() {}

  static Reading of(String device, String point, StreamClass streamClass, Value value, Instant at) {
    return new Reading(
        device,
        point,
        streamClass,
        value,
        "",
        Quality.GOOD,
        at,
        at,
        ClockState.SYNCHRONISED,
        Grade.GENERAL);
  }

  static Reading telemetry(String device, long value, Instant at) {
    return of(device, "n", StreamClass.TELEMETRY, Value.of(value), at);
  }

  /** One device's readings {@code from} to {@code to - 1}, a millisecond apart. */
  static List<Reading> numbered(String device, int from, int to) {
    List<Reading> readings = new ArrayList<>();
    for (int i = from; i < to; i++) {
      readings.add(telemetry(device, i, T0.plusMillis(i)));
    }
    return readings;
  }

  static Settings settings() {
    return new Bounds().settings();
  }

  /** Where nothing is ever written. */
  static Wear wear() {
    return new Wear(Readings::settings, () -> 0, () -> 0);
  }
}
