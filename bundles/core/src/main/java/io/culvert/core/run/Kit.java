package io.culvert.core.run;

import io.culvert.core.normalise.ClockSource;
import java.util.concurrent.Executor;
import java.util.function.BinaryOperator;
import java.util.random.RandomGenerator;

/**
 * What everything that runs here shares.
 *
 * @param random for jitter only
 * @param notices where listeners and callers outside are told: never the loop, which they could
 *     hold up
 * @param where names the place of a device's key in the site document or profile
 */
record Kit(
    Loop loop,
    Outlet outlet,
    GapBook gaps,
    Recall recall,
    Tally tally,
    ClockSource clock,
    RandomGenerator random,
    Executor notices,
    BinaryOperator<String> where) {

  /** The same, but counting apart. */
  Kit with(Tally other) {
    return new Kit(loop, outlet, gaps, recall, other, clock, random, notices, where);
  }
}
