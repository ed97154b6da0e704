package io.culvert.buffer;

import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Queries over the log. What they hold in memory is bounded by the answer and one row. */
final class History {
  private static final Comparator<Batch.Entry> BY_TIME =
      Comparator.comparing((Batch.Entry entry) -> entry.reading().eventTime())
          .thenComparing(entry -> entry.reading().streamClass())
          .thenComparingLong(Batch.Entry::sequence);

  private History() {}

  /** See {@link io.culvert.api.service.Query#history}. */
  static List<Batch.Entry> of(
      Store store, String device, String point, Instant from, Instant to, int limit)
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
    return entries;
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
