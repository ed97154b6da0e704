package io.culvert.api.northbound;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.util.List;

/**
 * Readings of one class on their way to a platform.
 *
 * @param streamClass of every entry
 * @param historical whether they are from before the present connection to the platform; order
 *     holds within a stream and lane (live or historical)
 * @param entries in the order of their commit
 */
public record Batch(StreamClass streamClass, boolean historical, List<Entry> entries) {
  public Batch {
    entries = List.copyOf(entries);
  }

  /**
   * A reading with the number that it has in its stream.
   *
   * @param sequence from 1, without gap in a stream (device and class)
   */
  public record Entry(long sequence, Reading reading) {}
}
