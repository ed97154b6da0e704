package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The baseline of a drain: a plain file, written as the buffer was filled and read in batches. */
public final class RawRun {
  private static final int COMMIT = 1_000;
  private static final int BATCH = 500;

  /**
   * @param file to be written
   * @param readings to be stored
   */
  public record Order(String file, int readings) {}

  /**
   * @param appendSeconds of writing, a sync each 1,000 readings
   * @param readSeconds of reading, each reading made and counted by a receiver
   */
  public record Result(
      long readings, double appendSeconds, double readSeconds, long bytesWritten, long bytes) {}

  private RawRun() {}

  /** Writes and reads. */
  public static Result run(Order order) throws IOException {
    Path file = Path.of(order.file());
    long written = BufferRun.written();
    long start = System.nanoTime();
    Traffic traffic = new Traffic(Instant.now(), 0);
    try (RawLog log = new RawLog(file)) {
      for (int left = order.readings(); left > 0; left -= COMMIT) {
        log.append(traffic.next(Math.min(COMMIT, left)));
      }
    }
    written = BufferRun.written() - written;
    double append = (System.nanoTime() - start) / 1e9;
    start = System.nanoTime();
    Receiver receiver =
        new Receiver(order.readings() / Traffic.DEVICES, Long.MAX_VALUE, BufferRun.GATEWAY);
    Map<String, long[]> numbers = new HashMap<>();
    List<Batch.Entry> entries = new ArrayList<>();
    RawLog.read(
        file,
        reading -> {
          entries.add(entry(numbers, reading));
          if (entries.size() == BATCH) {
            hand(receiver, entries);
          }
        });
    hand(receiver, entries);
    if (receiver.backlog() != order.readings()) {
      throw new IOException("read " + receiver.backlog() + ", expected " + order.readings());
    }
    double read = (System.nanoTime() - start) / 1e9;
    return new Result(order.readings(), append, read, written, file.toFile().length());
  }

  private static Batch.Entry entry(Map<String, long[]> numbers, Reading reading) {
    return new Batch.Entry(
        ++numbers.computeIfAbsent(reading.device(), d -> new long[1])[0], reading);
  }

  private static void hand(Receiver receiver, List<Batch.Entry> entries) {
    receiver.batch(new Batch(StreamClass.TELEMETRY, true, entries), 0);
    entries.clear();
  }
}
