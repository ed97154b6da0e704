package io.culvert.simulator.audit;

import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.platform.Entry.Item;
import io.culvert.simulator.platform.Witness;
import io.culvert.simulator.street.PointTruth;
import io.culvert.simulator.truth.BlockTruth;
import io.culvert.simulator.truth.DeviceTruth;
import io.culvert.simulator.truth.Truth;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compares what arrives at the platform with what the street showed. Each reading is joined as it
 * arrives: by the tick of its block, which the gateway reads like any other point and which travels
 * in the same entry, or by the gateway's time of an entry whose tick was joined. What is missing is
 * judged at the end, by {@link #verdict}.
 *
 * <p>Thread-safe; takes the monitor of a device while it holds its own.
 */
public final class Audit implements Witness {
  /** Clocks are read in milliseconds on both sides. */
  static final long ROUNDING = 2;

  /** How long, from the first answer on, a point may wait for those that tell its scale. */
  private static final long WAITS_FOR_FACTORS = 30_000;

  /** How a gateway says that it can't tell, at a time of its own: no device says so. */
  private static final Set<String> OWN_WORDS =
      Set.of("BadTimeout", "BadNotConnected", "BadNoCommunication", "BadCommunicationError");

  /** Messages that a gateway may have sent without knowing yet whether they arrived. */
  private static final int WINDOW = 64;

  private final Truth truth;
  private final Map<String, Stream> streams = new HashMap<>();
  private final Map<String, Map<Long, String>> unticked = new HashMap<>();
  private final Map<String, List<Waiting>> waiting = new HashMap<>();
  private final Map<String, List<ToldBad>> toldBad = new HashMap<>();
  private final Map<String, Set<Long>> givenAgain = new HashMap<>();
  private final List<LedgerClaim> ledger = new ArrayList<>();
  private final Findings findings = new Findings();
  private final Map<BlockTruth, Map<Long, Integer>> rowsByTime = new HashMap<>();
  private boolean timesIgnored;
  private Set<String> strangers = Set.of();
  private Entry arriving;
  private Stream arrivingIn;
  private long readings;
  private long historical;
  private long duplicates;
  private long unjudged;
  private final int[] lastMessages = new int[WINDOW];
  private long messages;
  private long inWindow;
  private long mostInWindow;

  /** A reading whose row isn't known yet: another class arrives before the tick's. */
  record Waiting(Entry entry, int item, BlockTruth block, int point, Stream.Arrival arrival) {}

  /** A reading that says there was no value. */
  record ToldBad(String point, long eventMillis, boolean[] used) {}

  public Audit(Truth truth) {
    this.truth = truth;
  }

  /**
   * Holds nothing against the gateway's times from now on, as its clock may jump: readings are
   * joined by tick, and by what came with it, alone; an entry of the ledger explains by its count,
   * whenever it says that was. To be called before anything arrives.
   */
  public synchronized void ignoreTimes() {
    timesIgnored = true;
  }

  /**
   * Leaves out what the gateway's ledger says of devices that don't belong to the street. To be
   * called before anything arrives.
   */
  public synchronized void leaveOut(Set<String> devices) {
    strangers = Set.copyOf(devices);
  }

  @Override
  public synchronized void malformed(String topic, String why) {
    findings.add(Violation.MALFORMED, () -> topic + ": " + why);
  }

  @Override
  public synchronized void message(List<Entry> entries) {
    long count = 0;
    for (Entry entry : entries) {
      count += entry.items().size();
      if (entry.historical()) {
        historical += entry.items().size();
      }
      receive(entry);
    }
    readings += count;
    int slot = (int) (messages++ % WINDOW);
    inWindow += count - lastMessages[slot];
    lastMessages[slot] = (int) count;
    mostInWindow = Math.max(mostInWindow, inWindow);
  }

  private void receive(Entry entry) {
    DeviceTruth device = truth.device(entry.device());
    if (entry.ofGateway()) {
      for (int i = 0; i < entry.items().size(); i++) {
        if (note(entry, i) != Stream.Arrival.AGAIN) {
          ledger(entry, entry.items().get(i));
        }
      }
    } else if (device == null) {
      findings.add(
          Violation.INVENTED, entry.items().size(), () -> entry.device() + " isn't on the street");
    } else {
      synchronized (device) {
        if (joinTicks(device, entry)) {
          settleKnown(device);
        }
        for (int i = 0; i < entry.items().size(); i++) {
          place(device, entry, i);
        }
      }
    }
  }

  private void ledger(Entry entry, Item item) {
    if (item.point().equals("ledger") && !item.bad()) {
      try {
        LedgerClaim claim = LedgerClaim.read(item.value());
        if (!strangers.contains(claim.device())) {
          ledger.add(claim);
        }
      } catch (IllegalArgumentException e) {
        findings.add(Violation.MALFORMED, () -> entry.device() + ": " + e.getMessage());
      }
    }
  }

  /** Notes a number of a stream whose content has no truth: the same number, the same content. */
  private Stream.Arrival note(Entry entry, int item) {
    Stream.Arrival arrival = arrive(entry, item);
    Item content = entry.items().get(item);
    String text = content + "@" + entry.eventMillis();
    Map<Long, String> known = unticked.computeIfAbsent(key(entry), key -> new HashMap<>());
    String before = known.putIfAbsent(entry.sequence(item), text);
    if (before != null && !before.equals(text)) {
      findings.add(
          Violation.SEQUENCE,
          () ->
              describe(entry, item)
                  + ": expected the same content under the same number, which was "
                  + before
                  + ", found "
                  + text);
    }
    return arrival;
  }

  private Stream.Arrival arrive(Entry entry, int item) {
    if (entry != arriving) {
      arriving = entry;
      arrivingIn = streams.computeIfAbsent(key(entry), key -> new Stream());
    }
    Stream stream = arrivingIn;
    Stream.Arrival arrival = stream.arrive(entry.sequence(item), entry.historical());
    if (arrival == Stream.Arrival.AGAIN) {
      duplicates++;
    } else if (arrival == Stream.Arrival.OUT_OF_ORDER) {
      findings.add(
          Violation.OUT_OF_ORDER,
          () ->
              describe(entry, item)
                  + ": expected a greater number than those before in the "
                  + (entry.historical() ? "historical" : "live")
                  + " lane");
    }
    return arrival;
  }

  /** Joins the ticks of an entry with the answers that showed them; tells whether it was news. */
  private boolean joinTicks(DeviceTruth device, Entry entry) {
    boolean news = false;
    for (Item item : entry.items()) {
      DeviceTruth.Place place = device.find(item.point());
      if (place == null
          || place.block().timed()
          || !place.block().point(place.point()).tick()
          || item.bad()) {
        continue;
      }
      BlockTruth block = place.block();
      int row = rowOf(block, item, entry.eventMillis());
      if (row >= 0 && block.eventAt(row) == 0 && block.state(row, 0) != BlockTruth.NOT_SHOWN) {
        block.joined(row, entry.eventMillis());
        if (timesIgnored) {
          rowsByTime.computeIfAbsent(block, key -> new HashMap<>()).put(entry.eventMillis(), row);
        }
        news = true;
      }
    }
    return news;
  }

  /** Joins what waited for a tick of its time, before anything of it can come a second time. */
  private void settleKnown(DeviceTruth device) {
    List<Waiting> list = waiting.get(device.id());
    if (list != null) {
      list.removeIf(
          reading -> {
            int row = rowByTime(reading.block(), reading.entry().eventMillis());
            if (row >= 0) {
              confirm(reading, row);
            }
            return row >= 0;
          });
    }
  }

  private void confirm(Waiting reading, int row) {
    confirm(
        reading.block(), row, reading.point(), reading.entry(), reading.item(), reading.arrival());
  }

  private int rowOf(BlockTruth block, Item tick, long eventMillis) {
    double number = tick.number();
    return number == Math.rint(number) && tick.value() instanceof Double
        ? block.rowOfTick((long) number, timesIgnored ? Long.MAX_VALUE : eventMillis + ROUNDING)
        : -1;
  }

  private void place(DeviceTruth device, Entry entry, int index) {
    Item item = entry.items().get(index);
    DeviceTruth.Place place = device.find(item.point());
    if (place == null) {
      if (item.point().equals("command")) {
        note(entry, index);
        return;
      }
      arrive(entry, index);
      findings.add(
          Violation.INVENTED, () -> describe(entry, index) + ": the device has no such point");
      return;
    }
    BlockTruth block = place.block();
    if (block.timed()) {
      placeByTime(device, place, entry, index);
      return;
    }
    if (!block.ticked()) {
      unjudged++;
      note(entry, index);
      return;
    }
    int row = rowByTick(block, entry);
    if (row == NO_TICK) {
      row = rowByTime(block, entry.eventMillis());
    } else if (row < 0 || block.eventAt(row) != entry.eventMillis()) {
      arrive(entry, index);
      long found = row < 0 ? 0 : block.eventAt(row);
      findings.add(
          Violation.INVENTED,
          () ->
              describe(entry, index)
                  + (found == 0
                      ? ": no answer with this tick was shown before that time"
                      : ": this tick was already reported for " + Times.clock(found)));
      return;
    }
    if (item.bad()) {
      bad(device, block, row, place.point(), entry, index);
    } else if (row < 0) {
      waiting
          .computeIfAbsent(device.id(), id -> new ArrayList<>())
          .add(new Waiting(entry, index, block, place.point(), arrive(entry, index)));
    } else {
      confirm(block, row, place.point(), entry, index, arrive(entry, index));
    }
  }

  /** A reading that carries the device's time belongs to the row of exactly that time. */
  private void placeByTime(DeviceTruth device, DeviceTruth.Place place, Entry entry, int index) {
    BlockTruth block = place.block();
    int point = place.point();
    Item item = entry.items().get(index);
    int row = block.rowOfTime(entry.eventMillis());
    boolean had = row >= 0 && block.state(row, point) != BlockTruth.NOT_SHOWN;
    if (item.bad() && (!had || OWN_WORDS.contains(item.quality()))) {
      bad(device, block, -1, point, entry, index);
      return;
    }
    Stream.Arrival arrival = arrive(entry, index);
    if (!had) {
      findings.add(
          Violation.INVENTED,
          () -> describe(entry, index) + ": the device took no such value at that time");
      return;
    }
    Set<Long> copies = givenAgain.computeIfAbsent(key(entry), key -> new HashSet<>());
    boolean copy =
        arrival == Stream.Arrival.AGAIN
            ? copies.contains(entry.sequence(index))
            : block.state(row, point) >= 0 && block.takeAgain(row, point);
    if (copy) {
      copies.add(entry.sequence(index));
      compare(block, row, point, entry, index);
      return;
    }
    block.joined(row, entry.eventMillis());
    confirm(block, row, point, entry, index, arrival);
  }

  private void bad(
      DeviceTruth device, BlockTruth block, int row, int point, Entry entry, int index) {
    if (note(entry, index) == Stream.Arrival.AGAIN) {
      return;
    }
    if (row >= 0 && block.state(row, point) != BlockTruth.NOT_SHOWN) {
      block.confirm(row, point, entry.sequence(index));
      if (rightlyBad(block, row, point, entry.items().get(index).quality())) {
        return;
      }
      findings.add(
          Violation.WRONG_QUALITY,
          () ->
              describe(entry, index)
                  + ", tick "
                  + block.tickOf(row)
                  + ": expected "
                  + expectation(block, row, point)
                  + ", found no value, "
                  + entry.items().get(index).quality());
    } else {
      toldBad
          .computeIfAbsent(device.id(), id -> new ArrayList<>())
          .add(new ToldBad(entry.items().get(index).point(), entry.eventMillis(), new boolean[1]));
    }
  }

  /** What the device says that it has none of; or what waits at first for its factors. */
  private static boolean rightlyBad(BlockTruth block, int row, int point, String quality) {
    boolean none = Double.isNaN(block.value(row, point));
    boolean early = block.shownAt(row) - block.shownAt(0) < WAITS_FOR_FACTORS;
    return none
        ? quality.equals("BadNoData")
        : block.point(point).factored() && early && quality.equals("BadWaitingForInitialData");
  }

  private static final int NO_TICK = -2;

  /**
   * The row by the tick that came with it, −1 if nobody showed it, {@link #NO_TICK} without one.
   */
  private int rowByTick(BlockTruth block, Entry entry) {
    String tick = block.point(0).id();
    for (Item item : entry.items()) {
      if (item.point().equals(tick) && !item.bad()) {
        int row = rowOf(block, item, entry.eventMillis());
        return row >= 0 && block.state(row, 0) == BlockTruth.NOT_SHOWN ? -1 : row;
      }
    }
    return NO_TICK;
  }

  private int rowByTime(BlockTruth block, long eventMillis) {
    if (timesIgnored) {
      return rowsByTime.getOrDefault(block, Map.of()).getOrDefault(eventMillis, -1);
    }
    int latest = block.rowAt(eventMillis + ROUNDING);
    for (int row = latest; row >= 0 && row > latest - 4; row--) {
      if (block.eventAt(row) == eventMillis) {
        return row;
      }
    }
    return -1;
  }

  /**
   * The last row before a time that showed a point and hasn't been joined to a reading of it; else
   * the last of all, −1 for none.
   */
  private static int rowThatShowed(BlockTruth block, int point, long eventMillis) {
    int latest = block.rowAt(eventMillis + ROUNDING);
    for (int row = latest; row >= 0 && row > latest - 4; row--) {
      if (block.state(row, point) == BlockTruth.SHOWN) {
        return row;
      }
    }
    return latest;
  }

  /** Joins a reading with the row that it was read from. */
  private void confirm(
      BlockTruth block, int row, int point, Entry entry, int index, Stream.Arrival arrival) {
    long sequence = entry.sequence(index);
    int state = block.state(row, point);
    if (state == BlockTruth.NOT_SHOWN) {
      findings.add(
          Violation.INVENTED,
          () -> describe(entry, index) + ": the answer didn't include this point");
      return;
    }
    boolean same = state == (int) (sequence & 0x7FFF_FFFF);
    if (arrival == Stream.Arrival.AGAIN && !same) {
      findings.add(
          Violation.SEQUENCE,
          () ->
              describe(entry, index)
                  + ", tick "
                  + block.tickOf(row)
                  + ": the number was used before for another reading");
    } else if (arrival != Stream.Arrival.AGAIN && state >= 0) {
      findings.add(
          Violation.INVENTED,
          () ->
              describe(entry, index)
                  + ", tick "
                  + block.tickOf(row)
                  + ": the same reading came before as number "
                  + state);
    }
    if (state < 0) {
      block.confirm(row, point, sequence);
    }
    compare(block, row, point, entry, index);
  }

  private void compare(BlockTruth block, int row, int point, Entry entry, int index) {
    Item item = entry.items().get(index);
    PointTruth expected = block.point(point);
    double shown = block.value(row, point);
    if (block.timed() && (item.bad() || Double.isNaN(shown))) {
      // The device says so itself, and why.
      if (!item.bad() || !Double.isNaN(shown)) {
        findings.add(Violation.WRONG_QUALITY, () -> mismatch(block, row, point, entry, index));
      }
      return;
    }
    String said = block.text(row);
    if (said != null) {
      if (!(item.value() instanceof Map<?, ?> event && event.containsValue(said))) {
        findings.add(Violation.WRONG_VALUE, () -> mismatch(block, row, point, entry, index));
      }
      return;
    }
    if (expected.text() != null) {
      if (!expected.text().equals(item.value())) {
        findings.add(Violation.WRONG_VALUE, () -> mismatch(block, row, point, entry, index));
      }
      return;
    }
    boolean kind =
        expected.bool() ? item.value() instanceof Boolean : item.value() instanceof Double;
    if (!kind || !(Math.abs(item.number() - shown) <= expected.tolerance(shown))) {
      findings.add(Violation.WRONG_VALUE, () -> mismatch(block, row, point, entry, index));
    }
    if (!item.unit().equals(expected.unit())) {
      findings.add(Violation.WRONG_UNIT, () -> mismatch(block, row, point, entry, index));
    }
    double room = expected.tolerance(shown);
    boolean mayBeGood = expected.inRange(shown) || near(expected, shown, room);
    boolean mayBeUncertain = !expected.inRange(shown) || near(expected, shown, room);
    boolean good = item.quality().startsWith("Good");
    if (good ? !mayBeGood : !mayBeUncertain) {
      findings.add(Violation.WRONG_QUALITY, () -> mismatch(block, row, point, entry, index));
    }
  }

  /** Whether a value lies so near the edge of its range that rounding may have decided. */
  private static boolean near(PointTruth point, double value, double room) {
    return Math.abs(value - point.min()) <= room || Math.abs(value - point.max()) <= room;
  }

  private static String mismatch(BlockTruth block, int row, int point, Entry entry, int index) {
    Item item = entry.items().get(index);
    return describe(entry, index)
        + ", tick "
        + block.tickOf(row)
        + ": expected "
        + expectation(block, row, point)
        + ", found "
        + item.value()
        + " "
        + item.unit()
        + " "
        + item.quality();
  }

  static String expectation(BlockTruth block, int row, int point) {
    PointTruth truth = block.point(point);
    double value = block.value(row, point);
    if (block.timed() && Double.isNaN(value)) {
      return "no value, Bad";
    }
    if (block.text(row) != null) {
      return "an event that says '" + block.text(row) + "'";
    }
    if (truth.text() != null || Double.isNaN(value)) {
      return truth.text() == null ? "no value, BadNoData" : truth.text();
    }
    return (truth.bool() ? Boolean.toString(value >= 0.5) : Double.toString(value))
        + " "
        + truth.unit()
        + (truth.inRange(value) ? " Good" : " Uncertain");
  }

  private static String describe(Entry entry, int index) {
    return entry.device()
        + "/"
        + entry.items().get(index).point()
        + " "
        + Times.clock(entry.eventMillis())
        + " "
        + entry.streamClass()
        + " #"
        + entry.sequence(index);
  }

  private static String key(Entry entry) {
    return entry.device() + "/" + entry.streamClass();
  }

  /** Joins what still waits: to the row of its time, else to the last one shown before it. */
  private void settle() {
    waiting.forEach(
        (id, list) -> {
          DeviceTruth device = truth.device(id);
          synchronized (device) {
            for (Waiting reading : list) {
              long event = reading.entry().eventMillis();
              int row = rowByTime(reading.block(), event);
              if (row < 0 && !timesIgnored) {
                row = rowThatShowed(reading.block(), reading.point(), event);
              }
              if (row < 0) {
                findings.add(
                    Violation.INVENTED,
                    () -> describe(reading.entry(), reading.item()) + ": nothing was shown yet");
              } else {
                confirm(reading, row);
              }
            }
          }
        });
    waiting.clear();
  }

  /**
   * Judges what has been shown and received so far. May be asked again later; final once the street
   * is silent and the gateway has delivered what it has.
   */
  public synchronized Report verdict(Rules rules) {
    settle();
    return new Verdict(
            truth,
            streams,
            List.copyOf(ledger),
            toldBad,
            new Findings(findings),
            rules,
            timesIgnored)
        .report(new Report.Received(readings, historical, duplicates, unjudged));
  }

  /**
   * The time between one reading of a device and the next as the platform has them, by the times
   * that they carry; of each table of each device by itself.
   *
   * @param from of answers that were shown from then on, in epoch milliseconds
   */
  public Intervals intervals(long from) {
    Intervals.Counts counts = new Intervals.Counts();
    for (DeviceTruth device : truth.devices()) {
      synchronized (device) {
        device.blocks().stream()
            .filter(BlockTruth::ticked)
            .forEach(block -> counts.addAll(block, from));
      }
    }
    return counts.sum();
  }

  /** The most readings that a window of messages in a row has held so far. */
  public synchronized long mostInWindow() {
    return mostInWindow;
  }

  /** Readings that arrived more than once. */
  public synchronized long duplicates() {
    return duplicates;
  }

  /** The gateway's ledger as received so far, in the order of arrival. */
  public synchronized List<LedgerClaim> ledger() {
    return List.copyOf(ledger);
  }
}
