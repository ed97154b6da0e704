package io.culvert.plugins.hosting;

/** What the two sides ask and tell each other. */
enum Op {
  // From the gateway.
  VALIDATE,
  LANE,
  WARNINGS,
  OPEN,
  /** Told: plans a reading under a number. */
  PREPARE,
  /** Told: the number isn't used any more. */
  FORGET,
  READ,
  SUBSCRIBE,
  WRITE,
  BROWSE,
  HISTORY,
  /** Told. */
  CLOSE,
  /** Asks for a sign of life, and which call holds its thread for how long. */
  PING,
  /** Told: end in good order. */
  STOP,
  /** Told: bytes came in on a serial line. */
  RECEIVED,
  /** Told: the port of a serial line is gone. */
  LINE_LOST,

  // From the plug-in's process.
  /** Told, first of all: the word by which the gateway knows whom it started. */
  HELLO,
  /** Told: the plug-in doesn't start, and why. */
  FAILED,
  /** Told: the drivers that the plug-in has now; the first time, that it has started. */
  DRIVERS,
  /** Hands samples to the sink. */
  ACCEPT,
  /** Says which readings the device had and can't give any more. */
  MISSING,
  /** Told: the link to a device is gone. */
  LOST,
  /** Told: what a connection has counted. */
  FIGURES,
  /** Told: joins a serial line under a number. */
  JOIN,
  LINE_OPEN,
  SEND,
  /** Told. */
  LEAVE,
  /** Asks for a secret by its name. */
  SECRET
}
