package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What one forwarder still owes its platform, by class: positions that are committed and neither
 * confirmed nor accounted for in the ledger; and how far its live lane and its budget of bytes are.
 * Thread-safe.
 */
final class Delivery {
  private static final StreamClass[] CLASSES = StreamClass.values();

  private final String id;
  private final Intervals[] owed = new Intervals[CLASSES.length];

  /** By class, the position up to which the log was taken over into {@link #owed}. */
  private final long[] seen = new long[CLASSES.length];

  /** By class, up to where the live lane has come with all that is its own. */
  private final long[] live = new long[CLASSES.length];

  private final Budget budget;
  private Segment fence;
  private long confirmed;
  private long refused;
  private boolean changed;

  Delivery(String id) {
    this(id, new Budget());
  }

  private Delivery(String id, Budget budget) {
    this.id = id;
    this.budget = budget;
    for (int c = 0; c < owed.length; c++) {
      owed[c] = new Intervals();
    }
  }

  String id() {
    return id;
  }

  Budget budget() {
    return budget;
  }

  /** Owes what was committed since the last call. */
  synchronized void extend(ToLongFunction<StreamClass> heads) {
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      long head = heads.applyAsLong(streamClass);
      if (head > seen[c]) {
        owed[c].add(seen[c], head);
        seen[c] = head;
        changed = true;
      }
    }
  }

  /** Owes nothing of what was committed so far. */
  synchronized void startAt(ToLongFunction<StreamClass> heads) {
    for (StreamClass streamClass : CLASSES) {
      seen[streamClass.ordinal()] = heads.applyAsLong(streamClass);
    }
    changed = true;
  }

  /** Takes what is on disk in a class as owed, and nothing else. */
  synchronized void oweOnly(StreamClass streamClass, List<Segment.Span> spans, long head) {
    Intervals all = new Intervals();
    spans.stream()
        .filter(span -> !span.isEmpty())
        .forEach(span -> all.add(span.first(), span.end()));
    owed[streamClass.ordinal()] = all;
    seen[streamClass.ordinal()] = head;
    changed = true;
  }

  synchronized void confirm(StreamClass streamClass, long from, long to) {
    confirmed += take(streamClass, from, to);
  }

  synchronized void refuse(StreamClass streamClass, long from, long to) {
    refused += take(streamClass, from, to);
  }

  /** No longer owes positions that the ledger accounts for. */
  synchronized void release(StreamClass streamClass, long from, long to) {
    take(streamClass, from, to);
  }

  /**
   * Every reading before a position that the live lane has sent was answered: none from there can
   * be sent live for the first time any more.
   */
  synchronized void liveUpTo(StreamClass streamClass, long end) {
    live[streamClass.ordinal()] = Math.max(live[streamClass.ordinal()], end);
  }

  /** The position from which on readings may be sent live. */
  synchronized long live(StreamClass streamClass) {
    return live[streamClass.ordinal()];
  }

  private long take(StreamClass streamClass, long from, long to) {
    Intervals positions = owed[streamClass.ordinal()];
    long before = positions.size();
    positions.remove(from, to);
    changed |= positions.size() != before;
    return before - positions.size();
  }

  /**
   * The first run of owed positions at or after one: its first position there and the position
   * after its last; {@code null} if there is none, or what stands there is fenced.
   */
  synchronized long[] next(StreamClass streamClass, long from) {
    Intervals positions = owed[streamClass.ordinal()];
    long first = positions.next(from);
    if (first < 0) {
      return null;
    }
    long end = positions.endOfRun(first);
    Segment.Span closed = fence == null ? null : fence.span(streamClass);
    if (closed == null || closed.isEmpty() || end <= closed.first() || first >= closed.end()) {
      return new long[] {first, end};
    }
    return first < closed.first() ? new long[] {first, closed.first()} : null;
  }

  /**
   * Has nothing of a segment sent until it is lifted: what is owed of it doesn't change meanwhile,
   * but for what is on its way already.
   *
   * @param segment {@code null} to lift it
   */
  synchronized void fence(Segment segment) {
    fence = segment;
  }

  /** The first owed position at or after one, fenced or not; -1 if there is none. */
  synchronized long firstOwed(StreamClass streamClass, long from) {
    return owed[streamClass.ordinal()].next(from);
  }

  synchronized boolean owes(StreamClass streamClass, long position) {
    return owed[streamClass.ordinal()].contains(position);
  }

  /** A copy of what is owed in a range. */
  synchronized Intervals owed(StreamClass streamClass, long from, long to) {
    return owed[streamClass.ordinal()].within(from, to);
  }

  /** Readings owed, with those committed since {@link #extend}. */
  synchronized long unconfirmed(ToLongFunction<StreamClass> heads) {
    long sum = 0;
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      sum += owed[c].size() + Math.max(0, heads.applyAsLong(streamClass) - seen[c]);
    }
    return sum;
  }

  synchronized long confirmed() {
    return confirmed;
  }

  synchronized long refused() {
    return refused;
  }

  synchronized boolean changed() {
    return changed || budget.changed();
  }

  synchronized void write(ByteWriter out) {
    out.text(id);
    budget.write(out);
    for (int c = 0; c < owed.length; c++) {
      out.varint(seen[c]);
      out.varint(live[c]);
      out.varint(owed[c].parts());
      long[] last = {0};
      owed[c].forEach(
          (from, to) -> {
            out.varint(from - last[0]);
            out.varint(to - from);
            last[0] = to;
          });
    }
    changed = false;
  }

  static Delivery read(ByteReader in) throws DamagedException {
    Delivery delivery = new Delivery(in.text(), Budget.read(in));
    for (int c = 0; c < delivery.owed.length; c++) {
      delivery.seen[c] = in.varint();
      delivery.live[c] = in.varint();
      int parts = in.count();
      long at = 0;
      for (int i = 0; i < parts; i++) {
        long from = at + in.varint();
        at = from + in.varint();
        delivery.owed[c].add(from, at);
      }
    }
    return delivery;
  }
}
