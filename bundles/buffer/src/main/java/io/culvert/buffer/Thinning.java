package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leaves readings out before they are stored while the bytes that may be written in a day run
 * short. Each is counted in the ledger; none takes a sequence number. What came together is
 * answered when the rest of it is committed and its entries are in the ledger.
 *
 * <p>Entries are written each minute, one a device and class, so that they don't use up what they
 * save; sooner if {@value #MOST_OF_DEVICE} calls of a device wait for them. Thread-safe.
 */
final class Thinning {
  /** As it stands in the ledger. */
  static final String WHY = "Not stored: the bytes of maxWrittenBytesPerDay run short.";

  /** Core asks a device for nothing more at 32. */
  static final int MOST_OF_DEVICE = 16;

  private static final Logger LOG = LoggerFactory.getLogger(Thinning.class);
  private static final Duration EVERY = Duration.ofMinutes(1);

  /** Bound on calls that wait for the ledger; if it takes nothing, nothing is left out any more. */
  private static final int MOST = 20_000;

  private final Wear wear;
  private final Function<List<Reading>, CompletionStage<Void>> storage;
  private final Ledger ledger;
  private final LongSupplier nanos;
  private final Runnable wake;

  /** Readings by device and point, since thinning began. */
  private final Map<List<String>, Integer> counts = new HashMap<>();

  private Accounts.Sum sum = new Accounts.Sum();
  private List<CompletableFuture<Void>> waiting = new ArrayList<>();
  private Map<String, Integer> ofDevice = new HashMap<>();
  private long since;
  private boolean woken;
  private boolean thinning;

  /**
   * @param storage where readings go
   * @param nanos time that only runs forward
   * @param wake has {@link #enter} called soon
   */
  Thinning(
      Wear wear,
      Function<List<Reading>, CompletionStage<Void>> storage,
      Ledger ledger,
      LongSupplier nanos,
      Runnable wake) {
    this.wear = wear;
    this.storage = storage;
    this.ledger = ledger;
    this.nanos = nanos;
    this.wake = wake;
  }

  /** As {@link io.culvert.api.service.Buffer#accept}. */
  CompletionStage<Void> accept(List<Reading> readings) {
    int oneOf = wear.oneOf();
    if (oneOf == 1) {
      return storage.apply(readings);
    }
    List<Reading> kept = new ArrayList<>();
    List<Reading> left = new ArrayList<>();
    synchronized (this) {
      if (waiting.size() >= MOST) {
        return storage.apply(readings);
      }
      for (Reading reading : readings) {
        (keeps(reading, oneOf) ? kept : left).add(reading);
      }
    }
    if (left.isEmpty()) {
      return storage.apply(kept);
    }
    return kept.isEmpty() ? leave(left) : storage.apply(kept).thenCompose(done -> leave(left));
  }

  private boolean keeps(Reading reading, int oneOf) {
    if (reading.streamClass() != StreamClass.TELEMETRY || oneOf == 0) {
      return wear.stores(reading.streamClass());
    }
    int count = counts.merge(List.of(reading.device(), reading.point()), 1, (a, b) -> a + b) - 1;
    return count % oneOf == 0;
  }

  private synchronized CompletionStage<Void> leave(List<Reading> left) {
    if (waiting.isEmpty()) {
      since = nanos.getAsLong();
    }
    for (Reading reading : left) {
      sum.add(
          new Accounts.Gap(
              reading.device(),
              reading.streamClass(),
              1,
              RowHead.floorMillis(reading.eventTime()),
              RowHead.ceilMillis(reading.eventTime())));
    }
    CompletableFuture<Void> entered = new CompletableFuture<>();
    waiting.add(entered);
    if (ofDevice.merge(left.get(0).device(), 1, Integer::sum) >= MOST_OF_DEVICE && !woken) {
      woken = true;
      wake.run();
    }
    return entered;
  }

  /** What to call each second: writes entries that are due, and tells of changes. */
  boolean tick() throws IOException {
    boolean now = wear.oneOf() != 1;
    boolean due;
    synchronized (this) {
      if (now != thinning) {
        thinning = now;
        counts.clear();
        if (now) {
          LOG.warn(
              "The bytes that may be written in a day run short: telemetry is thinned out, and"
                  + " counted in the loss ledger");
        } else {
          LOG.info("Telemetry is stored whole again");
        }
      }
      due = !waiting.isEmpty() && nanos.getAsLong() - since >= EVERY.toNanos();
    }
    return due && enter();
  }

  /**
   * Enters what was left out. Blocks on disk; one thread at a time.
   *
   * @return whether there was any
   */
  boolean enter() throws IOException {
    Accounts.Sum entering;
    List<CompletableFuture<Void>> answered;
    synchronized (this) {
      woken = false;
      if (waiting.isEmpty()) {
        return false;
      }
      entering = sum;
      answered = waiting;
      sum = new Accounts.Sum();
      waiting = new ArrayList<>();
      ofDevice = new HashMap<>();
    }
    try {
      ledger.store(entering.gaps().stream().map(Thinning::entry).toList(), List.of(), true);
    } catch (IOException e) {
      synchronized (this) {
        entering.gaps().forEach(sum::add);
        waiting.addAll(answered);
      }
      throw e;
    }
    answered.forEach(each -> each.complete(null));
    return true;
  }

  private static LedgerEntry entry(Accounts.Gap gap) {
    return new LedgerEntry(
        gap.device(),
        gap.streamClass().name().toLowerCase(Locale.ROOT),
        Instant.ofEpochMilli(gap.from()),
        Instant.ofEpochMilli(gap.to()),
        gap.count(),
        true,
        Reason.DROPPED,
        WHY);
  }

  /** In words, with what to do; {@code ""} if nothing is left out. */
  String problem() {
    int oneOf = wear.oneOf();
    if (oneOf == 1) {
      return "";
    }
    return "The bytes that may be written in a day run short: "
        + (oneOf == 0 ? "no telemetry" : "one of " + oneOf + " readings of telemetry")
        + " is stored. Raise buffer.maxWrittenBytesPerDay in etc/site.json, or poll less often.";
  }
}
