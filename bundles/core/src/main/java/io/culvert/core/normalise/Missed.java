package io.culvert.core.normalise;

import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Value;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What may have been missed of a device's points while its link was lost, or the gateway away: the
 * edges of that span, point by point, so that nothing which is filled in comes twice. Made and
 * asked by the {@link Normaliser}, under its lock.
 *
 * <p>Both edges are exclusive. The lower one is the newest event time that was taken of the point
 * before, the upper one that of the first sample which it told after and that isn't bad: from there
 * on, what the device tells by itself is whole. While a point has told nothing yet, its upper edge
 * is open, and what was filled in is remembered, so that a first sample which is the same isn't
 * stored again.
 */
public final class Missed {
  /** What was filled in and may still be told by the device, at most. */
  private static final int MOST_LATE = 100_000;

  private final Instant[] after;
  private final Instant[] before;
  private final Instant[] filled;

  /** Event times that are stored from before a start, by point. */
  private final Map<String, Set<Instant>> stored;

  private final Map<Late, What> late =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Late, What> eldest) {
          return size() > MOST_LATE;
        }
      };

  /** Whether the outage has ended; what comes then belongs to the next. */
  private boolean over;

  private record Late(int point, Instant eventTime) {}

  private record What(Value value, Quality quality) {}

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
    return over;
  }

  void end() {
    over = true;
  }

  /**
   * The link was lost again before the outage was over: what a point told in between is no edge, as
   * more is missing after it.
   */
  void goesOn() {
    Arrays.fill(before, null);
  }

  /**
   * Notes what a device tells by itself.
   *
   * @return whether exactly this was filled in already
   */
  boolean told(int point, Reading reading) {
    Instant at = reading.eventTime();
    if (before[point] == null && !reading.quality().bad()) {
      before[point] = at;
    }
    if (late.isEmpty()) {
      return false;
    }
    Late key = new Late(point, at);
    return new What(reading.value(), reading.quality()).equals(late.get(key))
        && late.remove(key) != null;
  }

  /** Whether what a device kept is missing here. */
  boolean lacks(int point, String id, Instant at) {
    return (after[point] == null || at.isAfter(after[point]))
        && (before[point] == null || at.isBefore(before[point]))
        && (filled[point] == null || at.isAfter(filled[point]))
        && !stored.getOrDefault(id, Set.of()).contains(at);
  }

  /**
   * Notes what was filled in and is accepted.
   *
   * @param near from when on the device may still tell the same by itself
   * @param last whether it is the newest of its point so far
   */
  void filled(int point, Reading reading, Instant near, boolean last) {
    Instant at = reading.eventTime();
    if (filled[point] == null || at.isAfter(filled[point])) {
      filled[point] = at;
    }
    if (before[point] == null && (last || at.isAfter(near))) {
      late.put(new Late(point, at), new What(reading.value(), reading.quality()));
    }
  }
}
