package io.culvert.buffer;

/**
 * How much may be on its way to a platform at once, alarms apart: so much that the link is never
 * idle, and not so much that an alarm waits for seconds behind it. Learned from the answers: while
 * they come soon the room grows, when they come later than the first ones did by {@value
 * #LATE_MILLIS} ms it is halved. Not thread-safe.
 */
final class Flow {
  private static final int MOST_A_BATCH = 500;
  private static final int BEGIN = MOST_A_BATCH;
  private static final int LEAST = 20;
  private static final int MOST = 200_000;
  private static final long LATE_MILLIS = 2000;
  private static final long LATE = LATE_MILLIS * 1_000_000;

  private int room;
  private int onTheWay;
  private long soonest;
  private long halved;

  Flow(long nanos) {
    begin(nanos);
  }

  /** A new connection: nothing is known of the link. */
  void begin(long nanos) {
    room = BEGIN;
    soonest = Long.MAX_VALUE;
    halved = nanos;
  }

  /**
   * Readings that the next batch holds at most; 0 if none may go now. None goes into a small rest,
   * which would make small batches.
   *
   * @param historical these have half of the room, so that live ones find some
   */
  int batch(boolean historical) {
    int share = historical ? room / 2 : room;
    int rest = share - onTheWay;
    return rest < share / 4 ? 0 : Math.min(MOST_A_BATCH, rest);
  }

  void sent(int readings) {
    onTheWay += readings;
  }

  /** Answered, or given up. */
  void ended(int readings) {
    onTheWay -= readings;
  }

  /**
   * What an answer tells.
   *
   * @param sentAt in nanoseconds; the loop's time
   */
  void answered(int readings, long sentAt, long now) {
    long took = now - sentAt;
    soonest = Math.min(soonest, took);
    if (took < soonest + LATE / 2) {
      room = Math.min(MOST, room + readings);
    } else if (took > soonest + LATE && sentAt - halved >= 0) {
      // Once for all that was on its way then.
      room = Math.max(LEAST, room / 2);
      halved = now;
    }
  }
}
