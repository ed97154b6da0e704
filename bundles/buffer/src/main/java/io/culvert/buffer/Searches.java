package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Query.History;
import io.culvert.api.service.Query.Last;
import io.culvert.api.service.Query.Visitor;
import io.culvert.api.service.Query.Window;
import io.culvert.api.service.Query.Windows;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Queries over the log. What they hold in memory is bounded by the answer and one row. */
final class Searches {
  static final int MAX_WINDOWS = 100_000;

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
    Oldest oldest = new Oldest(limit);
    Scan scan = new Scan(store, device, point, from, to, more, oldest);
    scan.run();
    return new History(oldest.entries(), !scan.late());
  }

  /** The oldest so many of what comes in any order. */
  private static final class Oldest implements Scan.Taker {
    private final int limit;
    private final int room;
    private List<Batch.Entry> entries = new ArrayList<>();

    /** The newest of as many as are wanted: what is newer isn't. */
    private Batch.Entry newest;

    Oldest(int limit) {
      this.limit = limit;
      this.room = limit + Math.max(1000, limit / 4);
    }

    @Override
    public boolean wants(long earliest, long latest) {
      return newest == null || earliest <= RowHead.ceilMillis(newest.reading().eventTime());
    }

    @Override
    public boolean take(Batch.Entry entry) {
      if (newest == null || BY_TIME.compare(entry, newest) < 0) {
        entries.add(entry);
        if (entries.size() == room || entries.size() == limit) {
          cut();
        }
      }
      return true;
    }

    private void cut() {
      // What comes is nearly in order, which makes this cheap.
      entries.sort(BY_TIME);
      if (entries.size() >= limit) {
        entries = new ArrayList<>(entries.subList(0, limit));
        newest = entries.get(limit - 1);
      }
    }

    List<Batch.Entry> entries() {
      cut();
      return entries;
    }
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
    Sums sums = new Sums(from, to, window);
    Scan scan = new Scan(store, device, point, from, to, more, sums);
    scan.run();
    return new Windows(sums.windows(), !scan.late());
  }

  /** Sums of what comes in any order, by window. */
  private static final class Sums implements Scan.Taker {
    private final Instant from;
    private final Duration window;

    /** 0 if it is more than a long holds. */
    private final long nanos;

    private final Sum[] sums;

    Sums(Instant from, Instant to, Duration window) {
      this.from = from;
      this.window = window;
      if (window.compareTo(Duration.ofMillis(1)) < 0) {
        throw new IllegalArgumentException("window is " + window + "; 1 ms or more is possible");
      }
      nanos = fits(window) ? window.toNanos() : 0;
      long count = from.isBefore(to) ? count(to) : 0;
      if (count > MAX_WINDOWS) {
        throw new IllegalArgumentException(
            "%s to %s are %d windows of %s; at most %d are possible, so ask for longer windows"
                .formatted(from, to, count, window, MAX_WINDOWS));
      }
      sums = new Sum[(int) count];
    }

    private long count(Instant to) {
      try {
        return Math.addExact(index(to.minusNanos(1)), 1);
      } catch (ArithmeticException e) {
        return Long.MAX_VALUE;
      }
    }

    private static boolean fits(Duration duration) {
      return duration.getSeconds() < Long.MAX_VALUE / 1_000_000_000;
    }

    private long index(Instant time) {
      Duration since = Duration.between(from, time);
      return nanos > 0 && fits(since) ? since.toNanos() / nanos : since.dividedBy(window);
    }

    @Override
    public boolean take(Batch.Entry entry) {
      int index = (int) index(entry.reading().eventTime());
      if (sums[index] == null) {
        sums[index] = new Sum();
      }
      sums[index].add(entry);
      return true;
    }

    List<Window> windows() {
      List<Window> windows = new ArrayList<>();
      for (int i = 0; i < sums.length; i++) {
        if (sums[i] != null) {
          windows.add(sums[i].window(from.plus(window.multipliedBy(i))));
        }
      }
      return windows;
    }
  }

  private static final class Sum {
    private long count;
    private long bad;
    private long numbers;
    private double min = Double.NaN;
    private double max = Double.NaN;
    private double sum;
    private Batch.Entry last;

    void add(Batch.Entry entry) {
      Reading reading = entry.reading();
      if (reading.quality().bad()) {
        bad++;
        return;
      }
      count++;
      if (last == null || BY_TIME.compare(entry, last) > 0) {
        last = entry;
      }
      double number = reading.value().number();
      if (!Double.isNaN(number)) {
        min = numbers == 0 ? number : Math.min(min, number);
        max = numbers == 0 ? number : Math.max(max, number);
        sum += number;
        numbers++;
      }
    }

    Window window(Instant from) {
      double mean = numbers == 0 ? Double.NaN : sum / numbers;
      return new Window(from, count, bad, min, max, mean, last == null ? null : last.reading());
    }
  }

  /** See {@link io.culvert.api.service.Query#each}. */
  static boolean each(
      Store store, String device, String point, Instant from, Instant to, Visitor visitor)
      throws IOException {
    Scan scan = new Scan(store, orAll(device), orAll(point), from, to, () -> true, visitor::take);
    for (StreamClass streamClass : StreamClass.values()) {
      for (Segment segment : store.segments()) {
        if (!scan.run(segment, streamClass)) {
          return false;
        }
      }
    }
    return !scan.damaged();
  }

  private static String orAll(String id) {
    return id.isEmpty() ? null : id;
  }

  /**
   * See {@link io.culvert.api.service.Query#last}.
   *
   * @param more whether there is time for another row
   */
  static Last last(Store store, Map<String, Set<String>> points, BooleanSupplier more)
      throws IOException {
    Newest newest = new Newest(store, points, more);
    List<Segment> segments = store.segments();
    boolean complete = true;
    for (int i = segments.size() - 1; i >= 0 && complete && !newest.wanted.isEmpty(); i--) {
      complete = newest.look(segments.get(i));
    }
    return new Last(newest.found, complete);
  }

  /** Looks for the newest reading of points, back from the end. */
  private static final class Newest {
    private final Store store;
    private final BooleanSupplier more;
    private final Map<String, Set<String>> wanted = new HashMap<>();
    private final List<Reading> found = new ArrayList<>();

    Newest(Store store, Map<String, Set<String>> points, BooleanSupplier more) {
      this.store = store;
      this.more = more;
      points.forEach(
          (device, ids) -> {
            if (!ids.isEmpty()) {
              wanted.put(device, new HashSet<>(ids));
            }
          });
    }

    /** Looks in one segment; false if the time is over. */
    boolean look(Segment segment) throws IOException {
      for (StreamClass streamClass : StreamClass.values()) {
        if (!look(segment, streamClass)) {
          return false;
        }
      }
      if (segment.sealed()) {
        segment.closeReader();
      }
      return true;
    }

    private boolean look(Segment segment, StreamClass streamClass) throws IOException {
      if (segment.span(streamClass).isEmpty()) {
        return true;
      }
      Series.View view = store.series().view(segment, streamClass, null, null);
      long end = Long.MAX_VALUE;
      if (view.gathered() != null) {
        if (!rows(segment, streamClass, view.gathered().end(), end)
            || !chunks(view, null, segment, view.gathered())) {
          return false;
        }
        end = view.gathered().first();
      }
      for (int i = view.blocks().size() - 1; i >= 0; i--) {
        SeriesFile.Block block = view.blocks().get(i);
        SeriesBlock.Range range = block.ranges().get(streamClass);
        if (!rows(segment, streamClass, range.end(), end) || !chunks(view, block, segment, range)) {
          return false;
        }
        end = range.first();
      }
      return rows(segment, streamClass, 0, end);
    }

    /** Rows one after the other: their heads may be more than the memory has room for. */
    private boolean rows(Segment segment, StreamClass streamClass, long first, long end)
        throws IOException {
      if (wanted.isEmpty() || first >= end) {
        return true;
      }
      long last = Math.min(end, segment.span(streamClass).end());
      RowHead head = segment.headBefore(streamClass, last);
      for (; head != null && head.first() >= first && !wanted.isEmpty(); ) {
        if (!more.getAsBoolean()) {
          return false;
        }
        if (head.streams().stream().anyMatch(part -> wanted.containsKey(part.device()))) {
          Row row = segment.row(head);
          if (row != null) {
            take(row.entries());
          }
        }
        head = segment.headBefore(streamClass, head.first());
      }
      return true;
    }

    /** What a block of the series has, {@code null} for the one in memory; or else the rows. */
    private boolean chunks(
        Series.View view, SeriesFile.Block block, Segment segment, SeriesBlock.Range range)
        throws IOException {
      if (wanted.isEmpty()) {
        return true;
      }
      try (FileChannel channel = block == null ? null : view.file().reader()) {
        for (Map.Entry<String, Set<String>> device : List.copyOf(wanted.entrySet())) {
          for (String point : List.copyOf(device.getValue())) {
            if (!more.getAsBoolean()) {
              return false;
            }
            String id = device.getKey();
            SeriesChunk chunk =
                block == null
                    ? view.block().chunk(range.streamClass(), id, point)
                    : view.file().chunk(channel, block, range.streamClass(), id, point);
            if (chunk != null) {
              take(chunk);
            }
          }
        }
        return true;
      } catch (DamagedException e) {
        store.series().damaged(view.file(), e);
      } catch (IOException e) {
        // Gone, or not to be read just now; if it is the disk, the rows will say so.
        return rows(segment, range.streamClass(), range.first(), range.end());
      }
      return rows(segment, range.streamClass(), range.first(), range.end());
    }

    private void take(SeriesChunk chunk) throws DamagedException {
      Batch.Entry[] last = {null};
      chunk.forEach(
          entry -> {
            last[0] = entry.reading().quality().bad() ? last[0] : entry;
            return true;
          });
      if (last[0] != null) {
        take(List.of(last[0]));
      }
    }

    private void take(List<Batch.Entry> entries) {
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
  }
}
