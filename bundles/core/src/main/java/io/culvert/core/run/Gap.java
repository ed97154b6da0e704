package io.culvert.core.run;

import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry.Reason;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The span in which one device isn't read: from its first failed poll to the last, with the number
 * of readings that were due in it, each poll counted with its own points. Of a device that tells by
 * itself it is the span from the last that was heard of it to the moment from which it tells again.
 * One that lasts is entered piece by piece, without holes; all pieces until {@link #end} are one
 * {@link Outage}. Used on the loop only.
 */
final class Gap {
  private static final StreamClass[] CLASSES = StreamClass.values();

  private final Kit kit;
  private final String device;

  /** Polls that aren't entered yet. */
  private final Map<PollGroup, Long> open = new LinkedHashMap<>();

  /** Polls of the outage that are. */
  private final Map<PollGroup, Long> entered = new LinkedHashMap<>();

  private Instant from;
  private Instant to;

  /** When the outage was noticed; {@code null} if there is none. */
  private Instant start;

  /** Whether it is one of a device that tells by itself. */
  private boolean told;

  /** When a device that tells by itself was heard last before it; {@code null} for others. */
  private Instant heard;

  private long began;
  private String detail = "";

  /** Span of what is entered; {@code null} if nothing is. */
  private Instant enteredFrom;

  private Instant enteredTo;

  Gap(Kit kit, String device) {
    this.kit = kit;
    this.device = device;
  }

  /**
   * An outage as it stands in the ledger.
   *
   * @param polls that brought nothing, by group
   */
  record Outage(Instant from, Instant to, Map<PollGroup, Long> polls) {}

  /**
   * Counts polls that brought nothing.
   *
   * @param first when the first of them was due
   * @param last when the last of them ended
   */
  void add(PollGroup group, long count, Instant first, Instant last, String why) {
    if (open.isEmpty()) {
      began = kit.loop().nanos();
      from = told && enteredFrom != null ? earlier(first, enteredTo) : first;
      to = last;
    }
    start = start == null ? first : earlier(start, first);
    open.merge(group, count, Long::sum);
    from = earlier(from, first);
    to = later(to, last);
    detail = why;
  }

  /** What the device would have told since it was heard last belongs to it. */
  void heard(Instant last) {
    heard = last;
    told = true;
  }

  /**
   * What the device would have told until now belongs to it, too, if there is an outage.
   *
   * @param groups whose points it tells
   */
  void reach(Collection<PollGroup> groups, Instant now) {
    if (!open.isEmpty()) {
      to = later(to, now);
    } else if (enteredFrom != null) {
      groups.forEach(group -> add(group, 1, now, now, detail));
    }
  }

  /** How long ago the first that isn't entered was counted, in nanoseconds; 0 if there is none. */
  long age() {
    return open.isEmpty() ? 0 : kit.loop().nanos() - began;
  }

  /** Whether the outage was noticed at a time or later; also if there is none. */
  boolean since(Instant time) {
    return start == null || !start.isBefore(time);
  }

  /** Enters the span and begins anew. What was expected isn't what was counted: not exact. */
  void release() {
    if (open.isEmpty()) {
      return;
    }
    from = heard == null ? from : earlier(from, heard);
    heard = null;
    enter(kit, device, new Outage(from, to, open), Reason.NEVER_READ, detail);
    open.forEach((group, polls) -> entered.merge(group, polls, Long::sum));
    open.clear();
    enteredFrom = enteredFrom == null ? from : earlier(enteredFrom, from);
    enteredTo = enteredTo == null ? to : later(enteredTo, to);
  }

  /**
   * The device is read again: enters what is open.
   *
   * @return the outage; {@code null} if there was none
   */
  Outage end() {
    release();
    start = null;
    told = false;
    if (enteredFrom == null) {
      return null;
    }
    Outage outage = new Outage(enteredFrom, enteredTo, Map.copyOf(entered));
    entered.clear();
    enteredFrom = null;
    return outage;
  }

  /** Nothing was missed after all: what is open is forgotten, and what is entered taken back. */
  void recover(String why) {
    open.clear();
    heard = null;
    Outage outage = end();
    if (outage != null) {
      enter(kit, device, outage, Reason.RECOVERED, why);
    }
  }

  private static void enter(Kit kit, String device, Outage outage, Reason reason, String why) {
    for (StreamClass streamClass : CLASSES) {
      long readings = 0;
      for (Map.Entry<PollGroup, Long> polls : outage.polls().entrySet()) {
        readings += polls.getValue() * polls.getKey().readings(streamClass);
      }
      if (readings > 0) {
        kit.gaps()
            .add(device, streamClass, outage.from(), outage.to(), readings, false, reason, why);
      }
    }
  }

  private static Instant earlier(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }

  private static Instant later(Instant a, Instant b) {
    return a.isAfter(b) ? a : b;
  }
}
