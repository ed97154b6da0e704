package io.culvert.api.service;

import io.culvert.api.Reading;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** Owns delivery: durability, order, retry, retention, history, the loss ledger. Never blocks. */
@ProviderType
public interface Buffer {

  /**
   * Takes readings of any streams. They are committed together or not at all, in the order given,
   * and get their sequence numbers then.
   *
   * @return completed when they are on disk and synced (<em>accepted</em>): alarms within 10 ms,
   *     others at the latest after the commit interval. Fails with {@link
   *     java.util.concurrent.RejectedExecutionException} if the bound on what waits to be committed
   *     is reached, with {@link java.io.IOException} if the disk refuses. What failed was not taken
   *     and is the caller's to account for with {@link #gap}
   */
  CompletionStage<Void> accept(List<Reading> readings);

  /**
   * Enters a gap in the ledger and, as a reading, in the gateway's own event stream.
   *
   * @return completed when it is on disk and synced
   */
  CompletionStage<Void> gap(LedgerEntry entry);

  /** Ledger entries that touch a span, oldest first, at most {@code limit}. May read the disk. */
  List<LedgerEntry> ledger(java.time.Instant from, java.time.Instant to, int limit);

  /** Figures of this moment. */
  Status status();

  /**
   * @param accepted readings committed since the start
   * @param pending readings waiting for their commit
   * @param dropped readings deleted unconfirmed by a bound since the start
   * @param bytes on disk
   * @param problem what keeps the buffer from working, {@code ""} if nothing
   * @param forwarders one each
   */
  record Status(
      long accepted,
      long pending,
      long dropped,
      long bytes,
      String problem,
      List<Forwarding> forwarders) {
    public Status {
      forwarders = List.copyOf(forwarders);
    }
  }

  /**
   * @param id of the forwarder
   * @param ready whether its platform can be reached
   * @param confirmed readings confirmed since the start
   * @param refused readings refused since the start
   * @param unconfirmed readings on disk that it still owes
   */
  record Forwarding(String id, boolean ready, long confirmed, long refused, long unconfirmed) {}
}
