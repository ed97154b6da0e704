package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.buffer.Window.Call;
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
 * passed since the first of them came or enough has gathered. Nothing but the writing loop writes.
 *
 * <p>While the disk refuses, readings are held in memory and the commit is tried again, after
 * pauses that grow from 250 ms to 5 s, for an alarm each second. When it works again, all that is
 * held is committed in the order in which it came. A disk that doesn't answer holds up nobody but
 * the writing loop.
 *
 * <p>At most {@value #MAX_READINGS} readings and {@value #MAX_BYTES} bytes by {@link Weight} wait,
 * which take about 50 MB of memory at worst: at 100 readings a second, half an hour. Beyond that
 * the oldest of the least important are given up, as they came: those with telemetry only, then
 * with states, events, alarms. What a failed commit may have left on the disk is never given up
 * before the disk has taken it back, so nothing is both stored and told as refused.
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

  static final int MAX_BYTES = 16 << 20;

  /** So that a row, which holds one at least, can be read back. */
  static final int MAX_READING_BYTES = 1 << 20;

  /** Unpacked; about 64 KiB on disk. */
  private static final int COMMIT_BYTES = 256 << 10;

  /** Of one commit; a call that is larger is committed alone. */
  private static final int MAX_COMMIT_BYTES = 1 << 20;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);
  private static final Duration ALARM_PAUSE = Duration.ofSeconds(1);

  /** A commit that takes longer tells of a disk that doesn't answer. */
  private static final Duration SILENCE = Duration.ofSeconds(10);

  private final Store store;
  private final DiskState disk;
  private final Supplier<Duration> interval;
  private final Loop writer;
  private final Loop answers;
  private final Listener listener;

  private final Window window = new Window(MAX_READINGS, MAX_BYTES);
  private boolean scheduled;
  private boolean urgent;
  private boolean closed;

  /** Whether the last commit left something behind. */
  private volatile boolean lost;

  private DiskState.Finding found = DiskState.works();

  /** Times of the writing loop, in nanoseconds. */
  private long refusingSince;

  private long lastTry;
  private Duration pause = Duration.ZERO;
  private long givenUp;

  /** Whether a commit runs, and since when. */
  private boolean committing;

  private long committingSince;
  private boolean watching;

  /** Of the writing loop: what is being committed, or was in the last commit, which failed. */
  private List<Call> inHand = List.of();

  /**
   * @param disk explains failures
   * @param interval between commits
   */
  Acceptor(
      Store store,
      DiskState disk,
      Supplier<Duration> interval,
      Loop writer,
      Loop answers,
      Listener listener) {
    this.store = store;
    this.disk = disk;
    this.interval = interval;
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
    StreamClass first = StreamClass.TELEMETRY;
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
      first = reading.streamClass().compareTo(first) < 0 ? reading.streamClass() : first;
    }
    List<Call> gone = new ArrayList<>();
    Call call;
    Exception reason;
    synchronized (this) {
      if (closed) {
        return CompletableFuture.failedFuture(
            new RejectedExecutionException("The buffer is stopped"));
      }
      call = window.add(copy, first, weight, gone);
      reason = call == null || !gone.isEmpty() ? noRoom() : null;
      gone.forEach(each -> givenUp += each.readings().size());
      if (call == null) {
        givenUp += copy.size();
      } else {
        arm(first == StreamClass.ALARM);
      }
    }
    fail(gone, reason);
    return call == null ? CompletableFuture.failedFuture(reason) : call.answer();
  }

  private Exception noRoom() {
    String why =
        window.readings()
            + " readings wait for the disk; the bound is "
            + MAX_READINGS
            + " readings or "
            + (MAX_BYTES >> 20)
            + " MiB";
    DiskState.Finding now = finding();
    return now.works()
        ? new RejectedExecutionException(why)
        : new IOException(why + ". " + now.problem());
  }

  /** Sees to it that there is a commit. */
  private void arm(boolean alarm) {
    boolean refusing = !found.works();
    boolean now =
        refusing
            ? alarm && writer.nanos() - lastTry >= ALARM_PAUSE.toNanos()
            : alarm || window.bytes() >= COMMIT_BYTES;
    if (now && !urgent) {
      urgent = true;
      writer.execute(this::commit);
    } else if (!scheduled && !urgent) {
      schedule(refusing ? pause : interval.get());
    }
  }

  private void schedule(Duration delay) {
    scheduled = true;
    writer.schedule(this::commitOnTime, delay);
  }

  private void commitOnTime() {
    synchronized (this) {
      scheduled = false;
      long left = lastTry + pause.toNanos() - writer.nanos();
      if (!found.works() && left > 0) {
        schedule(Duration.ofNanos(left));
        return;
      }
    }
    commit();
  }

  /** Commits all that waits, as long as the disk takes it. */
  private void commit() {
    while (true) {
      synchronized (this) {
        urgent = false;
        if (inHand.isEmpty()) {
          inHand = window.take(MAX_COMMIT_BYTES);
        }
        if (inHand.isEmpty()) {
          return;
        }
        committing = true;
        committingSince = writer.nanos();
        watchLater();
      }
      if (!commitInHand()) {
        return;
      }
    }
  }

  /** Whether to go on. */
  private boolean commitInHand() {
    List<Reading> all = new ArrayList<>();
    inHand.forEach(call -> all.addAll(call.readings()));
    try {
      listener.before(all);
      store.append(all);
    } catch (IOException e) {
      refused(e);
      return false;
    } catch (RuntimeException | LinkageError e) {
      // Not the disk is at fault but these; others must not wait for them.
      LOG.error("{} readings can't be stored", all.size(), e);
      List<Call> failed = takenOver();
      fail(failed, new IOException("Can't be stored: " + e, e));
      return true;
    }
    List<Call> done = takenOver();
    listener.committed(all.size());
    answers.execute(() -> done.forEach(call -> call.answer().complete(null)));
    works();
    return true;
  }

  private synchronized List<Call> takenOver() {
    List<Call> calls = inHand;
    inHand = List.of();
    window.done();
    committing = false;
    return calls;
  }

  private void refused(IOException failure) {
    DiskState.Finding finding = disk.refused(failure);
    boolean news;
    synchronized (this) {
      committing = false;
      news = found.state() != finding.state();
      if (found.works()) {
        refusingSince = writer.nanos();
        givenUp = 0;
      }
      pause = longer(pause);
      found = finding;
      lastTry = writer.nanos();
      if (!scheduled) {
        schedule(pause);
      }
    }
    if (news) {
      LOG.error("Readings are held in memory. {}", finding.problem(), failure);
    }
  }

  private static Duration longer(Duration pause) {
    if (pause.isZero()) {
      return FIRST_PAUSE;
    }
    Duration twice = pause.multipliedBy(2);
    return twice.compareTo(LONGEST_PAUSE) < 0 ? twice : LONGEST_PAUSE;
  }

  private void works() {
    long since;
    long lost;
    synchronized (this) {
      if (found.works()) {
        return;
      }
      found = DiskState.works();
      pause = Duration.ZERO;
      since = writer.nanos() - refusingSince;
      lost = givenUp;
    }
    LOG.info(
        "The disk takes readings again after {} s; {} are held and committed now, {} were given up",
        Duration.ofNanos(since).toSeconds(),
        pending(),
        lost);
  }

  private void watchLater() {
    if (!watching) {
      watching = true;
      answers.schedule(this::watch, SILENCE);
    }
  }

  /** Tells once of a commit that takes too long; on the loop for answers. */
  private void watch() {
    DiskState.Finding finding;
    synchronized (this) {
      watching = false;
      if (!committing) {
        return;
      }
      finding = finding();
      if (finding.works()) {
        watchLater();
        return;
      }
      if (!found.works()) {
        return;
      }
      found = finding;
      refusingSince = committingSince;
      givenUp = 0;
    }
    LOG.error("Readings are held in memory. {}", finding.problem());
  }

  private void fail(List<Call> calls, Exception reason) {
    if (!calls.isEmpty()) {
      answers.execute(() -> calls.forEach(call -> call.answer().completeExceptionally(reason)));
    }
  }

  /** Readings that wait for their commit. */
  synchronized long pending() {
    return window.readings();
  }

  /** What the disk does at this moment. Never waits for it. */
  synchronized DiskState.Finding finding() {
    if (committing) {
      Duration since = Duration.ofNanos(writer.nanos() - committingSince);
      if (since.compareTo(SILENCE) >= 0) {
        return disk.silent(since);
      }
    }
    return found;
  }

  /**
   * Takes nothing any more and commits what waits; what the disk doesn't take now is refused.
   *
   * @return whether all of it was committed
   */
  boolean close() {
    synchronized (this) {
      closed = true;
    }
    writer.execute(this::commitLast);
    writer.close();
    return !lost && !hangs();
  }

  /** Whether a commit is under way. After {@link #close}, one that the disk doesn't answer. */
  synchronized boolean hangs() {
    return committing;
  }

  private void commitLast() {
    commit();
    List<Call> left = new ArrayList<>(inHand);
    inHand = List.of();
    String problem;
    synchronized (this) {
      left.addAll(window.take(Long.MAX_VALUE));
      problem = found.problem();
    }
    fail(left, new IOException("The buffer is stopped. " + problem));
    lost = !left.isEmpty();
  }
}
