package io.culvert.core.normalise;

import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/**
 * What may have been missed of a device's points while its link was lost, or the gateway away: the
 * edges of that span, point by point, so that nothing which is filled in comes twice. Made and
 * asked by the {@link Normaliser}, under its lock.
 *
 * <p>Both edges are exclusive. The lower one is the newest event time that was taken of the point
 * before; where it told nothing between two outages, the end of the first. The upper one is that of
 * the first sample which it told after and that isn't bad: from there on, what the device tells by
 * itself is whole. While a point has told nothing yet, its upper edge is open, and what was filled
 * in is remembered, so that a first sample which is the same isn't stored again.
 */
public final class Missed {
  private final Instant[] after;
  private final Instant[] before;
  private final Instant[] filled;

  /** Event times that are stored from before a start, by point. */
  private final Map<String, Set<Instant>> stored;

  /** When the outage had ended; {@code null} while it lasts. */
  private Instant end;

  /**
   * @param after lower edge by point, {@code null} for none
   */
  Missed(Instant[] after, Map<String, Set<Instant>> stored) {
    this.after = after;
    this.before = new Instant[after.length];
    this.filled = new Instant[after.length];
    this.stored = stored;
  }

  boolean isOver() {
    return end != null;
  }

  void over(Instant time) {
    end = time;
  }

  /**
   * The link was lost again before the outage was over: what a point told in between is no edge, as
   * more is missing after it.
   */
  void goesOn() {
    Arrays.fill(before, null);
  }

  /** The lower edge of the next outage. */
  Instant edge(int point, Instant newest) {
    return before[point] != null || newest != null && newest.isAfter(end) ? newest : end;
  }

  /** The device tells a point by itself again. */
  void told(int point, Instant eventTime) {
    if (before[point] == null) {
      before[point] = eventTime;
    }
  }

  /** Whether the point told nothing since. */
  boolean open(int point) {
    return before[point] == null;
  }

  /** Whether what a device kept is missing here. */
  boolean lacks(int point, String id, Instant at) {
    return (after[point] == null || at.isAfter(after[point]))
        && (before[point] == null || at.isBefore(before[point]))
        && (filled[point] == null || at.isAfter(filled[point]))
        && !stored.getOrDefault(id, Set.of()).contains(at);
  }

  /** Notes what was filled in and is accepted. */
  void filled(int point, Instant at) {
    if (filled[point] == null || at.isAfter(filled[point])) {
      filled[point] = at;
    }
  }
}
