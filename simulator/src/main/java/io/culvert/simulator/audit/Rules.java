package io.culvert.simulator.audit;

/**
 * What the audit allows.
 *
 * @param duplicates readings that may arrive twice, because the gateway couldn't know better
 * @param slackMillis how long the gateway may take from an answer to its time stamp
 */
public record Rules(long duplicates, long slackMillis) {
  public static final Rules STRICT = new Rules(0, 500);

  public Rules withDuplicates(long allowed) {
    return new Rules(allowed, slackMillis);
  }
}
