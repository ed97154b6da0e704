package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The blocks of one segment's series, one after the other in a file of its own, in the order of
 * their positions. Only ever grows; nothing in it is synced, and all of it is checked when it is
 * read.
 *
 * <p>A block is a header (of {@link #HEADER} bytes, written last), buckets, their places, and an
 * index. Which bucket a device is in follows from its name, and there are no others: one that can't
 * be read is damage, so what isn't found in one that can isn't there.
 *
 * <p>Written by one thread; read by any.
 */
final class SeriesFile {
  private static final int VERSION = 1;

  /** "culvser" and the version. */
  private static final long MAGIC = 0x63756c7673657200L | VERSION;

  /** Checksum, magic, length of the block, place and length of the index. */
  private static final int HEADER = 4 + 8 + 8 + 8 + 4;

  private static final int MAX_INDEX = 1 << 16;
  private static final int MAX_BUCKETS = 1 << 20;

  /** What a bucket holds, roughly, before packing. */
  private static final int BUCKET_BYTES = 8 << 10;

  /** Columns of a device that has more stand by themselves. */
  private static final int APART_BYTES = 16 << 10;

  private static final StreamClass[] CLASSES = StreamClass.values();

  private final Path file;
  private final long number;
  private final Seal seal;
  private final long state;
  private final List<Block> blocks = new ArrayList<>();
  private long end;

  /**
   * @param start place in the file
   * @param end place after it
   * @param places where those of the buckets stand, counted as all that follows from the start of
   *     the block: of each its start and its length
   * @param buckets how many
   * @param ranges what is covered, by class
   */
  record Block(
      long start, long end, long places, int buckets, Map<StreamClass, SeriesBlock.Range> ranges) {}

  private SeriesFile(Path file, long number, Seal seal, long state) {
    this.file = file;
    this.number = number;
    this.seal = seal;
    this.state = state;
  }

  /**
   * Takes over the file of a segment, if there is one; what a crash left half written is passed
   * over.
   *
   * @param seal of the segment
   * @param state of the segment; blocks of another one are of rows that now read otherwise
   * @throws DamagedException if it can't be relied on
   */
  static SeriesFile open(Path file, long number, Seal seal, long state)
      throws IOException, DamagedException {
    SeriesFile series = new SeriesFile(file, number, seal, state);
    if (Files.isRegularFile(file)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        series.load(channel);
      }
    }
    return series;
  }

  private void load(FileChannel channel) throws IOException, DamagedException {
    long size = channel.size();
    while (size - bytes() >= HEADER) {
      ByteReader header;
      try {
        header = new ByteReader(RowCodec.unseal(read(channel, end, HEADER)));
      } catch (DamagedException e) {
        // The last one was not finished.
        return;
      }
      if (header.i64() != MAGIC) {
        throw new DamagedException("Block of another version at byte " + end);
      }
      long length = header.i64();
      long index = header.i64();
      int indexLength = header.i32();
      if (length > size - end) {
        return;
      }
      if (length < HEADER || index < 0 || indexLength < 0 || indexLength > MAX_INDEX) {
        throw new DamagedException("Block of " + length + " bytes at byte " + end);
      }
      add(index(open(read(channel, end + index, indexLength), end + index), end, end + length));
    }
  }

  private Block index(byte[] bytes, long start, long end) throws DamagedException {
    ByteReader in = new ByteReader(bytes);
    if (in.i64() != state) {
      throw new DamagedException("Of rows that now read otherwise");
    }
    long places = in.varint();
    int buckets = in.small(MAX_BUCKETS);
    if (buckets == 0) {
      throw new DamagedException("Block without buckets");
    }
    Map<StreamClass, SeriesBlock.Range> ranges = new EnumMap<>(StreamClass.class);
    for (int count = in.small(CLASSES.length); count > 0; count--) {
      StreamClass streamClass = CLASSES[in.small(CLASSES.length - 1)];
      long first = in.varint();
      ranges.put(
          streamClass,
          new SeriesBlock.Range(streamClass, first, first + in.varint(), in.signed(), in.signed()));
    }
    return new Block(start, end, places, buckets, ranges);
  }

  /** Those that are whole. */
  synchronized List<Block> blocks() {
    return List.copyOf(blocks);
  }

  /** Size on disk. */
  synchronized long bytes() {
    return end;
  }

  /** Counts a block to the file that was written to its end. */
  synchronized void add(Block block) {
    blocks.add(block);
    end = block.end();
  }

  /**
   * Writes a block to the end, to be {@linkplain #add added}. On a failure the file is as before.
   */
  Block write(SeriesBlock content) throws IOException {
    long start = bytes();
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      try {
        // Of a block that a crash left half written.
        channel.truncate(start);
        return write(channel, start, content);
      } catch (IOException e) {
        channel.truncate(start);
        throw e;
      }
    }
  }

  private Block write(FileChannel channel, long start, SeriesBlock content) throws IOException {
    Appender out = new Appender(channel, start + HEADER);
    int buckets = (int) Math.min(MAX_BUCKETS, 1 + content.bytes() / BUCKET_BYTES);
    List<List<Named>> byBucket = new ArrayList<>(buckets);
    for (int i = 0; i < buckets; i++) {
      byBucket.add(new ArrayList<>(4));
    }
    for (StreamClass streamClass : CLASSES) {
      content.forEach(
          streamClass,
          (id, device) ->
              byBucket
                  .get(bucketOf(streamClass, id, buckets))
                  .add(new Named(streamClass, id, device)));
    }
    ByteWriter places = new ByteWriter(8 * buckets);
    for (int i = 0; i < buckets; i++) {
      byte[] bucket = bucket(i, byBucket.get(i), out);
      byte[] sealed = seal.close(bucket, place(out.at()));
      places.i32((int) (out.at() - start));
      places.i32(sealed.length);
      out.write(sealed);
    }
    long placesAt = out.at() - start;
    out.write(places.toBytes());
    ByteWriter index = new ByteWriter();
    index.i64(state);
    index.varint(placesAt);
    index.varint(buckets);
    Map<StreamClass, SeriesBlock.Range> ranges = content.ranges();
    index.varint(ranges.size());
    ranges.forEach(
        (streamClass, range) -> {
          index.varint(streamClass.ordinal());
          index.varint(range.first());
          index.varint(range.end() - range.first());
          index.signed(range.from());
          index.signed(range.to());
        });
    long indexAt = out.at();
    byte[] sealedIndex = seal.close(index.toBytes(), place(indexAt));
    out.write(sealedIndex);
    ByteWriter header = new ByteWriter();
    header.i64(MAGIC);
    header.i64(out.at() - start);
    header.i64(indexAt - start);
    header.i32(sealedIndex.length);
    out.flush();
    write(channel, ByteBuffer.wrap(RowCodec.seal(header.toBytes())), start);
    return new Block(start, out.at(), placesAt, buckets, ranges);
  }

  private record Named(StreamClass streamClass, String id, SeriesDevice device) {}

  /** A bucket's bytes, packed; columns that stand by themselves are written at once. */
  private byte[] bucket(int number, List<Named> devices, Appender out) throws IOException {
    ByteWriter bucket = new ByteWriter(BUCKET_BYTES);
    bucket.varint(number);
    bucket.varint(devices.size());
    for (Named named : devices) {
      bucket.u8(named.streamClass().ordinal());
      bucket.text(named.id());
      bucket.block(named.device().axis());
      boolean apart = named.device().bytes() > APART_BYTES;
      Map<String, byte[]> columns = named.device().columns();
      bucket.varint(columns.size());
      for (Map.Entry<String, byte[]> column : columns.entrySet()) {
        bucket.text(column.getKey());
        bucket.u8(apart ? 1 : 0);
        if (apart) {
          bucket.varint(out.at());
          byte[] sealed = seal.close(RowCodec.pack(column.getValue()), place(out.at()));
          bucket.varint(sealed.length);
          out.write(sealed);
        } else {
          bucket.block(column.getValue());
        }
      }
    }
    return RowCodec.pack(bucket.toBytes());
  }

  /** The file, for {@link #chunk}. */
  FileChannel reader() throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ);
  }

  /**
   * A point's readings of a block; {@code null} if there are none.
   *
   * @throws DamagedException if the file is not what was written
   * @throws IOException if it can't be read just now
   */
  SeriesChunk chunk(
      FileChannel channel, Block block, StreamClass streamClass, String device, String point)
      throws IOException, DamagedException {
    int number = bucketOf(streamClass, device, block.buckets());
    ByteReader places =
        new ByteReader(read(channel, block.start() + block.places() + 8L * number, 8));
    int from = places.i32();
    int bytes = places.i32();
    if (from < HEADER || bytes < 0 || bytes > block.places() - from) {
      throw new DamagedException("Bucket of " + bytes + " bytes at byte " + from);
    }
    long start = block.start() + from;
    ByteReader in = new ByteReader(RowCodec.unpack(open(read(channel, start, bytes), start)));
    if (in.varint() != number) {
      throw new DamagedException("Another bucket where " + number + " is due");
    }
    for (int devices = in.count(); devices > 0; devices--) {
      boolean searched = in.u8() == streamClass.ordinal();
      searched &= in.text().equals(device);
      if (!searched) {
        skip(in);
        continue;
      }
      byte[] axis = in.block();
      for (int columns = in.count(); columns > 0; columns--) {
        boolean found = in.text().equals(point);
        if (in.u8() == 0) {
          ByteReader column = in.part();
          if (found) {
            return new SeriesChunk(streamClass, device, point, axis, column.rest());
          }
        } else {
          long at = in.varint();
          int length = in.small(RowCodec.MAX_UNPACKED);
          if (found) {
            byte[] column = RowCodec.unpack(open(read(channel, at, length), at));
            return new SeriesChunk(streamClass, device, point, axis, column);
          }
        }
      }
      return null;
    }
    return null;
  }

  private static void skip(ByteReader in) throws DamagedException {
    in.part();
    for (int columns = in.count(); columns > 0; columns--) {
      in.text();
      if (in.u8() == 0) {
        in.part();
      } else {
        in.varint();
        in.varint();
      }
    }
  }

  /** Takes the file away; reads under way end as they began or find it damaged. */
  void delete() throws IOException {
    Files.deleteIfExists(file);
  }

  long number() {
    return number;
  }

  /** State of the segment that this is of. */
  long state() {
    return state;
  }

  /** Of what {@link String#hashCode} says, every bit in each. */
  private static int bucketOf(StreamClass streamClass, String device, int buckets) {
    int hash = 31 * device.hashCode() + streamClass.ordinal();
    hash = (hash ^ hash >>> 16) * 0x85ebca6b;
    hash = (hash ^ hash >>> 13) * 0xc2b2ae35;
    return Integer.remainderUnsigned(hash ^ hash >>> 16, buckets);
  }

  private byte[] open(byte[] sealed, long at) throws DamagedException {
    return seal.open(sealed, place(at));
  }

  /** Negative, so that it is none of a row's. */
  private long place(long at) {
    return ~(number << 34 | at);
  }

  private static byte[] read(FileChannel channel, long at, int length)
      throws IOException, DamagedException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (at < 0 || channel.read(bytes, at + bytes.position()) < 0) {
        throw new DamagedException("Ends before byte " + (at + length));
      }
    }
    return bytes.array();
  }

  private static void write(FileChannel channel, ByteBuffer bytes, long at) throws IOException {
    long place = at;
    while (bytes.hasRemaining()) {
      place += channel.write(bytes, place);
    }
  }

  /** Writes one after the other, in larger pieces. */
  private static final class Appender {
    private final FileChannel channel;
    private final ByteBuffer gathered = ByteBuffer.allocate(64 << 10);
    private long at;

    Appender(FileChannel channel, long at) {
      this.channel = channel;
      this.at = at;
    }

    /** Where the next bytes will stand. */
    long at() {
      return at;
    }

    void write(byte[] bytes) throws IOException {
      if (bytes.length > gathered.remaining()) {
        flush();
      }
      if (bytes.length > gathered.capacity()) {
        SeriesFile.write(channel, ByteBuffer.wrap(bytes), at);
      } else {
        gathered.put(bytes);
      }
      at += bytes.length;
    }

    void flush() throws IOException {
      gathered.flip();
      int length = gathered.remaining();
      SeriesFile.write(channel, gathered, at - length);
      gathered.clear();
    }
  }
}
