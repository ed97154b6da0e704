package io.culvert.core.run;

import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Site;
import io.culvert.core.normalise.Missed;
import io.culvert.core.normalise.Normaliser;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * One device's samples on their way into the buffer: normalised, handed over, accounted for. Used
 * on the loop, except where it says otherwise.
 */
final class Intake {
  /** Hand-overs that may wait for their commit at once; then the device isn't asked for more. */
  static final int MOST = 32;

  /** With this begins the detail of an entry that isn't of all points of its class. */
  static final String ONLY = "only ";

  private final Kit kit;
  private final String device;
  private final Normaliser normaliser;
  private final AtomicInteger outstanding = new AtomicInteger();
  private volatile Instant lastAnswer;
  private boolean remembered;
  private final Map<String, StreamClass> classes = new HashMap<>();

  Intake(Kit kit, Site.Entry entry) {
    this.kit = kit;
    this.device = entry.device().id();
    this.normaliser = new Normaliser(entry, kit.clock());
    for (PointModel model : entry.profile().points()) {
      classes.put(model.point().id(), model.streamClass());
    }
  }

  /** Whether so much waits for its commit that no more should be read. Any thread. */
  boolean full() {
    return outstanding.get() >= MOST;
  }

  /** When the device last answered or told something, {@code null} if never. Any thread. */
  Instant lastAnswer() {
    return lastAnswer;
  }

  /** The last reading of each point that has one. Any thread. */
  List<Reading> latest() {
    return normaliser.latest();
  }

  /** What a command's value is for the device. */
  Normaliser.Write write(String point, Value value) {
    return normaliser.write(point, value);
  }

  /** What a raw value means now, {@code null} if that can't be told. */
  Value value(String point, Value raw) {
    return normaliser.value(point, raw);
  }

  /**
   * Has the totals of its counters go on from what is stored of them, and then does what waits for
   * that: at once if there are none, or it was done before.
   */
  void remember(Runnable then) {
    Set<String> counters = remembered ? Set.of() : normaliser.counters();
    if (counters.isEmpty()) {
      then.run();
      return;
    }
    kit.recall()
        .ask(
            device,
            counters,
            (stored, searched) -> {
              if (!remembered) {
                remembered = true;
                normaliser.remember(stored, searched);
              }
              then.run();
            });
  }

  // What the device kept

  /** Points of which what the device kept can be filled in later. */
  Set<String> fillable() {
    return normaliser.fillable();
  }

  /** The newest event time that the device told, {@code null} before any. */
  Instant newest() {
    return normaliser.newest();
  }

  /** As the normaliser has it. */
  Missed cut() {
    return normaliser.cut();
  }

  /** As the normaliser has it. */
  Missed since(Map<String, Set<Instant>> stored) {
    return normaliser.since(stored);
  }

  /** As the normaliser has it. */
  void over(Missed outage, Instant time) {
    normaliser.over(outage, time);
  }

  /** As the normaliser has it. */
  void done(Missed outage) {
    normaliser.done(outage);
  }

  /**
   * Fills in what the device kept.
   *
   * @param end told how many readings were stored, by class, or that none was, and why
   */
  void fill(
      Missed outage,
      List<Sample> samples,
      Instant from,
      Instant to,
      BiConsumer<long[], String> end) {
    Normaliser.Result result = normaliser.fill(outage, samples, from, to, kit.loop().now());
    List<Reading> readings = result.readings();
    long[] counts = new long[StreamClass.values().length];
    readings.forEach(reading -> counts[reading.streamClass().ordinal()]++);
    if (readings.isEmpty()) {
      end.accept(counts, null);
      return;
    }
    outstanding.incrementAndGet();
    kit.outlet()
        .accept(
            readings,
            problem -> {
              outstanding.decrementAndGet();
              if (problem == null) {
                normaliser.filled(outage, result, to.minus(Backfill.OVERLAP));
                kit.tally().read(readings.size(), 0);
                kit.tally().accepted(readings.size());
              }
              end.accept(counts, problem);
            });
  }

  /** The class of a point, {@code null} if the device has no such point. Any thread. */
  StreamClass classOf(String point) {
    return classes.get(point);
  }

