package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Query.History;
import io.culvert.api.service.Query.Last;
import io.culvert.api.service.Query.Visitor;
import io.culvert.api.service.Query.Windows;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Queries over the log. What they hold in memory is bounded by the answer and one row. */
final class Searches {
  private static final Comparator<Batch.Entry> BY_TIME =
      Comparator.comparing((Batch.Entry entry) -> entry.reading().eventTime())
          .thenComparing(entry -> entry.reading().streamClass())
          .thenComparingLong(Batch.Entry::sequence);

  private Searches() {}

  /** See {@link io.culvert.api.service.Query#history}. */
  static History history(
      Store store,
      String device,
      String point,
      Instant from,
      Instant to,
      int limit,
      BooleanSupplier more)
      throws IOException {
    // The oldest so many: the newest of them on top, to be replaced.
    PriorityQueue<Batch.Entry> oldest = new PriorityQueue<>(BY_TIME.reversed());
    long since = RowHead.floorMillis(from);
    long until = RowHead.ceilMillis(to);
    for (Segment segment : store.segments()) {
      for (StreamClass streamClass : StreamClass.values()) {
        for (RowHead head : segment.heads(streamClass, since, until)) {
          if (mayAdd(head, device, since, until, oldest, limit)) {
            Row row = segment.row(head);
            if (row != null) {
              add(row, device, point, from, to, oldest, limit);
            }
          }
        }
      }
      if (!segment.sealed()) {
        continue;
      }
      segment.closeReader();
    }
    List<Batch.Entry> entries = new ArrayList<>(oldest);
    entries.sort(BY_TIME);
    return new History(entries, true);
  }

  /** See {@link io.culvert.api.service.Query#windows}. */
  static Windows windows(
      Store store,
      String device,
      String point,
      Instant from,
      Instant to,
      Duration window,
      BooleanSupplier more)
      throws IOException {
    throw new IOException("not yet");
  }

  /** See {@link io.culvert.api.service.Query#each}. */
  static boolean each(
      Store store, String device, String point, Instant from, Instant to, Visitor visitor)
      throws IOException {
    throw new IOException("not yet");
  }

  /**
   * See {@link io.culvert.api.service.Query#last}.
   *
   * @param more whether there is time for another row
   */
  static Last last(Store store, Map<String, Set<String>> points, BooleanSupplier more)
      throws IOException {
    Map<String, Set<String>> wanted = new HashMap<>();
    points.forEach(
        (device, ids) -> {
          if (!ids.isEmpty()) {
            wanted.put(device, new HashSet<>(ids));
          }
        });
    List<Reading> found = new ArrayList<>();
    boolean complete = true;
    List<Segment> segments = store.segments();
    for (int i = segments.size() - 1; i >= 0 && complete && !wanted.isEmpty(); i--) {
      complete = last(segments.get(i), wanted, found, more);
      if (segments.get(i).sealed()) {
        segments.get(i).closeReader();
      }
    }
    return new Last(found, complete);
  }

  /** Looks in one segment; false if the time is over. */
  private static boolean last(
      Segment segment, Map<String, Set<String>> wanted, List<Reading> found, BooleanSupplier more)
      throws IOException {
    for (StreamClass streamClass : StreamClass.values()) {
      // One after the other: all heads of a file may be more than the memory has room for.
      RowHead head = segment.headBefore(streamClass, segment.span(streamClass).end());
      for (; head != null && !wanted.isEmpty(); head = previous(segment, head)) {
        if (!more.getAsBoolean()) {
          return false;
        }
        if (head.streams().stream().anyMatch(part -> wanted.containsKey(part.device()))) {
          Row row = segment.row(head);
          if (row != null) {
            take(row.entries(), wanted, found);
          }
        }
      }
    }
    return true;
  }

  private static RowHead previous(Segment segment, RowHead head) throws IOException {
    return segment.headBefore(head.streamClass(), head.first());
  }

  private static void take(
      List<Batch.Entry> entries, Map<String, Set<String>> wanted, List<Reading> found) {
    for (int i = entries.size() - 1; i >= 0; i--) {
      Reading reading = entries.get(i).reading();
      Set<String> ids = wanted.get(reading.device());
      if (ids != null && !reading.quality().bad() && ids.remove(reading.point())) {
        found.add(reading);
        if (ids.isEmpty()) {
          wanted.remove(reading.device());
        }
      }
    }
  }

  private static boolean mayAdd(
      RowHead head,
      String device,
      long since,
      long until,
      PriorityQueue<Batch.Entry> oldest,
      int limit) {
    for (RowHead.Part part : head.streams()) {
      if (part.device().equals(device)) {
        return part.to() >= since
            && part.from() <= until
            && (oldest.size() < limit
                || part.from() <= RowHead.ceilMillis(oldest.peek().reading().eventTime()));
      }
    }
    return false;
  }

  private static void add(
      Row row,
      String device,
      String point,
      Instant from,
      Instant to,
      PriorityQueue<Batch.Entry> oldest,
      int limit) {
    for (Batch.Entry entry : row.entries()) {
      Instant time = entry.reading().eventTime();
      if (entry.reading().device().equals(device)
          && entry.reading().point().equals(point)
          && !time.isBefore(from)
          && time.isBefore(to)) {
        oldest.add(entry);
        if (oldest.size() > limit) {
          oldest.remove();
        }
      }
    }
  }
}
