package io.culvert.simulator.audit;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Set;

/**
 * An entry of the gateway's ledger as the platform received it.
 *
 * @param from start of the span in epoch milliseconds, inclusive
 * @param to end of the span, inclusive
 */
public record LedgerClaim(
    String device,
    String streamClass,
    long from,
    long to,
    long count,
    boolean exact,
    String reason,
    String detail) {
  private static final Set<String> REASONS =
      Set.of(
          "NEVER_READ",
          "INTERRUPTION",
          "DROPPED",
          "DAMAGED",
          "REFUSED",
          "NOT_ACCEPTED",
          "RECOVERED");

  /** With this begins the detail of an entry that speaks of some points of its class only. */
  private static final String ONLY = "only ";

  /**
   * Reads the structure of a point {@code ledger}.
   *
   * @throws IllegalArgumentException if it isn't one, saying why
   */
  static LedgerClaim read(Object value) {
    if (!(value instanceof Map<?, ?> map)) {
      throw new IllegalArgumentException("ledger is no object: " + value);
    }
    String reason = text(map, "reason").toUpperCase(java.util.Locale.ROOT);
    if (!REASONS.contains(reason)) {
      throw new IllegalArgumentException("ledger has the reason '" + reason + "'");
    }
    if (!(map.get("count") instanceof Double count)
        || !(map.get("exact") instanceof Boolean exact)) {
      throw new IllegalArgumentException("ledger lacks count or exact: " + map);
    }
    try {
      return new LedgerClaim(
          text(map, "device"),
          text(map, "class"),
          Instant.parse(text(map, "from")).toEpochMilli(),
          Instant.parse(text(map, "to")).toEpochMilli(),
          count.longValue(),
          exact,
          reason,
          map.get("detail") instanceof String detail ? detail : "");
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("ledger has a wrong time: " + map);
    }
  }

  private static String text(Map<?, ?> map, String key) {
    if (map.get(key) instanceof String text) {
      return text;
    }
    throw new IllegalArgumentException("ledger lacks '" + key + "': " + map);
  }

  boolean concerns(String otherDevice, String otherClass) {
    return (device.equals("*") || device.equals(otherDevice))
        && (streamClass.equals("*") || streamClass.equals(otherClass));
  }

  /** Whether it speaks of readings that the gateway had and the platform doesn't get. */
  boolean ofReadings() {
    return !ofSpan() && !recovers();
  }

  /** Whether it speaks of a time in which nothing was read. */
  boolean ofSpan() {
    return reason.equals("INTERRUPTION") || reason.equals("NEVER_READ");
  }

  /** Whether it takes back what others say. */
  boolean recovers() {
    return reason.equals("RECOVERED");
  }

  /** Whether others of its device and class may have been read in the same time. */
  boolean ofSomePoints() {
    return detail.startsWith(ONLY);
  }

  /** Whether there may be readings that both speak of. */
  boolean touches(LedgerClaim other) {
    return (other.device.equals("*") || concerns(other.device, streamClass))
        && (other.streamClass.equals("*") || concerns(device, other.streamClass))
        && overlaps(other.from, other.to);
  }

  boolean overlaps(long start, long end) {
    return start <= to && end >= from;
  }

  String reasonInWords() {
    return reason.toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
  }

  /** For people. */
  @Override
  public String toString() {
    return String.format(
        "%s %s/%s %s – %s, %s%d%s",
        reasonInWords(),
        device,
        streamClass,
        Times.clock(from),
        Times.clock(to),
        exact ? "" : "about ",
        count,
        detail.isEmpty() ? "" : " (" + detail + ")");
  }
}
