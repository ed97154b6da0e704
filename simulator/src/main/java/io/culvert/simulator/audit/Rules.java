package io.culvert.simulator.audit;

import java.util.List;

/**
 * What the audit allows.
 *
 * @param duplicates readings that may arrive twice, because the gateway couldn't know better
 * @param slackMillis how long the gateway may take from an answer to its time stamp
 * @param kills of the gateway, in order: each must stand in the ledger as an interruption, and no
 *     interruption may be longer than they explain; not judged if there are none
 */
public record Rules(long duplicates, long slackMillis, List<Kill> kills) {
  public static final Rules STRICT = new Rules(0, 500, List.of());

  public Rules {
    kills = List.copyOf(kills);
  }

  public Rules withDuplicates(long allowed) {
    return new Rules(allowed, slackMillis, kills);
  }

  public Rules withKills(List<Kill> known) {
    return new Rules(duplicates, slackMillis, known);
  }
}
