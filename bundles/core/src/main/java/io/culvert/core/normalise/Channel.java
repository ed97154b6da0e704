package io.culvert.core.normalise;

import io.culvert.api.ClockState;
import io.culvert.api.DataType;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.core.model.PointModel;
import io.culvert.core.normalise.Normaliser.Write;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/** One point of a device: its model and what was kept of it. Not for several threads. */
final class Channel {
  /** How far a stored total may lie from a whole number of raw units. */
  private static final BigDecimal SLACK = new BigDecimal("0.01");

  /** Greatest power of ten, up or down, by which a device can scale a point. */
  private static final BigDecimal MOST_EXPONENT = BigDecimal.valueOf(40);

  // Shared, as a gateway has a hundred thousand of these objects.
  private static final Channel[] NONE = {};
  private static final BigDecimal[] NO_NUMBERS = {};
  private static final Value[] NO_CODES = {};

  private final PointModel model;
  private final boolean ranged;
  private final double min;
  private final double max;
  private final Value[] notAvailable;

  /** {@code null} of what is no counter. */
  private final Total total;

  /** Of a counter, what was stored of it before this start, until the first good sample. */
  private Reading stored;

  /** What a point tells that scales others; {@code null} of one that doesn't. */
  private Told told;

  /** The points that scale this one. */
  private Channel[] factors = NONE;

  /** What they told when {@link #scaling} was made. */
  private BigDecimal[] factorValues = NO_NUMBERS;

  /** {@code null} until the factors are known. */
  private Scaling scaling;

  /** What may be in force at the platform, oldest first; {@code null} without dead-band. */
  private final Deque<Kept> kept;

  private Reading latest;

  /** Whether the last value was a list. */
  private boolean lists;

  /** The newest event time that the device told of it, {@code null} before any. */
  private Instant newest;

  /** Its place in the profile. */
  final int index;

  /** Whether an outage's upper edge isn't known of it. */
  boolean edgeOpen;

  /** The one whose sample came next the last time: most likely it will again. */
  Channel next = this;

  private record Kept(
      Value value, Quality quality, Instant eventTime, Instant receivedTime, long ticket) {}

  /**
   * @param index its place in the profile
   * @param interval at which it is read
   */
  Channel(int index, PointModel model, Duration interval) {
    this.index = index;
    this.model = model;
    this.ranged = model.min() != null || model.max() != null;
    this.min = model.min() == null ? Double.NEGATIVE_INFINITY : model.min();
    this.max = model.max() == null ? Double.POSITIVE_INFINITY : model.max();
    this.notAvailable =
        model.notAvailable().isEmpty() ? NO_CODES : model.notAvailable().toArray(NO_CODES);
    this.total = model.counter() == null ? null : new Total(model.counter(), interval);
    this.kept = model.deadband() == null ? null : new ArrayDeque<>(2);
    if (model.factor() == null) {
      scaling = new Scaling(model.point().type(), model.scale(), model.offset(), false);
    }
  }

  String id() {
    return model.point().id();
  }

  /** Says which points scale this one. */
  void scaledBy(Channel[] others) {
    factors = others;
    factorValues = new BigDecimal[others.length];
    for (Channel factor : others) {
      if (factor.told == null) {
        factor.told = new Told();
      }
    }
  }

  /** The points that scale this one. */
  List<Channel> factors() {
    return List.of(factors);
  }

  boolean scalesOthers() {
    return told != null;
  }

  boolean counts() {
    return total != null;
  }

  boolean banded() {
    return kept != null;
  }

  /**
   * Whether what the device kept of it can be filled in later: its value must not depend on what
   * was read before or with it.
   */
  boolean fillable() {
    return total == null && factors.length == 0 && model.point().access().readable();
  }

  Instant newest() {
    return newest;
  }

  /** Notes the event time of what the device told. */
  void told(Instant eventTime) {
    if (newest == null || eventTime.isAfter(newest)) {
      newest = eventTime;
    }
  }

  Reading latest() {
    return latest;
  }

  // Scaling

  /** Notes what a sample tells to the points that this one scales. */
  void tell(Sample sample, long ticket) {
    Quality quality = sample.quality();
    if (!quality.bad()) {
      quality = quality.worst(check(sample.value(), ticket));
    }
    BigDecimal number = quality.bad() ? null : exact(sample.value());
    if (number == null) {
      told.bad(quality.bad() ? quality : Quality.BAD_OUT_OF_RANGE, ticket);
      return;
    }
    told.good(
        number,
        inRange(number.doubleValue()) ? quality : quality.worst(Quality.UNCERTAIN_OUT_OF_RANGE),
        ticket);
  }

