package io.culvert.core.normalise;

import io.culvert.api.ClockState;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Site;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.ObjLongConsumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the samples of one device into readings by its profile: codes of no value, running totals,
 * scale, unit, range, quality, clock state, dead-band; and the value of a command into a raw one.
 * Safe in any thread; never blocks.
 *
 * <p>A point may be scaled by what other points tell ({@link PointModel.Factor}). Among the samples
 * of one moment, those points come first, so that a changed factor holds for all that was read with
 * it. {@link Told} says how long a factor holds that is read at another interval. While one isn't
 * known, what it scales has no value.
 *
 * <p>{@link Total} says how the total of a counter goes on.
 *
 * <p>A dead-band compares with the value in force, the last one that was kept <em>and
 * accepted</em>. So the caller tells what became of each result, by {@link #accepted} or {@link
 * #lost}. Until it does, any of the values kept since may be the one in force, and a reading is
 * held back only if it is near every one of them.
 *
 * <p>What the device kept while nobody listened goes its own way, by {@link #fill}.
 */
public final class Normaliser {
  /** What was filled in and is remembered, at most. */
  private static final int MOST_LATE = 100_000;

  private static final Logger LOG = LoggerFactory.getLogger(Normaliser.class);

  private final String device;
  private final ClockSource clock;

  /** In the profile's order. */
  private final Map<String, Channel> channels = new LinkedHashMap<>();

  /** Points that scale others, each after those that scale it. */
  private final List<Channel> factors = new ArrayList<>();

  /** Whether any point has a dead-band. */
  private final boolean banded;

  /** Points that a driver made up; each is told once. */
  private final Set<String> unknown = new HashSet<>();

  /** The channel whose sample came last. */
  private Channel last;

  /** The last outage; {@code null} before any. */
  private Missed missed;

  /** Outages that are filled in, or will be, and the last one; oldest first. */
  private final List<Missed> outages = new ArrayList<>();

  /** What was filled in and may still be told by the device. */
  private final Map<Late, What> late =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Late, What> eldest) {
          return size() > MOST_LATE;
        }
      };

  private long tickets;

  private record Late(int point, Instant eventTime) {}

  private record What(Value value, Quality quality) {}

  /**
   * @param entry with a profile
   */
  public Normaliser(Site.Entry entry, ClockSource clock) {
    this.device = entry.device().id();
    this.clock = clock;
    for (PointModel model : entry.profile().points()) {
      Channel channel = new Channel(channels.size(), model, entry.interval(model));
      channels.put(channel.id(), channel);
      last = channel;
    }
    this.banded = channels.values().stream().anyMatch(Channel::banded);
    for (PointModel model : entry.profile().points()) {
      if (model.factor() != null) {
        channels
            .get(model.point().id())
            .scaledBy(model.factor().points().stream().map(channels::get).toArray(Channel[]::new));
      }
    }
    for (Channel channel : channels.values()) {
      inOrder(channel);
    }
  }

  private void inOrder(Channel channel) {
    if (!factors.contains(channel)) {
      channel.factors().forEach(this::inOrder);
      if (channel.scalesOthers()) {
        factors.add(channel);
      }
    }
  }

  /**
   * @param readings to be stored, in the order of the samples
   * @param suppressed samples that dead-band kept back
   * @param ticket names this result to {@link #accepted} and {@link #lost}
   */
  public record Result(List<Reading> readings, int suppressed, long ticket) {
    public Result {
      readings = List.copyOf(readings);
    }
  }

  /**
   * What a command's value is for the device.
   *
   * @param raw {@code null} if it is refused
   * @param quality good, or why it is refused
   * @param message the same in words with what to do; {@code ""} if it is good
   */
  public record Write(Value raw, Quality quality, String message) {}

  /**
   * Turns the samples of one moment into readings. A sample whose value doesn't fit the type of its
   * point becomes a bad reading; one of a point that the profile doesn't have is left out.
   *
   * @param received when the gateway had them; their event time where the device tells none
   */
  public synchronized Result normalise(List<Sample> samples, Instant received) {
    return normalise(samples, received, true);
  }

  /**
   * @param told whether the device said so
   */
  private Result normalise(List<Sample> samples, Instant received, boolean told) {
    long ticket = ++tickets;
    ClockState state = clock.state();
    tellFactors(samples, ticket);
    List<Reading> readings = new ArrayList<>(samples.size());
    int suppressed = 0;
    for (Sample sample : samples) {
      Channel channel = channel(sample.point());
      if (channel == null) {
        madeUp(sample.point());
        continue;
      }
      Reading reading = channel.read(device, sample, received, state, ticket);
      channel.saw(reading);
      if (told && told(channel, reading) || channel.saysNothingNew(reading)) {
        suppressed++;
      } else {
        channel.keep(reading, ticket);
        readings.add(reading);
      }
    }
    return new Result(readings, suppressed, ticket);
  }

  /**
   * Notes what the device tells by itself.
   *
   * @return whether exactly this was filled in already
   */
  private boolean told(Channel channel, Reading reading) {
    channel.told(reading.eventTime());
    if (channel.edgeOpen && !reading.quality().bad()) {
      channel.edgeOpen = false;
      outages.forEach(outage -> outage.told(channel.index, reading.eventTime()));
    }
    if (late.isEmpty()) {
      return false;
    }
    Late key = new Late(channel.index, reading.eventTime());
    return new What(reading.value(), reading.quality()).equals(late.get(key))
        && late.remove(key) != null;
  }

  /** Samples come in the same order as the last time, as a rule: looks there first. */
  private Channel channel(String point) {
    Channel guess = last.next;
    if (!guess.id().equals(point)) {
      guess = channels.get(point);
      if (guess == null) {
        return null;
      }
      last.next = guess;
    }
    last = guess;
    return guess;
  }

  private void madeUp(String point) {
    // A bound: a driver that makes up names must not fill the memory with them.
    if (unknown.size() < 100 && unknown.add(point)) {
      LOG.warn(
          "{}: the driver delivers a point {} that the profile doesn't have; left out",
          device,
          point);
    }
  }

  private void tellFactors(List<Sample> samples, long ticket) {
    if (factors.isEmpty()) {
      return;
    }
    Map<String, Sample> byPoint = new HashMap<>();
    for (Sample sample : samples) {
      byPoint.put(sample.point(), sample);
    }
    for (Channel factor : factors) {
      Sample sample = byPoint.get(factor.id());
      if (sample != null) {
        factor.tell(sample, ticket);
      }
    }
  }

  /**
   * Makes bad readings of points whose values hold no longer, because nothing answers for them.
   *
   * @param quality bad
   */
  public synchronized Result invalidate(List<Point> points, Quality quality, Instant received) {
    List<Sample> samples = new ArrayList<>(points.size());
    for (Point point : points) {
      samples.add(Sample.bad(point.id(), quality));
    }
    Result result = normalise(samples, received, false);
    for (Point point : points) {
      channels.get(point.id()).lose(quality);
    }
    return result;
  }

  /** The readings of this result are accepted: on disk and synced. */
  public synchronized void accepted(Result result) {
    settle(result, Channel::accepted);
  }

  /** The readings of this result were not taken. */
  public synchronized void lost(Result result) {
    settle(result, Channel::lost);
  }

  private void settle(Result result, ObjLongConsumer<Channel> how) {
    if (!banded) {
      return;
    }
    for (Reading reading : result.readings()) {
      Channel channel = channels.get(reading.point());
      if (channel.banded()) {
        how.accept(channel, result.ticket());
      }
    }
  }

  /**
   * The last reading of each point that has one, also if dead-band kept it back; in the profile's
   * order.
   */
  public synchronized List<Reading> latest() {
    return channels.values().stream().map(Channel::latest).filter(Objects::nonNull).toList();
  }

  /** Counters, whose totals go on from what was stored before this start. */
  public synchronized Set<String> counters() {
    return channels.values().stream()
        .filter(Channel::counts)
        .map(Channel::id)
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Says what is stored of the {@link #counters} from before this start; before their first sample.
   * A counter of which nothing is stored begins at its raw value.
   *
   * @param stored by point
   * @param searched whether nothing else is stored. If that isn't certain, the first value of a
   *     counter that isn't among it is uncertain
   */
  public synchronized void remember(Map<String, Reading> stored, boolean searched) {
    for (Channel channel : channels.values()) {
      if (channel.counts()) {
        channel.remember(stored.get(channel.id()), searched);
      }
    }
  }

  // What the device kept

  /** Points of which what the device kept can be filled in later; in the profile's order. */
  public synchronized Set<String> fillable() {
    return channels.values().stream()
        .filter(Channel::fillable)
        .map(Channel::id)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The newest event time that the device told, {@code null} before any. */
  public synchronized Instant newest() {
    return channels.values().stream()
        .map(Channel::newest)
        .filter(Objects::nonNull)
        .max(Comparator.naturalOrder())
        .orElse(null);
  }

  /**
   * The link is lost: what the device tells from now on comes after an outage. Lost again before
   * {@link #over}, it is the same outage.
   */
  public synchronized Missed cut() {
    if (missed != null && !missed.isOver()) {
      missed.goesOn();
      channels.values().forEach(channel -> channel.edgeOpen = true);
      return missed;
    }
    Instant[] after = new Instant[channels.size()];
    for (Channel channel : channels.values()) {
      Instant newest = channel.newest();
      after[channel.index] = missed == null ? newest : missed.edge(channel.index, newest);
    }
    return begin(new Missed(after, Map.of()));
  }

  /**
   * As {@link #cut}, for the time since an earlier start; before the first sample.
   *
   * @param stored event times of what is stored, by point, as far back as may be filled in
   */
  public synchronized Missed since(Map<String, Set<Instant>> stored) {
    if (missed != null) {
      outages.remove(missed);
    }
    return begin(new Missed(new Instant[channels.size()], stored));
  }

  private Missed begin(Missed outage) {
    missed = outage;
    outages.add(outage);
    channels.values().forEach(channel -> channel.edgeOpen = true);
    return outage;
  }

  /** The outage is over, and the device tells again. */
  public synchronized void over(Missed outage, Instant time) {
    outage.over(time);
  }

  /** No more of the outage is filled in, or nothing was missed in it. */
  public synchronized void done(Missed outage) {
    outages.remove(outage);
    if (missed == outage && !outage.isOver()) {
      missed = null;
    }
  }

  /**
   * Turns samples that the device kept into readings. They change nothing that is remembered of the
   * points: not the last reading, no dead-band, no factor. None is held back by a dead-band; left
   * out is what lies outside the span or the {@link Missed edges} of its point, and what can't be
   * {@link #fillable filled in}.
   *
   * @param from inclusive
   * @param to inclusive
   * @return for {@link #filled} alone
   */
  public synchronized Result fill(
      Missed outage, List<Sample> samples, Instant from, Instant to, Instant received) {
    long ticket = ++tickets;
    ClockState state = clock.state();
    List<Reading> readings = new ArrayList<>(samples.size());
    for (Sample sample : samples) {
      Channel channel = channels.get(sample.point());
      Instant at = sample.deviceTime();
      if (channel == null) {
        madeUp(sample.point());
      } else if (at != null
          && !at.isBefore(from)
          && !at.isAfter(to)
          && channel.fillable()
          && outage.lacks(channel.index, channel.id(), at)) {
        readings.add(channel.read(device, sample, received, state, ticket));
      }
    }
    return new Result(readings, 0, ticket);
  }

  /**
   * These readings were filled in and are accepted.
   *
   * @param near from when on the device may still tell the same by itself
   */
  public synchronized void filled(Missed outage, Result result, Instant near) {
    Map<String, Reading> newest = new HashMap<>();
    for (Reading reading : result.readings()) {
      newest.put(reading.point(), reading);
    }
    for (Reading reading : result.readings()) {
      int point = channels.get(reading.point()).index;
      Instant at = reading.eventTime();
      outage.filled(point, at);
      if (outage.open(point) && (at.isAfter(near) || newest.get(reading.point()) == reading)) {
        late.put(new Late(point, at), new What(reading.value(), reading.quality()));
      }
    }
  }

  /**
   * The raw value for a command.
   *
   * @param value in the unit of the profile
   */
  public synchronized Write write(String point, Value value) {
    Channel channel = channels.get(point);
    if (channel == null) {
      return new Write(
          null,
          Quality.BAD_NOT_FOUND,
          device + " has no point " + point + "; expected one of its profile's points");
    }
    return channel.write(device, value, tickets);
  }

  /**
   * What a raw value of a point means at this moment. It becomes no reading and changes nothing.
   *
   * @return {@code null} if that can't be told
   */
  public synchronized Value value(String point, Value raw) {
    Channel channel = channels.get(point);
    return channel == null || raw == null ? null : channel.value(raw, tickets);
  }
}
