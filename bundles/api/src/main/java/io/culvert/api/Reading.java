package io.culvert.api;

import java.time.Instant;
import java.util.Objects;

/**
 * A sample made comparable: scaled, with unit, quality and time. This is what is stored and
 * forwarded.
 *
 * @param device id of the device
 * @param point id of the point
 * @param streamClass with the device, the stream that it belongs to
 * @param value in {@code unit}; {@code null} only if the quality is bad
 * @param unit UCUM code, {@code ""} where the value has none
 * @param quality the worse of the device's word and the profile's range
 * @param eventTime when it was so: the device's time if it tells one, else {@code receivedTime}
 * @param receivedTime when the gateway had it, by its own clock
 * @param clock what was known of that clock
 * @param grade from the profile
 */
public record Reading(
    String device,
    String point,
    StreamClass streamClass,
    Value value,
    String unit,
    Quality quality,
    Instant eventTime,
    Instant receivedTime,
    ClockState clock,
    Grade grade) {
  public Reading {
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(point, "point");
    Objects.requireNonNull(streamClass, "streamClass");
    Objects.requireNonNull(unit, "unit");
    Objects.requireNonNull(quality, "quality");
    Objects.requireNonNull(eventTime, "eventTime");
    Objects.requireNonNull(receivedTime, "receivedTime");
    Objects.requireNonNull(clock, "clock");
    Objects.requireNonNull(grade, "grade");
    if (value == null && !quality.bad()) {
      throw new IllegalArgumentException(
          "Reading of " + device + "/" + point + " has no value but is " + quality);
    }
  }
}
