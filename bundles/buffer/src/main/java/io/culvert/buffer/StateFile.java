package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of delivery on disk: two files written in turn, each whole, checksummed and synced, so
 * that a torn write leaves the one before. After a failure the same one is written again. Not
 * thread-safe.
 *
 * <p>They are written over in place and never cut, and are made larger than they need to be: a full
 * disk does not keep the state from being written.
 */
final class StateFile {
  private static final Logger LOG = LoggerFactory.getLogger(StateFile.class);
  private static final int VERSION = 2;

  /** Step of a file's size; enough for some thousand intervals. */
  private static final int STEP = 64 << 10;

  private static final int CLASSES = StreamClass.values().length;

  private final Path[] slots;
  private final Wear wear;
  private long generation;

  /**
   * @param stopped time of the clean stop, in milliseconds since 1970; 0 if there was none
   * @param downtime that had not ended; {@code null} if there was none
   * @param next next position of each class
   * @param deliveries one each forwarder that was ever here
   * @param wear what was written to the disk
   */
  record State(
      long stopped, Downtime downtime, long[] next, List<Delivery> deliveries, Wear.Kept wear) {}

  /**
   * @param wear is kept along
   */
  StateFile(Path directory, Wear wear) {
    this.wear = wear;
    slots = new Path[] {directory.resolve("delivery.0"), directory.resolve("delivery.1")};
  }

  /** The latest state that is whole, taken over into the wear; {@code null} if there is none. */
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
    if (latest != null) {
      wear.restore(latest.wear());
    }
    return latest;
  }

  /** From the generation on. */
  private static ByteReader open(Path slot) throws IOException, DamagedException {
    ByteReader in = new ByteReader(RowCodec.unseal(content(Files.readAllBytes(slot))));
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

  /** What follows its own length at the beginning of a file. */
  private static byte[] content(byte[] file) throws DamagedException {
    int length = new ByteReader(file).i32();
    if (length < 0 || length > file.length - Integer.BYTES) {
      throw new DamagedException("Length " + length + " in a file of " + file.length);
    }
    return Arrays.copyOfRange(file, Integer.BYTES, Integer.BYTES + length);
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
    return new State(stopped, downtime, next, deliveries, Wear.Kept.read(in));
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
    wear.kept().write(out);
    byte[] sealed = RowCodec.seal(out.toBytes());
    ByteWriter whole = new ByteWriter();
    whole.i32(sealed.length);
    whole.raw(sealed, sealed.length);
    write(slots[(int) ((generation + 1) % 2)], whole.toBytes());
    generation++;
  }

  private static void write(Path slot, byte[] content) throws IOException {
    boolean fresh = !Files.exists(slot);
    try (FileChannel channel =
        FileChannel.open(slot, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      long size = channel.size();
      boolean grows = size < content.length;
      if (grows) {
        write(channel, new byte[(int) (content.length / STEP * STEP + STEP - size)], size);
      }
      write(channel, content, 0);
      // If only what is in it has changed, the file system's own records needn't be written.
      channel.force(grows);
    }
    if (fresh) {
      Sqlite.syncDirectory(slot.getParent());
    }
  }

  private static void write(FileChannel channel, byte[] content, long position) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(content);
    while (bytes.hasRemaining()) {
      channel.write(bytes, position + bytes.position());
    }
  }
}
