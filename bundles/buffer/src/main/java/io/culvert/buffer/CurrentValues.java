package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Looks for the current values in a part of the log: of each point the newest reading there, if it
 * is still owed. Of a point whose newest one is not owed the platform knows a newer value than any
 * other that is: it has none.
 *
 * <p>Walks row by row from the newest back and ends after {@value #MOST_READINGS} readings, {@value
 * #MOST_POINTS} points or {@value #MOST_MILLIS} ms of the caller's time; what it has not come to is
 * not among the current values. Not thread-safe; blocks on disk for the time of a row a step.
 */
final class CurrentValues {
  static final int MOST_READINGS = 500_000;
  static final int MOST_POINTS = 100_000;
  static final int MOST_MILLIS = 1000;

  private final Store store;
  private final Delivery delivery;
  private final StreamClass streamClass;
  private final long first;
  private final Map<String, Set<String>> seen = new HashMap<>();
  private final Intervals found = new Intervals();
  private long at;
  private int readings;
  private int points;
  private long nanos;

  /**
   * @param first position where the part begins
   * @param end position after it
   */
  CurrentValues(Store store, Delivery delivery, StreamClass streamClass, long first, long end) {
    this.store = store;
    this.delivery = delivery;
    this.streamClass = streamClass;
    // Nothing before what is owed first can be one.
    long owed = delivery.firstOwed(streamClass, first);
    this.first = owed < 0 ? end : owed;
    this.at = end - 1;
  }

  /** Looks into one row more, if there is one. */
  void step() throws IOException {
    if (done()) {
      return;
    }
    Found there = store.read(streamClass, at);
    if (!(there instanceof Found.Whole whole)) {
      at = before(there instanceof Found.Damaged damaged ? Math.min(at, damaged.first()) : at);
      return;
    }
    Row row = whole.row();
    Intervals owed = delivery.owed(streamClass, row.head().first(), row.head().end());
    long last = Math.max(first, row.head().first());
    for (; at >= last && points < MOST_POINTS; at--) {
      Batch.Entry entry = row.at(at);
      readings++;
      if (entry != null && isNew(entry.reading()) && owed.contains(at)) {
        found.add(at, at + 1);
      }
    }
  }

  private boolean isNew(Reading reading) {
    boolean added =
        seen.computeIfAbsent(reading.device(), device -> new HashSet<>()).add(reading.point());
    points += added ? 1 : 0;
    return added;
  }

  /** The last position before one that can't be read at which something may stand. */
  private long before(long position) throws IOException {
    List<Segment> segments = store.segments();
    for (int i = segments.size() - 1; i >= 0; i--) {
      Segment.Span span = segments.get(i).span(streamClass);
      if (span.isEmpty() || span.first() >= position) {
        continue;
      }
      if (span.end() <= position) {
        return span.end() - 1;
      }
      RowHead head = segments.get(i).headBefore(streamClass, position);
      if (head != null) {
        return Math.min(head.end(), position) - 1;
      }
    }
    return -1;
  }

  /** Counts time that was spent on it. */
  void spent(long more) {
    nanos += more;
  }

  boolean done() {
    return at < first
        || readings >= MOST_READINGS
        || points >= MOST_POINTS
        || nanos >= MOST_MILLIS * 1_000_000L;
  }

  /** Positions of those found so far. */
  Intervals found() {
    return found;
  }
}