  /** A number's value, {@code null} if it is none. */
  private BigDecimal exact(Value raw) {
    if (raw instanceof Value.Int i) {
      return scaling.exact(BigDecimal.valueOf(i.value()));
    }
    return Double.isFinite(raw.number()) ? scaling.exact(new BigDecimal(raw.number())) : null;
  }

  void lose(Quality why) {
    if (told != null) {
      told.lose(why);
    }
  }

  /**
   * What keeps a raw value from being used; makes the scaling ready for it.
   *
   * @return good if nothing does, uncertain if its factors are, else bad
   */
  private Quality check(Value raw, long ticket) {
    Quality quality = factors.length == 0 ? Quality.GOOD : scale(ticket);
    if (quality.bad()) {
      return quality;
    }
    if (notAvailable.length > 0 && notAvailable(raw)) {
      return Quality.BAD_NO_DATA;
    }
    boolean one = total == null || !(raw instanceof Value.Array);
    return one && scaling.fits(raw) ? quality : Quality.BAD_TYPE_MISMATCH;
  }

  /** A list in which one value is missing is none: the others would move up. */
  private boolean notAvailable(Value raw) {
    if (raw instanceof Value.Array array) {
      return array.values().stream().anyMatch(this::notAvailable);
    }
    for (Value code : notAvailable) {
      // Equality of records is that of Double.compare: NaN equals NaN.
      if (code.equals(raw)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Scales by what the factors tell for the samples at hand.
   *
   * @return how good the factors are; if that is bad, there is no {@link #scaling}
   */
  private Quality scale(long ticket) {
    Quality quality = Quality.GOOD;
    boolean changed = scaling == null;
    for (int i = 0; i < factors.length; i++) {
      Told factor = factors[i].told;
      BigDecimal value = factor.value(ticket);
      if (value == null) {
        scaling = null;
        return factor.quality(ticket);
      }
      quality = quality.worst(factor.quality(ticket));
      changed |= value != factorValues[i];
      factorValues[i] = value;
    }
    if (changed) {
      BigDecimal scale = scale(factorValues);
      scaling =
          scale == null ? null : new Scaling(model.point().type(), scale, model.offset(), true);
    }
    return scaling == null ? Quality.BAD_OUT_OF_RANGE : quality;
  }

  /**
   * @return {@code null} if the factors make no scale
   */
  private BigDecimal scale(BigDecimal[] values) {
    if (model.factor().exponent()) {
      BigDecimal exponent = Arrays.stream(values).reduce(BigDecimal.ZERO, BigDecimal::add);
      return exponent.stripTrailingZeros().scale() > 0
              || exponent.abs().compareTo(MOST_EXPONENT) > 0
          ? null
          : model.scale().scaleByPowerOfTen(exponent.intValueExact());
    }
    BigDecimal scale = Arrays.stream(values).reduce(model.scale(), BigDecimal::multiply);
    return scale.signum() == 0 ? null : scale;
  }

  // Reading

  /**
   * What a sample means.
   *
   * @param ticket names the samples at hand
   */
  Reading read(String device, Sample sample, Instant received, ClockState state, long ticket) {
    Value value = sample.value();
    Quality quality = sample.quality();
    if (value != null) {
      Quality check = check(value, ticket);
      if (total != null && !check.bad() && !quality.bad()) {
        check = check.worst(count(((Value.Int) value).value(), received));
      }
      value = check.bad() || (total != null && quality.bad()) ? null : toValue(value);
      quality = quality.worst(check);
      if (value != null && !inRange(value)) {
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

  private Value toValue(Value raw) {
    return scaling.toValue(total == null ? raw : Value.of(total.value()));
  }

  private Quality count(long raw, Instant received) {
    if (stored != null) {
      resume(stored);
      stored = null;
    }
    return total.add(raw, received);
  }

  /**
   * Says what is stored of a counter from before this start.
   *
   * @param before {@code null} if there is nothing
   * @param searched whether that is certain
   */
  void remember(Reading before, boolean searched) {
    stored = before;
    if (before == null && !searched) {
      total.historyUnknown();
    }
  }

  /** Goes on from a stored value, if it is one of this scale. */
  private void resume(Reading before) {
    BigDecimal value = before.unit().equals(model.unit()) ? number(before.value()) : null;
    BigDecimal raw = value == null ? null : scaling.inverse(value);
    if (raw != null && raw.signum() >= 0 && raw.precision() - raw.scale() <= 18) {
      BigDecimal whole = raw.setScale(0, RoundingMode.HALF_EVEN);
      if (whole.subtract(raw).abs().compareTo(SLACK) <= 0) {
        total.resume(whole.longValueExact(), before.receivedTime());
        return;
      }
    }
    total.historyUnknown();
  }

  /** A number as it is written, {@code null} if it is none. */
  private static BigDecimal number(Value value) {
    if (value instanceof Value.Int i) {
      return BigDecimal.valueOf(i.value());
    }
    return value instanceof Value.Decimal d && Double.isFinite(d.value())
        ? BigDecimal.valueOf(d.value())
        : null;
  }

  /** A list is if all of it is. */
  private boolean inRange(Value value) {
    return !ranged
        || (value instanceof Value.Array array
            ? array.values().stream().allMatch(this::inRange)
            : inRange(value.number()));
  }

  /** NaN is in no range. */
  private boolean inRange(double number) {
    return !ranged || (number >= min && number <= max);
  }

  /**
   * What a raw value means now.
   *
   * @return {@code null} if that isn't known
   */
  Value value(Value raw, long ticket) {
    return total != null || check(raw, ticket).bad() ? null : scaling.toValue(raw);
  }

  // Dead-band

  boolean saysNothingNew(Reading reading) {
    if (kept == null || kept.isEmpty() || reading.quality().bad()) {
      return false;
    }
    PointModel.Deadband deadband = model.deadband();
    for (Kept k : kept) {
      if (!near(reading.value(), k.value, deadband.absolute())
          || !reading.quality().equals(k.quality)
          || !young(k.eventTime, reading.eventTime(), deadband.heartbeat())
          || !young(k.receivedTime, reading.receivedTime(), deadband.heartbeat())) {
        return false;
      }
    }
    return true;
  }

  /** Lists are if they are of the same length and each of one is near that of the other. */
  private static boolean near(Value one, Value other, double band) {
    if (one instanceof Value.Array a && other instanceof Value.Array b) {
      boolean near = a.values().size() == b.values().size();
      for (int i = 0; near && i < a.values().size(); i++) {
        near = near(a.values().get(i), b.values().get(i), band);
      }
      return near;
    }
    // Comparisons with NaN, and so with what is no number, are false: that is always news.
    return other != null && Math.abs(one.number() - other.number()) <= band;
  }

  /** A clock that was set back says nothing of age: then the reading is kept. */
  private static boolean young(Instant then, Instant now, Duration heartbeat) {
    Duration age = Duration.between(then, now);
    return !age.isNegative() && age.compareTo(heartbeat) < 0;
  }

  /** Notes the last reading, whether it is kept or not. */
  void saw(Reading reading) {
    latest = reading;
    if (reading.value() != null) {
      lists = reading.value() instanceof Value.Array;
    }
  }

  void keep(Reading reading, long ticket) {
    if (kept != null) {
      kept.addLast(
          new Kept(
              reading.value(),
              reading.quality(),
              reading.eventTime(),
              reading.receivedTime(),
              ticket));
    }
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

  // Writing

  Write write(String device, Value value, long ticket) {
    String name = device + "/" + model.point().id();
    if (!model.point().access().writable()) {
      return new Write(
          null, Quality.BAD_NOT_WRITABLE, name + " can't be written: its profile says read only");
    }
    return value instanceof Value.Array array
        ? list(name, array, ticket)
        : one(name, value, ticket);
  }

  /** A list for a point that shows lists, or that can't be read. */
  private Write list(String name, Value.Array list, long ticket) {
    if (model.point().type() == DataType.STRUCT || !lists && model.point().access().readable()) {
      return mismatch(name, list, "one value, as the device has shown no list");
    }
    List<Value> raw = new ArrayList<>();
    for (Value value : list.values()) {
      Write one = one(name, value, ticket);
      if (one.quality().bad()) {
        return one;
      }
      raw.add(one.raw());
    }
    return new Write(new Value.Array(raw), Quality.GOOD, "");
  }

  private Write one(String name, Value value, long ticket) {
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
      case STRUCT ->
          value instanceof Value.Struct
              ? new Write(value, Quality.GOOD, "")
              : mismatch(name, value, "a structure");
      default -> number(name, value, ticket);
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

  private Write number(String name, Value value, long ticket) {
    BigDecimal wanted = number(value);
    if (wanted == null) {
      return mismatch(name, value, "a number");
    }
    if (!inRange(value.number())) {
      return new Write(
          null,
          Quality.BAD_OUT_OF_RANGE,
          name + ": found " + value + "; expected " + rangeInWords());
    }
    Quality scaled = factors.length == 0 ? Quality.GOOD : scale(ticket);
    if (scaled.bad()) {
      return new Write(
          null,
          scaled,
          name
              + " can't be written now: its scale depends on "
              + String.join(", ", model.factor().points())
              + ", of which the gateway has no good value ("
              + scaled
              + ")");
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
              + model.point().type().name().toLowerCase(Locale.ROOT)
              + " within "
              + rangeInWords());
    }
    if (notAvailable(raw)) {
      return new Write(
          null,
          Quality.BAD_OUT_OF_RANGE,
          name + ": found " + value + "; to the device " + raw + " means that there is no value");
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
