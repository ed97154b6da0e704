package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Buffer.Delivered;
import io.culvert.api.service.Buffer.Held;
import io.culvert.api.service.Buffer.Holdings;
import io.culvert.api.service.Buffer.Owed;
import io.culvert.api.service.Buffer.Verification;
import io.culvert.api.service.LedgerEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Answers what people ask of the buffer: what is there, what became of it, whether it is whole.
 *
 * <p>Beside writing and delivery, in any thread: sealed files are opened once more, and of the one
 * that is written some rows are read at a time. What it holds in memory is a row, some outlines of
 * rows, and what it answers.
 */
final class Inspection {
  private static final StreamClass[] CLASSES = StreamClass.values();

  /** Outlines read at a time, with the file locked if it is still written. */
  private static final int OUTLINES = 64;

  /** Bound on the entries of an account. */
  static final int ENTRIES = 10_000;

  private final Store store;
  private final Ledger ledger;
  private final Accounts accounts;

  /** What sealed files hold: these change no more, unless they are thinned out. */
  private final Map<Long, Tally> sealed = new ConcurrentHashMap<>();

  Inspection(Store store, Ledger ledger, Accounts accounts) {
    this.store = store;
    this.ledger = ledger;
    this.accounts = accounts;
  }

  /** Takes rows of a segment. */
  private interface Rows {
    void take(Segment segment, Segment.Outline row) throws IOException;
  }

  /**
   * Hands over each row of a segment whose events touch a span, in the order of their keys.
   *
   * @return whether it could be read to its end
   */
  private static boolean forEach(Segment of, long from, long to, Rows rows) throws IOException {
    Segment segment = null;
    try {
      segment = of.apart();
      List<Segment.Outline> some = segment.outlines(-1, from, to, OUTLINES);
      while (!some.isEmpty()) {
        for (Segment.Outline row : some) {
          rows.take(segment, row);
        }
        some = segment.outlines(some.get(some.size() - 1).id(), from, to, OUTLINES);
      }
      return true;
    } catch (SQLException e) {
      if (!Files.exists(of.file())) {
        // Deleted meanwhile.
        return true;
      }
      if (Sqlite.unreadable(e)) {
        return false;
      }
      throw new IOException(of.file().getFileName() + ": " + e.getMessage(), e);
    } finally {
      if (segment == of) {
        of.closeReader();
      } else {
        Sqlite.closeQuietly(segment);
      }
    }
  }

  /** See {@link io.culvert.api.service.Buffer#account}. */
  Account account(String device, Instant from, Instant to) throws IOException {
    List<Delivery> deliveries = accounts.deliveries();
    deliveries.forEach(delivery -> delivery.extend(store::next));
    Count count = new Count(device, from, to, deliveries);
    for (Segment segment : store.segments()) {
      if (!forEach(segment, count.since, count.until, count)) {
        count.complete = false;
      }
    }
    List<LedgerEntry> entries = ledger.entries(device, from, to, ENTRIES);
    Map<LedgerEntry.Reason, Long> counts = new EnumMap<>(LedgerEntry.Reason.class);
    entries.forEach(entry -> counts.merge(entry.reason(), entry.count(), Long::sum));
    return new Account(
        count.accepted(),
        count.deliveries(),
        entries,
        counts,
        count.complete && entries.size() < ENTRIES && store.unreadable().isEmpty());
  }

  /** Counts a device's readings of a span, and who is still owed them. */
  private static final class Count implements Rows {
    private final String device;
    private final Instant from;
    private final Instant to;
    private final long since;
    private final long until;
    private final List<Delivery> deliveries;
    private final long[] accepted = new long[CLASSES.length];
    private final long[][] unconfirmed;
    private boolean complete = true;

    Count(String device, Instant from, Instant to, List<Delivery> deliveries) {
      this.device = device;
      this.from = from;
      this.to = to;
      this.since = RowHead.floorMillis(from);
      this.until = RowHead.ceilMillis(to);
      this.deliveries = deliveries;
      this.unconfirmed = new long[deliveries.size()][CLASSES.length];
    }

