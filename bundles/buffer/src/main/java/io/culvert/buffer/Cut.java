package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes readings out of a sealed segment that somebody is still owed, because a bound wants room,
 * and counts them for each delivery. By its level:
 *
 * <ol>
 *   <li>telemetry is thinned out: of each {@value #GROUP} readings of a point in a row the smallest
 *       and the largest stay, so that peaks survive;
 *   <li>telemetry goes;
 *   <li>states go;
 *   <li>events go, and alarms alone are left.
 * </ol>
 *
 * <p>A row of which anything is on its way to a platform stays whole; so does one that can't be
 * read while its class stays, since nobody could say what of it is gone. Holds a row in memory, and
 * about 100 bytes for each point.
 */
final class Cut {
  static final int THINNED = 1;
  static final int LAST = 4;
  static final int GROUP = 8;

  /** Rows are joined up to so many readings: less to keep, and it packs better. */
  private static final int JOINED = 4096;

  private static final int JOINED_BYTES = 256 << 10;

  /** A clock that was not set meanwhile runs with the monotonic time. */
  private static final long SAME_CLOCK_MILLIS = 500;

  private final Segment segment;
  private final int level;
  private final Map<StreamClass, Intervals> flying = new EnumMap<>(StreamClass.class);
  private final List<Debt> debts = new ArrayList<>();
  private final BitSet kept = new BitSet();
  private final List<Batch.Entry> joined = new ArrayList<>();
  private final List<Integer> offsets = new ArrayList<>();
  private RowHead joinedFirst;
  private RowHead joinedLast;
  private long joinedBytes;

  /** What one delivery loses by it. */
  static final class Debt {
    private final Delivery delivery;
    private final Map<StreamClass, Intervals> owed = new EnumMap<>(StreamClass.class);
    private final Map<StreamClass, Map<String, Accounts.Gap>> gaps =
        new EnumMap<>(StreamClass.class);

    /** Of classes that go, what is owed and not counted yet. */
    private final Map<StreamClass, Intervals> left = new EnumMap<>(StreamClass.class);

    /** Of classes that go, what is counted. */
    private final Map<StreamClass, Intervals> released = new EnumMap<>(StreamClass.class);

    private Debt(Delivery delivery) {
      this.delivery = delivery;
    }

    Delivery delivery() {
      return delivery;
    }

    /** What is missing for it, by class and device. */
    List<Accounts.Gap> gaps() {
      return gaps.values().stream().flatMap(of -> of.values().stream()).toList();
    }

    /** What it no longer owes. Thinned positions stay among its own: they are simply not there. */
    List<Ledger.Release> releases() {
      List<Ledger.Release> all = new ArrayList<>();
      released.forEach(
          (streamClass, of) -> all.addAll(Accounts.releases(delivery, streamClass, of)));
      return all;
    }

    private void add(StreamClass streamClass, Accounts.Gap gap) {
      if (gap.count() > 0) {
        gaps.computeIfAbsent(streamClass, s -> new LinkedHashMap<>())
            .merge(gap.device(), gap, Accounts.Gap::and);
      }
    }
  }

  /** Readings of one point in a row, of which two stay. */
  private static final class Group {
    private int count;
    private long first;
    private long smallest;
    private long largest;
    private double min;
    private double max;

    void add(long position, Value value, BitSet kept, long base) {
      double number =
          value instanceof Value.Decimal decimal
              ? decimal.value()
              : value instanceof Value.Int integer ? integer.value() : Double.NaN;
      if (count == 0) {
        first = position;
        smallest = -1;
        largest = -1;
      }
      if (number == number && (smallest < 0 || number < min)) {
        min = number;
        smallest = position;
      }
      if (number == number && (largest < 0 || number > max)) {
        max = number;
        largest = position;
      }
      if (++count == GROUP) {
        end(kept, base);
      }
    }

    void end(BitSet kept, long base) {
      if (count > 0) {
        kept.set((int) ((smallest < 0 ? first : smallest) - base));
        kept.set((int) ((largest < 0 ? first : largest) - base));
        count = 0;
      }
    }
  }

  /**
   * @param flying positions on their way to some platform
   * @param deliveries fenced: what they owe of the segment doesn't grow
   */
  Cut(
      Segment segment,
      int level,
      Map<Delivery, Map<StreamClass, Intervals>> flying,
      List<Delivery> deliveries) {
    this.segment = segment;
    this.level = level;
    for (Map<StreamClass, Intervals> ofOne : flying.values()) {
      ofOne.forEach(
          (streamClass, of) -> {
            Intervals all = this.flying.computeIfAbsent(streamClass, s -> new Intervals());
            of.forEach(all::add);
          });
    }
    for (Delivery delivery : deliveries) {
      Debt debt = new Debt(delivery);
      for (StreamClass streamClass : StreamClass.values()) {
        Segment.Span span = segment.span(streamClass);
        Intervals owed = delivery.owed(streamClass, span.first(), span.end());
        debt.owed.put(streamClass, owed);
        if (goes(streamClass)) {
          debt.left.put(streamClass, owed.within(0, Long.MAX_VALUE));
          debt.released.put(streamClass, new Intervals());
        }
      }
      debts.add(debt);
    }
  }

  /** Whether a class goes as a whole. */
  private boolean goes(StreamClass streamClass) {
    return switch (streamClass) {
      case ALARM -> false;
      case EVENT -> level >= 4;
      case STATE -> level >= 3;
      case TELEMETRY -> level >= 2;
    };
  }

  List<Debt> debts() {
    return debts;
  }

  /** Writes what stays, and counts what goes. */
  void write(Segment.Replacement replacement) throws SQLException, IOException {
    if (level == THINNED) {
      choose();
    }
    segment.visit((id, head, body) -> row(replacement, id, head, body));
    flush(replacement);
    for (Debt debt : debts) {
      debt.left.forEach(
          (streamClass, of) -> {
            Segment.Span span = segment.span(streamClass);
            debt.add(
                streamClass, new Accounts.Gap("*", streamClass, of.size(), span.from(), span.to()));
            of.forEach(debt.released.get(streamClass)::add);
          });
    }
    replacement.finish();
  }

  private boolean staysWhole(RowHead head) {
    Intervals of = flying.get(head.streamClass());
    return of != null && !of.within(head.first(), head.end()).isEmpty();
  }

  /** Chooses what stays of telemetry. */
  private void choose() throws SQLException, IOException {
    long base = segment.span(StreamClass.TELEMETRY).first();
    Map<String, Map<String, Group>> groups = new HashMap<>();
    segment.visit(
        (id, head, body) -> {
          if (head == null || head.streamClass() != StreamClass.TELEMETRY || staysWhole(head)) {
            return;
          }
          try {
            Row row = body.row();
            for (int i = 0; i < row.entries().size(); i++) {
              Reading reading = row.entries().get(i).reading();
              groups
                  .computeIfAbsent(reading.device(), d -> new HashMap<>())
                  .computeIfAbsent(reading.point(), p -> new Group())
                  .add(row.position(i), reading.value(), kept, base);
            }
          } catch (DamagedException e) {
            // Stays as it is; delivery finds and counts it.
            return;
          }
        });
    groups.values().forEach(of -> of.values().forEach(group -> group.end(kept, base)));
  }

  private void row(Segment.Replacement replacement, long id, RowHead head, Segment.Body body)
      throws SQLException {
    if (head != null && goes(head.streamClass())) {
      if (staysWhole(head)) {
        replacement.copy(id, head, body.raw());
        debts.forEach(debt -> debt.left.get(head.streamClass()).remove(head.first(), head.end()));
      } else {
        debts.forEach(debt -> count(debt, head, body));
      }
      return;
    }
    if (head == null && goes(segment.classAt(id))) {
      // Counted by its positions with what is left at the end.
      return;
    }
    if (level == THINNED
        && head != null
        && head.streamClass() == StreamClass.TELEMETRY
        && !staysWhole(head)) {
      try {
        thin(replacement, head, body.row());
        return;
      } catch (DamagedException e) {
        // As below.
      }
    }
    flush(replacement);
    replacement.copy(id, head, body.raw());
  }

  /** Counts what is owed of a row that goes. */
  private static void count(Debt debt, RowHead head, Segment.Body body) {
    StreamClass streamClass = head.streamClass();
    Intervals here = debt.owed.get(streamClass).within(head.first(), head.end());
    here.forEach(debt.left.get(streamClass)::remove);
    here.forEach(debt.released.get(streamClass)::add);
    Accounts.gaps(head, here, body::row).forEach(gap -> debt.add(streamClass, gap));
  }

  private void thin(Segment.Replacement replacement, RowHead head, Row row) throws SQLException {
    if (joinedFirst != null
        && (joinedLast.end() != head.first()
            || !sameClock(joinedLast.stamp(), head.stamp())
            || joined.size() >= JOINED
            || joinedBytes >= JOINED_BYTES
            || head.end() - joinedFirst.first() > RowHead.MAX_SPAN)) {
      flush(replacement);
    }
    if (joinedFirst == null) {
      joinedFirst = head;
    }
    joinedLast = head;
    long base = segment.span(StreamClass.TELEMETRY).first();
    List<Intervals> owedHere =
        debts.stream()
            .map(debt -> debt.owed.get(StreamClass.TELEMETRY).within(head.first(), head.end()))
            .toList();
    for (int i = 0; i < row.entries().size(); i++) {
      Batch.Entry entry = row.entries().get(i);
      long position = row.position(i);
      if (kept.get((int) (position - base))) {
        joined.add(entry);
        offsets.add((int) (position - joinedFirst.first()));
        joinedBytes += Weight.of(entry.reading());
        continue;
      }
      for (int d = 0; d < debts.size(); d++) {
        if (owedHere.get(d).contains(position)) {
          debts.get(d).add(StreamClass.TELEMETRY, Accounts.Gap.of(entry));
        }
      }
    }
  }

  private static boolean sameClock(RowHead.Stamp a, RowHead.Stamp b) {
    return a.boot() == b.boot()
        && Math.abs(a.committed() - a.monotonic() - b.committed() + b.monotonic())
            <= SAME_CLOCK_MILLIS;
  }

  private void flush(Segment.Replacement replacement) throws SQLException {
    if (joinedFirst == null) {
      return;
    }
    Map<String, Long> sequences = new HashMap<>();
    List<Reading> readings = new ArrayList<>(joined.size());
    for (Batch.Entry entry : joined) {
      readings.add(entry.reading());
      sequences.putIfAbsent(entry.reading().device(), entry.sequence());
    }
    RowHead head =
        RowHead.of(
            StreamClass.TELEMETRY,
            joinedFirst.first(),
            joinedLast.end(),
            joinedLast.stamp(),
            readings,
            sequences::get);
    replacement.put(new Row(head, joined, offsets.stream().mapToInt(Integer::intValue).toArray()));
    joined.clear();
    offsets.clear();
    joinedFirst = null;
    joinedBytes = 0;
  }
}
