package io.culvert.api;

/** What was known of the gateway's clock when it stamped a reading. */
public enum ClockState {
  /** Nothing tells whether the clock is right. */
  UNKNOWN,
  /** The system says that the clock follows a time source. */
  SYNCHRONISED,
  /** The system says that it doesn't. */
  UNSYNCHRONISED,
  /** The clock was wrong then, and the times were set right when it was. */
  CORRECTED
}
