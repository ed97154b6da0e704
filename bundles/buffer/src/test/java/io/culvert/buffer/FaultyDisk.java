package io.culvert.buffer;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** SQLite on a disk that fails at a chosen step: of files whose names begin as given. */
final class FaultyDisk implements Sqlite.Opener {
  private static final Set<String> STEPS = Set.of("createStatement", "prepareStatement", "commit");

  private final String name;
  private volatile int steps;
  private volatile int failing = -1;
  private volatile boolean late;
  private volatile boolean reached;
  private volatile boolean wasCommit;
  private volatile boolean lies;
  private volatile boolean broken;
  private volatile CountDownLatch hang = new CountDownLatch(0);

  FaultyDisk(String name) {
    this.name = name;
  }

  /**
   * Fails once, at a step counted from the next.
   *
   * @param afterwards whether a commit has come to the disk all the same
   */
  FaultyDisk failAt(int step, boolean afterwards) {
    late = afterwards;
    reached = false;
    wasCommit = false;
    steps = 0;
    failing = step;
    return this;
  }

  /** Does not fail any more; returns whether it did. */
  boolean mend() {
    failing = -1;
    return reached;
  }

  /** Whether the step that failed was a commit. */
  boolean failedCommit() {
    return wasCommit;
  }

  /** Fails from the next commit on, which comes to the disk all the same. */
  void lie() {
    lies = true;
  }

  /** Fails from now on at every step, or works again. */
  void broken(boolean now) {
    broken = now;
  }

  /** Answers to no commit from now on until this is released. */
  CountDownLatch hang() {
    hang = new CountDownLatch(1);
    return hang;
  }

  /** Steps so far. */
  int steps() {
    return steps;
  }

  @Override
  public Connection open(Path file, boolean writable) throws SQLException {
    if (!file.getFileName().toString().startsWith(name)) {
      return Sqlite.open(file, writable);
    }
    if (step()) {
      throw failure();
    }
    Connection connection = Sqlite.open(file, writable);
    return (Connection)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              boolean commit = method.getName().equals("commit");
              if (commit) {
                hang.await();
              }
              boolean lie = commit && lies;
              boolean fails = lie || STEPS.contains(method.getName()) && step();
              wasCommit |= fails && commit;
              if (fails && !lie && !(commit && late)) {
                throw failure();
              }
              try {
                Object result = method.invoke(connection, arguments);
                if (lie) {
                  lies = false;
                  broken = true;
                }
                if (fails) {
                  throw failure();
                }
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private boolean step() {
    boolean now = steps++ == failing;
    reached |= now;
    return now || broken;
  }

  private static SQLException failure() {
    return new SQLiteException("sync failed", SQLiteErrorCode.SQLITE_IOERR_FSYNC);
  }
}
