package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Reading;
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
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what one forwarder owes. All work is done on a loop of its own, woken by commits, by
 * completed sends and by the forwarder; so a slow forwarder holds up itself only.
 *
 * <p>A <em>connection</em> lasts from the moment the forwarder is ready until it isn't, or a send
 * fails. What was committed before it is historical in it, but for the <em>current values</em>: of
 * each point of the classes state and telemetry the newest reading, if it is owed. In this order
 * goes what is owed:
 *
 * <ol>
 *   <li>live alarms;
 *   <li>historical alarms, at no bounded rate;
 *   <li>current values, live;
 *   <li>live events;
 *   <li>live states and telemetry; by turns when states are more than the link carries;
 *   <li>history of events, states and telemetry, at the bounded rate, with half of the window at
 *       most.
 * </ol>
 *
 * <p>Live states and telemetry stay live on a link that is too narrow: when the next one of a class
 * was committed more than {@value #BEHIND_MILLIS} ms ago and more than a batch waits, what waits
 * becomes historical but for its current values, which are the next to go live. All of these go
 * before the class is looked at again, so that each point has its turn. Positions of the live lane
 * only ascend, and so do those of the historical one, until something fails.
 *
 * <p>Telemetry of a clock that isn't synchronised holds up its lane until it is as old as {@link
 * Settings#clockWait} says or its times were corrected.
 *
 * <p>What isn't an alarm goes only as far as the {@linkplain Budget bytes of the day} and the
 * {@linkplain Flow link} allow.
 *
 * <p>After a failure nothing is sent until all that was in flight is answered; then everything
 * still owed goes out again, in order. A confirmation that arrives after an earlier batch of its
 * class has failed does not count, so that the platform gets what follows the failed batch after it
 * once more.
 *
 * <p>A forwarder that doesn't answer holds up nothing for ever: what is in flight {@value
 * #LOST_SECONDS} s after its link was lost, or {@value #SILENT_SECONDS} s after it was sent and
 * nothing sent before it was answered any more, is given up and counts as failed. If it is
 * confirmed after all, that counts, unless something failed before it in its class is still owed.
 */
final class Pump implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Pump.class);
  private static final StreamClass[] CLASSES = StreamClass.values();

  /** Those of which the newest reading of a point tells how it is now. */
  private static final StreamClass[] VALUES = {StreamClass.STATE, StreamClass.TELEMETRY};

  private static final StreamClass[] VALUES_BY_TURNS = {StreamClass.TELEMETRY, StreamClass.STATE};
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

  /** A live reading that was committed so long ago isn't live any more. */
  private static final long BEHIND_MILLIS = 5000;

  /** How long current values are looked for at once: alarms wait so long at most. */
  private static final long SLICE = 20_000_000;

  /** How often telemetry that waits for the clock is looked at. */
  private static final Duration CLOCK_LOOK = Duration.ofSeconds(1);

  /** Refused readings, and reasons, that may wait for the ledger. */
  private static final int MOST_REFUSED = 100_000;

  private static final int MOST_REASONS = 100;
  private static final String MORE_REASONS =
      "(more than " + MOST_REASONS + " different reasons within a second)";

  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

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
  private long connectedAt;
  private boolean broken;
  private boolean timer;
  private long wakeAt;
  private boolean watching;
  private long order;
  private long resumeAt;
  private Duration pause = FIRST_PAUSE;
  private final Course[] courses = new Course[CLASSES.length];
  private final Flow flow;
  private int changes;
  private final Set<Sent> inFlight = new LinkedHashSet<>();
  private final Map<String, Refusals> refusals = new LinkedHashMap<>();
  private int refused;
  private boolean refusalsDue;

  /** Whose live turn was the last of states and telemetry. */
  private StreamClass turn = StreamClass.TELEMETRY;

  /** How far one class has come in a connection. */
  private static final class Course {
    /** What was committed before is historical, but for {@link #ours}. */
    private long boundary;

    /** From here on nothing was sent live. */
    private long live;

    /** From here on nothing was sent as historical. */
    private long history;

    /**
     * Positions before the boundary that are the live lane's: current values, and what was sent
     * live before the boundary came to lie behind it and isn't settled yet.
     */
    private Intervals ours = new Intervals();

    /** Whether the boundary has moved and current values before it are to be found. */
    private boolean due;

    private CurrentValues search;

    /** Whether current values of the beginning of the connection may be unsent. */
    private boolean beginning;

    /** Whether it has fallen behind and not caught up since. */
    private boolean behind;

    /** When telemetry that waits for the clock is looked at again, by lane; the loop's time. */
    private long liveHeld;

    private long historyHeld;
    private long failedOrder;

    /** The first position of what has failed in this connection. */
    private long failedFirst;

    private Found.Whole lastRow;

    /** The next of {@link #ours} at or after a position; the boundary if there is none. */
    long nextOwn(long position) {
      long next = ours.next(position);
      return next < 0 ? boundary : Math.min(next, boundary);
    }
  }

  /** A batch with the position of each of its entries. */
  private static final class Sent {
    private final long order;
    private final Batch batch;
    private final long[] positions;
    private final int weight;
    private long at;

    /** When it is given up, in nanoseconds; the loop's time. */
    private long due;

    private boolean givenUp;

    /** Once given up: its confirmation counts if from here to its first position none is owed. */
    private long failedFrom;

    Sent(long order, Batch batch, long[] positions, int weight) {
      this.order = order;
      this.batch = batch;
      this.positions = positions;
      this.weight = weight;
    }

    /** Takes the positions as intervals. */
    void forEachRun(BiConsumer<Long, Long> each) {
      int from = 0;
      for (int i = 1; i <= positions.length; i++) {
        if (i == positions.length || positions[i] != positions[i - 1] + 1) {
          each.accept(positions[from], positions[i - 1] + 1);
          from = i;
        }
      }
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

  /**
   * @param bytesPerDay that may be sent; 0 for no bound
   */
  Pump(
      Forwarder forwarder,
      long bytesPerDay,
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
    this.flow = new Flow(loop.nanos());
    for (int c = 0; c < courses.length; c++) {
      courses[c] = new Course();
    }
    delivery.budget().begin(loop.nanos(), bytesPerDay);
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
                sent.forEachRun(ofClass::add);
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
    delivery.budget().note(loop.nanos(), forwarder.sentBytes());
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
      while (!broken && refused < MOST_REFUSED && forwarder.window() > 0) {
        Sent next = next();
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
    flow.begin(loop.nanos());
    for (StreamClass streamClass : CLASSES) {
      Course course = new Course();
      course.boundary = store.next(streamClass);
      course.live = course.boundary;
      course.liveHeld = loop.nanos();
      course.historyHeld = loop.nanos();
      course.failedOrder = Long.MAX_VALUE;
      course.failedFirst = Long.MAX_VALUE;
      courses[streamClass.ordinal()] = course;
    }
    delivery.extend(store::next);
    for (StreamClass streamClass : VALUES) {
      Course course = course(streamClass);
      course.live = Math.min(delivery.live(streamClass), course.boundary);
      course.beginning = true;
      course.due = true;
    }
    connectedAt = loop.nanos();
    connected = true;
    broken = false;
    return true;
  }

  private Course course(StreamClass streamClass) {
    return courses[streamClass.ordinal()];
  }

  /** What goes next; {@code null} if nothing may go now, and then what changes that wakes. */
  private Sent next() throws IOException {
    Sent next = take(StreamClass.ALARM, false);
    if (next == null) {
      next = take(StreamClass.ALARM, true);
    }
    if (next != null || flow.batch(false) == 0) {
      return next;
    }
    Duration wait = delivery.budget().delay(false);
    if (!wait.isZero()) {
      wakeAfter(wait);
      return null;
    }
    if (!search()) {
      return null;
    }
    for (StreamClass streamClass : VALUES) {
      Course course = course(streamClass);
      course.beginning &= course.live < course.boundary;
      next = course.beginning ? take(streamClass, false) : null;
      if (next != null) {
        return next;
      }
    }
    next = take(StreamClass.EVENT, false);
    if (next == null) {
      next = nextLiveValues();
    }
    return next == null ? nextHistorical() : next;
  }

  private Sent nextLiveValues() throws IOException {
    boolean turns = course(StreamClass.STATE).behind && turn == StreamClass.STATE;
    for (StreamClass streamClass : turns ? VALUES_BY_TURNS : VALUES) {
      if (fallenBehind(streamClass) && !search()) {
        return null;
      }
      Sent next = take(streamClass, false);
      if (next != null) {
        turn = streamClass;
        return next;
      }
      course(streamClass).behind = false;
    }
    return null;
  }

  /** Whether what waits in a class's live lane isn't live any more; then current values are due. */
  private boolean fallenBehind(StreamClass streamClass) throws IOException {
    Course course = course(streamClass);
    if (store.next(streamClass) - course.live <= flow.batch(false)
        || loop.nanos() - course.liveHeld < 0) {
      return false;
    }
    long[] run = next(streamClass, course, course.live, false);
    if (run == null
        || run[0] < course.boundary
        || !(find(streamClass, run[0]) instanceof Found.Whole whole)) {
      return false;
    }
    Batch.Entry oldest = whole.row().at(run[0]);
    long age = store.elapsed() - whole.row().head().elapsed();
    if (oldest != null && waitsForClock(oldest.reading())) {
      age -= settings.get().clockWait().toMillis();
    }
    course.due = age > BEHIND_MILLIS;
    course.behind |= course.due;
    return course.due;
  }

  /** Finds current values where they are due; false if that isn't done yet, but goes on. */
  private boolean search() {
    long start = loop.nanos();
    for (StreamClass streamClass : VALUES) {
      Course course = course(streamClass);
      if (course.due) {
        beginSearch(streamClass, course);
      }
      CurrentValues search = course.search;
      if (search == null) {
        continue;
      }
      long before = loop.nanos();
      long now = before;
      try {
        do {
          search.step();
          now = loop.nanos();
        } while (!search.done() && now - start < SLICE);
        search.spent(now - before);
        if (!search.done()) {
          wake();
          return false;
        }
      } catch (IOException e) {
        LOG.warn("Current values for {} are not all found: {}", delivery.id(), e.getMessage());
      }
      search.found().forEach(course.ours::add);
      course.search = null;
    }
    return true;
  }

  /** Moves a class's boundary up to the present; what its live lane has in flight stays its own. */
  private void beginSearch(StreamClass streamClass, Course course) {
    course.due = false;
    if (!course.beginning || loop.nanos() - connectedAt > BEHIND_MILLIS * 1_000_000) {
      course.boundary = store.next(streamClass);
      delivery.extend(store::next);
    }
    for (Sent sent : inFlight) {
      if (sent.streamClass() == streamClass && !sent.batch.historical()) {
        sent.forEachRun(course.ours::add);
      }
    }
    for (Refusals same : refusals.values()) {
      Intervals positions = same.positions.get(streamClass);
      if (positions != null) {
        positions.forEach(course.ours::add);
      }
    }
    course.search = new CurrentValues(store, delivery, streamClass, course.live, course.boundary);
  }

  private Sent nextHistorical() throws IOException {
    // Half of the window stays free for live ones, unless it is one batch in all.
    long historical = inFlight.stream().filter(sent -> sent.batch.historical()).count();
    if (flow.batch(true) == 0
        || historical >= Math.max(1, (forwarder.window() + inFlight.size()) / 2)) {
      return null;
    }
    Duration delay = rate.delay(loop.nanos(), settings.get().historyPerSecond());
    Duration budget = delivery.budget().delay(true);
    if (budget.compareTo(delay) > 0) {
      delay = budget;
    }
    for (StreamClass streamClass : CLASSES) {
      Course course = course(streamClass);
      if (next(streamClass, course, course.history, true) == null) {
        continue;
      }
      if (!delay.isZero()) {
        wakeAfter(delay);
        return null;
      }
      Sent next = take(streamClass, true);
      if (next != null) {
        rate.take(next.positions.length);
        return next;
      }
    }
    return null;
  }

  /**
   * The first run of owed positions of a lane at or after one: its first and the one after its
   * last; {@code null} if there is none.
   */
  private long[] next(StreamClass streamClass, Course course, long at, boolean historical) {
    long from = at;
    // Where current values wait, history waits too: what is passed over now may become historical.
    long limit = historical ? course.nextOwn(course.live) : Long.MAX_VALUE;
    while (true) {
      if (!historical && from < course.boundary) {
        from = course.nextOwn(from);
      }
      long[] run = delivery.next(streamClass, from);
      if (run == null || run[0] >= limit) {
        return null;
      }
      if (run[0] >= course.boundary) {
        return run;
      }
      boolean own = course.ours.contains(run[0]);
      if (own != historical) {
        long change = own ? course.ours.endOfRun(run[0]) : course.nextOwn(run[0]);
        run[1] = Math.min(run[1], Math.min(change, course.boundary));
        return run;
      }
      from = own ? course.ours.endOfRun(run[0]) : run[0];
    }
  }

  /** The next batch of a class and lane; {@code null} if nothing is owed there, or it waits. */
  private Sent take(StreamClass streamClass, boolean historical) throws IOException {
    Course course = course(streamClass);
    long held = (historical ? course.historyHeld : course.liveHeld) - loop.nanos();
    if (held > 0) {
      wakeAfter(Duration.ofNanos(held));
      return null;
    }
    boolean alarm = streamClass == StreamClass.ALARM;
    int most = alarm ? BATCH_READINGS : flow.batch(historical);
    int room = alarm ? BATCH_BYTES : delivery.budget().room(BATCH_BYTES);
    long clockWait = settings.get().clockWait().toMillis();
    List<Batch.Entry> entries = new ArrayList<>();
    long[] positions = {};
    int bytes = 0;
    boolean waits = false;
    long at = historical ? course.history : course.live;
    boolean currentValues = !historical && at < course.boundary;
    // One more than fits, to see whether the last group ends with the batch.
    while (!waits && entries.size() <= most && bytes <= room) {
      long[] run = next(streamClass, course, at, historical);
      if (run == null) {
        at = currentValues ? pastSettled(streamClass, course, at) : at;
        break;
      }
      if (currentValues && run[0] >= course.boundary && !entries.isEmpty()) {
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
      boolean young = store.elapsed() - row.head().elapsed() < clockWait;
      long end = Math.min(run[1], row.head().end());
      at = run[0];
      while (at < end && entries.size() <= most && bytes <= room) {
        long present = Math.min(end, row.next(at));
        if (present > at) {
          // Taken out by a bound; that stands in the ledger.
          delivery.release(streamClass, at, present);
          at = present;
          continue;
        }
        Batch.Entry entry = row.at(at);
        if (young && waitsForClock(entry.reading())) {
          waits = true;
          hold(course, historical, clockWait - (store.elapsed() - row.head().elapsed()));
          break;
        }
        if (entries.size() == positions.length) {
          // It is often asked for what isn't there: room for a whole batch each time costs more.
          positions = Arrays.copyOf(positions, Math.max(16, 2 * positions.length));
        }
        positions[entries.size()] = at;
        entries.add(entry);
        bytes += Weight.of(entry.reading());
        at++;
      }
    }
    if (entries.isEmpty()) {
      advance(course, historical, at);
      return null;
    }
    int count = waits ? entries.size() : cut(entries, most, bytes > room);
    advance(course, historical, positions[count - 1] + 1);
    return new Sent(
        order++,
        new Batch(streamClass, historical, entries.subList(0, count)),
        Arrays.copyOf(positions, count),
        bytes);
  }

  /** The first of the live lane's own that is still owed, from one on; else the boundary. */
  private long pastSettled(StreamClass streamClass, Course course, long from) {
    long at = Math.max(from, course.nextOwn(from));
    while (at < course.boundary && !delivery.owes(streamClass, at)) {
      at = course.nextOwn(at + 1);
    }
    return at;
  }

  private static void advance(Course course, boolean historical, long at) {
    if (historical) {
      course.history = at;
    } else {
      course.live = at;
    }
  }

  private static boolean waitsForClock(Reading reading) {
    return reading.clock() == ClockState.UNSYNCHRONISED
        && reading.streamClass() == StreamClass.TELEMETRY;
  }

  /**
   * Stops a lane at a reading that waits for the clock; looks now and then whether it still does.
   */
  private void hold(Course course, boolean historical, long millis) {
    Duration look = Duration.ofMillis(millis);
    look = look.compareTo(CLOCK_LOOK) < 0 ? look : CLOCK_LOOK;
    long until = loop.nanos() + look.toNanos();
    if (historical) {
      course.historyHeld = until;
    } else {
      course.liveHeld = until;
    }
    // Read anew then: a correction applies on reading.
    course.lastRow = null;
    wakeAfter(look);
  }

  /** How many of the entries go: whole groups of one device and time where that is possible. */
  private static int cut(List<Batch.Entry> entries, int limit, boolean heavy) {
    if (entries.size() <= limit && !heavy) {
      return entries.size();
    }
    int most = Math.max(1, Math.min(limit, entries.size() - (heavy ? 1 : 0)));
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
      for (Course course : courses) {
        course.lastRow = null;
      }
    }
    Found.Whole last = course(streamClass).lastRow;
    if (last != null
        && position >= last.row().head().first()
        && position < last.row().head().end()) {
      return last;
    }
    Found found = store.read(streamClass, position);
    if (found instanceof Found.Whole whole) {
      course(streamClass).lastRow = whole;
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
    sent.at = loop.nanos();
    sent.due = sent.at + SILENT.toNanos();
    inFlight.add(sent);
    delivery.budget().sent(sent.weight);
    if (sent.streamClass() != StreamClass.ALARM) {
      flow.sent(sent.positions.length);
    }
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
    if (sent.streamClass() != StreamClass.ALARM) {
      flow.answered(sent.positions.length, sent.at, loop.nanos());
    }
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
      sent.failedFrom = course(sent.streamClass()).failedFirst;
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
    delivery.budget().note(loop.nanos(), forwarder.sentBytes());
    delivery.budget().ended(sent.weight);
    StreamClass streamClass = sent.streamClass();
    if (streamClass != StreamClass.ALARM) {
      flow.ended(sent.positions.length);
    }
    Course course = course(streamClass);
    Intervals confirmed = new Intervals();
    List<Integer> again = new ArrayList<>();
    long runFrom = 0;
    long runEnd = 0;
    for (int i = 0; i < sent.positions.length; i++) {
      long position = sent.positions[i];
      Outcome outcome = receipt.of(i);
      if (outcome instanceof Outcome.Refused refused) {
        refuse(refused.reason(), position, sent.batch.entries().get(i));
      } else if (!(outcome instanceof Outcome.Confirmed) || sent.order >= course.failedOrder) {
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
    confirmed.forEach(course.ours::remove);
    if (again.isEmpty()) {
      if (!sent.batch.historical() && isOldestLive(sent)) {
        delivery.liveUpTo(streamClass, sent.positions[sent.positions.length - 1] + 1);
      }
      pause = FIRST_PAUSE;
      return;
    }
    dropIfDeleted(sent, again);
    course.failedOrder = Math.min(course.failedOrder, sent.order);
    course.failedFirst = Math.min(course.failedFirst, sent.positions[again.get(0)]);
    if (!broken) {
      broken = true;
      resumeAt = loop.nanos() + pause.toNanos();
      pause =
          pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0
              ? pause.multipliedBy(2)
              : LONGEST_PAUSE;
    }
  }

  /** Whether no live batch of the class that was sent before is unanswered, or failed. */
  private boolean isOldestLive(Sent sent) {
    for (Sent other : inFlight) {
      if (other.order > sent.order) {
        break;
      }
      if (other.streamClass() == sent.streamClass() && !other.batch.historical()) {
        return false;
      }
    }
    return sent.order < course(sent.streamClass()).failedOrder;
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
    String told =
        refusals.containsKey(reason) || refusals.size() < MOST_REASONS ? reason : MORE_REASONS;
    Refusals same = refusals.computeIfAbsent(told, r -> new Refusals());
    refused++;
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
        same.getValue()
            .positions
            .forEach((streamClass, parts) -> parts.forEach(course(streamClass).ours::remove));
      }
      if (refused >= MOST_REFUSED) {
        wake();
      }
      refused = 0;
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
    Duration wait = delay.compareTo(LONGEST_WAIT) < 0 ? delay : LONGEST_WAIT;
    long due = loop.nanos() + wait.toNanos();
    if (timer && wakeAt - due <= 0) {
      return;
    }
    timer = true;
    wakeAt = due;
    loop.schedule(
        () -> {
          timer &= wakeAt - loop.nanos() > 0;
          run();
        },
        wait);
  }
}
