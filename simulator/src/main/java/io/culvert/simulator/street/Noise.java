package io.culvert.simulator.street;

/**
 * Randomness as a pure function of a seed and a place in time: the same street shows the same
 * values at the same street time, however often it is asked.
 */
final class Noise {
  private Noise() {}

  /** SplitMix64's finaliser over the two. */
  static long hash(long seed, long at) {
    long z = seed * 0x9E3779B97F4A7C15L + at * 0xD1B54A32D192ED03L + 0x2545F4914F6CDD1DL;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** Even between 0 and 1. */
  static double even(long seed, long at) {
    return (hash(seed, at) >>> 11) * 0x1.0p-53;
  }

  /** Normal, with mean 0 and deviation 1. */
  static double normal(long seed, long at) {
    double u = Math.max(even(seed, at), 1e-12);
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * even(~seed, at));
  }

  /** Wanders smoothly between −1 and 1, changing its mind about once a unit of {@code x}. */
  static double wander(long seed, double x) {
    double sum = 0;
    double weight = 0.5714285714;
    for (int octave = 0; octave < 3; octave++) {
      double scaled = x * (1 << octave);
      long cell = (long) Math.floor(scaled);
      double f = scaled - cell;
      double smooth = f * f * (3 - 2 * f);
      double a = even(seed + octave, cell) * 2 - 1;
      double b = even(seed + octave, cell + 1) * 2 - 1;
      sum += weight * (a + (b - a) * smooth);
      weight /= 2;
    }
    return sum;
  }
}
