package io.culvert.core.run;

import io.culvert.api.service.Monitor;

/** Figures since the start. Counted on the loop, read anywhere. */
final class Tally {
  private volatile long read;
  private volatile long suppressed;
  private volatile long accepted;
  private volatile long missed;

  // One writer, the loop: reading and writing a volatile is enough.

  void read(long samples, long heldBack) {
    read = read + samples;
    suppressed = suppressed + heldBack;
  }

  void accepted(long readings) {
    accepted = accepted + readings;
  }

  void missed(long polls) {
    missed = missed + polls;
  }

  Monitor.Figures figures() {
    return new Monitor.Figures(read, suppressed, accepted, missed);
  }
}
