package io.culvert.buffer;

import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One pass over the log for readings of a device, a point and a span of event time: from the {@link
 * Series} where they are, from the rows elsewhere. Holds one row in memory, or what a block has of
 * the point. One thread.
 */
final class Scan {
  private static final Logger LOG = LoggerFactory.getLogger(Scan.class);

  private final Store store;
  private final String device;
  private final String point;
  private final Instant from;
  private final Instant to;
  private final long since;
  private final long until;
  private final BooleanSupplier more;
  private final Taker taker;
  private boolean late;
  private boolean enough;
  private boolean damaged;

  /** Takes what is found. */
  interface Taker {
    /**
     * Whether events between two times, in milliseconds since 1970, are of any use; asked to save
     * reading them.
     */
    default boolean wants(long earliest, long latest) {
      return true;
    }

    /**
     * @return false to end
     */
    boolean take(Batch.Entry entry);
  }

  /**
   * @param device id, {@code null} for all
   * @param point id, {@code null} for all
   * @param from time of event, inclusive
   * @param to exclusive
   * @param more whether there is time left
   */
  Scan(
      Store store,
      String device,
      String point,
      Instant from,
      Instant to,
      BooleanSupplier more,
      Taker taker) {
    this.store = store;
    this.device = device;
    this.point = point;
    this.from = from;
    this.to = to;
    this.since = RowHead.floorMillis(from);
    this.until = RowHead.ceilMillis(to);
    this.more = more;
    this.taker = taker;
  }

  /** Whether the time was over before the end. */
  boolean late() {
    return late;
  }

  /** Whether the taker ended it. */
  boolean enough() {
    return enough;
  }

  /** Whether something couldn't be read. */
  boolean damaged() {
    return damaged;
  }

  /** Everything, the oldest segment first. */
  void run() throws IOException {
    for (Segment segment : store.segments()) {
      for (StreamClass streamClass : StreamClass.values()) {
        if (!run(segment, streamClass)) {
          return;
        }
      }
    }
  }

  /** One class of a segment, in the order of commit; false if this was the end. */
  boolean run(Segment segment, StreamClass streamClass) throws IOException {
    Segment.Span span = segment.span(streamClass);
    long[] reach = segment.reach(streamClass);
    if (span.isEmpty() || !touches(reach[0], reach[1])) {
      return true;
    }
    Series.View view =
        device == null || point == null
            ? Series.View.NOTHING
            : store.series().view(segment, streamClass, device, point);
    try (Part part = new Part(segment, streamClass, view)) {
      return part.run(span.first());
    }
  }

  private boolean touches(long earliest, long latest) {
    return latest >= since && earliest <= until && taker.wants(earliest, latest);
  }

  private boolean inTime() {
    late |= !more.getAsBoolean();
    return !late;
  }

  private boolean offer(Batch.Entry entry) {
    Instant time = entry.reading().eventTime();
    if ((device == null || entry.reading().device().equals(device))
        && (point == null || entry.reading().point().equals(point))
        && !time.isBefore(from)
        && time.isBefore(to)) {
      enough = !taker.take(entry);
    }
    return !enough;
  }

  /** One class of a segment. */
  private final class Part implements AutoCloseable {
    private final Segment segment;
    private final StreamClass streamClass;
    private final Series.View view;
    private FileChannel series;
    private boolean rowsRead;

    Part(Segment segment, StreamClass streamClass, Series.View view) {
      this.segment = segment;
      this.streamClass = streamClass;
      this.view = view;
    }

    boolean run(long first) throws IOException {
      long at = first;
      for (SeriesFile.Block block : view.blocks()) {
        SeriesBlock.Range range = block.ranges().get(streamClass);
        if (!rows(at, range.first(), 0) || !covered(range, block)) {
          return false;
        }
        at = range.end();
      }
      SeriesBlock.Range gathered = view.gathered();
      if (gathered != null) {
        if (!rows(at, gathered.first(), 0) || !covered(gathered, null)) {
          return false;
        }
        at = gathered.end();
      }
      return rows(at, segment.span(streamClass).end(), 0);
    }

    /** What the series have of a range, or else the rows. */
    private boolean covered(SeriesBlock.Range range, SeriesFile.Block block) throws IOException {
      if (!touches(range.from(), range.to())) {
        return true;
      }
      if (!inTime()) {
        return false;
      }
      long[] next = {0};
      try {
        SeriesChunk chunk = block == null ? view.chunk() : chunk(block);
        return chunk == null
            || chunk.forEach(
                entry -> {
                  next[0] = entry.sequence() + 1;
                  return Scan.this.offer(entry);
                });
      } catch (DamagedException e) {
        store.series().damaged(view.file(), e);
      } catch (IOException e) {
        LOG.debug("Series of {} can't be read; its rows are", segment.file(), e);
      }
      return rows(range.first(), range.end(), next[0]);
    }

    private SeriesChunk chunk(SeriesFile.Block block) throws IOException, DamagedException {
      if (series == null) {
        series = view.file().reader();
      }
      return view.file().chunk(series, block, streamClass, device, point);
    }

    /**
     * @param next sequence number before which the device's readings were handed over already
     */
    private boolean rows(long first, long end, long next) throws IOException {
      long at = first;
      while (at < end) {
        if (!inTime()) {
          return false;
        }
        rowsRead = true;
        RowHead head = segment.headFrom(streamClass, at, end, since, until, () -> damaged = true);
        if (head == null) {
          return true;
        }
        if (wanted(head)) {
          Found found = segment.read(streamClass, head.first());
          damaged |= found instanceof Found.Damaged;
          if (found instanceof Found.Whole whole && !row(whole.row(), next)) {
            return false;
          }
        }
        at = head.end();
      }
      return true;
    }

    private boolean row(Row row, long next) {
      for (Batch.Entry entry : row.entries()) {
        if (entry.sequence() >= next && !Scan.this.offer(entry)) {
          return false;
        }
      }
      return true;
    }

    private boolean wanted(RowHead head) {
      for (RowHead.Part part : head.streams()) {
        if ((device == null || part.device().equals(device)) && touches(part.from(), part.to())) {
          return true;
        }
      }
      return false;
    }

    @Override
    public void close() {
      Sqlite.closeQuietly(series);
      if (rowsRead && segment.sealed()) {
        segment.closeReader();
      }
    }
  }
}
