package io.culvert.core.run;

import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry.Reason;
import java.time.Instant;

/**
 * The span in which one device isn't read: from its first failed poll to the last, with the number
 * of readings that were due in it, each poll counted with its own points. Used on the loop only.
 */
final class Gap {
  private static final StreamClass[] CLASSES = StreamClass.values();

  private final Kit kit;
  private final String device;
  private final long[] expected = new long[StreamClass.values().length];
  private Instant from;
  private Instant to;
  private long polls;
  private long began;
  private String detail = "";

  Gap(Kit kit, String device) {
    this.kit = kit;
    this.device = device;
  }

  /**
   * Counts polls that brought nothing.
   *
   * @param first when the first of them was due
   * @param last when the last of them ended
   */
  void add(PollGroup group, long count, Instant first, Instant last, String why) {
    if (polls == 0) {
      began = kit.loop().nanos();
      from = first;
      to = last;
    }
    polls += count;
    for (StreamClass streamClass : CLASSES) {
      expected[streamClass.ordinal()] += count * group.readings(streamClass);
    }
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
    for (StreamClass streamClass : CLASSES) {
      long readings = expected[streamClass.ordinal()];
      expected[streamClass.ordinal()] = 0;
      if (readings > 0) {
        kit.gaps().add(device, streamClass, from, to, readings, false, Reason.NEVER_READ, detail);
      }
    }
    polls = 0;
  }
}
