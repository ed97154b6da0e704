package io.culvert.buffer;

import io.culvert.api.Reading;
import io.culvert.api.northbound.Forwarder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A pump over the real store, with time and threads in the test's hand, that can be restarted. */
final class Rig implements AutoCloseable {
  static final String ID = "city";

  HandLoop loop;
  Ledger ledger;
  Pump pump;
  private final Path directory;
  private final Bounds bounds;
  private Store store;
  private Accounts accounts;

  Rig(Bounds bounds) throws IOException {
    this.directory = Files.createTempDirectory("rig");
    this.bounds = bounds;
    open();
  }

  private void open() throws IOException {
    loop = new HandLoop();
    ledger = Ledger.open(directory.resolve("ledger.db"), () -> Readings.T0, Sqlite::open);
    StateFile file = new StateFile(directory, Readings.wear());
    StateFile.State state = file.load();
    store =
        Store.open(
            directory,
            bounds::settings,
            new Machine(() -> Readings.T0.plusNanos(loop.nanos()), name -> loop, Sqlite::open),
            loop::nanos,
            state == null ? new long[4] : state.next(),
            ledger.cuts());
    accounts = new Accounts(file, state, ledger, store, bounds::settings);
  }

  void start(Forwarder forwarder, long bytesPerDay) {
    pump =
        new Pump(
            forwarder, bytesPerDay, accounts.delivery(ID), store, accounts, bounds::settings, loop);
    pump.start();
    loop.run();
  }

  void start(Forwarder forwarder) {
    start(forwarder, 0);
  }

  /** Ends all that runs and opens what is on disk. */
  void restart() throws IOException {
    if (pump != null) {
      pump.close();
      pump = null;
    }
    accounts.flush();
    store.close();
    ledger.close();
    open();
  }

  void commit(List<Reading> readings) throws IOException {
    store.append(readings);
    if (pump != null) {
      pump.wake();
      loop.run();
    }
  }

  void pass(Duration time) {
    loop.pass(time);
  }

  Delivery delivery() {
    return accounts.delivery(ID);
  }

  long unconfirmed() {
    return delivery().unconfirmed(store::next);
  }

  @Override
  public void close() throws IOException {
    if (pump != null) {
      pump.close();
    }
    store.close();
    ledger.close();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
