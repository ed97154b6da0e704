package io.culvert.core.run;

import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Gaps on their way into the ledger. What the buffer refuses stays here, joined with what follows
 * it, until it is taken: one entry a device, class and reason, so that this is bounded. Used on the
 * loop only.
 */
final class GapBook {
  private static final Duration AGAIN = Duration.ofSeconds(5);

  private final Loop loop;
  private final Outlet outlet;
  private final Map<Key, LedgerEntry> waiting = new LinkedHashMap<>();
  private int handed;
  private boolean armed;
  private Runnable settled;

  GapBook(Loop loop, Outlet outlet) {
    this.loop = loop;
    this.outlet = outlet;
  }

  /**
   * @param some whether it is of some points of the class only
   */
  private record Key(String device, String streamClass, Reason reason, boolean some) {}

  /**
   * @param exact whether {@code count} was counted and not only expected
   */
  void add(
      String device,
      StreamClass streamClass,
      Instant from,
      Instant to,
      long count,
      boolean exact,
      Reason reason,
      String detail) {
    String name = streamClass.name().toLowerCase(Locale.ROOT);
    join(new LedgerEntry(device, name, from, to, count, exact, reason, detail));
    // After what the loop is about, so that gaps of one moment go together.
    arm(Duration.ZERO);
  }

  private void join(LedgerEntry entry) {
    waiting.merge(
        new Key(
            entry.device(),
            entry.streamClass(),
            entry.reason(),
            entry.detail().startsWith(Intake.ONLY)),
        entry,
        (a, b) ->
            new LedgerEntry(
                a.device(),
                a.streamClass(),
                a.from().isBefore(b.from()) ? a.from() : b.from(),
                a.to().isAfter(b.to()) ? a.to() : b.to(),
                a.count() + b.count(),
                a.exact() && b.exact(),
                a.reason(),
                b.detail()));
  }

  private void arm(Duration delay) {
    if (!armed) {
      armed = true;
      loop.after(
          delay,
          () -> {
            armed = false;
            flush();
          });
    }
  }

  /** Hands over all that waits, if there is a buffer. */
  void flush() {
    if (waiting.isEmpty() || !outlet.present()) {
      return;
    }
    LedgerEntry[] entries = waiting.values().toArray(LedgerEntry[]::new);
    waiting.clear();
    for (LedgerEntry entry : entries) {
      handed++;
      outlet.gap(
          entry,
          problem -> {
            handed--;
            if (problem != null) {
              join(entry);
              arm(AGAIN);
            }
            if (handed == 0 && settled != null) {
              settled.run();
            }
          });
    }
  }

  /**
   * Hands over what waits for the last time.
   *
   * @param settled told when the buffer has answered, or at once if there is nothing to hand over
   */
  void close(Runnable settled) {
    this.settled = settled;
    flush();
    if (handed == 0) {
      settled.run();
    }
  }
}
