package io.culvert.buffer;

import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The loss ledger, in a file of its own. Each change is synced before the method returns. Space for
 * about 5,000 entries, and for writing them, is taken when the file is made, so that a full disk
 * does not silence it.
 *
 * <p>A change that was told as failed may have come to the disk all the same; it is taken back
 * before the next one, so that what is tried again is entered once.
 *
 * <p>Beside the entries stands what they release: positions that a forwarder no longer owes. Entry
 * and release are one commit, so a crash counts nothing twice. Thread-safe; blocks on disk.
 *
 * <p>Refusals that come within a minute and say the same are one entry that grows; it is sent when
 * its minute is over. So is, for ten minutes, what {@link Thinning} leaves out. At most {@value
 * #MAX_ENTRIES} entries are kept, about 50 MB: the oldest go first, of those whose reading is in
 * the log already. No other age ends them.
 *
 * <p>Each row has a CRC-32C, and opening reads them all. A file that is damaged is set aside; rows
 * that can be read go into a new one, with an entry that says so.
 */
final class Ledger implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
  private static final String PUT_RELEASED = "INSERT INTO released VALUES (?, ?, ?, ?, ?, ?)";
  private static final String PUT_CUT = "INSERT OR REPLACE INTO cut VALUES (?, ?, ?)";
  private static final String PUT_ENTRY =
      "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  private static final int RESERVE = 3 << 19;
  private static final int MAX_ENTRIES = 200_000;
  private static final long REFUSALS_MILLIS = 60_000;
  private static final long THINNED_MILLIS = 600_000;

  /** By table, the columns after the key and before the checksum. */
  private static final Map<String, Integer> COLUMNS = Map.of("entry", 12, "released", 4, "cut", 1);

  private final Path file;
  private final InstantSource clock;
  private final Sqlite.Opener opener;
  private final int maxEntries;

  /** {@code null} after a failure, until the next use. */
  private Connection connection;

  /** Whether the file stays as it is, even if it is damaged. */
  private boolean readOnly;

  /** What takes back a change that failed, in this order; empty if the last one did not. */
  private List<Change> undo = List.of();

  /** How many entries there are; -1 until they are counted. */
  private long entries = -1;

  /**
   * An entry with what its reading to the platform needs.
   *
   * @param id in the ledger
   * @param stored when it was entered; event time of the reading
   */
  record Stored(long id, Instant stored, LedgerEntry entry) {}

  /** Positions that a forwarder no longer owes, because the ledger accounts for them. */
  record Release(String forwarder, StreamClass streamClass, long first, long end) {}

  private Ledger(Path file, InstantSource clock, Sqlite.Opener opener, int maxEntries) {
    this.file = file;
    this.clock = clock;
    this.opener = opener;
    this.maxEntries = maxEntries;
  }

  /** Opens the ledger. One that is damaged is set aside, and what can be read of it taken over. */
  static Ledger open(Path file, InstantSource clock, Sqlite.Opener opener) throws IOException {
    return open(file, clock, opener, MAX_ENTRIES);
  }

  static Ledger open(Path file, InstantSource clock, Sqlite.Opener opener, int maxEntries)
      throws IOException {
    Ledger ledger = new Ledger(file, clock, opener, maxEntries);
    try {
      ledger.connection = connect(file, opener);
    } catch (SQLException e) {
      // The statements are right, so an error in one is in the tables that the file tells of.
      if (!Sqlite.damaged(e) && e.getErrorCode() != SQLiteErrorCode.SQLITE_ERROR.code) {
        throw new IOException("Can't open " + file + ": " + e.getMessage(), e);
      }
      ledger.replace(e);
    }
    return ledger;
  }

  /**
   * Opens the ledger to look at it; the file stays as it is. If it is damaged, what can be read of
   * it is here, and nothing if it isn't there.
   */
  static Ledger openToRead(Path file, InstantSource clock, Sqlite.Opener opener)
      throws IOException {
    Ledger ledger = new Ledger(file, clock, opener, MAX_ENTRIES);
    ledger.readOnly = true;
    boolean there = Files.exists(file) && Files.size(file) > 0;
    try {
      if (there) {
        ledger.connection = connect(file, opener);
        return ledger;
      }
    } catch (SQLException e) {
      if (!Sqlite.damaged(e) && e.getErrorCode() != SQLiteErrorCode.SQLITE_ERROR.code) {
        throw new IOException("Can't open " + file + ": " + e.getMessage(), e);
      }
      LOG.error("{} is damaged", file, e);
    }
    try {
      Path nowhere = file.resolveSibling("ledger in memory");
      ledger.connection = connect(nowhere, (any, writable) -> Sqlite.inMemory());
      if (there) {
        ledger.copy(file);
        ledger.connection.commit();
      }
      return ledger;
    } catch (SQLException e) {
      throw new IOException("No ledger in memory: " + e.getMessage(), e);
    }
  }

  private static Connection connect(Path file, Sqlite.Opener opener)
      throws SQLException, IOException {
    boolean fresh = fresh(file);
    Connection connection = reconnect(file, opener);
    try {
      if (fresh) {
        // The change in between puts as much into the journal, which keeps its size.
        connection.setAutoCommit(true);
        Sqlite.execute(
            connection,
            "CREATE TABLE reserve (space BLOB)",
            "INSERT INTO reserve VALUES (randomblob(" + RESERVE + "))",
            "UPDATE reserve SET space = zeroblob(" + RESERVE + ")",
            "DROP TABLE reserve");
        connection.setAutoCommit(false);
      }
      Sqlite.execute(
          connection,
          "CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, stored INTEGER NOT NULL,"
              + " device TEXT NOT NULL, class TEXT NOT NULL, since TEXT NOT NULL,"
              + " until TEXT NOT NULL, since_millis INTEGER NOT NULL,"
              + " until_millis INTEGER NOT NULL, count INTEGER NOT NULL,"
              + " exact INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,"
              + " sent INTEGER NOT NULL, sum INTEGER NOT NULL)",
          "CREATE INDEX IF NOT EXISTS unsent ON entry(id) WHERE sent = 0",
          "CREATE TABLE IF NOT EXISTS released (id INTEGER PRIMARY KEY AUTOINCREMENT,"
              + " forwarder TEXT NOT NULL, class INTEGER NOT NULL, first INTEGER NOT NULL,"
              + " after INTEGER NOT NULL, sum INTEGER NOT NULL)",
          "CREATE TABLE IF NOT EXISTS cut (segment INTEGER PRIMARY KEY, level INTEGER NOT NULL,"
              + " sum INTEGER NOT NULL)");
      connection.commit();
      if (fresh) {
        Sqlite.syncDirectory(file.getParent());
      } else {
        verify(connection);
        if (!Sqlite.writable(file)) {
          throw new SQLiteException("Its header is damaged", SQLiteErrorCode.SQLITE_CORRUPT);
        }
      }
      return connection;
    } catch (SQLException | IOException e) {
      Sqlite.closeQuietly(connection);
      throw e;
    }
  }

  private static boolean fresh(Path file) throws IOException {
    return !Files.exists(file) || Files.size(file) == 0;
  }

  private static Connection reconnect(Path file, Sqlite.Opener opener) throws SQLException {
    Connection connection = opener.open(file, true);
    try {
      Sqlite.execute(connection, "PRAGMA journal_mode=PERSIST");
      connection.setAutoCommit(false);
      return connection;
    } catch (SQLException e) {
      Sqlite.closeQuietly(connection);
      throw e;
    }
  }

  private Connection connection() throws SQLException {
    if (connection == null) {
      try {
        connection = fresh(file) ? connect(file, opener) : reconnect(file, opener);
      } catch (IOException e) {
        throw new SQLException(e.getMessage(), e);
      }
    }
    return connection;
  }

  /** Fails as damaged if anything in the file is not as it was written. */
  private static void verify(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      try (ResultSet row = statement.executeQuery("PRAGMA integrity_check(1)")) {
        if (!row.next() || !"ok".equals(row.getString(1))) {
          throw new SQLiteException(row.getString(1), SQLiteErrorCode.SQLITE_CORRUPT);
        }
      }
      verifyNames(statement);
      for (Map.Entry<String, Integer> table : COLUMNS.entrySet()) {
        try (ResultSet rows = statement.executeQuery("SELECT * FROM " + table.getKey())) {
          while (rows.next()) {
            if (checked(rows, table.getValue()) == null) {
              throw new SQLiteException(
                  "Row " + rows.getLong(1) + " of " + table.getKey() + " has a wrong checksum",
                  SQLiteErrorCode.SQLITE_CORRUPT);
            }
          }
        }
      }
    }
    // SQLite looks at some of its own tables only when something is to be written.
    for (String statement : List.of(PUT_ENTRY, PUT_RELEASED, PUT_CUT)) {
      connection.prepareStatement(statement).close();
    }
    connection.commit();
  }

  /** What the tables are called stands in the file, too. */
  private static void verifyNames(Statement statement) throws SQLException {
    try {
      statement
          .executeQuery(
              "SELECT id, stored, device, class, since, until, since_millis, until_millis, count,"
                  + " exact, reason, detail, sent, sum FROM entry WHERE false")
          .close();
      statement
          .executeQuery("SELECT id, forwarder, class, first, after, sum FROM released WHERE false")
          .close();
      statement.executeQuery("SELECT segment, level, sum FROM cut WHERE false").close();
    } catch (SQLException e) {
      throw new SQLiteException(e.getMessage(), SQLiteErrorCode.SQLITE_CORRUPT);
    }
  }

  /** Sets the damaged file aside, and goes on in a new one with what can be read of it. */
  private void replace(SQLException why) throws IOException {
    giveUp();
    Path aside = file.resolveSibling(file.getFileName() + "." + clock.millis() + ".damaged");
    LOG.error("{} is damaged and is set aside as {}", file, aside.getFileName(), why);
    Files.move(file, aside);
    Files.deleteIfExists(file.resolveSibling(file.getFileName() + "-journal"));
    try {
      connection = connect(file, opener);
      int saved = copy(aside);
      for (Change each : undo) {
        each.run();
      }
      undo = new ArrayList<>();
      put(
          List.of(
              new LedgerEntry(
                  LedgerEntry.ALL,
                  LedgerEntry.ALL,
                  Instant.EPOCH,
                  clock.instant(),
                  0,
                  false,
                  LedgerEntry.Reason.DAMAGED,
                  "The loss ledger itself was damaged and is set aside as "
                      + aside.getFileName()
                      + "; "
                      + saved
                      + " of its rows could be read.")),
          List.of(),
          true);
      connection.commit();
      undo = List.of();
    } catch (SQLException e) {
      throw new IOException("Can't make " + file + ": " + e.getMessage(), e);
    }
  }

  /** Takes over what can be read of a damaged file; returns how many rows that is. */
  private int copy(Path damaged) {
    int saved = 0;
    try (Connection from = opener.open(damaged, false)) {
      for (Map.Entry<String, Integer> table : COLUMNS.entrySet()) {
        saved += copy(from, table.getKey(), table.getValue(), "ASC");
        saved += copy(from, table.getKey(), table.getValue(), "DESC");
      }
    } catch (SQLException e) {
      LOG.warn("Nothing more in {} can be read", damaged.getFileName(), e);
    }
    return saved;
  }

  /** Copies rows in one order until one can't be reached; what is damaged is left out. */
  private int copy(Connection from, String table, int columns, String order) throws SQLException {
    int copied = 0;
    try (Statement statement = from.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT * FROM " + table + " ORDER BY rowid " + order);
        PreparedStatement put =
            connection.prepareStatement(
                "INSERT OR IGNORE INTO "
                    + table
                    + " VALUES (?"
                    + ", ?".repeat(columns + 1)
                    + ")")) {
      while (rows.next()) {
        Object[] values = checked(rows, columns);
        if (values != null) {
          put.setLong(1, rows.getLong(1));
          set(put, values);
          copied += put.executeUpdate();
        }
      }
    } catch (SQLException e) {
      if (!Sqlite.damaged(e) && e.getErrorCode() != SQLiteErrorCode.SQLITE_ERROR.code) {
        throw e;
      }
      LOG.debug("The rest of {} can't be reached", table, e);
    }
    return copied;
  }

  /** The columns of a row after its key; {@code null} if they are not what was written. */
  private static Object[] checked(ResultSet row, int columns) throws SQLException {
    Object[] values = new Object[columns];
    for (int i = 0; i < columns; i++) {
      values[i] = row.getObject(i + 2);
    }
    return sum(values) == row.getLong(columns + 2) ? values : null;
  }

  private static long sum(Object... values) {
    ByteWriter out = new ByteWriter();
    for (Object value : values) {
      out.text(String.valueOf(value));
    }
    CRC32C sum = new CRC32C();
    sum.update(out.toBytes());
    return sum.getValue();
  }

  /** Sets the columns of a row after its key, and its checksum. */
  private static void set(PreparedStatement put, Object... values) throws SQLException {
    for (int i = 0; i < values.length; i++) {
      put.setObject(i + 2, values[i]);
    }
    put.setLong(values.length + 2, sum(values));
  }

  /**
   * Enters gaps together with what they release.
   *
   * @param toPlatform whether the entries are to be sent as readings
   */
  synchronized void store(List<LedgerEntry> gaps, List<Release> releases, boolean toPlatform)
      throws IOException {
    change(() -> put(gaps, releases, toPlatform));
  }

  /**
   * Enters gaps together with what they release and with the decision that makes them: what stands
   * beside the segment's file as {@link Segment#replacement} is to take its place.
   */
  synchronized void store(List<LedgerEntry> gaps, List<Release> releases, long segment, int level)
      throws IOException {
    change(
        () -> {
          put(gaps, releases, true);
          Integer before = decided().get(segment);
          undo.add(0, before == null ? () -> undecide(segment) : () -> decide(segment, before));
          decide(segment, level);
        });
  }

  private void decide(long segment, int level) throws SQLException {
    try (PreparedStatement put = connection().prepareStatement(PUT_CUT)) {
      put.setLong(1, segment);
      set(put, level);
      put.executeUpdate();
    }
  }

  private void undecide(long segment) throws SQLException {
    Sqlite.execute(connection(), "DELETE FROM cut WHERE segment = " + segment);
  }

  /** What was decided to take out of segments, by their number, and may not be done yet. */
  synchronized Map<Long, Integer> cuts() throws IOException {
    try {
      Map<Long, Integer> cuts = decided();
      connection().commit();
      return cuts;
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private Map<Long, Integer> decided() throws SQLException {
    Map<Long, Integer> cuts = new HashMap<>();
    try (Statement statement = connection().createStatement();
        ResultSet rows = statement.executeQuery("SELECT segment, level FROM cut")) {
      while (rows.next()) {
        cuts.put(rows.getLong(1), rows.getInt(2));
      }
    }
    return cuts;
  }

  /** Forgets a decision: it is done. */
  synchronized void forgetCut(long segment) throws IOException {
    change(() -> undecide(segment));
  }

  private void put(List<LedgerEntry> gaps, List<Release> releases, boolean toPlatform)
      throws SQLException {
    long added = 0;
    try (PreparedStatement put = connection().prepareStatement(PUT_ENTRY)) {
      for (LedgerEntry entry : gaps) {
        long joined = joinedMillis(entry);
        if (joined > 0 && join(entry, toPlatform, joined)) {
          continue;
        }
        added++;
        set(
            put,
            clock.millis(),
            entry.device(),
            entry.streamClass(),
            entry.from().toString(),
            entry.to().toString(),
            RowHead.floorMillis(entry.from()),
            RowHead.ceilMillis(entry.to()),
            entry.count(),
            entry.exact() ? 1 : 0,
            entry.reason().name(),
            entry.detail(),
            toPlatform ? 0 : 1);
        put.executeUpdate();
      }
    }
    try (PreparedStatement put = connection().prepareStatement(PUT_RELEASED)) {
      for (Release release : releases) {
        set(
            put,
            release.forwarder(),
            release.streamClass().ordinal(),
            release.first(),
            release.end());
        put.executeUpdate();
      }
    }
    bound(added);
  }

  /** How long after it was made an entry that says the same is added to it; 0 if never. */
  private static long joinedMillis(LedgerEntry entry) {
    if (entry.reason() == LedgerEntry.Reason.REFUSED) {
      return REFUSALS_MILLIS;
    }
    return entry.detail().equals(Thinning.WHY) ? THINNED_MILLIS : 0;
  }

  /** Adds an entry to a young one that says the same; false if there is none. */
  private boolean join(LedgerEntry entry, boolean toPlatform, long joinedMillis)
      throws SQLException {
    try (PreparedStatement find =
        connection()
            .prepareStatement(
                "SELECT id, since, until FROM entry WHERE id > (SELECT max(id) FROM entry) - 1000"
                    + " AND stored > ? AND sent = ? AND device = ? AND class = ? AND exact = ?"
                    + " AND reason = ? AND detail = ? ORDER BY id DESC LIMIT 1")) {
      find.setLong(1, clock.millis() - joinedMillis);
      find.setBoolean(2, !toPlatform);
      find.setString(3, entry.device());
      find.setString(4, entry.streamClass());
      find.setBoolean(5, entry.exact());
      find.setString(6, entry.reason().name());
      find.setString(7, entry.detail());
      try (ResultSet row = find.executeQuery()) {
        if (!row.next()) {
          return false;
        }
        Instant from = Instant.parse(row.getString("since"));
        Instant to = Instant.parse(row.getString("until"));
        from = entry.from().isBefore(from) ? entry.from() : from;
        to = entry.to().isAfter(to) ? entry.to() : to;
        Instant since = from;
        Instant until = to;
        long id = row.getLong("id");
        return rewrite(
            id,
            values -> {
              Object[] before = values.clone();
              undo.add(
                  0,
                  () -> rewrite(id, grown -> System.arraycopy(before, 0, grown, 0, before.length)));
              values[3] = since.toString();
              values[4] = until.toString();
              values[5] = RowHead.floorMillis(since);
              values[6] = RowHead.ceilMillis(until);
              values[7] = ((Number) values[7]).longValue() + entry.count();
            });
      }
    }
  }

  /**
   * Changes an entry; its values are in the order of the columns, without the key.
   *
   * @return whether it is there, undamaged
   */
  private boolean rewrite(long id, Consumer<Object[]> change) throws SQLException {
    try (PreparedStatement find =
            connection().prepareStatement("SELECT * FROM entry WHERE id = ?");
        PreparedStatement put = connection().prepareStatement(PUT_ENTRY)) {
      find.setLong(1, id);
      try (ResultSet row = find.executeQuery()) {
        Object[] values = row.next() ? checked(row, COLUMNS.get("entry")) : null;
        if (values == null) {
          return false;
        }
        change.accept(values);
        put.setLong(1, id);
        set(put, values);
        put.executeUpdate();
        return true;
      }
    }
  }

  /** Deletes what is beyond the bound, a hundredth of it at once. */
  private void bound(long added) throws SQLException {
    try (Statement statement = connection().createStatement()) {
      if (entries < 0) {
        try (ResultSet row = statement.executeQuery("SELECT count(*) FROM entry")) {
          row.next();
          entries = row.getLong(1);
        }
      } else {
        entries += added;
      }
      if (entries <= maxEntries) {
        return;
      }
      long excess = entries - maxEntries + maxEntries / 100;
      String oldest =
          "DELETE FROM entry WHERE id IN (SELECT id FROM entry %s ORDER BY id LIMIT %d)";
      long gone = statement.executeUpdate(oldest.formatted("WHERE sent = 1", excess));
      if (gone < excess) {
        long unsent = statement.executeUpdate(oldest.formatted("", excess - gone));
        LOG.error("{} entries of the loss ledger are given up before they could be sent", unsent);
        gone += unsent;
      }
      entries -= gone;
    }
  }

  /** Entries whose reading is not in the log yet and that don't grow any more, oldest first. */
  synchronized List<Stored> unsent(int limit) throws IOException {
    takeBack();
    return query(
        "SELECT * FROM entry WHERE sent = 0 AND (reason <> 'REFUSED' OR stored <= ?)"
            + (" AND (detail <> '" + Thinning.WHY + "' OR stored <= ?)")
            + " ORDER BY id LIMIT ?",
        clock.millis() - REFUSALS_MILLIS,
        clock.millis() - THINNED_MILLIS,
        limit);
  }

  synchronized void markSent(List<Stored> entries) throws IOException {
    change(
        () -> {
          for (Stored entry : entries) {
            rewrite(entry.id(), values -> values[11] = 1);
          }
        });
  }

  /** Entries that touch a span of event time, oldest first. */
  synchronized List<LedgerEntry> entries(Instant from, Instant to, int limit) throws IOException {
    return query(
            "SELECT * FROM entry WHERE until_millis >= ? AND since_millis <= ?"
                + " ORDER BY since_millis, id LIMIT ?",
            RowHead.floorMillis(from),
            RowHead.ceilMillis(to),
            limit)
        .stream()
        .map(Stored::entry)
        .toList();
  }

  /**
   * Entries of a device, and of all, that touch a span of event time, oldest first.
   *
   * @param from inclusive
   * @param to exclusive
   */
  List<LedgerEntry> entries(String device, Instant from, Instant to, int limit) throws IOException {
    List<LedgerEntry> found = new ArrayList<>();
    synchronized (this) {
      try (PreparedStatement query =
          connection.prepareStatement(
              "SELECT * FROM entry WHERE device IN (?, '"
                  + LedgerEntry.ALL
                  + "')"
                  + " AND until_millis >= ? AND since_millis <= ?"
                  + " ORDER BY since_millis, id")) {
        query.setString(1, device);
        query.setLong(2, RowHead.floorMillis(from));
        query.setLong(3, RowHead.ceilMillis(to));
        try (ResultSet rows = query.executeQuery()) {
          while (found.size() < limit && rows.next()) {
            LedgerEntry entry = stored(rows).entry();
            // The table's times are rounded outwards.
            if (!entry.to().isBefore(from) && entry.from().isBefore(to)) {
              found.add(entry);
            }
          }
        }
        connection.commit();
      } catch (SQLException e) {
        throw failed(e);
      }
    }
    return found;
  }

  /** What is wrong with the file, {@code ""} if nothing is. Writers wait meanwhile. */
  String check() {
    try (Connection apart = opener.open(file, false)) {
      apart.setAutoCommit(false);
      verify(apart);
      return "";
    } catch (SQLException e) {
      return e.getMessage();
    }
  }

  Path file() {
    return file;
  }

  /** What was released and may not yet stand in the state of delivery. */
  synchronized List<Release> releases() throws IOException {
    List<Release> releases = new ArrayList<>();
    try (Statement statement = connection().createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT forwarder, class, first, after FROM released")) {
      while (rows.next()) {
        releases.add(
            new Release(
                rows.getString(1),
                StreamClass.values()[rows.getInt(2)],
                rows.getLong(3),
                rows.getLong(4)));
      }
      connection().commit();
      return releases;
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  /** Number of the latest release, for {@link #forgetReleases}; 0 if there is none. */
  synchronized long lastRelease() throws IOException {
    try (Statement statement = connection().createStatement();
        ResultSet row = statement.executeQuery("SELECT coalesce(max(id), 0) FROM released")) {
      row.next();
      long last = row.getLong(1);
      connection().commit();
      return last;
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  /** Forgets releases up to that number: they stand in the state of delivery now. */
  synchronized void forgetReleases(long last) throws IOException {
    change(() -> Sqlite.execute(connection(), "DELETE FROM released WHERE id <= " + last));
  }

  @Override
  public synchronized void close() {
    Sqlite.closeQuietly(connection);
  }

  private List<Stored> query(String sql, long... arguments) throws IOException {
    List<Stored> found = new ArrayList<>();
    try (PreparedStatement query = connection().prepareStatement(sql)) {
      for (int i = 0; i < arguments.length; i++) {
        query.setLong(i + 1, arguments[i]);
      }
      try (ResultSet rows = query.executeQuery()) {
        while (rows.next()) {
          found.add(stored(rows));
        }
      }
      connection().commit();
      return found;
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static Stored stored(ResultSet row) throws SQLException {
    if (checked(row, COLUMNS.get("entry")) == null) {
      throw new SQLiteException(
          "Entry " + row.getLong("id") + " has a wrong checksum", SQLiteErrorCode.SQLITE_CORRUPT);
    }
    return new Stored(
        row.getLong("id"),
        Instant.ofEpochMilli(row.getLong("stored")),
        new LedgerEntry(
            row.getString("device"),
            row.getString("class"),
            Instant.parse(row.getString("since")),
            Instant.parse(row.getString("until")),
            row.getLong("count"),
            row.getBoolean("exact"),
            LedgerEntry.Reason.valueOf(row.getString("reason")),
            row.getString("detail")));
  }

  private interface Change {
    void run() throws SQLException;
  }

  private void change(Change change) throws IOException {
    takeBack();
    boolean done = false;
    try {
      undo = new ArrayList<>();
      long entry = last("entry");
      long released = last("released");
      undo.add(
          0,
          () ->
              Sqlite.execute(
                  connection(),
                  "DELETE FROM entry WHERE id > " + entry,
                  "DELETE FROM released WHERE id > " + released));
      change.run();
      connection().commit();
      undo = List.of();
      done = true;
    } catch (SQLException e) {
      throw failed(e);
    } finally {
      if (!done) {
        giveUp();
      }
    }
  }

  private long last(String table) throws SQLException {
    try (Statement statement = connection().createStatement();
        ResultSet row = statement.executeQuery("SELECT coalesce(max(id), 0) FROM " + table)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** Takes back what a change that was told as failed may have left. */
  private void takeBack() throws IOException {
    if (undo.isEmpty()) {
      return;
    }
    try {
      for (Change each : undo) {
        each.run();
      }
      connection().commit();
      undo = List.of();
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private IOException failed(SQLException e) {
    giveUp();
    if (Sqlite.damaged(e) && !readOnly) {
      // Whoever asked tries again, or finds what could be saved the next time.
      try {
        replace(e);
      } catch (IOException again) {
        e.addSuppressed(again);
      }
    }
    return new IOException("Loss ledger " + file + ": " + e.getMessage(), e);
  }

  /** A connection of which something has failed may be in any state; it is not used again. */
  private void giveUp() {
    entries = -1;
    Sqlite.closeQuietly(connection);
    connection = null;
  }
}
