package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who owes what: the deliveries and, where one ends without the platform, the ledger. Keeps the two
 * in step across a crash. Thread-safe; blocks on disk.
 *
 * <p>The state of delivery is written at most once a second, so what a crash loses is confirmations
 * of the last second: these readings are sent twice, none is lost. State that is lost whole makes
 * everything on disk owed again.
 *
 * <p>State is kept by the forwarder's id: a platform that is away goes on owing until retention
 * deletes the data, and the ledger then says so. One that is taken out of the site is forgotten:
 * nobody is owed any more, so this is no loss.
 */
final class Accounts {
  /** Why what a bound deleted is missing. */
  static final String BOUND = "not confirmed before maxBytes or maxAgeHours deleted it.";

  private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);

  // Read without the lock: who asks for figures must not wait for a sync of the disk.
  private final Map<String, Delivery> deliveries = new ConcurrentSkipListMap<>();
  private final StateFile file;
  private final Ledger ledger;
  private final Store store;
  private final Supplier<Settings> settings;
  private boolean newcomersOweAll;
  private volatile long dropped;
  private boolean dirty = true;
  private Downtime downtime;

  /**
   * What is known of one gap until it is entered: how many, and when.
   *
   * @param device id, {@code *} if not known
   * @param from earliest event, in milliseconds since 1970
   * @param to latest event
   */
  record Gap(String device, StreamClass streamClass, long count, long from, long to) {
    Gap and(Gap other) {
      return new Gap(
          device,
          streamClass,
          count + other.count,
          Math.min(from, other.from),
          Math.max(to, other.to));
    }

    static Gap of(StreamClass streamClass, RowHead.Part part) {
      return new Gap(part.device(), streamClass, part.count(), part.from(), part.to());
    }

    static Gap of(Batch.Entry entry) {
      return new Gap(
          entry.reading().device(),
          entry.reading().streamClass(),
          1,
          RowHead.floorMillis(entry.reading().eventTime()),
          RowHead.ceilMillis(entry.reading().eventTime()));
    }
  }

  /** Adds gaps up by device and class. */
  static final class Sum {
    private final Map<List<Object>, Gap> gaps = new LinkedHashMap<>();

    void add(Gap gap) {
      gaps.merge(List.of(gap.device(), gap.streamClass()), gap, Gap::and);
    }

    List<Gap> gaps() {
      return List.copyOf(gaps.values());
    }
  }

  Accounts(
      StateFile file,
      StateFile.State loaded,
      Ledger ledger,
      Store store,
      Supplier<Settings> settings)
      throws IOException {
    this.file = file;
    this.ledger = ledger;
    this.store = store;
    this.settings = settings;
    if (loaded != null) {
      loaded.deliveries().forEach(delivery -> deliveries.put(delivery.id(), delivery));
    }
    newcomersOweAll = deliveries.isEmpty();
    downtime = downtime(loaded);
    if (loaded == null && store.past().readings()) {
      LOG.warn(
          "There is no state of delivery: everything on disk counts as unconfirmed and is sent"
              + " (again) to each platform");
    }
    for (Delivery delivery : deliveries.values()) {
      Store.Past past = store.past();
      delivery.extend(streamClass -> past.ends()[streamClass.ordinal()]);
      // After damage, positions were left free that nobody owes.
      delivery.startAt(store::next);
    }
    for (Ledger.Release release : ledger.releases()) {
      Delivery delivery = deliveries.get(release.forwarder());
      if (delivery != null) {
        delivery.release(release.streamClass(), release.first(), release.end());
      }
    }
  }

  private Downtime downtime(StateFile.State loaded) {
    if (loaded != null && loaded.downtime() != null) {
      // The run before read nothing: the gap goes on, and one unclean end makes it unclean.
      Downtime open = loaded.downtime();
      return new Downtime(open.from(), open.rate(), open.clean() && loaded.stopped() != 0);
    }
    Store.Past past = store.past();
    if (!past.readings()) {
      return null;
    }
    boolean clean = loaded != null && loaded.stopped() != 0;
    return new Downtime(clean ? loaded.stopped() : past.newest(), past.rate(), clean);
  }

  /**
   * Enters the time since the last run when the first reading of a device comes. Before its commit:
   * a crash between the two leaves a gap told, not one untold.
   *
   * @return whether an entry was made
   */
  synchronized boolean settleDowntime(List<Reading> readings) throws IOException {
    if (downtime == null) {
      return false;
    }
    for (Reading reading : readings) {
      if (!reading.device().equals(settings.get().gateway())) {
        ledger.store(List.of(downtime.endedBy(reading.receivedTime())), List.of(), true);
        downtime = null;
        // At once: a run that found it open would tell the same gap again, and longer.
        trySave();
        return true;
      }
    }
    return false;
  }

  /** Enters what was committed, is owed, and is missing at the end of the log. */
  void settleLost() throws IOException {
    Store.Past past = store.past();
    for (Delivery delivery : deliveries()) {
      for (Map.Entry<StreamClass, long[]> lost : past.lost().entrySet()) {
        StreamClass streamClass = lost.getKey();
        Intervals owed = delivery.owed(streamClass, lost.getValue()[0], lost.getValue()[1]);
        if (!owed.isEmpty()) {
          settle(
              delivery,
              List.of(
                  new Gap(LedgerEntry.ALL, streamClass, owed.size(), past.newest(), store.now())),
              releases(delivery, streamClass, owed),
              Reason.DAMAGED,
              "the end of the log can't be read.");
        }
      }
    }
  }

  /** The positions as what a delivery is released of. */
  static List<Ledger.Release> releases(
      Delivery delivery, StreamClass streamClass, Intervals positions) {
    return positions.toList().stream()
        .map(part -> new Ledger.Release(delivery.id(), streamClass, part[0], part[1]))
        .toList();
  }

  /**
   * The delivery of a forwarder. One that was never here owes what is committed from now on; but
   * everything on disk if this run knew of none when it began: the first, or one after the state
   * was lost.
   */
  synchronized Delivery delivery(String id) {
    Delivery known = deliveries.get(id);
    if (known != null) {
      return known;
    }
    Delivery delivery = new Delivery(id);
    if (newcomersOweAll) {
      for (StreamClass streamClass : StreamClass.values()) {
        delivery.oweOnly(
            streamClass,
            store.segments().stream().map(segment -> segment.span(streamClass)).toList(),
            store.next(streamClass));
      }
    } else {
      delivery.startAt(store::next);
    }
    deliveries.put(id, delivery);
    trySave();
    return delivery;
  }

  /**
   * Has these platforms owe, from now on those that weren't here; but everything on disk if this
   * run knew of none when it began. Whoever comes later owes from then on.
   */
  synchronized void begin(Set<String> platforms) {
    platforms.forEach(this::delivery);
    newcomersOweAll = false;
  }

  /** Releases all that a delivery owes and keeps nothing of it. Its forwarder is gone. */
  synchronized void forget(Delivery delivery) {
    LOG.info(
        "Platform {} is not in the site any more: {} readings that it did not confirm are released",
        delivery.id(),
        delivery.unconfirmed(store::next));
    deliveries.remove(delivery.id());
    trySave();
  }

  private void trySave() {
    dirty = true;
    try {
      save(0);
    } catch (IOException e) {
      LOG.warn("State of delivery can't be written; tried again in a second", e);
    }
  }

  /** Never waits. */
  List<Delivery> deliveries() {
    return List.copyOf(deliveries.values());
  }

  /**
   * Enters readings that a platform does not get, and releases them from its delivery, as one.
   *
   * @param positions per class, first position and position after the last
   * @param why after the platform's name
   */
  synchronized void settle(
      Delivery delivery, List<Gap> gaps, List<Ledger.Release> positions, Reason reason, String why)
      throws IOException {
    List<LedgerEntry> silent = new ArrayList<>();
    List<LedgerEntry> told = new ArrayList<>();
    for (Gap gap : gaps) {
      // A platform that refuses the ledger's own readings would be told so for ever.
      boolean own =
          reason == Reason.REFUSED
              && gap.streamClass() == StreamClass.EVENT
              && gap.device().equals(settings.get().gateway());
      (own ? silent : told).add(entry(delivery, gap, reason, why));
    }
    if (!silent.isEmpty()) {
      ledger.store(silent, List.of(), false);
    }
    ledger.store(told, positions, true);
    countDropped(gaps, reason);
    for (Ledger.Release release : positions) {
      if (reason == Reason.REFUSED) {
        delivery.refuse(release.streamClass(), release.first(), release.end());
      } else {
        delivery.release(release.streamClass(), release.first(), release.end());
      }
    }
  }

  private static LedgerEntry entry(Delivery delivery, Gap gap, Reason reason, String why) {
    return new LedgerEntry(
        gap.device(),
        gap.streamClass().name().toLowerCase(Locale.ROOT),
        Instant.ofEpochMilli(gap.from()),
        Instant.ofEpochMilli(gap.to()),
        gap.count(),
        true,
        reason,
        "Platform " + delivery.id() + ": " + why);
  }

  private void countDropped(List<Gap> gaps, Reason reason) {
    if (reason == Reason.DROPPED) {
      dropped += gaps.stream().mapToLong(Gap::count).sum();
    }
  }

  /**
   * Enters what every delivery loses by a cut, releases it, and notes that the cut is decided, as
   * one.
   */
  synchronized void settle(Cut cut, long segment, int level, String what) throws IOException {
    List<LedgerEntry> entries = new ArrayList<>();
    List<Ledger.Release> releases = new ArrayList<>();
    for (Cut.Debt debt : cut.debts()) {
      debt.gaps()
          .forEach(
              gap ->
                  entries.add(
                      entry(
                          debt.delivery(),
                          gap,
                          Reason.DROPPED,
                          "not confirmed before maxBytes was reached; " + what + ".")));
      releases.addAll(debt.releases());
    }
    ledger.store(entries, releases, segment, level);
    for (Cut.Debt debt : cut.debts()) {
      countDropped(debt.gaps(), Reason.DROPPED);
      debt.releases().forEach(r -> debt.delivery().release(r.streamClass(), r.first(), r.end()));
    }
  }

  /**
   * Enters what a delivery still owes of a segment, and releases it.
   *
   * @param except positions to leave owed
   */
  void drop(Delivery delivery, Segment segment, Map<StreamClass, Intervals> except)
      throws IOException {
    Sum sum = new Sum();
    List<Ledger.Release> positions = new ArrayList<>();
    for (StreamClass streamClass : StreamClass.values()) {
      Segment.Span span = segment.span(streamClass);
      if (span.isEmpty()) {
        continue;
      }
      Intervals owed = delivery.owed(streamClass, span.first(), span.end());
      Intervals excepted = except.get(streamClass);
      if (excepted != null) {
        excepted.forEach(owed::remove);
      }
      if (owed.isEmpty()) {
        continue;
      }
      positions.addAll(releases(delivery, streamClass, owed));
      count(segment, streamClass, owed, sum);
    }
    if (!positions.isEmpty()) {
      settle(delivery, sum.gaps(), positions, Reason.DROPPED, BOUND);
    }
  }

  /** Adds up, by device, the readings at positions of a segment. */
  private static void count(Segment segment, StreamClass streamClass, Intervals positions, Sum sum)
      throws IOException {
    Intervals unread = positions.within(0, Long.MAX_VALUE);
    for (RowHead head : segment.heads(streamClass, Long.MIN_VALUE, Long.MAX_VALUE)) {
      Intervals here = positions.within(head.first(), head.end());
      if (!here.isEmpty()) {
        gaps(head, here, () -> whole(segment, head)).forEach(sum::add);
        unread.remove(head.first(), head.end());
      }
    }
    if (!unread.isEmpty()) {
      Segment.Span span = segment.span(streamClass);
      sum.add(new Gap(LedgerEntry.ALL, streamClass, unread.size(), span.from(), span.to()));
    }
  }

  private static Row whole(Segment segment, RowHead head) throws DamagedException {
    try {
      Row row = segment.row(head);
      if (row != null) {
        return row;
      }
    } catch (IOException e) {
      throw new DamagedException(e.getMessage(), e);
    }
    throw new DamagedException("Row can't be read");
  }

  /** Reads a row. */
  interface RowReader {
    Row read() throws DamagedException;
  }

  /** The readings at some positions of a row, by device; read only if the head doesn't tell. */
  static List<Gap> gaps(RowHead head, Intervals positions, RowReader reader) {
    StreamClass streamClass = head.streamClass();
    if (positions.size() == head.end() - head.first()) {
      return head.streams().stream().map(part -> Gap.of(streamClass, part)).toList();
    }
    try {
      Row row = reader.read();
      Sum sum = new Sum();
      for (int i = 0; i < row.entries().size(); i++) {
        if (positions.contains(row.position(i))) {
          sum.add(Gap.of(row.entries().get(i)));
        }
      }
      return sum.gaps();
    } catch (DamagedException e) {
      long count = Math.min(positions.size(), head.count());
      return List.of(new Gap(LedgerEntry.ALL, streamClass, count, head.from(), head.to()));
    }
  }

  /** Readings deleted unconfirmed by a bound since the start. Never waits. */
  long dropped() {
    return dropped;
  }

  /** Writes the state if it has changed. */
  synchronized void flush() throws IOException {
    deliveries.values().forEach(delivery -> delivery.extend(store::next));
    if (dirty || deliveries.values().stream().anyMatch(Delivery::changed)) {
      save(0);
    }
  }

  /** Writes the state with the mark of a clean stop, or, with 0, of a run under way. */
  synchronized void save(long stopped) throws IOException {
    dirty = true;
    long released = ledger.lastRelease();
    long[] next = new long[StreamClass.values().length];
    for (StreamClass streamClass : StreamClass.values()) {
      next[streamClass.ordinal()] = store.next(streamClass);
    }
    file.save(stopped, downtime, next, deliveries.values());
    dirty = false;
    if (released > 0) {
      ledger.forgetReleases(released);
    }
  }
}
