package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What waits for its commit, in the order of arrival, within bounds. What came together stays
 * together and counts as of its most important class. Not thread-safe.
 */
final class Window {
  private static final StreamClass[] CLASSES = StreamClass.values();

  private final int maxReadings;
  private final long maxBytes;

  /** By class. */
  private final List<ArrayDeque<Call>> waiting = new ArrayList<>();

  private final int[] readings = new int[CLASSES.length];
  private final long[] bytes = new long[CLASSES.length];

  /** Taken out to be committed, and not yet told as done. */
  private int takenReadings;

  private long takenBytes;
  private long order;

  /**
   * Readings that came together.
   *
   * @param streamClass the most important of their classes
   * @param bytes by {@link Weight}
   * @param order of arrival
   * @param answer what is told to whoever brought them
   */
  record Call(
      List<Reading> readings,
      StreamClass streamClass,
      long bytes,
      long order,
      CompletableFuture<Void> answer) {}

  Window(int maxReadings, long maxBytes) {
    this.maxReadings = maxReadings;
    this.maxBytes = maxBytes;
    for (int c = 0; c < CLASSES.length; c++) {
      waiting.add(new ArrayDeque<>());
    }
  }

  /**
   * Adds readings. If there is no room, the oldest of the least important class go, as many as it
   * takes, but none that are more important than those that come.
   *
   * @param givenUp what goes for them is added here
   * @return {@code null}, and nothing has changed, if no room can be made
   */
  Call add(List<Reading> added, StreamClass streamClass, long weight, List<Call> givenUp) {
    int less = 0;
    long lessBytes = 0;
    for (int c = streamClass.ordinal(); c < CLASSES.length; c++) {
      less += readings[c];
      lessBytes += bytes[c];
    }
    if (readings() - less + added.size() > maxReadings || bytes() - lessBytes + weight > maxBytes) {
      return null;
    }
    for (int c = CLASSES.length - 1; c >= streamClass.ordinal(); c--) {
      while (!waiting.get(c).isEmpty() && !fits(added.size(), weight)) {
        givenUp.add(remove(c));
      }
    }
    Call call = new Call(added, streamClass, weight, order++, new CompletableFuture<>());
    int c = streamClass.ordinal();
    waiting.get(c).add(call);
    readings[c] += added.size();
    bytes[c] += weight;
    return call;
  }

  private boolean fits(int more, long weight) {
    return readings() + more <= maxReadings && bytes() + weight <= maxBytes;
  }

  private Call remove(int c) {
    Call call = waiting.get(c).remove();
    readings[c] -= call.readings().size();
    bytes[c] -= call.bytes();
    return call;
  }

  /**
   * Takes the oldest out, at least one if there is any. They count until {@link #done}, and are not
   * given up.
   *
   * @param most bytes of them together
   */
  List<Call> take(long most) {
    List<Call> taken = new ArrayList<>();
    long sum = 0;
    while (true) {
      int oldest = -1;
      for (int c = 0; c < CLASSES.length; c++) {
        Call first = waiting.get(c).peek();
        if (first != null
            && (oldest < 0 || first.order() < waiting.get(oldest).element().order())) {
          oldest = c;
        }
      }
      if (oldest < 0 || (!taken.isEmpty() && sum + waiting.get(oldest).element().bytes() > most)) {
        return taken;
      }
      Call call = remove(oldest);
      taken.add(call);
      sum += call.bytes();
      takenReadings += call.readings().size();
      takenBytes += call.bytes();
    }
  }

  /** What was taken doesn't count any more. */
  void done() {
    takenReadings = 0;
    takenBytes = 0;
  }

  int readings() {
    int sum = takenReadings;
    for (int each : readings) {
      sum += each;
    }
    return sum;
  }

  long bytes() {
    long sum = takenBytes;
    for (long each : bytes) {
      sum += each;
    }
    return sum;
  }
}
