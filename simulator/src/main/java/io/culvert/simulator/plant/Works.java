package io.culvert.simulator.plant;

import java.util.List;
import java.util.Map;

/**
 * What happens inside a device of the plant. Called with the device's monitor held, by one thread
 * at a time.
 */
interface Works {

  /** What can be seen from outside; the cycle counter, which the device counts itself, first. */
  List<Variable> variables();

  /** Lets time pass. */
  void run(double seconds);

  /** A quantity, before its variable rounds it; NaN while there is none. */
  double value(int variable);

  /**
   * Takes a set-point that lies in its range.
   *
   * @return whether it fits the others
   */
  default boolean write(int variable, double value) {
    return false;
  }

  /** What it can be told to do, by name. */
  default Map<String, Order> orders() {
    return Map.of();
  }

  /** What it warns of. */
  default List<Warning> warnings() {
    return List.of();
  }

  /**
   * A method.
   *
   * @param argument name of its one argument, a number; {@code null} for none
   */
  record Order(Variable.Words title, String argument, Action action) {}

  /** Does what was ordered, or says that it can't now. */
  @FunctionalInterface
  interface Action {
    boolean done(double argument);
  }

  /**
   * Something that may be wrong.
   *
   * @param variable that it is about
   * @param level whether it is a level that was passed, and no state
   */
  record Warning(
      String name, Variable.Words title, int variable, int severity, boolean level, Now now) {}

  /** Tells whether it is wrong at the moment. */
  @FunctionalInterface
  interface Now {
    boolean active();
  }
}
