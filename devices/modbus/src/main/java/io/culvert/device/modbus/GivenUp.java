package io.culvert.device.modbus;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;

/**
 * Requests that nobody waits for any more, whose answers may come late. Where answers bear no
 * numbers, a unit on a line behind a gateway may give them over the next connection, so this
 * outlives a {@link Link}. Safe in any thread.
 */
final class GivenUp {
  /** For the late answer to a request that was given up, before it could be taken for the next. */
  private static final Duration GRACE = Duration.ofMillis(200);

  /** How long an answer to a request that was given up is known as such, not as another's. */
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Requests that are remembered. */
  private static final int MOST = 64;

  /** The earliest first. */
  private final Deque<Request> requests = new ArrayDeque<>();

  private record Request(int transaction, int unit, byte[] pdu, long since) {}

  synchronized void add(int transaction, int unit, byte[] pdu) {
    if (requests.size() == MOST) {
      requests.remove();
    }
    requests.add(new Request(transaction, unit, pdu, System.nanoTime()));
  }

  /**
   * How long, in ns, the late answer to an earlier request might still be taken for the answer to
   * this: to one of the same unit and function. 0 or less if it can't.
   */
  synchronized long grace(int unit, byte[] pdu) {
    long grace = 0;
    for (Request earlier : requests) {
      if (earlier.unit == unit && earlier.pdu[0] == pdu[0]) {
        grace = Math.max(grace, GRACE.toNanos() - (System.nanoTime() - earlier.since));
      }
    }
    return grace;
  }

  /** Whether one of this number is here; it is settled then. */
  synchronized boolean settles(int transaction) {
    return requests.removeIf(request -> request.transaction == transaction);
  }

  /** Whether an answer fits one of these; that is settled then. */
  synchronized boolean settles(int unit, byte[] answer) {
    long now = System.nanoTime();
    while (!requests.isEmpty() && now - requests.peek().since > LATE_NANOS) {
      requests.remove();
    }
    for (Iterator<Request> all = requests.iterator(); all.hasNext(); ) {
      Request request = all.next();
      if (request.unit == unit && AnswerCheck.wrong(request.pdu, answer) == null) {
        all.remove();
        return true;
      }
    }
    return false;
  }

  synchronized void clear() {
    requests.clear();
  }
}
