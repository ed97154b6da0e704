package io.culvert.core.model;

import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import java.math.BigDecimal;
import java.time.Duration;

/**
 * A point and what its raw value means: {@code value = raw * scale + offset}, already converted to
 * {@code unit} (a differing unit of the device is folded into scale and offset when the profile is
 * read).
 *
 * @param unit UCUM, {@code ""} for none
 * @param min least plausible value in {@code unit}, {@code null} for none
 * @param max greatest plausible value in {@code unit}, {@code null} for none
 * @param deadband {@code null} if every reading counts
 */
public record PointModel(
    Point point,
    BigDecimal scale,
    BigDecimal offset,
    String unit,
    Double min,
    Double max,
    StreamClass streamClass,
    Grade grade,
    Deadband deadband) {

  /**
   * When a reading says nothing new: while its value lies within {@code absolute} (in the point's
   * unit, 0 or more) of the last one that was kept, its quality is the same, and that one is
   * younger than {@code heartbeat}.
   */
  public record Deadband(double absolute, Duration heartbeat) {}
}
