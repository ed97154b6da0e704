package io.culvert.buffer;

import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Rows of one segment regrouped by device and point, while they are gathered: of each class one
 * unbroken range of positions. Thread-safe.
 */
final class SeriesBlock {
  /** About what one takes of memory when it is full. */
  static final int MAX_BYTES = 4 << 20;

  /** Bound on what is read back in one piece, so that it stays readable. */
  private static final int MAX_PART = 1 << 20;

  private final Map<StreamClass, Range> ranges = new EnumMap<>(StreamClass.class);
  private final Map<StreamClass, Map<String, SeriesDevice>> devices =
      new EnumMap<>(StreamClass.class);
  private long bytes;
  private boolean full;

  /**
   * What is covered of a class.
   *
   * @param first position
   * @param end position after the last
   * @param from earliest event, in milliseconds since 1970
   * @param to latest event
   */
  record Range(StreamClass streamClass, long first, long end, long from, long to) {
    Range and(Range next) {
      return new Range(
          streamClass, first, next.end, Math.min(from, next.from), Math.max(to, next.to));
    }

    boolean touches(long since, long until) {
      return to >= since && from <= until;
    }
  }

  /** Whether the row goes on where this ends. */
  synchronized boolean continues(RowHead head) {
    Range range = ranges.get(head.streamClass());
    return range == null || range.end() == head.first();
  }

  /** Adds a row that {@linkplain #continues continues} this. */
  synchronized void add(Row row) {
    RowHead head = row.head();
    long from = Long.MAX_VALUE;
    long to = Long.MIN_VALUE;
    Map<String, SeriesDevice> ofClass =
        devices.computeIfAbsent(head.streamClass(), c -> new LinkedHashMap<>());
    String id = null;
    SeriesDevice device = null;
    for (Batch.Entry entry : row.entries()) {
      // The readings of one poll stand together.
      if (!entry.reading().device().equals(id)) {
        id = entry.reading().device();
        device = ofClass.get(id);
        if (device == null) {
          device = new SeriesDevice();
          ofClass.put(id, device);
          bytes += device.bytes();
        }
      }
      bytes += device.add(entry);
      full |= device.bytes() > MAX_PART;
      from = Math.min(from, RowHead.floorMillis(entry.reading().eventTime()));
      to = Math.max(to, RowHead.ceilMillis(entry.reading().eventTime()));
    }
    Range added = new Range(head.streamClass(), head.first(), head.end(), from, to);
    ranges.merge(head.streamClass(), added, Range::and);
  }

  synchronized boolean full() {
    return full || bytes > MAX_BYTES;
  }

  synchronized boolean isEmpty() {
    return ranges.isEmpty();
  }

  /** What is covered, by class. */
  synchronized Map<StreamClass, Range> ranges() {
    return ranges.isEmpty() ? Map.of() : new EnumMap<>(ranges);
  }

  /** A point's readings up to now; {@code null} if there are none. */
  synchronized SeriesChunk chunk(StreamClass streamClass, String device, String point) {
    SeriesDevice found = devices.getOrDefault(streamClass, Map.of()).get(device);
    return found == null ? null : found.chunk(streamClass, device, point);
  }

  /** The devices of a class. */
  synchronized void forEach(StreamClass streamClass, BiConsumer<String, SeriesDevice> each) {
    devices.getOrDefault(streamClass, Map.of()).forEach(each);
  }

  /** About what it takes of memory. */
  synchronized long bytes() {
    return bytes;
  }
}
