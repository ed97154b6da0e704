package io.culvert.plugins.hosting;

import java.time.Duration;

/**
 * How patient the gateway is with a plug-in's process.
 *
 * @param start until it has started
 * @param beat between two questions for a sign of life
 * @param silence so long it may leave one unanswered
 * @param stuck so long a call into a driver may hold its thread
 * @param answer of a check or the name of a lane, which the caller waits for
 * @param pause before it is started again, the first time; doubles from end to end
 * @param longestPause which it doubles up to
 * @param good after so long without an end, the next one counts as the first
 * @param farewell to end in good order
 */
record Limits(
    Duration start,
    Duration beat,
    Duration silence,
    Duration stuck,
    Duration answer,
    Duration pause,
    Duration longestPause,
    Duration good,
    Duration farewell) {

  static final Limits USUAL =
      new Limits(
          Duration.ofSeconds(60),
          Duration.ofSeconds(1),
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofSeconds(3),
          Duration.ofSeconds(1),
          Duration.ofMinutes(5),
          Duration.ofMinutes(10),
          Duration.ofSeconds(3));
}
