package io.culvert.device.modbus;

import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * What was learned of one device by asking it: shared by all that talk to it, and kept when a
 * connection is opened anew.
 *
 * <p>A device refuses a request of several entries (exception 02 or 03) because of one entry in it,
 * because the request is too long, or because it spans what the device keeps apart. Entries of a
 * refused request are <i>suspect</i> until an answer holds them, and nothing that isn't wanted for
 * itself is read with them. If a request is refused although each entry in it has been answered
 * before, it is the mix: it gets a <i>cut</i>, which no request spans from then on. What is refused
 * although it can't be split is a <i>culprit</i>, and is asked for alone.
 *
 * <p>A device that was mended is found out: what was refused by itself is asked for again once a
 * {@linkplain #AGAIN while}; all else is forgotten {@linkplain #MEMORY in time}. Safe in any
 * thread.
 */
final class Findings {
  /** How long what is refused by itself is not asked for again. */
  static final Duration AGAIN = Duration.ofMinutes(1);

  /** How long it is remembered what requests must look like. */
  static final Duration MEMORY = Duration.ofHours(1);

  /** Devices remembered without being used. */
  private static final int MOST_UNUSED = 10_000;

  private final LongSupplier nanos;
  private final Map<Integer, Area> areas = new HashMap<>();
  private final Map<Long, Refused> refused = new HashMap<>();
  private final Map<Trait, Long> lacks = new HashMap<>();
  private volatile boolean troubled;
  private volatile int version;
  private volatile boolean silent;

  /** What a device may not be able to do. */
  enum Trait {
    WRITE_SINGLE_COIL,
    WRITE_MULTIPLE_COILS,
    WRITE_SINGLE_REGISTER,
    WRITE_MULTIPLE_REGISTERS,
    MASK_WRITE
  }

  /** What is known of one table or file. */
  private static final class Area {
    final BitSet suspect = new BitSet();
    final BitSet culprits = new BitSet();
    final BitSet proven = new BitSet();

    /** Each the first entry behind it. */
    final BitSet cuts = new BitSet();

    final long since;

    Area(long since) {
      this.since = since;
    }
  }

  private record Refused(Refusal refusal, long at) {}

  /**
   * @param nanos a clock as {@link System#nanoTime}
   */
  Findings(LongSupplier nanos) {
    this.nanos = nanos;
  }

  /** The findings of many devices, by name. Safe in any thread. */
  static final class Shelf {
    private final LongSupplier nanos;
    private final Map<String, Findings> findings =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<String, Findings> eldest) {
            return size() > MOST_UNUSED;
          }
        };

    Shelf(LongSupplier nanos) {
      this.nanos = nanos;
    }

    /** Those of a device; new if it was never heard of. */
    synchronized Findings of(String device) {
      return findings.computeIfAbsent(device, name -> new Findings(nanos));
    }
  }

  /** Changes whenever requests should be planned anew. */
  int version() {
    if (troubled) {
      forget();
    }
    return version;
  }

  private synchronized void forget() {
    long now = nanos.getAsLong();
    for (Iterator<Area> i = areas.values().iterator(); i.hasNext(); ) {
      if (now - i.next().since >= MEMORY.toNanos()) {
        i.remove();
        version++;
      }
    }
    refused.values().removeIf(known -> now - known.at >= MEMORY.toNanos());
    lacks.values().removeIf(since -> now - since >= MEMORY.toNanos());
    troubled = !areas.isEmpty() || !refused.isEmpty() || !lacks.isEmpty();
  }

  private Area area(Table table, int file) {
    return areas.get(table.ordinal() << 16 | file);
  }

  /** Whether an entry among these was part of a refused request and never of an answer. */
  synchronized boolean suspect(Table table, int file, int from, int to) {
    Area area = troubled ? area(table, file) : null;
    int first = area == null ? -1 : area.suspect.nextSetBit(from);
    return first >= 0 && first < to;
  }

  /** Whether an entry among these was refused by itself. */
  synchronized boolean culprit(Table table, int file, int from, int to) {
    Area area = troubled ? area(table, file) : null;
    int first = area == null ? -1 : area.culprits.nextSetBit(from);
    return first >= 0 && first < to;
  }

  /** Whether a request for these would span a cut. */
  synchronized boolean cut(Table table, int file, int from, int to) {
    Area area = troubled ? area(table, file) : null;
    int first = area == null ? -1 : area.cuts.nextSetBit(from + 1);
    return first >= 0 && first < to;
  }

  /** A request of several values was refused for its range, and will be split at an entry. */
  synchronized void split(Block block, int at) {
    Area area =
        areas.computeIfAbsent(
            block.table().ordinal() << 16 | block.file(), key -> new Area(nanos.getAsLong()));
    int end = block.start() + block.count();
    if (area.proven.nextClearBit(block.start()) >= end) {
      area.cuts.set(at);
    } else {
      BitSet unproven = new BitSet();
      unproven.set(block.start(), end);
      unproven.andNot(area.proven);
      area.suspect.or(unproven);
    }
    troubled = true;
    version++;
  }

  /** A request that can't be split was refused for good. */
  synchronized void refused(Block block, Refusal refusal) {
    if (!refusal.lasting()) {
      return;
    }
    refused.put(key(block), new Refused(refusal, nanos.getAsLong()));
    troubled = true;
    Area area = area(block.table(), block.file());
    if (area == null) {
      return;
    }
    int end = block.start() + block.count();
    area.culprits.set(block.start(), end);
    if (area.proven.nextClearBit(block.start()) >= end) {
      // It was answered once: what was taken for a matter of the mix may have been its fault.
      area.proven.clear(block.start(), end);
      area.suspect.set(block.start(), end);
      area.cuts.clear();
    }
    version++;
  }

  /** The time, in nanoseconds from anywhere. */
  long now() {
    return nanos.getAsLong();
  }

  /**
   * How a request was refused, not long ago.
   *
   * @return {@code null} if it should be sent
   */
  Refusal refusal(Block block) {
    if (!troubled) {
      return null;
    }
    synchronized (this) {
      Refused known = refused.get(key(block));
      return known == null || nanos.getAsLong() - known.at >= AGAIN.toNanos()
          ? null
          : known.refusal;
    }
  }

  /** A request was answered. */
  void answered(Block block) {
    silent = false;
    if (!troubled) {
      return;
    }
    synchronized (this) {
      refused.remove(key(block));
      Area area = area(block.table(), block.file());
      if (area == null) {
        return;
      }
      int end = block.start() + block.count();
      area.proven.set(block.start(), end);
      int first = area.suspect.nextSetBit(block.start());
      if (first >= 0 && first < end) {
        area.suspect.clear(block.start(), end);
        area.culprits.clear(block.start(), end);
        version++;
      }
    }
  }

  private static long key(Block block) {
    return ((block.table().ordinal() * 0x10000L + block.file()) * 0x10000L + block.start())
            * 0x1000L
        + block.count();
  }

  /** Whether the device answered nothing at all when it was read last. */
  boolean silent() {
    return silent;
  }

  void silent(boolean now) {
    silent = now;
  }

  /** Whether the device said not long ago that it doesn't know a function. */
  boolean lacks(Trait trait) {
    if (!troubled) {
      return false;
    }
    forget();
    synchronized (this) {
      return lacks.containsKey(trait);
    }
  }

  /** The device says that it doesn't know a function. */
  synchronized void lacking(Trait trait) {
    lacks.put(trait, nanos.getAsLong());
    troubled = true;
  }
}
