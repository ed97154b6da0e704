package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One file of the log. A row's key is its class and first position, so the file is ordered by both.
 *
 * <p>Written by one thread; read by any, one at a time. Once sealed it is a single file that never
 * changes.
 */
final class Segment implements AutoCloseable {
  private static final int CLASSES = StreamClass.values().length;
  private static final int CLASS_SHIFT = 60;

  /** What the file adds to a row's own bytes, roughly; for its size before it is sealed. */
  private static final int ROW_OVERHEAD = 512;

  /**
   * Positions and event times of one class in a segment; empty if {@code first == end}.
   *
   * @param from earliest event, in milliseconds since 1970
   * @param to latest event
   */
  record Span(long first, long end, long from, long to) {
    Span and(RowHead head) {
      return new Span(
          Math.min(first, head.first()),
          Math.max(end, head.end()),
          Math.min(from, head.from()),
          Math.max(to, head.to()));
    }

    boolean isEmpty() {
      return first >= end;
    }
  }

  private static final Span EMPTY = new Span(Long.MAX_VALUE, 0, Long.MAX_VALUE, Long.MIN_VALUE);

  private final Path file;
  private final long number;
  private final Machine machine;
  private final Object readLock = new Object();

  private volatile Span[] spans = newSpans();
  private volatile long bytes;
  private volatile long elapsed;
  private volatile boolean sealed;
  private long created;
  private Connection writer;
  private PreparedStatement insert;
  private Connection reader;
  private boolean deleted;

  private Segment(Path file, long number, Machine machine) {
    this.file = file;
    this.number = number;
    this.machine = machine;
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
      long elapsed,
      long[] next,
      Map<String, long[]> sequences)
      throws SQLException, IOException {
    Path file = directory.resolve(fileName(number));
    // One that a crash left before its first commit, or a failure while creating it.
    deleteFiles(file);
    Segment segment = new Segment(file, number, machine);
    try {
      segment.openWriter();
      Connection connection = segment.writer;
      Sqlite.execute(
          connection,
          "CREATE TABLE entry (id INTEGER PRIMARY KEY, event_from INTEGER NOT NULL,"
              + " event_to INTEGER NOT NULL, head BLOB NOT NULL, body BLOB NOT NULL)",
          "CREATE TABLE stream (device TEXT NOT NULL, class INTEGER NOT NULL,"
              + " next INTEGER NOT NULL)",
          "CREATE TABLE class (class INTEGER PRIMARY KEY, next INTEGER NOT NULL)",
          "CREATE TABLE created (elapsed INTEGER NOT NULL)",
          "CREATE TABLE sealed (class INTEGER PRIMARY KEY, first INTEGER, after INTEGER,"
              + " event_from INTEGER, event_to INTEGER, elapsed INTEGER)");
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
      Sqlite.execute(connection, "INSERT INTO created VALUES (" + elapsed + ")");
      connection.commit();
      Sqlite.syncDirectory(directory);
      segment.created = elapsed;
      segment.elapsed = elapsed;
      return segment;
    } catch (SQLException | IOException e) {
      segment.close();
      throw e;
    }
  }

  /** Opens a file of an earlier run for reading. */
  static Segment open(Path file, long number, Machine machine) throws SQLException, IOException {
    Segment segment = new Segment(file, number, machine);
    try {
      synchronized (segment.readLock) {
        segment.load();
      }
      segment.bytes = Files.size(file);
      return segment;
    } catch (SQLException e) {
      segment.close();
      throw e;
    }
  }

