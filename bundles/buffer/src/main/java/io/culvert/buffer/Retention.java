package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what the bounds on size and age say, whole sealed segments, oldest first. For size, one
 * that nobody owes anything of goes before one that somebody does; the latter goes with an entry in
 * the ledger, which is on disk before the file is unlinked. Before any of them go files that are
 * damaged and set aside: for size, or when they were not touched for the largest age. Runs on one
 * loop; blocks on disk.
 */
final class Retention {
  private static final Logger LOG = LoggerFactory.getLogger(Retention.class);

  private final Store store;
  private final Accounts accounts;
  private final Supplier<Settings> settings;
  private final Supplier<Collection<Pump>> pumps;

  Retention(
      Store store,
      Accounts accounts,
      Supplier<Settings> settings,
      Supplier<Collection<Pump>> pumps) {
    this.store = store;
    this.accounts = accounts;
    this.settings = settings;
    this.pumps = pumps;
  }

  /** Deletes until the bounds hold. */
  void check() throws IOException {
    checkDamaged();
    long oldest = store.elapsed() - settings.get().maxAge().toMillis();
    for (Segment segment : store.segments()) {
      if (segment.sealed() && segment.elapsed() < oldest) {
        delete(segment, "is older than maxAgeHours");
      }
    }
    while (store.bytes() > settings.get().maxBytes()) {
      List<Segment> sealed = store.segments().stream().filter(Segment::sealed).toList();
      if (sealed.isEmpty()) {
        return;
      }
      Segment next =
          sealed.stream().filter(segment -> !owed(segment)).findFirst().orElse(sealed.get(0));
      delete(next, "is the oldest beyond maxBytes");
    }
  }

  private void checkDamaged() throws IOException {
    List<Path> damaged = new ArrayList<>(store.damaged());
    store.count(damaged);
    while (!damaged.isEmpty()) {
      Path oldest = damaged.get(0);
      boolean old =
          oldest.toFile().lastModified() < store.now() - settings.get().maxAge().toMillis();
      if (!old && store.bytes() <= settings.get().maxBytes()) {
        return;
      }
      Files.deleteIfExists(oldest);
      damaged.remove(0);
      store.count(damaged);
      LOG.info(
          "Deleted {}: it {}",
          oldest.getFileName(),
          old ? "is older than maxAgeHours" : "is damaged and beyond maxBytes");
    }
  }

  private boolean owed(Segment segment) {
    for (Delivery delivery : accounts.deliveries()) {
      for (StreamClass streamClass : StreamClass.values()) {
        Segment.Span span = segment.span(streamClass);
        if (!span.isEmpty() && !delivery.owed(streamClass, span.first(), span.end()).isEmpty()) {
          return true;
        }
      }
    }
    return false;
  }

  private void delete(Segment segment, String why) throws IOException {
    Collection<Pump> running = pumps.get();
    for (Delivery delivery : accounts.deliveries()) {
      delivery.extend(store::next);
      Pump pump = running.stream().filter(p -> p.delivery() == delivery).findFirst().orElse(null);
      if (pump == null) {
        accounts.drop(delivery, segment, segment.positions(), Map.of(), Accounts.BOUND);
      } else {
        dropOn(pump, segment);
      }
    }
    store.delete(segment);
    accounts.flush();
    LOG.info("Deleted {}: it {}", segment.file().getFileName(), why);
  }

  private static void dropOn(Pump pump, Segment segment) throws IOException {
    try {
      pump.drop(segment, segment.positions(), Accounts.BOUND).get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IOException("Can't enter what " + segment.file() + " still owes", e.getCause());
    } catch (TimeoutException e) {
      throw new IOException("Delivery did not give up " + segment.file() + " within 30 s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while deleting " + segment.file(), e);
    }
  }
}