    @Override
    public void take(Segment segment, Segment.Outline row) throws IOException {
      if (row.head() == null) {
        complete = false;
        return;
      }
      RowHead head = segment.corrected(row.head());
      for (RowHead.Part part : head.streams()) {
        if (part.device().equals(device)
            && !Instant.ofEpochMilli(part.to()).isBefore(from)
            && Instant.ofEpochMilli(part.from()).isBefore(to)) {
          count(segment, head, part);
        }
      }
    }

    private void count(Segment segment, RowHead head, RowHead.Part part) throws IOException {
      int c = head.streamClass().ordinal();
      // The head's times are rounded outwards.
      boolean whole =
          !Instant.ofEpochMilli(part.from()).isBefore(from)
              && Instant.ofEpochMilli(part.to()).isBefore(to);
      List<Intervals> owed = new ArrayList<>();
      boolean mixed = false;
      for (Delivery delivery : deliveries) {
        Intervals here = delivery.owed(head.streamClass(), head.first(), head.end());
        mixed |= !here.isEmpty() && here.size() != head.end() - head.first();
        owed.add(here);
      }
      Row row = whole && !mixed ? null : segment.row(head);
      if (row == null) {
        if (whole) {
          accepted[c] += part.count();
          for (int d = 0; d < owed.size(); d++) {
            unconfirmed[d][c] += Math.min(part.count(), owed.get(d).size());
          }
        }
        complete &= whole && !mixed;
        return;
      }
      for (int i = 0; i < row.entries().size(); i++) {
        Reading reading = row.entries().get(i).reading();
        if (reading.device().equals(device)
            && !reading.eventTime().isBefore(from)
            && reading.eventTime().isBefore(to)) {
          accepted[c]++;
          for (int d = 0; d < owed.size(); d++) {
            unconfirmed[d][c] += owed.get(d).contains(row.position(i)) ? 1 : 0;
          }
        }
      }
    }

    Map<StreamClass, Long> accepted() {
      Map<StreamClass, Long> byClass = new EnumMap<>(StreamClass.class);
      for (StreamClass streamClass : CLASSES) {
        if (accepted[streamClass.ordinal()] > 0) {
          byClass.put(streamClass, accepted[streamClass.ordinal()]);
        }
      }
      return byClass;
    }

    List<Delivered> deliveries() {
      List<Delivered> all = new ArrayList<>();
      for (int d = 0; d < deliveries.size(); d++) {
        for (StreamClass streamClass : accepted().keySet()) {
          long open = unconfirmed[d][streamClass.ordinal()];
          long settled = accepted[streamClass.ordinal()] - open;
          all.add(new Delivered(deliveries.get(d).id(), streamClass, settled, open));
        }
      }
      return all;
    }
  }

  /** See {@link io.culvert.api.service.Buffer#holdings}. */
  Holdings holdings() throws IOException {
    List<Delivery> deliveries = accounts.deliveries();
    deliveries.forEach(delivery -> delivery.extend(store::next));
    List<Segment> segments = store.segments();
    Tally all = new Tally(0);
    for (Segment segment : segments) {
      all.add(tally(segment));
    }
    sealed.keySet().retainAll(segments.stream().map(Segment::number).toList());
    List<Owed> owed = new ArrayList<>();
    for (Delivery delivery : deliveries) {
      for (StreamClass streamClass : CLASSES) {
        long open = -store.absent(streamClass, delivery);
        long oldest = -1;
        for (Segment segment : segments) {
          Segment.Span span = segment.span(streamClass);
          Intervals here = delivery.owed(streamClass, span.first(), span.end());
          open += here.size();
          oldest = oldest < 0 ? here.next(0) : oldest;
        }
        if (open > 0) {
          Instant since = committed(segments, streamClass, oldest);
          owed.add(new Owed(delivery.id(), streamClass, open, since));
        }
      }
    }
    List<Path> damaged = store.damaged();
    return new Holdings(
        all.held(),
        owed,
        segments.size(),
        (int) segments.stream().filter(segment -> segment.level() > 0).count(),
        damaged.size(),
        damaged.stream().mapToLong(file -> file.toFile().length()).sum());
  }

