package io.culvert.buffer;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** A set of positions, kept as disjoint intervals that do not touch. Not thread-safe. */
final class Intervals {
  /** First position → position after the last. */
  private final TreeMap<Long, Long> ends = new TreeMap<>();

  private long size;

  /** Number of positions. */
  long size() {
    return size;
  }

  /** Number of intervals. */
  int parts() {
    return ends.size();
  }

  boolean isEmpty() {
    return ends.isEmpty();
  }

  /** Adds {@code from} (inclusive) to {@code to} (exclusive); nothing if empty. */
  void add(long from, long to) {
    if (from >= to) {
      return;
    }
    long start = from;
    long end = to;
    Map.Entry<Long, Long> before = ends.floorEntry(from);
    if (before != null && before.getValue() >= from) {
      start = before.getKey();
      end = Math.max(end, before.getValue());
    }
    for (Iterator<Map.Entry<Long, Long>> i = ends.tailMap(start, true).entrySet().iterator();
        i.hasNext(); ) {
      Map.Entry<Long, Long> part = i.next();
      if (part.getKey() > end) {
        break;
      }
      end = Math.max(end, part.getValue());
      size -= part.getValue() - part.getKey();
      i.remove();
    }
    ends.put(start, end);
    size += end - start;
  }

  /** Takes {@code from} (inclusive) to {@code to} (exclusive) out. */
  void remove(long from, long to) {
    if (from >= to) {
      return;
    }
    Map.Entry<Long, Long> part = ends.lowerEntry(to);
    while (part != null && part.getValue() > from) {
      long start = part.getKey();
      long end = part.getValue();
      ends.remove(start);
      size -= end - start;
      if (start < from) {
        put(start, from);
      }
      if (end > to) {
        put(to, end);
      }
      part = ends.lowerEntry(from < start ? start : from);
    }
  }

  private void put(long from, long to) {
    ends.put(from, to);
    size += to - from;
  }

  boolean contains(long position) {
    Map.Entry<Long, Long> part = ends.floorEntry(position);
    return part != null && part.getValue() > position;
  }

  /** The first position at or after {@code from}; -1 if there is none. */
  long next(long from) {
    if (contains(from)) {
      return from;
    }
    Long next = ends.ceilingKey(from);
    return next == null ? -1 : next;
  }

  /** The position after the run that {@code position}, a member, is in. */
  long endOfRun(long position) {
    return ends.floorEntry(position).getValue();
  }

  /** What both hold between {@code from} (inclusive) and {@code to} (exclusive). */
  Intervals within(long from, long to) {
    Intervals result = new Intervals();
    for (long at = next(from); at >= 0 && at < to; at = next(endOfRun(at))) {
      result.add(at, Math.min(to, endOfRun(at)));
    }
    return result;
  }

  void forEach(BiConsumer<Long, Long> each) {
    ends.forEach(each);
  }

  /** The intervals, first to last, as pairs of first position and position after the last. */
  List<long[]> toList() {
    List<long[]> list = new ArrayList<>(ends.size());
    ends.forEach((from, to) -> list.add(new long[] {from, to}));
    return list;
  }

  @Override
  public String toString() {
    return ends.toString();
  }
}
