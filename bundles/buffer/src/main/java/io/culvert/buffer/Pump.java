package io.culvert.buffer;

import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what one forwarder owes. All work is done on a loop of its own, woken by commits, by
 * completed sends and by the forwarder; so a slow forwarder holds up itself only.
 *
 * <p>A <em>connection</em> lasts from the moment the forwarder is ready until it isn't, or a send
 * fails. What was committed before it is historical in it. After a failure nothing is sent until
 * all that was in flight is answered; then everything still owed goes out again, in order. A
 * confirmation that arrives after an earlier batch of its class has failed does not count, so that
 * the platform gets what follows the failed batch after it once more.
 *
 * <p>A forwarder that doesn't answer holds up nothing for ever: what is in flight {@value
 * #LOST_SECONDS} s after its link was lost, or {@value #SILENT_SECONDS} s after it was sent and
 * nothing sent before it was answered any more, is given up and counts as failed. If it is
 * confirmed after all, that counts, unless something failed before it in its class is still owed.
 */
final class Pump implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Pump.class);
  private static final StreamClass[] CLASSES = StreamClass.values();
  private static final int BATCH_READINGS = 500;
  private static final int BATCH_BYTES = 256 << 10;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
  private static final Duration DISK_PAUSE = Duration.ofSeconds(1);
  private static final Duration REFUSALS_PAUSE = Duration.ofSeconds(1);
  private static final long LOST_SECONDS = 60;
  private static final long SILENT_SECONDS = 120;
  private static final Duration LOST = Duration.ofSeconds(LOST_SECONDS);
  private static final Duration SILENT = Duration.ofSeconds(SILENT_SECONDS);

  /** How often what is in flight is looked at. */
  private static final Duration WATCH = Duration.ofSeconds(5);

  private final Forwarder forwarder;
  private final Delivery delivery;
  private final Store store;
  private final Accounts accounts;
  private final Supplier<Settings> settings;
  private final Loop loop;
  private final AtomicBoolean woken = new AtomicBoolean();
  private final RateLimit rate;

  // From here on: touched by the loop only, but for what is volatile.
  private volatile boolean ready;
  private volatile String problem = "";
  private volatile boolean closed;
  private boolean connected;
  private boolean broken;
  private boolean timer;
  private boolean watching;
  private long order;
  private long resumeAt;
  private Duration pause = FIRST_PAUSE;
  private final long[] boundary = new long[CLASSES.length];
  private final long[] live = new long[CLASSES.length];
  private final long[] history = new long[CLASSES.length];
  private final long[] failedOrder = new long[CLASSES.length];

  /** By class, the first position of what has failed in this connection. */
  private final long[] failedFirst = new long[CLASSES.length];

  private final Found.Whole[] lastRow = new Found.Whole[CLASSES.length];
  private int changes;
  private final Set<Sent> inFlight = new LinkedHashSet<>();
  private final Map<String, Refusals> refusals = new LinkedHashMap<>();
  private boolean refusalsDue;

  /** A batch with the position of each of its entries. */
  private static final class Sent {
    private final long order;
    private final Batch batch;
    private final long[] positions;

    /** When it is given up, in nanoseconds; the loop's time. */
    private long due;

    private boolean givenUp;

    /** Once given up: its confirmation counts if from here to its first position none is owed. */
    private long failedFrom;

    Sent(long order, Batch batch, long[] positions) {
      this.order = order;
      this.batch = batch;
      this.positions = positions;
    }

    StreamClass streamClass() {
      return batch.streamClass();
    }
  }

  /** Refused for one reason, not yet in the ledger. */
  private static final class Refusals {
    final Accounts.Sum sum = new Accounts.Sum();
    final Map<StreamClass, Intervals> positions = new EnumMap<>(StreamClass.class);
  }

  Pump(
      Forwarder forwarder,
      Delivery delivery,
      Store store,
      Accounts accounts,
      Supplier<Settings> settings,
      Loop loop) {
    this.forwarder = forwarder;
    this.delivery = delivery;
    this.store = store;
    this.accounts = accounts;
    this.settings = settings;
    this.loop = loop;
    this.rate = new RateLimit(loop.nanos());
  }

  void start() {
    forwarder.onChange(this::wake);
    wake();
  }

  Delivery delivery() {
    return delivery;
  }

  /** Has the loop look for something to do. From any thread; returns at once. */
  void wake() {
    if (!closed && woken.compareAndSet(false, true)) {
      loop.execute(this::run);
    }
  }

  boolean ready() {
    return ready;
  }

  /** What keeps it from reading the log, in words; {@code ""} if nothing. */
  String problem() {
    return problem;
  }

  /** The positions that are on their way at this moment. Asked for on any thread. */
  CompletableFuture<Map<StreamClass, Intervals>> flying() {
    CompletableFuture<Map<StreamClass, Intervals>> answer = new CompletableFuture<>();
    boolean taken =
        loop.execute(
            () -> {
              if (!enterRefusals()) {
                // They would be entered twice.
                answer.completeExceptionally(
                    new IOException("Refused readings can't be entered: " + problem));
                return;
              }
              Map<StreamClass, Intervals> flying = new EnumMap<>(StreamClass.class);
              for (Sent sent : inFlight) {
                Intervals ofClass =
                    flying.computeIfAbsent(sent.streamClass(), s -> new Intervals());
                Arrays.stream(sent.positions).forEach(at -> ofClass.add(at, at + 1));
              }
              answer.complete(flying);
            });
    if (!taken) {
      answer.completeExceptionally(new IOException("Delivery has just ended"));
    }
    return answer;
  }

  /** Ends sending. What is in flight counts as not confirmed. */
  @Override
  public void close() {
    closed = true;
    forwarder.onChange(() -> {});
    loop.execute(this::enterRefusals);
    loop.close();
  }

  private void run() {
    woken.set(false);
    if (closed) {
      return;
    }
    delivery.extend(store::next);
    ready = forwarder.ready();
    if (!ready) {
      if (connected) {
        long due = loop.nanos() + LOST.toNanos();
        inFlight.forEach(sent -> sent.due = Math.min(sent.due, due));
      }
      connected = false;
      broken = false;
      return;
    }
    if ((!connected || broken) && !connect()) {
      return;
    }
    try {
      while (!broken && forwarder.window() > 0) {
        Sent next = nextLive();
        if (next == null) {
          next = nextHistorical();
        }
        if (next == null) {
          break;
        }
        send(next);
      }
      problem = "";
    } catch (IOException e) {
      if (problem.isEmpty()) {
        LOG.error("Delivery to {} can't read the log; tried again", delivery.id(), e);
      }
      problem = e.getMessage();
      wakeAfter(DISK_PAUSE);
    }
  }

  /** Begins a connection; false if it is not time yet. */
  private boolean connect() {
    if (!inFlight.isEmpty()) {
      return false;
    }
    long wait = resumeAt - loop.nanos();
    if (broken && wait > 0) {
      wakeAfter(Duration.ofNanos(wait));
      return false;
    }
    if (!enterRefusals()) {
      return false;
    }
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      boundary[c] = store.next(streamClass);
      live[c] = boundary[c];
      history[c] = 0;
    }
    delivery.extend(store::next);
    Arrays.fill(failedOrder, Long.MAX_VALUE);
    Arrays.fill(failedFirst, Long.MAX_VALUE);
    connected = true;
    broken = false;
    return true;
  }

  private Sent nextLive() throws IOException {
    for (StreamClass streamClass : CLASSES) {
      Sent next = take(streamClass, live, Long.MAX_VALUE, false);
      if (next != null) {
        return next;
      }
    }
    return null;
  }

  private Sent nextHistorical() throws IOException {
    // Half of the window stays free for live ones, unless it is one batch in all.
    long historical = inFlight.stream().filter(sent -> sent.batch.historical()).count();
    if (historical >= Math.max(1, (forwarder.window() + inFlight.size()) / 2)) {
      return null;
    }
    Duration delay = rate.delay(loop.nanos(), settings.get().historyPerSecond());
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      long[] run = delivery.next(streamClass, history[c]);
      if (run != null && run[0] < boundary[c]) {
        if (!delay.isZero()) {
          wakeAfter(delay);
          return null;
        }
        Sent next = take(streamClass, history, boundary[c], true);
        if (next != null) {
          rate.take(next.positions.length);
          return next;
        }
      }
    }
    return null;
  }

  /** The next batch of a class from a cursor on; {@code null} if nothing is owed there. */
  private Sent take(StreamClass streamClass, long[] cursor, long limit, boolean historical)
      throws IOException {
    int c = streamClass.ordinal();
    List<Batch.Entry> entries = new ArrayList<>();
    long[] positions = new long[BATCH_READINGS + 1];
    int bytes = 0;
    long at = cursor[c];
    // One more than fits, to see whether the last group ends with the batch.
    while (entries.size() <= BATCH_READINGS && bytes <= BATCH_BYTES) {
      long[] run = delivery.next(streamClass, at);
      if (run == null || run[0] >= limit) {
        break;
      }
      Found found = find(streamClass, run[0]);
      if (found instanceof Found.Damaged damaged) {
        settleDamaged(streamClass, damaged);
        continue;
      }
      if (!(found instanceof Found.Whole whole)) {
        // Being deleted at this moment; soon it isn't owed any more.
        wakeAfter(FIRST_PAUSE);
        break;
      }
      Row row = whole.row();
      long end = Math.min(Math.min(run[1], limit), row.head().end());
      at = run[0];
      while (at < end && entries.size() <= BATCH_READINGS && bytes <= BATCH_BYTES) {
        long present = Math.min(end, row.next(at));
        if (present > at) {
          // Taken out by a bound; that stands in the ledger.
          delivery.release(streamClass, at, present);
          at = present;
          continue;
        }
        Batch.Entry entry = row.at(at);
        positions[entries.size()] = at;
        entries.add(entry);
        bytes += Weight.of(entry.reading());
        at++;
      }
    }
    if (entries.isEmpty()) {
      return null;
    }
    int count = cut(entries, bytes > BATCH_BYTES);
    cursor[c] = positions[count - 1] + 1;
    return new Sent(
        order++,
        new Batch(streamClass, historical, entries.subList(0, count)),
        Arrays.copyOf(positions, count));
  }

  /** How many of the entries go: whole groups of one device and time where that is possible. */
  private static int cut(List<Batch.Entry> entries, boolean heavy) {
    if (entries.size() <= BATCH_READINGS && !heavy) {
      return entries.size();
    }
    int most = Math.max(1, Math.min(BATCH_READINGS, entries.size() - (heavy ? 1 : 0)));
    for (int i = most; i > 0 && i < entries.size(); i--) {
      var next = entries.get(i).reading();
      var last = entries.get(i - 1).reading();
      if (!next.device().equals(last.device()) || !next.eventTime().equals(last.eventTime())) {
        return i;
      }
    }
    return most;
  }

  private Found find(StreamClass streamClass, long position) throws IOException {
    if (changes != store.changes()) {
      changes = store.changes();
      Arrays.fill(lastRow, null);
    }
    Found.Whole last = lastRow[streamClass.ordinal()];
    if (last != null
        && position >= last.row().head().first()
        && position < last.row().head().end()) {
      return last;
    }
    Found found = store.read(streamClass, position);
    if (found instanceof Found.Whole whole) {
      lastRow[streamClass.ordinal()] = whole;
    }
    return found;
  }

  private void settleDamaged(StreamClass streamClass, Found.Damaged damaged) throws IOException {
    Intervals lost = delivery.owed(streamClass, damaged.first(), damaged.end());
    List<Accounts.Gap> gaps = new ArrayList<>();
    RowHead head = damaged.head();
    if (head != null && lost.size() == head.end() - head.first()) {
      for (RowHead.Part part : head.streams()) {
        gaps.add(Accounts.Gap.of(streamClass, part));
      }
    } else {
      long now = store.now();
      gaps.add(
          new Accounts.Gap(
              LedgerEntry.ALL,
              streamClass,
              head != null ? Math.min(lost.size(), head.count()) : lost.size(),
              head != null ? head.from() : now,
              head != null ? head.to() : now));
    }
    LOG.error(
        "{} readings of class {} from position {} on can't be read: {}",
        lost.size(),
        streamClass,
        damaged.first(),
        damaged.why());
    accounts.settle(
        delivery,
        gaps,
        Accounts.releases(delivery, streamClass, lost),
        Reason.DAMAGED,
        "what is on disk can't be read (" + damaged.why() + ").");
  }

  private void send(Sent sent) {
    sent.due = loop.nanos() + SILENT.toNanos();
    inFlight.add(sent);
    watch();
    CompletionStage<Receipt> stage;
    try {
      stage = forwarder.send(sent.batch);
    } catch (RuntimeException e) {
      LOG.warn("Forwarder {} failed on a batch", delivery.id(), e);
      completed(sent, Receipt.retry());
      return;
    }
    stage.whenComplete(
        (receipt, failure) ->
            loop.execute(
                () -> {
                  answered(sent, failure == null ? receipt : Receipt.retry());
                  run();
                }));
  }

  private void answered(Sent sent, Receipt receipt) {
    if (sent.givenUp) {
      confirmedLate(sent, receipt);
      return;
    }
    // A slow link isn't a silent one: what was sent after it has its turn from now.
    long due = loop.nanos() + SILENT.toNanos();
    inFlight.stream()
        .filter(other -> connected && other.order > sent.order)
        .forEach(other -> other.due = due);
    completed(sent, receipt);
  }

  private void watch() {
    if (!watching && !inFlight.isEmpty()) {
      watching = true;
      loop.schedule(
          () -> {
            watching = false;
            giveUpOverdue();
            watch();
          },
          WATCH);
    }
  }

  private void giveUpOverdue() {
    long now = loop.nanos();
    List<Sent> overdue = inFlight.stream().filter(sent -> sent.due - now <= 0).toList();
    if (closed || overdue.isEmpty()) {
      return;
    }
    LOG.warn(
        "Forwarder {} has not answered {} batches in time; they count as not delivered",
        delivery.id(),
        overdue.size());
    for (Sent sent : overdue) {
      completed(sent, Receipt.retry());
      sent.givenUp = true;
      sent.failedFrom = failedFirst[sent.streamClass().ordinal()];
    }
    run();
  }

  /** What is confirmed after it was given up need not go once more. */
  private void confirmedLate(Sent sent, Receipt receipt) {
    StreamClass streamClass = sent.streamClass();
    // What was refused when it went once more is the ledger's already.
    if (!enterRefusals()
        || !delivery.owed(streamClass, sent.failedFrom, sent.positions[0]).isEmpty()) {
      return;
    }
    for (int i = 0; i < sent.positions.length; i++) {
      if (receipt.of(i) instanceof Outcome.Confirmed) {
        delivery.confirm(streamClass, sent.positions[i], sent.positions[i] + 1);
      }
    }
  }

  private void completed(Sent sent, Receipt receipt) {
    inFlight.remove(sent);
    StreamClass streamClass = sent.streamClass();
    int c = streamClass.ordinal();
    Intervals confirmed = new Intervals();
    List<Integer> again = new ArrayList<>();
    long runFrom = 0;
    long runEnd = 0;
    for (int i = 0; i < sent.positions.length; i++) {
      long position = sent.positions[i];
      Outcome outcome = receipt.of(i);
      if (outcome instanceof Outcome.Refused refused) {
        refuse(refused.reason(), position, sent.batch.entries().get(i));
      } else if (!(outcome instanceof Outcome.Confirmed) || sent.order >= failedOrder[c]) {
        again.add(i);
      } else if (position == runEnd) {
        runEnd++;
      } else {
        confirmed.add(runFrom, runEnd);
        runFrom = position;
        runEnd = position + 1;
      }
    }
    confirmed.add(runFrom, runEnd);
    confirmed.forEach((from, to) -> delivery.confirm(streamClass, from, to));
    if (again.isEmpty()) {
      pause = FIRST_PAUSE;
      return;
    }
    dropIfDeleted(sent, again);
    failedOrder[c] = Math.min(failedOrder[c], sent.order);
    failedFirst[c] = Math.min(failedFirst[c], sent.positions[again.get(0)]);
    if (!broken) {
      broken = true;
      resumeAt = loop.nanos() + pause.toNanos();
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0
              ? pause.multipliedBy(2)
              : LONGEST_PAUSE;
    }
  }

  /** What a bound deleted while it was in flight can't be sent again. */
  private void dropIfDeleted(Sent sent, List<Integer> indices) {
    StreamClass streamClass = sent.streamClass();
    Accounts.Sum sum = new Accounts.Sum();
    Intervals lost = new Intervals();
    try {
      for (int index : indices) {
        long position = sent.positions[index];
        if (!store.holds(streamClass, position) && delivery.owes(streamClass, position)) {
          sum.add(Accounts.Gap.of(sent.batch.entries().get(index)));
          lost.add(position, position + 1);
        }
      }
      if (!lost.isEmpty()) {
        accounts.settle(
            delivery,
            sum.gaps(),
            Accounts.releases(delivery, streamClass, lost),
            Reason.DROPPED,
            Accounts.BOUND);
      }
    } catch (IOException e) {
      // They stay owed; reading them finds the file missing, and that is entered.
      LOG.error("What was deleted while it was on its way can't be entered in the ledger", e);
    }
  }

  private void refuse(String reason, long position, Batch.Entry entry) {
    if (!delivery.owes(entry.reading().streamClass(), position)) {
      // An earlier sending of it was confirmed late.
      return;
    }
    Refusals same = refusals.computeIfAbsent(reason, r -> new Refusals());
    same.sum.add(Accounts.Gap.of(entry));
    same.positions
        .computeIfAbsent(entry.reading().streamClass(), s -> new Intervals())
        .add(position, position + 1);
    if (!refusalsDue) {
      refusalsDue = true;
      loop.schedule(this::enterRefusals, REFUSALS_PAUSE);
    }
  }

  /** Enters what was refused; false if the ledger can't be written now. */
  private boolean enterRefusals() {
    refusalsDue = false;
    try {
      for (var i = refusals.entrySet().iterator(); i.hasNext(); ) {
        Map.Entry<String, Refusals> same = i.next();
        List<Ledger.Release> positions = new ArrayList<>();
        same.getValue()
            .positions
            .forEach(
                (streamClass, parts) ->
                    positions.addAll(Accounts.releases(delivery, streamClass, parts)));
        accounts.settle(
            delivery,
            same.getValue().sum.gaps(),
            positions,
            Reason.REFUSED,
            "refused: " + same.getKey());
        i.remove();
      }
      return true;
    } catch (IOException e) {
      LOG.error("Refused readings can't be entered in the loss ledger; tried again", e);
      problem = e.getMessage();
      refusalsDue = true;
      loop.schedule(
          () -> {
            enterRefusals();
            run();
          },
          DISK_PAUSE);
      return false;
    }
  }

  private void wakeAfter(Duration delay) {
    if (!timer) {
      timer = true;
      loop.schedule(
          () -> {
            timer = false;
            run();
          },
          delay);
    }
  }
}
