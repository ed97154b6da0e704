package io.culvert.api.service;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Batch;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/** The query service: history held at the edge, read from the buffer's own log. */
@ProviderType
public interface Query {

  /**
   * Readings of one point by time of event, oldest first. Reads the disk, so may block, for little
   * longer than {@code patience}; writing goes on meanwhile.
   *
   * @param from inclusive
   * @param to exclusive
   * @param limit at most so many, 1 to 100,000
   * @param patience after which it ends with what it has found
   */
  History history(
      String device, String point, Instant from, Instant to, int limit, Duration patience);

  /**
   * @param entries oldest first
   * @param complete whether these are the oldest of the span, as many as were asked for or all that
   *     there are; otherwise there wasn't time to look everywhere
   */
  record History(List<Batch.Entry> entries, boolean complete) {
    public History {
      entries = List.copyOf(entries);
    }
  }

  /**
   * One point's readings summed up by windows of time. Reads the disk, so may block, for little
   * longer than {@code patience}; memory is bounded by the number of windows.
   *
   * @param from inclusive; where the first window begins
   * @param to exclusive
   * @param window length, 1 ms or more; at most 100,000 windows are possible
   * @param patience after which it ends with what it has found
   */
  Windows windows(
      String device, String point, Instant from, Instant to, Duration window, Duration patience);

  /**
   * @param windows those that have a reading, in order of time
   * @param complete whether there was time to look everywhere
   */
  record Windows(List<Window> windows, boolean complete) {
    public Windows {
      windows = List.copyOf(windows);
    }
  }

  /**
   * A window's readings. Booleans count as 0 and 1; values that are no numbers are counted and
   * nothing else.
   *
   * @param from where it begins, inclusive
   * @param count of readings that aren't bad
   * @param bad count of bad readings
   * @param min smallest number, NaN if there is none
   * @param max largest
   * @param mean of the numbers, not weighted by time
   * @param last the latest reading that isn't bad; {@code null} if all are
   */
  record Window(
      Instant from, long count, long bad, double min, double max, double mean, Reading last) {}

  /**
   * Hands over readings one by one, class by class and in the order of their commit, until the
   * visitor has enough. Reads the disk, so blocks; holds a row in memory, and nobody up.
   *
   * @param device id, {@code ""} for all
   * @param point id, {@code ""} for all
   * @param from time of event, inclusive
   * @param to exclusive
   * @return whether everything was handed over that could be read
   */
  boolean each(String device, String point, Instant from, Instant to, Visitor visitor);

  /** Takes readings. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @return false to end
     */
    boolean take(Batch.Entry entry);
  }

  /**
   * The value of points that was stored last: of each the reading committed last whose quality
   * isn't bad. Searches from the newest back and ends when all are found. Reads the disk, so may
   * block, for little longer than {@code patience}.
   *
   * @param points ids of points by device
   * @param patience after which it ends with what it has found
   */
  Last last(Map<String, Set<String>> points, Duration patience);

  /**
   * @param readings at most one of each point
   * @param complete whether of a point that is not among them nothing is stored; otherwise there
   *     wasn't time to look everywhere
   */
  record Last(List<Reading> readings, boolean complete) {
    public Last {
      readings = List.copyOf(readings);
    }
  }
}
