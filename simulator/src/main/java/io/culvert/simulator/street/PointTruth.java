package io.culvert.simulator.street;

/**
 * What the judge knows of a point: how its value must look at the platform. Unit and resolution of
 * a hand-written device come from its maker's register map; class, range and dead-band are the
 * gateway's own policy and always come from the profile.
 *
 * @param id the point's id in the profile
 * @param unit UCUM, {@code ""} for none
 * @param step resolution of the device's register, in {@code unit}
 * @param relative resolution in proportion to the value, for registers that hold a float
 * @param bool whether the platform must show true or false
 * @param streamClass in lower case
 * @param min least good value, NaN for none
 * @param max greatest good value, NaN for none
 * @param deadband in {@code unit}, NaN if every reading counts
 * @param heartbeatMillis how long a value may be kept back
 * @param tick whether this is the block's tick counter
 * @param modulus a tick counter starts again at 0 here; 0 for other points
 * @param intervalMillis the point's own interval between reads, 0 for the device's: a value shown
 *     in between needn't arrive
 * @param factored whether its scale lies in other points, so that it waits for those at first
 * @param text what a text says, {@code null} for other points
 */
public record PointTruth(
    String id,
    String unit,
    double step,
    double relative,
    boolean bool,
    String streamClass,
    double min,
    double max,
    double deadband,
    long heartbeatMillis,
    boolean tick,
    long modulus,
    long intervalMillis,
    boolean factored,
    String text) {

  /** Half a step, with room for the arithmetic of either side. */
  public double tolerance(double value) {
    return step * 0.5000001 + Math.abs(value) * (relative + 1e-12);
  }

  /** The same point of a device that says this text. */
  PointTruth saying(String words) {
    return new PointTruth(
        id,
        unit,
        step,
        relative,
        bool,
        streamClass,
        min,
        max,
        deadband,
        heartbeatMillis,
        tick,
        modulus,
        intervalMillis,
        factored,
        words);
  }

  public boolean suppressible() {
    return !Double.isNaN(deadband);
  }

  /** Whether a reading of this value is good, and not merely uncertain. NaN means no value. */
  public boolean inRange(double value) {
    return !(value < min) && !(value > max);
  }
}
