package io.culvert.buffer;

import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.time.Duration;
import java.time.Instant;

/**
 * The time since the last run, until a device is read again. Kept with the state of delivery, so
 * that it is not forgotten if this run ends before that.
 *
 * @param from its beginning, in milliseconds since 1970
 * @param rate readings a second that are missed in it
 * @param clean whether the run before it was stopped
 */
record Downtime(long from, double rate, boolean clean) {

  /** How it stands in the ledger once a reading has come. */
  LedgerEntry endedBy(Instant firstReading) {
    Instant since = Instant.ofEpochMilli(from);
    Instant until = firstReading.isBefore(since) ? since : firstReading;
    double seconds = Duration.between(since, until).toMillis() / 1000.0;
    return new LedgerEntry(
        LedgerEntry.ALL,
        LedgerEntry.ALL,
        since,
        until,
        Math.round(rate * seconds),
        false,
        clean ? Reason.NEVER_READ : Reason.INTERRUPTION,
        clean
            ? "The gateway was stopped. The count is what was expected."
            : "The process ended without a clean stop: what it had read since its last commit is"
                + " lost, and nothing was read until this start. The count is what was expected.");
  }

  static void write(Downtime downtime, ByteWriter out) {
    out.u8(downtime == null ? 0 : 1);
    if (downtime != null) {
      out.signed(downtime.from());
      out.i64(Double.doubleToRawLongBits(downtime.rate()));
      out.u8(downtime.clean() ? 1 : 0);
    }
  }

  static Downtime read(ByteReader in) throws DamagedException {
    if (in.u8() == 0) {
      return null;
    }
    return new Downtime(in.signed(), Double.longBitsToDouble(in.i64()), in.u8() == 1);
  }
}
