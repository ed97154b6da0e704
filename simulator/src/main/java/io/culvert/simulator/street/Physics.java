package io.culvert.simulator.street;

import java.util.List;

/**
 * The physical quantities that a device measures, by name, as functions of time, and the faults of
 * its sensors. Pure but for what was written to the device; the device guards it.
 */
public final class Physics {
  private final String[] names;
  private final Signal[] signals;
  private final Signal.Seeds[] seeds;
  private final double[] held;
  private final List<Fault> sensorFaults;

  Physics(String[] names, Signal[] signals, long streetSeed, long deviceSeed, List<Fault> faults) {
    this.names = names;
    this.signals = signals;
    this.sensorFaults = faults.stream().filter(fault -> fault.kind().ofSensor()).toList();
    this.held = new double[names.length];
    this.seeds = new Signal.Seeds[names.length];
    for (int i = 0; i < names.length; i++) {
      held[i] = Double.NaN;
      seeds[i] =
          new Signal.Seeds(streetSeed, deviceSeed, Noise.hash(deviceSeed, names[i].hashCode()));
    }
  }

  int index(String name) {
    for (int i = 0; i < names.length; i++) {
      if (names[i].equals(name)) {
        return i;
      }
    }
    throw new IllegalArgumentException("no quantity " + name);
  }

  /** Sets a quantity for good: it was written. */
  void hold(int index, double value) {
    held[index] = value;
  }

  double value(int index, Moment moment) {
    if (!Double.isNaN(held[index])) {
      return held[index];
    }
    Moment seen = moment;
    double added = 0;
    for (Fault fault : sensorFaults) {
      if (fault.point().equals(names[index]) && fault.struck(moment, seeds[index].signal())) {
        if (fault.kind() == Fault.Kind.STUCK) {
          seen = moment.atWall(fault.since(moment.wall()));
        } else {
          added += fault.amount();
        }
      }
    }
    Moment at = seen;
    return signals[index].at(at.street(), seeds[index], other -> value(other, at)) + added;
  }

  /**
   * A moment on the street.
   *
   * @param street seconds since midnight of the street's first day
   * @param wall seconds since the street was opened
   * @param speed street seconds in a wall second
   */
  public record Moment(double street, double wall, double speed) {
    Moment atStreet(double other) {
      return new Moment(other, wall + (other - street) / speed, speed);
    }

    Moment atWall(double other) {
      return new Moment(street + (other - wall) * speed, other, speed);
    }
  }
}
