package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of delivery on disk: two files written in turn, each whole, checksummed and synced, so
 * that a torn write leaves the one before. Not thread-safe.
 */
final class StateFile {
  private static final Logger LOG = LoggerFactory.getLogger(StateFile.class);
  private static final int VERSION = 2;
  private static final int CLASSES = StreamClass.values().length;

  private final Path[] slots;
  private long generation;

  /**
   * @param stopped time of the clean stop, in milliseconds since 1970; 0 if there was none
   * @param downtime that had not ended; {@code null} if there was none
   * @param next next position of each class
   * @param deliveries one each forwarder that was ever here
   */
  record State(long stopped, Downtime downtime, long[] next, List<Delivery> deliveries) {}

  StateFile(Path directory) {
    slots = new Path[] {directory.resolve("delivery.0"), directory.resolve("delivery.1")};
  }

  /** The latest state that is whole; {@code null} if there is none. */
  State load() {
    State latest = null;
    for (Path slot : slots) {
      if (!Files.exists(slot)) {
        continue;
      }
      try {
        ByteReader in = open(slot);
        long of = in.varint();
        if (latest == null || of > generation) {
          latest = read(in);
          generation = of;
        }
      } catch (IOException | DamagedException e) {
        LOG.warn("State of delivery in {} can't be read: {}", slot, e.getMessage());
      }
    }
    return latest;
  }

  /** From the generation on. */
  private static ByteReader open(Path slot) throws IOException, DamagedException {
    ByteReader in = new ByteReader(RowCodec.unseal(Files.readAllBytes(slot)));
    int version = in.u8();
    if (version != VERSION) {
      throw new DamagedException("Version " + version + "; this program knows " + VERSION);
    }
    return in;
  }

  /** The two files, with why one can't be read, or {@code ""}; those that there are. */
  Map<Path, String> check() {
    Map<Path, String> found = new LinkedHashMap<>();
    for (Path slot : slots) {
      if (Files.exists(slot)) {
        try {
          ByteReader in = open(slot);
          in.varint();
          read(in);
          found.put(slot, "");
        } catch (IOException | DamagedException e) {
          found.put(slot, e.getMessage());
        }
      }
    }
    return found;
  }

  private static State read(ByteReader in) throws DamagedException {
    long stopped = in.signed();
    Downtime downtime = Downtime.read(in);
    long[] next = new long[CLASSES];
    for (int c = 0; c < CLASSES; c++) {
      next[c] = in.varint();
    }
    int count = in.count();
    List<Delivery> deliveries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      deliveries.add(Delivery.read(in));
    }
    return new State(stopped, downtime, next, deliveries);
  }

  /** Writes over the older of the two; synced on return. */
  void save(long stopped, Downtime downtime, long[] next, Collection<Delivery> deliveries)
      throws IOException {
    ByteWriter out = new ByteWriter();
    out.u8(VERSION);
    out.varint(generation + 1);
    out.signed(stopped);
    Downtime.write(downtime, out);
    for (long position : next) {
      out.varint(position);
    }
    out.varint(deliveries.size());
    deliveries.forEach(delivery -> delivery.write(out));
    Path slot = slots[(int) ((generation + 1) % 2)];
    boolean fresh = !Files.exists(slot);
    try (FileChannel channel =
        FileChannel.open(
            slot,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(RowCodec.seal(out.toBytes()));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    if (fresh) {
      Sqlite.syncDirectory(slot.getParent());
    }
    generation++;
  }
}
