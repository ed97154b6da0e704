package io.culvert.simulator.street;

import java.util.List;

/**
 * What a kind of device is inside: its tables, what they show at a moment and what happens on a
 * write. Called with the device's monitor held.
 */
public interface Body {

  /** The tables that the device has. */
  List<Block> blocks();

  /** Whether the device knows a function code at all; if not it answers exception 01. */
  default boolean serves(int function) {
    return true;
  }

  /**
   * Writes addresses that exist.
   *
   * @param values one for each address; bits are 0 or 1
   * @return 0, or the exception's code
   */
  int write(Table table, int address, int[] values, Physics.Moment moment);

  /** One table of a device: what a gateway may read at once, under one tick. */
  interface Block {
    Table table();

    /** Lowest address. */
    int first();

    /** Number of addresses, holes included. */
    int size();

    /**
     * The points that a gateway with the profile reads from it; the tick, if there is one, first.
     */
    List<PointTruth> points();

    /** Lowest address of a point. */
    int address(int point);

    /** How many addresses a point takes. */
    int width(int point);

    /**
     * Measures: sets what each point truly is, in its unit, and what the table shows of it.
     *
     * @param tick what the tick counter shows, already within its modulus
     */
    void show(Physics.Moment moment, long tick, double[] truth, Image image);

    /** An answer with this point, as it was shown last, goes out. */
    default void answered(int point) {
      // Most devices don't care who knows of them.
    }
  }
}
