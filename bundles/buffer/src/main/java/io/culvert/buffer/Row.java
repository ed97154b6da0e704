package io.culvert.buffer;

import io.culvert.api.northbound.Batch;
import java.util.List;

/**
 * A committed batch of one class.
 *
 * @param head what is known of it without unpacking
 * @param entries in the order of their positions, from {@code head.first()} on
 */
record Row(RowHead head, List<Batch.Entry> entries) {
  Row {
    entries = List.copyOf(entries);
  }

  Batch.Entry at(long position) {
    return entries.get((int) (position - head.first()));
  }
}
