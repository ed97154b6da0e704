package io.culvert.api;

import java.time.Instant;
import java.util.Objects;

/**
 * What a driver read: the device's own number, before scale and unit.
 *
 * @param point id of the point
 * @param value raw value; {@code null} only if the quality is bad
 * @param quality as the device or the protocol says
 * @param deviceTime when the device took it by its own clock; {@code null} if it tells none
 */
public record Sample(String point, Value value, Quality quality, Instant deviceTime) {
  public Sample {
    Objects.requireNonNull(point, "point");
    Objects.requireNonNull(quality, "quality");
    if (value == null && !quality.bad()) {
      throw new IllegalArgumentException("Sample of " + point + " has no value but is " + quality);
    }
  }

  /** A good value from a device that tells no time. */
  public static Sample good(String point, Value value) {
    return new Sample(point, value, Quality.GOOD, null);
  }

  /** A point that could not be read. */
  public static Sample bad(String point, Quality quality) {
    return new Sample(point, null, quality, null);
  }
}
