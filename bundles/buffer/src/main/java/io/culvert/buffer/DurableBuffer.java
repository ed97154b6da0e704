package io.culvert.buffer;

import io.culvert.api.ClockState;
import io.culvert.api.Grade;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Forwarder;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.Query;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The buffer on disk.
 *
 * <p>Threads: one writes the log, one answers callers, one keeps (state of delivery, ledger), one
 * deletes, one regroups (series), one each forwarder. {@link #accept} only queues. Queries and what
 * the ledger is asked read the disk on the caller's thread.
 */
final class DurableBuffer implements Buffer, Query, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DurableBuffer.class);
  private static final Duration TICK = Duration.ofSeconds(1);
  private static final Duration CLEAN_AGAIN = Duration.ofSeconds(30);
  private static final int LEDGER_AT_ONCE = 500;

  /** Bound on entries that wait while the disk doesn't answer. */
  private static final int MAX_GAPS = 10_000;

  static final String LEDGER_POINT = "ledger";

  private final Machine machine;
  private final FileChannel lock;
  private final Store store;
  private final Ledger ledger;
  private final Accounts accounts;
  private final DiskState disk;
  private final Acceptor acceptor;
  private final Retention retention;
  private final Inspection inspection;
  private final Loop writer;
  private final Loop answers;
  private final Loop keeper;
  private final Loop cleaner;
  private final Map<Forwarder, Pump> pumps = new ConcurrentHashMap<>();
  private final Wear wear;
  private final Thinning thinning;
  private final AtomicLong logged = new AtomicLong();
  private final AtomicLong accepted = new AtomicLong();
  private volatile Settings settings;
  private volatile DiskState.Finding keeperFinding = DiskState.works();
  private volatile String cleanerProblem = "";

  /** On their way into the ledger. */
  private final List<Gap> gaps = new ArrayList<>();

  private record Gap(LedgerEntry entry, CompletableFuture<Void> done) {}

  /** Ids of those of the site; {@code null} while not known. */
  private Set<String> platforms;

  /** Of the keeper. */
  private boolean sending;

  private long flushed;

  /**
   * Opens what is in a directory, or begins there.
   *
   * @throws IOException if the directory can't be used, or another process uses it
   */
  DurableBuffer(Path directory, Settings settings, Machine machine) throws IOException {
    this(directory, settings, machine, Wear::ofProcess);
  }

  /**
   * @param writtenBytes that the kernel has counted since any moment
   */
  DurableBuffer(Path directory, Settings settings, Machine machine, LongSupplier writtenBytes)
      throws IOException {
    this.settings = settings;
    this.machine = machine;
    Files.createDirectories(directory);
    lock = lock(directory);
    writer = machine.loops().create("writer");
    answers = machine.loops().create("answers");
    keeper = machine.loops().create("keeper");
    cleaner = machine.loops().create("cleaner");
    Store opened = null;
    Ledger openedLedger = null;
    try {
      // Where the kernel counts nothing, what the readings take at least.
      long start = writtenBytes.getAsLong();
      wear =
          new Wear(
              this::settings,
              keeper::nanos,
              () -> Math.max(writtenBytes.getAsLong() - start, logged.get()));
      StateFile stateFile = new StateFile(directory, wear);
      StateFile.State state = stateFile.load();
      long[] known = state != null ? state.next() : new long[StreamClass.values().length];
      openedLedger = Ledger.open(directory.resolve("ledger.db"), machine.clock(), machine.opener());
      opened =
          Store.open(directory, this::settings, machine, writer::nanos, known, openedLedger.cuts());
      store = opened;
      ledger = openedLedger;
      accounts = new Accounts(stateFile, state, ledger, store, this::settings);
      inspection = new Inspection(store, ledger, accounts);
      retention = new Retention(store, ledger, accounts, this::settings, pumps::values);
      disk = new DiskState(directory, store::bytes);
      acceptor = new Acceptor(store, disk, wear::commitInterval, writer, answers, new Commits());
      thinning =
          new Thinning(
              wear,
              acceptor::accept,
              ledger,
              keeper::nanos,
              () -> keeper.execute(this::enterThinned));
      begin();
    } catch (IOException | RuntimeException e) {
      Sqlite.closeQuietly(opened);
      Sqlite.closeQuietly(openedLedger);
      Sqlite.closeQuietly(lock);
      writer.close();
      answers.close();
      keeper.close();
      cleaner.close();
      throw e;
    }
  }

  static FileChannel lock(Path directory) throws IOException {
    Path file = directory.resolve("lock");
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock held = channel.tryLock();
      if (held != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      LOG.debug("Locked by this process", e);
    }
    channel.close();
    throw new IOException(
        directory + " is in use by another gateway; stop it, or give this one its own data");
  }

  private void begin() throws IOException {
    accounts.settleLost();
    forgetSent();
    // From here on, until the mark of a clean stop, an end is an interruption.
    accounts.save(0);
    keeper.schedule(this::tick, TICK);
    cleaner.schedule(this::clean, TICK);
    keeper.execute(this::sendLedger);
    store.series().begin(store, machine.loops().create("series"));
  }

  /** Entries whose reading went into the log just before a crash are not sent again. */
  private void forgetSent() throws IOException {
    List<Ledger.Stored> sent = new ArrayList<>();
    for (Ledger.Stored stored : ledger.unsent(LEDGER_AT_ONCE)) {
      History there =
          Searches.history(
              store,
              settings.gateway(),
              LEDGER_POINT,
              stored.stored(),
              stored.stored().plusMillis(1),
              LEDGER_AT_ONCE,
              () -> true);
      Value value = reading(stored).value();
      if (there.entries().stream().anyMatch(entry -> value.equals(entry.reading().value()))) {
        sent.add(stored);
      }
    }
    if (!sent.isEmpty()) {
      ledger.markSent(sent);
    }
  }

  private Settings settings() {
    return settings;
  }

  /** Puts other bounds in force. */
  void configure(Settings changed) {
    settings = changed;
  }

  @Override
  public CompletionStage<Void> accept(List<Reading> readings) {
    return thinning.accept(readings);
  }

  @Override
  public CompletionStage<Void> gap(LedgerEntry entry) {
    Gap gap = new Gap(entry, new CompletableFuture<>());
    boolean first;
    synchronized (gaps) {
      if (gaps.size() >= MAX_GAPS) {
        return CompletableFuture.failedFuture(
            new RejectedExecutionException(MAX_GAPS + " entries wait for the loss ledger already"));
      }
      first = gaps.isEmpty();
      gaps.add(gap);
    }
    if (first && !keeper.execute(this::enterGaps)) {
      RejectedExecutionException stopped = new RejectedExecutionException("The buffer is stopped");
      takeGaps().forEach(each -> each.done().completeExceptionally(stopped));
    }
    return gap.done();
  }

  /** Enters what came together, with one sync. On the keeper. */
  private void enterGaps() {
    List<Gap> taken = takeGaps();
    try {
      ledger.store(taken.stream().map(Gap::entry).toList(), List.of(), true);
    } catch (IOException | RuntimeException e) {
      answer(taken, e);
      return;
    }
    answer(taken, null);
    sendLedger();
  }

  private List<Gap> takeGaps() {
    synchronized (gaps) {
      List<Gap> taken = List.copyOf(gaps);
      gaps.clear();
      return taken;
    }
  }

  private void answer(List<Gap> taken, Exception failure) {
    answers.execute(
        () -> {
          for (Gap gap : taken) {
            if (failure == null) {
              gap.done().complete(null);
            } else {
              gap.done().completeExceptionally(failure);
            }
          }
        });
  }

  @Override
  public List<LedgerEntry> ledger(Instant from, Instant to, int limit) {
    try {
      return ledger.entries(from, to, limit);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Account account(String device, Instant from, Instant to) {
    try {
      return inspection.account(device, from, to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Holdings holdings() {
    try {
      return inspection.holdings();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Verification verify() {
    try {
      return inspection.verify();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public History history(
      String device, String point, Instant from, Instant to, int limit, Duration patience) {
    if (limit < 1 || limit > 100_000) {
      throw new IllegalArgumentException("limit is " + limit + "; 1 to 100000 is possible");
    }
    try {
      return Searches.history(store, device, point, from, to, limit, until(patience));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Windows windows(
      String device, String point, Instant from, Instant to, Duration window, Duration patience) {
    try {
      return Searches.windows(store, device, point, from, to, window, until(patience));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public boolean each(String device, String point, Instant from, Instant to, Visitor visitor) {
    try {
      return Searches.each(store, device, point, from, to, visitor);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether there is time left. */
  private BooleanSupplier until(Duration patience) {
    long until = writer.nanos() + patience.toNanos();
    return () -> until - writer.nanos() > 0;
  }

  @Override
  public Last last(Map<String, Set<String>> points, Duration patience) {
    try {
      return Searches.last(store, points, until(patience));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Status status() {
    List<Forwarding> forwarding = new ArrayList<>();
    long pending = acceptor.pending();
    DiskState.Finding found = acceptor.finding();
    StringBuilder problem = new StringBuilder(found.problem());
    if (found.works()) {
      found = keeperFinding;
      problem.append(found.problem());
    } else {
      problem.append(" Held in memory until then: ").append(pending).append(" readings.");
    }
    append(problem, cleanerProblem);
    append(problem, thinning.problem());
    for (Delivery delivery : accounts.deliveries()) {
      boolean ready = false;
      for (Pump pump : pumps.values()) {
        if (pump.delivery() == delivery) {
          ready = pump.ready();
          append(problem, pump.problem());
        }
      }
      forwarding.add(
          new Forwarding(
              delivery.id(),
              ready,
              delivery.confirmed(),
              delivery.refused(),
              store.unconfirmed(delivery),
              delivery.budget().used(),
              delivery.budget().limit()));
    }
    return new Status(
        accepted.get(),
        pending,
        accounts.dropped(),
        store.bytes(),
        settings.maxBytes(),
        wear.written(),
        found.state(),
        problem.toString(),
        forwarding);
  }

  private static void append(StringBuilder all, String problem) {
    if (!problem.isEmpty() && all.indexOf(problem) < 0) {
      all.append(all.isEmpty() ? "" : "; ").append(problem);
    }
  }

  /**
   * Takes over which platforms the site has: each owes from now on, and what is kept for another
   * one is released as soon as its forwarder is gone. Until this is called none is released.
   */
  synchronized void platforms(Set<String> ids) {
    platforms = Set.copyOf(ids);
    accounts.begin(platforms);
    releaseRemoved();
  }

  private void releaseRemoved() {
    if (platforms == null) {
      return;
    }
    for (Delivery delivery : accounts.deliveries()) {
      if (!platforms.contains(delivery.id())
          && pumps.values().stream().noneMatch(pump -> pump.delivery() == delivery)) {
        accounts.forget(delivery);
      }
    }
  }

  /** Begins delivery through a forwarder without a bound on its bytes. */
  void add(String id, Forwarder forwarder) {
    add(id, forwarder, 0);
  }

  /**
   * Begins delivery through a forwarder; one of the same id before it ends.
   *
   * @param bytesPerDay that may be sent through it in 24 hours of running; 0 for no bound
   */
  synchronized void add(String id, Forwarder forwarder, long bytesPerDay) {
    Delivery delivery = accounts.delivery(id);
    pumps.values().stream().filter(p -> p.delivery() == delivery).forEach(Pump::close);
    pumps.values().removeIf(pump -> pump.delivery() == delivery);
    Pump pump =
        new Pump(
            forwarder,
            bytesPerDay,
            delivery,
            store,
            accounts,
            this::settings,
            machine.loops().create("to-" + id));
    pumps.put(forwarder, pump);
    pump.start();
  }

  /** Ends delivery through a forwarder. What it owes stays owed if its platform stays. */
  synchronized void remove(Forwarder forwarder) {
    Pump pump = pumps.remove(forwarder);
    if (pump != null) {
      pump.close();
    }
    releaseRemoved();
  }

  /** Around each commit; on the writing thread. */
  private final class Commits implements Acceptor.Listener {
    private long before;

    @Override
    public void before(List<Reading> readings) throws IOException {
      before = store.bytes();
      if (accounts.settleDowntime(readings)) {
        keeper.execute(DurableBuffer.this::sendLedger);
      }
    }

    @Override
    public void committed(int readings) {
      accepted.addAndGet(readings);
      logged.addAndGet(Math.max(0, store.bytes() - before));
      pumps.values().forEach(Pump::wake);
    }
  }

  private void tick() {
    try {
      wear.count();
      keep();
      keeperFinding = DiskState.works();
    } catch (IOException e) {
      DiskState.Finding finding = disk.refused(e);
      if (finding.state() != keeperFinding.state()) {
        LOG.error("State of delivery can't be written; tried again. {}", finding.problem(), e);
      }
      keeperFinding = finding;
    } finally {
      keeper.schedule(this::tick, TICK);
    }
    sendLedger();
  }

  private void keep() throws IOException {
    try {
      // Where little may be written, what a crash loses of confirmations may be more.
      Duration interval = wear.commitInterval();
      if (interval.equals(settings.commitInterval())
          || keeper.nanos() - flushed >= interval.multipliedBy(2).toNanos()) {
        flushed = keeper.nanos();
        accounts.flush(wear.due());
      }
    } finally {
      thinning.tick();
    }
  }

  private void clean() {
    Duration next = TICK;
    try {
      if (acceptor.finding().state() == Disk.FULL) {
        retention.makeRoom();
      }
      retention.check();
      cleanerProblem = "";
    } catch (IOException e) {
      if (cleanerProblem.isEmpty()) {
        LOG.error("The bounds can't be kept; tried again each half minute", e);
      }
      cleanerProblem = e.getMessage();
      // It may have written much in vain.
      next = CLEAN_AGAIN;
    } finally {
      cleaner.schedule(this::clean, next);
    }
  }

  private void enterThinned() {
    try {
      thinning.enter();
      sendLedger();
    } catch (IOException e) {
      keeperFinding = disk.refused(e);
    }
  }

  /** Puts entries of the ledger in the log as readings of the gateway. On the keeper. */
  private void sendLedger() {
    if (sending) {
      return;
    }
    try {
      List<Ledger.Stored> unsent = ledger.unsent(LEDGER_AT_ONCE);
      if (unsent.isEmpty()) {
        return;
      }
      sending = true;
      acceptor
          .accept(unsent.stream().map(this::reading).toList())
          .whenComplete((done, failure) -> keeper.execute(() -> sentLedger(unsent, failure)));
    } catch (IOException e) {
      keeperFinding = disk.refused(e);
    }
  }

  private void sentLedger(List<Ledger.Stored> entries, Throwable failure) {
    sending = false;
    if (failure != null) {
      // The next tick tries again.
      return;
    }
    try {
      ledger.markSent(entries);
      if (entries.size() == LEDGER_AT_ONCE) {
        sendLedger();
      }
    } catch (IOException e) {
      LOG.error("Entries of the ledger may be sent twice", e);
      keeperFinding = disk.refused(e);
    }
  }

  private Reading reading(Ledger.Stored stored) {
    LedgerEntry entry = stored.entry();
    Map<String, Value> fields = new LinkedHashMap<>();
    fields.put("device", Value.of(entry.device()));
    fields.put("class", Value.of(entry.streamClass()));
    fields.put("from", Value.of(entry.from().toString()));
    fields.put("to", Value.of(entry.to().toString()));
    fields.put("count", Value.of(entry.count()));
    fields.put("exact", Value.of(entry.exact()));
    fields.put("reason", Value.of(entry.reason().name().toLowerCase(Locale.ROOT)));
    fields.put("detail", Value.of(entry.detail()));
    return new Reading(
        settings.gateway(),
        LEDGER_POINT,
        StreamClass.EVENT,
        new Value.Struct(fields),
        "",
        Quality.GOOD,
        stored.stored(),
        stored.stored(),
        ClockState.UNKNOWN,
        Grade.GENERAL);
  }

  /**
   * Stops cleanly: commits what waits, writes the state of delivery, and marks the stop. Waits for
   * the disk.
   */
  @Override
  public void close() {
    pumps.values().forEach(Pump::close);
    pumps.clear();
    boolean clean = acceptor.close();
    if (acceptor.hangs()) {
      // Whoever touches the files now would wait for the disk too.
      LOG.error("The disk doesn't answer; the next start will count an interruption");
      return;
    }
    cleaner.close();
    keeper.close();
    answers.close();
    try {
      wear.count();
      thinning.enter();
      accounts.deliveries().forEach(delivery -> delivery.extend(store::next));
      // What couldn't be committed at the end is lost with the process: not a clean stop.
      accounts.save(clean ? machine.clock().millis() : 0);
    } catch (IOException e) {
      LOG.error("The stop can't be marked as clean; the next start will count an interruption", e);
    }
    store.close();
    ledger.close();
    Sqlite.closeQuietly(lock);
  }
}
