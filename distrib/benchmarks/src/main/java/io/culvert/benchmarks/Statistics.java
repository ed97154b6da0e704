package io.culvert.benchmarks;

import java.util.Collection;

/** What is made of several runs. */
final class Statistics {
  private Statistics() {}

  /** The middle one, the mean of the middle two if their number is even, NaN for none. */
  static double median(Collection<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** How often {@code base} goes into {@code value}; NaN if that can't be told. */
  static double ratio(double value, double base) {
    return base == 0 ? Double.NaN : value / base;
  }
}
