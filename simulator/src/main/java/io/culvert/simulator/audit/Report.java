package io.culvert.simulator.audit;

import java.util.List;
import java.util.Map;

/**
 * The outcome of an audit: {@code shown = confirmed + explained + suppressed} and nothing off.
 *
 * @param shown readings that the street showed
 * @param confirmed of these, arrived at the platform
 * @param suppressed of these, rightly kept back by dead-band
 * @param explained of these, standing in the ledger, by reason
 * @param duplicatesAllowed how many readings might arrive twice
 * @param counts violations
 * @param examples the first of each
 */
public record Report(
    long answers,
    long shown,
    long confirmed,
    long suppressed,
    Map<String, Long> explained,
    long duplicatesAllowed,
    Received received,
    Map<String, Tally> byClass,
    List<LedgerClaim> ledger,
    Map<Violation, Long> counts,
    Map<Violation, List<String>> examples) {

  /**
   * What came in.
   *
   * @param readings all, with the gateway's own and duplicates
   * @param historical of these, marked as history
   * @param duplicates of these, not for the first time
   * @param unjudged of these, from tables without a tick, whose truth can't be told by answer
   */
  public record Received(long readings, long historical, long duplicates, long unjudged) {}

  /** Counts of one class. */
  public record Tally(long shown, long confirmed, long suppressed, long explained, long lost) {}

  /** Whether the account is exact. */
  public boolean holds() {
    return counts.values().stream().allMatch(count -> count == 0);
  }

  public long count(Violation violation) {
    return counts.getOrDefault(violation, 0L);
  }

  public long explainedInAll() {
    return explained.values().stream().mapToLong(Long::longValue).sum();
  }
}
