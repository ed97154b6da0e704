package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;

/** The rows committed last, so that live traffic is not read back from disk. Thread-safe. */
final class Recent {
  private final int limit;
  private final Map<StreamClass, TreeMap<Long, Row>> rows =
      new java.util.EnumMap<>(StreamClass.class);
  private final ArrayDeque<Row> order = new ArrayDeque<>();
  private int readings;

  /**
   * @param limit on the readings held
   */
  Recent(int limit) {
    this.limit = limit;
    for (StreamClass streamClass : StreamClass.values()) {
      rows.put(streamClass, new TreeMap<>());
    }
  }

  synchronized void add(Row row) {
    rows.get(row.head().streamClass()).put(row.head().first(), row);
    order.add(row);
    readings += row.head().count();
    while (readings > limit) {
      Row oldest = order.remove();
      rows.get(oldest.head().streamClass()).remove(oldest.head().first());
      readings -= oldest.head().count();
    }
  }

  /** Forgets what touches some positions: it is not on disk any more as it was. */
  synchronized void forget(StreamClass streamClass, long first, long end) {
    order.removeIf(
        row -> {
          RowHead head = row.head();
          boolean gone =
              head.streamClass() == streamClass && head.end() > first && head.first() < end;
          if (gone) {
            rows.get(streamClass).remove(head.first());
            readings -= head.count();
          }
          return gone;
        });
  }

  /** The row that holds a position; {@code null} if it is not here any more. */
  synchronized Row find(StreamClass streamClass, long position) {
    Map.Entry<Long, Row> row = rows.get(streamClass).floorEntry(position);
    return row != null && row.getValue().head().end() > position ? row.getValue() : null;
  }
}
