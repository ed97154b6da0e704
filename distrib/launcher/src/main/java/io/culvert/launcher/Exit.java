package io.culvert.launcher;

/** How {@code bin/culvert} ends; the numbers are a promise to scripts. */
enum Exit {
  OK(0),
  /** Tried and failed; a line on standard error says why. */
  FAILED(1),
  /** The command line isn't understood. */
  USAGE(2),
  /** There is no gateway on this data directory (the number that LSB gives for {@code status}). */
  NOT_RUNNING(3),
  /** There is one already. */
  ALREADY_RUNNING(4),
  /** The machine or the installation doesn't allow it: rights, disk, a damaged file. */
  ENVIRONMENT(5);

  private final int code;

  Exit(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