  private void load() throws SQLException {
    Span[] found = newSpans();
    try (Statement statement = reader().createStatement()) {
      try (ResultSet rows = statement.executeQuery("SELECT elapsed FROM created")) {
        if (!rows.next()) {
          throw new SQLException("File " + file.getFileName() + " was not finished");
        }
        created = rows.getLong(1);
        elapsed = created;
      }
      try (ResultSet rows =
          statement.executeQuery(
              "SELECT class, first, after, event_from, event_to, elapsed FROM sealed")) {
        while (rows.next()) {
          found[rows.getInt(1)] =
              new Span(rows.getLong(2), rows.getLong(3), rows.getLong(4), rows.getLong(5));
          elapsed = rows.getLong(6);
          sealed = true;
        }
      }
    }
    if (!sealed) {
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
            found[c] =
                new Span(
                    Math.min(found[c].first(), first),
                    Math.max(found[c].end(), first + 1),
                    found[c].from(),
                    found[c].to());
          });
    }
    spans = found;
  }

  private void openWriter() throws SQLException {
    writer = machine.opener().open(file, true);
    Sqlite.execute(writer, "PRAGMA journal_mode=WAL");
    writer.setAutoCommit(false);
  }

  /**
   * Goes on writing to this file: one of an earlier run, or after a failure. Rows at or after the
   * positions given are those of a commit that was told as failed, and go.
   */
  void resume(long[] next) throws SQLException {
    closeWriter();
    openWriter();
    for (int c = 0; c < CLASSES; c++) {
      Sqlite.execute(
          writer, "DELETE FROM entry WHERE id >= " + id(c, next[c]) + " AND id < " + id(c + 1, 0));
    }
    writer.commit();
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
      byte[] sealedHead = RowCodec.seal(head.encode());
      byte[] body = RowCodec.seal(RowCodec.pack(RowCodec.encode(head, readings.get(i))));
      int c = head.streamClass().ordinal();
      insert.setLong(1, id(c, head.first()));
      insert.setLong(2, head.from());
      insert.setLong(3, head.to());
      insert.setBytes(4, sealedHead);
      insert.setBytes(5, body);
      insert.executeUpdate();
      added += sealedHead.length + body.length + ROW_OVERHEAD;
      grown[c] = grown[c].and(head);
    }
    writer.commit();
    spans = grown;
    bytes += added;
    elapsed = heads.get(heads.size() - 1).elapsed();
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
    try (PreparedStatement put =
        writer.prepareStatement("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?, ?, ?, ?)")) {
      for (int c = 0; c < CLASSES; c++) {
        put.setInt(1, c);
        put.setLong(2, spans[c].first());
        put.setLong(3, spans[c].end());
        put.setLong(4, spans[c].from());
        put.setLong(5, spans[c].to());
        put.setLong(6, elapsed);
        put.executeUpdate();
      }
    }
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

  /** What stands at a position. */
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
              head = head(rows.getLong(1), rows.getBytes(2));
              if (head.end() > position) {
                first = start;
                byte[] body = RowCodec.unpack(RowCodec.unseal(rows.getBytes(3)));
                return new Found.Whole(new Row(head, RowCodec.decode(head, body)));
              }
              head = null;
            } catch (DamagedException e) {
              why = e.getMessage();
              first = start;
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
          return positionOf(rows.getLong(1));
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
    synchronized (readLock) {
      if (deleted || spans[c].isEmpty() || spans[c].from() > to || spans[c].to() < from) {
        return heads;
      }
      try (PreparedStatement query =
          reader()
              .prepareStatement(
                  "SELECT id, head FROM entry WHERE id >= ? AND id < ?"
                      + " AND event_to >= ? AND event_from <= ? ORDER BY id")) {
        query.setLong(1, id(c, 0));
        query.setLong(2, id(c + 1, 0));
        query.setLong(3, from);
        query.setLong(4, to);
        try (ResultSet rows = query.executeQuery()) {
          while (rows.next()) {
            try {
              heads.add(head(rows.getLong(1), rows.getBytes(2)));
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
              return head(rows.getLong(1), rows.getBytes(2));
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

  Span span(StreamClass streamClass) {
    return spans[streamClass.ordinal()];
  }

  /** The positions of each class that it spans. */
  Map<StreamClass, Intervals> positions() {
    Map<StreamClass, Intervals> positions = new EnumMap<>(StreamClass.class);
    for (StreamClass streamClass : StreamClass.values()) {
      Span span = span(streamClass);
      Intervals ofClass = new Intervals();
      ofClass.add(span.first(), span.end());
      positions.put(streamClass, ofClass);
    }
    return positions;
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

  private static RowHead head(long id, byte[] sealedHead) throws DamagedException {
    RowHead head = RowHead.decode(RowCodec.unseal(sealedHead));
    if (head.first() != positionOf(id) || head.streamClass().ordinal() != classOf(id)) {
      throw new DamagedException("Row stands at a wrong position");
    }
    return head;
  }

  private static long id(int streamClass, long position) {
    return (long) streamClass << CLASS_SHIFT | position;
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
