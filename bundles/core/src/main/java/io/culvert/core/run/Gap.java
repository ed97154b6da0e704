package io.culvert.core.run;

import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.core.model.PointModel;
import java.time.Instant;
import java.util.List;

/**
 * The span in which one device isn't read: from its first failed poll to the last, with the number
 * of polls that were due in it. Used on the loop only.
 */
final class Gap {
  private final Kit kit;
  private final String device;
  private final long[] pointsByClass = new long[StreamClass.values().length];
  private Instant from;
  private Instant to;
  private long polls;
  private long began;
  private String detail = "";

  /**
   * @param readable the points that each poll reads
   */
  Gap(Kit kit, String device, List<PointModel> readable) {
    this.kit = kit;
    this.device = device;
    for (PointModel model : readable) {
      pointsByClass[model.streamClass().ordinal()]++;
    }
  }

  /**
   * Counts polls that brought nothing.
   *
   * @param first when the first of them was due
   * @param last when the last of them ended
   */
  void add(long count, Instant first, Instant last, String why) {
    if (polls == 0) {
      began = kit.loop().nanos();
      from = first;
      to = last;
    }
    polls += count;
    from = first.isBefore(from) ? first : from;
    to = last.isAfter(to) ? last : to;
    detail = why;
  }

  /** How long ago the first of them was counted, in nanoseconds; 0 if there is none. */
  long age() {
    return polls == 0 ? 0 : kit.loop().nanos() - began;
  }

  /** Enters the span and begins anew. What was expected isn't what was counted: not exact. */
  void release() {
    if (polls == 0) {
      return;
    }
    for (StreamClass streamClass : StreamClass.values()) {
      long points = pointsByClass[streamClass.ordinal()];
      if (points > 0) {
        kit.gaps()
            .add(device, streamClass, from, to, polls * points, false, Reason.NEVER_READ, detail);
      }
    }
    polls = 0;
  }
}
