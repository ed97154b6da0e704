package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log: one sequence of positions each class, in segment files.
 *
 * <p>What is synced when: {@link #append} returns after the commit of all its rows was synced; a
 * new file and its directory entry are synced before the first row goes in; a sealed file is synced
 * whole. Written by one thread; reads come from any.
 */
final class Store implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Store.class);
  private static final Pattern FILE = Pattern.compile("segment-(\\d{10})\\.db");
  private static final String DAMAGED = ".damaged";
  private static final StreamClass[] CLASSES = StreamClass.values();

  /** Bound on a row before packing. */
  private static final int ROW_BYTES = 512 << 10;

  /**
   * Left free after damage at the end of the log, in positions and sequence numbers: what stood
   * there may have been sent, and no number is given twice.
   */
  private static final long JUMP = 1 << 20;

  private static final int RECENT_READINGS = 32_768;

  /** Bound on files open for reading. */
  private static final int OPEN_READERS = 8;

  private final Path directory;
  private final Machine machine;
  private final LongSupplier nanos;
  private final Supplier<Settings> settings;
  private final Recent recent = new Recent(RECENT_READINGS);
  private final ConcurrentSkipListMap<Long, Segment> segments = new ConcurrentSkipListMap<>();
  private final ArrayDeque<Segment> readers = new ArrayDeque<>();
  private final Map<String, long[]> sequences = new HashMap<>();
  private final long startNanos;
  private volatile long[] next = new long[CLASSES.length];
  private long startElapsed;
  private volatile long damagedBytes;
  private Segment active;
  private Past past = Past.NONE;

  /**
   * What the log tells of the run before.
   *
   * @param readings whether there are any
   * @param newest latest {@code receivedTime} of its last commit, in milliseconds since 1970
   * @param rate readings a second in its last minute
   * @param ends by class, the position after the last that was ever committed, as far as known
   * @param lost positions at the end of a class that were committed and are not there any more
   */
  record Past(
      boolean readings, long newest, double rate, long[] ends, Map<StreamClass, long[]> lost) {
    static final Past NONE = new Past(false, 0, 0, new long[CLASSES.length], Map.of());
  }

  private Store(Path directory, Supplier<Settings> settings, Machine machine, LongSupplier nanos) {
    this.directory = directory;
    this.settings = settings;
    this.machine = machine;
    this.nanos = nanos;
    this.startNanos = nanos.getAsLong();
  }

  /**
   * Opens the log, whatever state it is in; files that can't be read are set aside.
   *
   * @param known next position of each class as another file remembers it; zeros if none does. The
   *     log's own knowledge goes before, unless it ends earlier
   */
  static Store open(
      Path directory,
      Supplier<Settings> settings,
      Machine machine,
      LongSupplier nanos,
      long[] known)
      throws IOException {
    Store store = new Store(directory, settings, machine, nanos);
    store.recover(known);
    return store;
  }

  private void recover(long[] known) throws IOException {
    TreeMap<Long, Path> files = new TreeMap<>();
    try (DirectoryStream<Path> listed = Files.newDirectoryStream(directory, "segment-*.db")) {
      for (Path file : listed) {
        Matcher matcher = FILE.matcher(file.getFileName().toString());
        if (matcher.matches()) {
          files.put(Long.parseLong(matcher.group(1)), file);
        }
      }
    }
    boolean tailDamaged = false;
    for (Map.Entry<Long, Path> file : files.entrySet()) {
      try {
        Segment segment = Segment.open(file.getValue(), file.getKey(), machine);
        segment.closeReader();
        segments.put(file.getKey(), segment);
        tailDamaged = false;
      } catch (SQLException e) {
        tailDamaged = true;
        setAside(file.getValue(), e);
      }
    }
    tailDamaged |= !recoverTail();
    Map<StreamClass, long[]> lost = new EnumMap<>(StreamClass.class);
    long[] heads = next;
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      if (known[c] > heads[c]) {
        lost.put(streamClass, new long[] {heads[c], known[c]});
        heads[c] = known[c];
        tailDamaged = true;
      }
    }
    past = new Past(past.readings(), past.newest(), past.rate(), heads.clone(), lost);
    if (tailDamaged) {
      LOG.warn(
          "The end of the log in {} is damaged; positions and sequence numbers go on {} further",
          directory,
          JUMP);
      for (int c = 0; c < heads.length; c++) {
        heads[c] += JUMP;
        for (long[] sequence : sequences.values()) {
          sequence[c] += JUMP;
        }
      }
    }
    next = heads;
    Segment last = segments.isEmpty() ? null : segments.lastEntry().getValue();
    if (last != null && !last.sealed() && !tailDamaged) {
      active = last;
    }
  }

  private void setAside(Path file, SQLException e) throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + DAMAGED);
    LOG.error("{} can't be read and is set aside as {}", file, aside.getFileName(), e);
    Files.move(file, aside);
    Path log = file.resolveSibling(file.getFileName() + "-wal");
    if (Files.exists(log)) {
      Files.move(log, log.resolveSibling(log.getFileName() + DAMAGED));
    }
    Files.deleteIfExists(file.resolveSibling(file.getFileName() + "-shm"));
  }

  /** Takes positions and sequence numbers from the newest file; false if it is damaged. */
  private boolean recoverTail() {
    if (segments.isEmpty()) {
      return true;
    }
    Segment tail = segments.lastEntry().getValue();
    boolean[] whole = {true};
    long[] heads = new long[CLASSES.length];
    List<RowHead> lastMinute = new ArrayList<>();
    try {
      System.arraycopy(tail.positionsAtStart(), 0, heads, 0, heads.length);
      sequences.putAll(tail.sequencesAtStart());
      tail.forEachHead(
          0,
          head -> {
            int c = head.streamClass().ordinal();
            heads[c] = Math.max(heads[c], head.end());
            for (RowHead.Part part : head.streams()) {
              long[] sequence = sequences.computeIfAbsent(part.device(), d -> Segment.ones());
              sequence[c] = Math.max(sequence[c], part.sequence() + part.count());
            }
            lastMinute.add(head);
            long newest = lastMinute.stream().mapToLong(RowHead::elapsed).max().orElse(0);
            lastMinute.removeIf(h -> h.elapsed() < newest - 60_000);
          },
          damaged -> whole[0] = false);
    } catch (SQLException e) {
      LOG.error("{} is damaged", tail.file(), e);
      whole[0] = false;
    }
    for (Segment segment : segments.values()) {
      for (StreamClass streamClass : CLASSES) {
        Segment.Span span = segment.span(streamClass);
        heads[streamClass.ordinal()] = Math.max(heads[streamClass.ordinal()], span.end());
      }
    }
    tail.closeReader();
    next = heads;
    startElapsed = tail.elapsed();
    if (!lastMinute.isEmpty()) {
      RowHead last = lastMinute.get(0);
      long earliest = Long.MAX_VALUE;
      long count = 0;
      for (RowHead head : lastMinute) {
        last = head.elapsed() >= last.elapsed() ? head : last;
        earliest = Math.min(earliest, head.elapsed());
        count += head.count();
      }
      double seconds = Math.max(1, (last.elapsed() - earliest) / 1000.0);
      past = new Past(true, last.newest(), count / seconds, past.ends(), past.lost());
      // The only witness of the time in between is the clock; one set back is not believed.
      startElapsed += Math.max(0, machine.clock().millis() - last.committed());
    }
    return whole[0];
  }

  /**
   * Commits readings, in the order given, together. They are on disk and synced on return.
   *
   * @throws IOException if the disk refuses; then nothing of them is in the log
   */
  List<Row> append(List<Reading> readings) throws IOException {
    boolean done = false;
    try {
      prepareSegment();
      List<RowHead> heads = new ArrayList<>();
      List<List<Reading>> bodies = new ArrayList<>();
      long[] positions = next.clone();
      Map<String, long[]> grown = number(readings, positions, heads, bodies);
      active.append(heads, bodies);
      done = true;
      sequences.putAll(grown);
      List<Row> rows = new ArrayList<>(heads.size());
      for (int i = 0; i < heads.size(); i++) {
        Row row = new Row(heads.get(i), entries(heads.get(i), bodies.get(i)));
        rows.add(row);
        recent.add(row);
      }
      next = positions;
      return rows;
    } catch (SQLException e) {
      throw new IOException("Can't write to " + directory + ": " + e.getMessage(), e);
    } finally {
      if (!done && active != null) {
        // What it may have half done goes when it is opened again.
        active.closeWriter();
      }
    }
  }

  /** Divides readings into rows; advances {@code positions} and returns the streams' numbers. */
  private Map<String, long[]> number(
      List<Reading> readings, long[] positions, List<RowHead> heads, List<List<Reading>> bodies) {
    long now = machine.clock().millis();
    long elapsed = elapsed();
    long newest =
        readings.stream()
            .mapToLong(reading -> RowHead.floorMillis(reading.receivedTime()))
            .max()
            .orElse(now);
    Map<StreamClass, List<Reading>> byClass = new EnumMap<>(StreamClass.class);
    for (Reading reading : readings) {
      byClass.computeIfAbsent(reading.streamClass(), c -> new ArrayList<>()).add(reading);
    }
    Map<String, long[]> grown = new HashMap<>();
    byClass.forEach(
        (streamClass, ofClass) -> {
          int c = streamClass.ordinal();
          for (List<Reading> body : rows(ofClass)) {
            RowHead head =
                RowHead.of(
                    streamClass,
                    positions[c],
                    now,
                    newest,
                    elapsed,
                    body,
                    device ->
                        grown
                            .computeIfAbsent(
                                device, d -> sequences.getOrDefault(d, Segment.ones()).clone())[c]);
            for (RowHead.Part part : head.streams()) {
              grown.get(part.device())[c] += part.count();
            }
            positions[c] = head.end();
            heads.add(head);
            bodies.add(body);
          }
        });
    return grown;
  }

  private static List<List<Reading>> rows(List<Reading> readings) {
    List<List<Reading>> rows = new ArrayList<>(1);
    int from = 0;
    long size = 0;
    for (int i = 0; i < readings.size(); i++) {
      int more = Weight.of(readings.get(i));
      if (i > from && (size + more > ROW_BYTES || i - from == RowHead.MAX_READINGS)) {
        rows.add(readings.subList(from, i));
        from = i;
        size = 0;
      }
      size += more;
    }
    rows.add(readings.subList(from, readings.size()));
    return rows;
  }

  private static List<Batch.Entry> entries(RowHead head, List<Reading> readings) {
    Map<String, long[]> sequence = new HashMap<>();
    head.streams().forEach(p -> sequence.put(p.device(), new long[] {p.sequence()}));
    List<Batch.Entry> entries = new ArrayList<>(readings.size());
    String device = null;
    long[] next = null;
    for (Reading reading : readings) {
      if (!reading.device().equals(device)) {
        device = reading.device();
        next = sequence.get(device);
      }
      entries.add(new Batch.Entry(next[0]++, reading));
    }
    return entries;
  }

  private void prepareSegment() throws SQLException, IOException {
    Settings now = settings.get();
    if (active != null && !active.writable()) {
      active.resume(next);
    }
    if (active != null
        && !active.isEmpty()
        && (active.bytes() >= now.segmentBytes()
            || elapsed() - active.created() >= now.segmentSpan().toMillis())) {
      active.seal();
      active = null;
    }
    if (active == null) {
      long number = segments.isEmpty() ? 1 : segments.lastKey() + 1;
      active = Segment.create(directory, number, machine, elapsed(), next, sequences);
      segments.put(number, active);
    }
  }

  /** What stands at a position; from memory if it is recent, else from disk. */
  Found read(StreamClass streamClass, long position) throws IOException {
    Row row = recent.find(streamClass, position);
    if (row != null) {
      return new Found.Whole(row);
    }
    if (position >= next(streamClass)) {
      return new Found.Gone();
    }
    long after = next(streamClass);
    for (Segment segment : segments.values()) {
      Segment.Span span = segment.span(streamClass);
      if (!span.isEmpty() && position >= span.first() && position < span.end()) {
        opened(segment);
        return segment.read(streamClass, position);
      }
      if (!span.isEmpty() && span.first() > position) {
        after = Math.min(after, span.first());
      }
    }
    return new Found.Damaged(position, after, null, "the file that held them is missing");
  }

  /** Gives back the reading connection of the file that was read the longest ago. */
  private void opened(Segment segment) {
    Segment oldest = null;
    synchronized (readers) {
      readers.remove(segment);
      readers.add(segment);
      if (readers.size() > OPEN_READERS) {
        oldest = readers.remove();
      }
    }
    if (oldest != null) {
      oldest.closeReader();
    }
  }

  /** Whether a file that spans a position is there. */
  boolean holds(StreamClass streamClass, long position) {
    for (Segment segment : segments.values()) {
      Segment.Span span = segment.span(streamClass);
      if (position >= span.first() && position < span.end()) {
        return true;
      }
    }
    return false;
  }

  /** The clock's time in milliseconds since 1970. */
  long now() {
    return machine.clock().millis();
  }

  /** The position that the next reading of a class gets. */
  long next(StreamClass streamClass) {
    return next[streamClass.ordinal()];
  }

  /** Oldest first. */
  List<Segment> segments() {
    return List.copyOf(segments.values());
  }

  /** Unlinks a sealed segment. */
  void delete(Segment segment) throws IOException {
    segments.remove(segment.number());
    synchronized (readers) {
      readers.remove(segment);
    }
    segment.delete();
  }

  /** Files that couldn't be read and were set aside, the oldest first. */
  List<Path> damaged() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(DAMAGED))
          .sorted(Comparator.comparingLong(file -> file.toFile().lastModified()))
          .toList();
    }
  }

  /** Counts files that were set aside to {@link #bytes}. */
  void count(List<Path> damaged) {
    damagedBytes = damaged.stream().mapToLong(file -> file.toFile().length()).sum();
  }

  long bytes() {
    long sum = damagedBytes;
    for (Segment segment : segments.values()) {
      sum += segment.bytes();
    }
    return sum;
  }

  /**
   * Milliseconds that this store has lived. Runs with the machine's monotonic time; only what
   * passed between two runs is taken from the clock. A clock that is set expires nothing.
   */
  long elapsed() {
    return startElapsed + (nanos.getAsLong() - startNanos) / 1_000_000;
  }

  Past past() {
    return past;
  }

  @Override
  public void close() {
    segments.values().forEach(Segment::close);
  }
}
