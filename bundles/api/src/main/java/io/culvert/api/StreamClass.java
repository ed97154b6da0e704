package io.culvert.api;

/**
 * What a reading is for. Each device has one stream a class, with its own sequence numbers; the
 * order here is the order of delivery after an outage.
 */
public enum StreamClass {
  /** A limit was passed, or is kept again. Committed within 10 ms. */
  ALARM,
  /** Something happened once: a tag's passage, a door, a command. */
  EVENT,
  /** A mode or contact that holds until it changes. */
  STATE,
  /** A measured quantity. */
  TELEMETRY
}
