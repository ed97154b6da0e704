package io.culvert.core.model;

import io.culvert.api.Grade;
import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * A point and what its raw value means: {@code value = raw * scale * factor + offset}, already
 * converted to {@code unit} (a differing unit of the device is folded into scale and offset when
 * the profile is read). Of a counter the running total takes the place of the raw value.
 *
 * @param interval between two reads of it, {@code null} for the device's
 * @param notAvailable raw values by which the device says that it has none
 * @param counter {@code null} if it is none
 * @param factor {@code null} for 1
 * @param unit UCUM, {@code ""} for none
 * @param min least plausible value in {@code unit}, {@code null} for none
 * @param max greatest plausible value in {@code unit}, {@code null} for none
 * @param deadband {@code null} if every reading counts
 */
public record PointModel(
    Point point,
    Duration interval,
    Set<Value> notAvailable,
    Counter counter,
    BigDecimal scale,
    Factor factor,
    BigDecimal offset,
    String unit,
    Double min,
    Double max,
    StreamClass streamClass,
    Grade grade,
    Deadband deadband) {
  public PointModel {
    notAvailable = Set.copyOf(notAvailable);
  }

  /** A point read with its device, whose raw value always means a value. */
  public PointModel(
      Point point,
      BigDecimal scale,
      BigDecimal offset,
      String unit,
      Double min,
      Double max,
      StreamClass streamClass,
      Grade grade,
      Deadband deadband) {
    this(
        point,
        null,
        Set.of(),
        null,
        scale,
        null,
        offset,
        unit,
        min,
        max,
        streamClass,
        grade,
        deadband);
  }

  /**
   * When a reading says nothing new: while its value lies within {@code absolute} (in the point's
   * unit, 0 or more) of the last one that was kept, its quality is the same, and that one is
   * younger than {@code heartbeat}.
   */
  public record Deadband(double absolute, Duration heartbeat) {}

  /**
   * A factor that the device itself tells: the product of the values of other points (a meter's
   * voltage ratio and current ratio), or 10 to the power of their sum (a scale factor of SunSpec).
   *
   * @param points ids, one at least; numbers of the same profile that can be read
   * @param exponent whether they are exponents of 10
   */
  public record Factor(List<String> points, boolean exponent) {
    public Factor {
      points = List.copyOf(points);
    }
  }

  /**
   * A number that only grows and begins at 0 again after {@code modulus - 1}.
   *
   * @param modulus 2 or more
   * @param maxStep the most by which it grows in one interval, less than {@code modulus}; {@code
   *     null} if that isn't known
   */
  public record Counter(long modulus, Long maxStep) {}
}
