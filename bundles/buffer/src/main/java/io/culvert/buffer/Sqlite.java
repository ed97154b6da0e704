package io.culvert.buffer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** How the buffer's SQLite files are opened. */
final class Sqlite {
  /** Opens a file; tests put bounds on it. */
  @FunctionalInterface
  interface Opener {
    Connection open(Path file, boolean writable) throws SQLException;
  }

  private Sqlite() {}

  /**
   * Every commit is synced before it returns: in WAL mode that is one fsync of the log, and those
   * of a checkpoint each 1000 pages. The log's own directory entry is synced by SQLite.
   */
  static Connection open(Path file, boolean writable) throws SQLException {
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(!writable);
    config.setBusyTimeout(10_000);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    // In KiB; the default of 2 MiB a connection adds up.
    config.setCacheSize(-512);
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl("jdbc:sqlite:" + file.toAbsolutePath());
    return source.getConnection();
  }

  /** A database without a file. */
  static Connection inMemory() throws SQLException {
    SQLiteDataSource source = new SQLiteDataSource();
    source.setUrl("jdbc:sqlite::memory:");
    return source.getConnection();
  }

  static void execute(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** Brings the log of a file into it, synced, and begins a new one. Outside a transaction. */
  static void takeInLog(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(TRUNCATE)")) {
      if (!row.next() || row.getInt(1) != 0) {
        throw new SQLException("The log can't be taken in: another process reads the file");
      }
    }
  }

  /** Whether the file's content is at fault, not the disk or another process. */
  static boolean damaged(SQLException e) {
    if (!(e instanceof SQLiteException)) {
      return false;
    }
    SQLiteErrorCode code = ((SQLiteException) e).getResultCode();
    return (code.code & 0xFF) == SQLiteErrorCode.SQLITE_CORRUPT.code
        || code == SQLiteErrorCode.SQLITE_NOTADB
        // Shorter than its own header says: cut.
        || code == SQLiteErrorCode.SQLITE_IOERR_SHORT_READ;
  }

  /**
   * Whether a file that is there, and is ours, can't be read for what is in it: damaged, without
   * its tables, or found wrong by whoever reads it.
   */
  static boolean unreadable(SQLException e) {
    return damaged(e)
        || !(e instanceof SQLiteException)
        || e.getErrorCode() == SQLiteErrorCode.SQLITE_ERROR.code;
  }

  /**
   * Whether a file's header lets it be written; one bit there makes SQLite take it for read-only
   * (sqlite.org/fileformat2.html, "File format version numbers").
   */
  static boolean writable(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(19);
      return start.length < 19 || start[18] >= 0 && start[18] <= 2;
    }
  }

  /** Closes what is given up anyway. */
  static void closeQuietly(AutoCloseable closeable) {
    if (closeable == null) {
      return;
    }
    try {
      closeable.close();
    } catch (Exception ignored) {
      // What it held is either committed or told as failed already.
    }
  }

  /** Makes creation and deletion of files in a directory survive a power cut. */
  static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
