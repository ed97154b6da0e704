package io.culvert.core.normalise;

import io.culvert.api.ClockState;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Site;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the samples of one device into readings by its profile: scale, unit, range, quality, clock
 * state, dead-band; and the value of a command into a raw one. Safe in any thread; never blocks.
 *
 * <p>A dead-band compares with the value in force, the last one that was kept <em>and
 * accepted</em>. So the caller tells what became of each result, by {@link #accepted} or {@link
 * #lost}. Until it does, any of the values kept since may be the one in force, and a reading is
 * held back only if it is near every one of them.
 */
public final class Normaliser {
  private static final Logger LOG = LoggerFactory.getLogger(Normaliser.class);

  private final String device;
  private final ClockSource clock;
  private final Map<String, Channel> channels = new HashMap<>();

  /** Points that a driver made up; each is told once. */
  private final Set<String> unknown = new HashSet<>();

  private long tickets;

  /**
   * @param entry with a profile
   */
  public Normaliser(Site.Entry entry, ClockSource clock) {
    this.device = entry.device().id();
    this.clock = clock;
    for (PointModel model : entry.profile().points()) {
      channels.put(model.point().id(), new Channel(model));
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
    long ticket = ++tickets;
    ClockState state = clock.state();
    List<Reading> readings = new ArrayList<>(samples.size());
    int suppressed = 0;
    for (Sample sample : samples) {
      Channel channel = channels.get(sample.point());
      if (channel == null) {
        // A bound: a driver that makes up names must not fill the memory with them.
        if (unknown.size() < 100 && unknown.add(sample.point())) {
          LOG.warn(
              "{}: the driver delivers a point {} that the profile doesn't have; left out",
              device,
              sample.point());
        }
        continue;
      }
      Reading reading = channel.read(device, sample, received, state);
      if (channel.saysNothingNew(reading)) {
        suppressed++;
      } else {
        channel.keep(reading, ticket);
        readings.add(reading);
      }
    }
    return new Result(readings, suppressed, ticket);
  }

  /** The readings of this result are accepted: on disk and synced. */
  public synchronized void accepted(Result result) {
    for (Reading reading : result.readings()) {
      channels.get(reading.point()).accepted(result.ticket());
    }
  }

  /** The readings of this result were not taken. */
  public synchronized void lost(Result result) {
    for (Reading reading : result.readings()) {
      channels.get(reading.point()).lost(result.ticket());
    }
  }

  /** Forgets the values in force, so that the next reading of every point is kept. */
  public synchronized void forget() {
    channels.values().forEach(channel -> channel.kept.clear());
  }

  /**
   * The raw value for a command.
   *
   * @param value in the unit of the profile
   */
  public Write write(String point, Value value) {
    Channel channel = channels.get(point);
    if (channel == null) {
      return new Write(
          null,
          Quality.BAD_NOT_FOUND,
          device + " has no point " + point + "; expected one of its profile's points");
    }
    return channel.write(device, value);
  }

  /** One point: its model and what was kept of it. */
  private static final class Channel {
    private final PointModel model;
    private final Scaling scaling;

    /** What may be in force at the platform, oldest first. */
    private final Deque<Kept> kept = new ArrayDeque<>(2);

    private record Kept(
        double value, Quality quality, Instant eventTime, Instant receivedTime, long ticket) {}

    Channel(PointModel model) {
      this.model = model;
      this.scaling = new Scaling(model);
    }

    Reading read(String device, Sample sample, Instant received, ClockState state) {
      Quality quality = sample.quality();
      Value value = sample.value();
      if (value != null && !scaling.fits(value)) {
        value = null;
        quality = quality.worst(Quality.BAD_TYPE_MISMATCH);
      } else if (value != null) {
        value = scaling.toValue(value);
        if (!inRange(value.number())) {
          quality = quality.worst(Quality.UNCERTAIN_OUT_OF_RANGE);
        }
      }
      return new Reading(
          device,
          model.point().id(),
          model.streamClass(),
          value,
          model.unit(),
          quality,
          sample.deviceTime() == null ? received : sample.deviceTime(),
          received,
          state,
          model.grade());
    }

    /** NaN is in no range. */
    private boolean inRange(double number) {
      return (model.min() == null || number >= model.min())
          && (model.max() == null || number <= model.max());
    }

    boolean saysNothingNew(Reading reading) {
      PointModel.Deadband deadband = model.deadband();
      if (deadband == null || kept.isEmpty() || reading.quality().bad()) {
        return false;
      }
      double value = reading.value().number();
      for (Kept k : kept) {
        // Comparisons with NaN are false, so NaN is always news.
        if (!(Math.abs(value - k.value) <= deadband.absolute())
            || !reading.quality().equals(k.quality)
            || !young(k.eventTime, reading.eventTime(), deadband.heartbeat())
            || !young(k.receivedTime, reading.receivedTime(), deadband.heartbeat())) {
          return false;
        }
      }
      return true;
    }

    /** A clock that was set back says nothing of age: then the reading is kept. */
    private static boolean young(Instant then, Instant now, Duration heartbeat) {
      Duration age = Duration.between(then, now);
      return !age.isNegative() && age.compareTo(heartbeat) < 0;
    }

    void keep(Reading reading, long ticket) {
      if (model.deadband() == null) {
        return;
      }
      double value = reading.value() == null ? Double.NaN : reading.value().number();
      kept.addLast(
          new Kept(value, reading.quality(), reading.eventTime(), reading.receivedTime(), ticket));
    }

    void accepted(long ticket) {
      // Of several readings in one result, the last is in force.
      for (Iterator<Kept> i = kept.iterator(); i.hasNext(); ) {
        Kept k = i.next();
        if (k.ticket > ticket || (k.ticket == ticket && !moreOf(ticket, k))) {
          return;
        }
        i.remove();
      }
    }

    private boolean moreOf(long ticket, Kept than) {
      Kept last = null;
      for (Kept k : kept) {
        if (k.ticket == ticket) {
          last = k;
        }
      }
      return last != than;
    }

    void lost(long ticket) {
      kept.removeIf(k -> k.ticket == ticket);
    }

    Write write(String device, Value value) {
      String name = device + "/" + model.point().id();
      if (!model.point().access().writable()) {
        return new Write(
            null, Quality.BAD_NOT_WRITABLE, name + " can't be written: its profile says read only");
      }
      return switch (model.point().type()) {
        case BOOL -> bool(name, value);
        case TEXT ->
            value instanceof Value.Text
                ? new Write(value, Quality.GOOD, "")
                : mismatch(name, value, "text");
        case BYTES ->
            value instanceof Value.Bytes
                ? new Write(value, Quality.GOOD, "")
                : mismatch(name, value, "bytes");
        default -> number(name, value);
      };
    }

    /** Platforms without a boolean type send 0 and 1. */
    private static Write bool(String name, Value value) {
      if (value instanceof Value.Bool) {
        return new Write(value, Quality.GOOD, "");
      }
      if (value instanceof Value.Int i && (i.value() == 0 || i.value() == 1)) {
        return new Write(Value.of(i.value() == 1), Quality.GOOD, "");
      }
      return mismatch(name, value, "true or false");
    }

    private Write number(String name, Value value) {
      if (!(value instanceof Value.Int || value instanceof Value.Decimal)
          || !Double.isFinite(value.number())) {
        return mismatch(name, value, "a number");
      }
      BigDecimal wanted =
          value instanceof Value.Int i
              ? BigDecimal.valueOf(i.value())
              : BigDecimal.valueOf(value.number());
      if (!inRange(value.number())) {
        return new Write(
            null,
            Quality.BAD_OUT_OF_RANGE,
            name + ": found " + value + "; expected " + rangeInWords());
      }
      Value raw = scaling.toRaw(wanted);
      // What the device will hold is the nearest it can; that must be in the range too.
      if (raw == null || !inRange(scaling.toValue(raw).number())) {
        return new Write(
            null,
            Quality.BAD_OUT_OF_RANGE,
            name
                + ": found "
                + value
                + "; the device can't hold it as "
                + model.point().type().name().toLowerCase(java.util.Locale.ROOT)
                + " within "
                + rangeInWords());
      }
      return new Write(raw, Quality.GOOD, "");
    }

    private String rangeInWords() {
      String unit = model.unit().isEmpty() ? "" : " " + model.unit();
      if (model.min() == null && model.max() == null) {
        return "its type";
      }
      return (model.min() == null ? "at most " : model.max() == null ? "at least " : "")
          + (model.min() == null ? "" : model.min())
          + (model.min() != null && model.max() != null ? " to " : "")
          + (model.max() == null ? "" : model.max())
          + unit;
    }

    private static Write mismatch(String name, Value value, String expected) {
      return new Write(
          null, Quality.BAD_TYPE_MISMATCH, name + ": found " + value + "; expected " + expected);
    }
  }
}
