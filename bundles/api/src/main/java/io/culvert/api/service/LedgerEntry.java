package io.culvert.api.service;

import java.time.Instant;
import java.util.Objects;

/**
 * One gap: readings that the platform doesn't get, and why.
 *
 * @param device id of the device, {@code *} for all
 * @param streamClass name of the class in lower case, {@code *} for all
 * @param from start of the span, inclusive, in time of events
 * @param to end of the span, inclusive
 * @param count how many readings
 * @param exact whether they were counted; otherwise {@code count} is what was expected in the span
 * @param reason why
 * @param detail in words, {@code ""} if there is nothing to add
 */
public record LedgerEntry(
    String device,
    String streamClass,
    Instant from,
    Instant to,
    long count,
    boolean exact,
    Reason reason,
    String detail) {
  public static final String ALL = "*";

  public LedgerEntry {
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(streamClass, "streamClass");
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(to, "to");
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(detail, "detail");
  }

  /** Why readings are missing. */
  public enum Reason {
    /** The device didn't answer, or its answer was of no use. */
    NEVER_READ,
    /** Read, but the process ended before they were on disk. */
    INTERRUPTION,
    /** Deleted unconfirmed by a stated bound. */
    DROPPED,
    /** Accepted, but what is on disk can't be read any more. */
    DAMAGED,
    /** The platform refused them for good. */
    REFUSED,
    /** Not taken, because the disk or the bound on what waits refused. */
    NOT_ACCEPTED,
    /**
     * No gap but the end of one: what entries of {@link #NEVER_READ} or {@link #INTERRUPTION} say
     * of this span has come after all, out of the device's own memory.
     */
    RECOVERED
  }
}
