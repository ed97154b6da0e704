package io.culvert.simulator.street;

/**
 * A part of a physical quantity as a function of street time; the parts of a point are added up.
 * The unit is the point's. Pure, so it may be asked from any thread.
 */
@FunctionalInterface
interface Signal {
  double DAY = 86_400;

  /**
   * @param time street time in seconds since midnight of the first day
   * @param seeds of the street, the device and this signal
   * @param others values of the device's other points at the same time
   */
  double at(double time, Seeds seeds, Others others);

  /** Where randomness comes from: what a street, a device and a signal share. */
  record Seeds(long street, long device, long signal) {}

  /** The other points of the same device. */
  @FunctionalInterface
  interface Others {
    double value(int index);
  }

  /** Adds parts up and holds the sum within bounds (NaN for none). */
  static Signal sum(Signal[] parts, double min, double max) {
    return (time, seeds, others) -> {
      double sum = 0;
      for (int i = 0; i < parts.length; i++) {
        Seeds own = new Seeds(seeds.street, seeds.device, Noise.hash(seeds.signal, i));
        sum += parts[i].at(time, own, others);
      }
      return sum < min ? min : sum > max ? max : sum;
    };
  }

  static Signal constant(double value) {
    return (time, seeds, others) -> value;
  }

  /** A cosine over the day with its top at {@code peak} (seconds after midnight). */
  static Signal daily(double mean, double amplitude, double peak) {
    return (time, seeds, others) -> mean + amplitude * Math.cos(2 * Math.PI * (time - peak) / DAY);
  }

  /** Humps at times of day, such as rush hours: {@code height} above zero, {@code width} wide. */
  static Signal peaks(double height, double[] peaks, double width) {
    return (time, seeds, others) -> {
      double sum = 0;
      for (double peak : peaks) {
        double apart = Math.abs((((time - peak) % DAY) + DAY) % DAY);
        double distance = Math.min(apart, DAY - apart) / width;
        sum += Math.exp(-distance * distance / 2);
      }
      return height * sum;
    };
  }

  /**
   * Answers to rain, which falls on the whole street at once: a storm about every {@code every},
   * after which the value rises within {@code rise} and goes down over {@code fall}. A storm of
   * full strength lifts it by {@code height}.
   */
  static Signal rain(double height, double every, double rise, double fall) {
    return (time, seeds, others) -> {
      double sum = 0;
      long cell = (long) Math.floor(time / every);
      for (long storm = cell - 2; storm <= cell; storm++) {
        double start = (storm + 0.7 * Noise.even(seeds.street, storm)) * every;
        double strength = 0.3 + 0.7 * Noise.even(seeds.street + 1, storm);
        double since = time - start;
        if (since > 0) {
          sum += strength * (1 - Math.exp(-since / rise)) * Math.exp(-since / fall);
        }
      }
      return height * sum;
    };
  }

  /** Wanders within ± {@code amplitude}, changing its mind about once a {@code period}. */
  static Signal walk(double amplitude, double period) {
    return (time, seeds, others) ->
        amplitude * Noise.wander(Noise.hash(seeds.device, seeds.signal), time / period);
  }

  /** Normal noise of deviation {@code sd}, new at each millisecond of street time. */
  static Signal noise(double sd) {
    return (time, seeds, others) ->
        sd * Noise.normal(Noise.hash(seeds.device, seeds.signal), Math.round(time * 1000));
  }

  /**
   * A well that fills and is pumped out: low → high, then down again in {@code fall} of a period.
   */
  static Signal sawtooth(double low, double high, double period, double fall) {
    return (time, seeds, others) -> {
      double phase = phase(time, seeds, period);
      double part = phase < 1 - fall ? phase / (1 - fall) : (1 - phase) / fall;
      return low + (high - low) * part;
    };
  }

  /** {@code value} while the pump of {@link #sawtooth} with the same period runs, else 0. */
  static Signal running(double value, double period, double fall) {
    return (time, seeds, others) -> phase(time, seeds, period) < 1 - fall ? 0 : value;
  }

  /** Counts from {@code start} on, {@code rate} an hour. */
  static Signal counter(double start, double rate) {
    return (time, seeds, others) -> start + rate * time / 3600;
  }

  /** Goes with another point: {@code offset + factor * that}. */
  static Signal follow(int point, double factor, double offset) {
    return (time, seeds, others) -> offset + factor * others.value(point);
  }

  /** 1 while another point is at or above a limit, else 0. */
  static Signal above(int point, double limit) {
    return (time, seeds, others) -> others.value(point) >= limit ? 1 : 0;
  }

  /** Sudden rises that die away, such as lorries on a bridge: one about {@code every}. */
  static Signal spikes(double low, double high, double every, double decay) {
    return (time, seeds, others) -> {
      long seed = Noise.hash(seeds.device, seeds.signal);
      double sum = 0;
      long cell = (long) Math.floor(time / every);
      for (long k = cell - 1; k <= cell; k++) {
        double since = time - (k + Noise.even(seed, k)) * every;
        if (since >= 0) {
          sum += (low + (high - low) * Noise.even(seed + 1, k)) * Math.exp(-since / decay);
        }
      }
      return sum;
    };
  }

  /** NaN, which is no value, for {@code length} once in {@code every}; else 0. */
  static Signal absent(double every, double length) {
    return (time, seeds, others) -> {
      double turns = time / every + Noise.even(seeds.device, seeds.signal);
      return (turns - Math.floor(turns)) * every < length ? Double.NaN : 0;
    };
  }

  /** One of several values, drawn anew each {@code every}. */
  static Signal choice(double[] values, double every) {
    return (time, seeds, others) -> {
      long seed = Noise.hash(seeds.device, seeds.signal);
      return values[(int) (Noise.even(seed, (long) Math.floor(time / every)) * values.length)];
    };
  }

  private static double phase(double time, Seeds seeds, double period) {
    double turns = time / period + Noise.even(seeds.device, 0);
    return turns - Math.floor(turns);
  }
}
