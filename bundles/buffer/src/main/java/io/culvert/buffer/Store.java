package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
  static final long JUMP = 1 << 20;

  /** In place of a device: where the numbers of one begin that isn't known. */
  private static final String UNKNOWN = "";

  private static final int RECENT_READINGS = 32_768;

  /** Bound on files open for reading. */
  private static final int OPEN_READERS = 8;

  private final Path directory;
  private final Machine machine;
  private final Timeline timeline;
  private final LongSupplier nanos;
  private final Supplier<Settings> settings;
  private final Series series;
  private final Recent recent = new Recent(RECENT_READINGS);
  private final ConcurrentSkipListMap<Long, Segment> segments = new ConcurrentSkipListMap<>();
  private final ArrayDeque<Segment> readers = new ArrayDeque<>();
  private final Map<String, long[]> sequences = new HashMap<>();
  private final long startNanos;

  /** Whether files are only looked at; those that can't be read then stay where they are. */
  private final boolean readOnly;

  private final List<Path> unreadable = new ArrayList<>();
  private volatile long[] next = new long[CLASSES.length];
  private long startElapsed;
  private volatile long damagedBytes;
  private volatile int changes;
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

  private Store(
      Path directory,
      Supplier<Settings> settings,
      Machine machine,
      LongSupplier nanos,
      boolean readOnly)
      throws IOException {
    this.readOnly = readOnly;
    this.directory = directory;
    this.settings = settings;
    this.machine = machine;
    this.timeline =
        readOnly
            ? Timeline.openToRead(directory, machine.bootNumber())
            : Timeline.open(directory, machine.bootNumber());
    this.nanos = nanos;
    this.startNanos = nanos.getAsLong();
    this.series = new Series(directory, machine, nanos);
  }

  /**
   * Opens the log, whatever state it is in; files that can't be read are set aside.
   *
   * @param known next position of each class as another file remembers it; zeros if none does. The
   *     log's own knowledge goes before, unless it ends earlier
   * @param cuts by number of a segment, what was decided to take out of it: see {@link Cut}
   */
  static Store open(
      Path directory,
      Supplier<Settings> settings,
      Machine machine,
      LongSupplier nanos,
      long[] known,
      Map<Long, Integer> cuts)
      throws IOException {
    Store store = new Store(directory, settings, machine, nanos, false);
    store.finishCuts(cuts);
    store.recover(known);
    store.series.open(store.segments());
    return store;
  }

  /**
   * Opens the log to look at it. What can't be read counts as {@link #damaged} and stays where it
   * is; nothing may be appended or deleted.
   */
  static Store openToRead(
      Path directory,
      Supplier<Settings> settings,
      Machine machine,
      LongSupplier nanos,
      long[] known)
      throws IOException {
    Store store = new Store(directory, settings, machine, nanos, true);
    store.recover(known);
    return store;
  }

  /** What a crash interrupted: done if it was decided, undone if not. */
  private void finishCuts(Map<Long, Integer> cuts) throws IOException {
    try (DirectoryStream<Path> listed = Files.newDirectoryStream(directory, "segment-*.db.new")) {
      for (Path beside : listed) {
        String name = beside.getFileName().toString();
        Path file = beside.resolveSibling(name.substring(0, name.length() - ".new".length()));
        Matcher matcher = FILE.matcher(file.getFileName().toString());
        boolean decided = matcher.matches() && cuts.containsKey(Long.parseLong(matcher.group(1)));
        if (decided && Files.exists(file)) {
          Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } else {
          Files.delete(beside);
        }
      }
    }
    Sqlite.syncDirectory(directory);
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
    Map<Path, Segment.WrongKeyException> locked = new LinkedHashMap<>();
    boolean unlocked = false;
    Path unfinished = null;
    for (Map.Entry<Long, Path> file : files.entrySet()) {
      try {
        Segment segment = Segment.open(file.getValue(), file.getKey(), machine, timeline);
        if (segment == null && file.getKey().equals(files.lastKey())) {
          unfinished = file.getValue();
          continue;
        }
        if (segment == null) {
          throw new SQLException("There is nothing in it");
        }
        segment.closeReader();
        segments.put(file.getKey(), segment);
        unlocked |= segment.encrypted();
        tailDamaged = false;
      } catch (Segment.WrongKeyException e) {
        tailDamaged = true;
        locked.put(file.getValue(), e);
      } catch (SQLException e) {
        tailDamaged = true;
        giveUp(file.getValue(), e);
      }
    }
    if (!locked.isEmpty() && !unlocked) {
      // Not damage: nothing may be given up for it.
      close();
      throw new IOException(
          locked.values().iterator().next().getMessage()
              + "; put back the keystore with the key that it was written with (buffer.keystore),"
              + " or move the files away from "
              + directory);
    }
    for (Map.Entry<Path, Segment.WrongKeyException> file : locked.entrySet()) {
      giveUp(file.getKey(), file.getValue());
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
    if (unfinished != null && tailDamaged) {
      // It has held something. Otherwise the file that is made next takes its place.
      giveUp(unfinished, new SQLException("There is nothing in it"));
    }
    past = new Past(past.readings(), past.newest(), past.rate(), heads.clone(), lost);
    if (tailDamaged) {
      LOG.warn(
          "The end of the log in {} is damaged; positions and sequence numbers go on {} further",
          directory,
          JUMP);
      // What stood there may have been the first of a stream that nothing else tells of.
      sequences.putIfAbsent(UNKNOWN, Segment.ones());
      for (int c = 0; c < heads.length; c++) {
        heads[c] += JUMP;
        for (long[] sequence : sequences.values()) {
          sequence[c] += JUMP;
        }
      }
    }
    next = heads;
    Segment last = segments.isEmpty() ? null : segments.lastEntry().getValue();
    if (last != null && !last.sealed() && !tailDamaged && Sqlite.writable(last.file())) {
      active = last;
    }
  }

  private void giveUp(Path file, Exception e) throws IOException {
    if (readOnly) {
      unreadable.add(file);
    } else {
      setAside(file, e);
    }
  }

  private void setAside(Path file, Exception e) throws IOException {
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
      timeline.resume(null);
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
            addToLastMinute(lastMinute, head);
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
    if (lastMinute.isEmpty()) {
      lastMinute.addAll(lastMinuteBefore(tail));
    }
    next = heads;
    startElapsed = tail.elapsed();
    RowHead.Stamp newest = null;
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
      newest = last.stamp();
      past = new Past(true, last.stamp().newest(), count / seconds, past.ends(), past.lost());
      // Only the machine's monotonic time is believed, so what passed while it was off is not
      // counted: a clock that starts wrong would let everything expire.
      if (last.stamp().boot() == machine.bootNumber()) {
        startElapsed += Math.max(0, monotonic() - last.stamp().monotonic());
      }
    }
    timeline.resume(newest);
    return whole[0];
  }

  /** The next number of a device in each class. */
  private long[] firstSequences(String device) {
    return sequences.getOrDefault(device, sequences.getOrDefault(UNKNOWN, Segment.ones()));
  }

  private static void addToLastMinute(List<RowHead> lastMinute, RowHead head) {
    lastMinute.add(head);
    long newest = lastMinute.stream().mapToLong(RowHead::elapsed).max().orElse(0);
    lastMinute.removeIf(h -> h.elapsed() < newest - 60_000);
  }

  /** The last minute of the newest file with rows, for a tail that was just begun. */
  private List<RowHead> lastMinuteBefore(Segment tail) {
    List<RowHead> lastMinute = new ArrayList<>();
    for (Segment segment : segments.headMap(tail.number()).descendingMap().values()) {
      try {
        segment.forEachHead(0, head -> addToLastMinute(lastMinute, head), damaged -> {});
      } catch (SQLException e) {
        LOG.error("{} is damaged", segment.file(), e);
      }
      segment.closeReader();
      if (!lastMinute.isEmpty()) {
        break;
      }
    }
    return lastMinute;
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
      Map<String, long[]> grown = new HashMap<>();
      Timeline.Arranged arranged =
          timeline.arrange(readings, stamp(readings), settings.get().gateway());
      number(arranged.before(), arranged.stampBefore(), positions, grown, heads, bodies);
      number(arranged.after(), arranged.stamp(), positions, grown, heads, bodies);
      active.append(heads, bodies);
      done = true;
      timeline.committed(arranged.stamp());
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
      if (active != null && Sqlite.damaged(e)) {
        LOG.error("{} is damaged; a new file is begun", active.file(), e);
        active.closeWriter();
        active = null;
      }
      throw new IOException("Can't write to " + directory + ": " + e.getMessage(), e);
    } finally {
      if (!done && active != null) {
        // What it may have half done goes when it is opened again.
        active.closeWriter();
      }
    }
  }

  private RowHead.Stamp stamp(List<Reading> readings) {
    long now = machine.clock().millis();
    long newest =
        readings.stream()
            .mapToLong(reading -> RowHead.floorMillis(reading.receivedTime()))
            .max()
            .orElse(now);
    return new RowHead.Stamp(now, newest, elapsed(), machine.bootNumber(), monotonic());
  }

  /** Divides readings into rows; advances {@code positions} and the streams' numbers. */
  private void number(
      List<Reading> readings,
      RowHead.Stamp stamp,
      long[] positions,
      Map<String, long[]> grown,
      List<RowHead> heads,
      List<List<Reading>> bodies) {
    Map<StreamClass, List<Reading>> byClass = new EnumMap<>(StreamClass.class);
    for (Reading reading : readings) {
      byClass.computeIfAbsent(reading.streamClass(), c -> new ArrayList<>()).add(reading);
    }
    byClass.forEach(
        (streamClass, ofClass) -> {
          int c = streamClass.ordinal();
          for (List<Reading> body : rows(ofClass)) {
            RowHead head =
                RowHead.of(
                    streamClass,
                    positions[c],
                    stamp,
                    body,
                    device -> grown.computeIfAbsent(device, d -> firstSequences(d).clone())[c]);
            for (RowHead.Part part : head.streams()) {
              grown.get(part.device())[c] += part.count();
            }
            positions[c] = head.end();
            heads.add(head);
            bodies.add(body);
          }
        });
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
      active = Segment.create(directory, number, machine, timeline, elapsed(), next, sequences);
      segments.put(number, active);
    }
  }

  /** What stands at a position; from memory if it is recent, else from disk. */
  Found read(StreamClass streamClass, long position) throws IOException {
    Row row = recent.find(streamClass, position);
    if (row != null) {
      return new Found.Whole(timeline.correct(row));
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

  /** Whether a position is on disk still: not in a file that is deleted, nor taken out of one. */
  boolean holds(StreamClass streamClass, long position) throws IOException {
    for (Segment segment : segments.values()) {
      Segment.Span span = segment.span(streamClass);
      if (position >= span.first() && position < span.end()) {
        return segment.level() == 0
            || !(segment.read(streamClass, position) instanceof Found.Whole whole)
            || whole.row().at(position) != null;
      }
    }
    return false;
  }

  /** How many of these positions a bound has taken out of files, about. */
  long absent(StreamClass streamClass, Delivery delivery) {
    long absent = 0;
    for (Segment segment : segments.values()) {
      Segment.Span span = segment.span(streamClass);
      if (segment.level() > 0 && !span.isEmpty()) {
        long all = span.end() - span.first();
        long owed = delivery.owed(streamClass, span.first(), span.end()).size();
        absent += Math.round((double) owed * (all - span.count()) / all);
      }
    }
    return absent;
  }

  /** Readings on disk that a delivery owes; where a bound has taken some out, about. */
  long unconfirmed(Delivery delivery) {
    long unconfirmed = delivery.unconfirmed(this::next);
    for (StreamClass streamClass : CLASSES) {
      unconfirmed -= absent(streamClass, delivery);
    }
    return unconfirmed;
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

  /** Puts what is left of a segment in its place. */
  void install(Segment.Replacement replacement) throws IOException {
    Segment segment = replacement.segment();
    Map<StreamClass, Segment.Span> before = new EnumMap<>(StreamClass.class);
    for (StreamClass streamClass : CLASSES) {
      before.put(streamClass, segment.span(streamClass));
    }
    replacement.install();
    forget(before);
    series.forget(segment.number());
  }

  private void forget(Map<StreamClass, Segment.Span> spans) {
    spans.forEach((streamClass, span) -> recent.forget(streamClass, span.first(), span.end()));
    changes++;
  }

  /** Grows whenever rows that were there have gone or changed: whoever keeps one asks again. */
  int changes() {
    return changes;
  }

  /** Unlinks a sealed segment. */
  void delete(Segment segment) throws IOException {
    segments.remove(segment.number());
    changes++;
    synchronized (readers) {
      readers.remove(segment);
    }
    segment.delete();
    series.forget(segment.number());
  }

  /** The log by device and point. */
  Series series() {
    return series;
  }

  /** Files that couldn't be read and were, or will be, set aside, the oldest first. */
  List<Path> damaged() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(
              file -> file.getFileName().toString().endsWith(DAMAGED) || unreadable.contains(file))
          .sorted(Comparator.comparingLong(file -> file.toFile().lastModified()))
          .toList();
    }
  }

  /** Of {@link #damaged}, those that were left where they are. */
  List<Path> unreadable() {
    return List.copyOf(unreadable);
  }

  /** Counts files that were set aside to {@link #bytes}. */
  void count(List<Path> damaged) {
    damagedBytes = damaged.stream().mapToLong(file -> file.toFile().length()).sum();
  }

  long bytes() {
    long sum = damagedBytes + series.bytes();
    for (Segment segment : segments.values()) {
      sum += segment.bytes();
    }
    return sum;
  }

  /**
   * Milliseconds that this store has lived, while the machine was on. Runs with its monotonic time,
   * also between two runs of one boot. A clock that is set expires nothing.
   */
  long elapsed() {
    return startElapsed + (nanos.getAsLong() - startNanos) / 1_000_000;
  }

  private long monotonic() {
    return nanos.getAsLong() / 1_000_000;
  }

  Past past() {
    return past;
  }

  @Override
  public void close() {
    series.close();
    segments.values().forEach(Segment::close);
  }
}
