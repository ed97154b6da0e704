package io.culvert.core.run;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.service.Buffer;
import io.culvert.core.model.Profile;
import io.culvert.core.model.Site;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway as a device: tells of itself by its profile, through the same intake as any other.
 * There is no driver and no lane, as nothing has to be waited for; and what it tells isn't counted
 * among what devices told. Used on the loop, except where it says otherwise.
 *
 * <p>A dead-band is for numbers. A good text, truth value or structure, and a bad quality, is told
 * when it has changed, and once an hour.
 */
final class GatewayPoints {
  private static final Logger LOG = LoggerFactory.getLogger(GatewayPoints.class);
  private static final String SCHEME = "gateway";
  private static final Duration FIRST = Duration.ofSeconds(1);
  private static final Duration AGAIN = Duration.ofHours(1);

  /** Gaps that last are entered this often. */
  private static final Duration ENTERED_EVERY = Duration.ofMinutes(1);

  private final Kit kit;
  private final Gauges gauges;
  private final Executor searches;

  /** {@code null} while there is no site, or no profile. */
  private volatile Telling telling;

  /**
   * @param searches where files are read
   */
  GatewayPoints(Kit kit, Gauges gauges, Executor searches) {
    this.kit = kit.with(new Tally());
    this.gauges = gauges;
    this.searches = searches;
  }

  void apply(Site site) {
    Telling before = telling;
    Site.Entry entry = site.gateway().isEmpty() || site.own() == null ? null : entry(site);
    if (before != null && before.entry.equals(entry)) {
      return;
    }
    close();
    if (entry != null) {
      Telling next = new Telling(entry);
      telling = next;
      next.begin();
    }
  }

  private static Site.Entry entry(Site site) {
    Profile profile = site.own();
    return new Site.Entry(
        new Device(site.gateway(), profile.id(), URI.create(SCHEME + ":self"), profile.settings()),
        profile,
        profile.interval(),
        profile.interval(),
        "");
  }

  /** The last reading of each point that has one. Any thread. */
  List<Reading> latest() {
    Telling present = telling;
    return present == null ? List.of() : present.intake.latest();
  }

  void close() {
    if (telling != null) {
      telling.end();
      telling = null;
    }
  }

  /** By one profile. */
  private final class Telling {
    private final Site.Entry entry;
    private final Intake intake;
    private final Gap gap;
    private final Map<String, Told> told = new HashMap<>();
    private boolean ended;

    Telling(Site.Entry entry) {
      this.entry = entry;
      this.intake = new Intake(kit, entry);
      this.gap = new Gap(kit, entry.device().id());
    }

    private record Told(Value value, Quality quality, long at) {}

    void begin() {
      List<PollGroup> groups = PollGroup.of(entry);
      groups.forEach(group -> group.points().forEach(this::check));
      intake.remember(
          () -> {
            if (!ended) {
              groups.forEach(group -> new Turns(group).begin());
            }
          });
    }

    private void check(Point point) {
      if (!Gauges.known(point.address())) {
        LOG.error(
            "{}: found {}; expected an address of docs/guides/gateway-points.md; the point is {}",
            kit.where().apply(entry.device().id(), "points." + point.id() + ".address"),
            point.address(),
            Quality.BAD_NOT_FOUND);
      }
    }

    void end() {
      ended = true;
      gap.release();
    }

    /** The turns of one interval. */
    private final class Turns {
      private final PollGroup group;
      private final List<Point> atOnce;
      private final List<Point> slow;
      private boolean looking;

      Turns(PollGroup group) {
        this.group = group;
        this.atOnce = group.points().stream().filter(p -> !Gauges.slow(p.address())).toList();
        this.slow = group.points().stream().filter(p -> Gauges.slow(p.address())).toList();
      }

      void begin() {
        Duration interval = group.interval();
        kit.loop().after(interval.compareTo(FIRST) < 0 ? interval : FIRST, this::turn);
      }

      private void turn() {
        if (ended) {
          return;
        }
        kit.loop().after(group.interval(), this::turn);
        Instant now = kit.loop().now();
        Buffer.Status status = kit.outlet().status();
        if (status == null) {
          absent(now);
          return;
        }
        gap.release();
        tell(gauges.read(atOnce, status), now);
        if (slow.isEmpty()) {
          return;
        }
        if (looking) {
          tell(slow.stream().map(p -> Sample.bad(p.id(), Quality.BAD_TIMEOUT)).toList(), now);
        } else {
          looking = true;
          Supplier<Buffer.Holdings> holdings = kit.outlet().holdings();
          searches.execute(
              () -> {
                List<Sample> samples = gauges.lookUp(slow, holdings);
                kit.loop().execute(() -> found(samples));
              });
        }
      }

      private void absent(Instant now) {
        // What isn't read until there is a buffer, that enters itself.
        if (!kit.outlet().awaited()) {
          gap.add(group, 1, now, now, "there is no buffer to take it");
          if (gap.age() >= ENTERED_EVERY.toNanos()) {
            gap.release();
          }
        }
      }

      private void found(List<Sample> samples) {
        looking = false;
        if (!ended) {
          tell(samples, kit.loop().now());
        }
      }
    }

    private void tell(List<Sample> samples, Instant now) {
      List<Sample> news = samples.stream().filter(this::isNews).toList();
      if (!news.isEmpty()) {
        intake.push(
            news,
            now,
            problem -> {
              if (problem != null) {
                news.forEach(sample -> told.remove(sample.point()));
              }
            });
      }
    }

    private boolean isNews(Sample sample) {
      if (!sample.quality().bad() && Double.isFinite(sample.value().number()) && !truth(sample)) {
        told.remove(sample.point());
        return true;
      }
      long now = kit.loop().nanos();
      Told last = told.get(sample.point());
      if (last != null
          && sample.quality().equals(last.quality)
          && Objects.equals(sample.value(), last.value)
          && now - last.at < AGAIN.toNanos()) {
        return false;
      }
      told.put(sample.point(), new Told(sample.value(), sample.quality(), now));
      return true;
    }

    private static boolean truth(Sample sample) {
      return sample.value() instanceof Value.Bool;
    }
  }
}
