package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file of the log. A row's key is its class and first position, so the file is ordered by both.
 *
 * <p>Written by one thread; read by any, one at a time. Once sealed it is a single file that never
 * changes.
 */
final class Segment implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Segment.class);
  private static final int CLASSES = StreamClass.values().length;
  private static final int CLASS_SHIFT = 60;

  /** What is written when the file is begun, and never changes. */
  private static final List<String> START =
      List.of(
          "SELECT name, rootpage, sql FROM sqlite_master ORDER BY name",
          "SELECT * FROM class ORDER BY class",
          "SELECT * FROM stream ORDER BY rowid",
          "SELECT elapsed, level, encrypted, hex(proof) FROM created");

  /** What is written when it is sealed. */
  private static final List<String> END = List.of("SELECT * FROM sealed ORDER BY class");

  /**
   * Of a new file. A commit writes whole pages, twice with the log, and most rows are short: pages
   * of 4 KiB, SQLite's own, write half as much again.
   */
  private static final int PAGE_BYTES = 1024;

  /** Tells the place of a body from that of its head. */
  private static final long BODY = 1L << 63;

  /** What the file adds to a row's own bytes, roughly; for its size before it is sealed. */
  private static final int ROW_OVERHEAD = 512;

  /**
   * Positions and event times of one class in a segment; empty if {@code first == end}.
   *
   * @param from earliest event, in milliseconds since 1970
   * @param to latest event
   * @param count of readings that are there
   */
  record Span(long first, long end, long from, long to, long count) {
    Span and(RowHead head) {
      return new Span(
          Math.min(first, head.first()),
          Math.max(end, head.end()),
          Math.min(from, head.from()),
          Math.max(to, head.to()),
          count + head.count());
    }

    /** With a row whose head can't be read: it reaches as far as this at least. */
    Span andDamaged(long position) {
      return new Span(Math.min(first, position), Math.max(end, position + 1), from, to, count);
    }

    boolean isEmpty() {
      return first >= end;
    }

    @Override
    public String toString() {
      return isEmpty()
          ? "empty"
          : "%d readings at positions %d to %d, %s to %s"
              .formatted(
                  count, first, end - 1, Instant.ofEpochMilli(from), Instant.ofEpochMilli(to));
    }
  }

  /** Sealed, it tells whether a key is the right one. */
  private static final byte[] PROOF = "culvert".getBytes(StandardCharsets.US_ASCII);

  private static final long PROOF_PLACE = -1;

  static final Span EMPTY = new Span(Long.MAX_VALUE, 0, Long.MAX_VALUE, Long.MIN_VALUE, 0);

  private final Path file;
  private final long number;
  private final Machine machine;
  private final Timeline timeline;
  private final Object readLock = new Object();

  private volatile Span[] spans = newSpans();
  private volatile long bytes;
  private volatile long elapsed;
  private volatile boolean sealed;
  private volatile int level;
  private Seal seal;
  private long created;
  private Connection writer;
  private PreparedStatement insert;
  private Connection reader;
  private boolean deleted;

  private Segment(Path file, long number, Machine machine, Timeline timeline) {
    this.file = file;
    this.number = number;
    this.machine = machine;
    this.timeline = timeline;
  }

  static String fileName(long number) {
    return String.format("segment-%010d.db", number);
  }

  /**
   * Makes a new file, synced with its directory entry.
   *
   * @param next next position of each class
   * @param sequences next sequence number of each stream, so that the newest file alone tells them
   */
  static Segment create(
      Path directory,
      long number,
      Machine machine,
      Timeline timeline,
      long elapsed,
      long[] next,
      Map<String, long[]> sequences)
      throws SQLException, IOException {
    Path file = directory.resolve(fileName(number));
    // One that a crash left before its first commit, or a failure while creating it.
    deleteFiles(file);
    Segment segment = new Segment(file, number, machine, timeline);
    try {
      segment.openWriter();
      Connection connection = segment.writer;
      makeTables(connection);
      putStart(connection, next, sequences);
      segment.seal = machine.seal();
      segment.putCreated(connection, elapsed, 0);
      putSum(connection, START);
      connection.commit();
      Sqlite.syncDirectory(directory);
      segment.created = elapsed;
      segment.elapsed = elapsed;
      return segment;
    } catch (SQLException | IOException e) {
      segment.close();
      // One left unfinished would count as damaged at the next start.
      deleteQuietly(file);
      throw e;
    }
  }

  private static void makeTables(Connection connection) throws SQLException {
    Sqlite.execute(
        connection,
        "CREATE TABLE entry (id INTEGER PRIMARY KEY, event_from INTEGER NOT NULL,"
            + " event_to INTEGER NOT NULL, head BLOB NOT NULL, body BLOB NOT NULL)",
        "CREATE TABLE stream (device TEXT NOT NULL, class INTEGER NOT NULL,"
            + " next INTEGER NOT NULL)",
        "CREATE TABLE class (class INTEGER PRIMARY KEY, next INTEGER NOT NULL)",
        "CREATE TABLE created (elapsed INTEGER NOT NULL, level INTEGER NOT NULL,"
            + " encrypted INTEGER NOT NULL, proof BLOB NOT NULL)",
        "CREATE TABLE sealed (class INTEGER PRIMARY KEY, first INTEGER, after INTEGER,"
            + " event_from INTEGER, event_to INTEGER, count INTEGER, elapsed INTEGER)",
        "CREATE TABLE sum (of TEXT NOT NULL, sum INTEGER NOT NULL)");
  }

  /** Enters the checksum of what stands beside the rows, which have their own. */
  private static void putSum(Connection connection, List<String> of) throws SQLException {
    try (PreparedStatement put = connection.prepareStatement("INSERT INTO sum VALUES (?, ?)")) {
      put.setString(1, of.get(0));
      put.setLong(2, sum(connection, of));
      put.executeUpdate();
    }
  }

  private static boolean whole(Connection connection, List<String> of) throws SQLException {
    try (PreparedStatement query =
        connection.prepareStatement("SELECT sum FROM sum WHERE of = ? ORDER BY rowid DESC")) {
      query.setString(1, of.get(0));
      try (ResultSet row = query.executeQuery()) {
        return row.next() && row.getLong(1) == sum(connection, of);
      }
    }
  }

  private static long sum(Connection connection, List<String> queries) throws SQLException {
    ByteWriter out = new ByteWriter();
    try (Statement statement = connection.createStatement()) {
      for (String query : queries) {
        try (ResultSet rows = statement.executeQuery(query)) {
          int columns = rows.getMetaData().getColumnCount();
          while (rows.next()) {
            for (int i = 1; i <= columns; i++) {
              out.text(String.valueOf(rows.getString(i)));
            }
          }
        }
      }
    }
    CRC32C sum = new CRC32C();
    sum.update(out.toBytes());
    return sum.getValue();
  }

  private static void putStart(Connection connection, long[] next, Map<String, long[]> sequences)
      throws SQLException {
    try (PreparedStatement put =
        connection.prepareStatement("INSERT INTO stream VALUES (?, ?, ?)")) {
      for (Map.Entry<String, long[]> stream : sequences.entrySet()) {
        for (int c = 0; c < CLASSES; c++) {
          if (stream.getValue()[c] > 1) {
            put.setString(1, stream.getKey());
            put.setInt(2, c);
            put.setLong(3, stream.getValue()[c]);
            put.executeUpdate();
          }
        }
      }
    }
    for (int c = 0; c < CLASSES; c++) {
      Sqlite.execute(connection, "INSERT INTO class VALUES (" + c + ", " + next[c] + ")");
    }
  }

  private void putCreated(Connection connection, long elapsed, int level) throws SQLException {
    try (PreparedStatement put =
        connection.prepareStatement("INSERT INTO created VALUES (?, ?, ?, ?)")) {
      put.setLong(1, elapsed);
      put.setInt(2, level);
      put.setBoolean(3, seal != Seal.PLAIN);
      put.setBytes(4, seal.close(PROOF, PROOF_PLACE));
      put.executeUpdate();
    }
  }

  /**
   * Opens a file of an earlier run for reading.
   *
   * @return {@code null} if that run ended before the file's first commit: it never held anything
   * @throws WrongKeyException if it is encrypted and the key at hand doesn't open it
   */
  static Segment open(Path file, long number, Machine machine, Timeline timeline)
      throws SQLException, IOException {
    Segment segment = new Segment(file, number, machine, timeline);
    try {
      synchronized (segment.readLock) {
        if (!segment.begun()) {
          segment.close();
          return null;
        }
        segment.load();
      }
      segment.bytes = Files.size(file);
      return segment;
    } catch (SQLException | WrongKeyException e) {
      segment.close();
      throw e;
    }
  }

  private boolean begun() throws SQLException {
    try (Statement statement = reader().createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM sqlite_master")) {
      return row.next() && row.getLong(1) > 0;
    }
  }

  private void load() throws SQLException, WrongKeyException {
    Span[] found = newSpans();
    if (!whole(reader(), START)) {
      throw new SQLException("The beginning of " + file.getFileName() + " is damaged");
    }
    try (Statement statement = reader().createStatement()) {
      try (ResultSet rows =
          statement.executeQuery("SELECT elapsed, level, encrypted, proof FROM created")) {
        if (!rows.next()) {
          throw new SQLException("File " + file.getFileName() + " was not finished");
        }
        created = rows.getLong(1);
        elapsed = created;
        level = rows.getInt(2);
        seal = rows.getBoolean(3) ? key(rows.getBytes(4)) : Seal.PLAIN;
      }
      try (ResultSet rows =
          statement.executeQuery(
              "SELECT class, first, after, event_from, event_to, count, elapsed FROM sealed")) {
        while (rows.next()) {
          sealed = true;
          if (!whole(reader(), END)) {
            throw new SQLException("The end of " + file.getFileName() + " is damaged");
          }
          found[rows.getInt(1)] =
              new Span(
                  rows.getLong(2),
                  rows.getLong(3),
                  rows.getLong(4),
                  rows.getLong(5),
                  rows.getLong(6));
          elapsed = rows.getLong(7);
        }
      }
    }
    if (!sealed) {
      long[] start = positionsAtStart();
      forEachHead(
          0,
          head -> {
            int c = head.streamClass().ordinal();
            found[c] = found[c].and(head);
            elapsed = Math.max(elapsed, head.elapsed());
          },
          damaged -> {
            int c = classOf(damaged);
            long first = positionOf(damaged);
            // Rows follow each other without gap: any other key is damaged itself.
            if (first <= Math.max(found[c].end(), start[c]) + RowHead.MAX_READINGS) {
              found[c] = found[c].andDamaged(first);
            }
          });
    }
    spans = found;
  }

  private Seal key(byte[] proof) throws WrongKeyException {
    if (machine.key() == null) {
      throw new WrongKeyException(file.getFileName() + " is encrypted, and there is no key");
    }
    try {
      if (Arrays.equals(machine.key().open(proof, PROOF_PLACE), PROOF)) {
        return machine.key();
      }
    } catch (DamagedException e) {
      // Said below.
      LOG.debug("Proof of {}", file, e);
    }
    throw new WrongKeyException(file.getFileName() + " is encrypted with another key");
  }

  /** Readings can't be read for want of the key that they were encrypted with. */
  static final class WrongKeyException extends IOException {
    WrongKeyException(String message) {
      super(message);
    }
  }

  private void openWriter() throws SQLException {
    writer = machine.opener().open(file, true);
    Sqlite.execute(writer, "PRAGMA page_size=" + PAGE_BYTES, "PRAGMA journal_mode=WAL");
    writer.setAutoCommit(false);
  }

  /**
   * Goes on writing to this file: one of an earlier run, or after a failure. Rows at or after the
   * positions given are those of a commit that was told as failed, and go; so does the seal.
   *
   * <p>The log is taken in whole: after a sync that failed, the system may show as written what is
   * not on the disk, and what was appended to it would be cut off with it in a power cut.
   */
  void resume(long[] next) throws SQLException {
    closeWriter();
    // One that was opened while the file could only be read would keep others from writing.
    closeReader();
    openWriter();
    Sqlite.execute(writer, "DELETE FROM sealed");
    for (int c = 0; c < CLASSES; c++) {
      Sqlite.execute(
          writer, "DELETE FROM entry WHERE id >= " + id(c, next[c]) + " AND id < " + id(c + 1, 0));
    }
    writer.commit();
    writer.setAutoCommit(true);
    synchronized (readLock) {
      closeReader();
      Sqlite.takeInLog(writer);
    }
    writer.setAutoCommit(false);
  }

  boolean writable() {
    return writer != null;
  }

  /** Commits rows together; on return they are on disk and synced. */
  void append(List<RowHead> heads, List<List<Reading>> readings) throws SQLException {
    if (insert == null) {
      insert = writer.prepareStatement("INSERT INTO entry VALUES (?, ?, ?, ?, ?)");
    }
    long added = 0;
    Span[] grown = spans.clone();
    for (int i = 0; i < heads.size(); i++) {
      RowHead head = heads.get(i);
      added += put(insert, head, RowCodec.encode(head, readings.get(i)));
      int c = head.streamClass().ordinal();
      grown[c] = grown[c].and(head);
    }
    writer.commit();
    spans = grown;
    bytes += added;
    elapsed = heads.get(heads.size() - 1).elapsed();
  }

  /** Adds a row; returns how many bytes it takes on disk, roughly. */
  private long put(PreparedStatement insert, RowHead head, byte[] body) throws SQLException {
    long id = id(head.streamClass().ordinal(), head.first());
    byte[] sealedHead = seal.close(head.encode(), id);
    byte[] sealedBody = seal.close(RowCodec.pack(body), id | BODY);
    insert.setLong(1, id);
    insert.setLong(2, head.from());
    insert.setLong(3, head.to());
    insert.setBytes(4, sealedHead);
    insert.setBytes(5, sealedBody);
    insert.executeUpdate();
    return sealedHead.length + sealedBody.length + ROW_OVERHEAD;
  }

  /** Gives the writing connection up after a failure; {@link #resume} opens a new one. */
  void closeWriter() {
    Sqlite.closeQuietly(insert);
    Sqlite.closeQuietly(writer);
    insert = null;
    writer = null;
  }

  /** Ends writing for good: from now on the file does not change. */
  void seal() throws SQLException, IOException {
    putSealed(writer, spans, elapsed);
    writer.commit();
    writer.setAutoCommit(true);
    synchronized (readLock) {
      closeReader();
      // Brings all into the one file, synced, and takes the log away.
      Sqlite.execute(writer, "PRAGMA journal_mode=DELETE");
      closeWriter();
      sealed = true;
    }
    bytes = Files.size(file);
  }

  private static void putSealed(Connection connection, Span[] spans, long elapsed)
      throws SQLException {
    try (PreparedStatement put =
        connection.prepareStatement("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)")) {
      for (int c = 0; c < CLASSES; c++) {
        put.setInt(1, c);
        put.setLong(2, spans[c].first());
        put.setLong(3, spans[c].end());
        put.setLong(4, spans[c].from());
        put.setLong(5, spans[c].to());
        put.setLong(6, spans[c].count());
        put.setLong(7, elapsed);
        put.executeUpdate();
      }
    }
    putSum(connection, END);
  }

  /** What stands at a position, with the times that are right as far as is known. */
  Found read(StreamClass streamClass, long position) throws IOException {
    int c = streamClass.ordinal();
    synchronized (readLock) {
      if (deleted) {
        return new Found.Gone();
      }
      String why = "missing";
      long first = position;
      RowHead head = null;
      try (PreparedStatement query =
          reader()
              .prepareStatement(
                  "SELECT id, head, body FROM entry WHERE id <= ? AND id >= ?"
                      + " ORDER BY id DESC LIMIT 1")) {
        query.setLong(1, id(c, position));
        query.setLong(2, id(c, 0));
        try (ResultSet rows = query.executeQuery()) {
          if (rows.next()) {
            long start = positionOf(rows.getLong(1));
            try {
              head = head(rows.getLong(1), rows.getBytes(2), id(c, 0), id(c, position + 1));
              if (head.end() > position) {
                first = start;
                return new Found.Whole(
                    timeline.correct(decode(rows.getLong(1), head, rows.getBytes(3))));
              }
              head = null;
            } catch (DamagedException e) {
              why = e.getMessage();
              // Only a head that can be read tells where its row begins.
              first = head != null ? start : position;
            }
          }
        }
      } catch (SQLException e) {
        if (!Sqlite.damaged(e)) {
          throw new IOException(file.getFileName() + ": " + e.getMessage(), e);
        }
        why = e.getMessage();
      }
      return new Found.Damaged(
          first, head != null ? head.end() : nextReadable(c, position), head, why);
    }
  }

  /** The first row after a position that can't be read, or the end of the segment. */
  private long nextReadable(int c, long position) {
    try (PreparedStatement query =
        reader()
            .prepareStatement("SELECT id FROM entry WHERE id > ? AND id < ? ORDER BY id LIMIT 1")) {
      query.setLong(1, id(c, position));
      query.setLong(2, id(c + 1, 0));
      try (ResultSet rows = query.executeQuery()) {
        if (rows.next()) {
          // A key that is damaged may stand for any position.
          long next = Math.min(positionOf(rows.getLong(1)), spans[c].end());
          return Math.max(position + 1, next);
        }
      }
    } catch (SQLException e) {
      // Nothing after it can be reached either.
      closeReader();
    }
    return Math.max(position + 1, spans[c].end());
  }

  /** The row of that head; {@code null} if it can't be read. */
  Row row(RowHead head) throws IOException {
    return read(head.streamClass(), head.first()) instanceof Found.Whole whole ? whole.row() : null;
  }

  /** Heads of one class that overlap a span of event time, in milliseconds since 1970. */
  List<RowHead> heads(StreamClass streamClass, long from, long to) throws IOException {
    List<RowHead> heads = new ArrayList<>();
    int c = streamClass.ordinal();
    // What is on disk has the times of before any correction.
    long[] widest = timeline.widest();
    long since = plus(from, -widest[1]);
    long until = plus(to, -widest[0]);
    synchronized (readLock) {
      if (deleted || spans[c].isEmpty() || spans[c].from() > until || spans[c].to() < since) {
        return heads;
      }
      try (PreparedStatement query =
          reader()
              .prepareStatement(
                  "SELECT id, head FROM entry WHERE id >= ? AND id < ?"
                      + " AND event_to >= ? AND event_from <= ? ORDER BY id")) {
        query.setLong(1, id(c, 0));
        query.setLong(2, id(c + 1, 0));
        query.setLong(3, since);
        query.setLong(4, until);
        try (ResultSet rows = query.executeQuery()) {
          while (rows.next()) {
            try {
              RowHead head = timeline.correct(head(rows.getLong(1), rows.getBytes(2)));
              if (head.to() >= from && head.from() <= to) {
                heads.add(head);
              }
            } catch (DamagedException e) {
              // Told in the ledger when delivery comes to it; a query shows what can be read.
              continue;
            }
          }
        }
      } catch (SQLException e) {
        if (!Sqlite.damaged(e)) {
          throw new IOException(file.getFileName() + ": " + e.getMessage(), e);
        }
        closeReader();
      }
    }
    return heads;
  }

  /**
   * The head of the first row of a class from a position on, and before another, that overlaps a
   * span of event time in milliseconds since 1970; {@code null} if there is none. Tells of those
   * passed over that can't be read.
   */
  RowHead headFrom(
      StreamClass streamClass, long position, long end, long from, long to, Runnable damaged)
      throws IOException {
    int c = streamClass.ordinal();
    long[] widest = timeline.widest();
    synchronized (readLock) {
      if (deleted || position >= end) {
        return null;
      }
      try (PreparedStatement query =
          reader()
              .prepareStatement(
                  "SELECT id, head FROM entry WHERE id >= ? AND id < ?"
                      + " AND event_to >= ? AND event_from <= ? ORDER BY id")) {
        query.setLong(1, id(c, position));
        query.setLong(2, id(c, end));
        // What is on disk has the times of before any correction.
        query.setLong(3, plus(from, -widest[1]));
        query.setLong(4, plus(to, -widest[0]));
        try (ResultSet rows = query.executeQuery()) {
          while (rows.next()) {
            try {
              RowHead head =
                  timeline.correct(
                      head(rows.getLong(1), rows.getBytes(2), id(c, position), id(c, end)));
              if (head.to() >= from && head.from() <= to) {
                return head;
              }
            } catch (DamagedException e) {
              damaged.run();
            }
          }
        }
      } catch (SQLException e) {
        if (!Sqlite.damaged(e)) {
          throw new IOException(file.getFileName() + ": " + e.getMessage(), e);
        }
        damaged.run();
        closeReader();
      }
    }
    return null;
  }

  /**
   * The head of the last row of a class that begins before a position and can be read; {@code null}
   * if there is none.
   */
  RowHead headBefore(StreamClass streamClass, long position) throws IOException {
    int c = streamClass.ordinal();
    synchronized (readLock) {
      if (deleted || spans[c].isEmpty() || spans[c].first() >= position) {
        return null;
      }
      try (PreparedStatement query =
          reader()
              .prepareStatement(
                  "SELECT id, head FROM entry WHERE id >= ? AND id < ? ORDER BY id DESC")) {
        query.setLong(1, id(c, 0));
        query.setLong(2, id(c, position));
        try (ResultSet rows = query.executeQuery()) {
          while (rows.next()) {
            try {
              return head(rows.getLong(1), rows.getBytes(2), id(c, 0), id(c, position));
            } catch (DamagedException e) {
              // As in a query of a span: what can be read is shown.
              continue;
            }
          }
        }
      } catch (SQLException e) {
        if (!Sqlite.damaged(e)) {
          throw new IOException(file.getFileName() + ": " + e.getMessage(), e);
        }
        closeReader();
      }
    }
    return null;
  }

  /** Every head from a key on; keys of those that can't be read go to {@code damaged}. */
  void forEachHead(long fromId, Consumer<RowHead> each, Consumer<Long> damaged)
      throws SQLException {
    synchronized (readLock) {
      try (PreparedStatement query =
          reader().prepareStatement("SELECT id, head FROM entry WHERE id >= ? ORDER BY id")) {
        query.setLong(1, fromId);
        try (ResultSet rows = query.executeQuery()) {
          while (rows.next()) {
            try {
              each.accept(head(rows.getLong(1), rows.getBytes(2)));
            } catch (DamagedException e) {
              damaged.accept(rows.getLong(1));
            }
          }
        }
      }
    }
  }

  /**
   * A row without its readings.
   *
   * @param id key
   * @param from earliest event, as the table and not the head says
   * @param to latest event, likewise
   * @param bytes of head and body on disk
   * @param head {@code null} if it can't be read
   */
  record Outline(long id, long from, long to, int bytes, RowHead head) {
    StreamClass streamClass() {
      return StreamClass.values()[classOf(id)];
    }

    long first() {
      return positionOf(id);
    }
  }

  /** A head whose spans of time take in what they are corrected to. */
  RowHead corrected(RowHead head) {
    return timeline.correct(head);
  }

  /**
   * Rows whose events, corrected or not, may touch a span, in milliseconds since 1970, in the order
   * of their keys; none once the file is deleted. Heads are as on disk.
   *
   * @param after the key to begin after, -1 for the first
   * @param limit at most so many
   */
  List<Outline> outlines(long after, long from, long to, int limit) throws SQLException {
    List<Outline> found = new ArrayList<>();
    long[] widest = timeline.widest();
    long since = plus(from, -widest[1]);
    long until = plus(to, -widest[0]);
    synchronized (readLock) {
      if (deleted) {
        return found;
      }
      try (PreparedStatement query =
          reader()
              .prepareStatement(
                  "SELECT id, event_from, event_to, head, length(body) FROM entry"
                      + " WHERE id > ? AND event_to >= ? AND event_from <= ?"
                      + " ORDER BY id LIMIT ?")) {
        query.setLong(1, after);
        query.setLong(2, since);
        query.setLong(3, until);
        query.setInt(4, limit);
        try (ResultSet rows = query.executeQuery()) {
          while (rows.next() && rows.getLong(1) > after) {
            byte[] sealedHead = rows.getBytes(4);
            RowHead head = null;
            try {
              head = head(rows.getLong(1), sealedHead);
            } catch (DamagedException e) {
              // Whoever asks sees that there is none.
            }
            found.add(
                new Outline(
                    rows.getLong(1),
                    rows.getLong(2),
                    rows.getLong(3),
                    (sealedHead == null ? 0 : sealedHead.length) + rows.getInt(5),
                    head));
          }
        }
      }
    }
    return found;
  }

  /**
   * A sealed file opened once more, to be read for long without holding up others, and closed by
   * who asked; a file that is still written is this one.
   */
  Segment apart() throws SQLException, IOException {
    if (!sealed) {
      return this;
    }
    Segment apart = new Segment(file, number, machine, timeline);
    // Before it is opened: only then it isn't made anew where it was deleted meanwhile.
    apart.sealed = true;
    try {
      synchronized (apart.readLock) {
        apart.load();
      }
      apart.bytes = bytes;
      return apart;
    } catch (SQLException | IOException e) {
      apart.close();
      throw e;
    }
  }

  /** Next sequence number of each stream when this file was begun. */
  Map<String, long[]> sequencesAtStart() throws SQLException {
    Map<String, long[]> sequences = new HashMap<>();
    synchronized (readLock) {
      try (Statement statement = reader().createStatement();
          ResultSet rows = statement.executeQuery("SELECT device, class, next FROM stream")) {
        while (rows.next()) {
          sequences.computeIfAbsent(rows.getString(1), device -> ones())[rows.getInt(2)] =
              rows.getLong(3);
        }
      }
    }
    return sequences;
  }

  /** Next position of each class when this file was begun. */
  long[] positionsAtStart() throws SQLException {
    long[] next = new long[CLASSES];
    synchronized (readLock) {
      try (Statement statement = reader().createStatement();
          ResultSet rows = statement.executeQuery("SELECT class, next FROM class")) {
        while (rows.next()) {
          next[rows.getInt(1)] = rows.getLong(2);
        }
      }
    }
    return next;
  }

  static long[] ones() {
    long[] ones = new long[CLASSES];
    Arrays.fill(ones, 1);
    return ones;
  }

  /** Unlinks the file. Reads that come later find it gone. */
  void delete() throws IOException {
    synchronized (readLock) {
      close();
      deleted = true;
      deleteFiles(file);
    }
    Sqlite.syncDirectory(file.getParent());
  }

  private static void deleteFiles(Path file) throws IOException {
    Files.deleteIfExists(file);
    for (String suffix : List.of("-wal", "-shm", "-journal")) {
      Files.deleteIfExists(file.resolveSibling(file.getFileName() + suffix));
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      deleteFiles(file);
    } catch (IOException ignored) {
      // Tried again before the next one is made.
    }
  }

  Span span(StreamClass streamClass) {
    return spans[streamClass.ordinal()];
  }

  /**
   * Times of event of a class in milliseconds since 1970, as far as any correction may take them:
   * the earliest and the latest.
   */
  long[] reach(StreamClass streamClass) {
    Span span = span(streamClass);
    long[] widest = timeline.widest();
    return new long[] {plus(span.from(), widest[0]), plus(span.to(), widest[1])};
  }

  private static long plus(long time, long more) {
    long sum = time + more;
    if (((time ^ sum) & (more ^ sum)) < 0) {
      return more < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
    return sum;
  }

  /** Another number whenever rows that were there read otherwise: cut, or with other times. */
  long state() {
    return timeline.state(created, elapsed) * 31 + level;
  }

  long number() {
    return number;
  }

  Path file() {
    return file;
  }

  /** Size on disk; of one not yet sealed, what it will be, roughly. */
  long bytes() {
    return bytes;
  }

  boolean sealed() {
    return sealed;
  }

  boolean encrypted() {
    return seal != Seal.PLAIN;
  }

  /** What a bound has taken out of it, as {@link Cut} numbers it; 0 if nothing. */
  int level() {
    return level;
  }

  /** Looks at rows in the order of their keys, one at a time in memory. */
  interface Visitor {
    /**
     * @param head {@code null} if it can't be read
     * @param body unpacks the readings
     */
    void visit(long id, RowHead head, Body body) throws SQLException, IOException;
  }

  /** The readings of a row that is just being visited. */
  interface Body {
    /** With the times as they are on disk. */
    Row row() throws DamagedException;

    /** Head and body as they are on disk. */
    byte[][] raw() throws SQLException;
  }

  /**
   * Visits every row of a sealed segment, over a connection of its own so that other readers aren't
   * held up.
   */
  void visit(Visitor visitor) throws SQLException, IOException {
    try (Connection connection = machine.opener().open(file, false);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT id, head, body FROM entry ORDER BY id")) {
      while (rows.next()) {
        long id = rows.getLong(1);
        RowHead head = null;
        try {
          head = head(id, rows.getBytes(2));
        } catch (DamagedException e) {
          LOG.debug("Head of row {} in {}", id, file, e);
        }
        visitor.visit(id, head, new VisitedBody(rows, id, head));
      }
    }
  }

  private final class VisitedBody implements Body {
    private final ResultSet rows;
    private final long id;
    private final RowHead head;

    VisitedBody(ResultSet rows, long id, RowHead head) {
      this.rows = rows;
      this.id = id;
      this.head = head;
    }

    @Override
    public Row row() throws DamagedException {
      try {
        return decode(id, head, rows.getBytes(3));
      } catch (SQLException e) {
        throw new DamagedException(e.getMessage(), e);
      }
    }

    @Override
    public byte[][] raw() throws SQLException {
      return new byte[][] {rows.getBytes(2), rows.getBytes(3)};
    }
  }

  static Path replacement(Path file) {
    return file.resolveSibling(file.getFileName() + ".new");
  }

  /**
   * A file that is to take the place of this sealed one. It stands beside it until {@link
   * #install}; one that a crash leaves is installed at the next start if the ledger says that it
   * was decided, else it goes.
   */
  final class Replacement implements AutoCloseable {
    private final Path beside = replacement(file);
    private final int newLevel;
    private final Span[] found = newSpans();
    private final Connection connection;
    private final PreparedStatement insert;

    /**
     * @param newLevel what will be taken out, as {@link Cut} numbers it
     */
    Replacement(int newLevel) throws SQLException, IOException {
      this.newLevel = newLevel;
      Files.deleteIfExists(beside);
      connection = machine.opener().open(beside, true);
      try {
        // Synced whole at the end; until then nobody needs it.
        Sqlite.execute(connection, "PRAGMA page_size=" + PAGE_BYTES, "PRAGMA journal_mode=MEMORY");
        connection.setAutoCommit(false);
        makeTables(connection);
        putStart(connection, positionsAtStart(), sequencesAtStart());
        putCreated(connection, created, newLevel);
        putSum(connection, START);
        insert = connection.prepareStatement("INSERT INTO entry VALUES (?, ?, ?, ?, ?)");
      } catch (SQLException e) {
        Sqlite.closeQuietly(connection);
        throw e;
      }
    }

    /** Takes a row over as it is; {@code head} is {@code null} if it can't be read. */
    void copy(long id, RowHead head, byte[][] raw) throws SQLException {
      insert.setLong(1, id);
      insert.setLong(2, head != null ? head.from() : 0);
      insert.setLong(3, head != null ? head.to() : 0);
      insert.setBytes(4, raw[0]);
      insert.setBytes(5, raw[1]);
      insert.executeUpdate();
      int c = classOf(id);
      found[c] = head != null ? found[c].and(head) : found[c].andDamaged(positionOf(id));
    }

    /** Adds a row in place of others. */
    void put(Row row) throws SQLException {
      Segment.this.put(insert, row.head(), RowCodec.encode(row));
      int c = row.head().streamClass().ordinal();
      found[c] = found[c].and(row.head());
    }

    /** Has it whole and synced beside the file that it will replace. */
    void finish() throws SQLException, IOException {
      putSealed(connection, found, elapsed);
      connection.commit();
      close();
      try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Sqlite.syncDirectory(beside.getParent());
    }

    Segment segment() {
      return Segment.this;
    }

    /** Puts it in the old one's place; readers go on with it. */
    void install() throws IOException {
      synchronized (readLock) {
        closeReader();
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        level = newLevel;
        spans = found;
        bytes = Files.size(file);
      }
      Sqlite.syncDirectory(file.getParent());
    }

    /** Closes the file; what isn't finished goes at the next start. */
    @Override
    public void close() {
      Sqlite.closeQuietly(insert);
      Sqlite.closeQuietly(connection);
    }
  }

  /** Elapsed time of the store when it was begun, in milliseconds. */
  long created() {
    return created;
  }

  /** Elapsed time of the store at its last commit, in milliseconds. */
  long elapsed() {
    return elapsed;
  }

  boolean isEmpty() {
    for (Span span : spans) {
      if (!span.isEmpty()) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    closeWriter();
    synchronized (readLock) {
      closeReader();
    }
  }

  /** Gives the reading connection back until it is needed again. */
  void closeReader() {
    synchronized (readLock) {
      Sqlite.closeQuietly(reader);
      reader = null;
    }
  }

  private Connection reader() throws SQLException {
    if (reader == null) {
      // A log left by a killed process is taken in on opening, which takes the right to write.
      boolean log = Files.exists(file.resolveSibling(file.getFileName() + "-wal"));
      reader = machine.opener().open(file, log || !sealed);
    }
    return reader;
  }

  private Row decode(long id, RowHead head, byte[] sealedBody) throws DamagedException {
    return RowCodec.decode(head, RowCodec.unpack(unseal(sealedBody, id | BODY)));
  }

  private byte[] unseal(byte[] sealedBytes, long place) throws DamagedException {
    if (sealedBytes == null) {
      throw new DamagedException("Nothing where sealed bytes are due");
    }
    return seal.open(sealedBytes, place);
  }

  /**
   * The head of a row that a search has found. SQLite trusts the keys on its way to a row: where
   * one of them is damaged, it finds rows that nobody asked for.
   *
   * @param from keys that were asked for, the first
   * @param end and the one after the last
   */
  private RowHead head(long id, byte[] sealedHead, long from, long end) throws DamagedException {
    if (id < from || id >= end) {
      throw new DamagedException("Another row stands where it is due");
    }
    return head(id, sealedHead);
  }

  private RowHead head(long id, byte[] sealedHead) throws DamagedException {
    RowHead head = RowHead.decode(unseal(sealedHead, id));
    if (head.first() != positionOf(id) || head.streamClass().ordinal() != classOf(id)) {
      throw new DamagedException("Row stands at a wrong position");
    }
    return head;
  }

  static long id(int streamClass, long position) {
    return (long) streamClass << CLASS_SHIFT | position;
  }

  StreamClass classAt(long id) {
    return StreamClass.values()[classOf(id)];
  }

  private static int classOf(long id) {
    return (int) Math.min(CLASSES - 1, id >>> CLASS_SHIFT);
  }

  private static long positionOf(long id) {
    return id & ((1L << CLASS_SHIFT) - 1);
  }

  private static Span[] newSpans() {
    Span[] spans = new Span[CLASSES];
    Arrays.fill(spans, EMPTY);
    return spans;
  }
}
