package io.culvert.buffer;

import io.culvert.api.northbound.Batch;
import java.util.Arrays;
import java.util.List;

/** A batch of one class, committed together; or what a bound has left of several. */
final class Row {
  private final RowHead head;
  private final List<Batch.Entry> entries;

  /** Of each entry, its position less the first; {@code null} if none is missing. */
  private final int[] offsets;

  /** One of which nothing is missing. */
  Row(RowHead head, List<Batch.Entry> entries) {
    this(head, entries, null);
  }

  /**
   * @param entries in the order of their positions
   * @param offsets of each entry, its position less {@code head.first()}, ascending; {@code null}
   *     if they have no gaps
   */
  Row(RowHead head, List<Batch.Entry> entries, int[] offsets) {
    this.head = head;
    this.entries = List.copyOf(entries);
    this.offsets = offsets;
  }

  /** What is known of it without unpacking. */
  RowHead head() {
    return head;
  }

  /** In the order of their positions. */
  List<Batch.Entry> entries() {
    return entries;
  }

  /** The position of an entry by its index. */
  long position(int index) {
    return head.first() + (offsets == null ? index : offsets[index]);
  }

  /** What stands at a position of the row; {@code null} if a bound has taken it out. */
  Batch.Entry at(long position) {
    int offset = (int) (position - head.first());
    if (offsets == null) {
      return entries.get(offset);
    }
    int index = Arrays.binarySearch(offsets, offset);
    return index < 0 ? null : entries.get(index);
  }

  /** The first position at or after one that holds a reading; the row's end if there is none. */
  long next(long position) {
    if (offsets == null) {
      return position;
    }
    int index = Arrays.binarySearch(offsets, (int) (position - head.first()));
    int at = index < 0 ? -index - 1 : index;
    return at < offsets.length ? position(at) : head.end();
  }

  /** The same place with other entries, for a correction of what they say. */
  Row with(List<Batch.Entry> changed) {
    return new Row(head, changed, offsets);
  }
}
