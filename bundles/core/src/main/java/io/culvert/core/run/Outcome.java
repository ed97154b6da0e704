package io.culvert.core.run;

import java.time.Instant;

/**
 * How a call into a driver ended.
 *
 * @param value what it answered, {@code null} if it failed
 * @param at when the answer was there
 * @param failure {@code null} if it answered
 */
record Outcome<T>(T value, Instant at, Failure failure) {

  static <T> Outcome<T> failed(Instant at, boolean timeout, String message) {
    return new Outcome<>(null, at, new Failure(timeout, message));
  }

  boolean ok() {
    return failure == null;
  }

  /**
   * Only words: an exception of a driver would keep its classes alive.
   *
   * @param timeout whether the deadline passed
   */
  record Failure(boolean timeout, String message) {}
}
