package io.culvert.buffer;

import io.culvert.api.StreamClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what the bounds on size and age say. By age, whole sealed segments. By size, in this
 * order, and always the oldest first: files that are damaged and set aside; segments that nobody is
 * owed anything of; then what is {@linkplain Cut cut out} of the others, telemetry thinned out in
 * all of them before any of it is dropped, states after telemetry, events after states, and whole
 * segments, alarms with them, last. What a platform was still owed stands in the ledger before it
 * goes.
 *
 * <p>Runs on a loop of its own, since a cut takes a second or so for each 50 MB; blocks on disk.
 */
final class Retention {
  private static final Logger LOG = LoggerFactory.getLogger(Retention.class);
  private static final String OLD = "is older than maxAgeHours";
  private static final String FULL = "is confirmed, and the disk is full";
  private static final String LARGE = "is the oldest beyond maxBytes";
  private static final List<String> LEVELS =
      List.of(
          "telemetry is thinned out",
          "telemetry is dropped",
          "states are dropped",
          "events are dropped");

  private final Store store;
  private final Ledger ledger;
  private final Accounts accounts;
  private final Supplier<Settings> settings;
  private final Supplier<Collection<Pump>> pumps;

  Retention(
      Store store,
      Ledger ledger,
      Accounts accounts,
      Supplier<Settings> settings,
      Supplier<Collection<Pump>> pumps) {
    this.store = store;
    this.ledger = ledger;
    this.accounts = accounts;
    this.settings = settings;
    this.pumps = pumps;
  }

  /** Deletes until the bounds hold. */
  void check() throws IOException {
    accounts.deliveries().forEach(delivery -> delivery.extend(store::next));
    checkDamaged();
    long oldest = store.elapsed() - settings.get().maxAge().toMillis();
    for (Segment segment : store.segments()) {
      if (segment.sealed() && segment.elapsed() < oldest) {
        delete(segment, OLD);
      }
    }
    while (beyond()) {
      List<Segment> sealed = store.segments().stream().filter(Segment::sealed).toList();
      if (sealed.isEmpty()) {
        return;
      }
      Segment free = oldestFree(sealed);
      if (free != null) {
        delete(free, LARGE);
      } else {
        cutOldest(sealed);
      }
    }
  }

  /**
   * Gives room to a disk that is full, whatever the bounds say: the oldest damaged file or segment
   * that nobody is owed anything of. What somebody is owed stays.
   */
  void makeRoom() throws IOException {
    accounts.deliveries().forEach(delivery -> delivery.extend(store::next));
    List<Path> damaged = store.damaged();
    if (!damaged.isEmpty()) {
      Files.deleteIfExists(damaged.get(0));
      LOG.info("Deleted {}: it is damaged and the disk is full", damaged.get(0).getFileName());
      return;
    }
    Segment free = oldestFree(store.segments().stream().filter(Segment::sealed).toList());
    if (free != null) {
      delete(free, FULL);
    }
  }

  /** The first of which nobody is owed anything; {@code null} if there is none. */
  private Segment oldestFree(List<Segment> segments) {
    return segments.stream().filter(segment -> !owed(segment)).findFirst().orElse(null);
  }

  private boolean beyond() {
    return store.bytes() > settings.get().maxBytes();
  }

  private void checkDamaged() throws IOException {
    List<Path> damaged = new ArrayList<>(store.damaged());
    store.count(damaged);
    while (!damaged.isEmpty() && beyond()) {
      Path oldest = damaged.remove(0);
      Files.deleteIfExists(oldest);
      store.count(damaged);
      LOG.info("Deleted {}: it is damaged and beyond maxBytes", oldest.getFileName());
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

  private void cutOldest(List<Segment> sealed) throws IOException {
    for (int level = Cut.THINNED; level <= Cut.LAST; level++) {
      for (Segment segment : sealed) {
        if (segment.level() < level) {
          cut(segment, level);
          return;
        }
      }
    }
    delete(sealed.get(0), LARGE);
  }

  private void cut(Segment segment, int level) throws IOException {
    long before = segment.bytes();
    fenced(
        segment,
        (deliveries, flying) -> {
          Cut cut = new Cut(segment, level, flying, deliveries);
          try (Segment.Replacement replacement = segment.new Replacement(level)) {
            cut.write(replacement);
            accounts.settle(cut, segment.number(), level, LEVELS.get(level - 1));
            store.install(replacement);
            ledger.forgetCut(segment.number());
          } catch (SQLException e) {
            if (!Sqlite.damaged(e)) {
              throw new IOException(segment.file().getFileName() + ": " + e.getMessage(), e);
            }
            LOG.error("{} is damaged and can't be thinned out; it goes", segment.file(), e);
            drop(segment, deliveries, flying);
          }
        });
    LOG.info(
        "{}: {}, because the buffer is beyond maxBytes; {} bytes before, {} after",
        segment.file().getFileName(),
        LEVELS.get(level - 1),
        before,
        segment.bytes());
  }

  private void delete(Segment segment, String why) throws IOException {
    fenced(segment, (deliveries, flying) -> drop(segment, deliveries, flying));
    LOG.info("Deleted {}: it {}", segment.file().getFileName(), why);
  }

  private void drop(
      Segment segment, List<Delivery> deliveries, Map<Delivery, Map<StreamClass, Intervals>> flying)
      throws IOException {
    for (Delivery delivery : deliveries) {
      accounts.drop(delivery, segment, flying.getOrDefault(delivery, Map.of()));
    }
    try {
      // What is confirmed, and let go for it, must be known after a crash: else it counts as lost.
      accounts.flush();
    } catch (IOException e) {
      // A full disk: the space that is about to come is more urgent.
      LOG.warn("State of delivery can't be written before {} is deleted", segment.file(), e);
    }
    store.delete(segment);
    accounts.flush();
  }

  private interface Work {
    void run(List<Delivery> deliveries, Map<Delivery, Map<StreamClass, Intervals>> flying)
        throws IOException;
  }

  /** Does something to a segment while nobody sends anything of it. */
  private void fenced(Segment segment, Work work) throws IOException {
    List<Delivery> deliveries = accounts.deliveries();
    Collection<Pump> running = pumps.get();
    try {
      Map<Delivery, Map<StreamClass, Intervals>> flying = new HashMap<>();
      for (Delivery delivery : deliveries) {
        delivery.extend(store::next);
        delivery.fence(segment);
      }
      for (Pump pump : running) {
        flying.put(pump.delivery(), flying(pump, segment));
      }
      work.run(deliveries, flying);
    } finally {
      deliveries.forEach(delivery -> delivery.fence(null));
      running.forEach(Pump::wake);
    }
  }

  private static Map<StreamClass, Intervals> flying(Pump pump, Segment segment) throws IOException {
    try {
      return pump.flying().get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IOException("Can't see what of " + segment.file() + " is sent", e.getCause());
    } catch (TimeoutException e) {
      throw new IOException("Delivery did not answer for " + segment.file() + " in 30 s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while deleting of " + segment.file(), e);
    }
  }
}
