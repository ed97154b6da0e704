package io.culvert.mqtt;

import java.time.Duration;
import java.time.Instant;

/**
 * Decides which failures of an outage are worth a line in the log: the first, each new reason, and
 * a reminder at growing intervals. Not safe in several threads.
 */
final class Outage {

  private static final Duration FIRST_REMINDER = Duration.ofMinutes(1);
  private static final Duration LONGEST = Duration.ofHours(1);

  private String told = "";
  private Instant remindAt = Instant.MIN;
  private Duration interval = FIRST_REMINDER;

  /** Whether to tell of a failure now; if so, it counts as told. */
  boolean worthTelling(String reason, Instant now) {
    if (reason.equals(told) && now.isBefore(remindAt)) {
      return false;
    }
    if (reason.equals(told)) {
      interval =
          interval.multipliedBy(2).compareTo(LONGEST) < 0 ? interval.multipliedBy(2) : LONGEST;
    } else {
      interval = FIRST_REMINDER;
    }
    told = reason;
    remindAt = now.plus(interval);
    return true;
  }

  /** The outage is over for good: the next failure is told whatever its reason. */
  void over() {
    told = "";
    interval = FIRST_REMINDER;
  }
}
