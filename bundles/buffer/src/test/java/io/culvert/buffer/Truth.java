package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Readings that tell where they belong: the n-th of a stream has the number n in it, so whatever
 * comes back at another place, or changed, is known as such.
 */
final class Truth {
  /** Every stream: a device and a class. */
  static final List<Stream> STREAMS = streams();

  private Truth() {}

  /** One stream; {@code index} in {@link #STREAMS}. */
  record Stream(int index, String device, StreamClass streamClass) {
    /** The n-th reading, from 1. */
    Reading reading(long n) {
      return Readings.of(device, "n", streamClass, value(n), Readings.T0.plusMillis(n));
    }

    private Value value(long n) {
      if (streamClass != StreamClass.EVENT) {
        return Value.of(n);
      }
      // Some take several pages on disk, and none of them packs well.
      Random random = new Random(n * 64 + index);
      StringBuilder text = new StringBuilder(n + ":");
      for (int i = random.nextInt(10) == 0 ? 600 : 10; i > 0; i--) {
        text.append(Long.toHexString(random.nextLong()));
      }
      return Value.of(text.toString());
    }
  }

  private static List<Stream> streams() {
    List<Stream> all = new ArrayList<>();
    for (int device = 0; device < 3; device++) {
      for (StreamClass streamClass : StreamClass.values()) {
        all.add(new Stream(all.size(), "d" + device, streamClass));
      }
    }
    return List.copyOf(all);
  }

  /** The stream of a reading; {@code null} if it is the gateway's own. */
  static Stream of(Reading reading) {
    for (Stream stream : STREAMS) {
      if (stream.device().equals(reading.device())
          && stream.streamClass() == reading.streamClass()) {
        return stream;
      }
    }
    return null;
  }

  /** Whether a reading is one that the platform "yard" never takes. */
  static boolean refused(long n) {
    return n % 17 == 0;
  }
}
