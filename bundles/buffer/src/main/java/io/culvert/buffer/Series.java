package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log's readings once more, by device and point: so that one point's day is found without
 * unpacking all that was committed with it. Each segment has a {@link SeriesFile}; the newest rows
 * are gathered in memory. All of it comes from the rows and can be made again from them: what isn't
 * here, can't be read or can't be written is looked up there.
 *
 * <p>Grows on a thread of its own, in slices, with as long a pause after each. Asked from any.
 */
final class Series implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Series.class);
  private static final Pattern FILE = Pattern.compile("series-(\\d{10})\\.dat");
  private static final StreamClass[] CLASSES = StreamClass.values();
  private static final Duration TICK = Duration.ofSeconds(1);
  private static final Duration SLICE = Duration.ofMillis(20);

  /** What is in memory longer goes to disk, so that a start finds little to make again. */
  private static final long MAX_GATHERED = Duration.ofMinutes(30).toMillis();

  /** Between attempts while the disk refuses. */
  private static final Duration REFUSED = Duration.ofMinutes(5);

  private final Path directory;
  private final Machine machine;
  private final LongSupplier nanos;
  private final Map<Long, Part> parts = new ConcurrentHashMap<>();

  /** Segments whose series were damaged once, and those that go without in this run. */
  private final Set<Long> damaged = ConcurrentHashMap.newKeySet();

  private final Set<Long> without = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;
  private Loop loop;

  /** Of the loop. */
  private boolean refused;

  private long retryAt;

  /** One segment's. */
  private static final class Part {
    private final SeriesFile file;
    private final long[] next = new long[CLASSES.length];

    /** What follows the file's last block, and since when by the store's elapsed time. */
    private SeriesBlock gathered = new SeriesBlock();

    private long since;

    Part(SeriesFile file) {
      this.file = file;
      for (SeriesFile.Block block : file.blocks()) {
        block.ranges().values().forEach(range -> goOn(range.streamClass(), range.end()));
      }
    }

    void goOn(StreamClass streamClass, long position) {
      next[streamClass.ordinal()] = Math.max(next[streamClass.ordinal()], position);
    }
  }

  /**
   * What there is of one class of a segment at a moment. All else stands in its rows only.
   *
   * @param file to read blocks from; {@code null} if there is none
   * @param blocks those that cover some of it, in the order of their positions
   * @param gathered covered in memory, {@code null} if nothing is
   * @param block that holds it
   * @param chunk what that holds of the point asked for, {@code null} if nothing
   */
  record View(
      SeriesFile file,
      List<SeriesFile.Block> blocks,
      SeriesBlock.Range gathered,
      SeriesBlock block,
      SeriesChunk chunk) {
    static final View NOTHING = new View(null, List.of(), null, null, null);
  }

  /**
   * @param nanos time that only runs forward
   */
  Series(Path directory, Machine machine, LongSupplier nanos) {
    this.directory = directory;
    this.machine = machine;
    this.nanos = nanos;
  }

  /** Takes over the files of the segments given and deletes others. Never fails. */
  void open(Iterable<Segment> segments) {
    Set<Long> wanted = new HashSet<>();
    segments.forEach(segment -> wanted.add(segment.number()));
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "series-*.dat")) {
      for (Path file : files) {
        Matcher matcher = FILE.matcher(file.getFileName().toString());
        if (matcher.matches() && !wanted.contains(Long.parseLong(matcher.group(1)))) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      LOG.warn("{} may hold series of segments that are gone", directory, e);
    }
    for (Segment segment : segments) {
      Part part = open(segment);
      if (part != null && within(part, segment)) {
        parts.put(segment.number(), part);
      } else {
        forget(segment.number());
      }
    }
  }

  private Part open(Segment segment) {
    Path file = file(segment.number());
    Seal seal = segment.encrypted() ? machine.key() : Seal.PLAIN;
    try {
      return new Part(SeriesFile.open(file, segment.number(), seal, segment.state()));
    } catch (DamagedException e) {
      LOG.info("{} is made again from its segment: {}", file, e.getMessage());
    } catch (IOException e) {
      LOG.warn("{} can't be read", file, e);
    }
    return null;
  }

  private Path file(long number) {
    return directory.resolve(String.format("series-%010d.dat", number));
  }

  /** Whether it is of these very positions, not of a lost file with the same number. */
  private static boolean within(Part part, Segment segment) {
    for (SeriesFile.Block block : part.file.blocks()) {
      for (SeriesBlock.Range range : block.ranges().values()) {
        Segment.Span span = segment.span(range.streamClass());
        if (range.first() < span.first() || range.end() > span.end()) {
          return false;
        }
      }
    }
    return true;
  }

  /** Begins to grow, on a loop that it closes in the end. */
  void begin(Store store, Loop own) {
    loop = own;
    loop.execute(() -> grow(store));
  }

  private void grow(Store store) {
    boolean more = false;
    try {
      more = advance(store);
    } finally {
      loop.schedule(() -> grow(store), more ? SLICE : TICK);
    }
  }

  /**
   * Takes in what was committed since, the newest segment first, for little longer than a slice.
   *
   * @return whether there is more to do
   */
  boolean advance(Store store) {
    long until = nanos.getAsLong() + SLICE.toNanos();
    if (refused && retryAt - nanos.getAsLong() > 0) {
      return false;
    }
    List<Segment> segments = store.segments();
    try {
      for (int i = segments.size() - 1; i >= 0; i--) {
        if (!advance(segments.get(i), store, until)) {
          return !closed;
        }
      }
      if (refused) {
        refused = false;
        LOG.info("Series grow again");
      }
    } catch (IOException | RuntimeException e) {
      if (!refused) {
        LOG.warn("Series can't grow; queries take longer, nothing else is amiss", e);
      }
      refused = true;
      retryAt = nanos.getAsLong() + REFUSED.toNanos();
    }
    return false;
  }

  /** Takes in a segment's rows; false if the time is over before. */
  private boolean advance(Segment segment, Store store, long until) throws IOException {
    if (without.contains(segment.number())) {
      return true;
    }
    Part part = parts.get(segment.number());
    if (part != null && part.file.state() != segment.state()) {
      forget(segment.number());
      part = null;
    }
    if (part == null) {
      part = begin(segment, store);
    }
    if (part == null) {
      return true;
    }
    // Before the rows are looked at: a sealed one gets no more.
    boolean sealed = segment.sealed();
    for (StreamClass streamClass : CLASSES) {
      Segment.Span span = segment.span(streamClass);
      long end = Math.min(span.end(), store.next(streamClass));
      part.goOn(streamClass, Math.min(span.first(), end));
      while (part.next[streamClass.ordinal()] < end) {
        if (closed || until - nanos.getAsLong() < 0) {
          return false;
        }
        take(part, store, streamClass);
      }
    }
    if (!part.gathered.isEmpty() && (sealed || store.elapsed() - part.since >= MAX_GATHERED)) {
      write(part);
    }
    return true;
  }

  /** {@code null} if there can be none. */
  private Part begin(Segment segment, Store store) {
    Part part = open(segment);
    if (part == null) {
      without.add(segment.number());
      return null;
    }
    synchronized (this) {
      // One that is deleted now is forgotten after this.
      if (!store.segments().contains(segment)) {
        return null;
      }
      parts.put(segment.number(), part);
      return part;
    }
  }

  private void take(Part part, Store store, StreamClass streamClass) throws IOException {
    Found found = store.read(streamClass, part.next[streamClass.ordinal()]);
    if (found instanceof Found.Whole whole) {
      if (!part.gathered.continues(whole.row().head())) {
        write(part);
      }
      synchronized (part) {
        if (part.gathered.isEmpty()) {
          part.since = store.elapsed();
        }
        part.gathered.add(whole.row());
        part.goOn(streamClass, whole.row().head().end());
      }
      if (part.gathered.full()) {
        write(part);
      }
    } else if (found instanceof Found.Damaged hole) {
      part.goOn(streamClass, hole.end());
    } else {
      // Deleted meanwhile.
      part.goOn(streamClass, Long.MAX_VALUE);
    }
  }

  private void write(Part part) throws IOException {
    SeriesFile.Block written;
    try {
      written = part.file.write(part.gathered);
    } catch (IOException e) {
      // Later from the rows: memory is bounded.
      parts.remove(part.file.number(), part);
      throw e;
    }
    synchronized (this) {
      if (parts.get(part.file.number()) == part) {
        synchronized (part) {
          part.file.add(written);
          part.gathered = new SeriesBlock();
        }
      } else {
        // Forgotten meanwhile, and now it came back.
        part.file.delete();
        part.gathered = new SeriesBlock();
      }
    }
  }

  /**
   * Drops what there is of a segment, at once: it was deleted, or cut. If it is still there, it is
   * taken in anew.
   */
  synchronized void forget(long number) {
    parts.remove(number);
    try {
      Files.deleteIfExists(file(number));
    } catch (IOException e) {
      LOG.warn("Series of segment {} can't be deleted", number, e);
      without.add(number);
    }
  }

  /** Bytes on disk. */
  long bytes() {
    long sum = 0;
    for (Part part : parts.values()) {
      sum += part.file.bytes();
    }
    return sum;
  }

  /**
   * What there is of one class of a segment.
   *
   * @param device whose chunk is wanted, {@code null} for none
   * @param point and of which point
   */
  View view(Segment segment, StreamClass streamClass, String device, String point) {
    Part part = parts.get(segment.number());
    if (part == null || part.file.state() != segment.state()) {
      return View.NOTHING;
    }
    synchronized (part) {
      List<SeriesFile.Block> blocks = new ArrayList<>();
      for (SeriesFile.Block block : part.file.blocks()) {
        if (block.ranges().containsKey(streamClass)) {
          blocks.add(block);
        }
      }
      // The range and the chunk at one moment: the thread that gathers doesn't wait.
      synchronized (part.gathered) {
        SeriesBlock.Range gathered = part.gathered.ranges().get(streamClass);
        return new View(
            part.file,
            blocks,
            gathered,
            part.gathered,
            gathered == null || device == null
                ? null
                : part.gathered.chunk(streamClass, device, point));
      }
    }
  }

  /** Tells that a file isn't what was written: it goes and is made again, once. */
  void damaged(SeriesFile file, DamagedException e) {
    synchronized (this) {
      Part part = parts.get(file.number());
      if (part == null || part.file != file) {
        return;
      }
      LOG.warn("Series of segment {} are damaged; its rows are read", file.number(), e);
      forget(file.number());
      if (!damaged.add(file.number())) {
        without.add(file.number());
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    if (loop != null) {
      loop.close();
    }
  }
}