  /**
   * Enters readings that the device had and can't give any more.
   *
   * @param readings how many, as far as that is known
   * @param why in words
   */
  void missing(StreamClass streamClass, Instant from, Instant to, long readings, String why) {
    kit.gaps().add(device, streamClass, from, to, readings, false, Reason.NEVER_READ, why);
  }

  /** Takes what a poll read. */
  void take(List<Sample> samples, Instant received) {
    outstanding.incrementAndGet();
    hand(samples, received, problem -> outstanding.decrementAndGet());
  }

  /**
   * Takes what a device sent by itself. Any thread.
   *
   * @param end told on the loop, with {@code null} when it is on disk, else with the problem
   */
  void push(List<Sample> samples, Instant received, Consumer<String> end) {
    boolean room = outstanding.incrementAndGet() <= MOST;
    kit.loop()
        .execute(
            () -> {
              Consumer<String> ending =
                  problem -> {
                    outstanding.decrementAndGet();
                    end.accept(problem);
                  };
              if (room) {
                hand(samples, received, ending);
              } else {
                refuse(samples, received, ending);
              }
            });
  }

  /**
   * Enters samples that were refused before anybody looked at them, because there were too many.
   *
   * @param samples how many, at least
   */
  void turnedAway(long samples) {
    Instant now = kit.loop().now();
    kit.tally().read(samples, 0);
    kit.gaps()
        .add(
            device,
            StreamClass.TELEMETRY,
            now,
            now,
            samples,
            false,
            Reason.NOT_ACCEPTED,
            "more than the gateway takes of one device");
  }

  /** Says of every point that its value holds no longer, and why. */
  void invalidate(List<Point> points, Quality quality) {
    outstanding.incrementAndGet();
    Normaliser.Result result = normaliser.invalidate(points, quality, kit.loop().now());
    hand(result, false, problem -> outstanding.decrementAndGet());
  }

  private void hand(List<Sample> samples, Instant received, Consumer<String> end) {
    Normaliser.Result result = normaliser.normalise(samples, received);
    lastAnswer = received;
    kit.tally().read(result.readings().size() + (long) result.suppressed(), result.suppressed());
    hand(result, true, end);
  }

  private void hand(Normaliser.Result result, boolean fromDriver, Consumer<String> end) {
    List<Reading> readings = result.readings();
    if (readings.isEmpty()) {
      end.accept(null);
      return;
    }
    kit.outlet()
        .accept(
            readings,
            problem -> {
              if (problem == null) {
                normaliser.accepted(result);
                if (fromDriver) {
                  kit.tally().accepted(readings.size());
                }
              } else {
                normaliser.lost(result);
                if (fromDriver) {
                  account(readings, problem);
                }
              }
              end.accept(problem);
            });
  }

  /** More than the bound allows: counted, and told to whoever sent it. */
  private void refuse(List<Sample> samples, Instant received, Consumer<String> end) {
    String problem = MOST + " hand-overs of " + device + " wait for the disk already";
    Normaliser.Result result = normaliser.normalise(samples, received);
    normaliser.lost(result);
    kit.tally().read(result.readings().size() + (long) result.suppressed(), result.suppressed());
    account(result.readings(), problem);
    end.accept(problem);
  }

  /** Enters readings that were read and not taken, each counted. */
  private void account(List<Reading> readings, String problem) {
    int classes = StreamClass.values().length;
    long[] count = new long[classes];
    Instant[] from = new Instant[classes];
    Instant[] to = new Instant[classes];
    for (Reading reading : readings) {
      int c = reading.streamClass().ordinal();
      Instant at = reading.eventTime();
      count[c]++;
      from[c] = from[c] == null || at.isBefore(from[c]) ? at : from[c];
      to[c] = to[c] == null || at.isAfter(to[c]) ? at : to[c];
    }
    for (StreamClass streamClass : StreamClass.values()) {
      int c = streamClass.ordinal();
      if (count[c] > 0) {
        kit.gaps()
            .add(device, streamClass, from[c], to[c], count[c], true, Reason.NOT_ACCEPTED, problem);
      }
    }
  }
}
