package io.culvert.simulator.platform;

import java.util.List;

/**
 * One entry of {@code services}: readings of one device, class and time with consecutive numbers.
 *
 * @param streamClass {@code service_id}
 * @param eventMillis {@code event_time}
 * @param firstSequence number of the first item; the others follow
 * @param ofGateway whether it came on the topic for the gateway's own properties
 */
public record Entry(
    String device,
    String streamClass,
    long eventMillis,
    boolean historical,
    long firstSequence,
    List<Item> items,
    boolean ofGateway) {

  /**
   * One reading.
   *
   * @param value a Double, Boolean, String, List or Map; {@code null} if the quality is bad
   * @param unit {@code ""} for none
   * @param quality {@code Good} where the message says nothing
   */
  public record Item(String point, Object value, String unit, String quality) {
    public boolean bad() {
      return quality.startsWith("Bad");
    }

    /** The value as a number: true is 1, what is no number NaN. */
    public double number() {
      if (value instanceof Double number) {
        return number;
      }
      return value instanceof Boolean flag ? (flag ? 1 : 0) : Double.NaN;
    }
  }

  /** Number of an item, by its place. */
  public long sequence(int item) {
    return firstSequence + item;
  }
}
