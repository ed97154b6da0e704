package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.Query;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The buffer of a gateway that doesn't run, to be looked at. Takes nothing, sends nothing, and
 * changes nothing but what SQLite has to: it takes in the log of a killed process. Files that can't
 * be read stay where they are. Holds the directory's lock, so that no gateway can start on it.
 */
public final class StoredBuffer implements Buffer, Query, AutoCloseable {
  /** Of the settings, only the id of the gateway and bounds matter to who writes. */
  private static final Settings SETTINGS =
      new Settings(
          Duration.ofSeconds(1),
          Long.MAX_VALUE,
          Duration.ofHours(1),
          Long.MAX_VALUE,
          Duration.ofHours(1),
          1,
          "",
          0,
          Duration.ZERO);

  private final Path directory;
  private final FileChannel lock;
  private final Store store;
  private final Ledger ledger;
  private final Accounts accounts;
  private final Inspection inspection;

  /**
   * Opens what is in a directory.
   *
   * @param keystore with the key of readings that are encrypted; there may be no such file
   * @param password of the keystore
   * @throws IOException if there is nothing, it can't be opened, or a gateway uses it
   */
  public StoredBuffer(Path directory, Path keystore, char[] password) throws IOException {
    this(directory, AesSeal.load(keystore, password));
  }

  /**
   * @param key {@code null} if there is none
   */
  StoredBuffer(Path directory, Seal key) throws IOException {
    if (!Files.isDirectory(directory)) {
      throw new IOException("There is no " + directory + ": no gateway has stored anything there");
    }
    this.directory = directory;
    lock = DurableBuffer.lock(directory);
    Machine machine =
        new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open).with(Seal.PLAIN, key);
    Store opened = null;
    Ledger openedLedger = null;
    try {
      StateFile stateFile =
          new StateFile(directory, new Wear(() -> SETTINGS, System::nanoTime, () -> 0));
      StateFile.State state = stateFile.load();
      long[] known = state != null ? state.next() : new long[StreamClass.values().length];
      opened = Store.openToRead(directory, () -> SETTINGS, machine, System::nanoTime, known);
      openedLedger =
          Ledger.openToRead(directory.resolve("ledger.db"), machine.clock(), machine.opener());
      store = opened;
      ledger = openedLedger;
      accounts = new Accounts(stateFile, state, ledger, store, () -> SETTINGS);
      inspection = new Inspection(store, ledger, accounts);
    } catch (IOException | RuntimeException e) {
      Sqlite.closeQuietly(opened);
      Sqlite.closeQuietly(openedLedger);
      Sqlite.closeQuietly(lock);
      throw e;
    }
  }

  private interface Answer<T> {
    T get() throws IOException;
  }

  private static <T> T ask(Answer<T> answer) {
    try {
      return answer.get();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> CompletionStage<T> refuse() {
    return CompletableFuture.failedFuture(
        new UnsupportedOperationException("The gateway doesn't run; its files are only read"));
  }

  @Override
  public CompletionStage<Void> accept(List<Reading> readings) {
    return refuse();
  }

  @Override
  public CompletionStage<Void> gap(LedgerEntry entry) {
    return refuse();
  }

  @Override
  public List<LedgerEntry> ledger(Instant from, Instant to, int limit) {
    return ask(() -> ledger.entries(from, to, limit));
  }

  @Override
  public Account account(String device, Instant from, Instant to) {
    return ask(() -> inspection.account(device, from, to));
  }

  @Override
  public Holdings holdings() {
    return ask(inspection::holdings);
  }

  @Override
  public Verification verify() {
    return ask(inspection::verify);
  }

  @Override
  public Status status() {
    return new Status(
        0,
        0,
        0,
        bytes(),
        0,
        0,
        Disk.WORKING,
        "",
        accounts.deliveries().stream()
            .map(
                delivery ->
                    new Forwarding(delivery.id(), false, 0, 0, store.unconfirmed(delivery), 0, 0))
            .toList());
  }

  /** With what a killed process left beside its files. */
  private long bytes() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public History history(
      String device, String point, Instant from, Instant to, int limit, Duration patience) {
    return ask(() -> Searches.history(store, device, point, from, to, limit, until(patience)));
  }

  @Override
  public Windows windows(
      String device, String point, Instant from, Instant to, Duration window, Duration patience) {
    return ask(() -> Searches.windows(store, device, point, from, to, window, until(patience)));
  }

  @Override
  public boolean each(String device, String point, Instant from, Instant to, Visitor visitor) {
    return ask(() -> Searches.each(store, device, point, from, to, visitor))
        && store.unreadable().isEmpty();
  }

  @Override
  public Last last(Map<String, Set<String>> points, Duration patience) {
    return ask(() -> Searches.last(store, points, until(patience)));
  }

  private static BooleanSupplier until(Duration patience) {
    long until = System.nanoTime() + patience.toNanos();
    return () -> until - System.nanoTime() > 0;
  }

  @Override
  public void close() {
    store.close();
    ledger.close();
    Sqlite.closeQuietly(lock);
  }
}
