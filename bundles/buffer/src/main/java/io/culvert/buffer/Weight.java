package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.Value;

/** How many bytes a reading takes unpacked; a little more than it does, never less. */
final class Weight {
  private static final int FIXED = 40;

  private Weight() {}

  static int of(Reading reading) {
    long weight = FIXED + text(reading.point()) + text(reading.unit()) + of(reading.value());
    return (int) Math.min(Integer.MAX_VALUE, weight);
  }

  private static long of(Value value) {
    if (value instanceof Value.Text text) {
      return text(text.value());
    }
    if (value instanceof Value.Bytes bytes) {
      return 6L + bytes.value().length;
    }
    if (value instanceof Value.Array array) {
      return 6L + array.values().stream().mapToLong(Weight::of).sum();
    }
    if (value instanceof Value.Struct struct) {
      return 6L
          + struct.fields().entrySet().stream()
              .mapToLong(field -> 6L + text(field.getKey()) + of(field.getValue()))
              .sum();
    }
    return 11;
  }

  /** In UTF-8 or UTF-16, whichever the text needs. */
  private static long text(String text) {
    return 6L + 3L * text.length();
  }
}
