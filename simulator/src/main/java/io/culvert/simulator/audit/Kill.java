package io.culvert.simulator.audit;

/**
 * An end of the gateway without warning. Until it reads again nothing is read, and what it had read
 * since its last commit is lost; no more may stand in its ledger as an interruption.
 *
 * @param at when it was killed, in epoch milliseconds
 * @param startedAgain when it was started after that
 */
public record Kill(long at, long startedAgain) {}
