package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gathers readings and commits them together: an alarm at once, others when the commit interval has
 * passed since the first of them came or enough has gathered. Nothing but the loop writes.
 */
final class Acceptor {
  /** What is done around a commit, on the writing thread. */
  interface Listener {
    /** May refuse the commit by failing. */
    void before(List<Reading> readings) throws IOException;

    void committed(int readings);
  }

  private static final Logger LOG = LoggerFactory.getLogger(Acceptor.class);

  /** Bounds on what waits for its commit. */
  static final int MAX_READINGS = 200_000;

  static final int MAX_BYTES = 64 << 20;

  /** So that a row, which holds one at least, can be read back. */
  static final int MAX_READING_BYTES = 1 << 20;

  /** Unpacked; about 64 KiB on disk. */
  private static final int COMMIT_BYTES = 256 << 10;

  private final Store store;
  private final Supplier<Settings> settings;
  private final Loop writer;
  private final Loop answers;
  private final Listener listener;

  private List<Waiting> waiting = new ArrayList<>();
  private int readings;
  private long bytes;
  private boolean scheduled;
  private boolean urgent;
  private boolean closed;
  private volatile String problem = "";

  private record Waiting(List<Reading> readings, CompletableFuture<Void> answer) {}

  Acceptor(Store store, Supplier<Settings> settings, Loop writer, Loop answers, Listener listener) {
    this.store = store;
    this.settings = settings;
    this.writer = writer;
    this.answers = answers;
    this.listener = listener;
  }

  CompletionStage<Void> accept(List<Reading> given) {
    List<Reading> copy = List.copyOf(given);
    if (copy.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    long weight = 0;
    boolean alarm = false;
    for (Reading reading : copy) {
      int each = Weight.of(reading);
      if (each > MAX_READING_BYTES) {
        return CompletableFuture.failedFuture(
            new IllegalArgumentException(
                "Reading of "
                    + reading.device()
                    + "/"
                    + reading.point()
                    + " takes "
                    + each
                    + " bytes; at most "
                    + MAX_READING_BYTES
                    + " are taken"));
      }
      weight += each;
      alarm |= reading.streamClass() == StreamClass.ALARM;
    }
    CompletableFuture<Void> answer = new CompletableFuture<>();
    synchronized (this) {
      if (closed) {
        return CompletableFuture.failedFuture(
            new RejectedExecutionException("The buffer is stopped"));
      }
      if (readings + copy.size() > MAX_READINGS || bytes + weight > MAX_BYTES) {
        return CompletableFuture.failedFuture(
            new RejectedExecutionException(
                readings
                    + " readings wait for the disk; the bound is "
                    + MAX_READINGS
                    + " readings or "
                    + (MAX_BYTES >> 20)
                    + " MiB"));
      }
      waiting.add(new Waiting(copy, answer));
      readings += copy.size();
      bytes += weight;
      if ((alarm || bytes >= COMMIT_BYTES) && !urgent) {
        urgent = true;
        writer.execute(this::commit);
      } else if (!scheduled && !urgent) {
        scheduled = true;
        writer.schedule(this::commitOnTime, settings.get().commitInterval());
      }
    }
    return answer;
  }

  private void commitOnTime() {
    synchronized (this) {
      scheduled = false;
    }
    commit();
  }

  private void commit() {
    List<Waiting> taken;
    int count;
    synchronized (this) {
      urgent = false;
      taken = waiting;
      count = readings;
      waiting = new ArrayList<>();
      readings = 0;
      bytes = 0;
    }
    if (taken.isEmpty()) {
      return;
    }
    List<Reading> all = new ArrayList<>(count);
    taken.forEach(each -> all.addAll(each.readings()));
    try {
      listener.before(all);
      store.append(all);
    } catch (IOException | RuntimeException | LinkageError e) {
      if (problem.isEmpty()) {
        LOG.error("Readings can't be committed; later ones are tried again", e);
      }
      IOException failure =
          e instanceof IOException io ? io : new IOException("Can't be committed: " + e, e);
      problem = failure.getMessage();
      answers.execute(() -> taken.forEach(each -> each.answer().completeExceptionally(failure)));
      return;
    }
    if (!problem.isEmpty()) {
      LOG.info("Readings are committed again");
      problem = "";
    }
    listener.committed(count);
    answers.execute(() -> taken.forEach(each -> each.answer().complete(null)));
  }

  /** Readings that wait for their commit. */
  synchronized long pending() {
    return readings;
  }

  /** Why the last commit failed; {@code ""} if it did not. */
  String problem() {
    return problem;
  }

  /** Takes nothing any more and commits what waits. */
  void close() {
    synchronized (this) {
      closed = true;
    }
    writer.execute(this::commit);
    // Whatever is scheduled finds nothing.
    writer.schedule(() -> {}, Duration.ZERO);
    writer.close();
  }
}
