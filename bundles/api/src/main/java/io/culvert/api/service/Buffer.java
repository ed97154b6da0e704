package io.culvert.api.service;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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
   *     others at the latest after the commit interval; while the disk refuses, when it takes them
   *     again. Where the bytes that may be written in a day run short, some telemetry is left out:
   *     then it is completed when the ledger says so, up to a minute later. Fails with {@link
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
  List<LedgerEntry> ledger(Instant from, Instant to, int limit);

  /**
   * What became of one device's readings in a span of event time: how many were committed, how many
   * of them each platform has, still waits for, or does not get and why. Reads the disk, so may
   * block.
   *
   * @param device id
   * @param from inclusive
   * @param to exclusive
   */
  Account account(String device, Instant from, Instant to);

  /** What is on disk, and who is owed what of it, by class. Reads the disk, so may block. */
  Holdings holdings();

  /**
   * Reads everything on disk and checks it. Writes nothing and holds up nobody. Blocks, for about a
   * second each 50 MB.
   */
  Verification verify();

  /** Figures of this moment. */
  Status status();

  /**
   * @param accepted readings committed since the start
   * @param pending readings waiting for their commit; while the disk refuses, those held in memory
   * @param dropped readings deleted unconfirmed by a bound since the start
   * @param bytes on disk
   * @param maxBytes bound on it
   * @param written bytes written to disk in the last 24 hours of running, as far as this run knows
   * @param disk what the disk does
   * @param problem what keeps the buffer from working, with what to do, {@code ""} if nothing
   * @param forwarders one each
   */
  record Status(
      long accepted,
      long pending,
      long dropped,
      long bytes,
      long maxBytes,
      long written,
      Disk disk,
      String problem,
      List<Forwarding> forwarders) {
    public Status {
      forwarders = List.copyOf(forwarders);
    }
  }

  /** State of the disk below the buffer. */
  enum Disk {
    /** The last commit was synced. */
    WORKING,
    /** No space left, or a quota is used up. */
    FULL,
    /** It can only be read. */
    READ_ONLY,
    /** It answers with errors, or does not answer. */
    FAILING
  }

  /**
   * @param id of the forwarder
   * @param ready whether its platform can be reached
   * @param confirmed readings confirmed since the start
   * @param refused readings refused since the start
   * @param unconfirmed readings on disk that it still owes
   * @param sentBytes bytes sent in the last 24 hours of running; 0 if it doesn't count them
   * @param maxSentBytes bound on them, 0 for none
   */
  record Forwarding(
      String id,
      boolean ready,
      long confirmed,
      long refused,
      long unconfirmed,
      long sentBytes,
      long maxSentBytes) {}

  /**
   * @param accepted by class, those of the device and span that are on disk
   * @param deliveries what became of them, one each class and forwarder that has any
   * @param entries of the ledger that concern the device and touch the span, oldest first
   * @param counts readings that the entries count, by reason; of an entry that reaches beyond the
   *     span, or speaks of all devices, the whole count
   * @param complete whether everything was read; otherwise damage or a bound on the number of
   *     entries hid something
   */
  record Account(
      Map<StreamClass, Long> accepted,
      List<Delivered> deliveries,
      List<LedgerEntry> entries,
      Map<LedgerEntry.Reason, Long> counts,
      boolean complete) {
    public Account {
      accepted = Map.copyOf(accepted);
      deliveries = List.copyOf(deliveries);
      entries = List.copyOf(entries);
      counts = Map.copyOf(counts);
    }
  }

  /**
   * @param settled readings on disk that it doesn't owe: confirmed, or in the ledger
   * @param unconfirmed readings on disk that it still owes
   */
  record Delivered(String forwarder, StreamClass streamClass, long settled, long unconfirmed) {}

  /**
   * @param classes what is on disk, one each class that has any
   * @param owed what is owed of it, one each forwarder and class that has any
   * @param segments files of the log
   * @param thinned of these, files whose telemetry was thinned out or dropped by a bound
   * @param damagedFiles files set aside because they can't be read
   * @param damagedBytes size of these
   */
  record Holdings(
      List<Held> classes,
      List<Owed> owed,
      int segments,
      int thinned,
      int damagedFiles,
      long damagedBytes) {
    public Holdings {
      classes = List.copyOf(classes);
      owed = List.copyOf(owed);
    }
  }

  /**
   * @param bytes on disk, without what files need beside the readings
   * @param oldest earliest event
   * @param newest latest event
   */
  record Held(StreamClass streamClass, long readings, long bytes, Instant oldest, Instant newest) {}

  /**
   * @param oldest commit of the oldest of them, by the gateway's clock
   */
  record Owed(String forwarder, StreamClass streamClass, long readings, Instant oldest) {}

  /**
   * @param files checked
   * @param readings that can be read
   * @param bytes of the files
   * @param problems what is damaged, one line each, with the file; empty if nothing is
   */
  record Verification(int files, long readings, long bytes, List<String> problems) {
    public Verification {
      problems = List.copyOf(problems);
    }
  }
}