  private Tally tally(Segment segment) throws IOException {
    Tally known = sealed.get(segment.number());
    if (known != null && known.file == segment.bytes()) {
      return known;
    }
    boolean done = segment.sealed();
    Tally tally = new Tally(segment.bytes());
    forEach(segment, Long.MIN_VALUE, Long.MAX_VALUE, tally);
    if (done) {
      sealed.put(segment.number(), tally);
    }
    return tally;
  }

  /** When the row of a position was committed; if it can't be read, the earliest event near it. */
  private static Instant committed(List<Segment> segments, StreamClass streamClass, long position)
      throws IOException {
    Instant fallback = Instant.EPOCH;
    for (Segment segment : segments) {
      Segment.Span span = segment.span(streamClass);
      if (position >= span.first() && position < span.end()) {
        RowHead head = segment.headBefore(streamClass, position + 1);
        if (head != null) {
          return Instant.ofEpochMilli(head.stamp().committed());
        }
        fallback = Instant.ofEpochMilli(span.from());
      }
    }
    return fallback;
  }

  /** What files hold, by class. */
  private static final class Tally implements Rows {
    private final long file;
    private final long[] readings = new long[CLASSES.length];
    private final long[] bytes = new long[CLASSES.length];
    private final long[] from = new long[CLASSES.length];
    private final long[] to = new long[CLASSES.length];

    /**
     * @param file size of the file when it was counted
     */
    Tally(long file) {
      this.file = file;
      Arrays.fill(from, Long.MAX_VALUE);
      Arrays.fill(to, Long.MIN_VALUE);
    }

    @Override
    public void take(Segment segment, Segment.Outline row) {
      int c = row.streamClass().ordinal();
      bytes[c] += row.bytes();
      if (row.head() != null) {
        readings[c] += row.head().count();
        from[c] = Math.min(from[c], row.head().from());
        to[c] = Math.max(to[c], row.head().to());
      }
    }

    void add(Tally other) {
      for (int c = 0; c < CLASSES.length; c++) {
        readings[c] += other.readings[c];
        bytes[c] += other.bytes[c];
        from[c] = Math.min(from[c], other.from[c]);
        to[c] = Math.max(to[c], other.to[c]);
      }
    }

    List<Held> held() {
      List<Held> held = new ArrayList<>();
      for (int c = 0; c < CLASSES.length; c++) {
        if (readings[c] > 0) {
          held.add(
              new Held(
                  CLASSES[c],
                  readings[c],
                  bytes[c],
                  Instant.ofEpochMilli(from[c]),
                  Instant.ofEpochMilli(to[c])));
        }
      }
      return held;
    }
  }

  /** See {@link io.culvert.api.service.Buffer#verify}. */
  Verification verify() throws IOException {
    Audit audit = new Audit();
    for (Path file : store.damaged()) {
      audit.problem(
          file,
          store.unreadable().contains(file)
              ? "can't be read; the gateway sets it aside when it starts"
              : "was set aside because it can't be read");
      audit.count(file);
    }
    for (Segment segment : store.segments()) {
      audit.segment(segment);
    }
    Map<Path, String> slots = accounts.checkState();
    if (slots.isEmpty() && audit.readings > 0) {
      audit.problems.add(
          "delivery.0, delivery.1: missing; everything on disk counts as unconfirmed");
    }
    slots.forEach(
        (slot, why) -> {
          audit.count(slot);
          if (!why.isEmpty()) {
            audit.problem(slot, why);
          }
        });
    if (Files.exists(ledger.file())) {
      audit.count(ledger.file());
      String why = ledger.check();
      if (!why.isEmpty()) {
        audit.problem(ledger.file(), why);
      }
    }
    return new Verification(audit.files, audit.readings, audit.bytes, audit.problems);
  }
}
