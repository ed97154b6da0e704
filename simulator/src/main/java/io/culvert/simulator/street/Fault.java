package io.culvert.simulator.street;

import java.util.Locale;

/**
 * What goes wrong with a device, at times or by chance.
 *
 * @param point quantity concerned, {@code ""} where the whole device is
 * @param probability for each answer, or 1 if it is a matter of time alone
 * @param at wall seconds after opening from which on it can strike
 * @param lasts for how many wall seconds, infinite for ever
 * @param every after how many wall seconds it comes again, infinite for never
 * @param amount added by a spike, milliseconds of delay of an answer, or the exception's code
 */
public record Fault(
    Kind kind,
    String point,
    double probability,
    double at,
    double lasts,
    double every,
    double amount) {

  /** The kinds; the wire's names are these in lower case with dashes. */
  public enum Kind {
    /** A sensor that shows the value of the fault's beginning. */
    STUCK,
    /** A sensor that shows {@code by} too much. */
    SPIKE,
    /** The device is gone: the connection is closed instead of an answer. */
    GAP,
    NO_ANSWER,
    /** An answer after {@code delay}, meant to be within the deadline. */
    SLOW,
    /** An answer after {@code delay}, meant to be past the deadline. */
    LATE,
    /** Bytes that are no Modbus frame, after which the stream makes no sense. */
    GARBAGE,
    /** A frame with fewer bytes of data than were asked for. */
    SHORT,
    WRONG_UNIT,
    WRONG_TRANSACTION,
    /** An answer that the wire spoiled: its check sum is wrong. RTU framing only. */
    CHECKSUM,
    /** An exception with {@code code}. */
    EXCEPTION;

    boolean ofSensor() {
      return this == STUCK || this == SPIKE;
    }

    /** Whether an answer goes out that no gateway may believe. */
    public boolean poisons() {
      return switch (this) {
        case GARBAGE, SHORT, WRONG_UNIT, WRONG_TRANSACTION, CHECKSUM -> true;
        default -> false;
      };
    }

    /** The only framing on which it can be, {@code null} for any. */
    Street.Framing framing() {
      return switch (this) {
        case CHECKSUM -> Street.Framing.RTU;
        case WRONG_TRANSACTION -> Street.Framing.TCP;
        default -> null;
      };
    }

    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Whether it strikes now; {@code seed} makes chance differ between points and devices. */
  boolean struck(Physics.Moment moment, long seed) {
    return struck(
        moment.wall(), Noise.even(seed ^ kind.ordinal(), Math.round(moment.wall() * 1e3)));
  }

  /** Whether it strikes at a wall second, given a draw between 0 and 1. */
  public boolean struck(double wall, double draw) {
    if (wall < at || draw >= probability) {
      return false;
    }
    double since = Double.isInfinite(every) ? wall - at : (wall - at) % every;
    return since < lasts;
  }

  /** When the fault's present turn began, in wall seconds. */
  double since(double wall) {
    return Double.isInfinite(every) ? at : wall - (wall - at) % every;
  }
}
