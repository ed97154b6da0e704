package io.culvert.core.run;

import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.service.Doctor.Patient;
import io.culvert.api.service.Monitor.DeviceStatus;
import io.culvert.api.service.Monitor.State;
import io.culvert.core.doctor.Vitals;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Site;
import io.culvert.core.run.Outcome.Failure;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * One device of the site: waits for its driver, has it checked, polls it, and says how it is. Used
 * on the loop, except where it says otherwise.
 */
final class Runner implements Poller.Report {
  /** What a point has in place of a value when nothing, or nothing of use, came. */
  private static final Set<Quality> LINK_TROUBLES =
      Set.of(
          Quality.BAD_COMMUNICATION,
          Quality.BAD_TIMEOUT,
          Quality.BAD_NO_COMMUNICATION,
          Quality.BAD_NOT_CONNECTED);

  private final Kit kit;
  private final Lanes lanes;
  private final Site.Entry entry;
  private final Consumer<Runner> changed;
  private final List<Point> points;
  private final List<PollGroup> groups;
  private final Intake intake;
  private final Gap gap;
  private final Backfill backfill;
  private final Vitals vitals;
  private Served served;
  private Link link;
  private Lane lane;
  private Poller poller;

  /** Accounts for what isn't read in quarantine; {@code null} if it isn't in one. */
  private Unread unread;

  private volatile String laneName = "";
  private volatile Condition condition;
  private volatile long polls;
  private volatile long failures;

  private record Condition(State state, String message, Instant since) {}

  /**
   * @param changed told when the state has changed
   */
  Runner(Kit kit, Lanes lanes, Site.Entry entry, Consumer<Runner> changed) {
    this.kit = kit;
    this.lanes = lanes;
    this.entry = entry;
    this.changed = changed;
    List<PointModel> models = entry.profile() == null ? List.of() : entry.profile().points();
    this.points = models.stream().map(PointModel::point).toList();
    this.groups = PollGroup.of(entry);
    this.intake = entry.profile() == null ? null : new Intake(kit, entry);
    this.gap = new Gap(kit, entry.device().id());
    this.backfill = intake == null ? null : new Backfill(kit, entry, groups, intake);
    this.vitals = new Vitals(groups.get(0).interval(), kit.loop().nanos());
    this.condition = new Condition(State.STARTING, "", kit.loop().now());
  }

  Site.Entry entry() {
    return entry;
  }

  String id() {
    return entry.device().id();
  }

  String scheme() {
    String scheme = entry.device().endpoint().getScheme();
    return scheme == null ? "" : scheme.toLowerCase(Locale.ROOT);
  }

  Served served() {
    return served;
  }

  /** Any thread. */
  State state() {
    return condition.state();
  }

  /** Any thread. */
  DeviceStatus status() {
    Condition now = condition;
    return new DeviceStatus(
        id(),
        entry.device().profile(),
        entry.device().endpoint().toString(),
        laneName,
        now.state(),
        now.message(),
        now.since(),
        intake == null ? null : intake.lastAnswer(),
        polls,
        failures);
  }

  /** Any thread. */
  List<Reading> latest() {
    return intake == null ? List.of() : intake.latest();
  }

  /** How it fares on its lane. */
  Patient patient() {
    Vitals.Figures figures = vitals.figures(kit.loop().nanos());
    return new Patient(
        id(),
        condition.state(),
        entry.timeout(),
        figures.span(),
        // What it tells by itself has no interval that it needs the lane for.
        link.subscribed() ? List.of() : figures.cycles(),
        figures.exchanges(),
        figures.latency(),
        figures.meanWait(),
        figures.longestWait(),
        Examiner.share(figures.busyNanos(), figures.span()),
        figures.facts(),
        refused(),
        intake.lastAnswer(),
        figures.lastTrouble(),
        figures.lastFailure());
  }

  /** Points that the device itself denies, by their quality. */
  private Map<String, List<String>> refused() {
    Map<String, List<String>> refused = new TreeMap<>();
    for (Reading reading : latest()) {
      Quality quality = reading.quality();
      if (quality.bad() && !LINK_TROUBLES.contains(quality)) {
        refused.computeIfAbsent(quality.toString(), q -> new ArrayList<>()).add(reading.point());
      }
    }
    return refused;
  }

  /** Says what is so at the beginning, before there may be a driver. */
  void begin(Served best) {
    if (!entry.problem().isEmpty()) {
      become(State.INVALID, entry.problem());
    } else if (entry.profile() == null) {
      become(
          State.WAITING,
          kit.where().apply(id(), "profile")
              + ": found no profile "
              + entry.device().profile()
              + "; expected one of that id in etc/profiles/ or in a jar in plugins/");
    } else {
      use(best);
    }
    if (condition.state() == State.STARTING) {
      changed.accept(this);
    }
  }

  /** Whether it needs a driver at all. */
  boolean sound() {
    return entry.problem().isEmpty() && entry.profile() != null;
  }

  /**
   * Goes over to another driver.
   *
   * @param best {@code null} if none serves it
   */
  void use(Served best) {
    stop("the driver was exchanged");
    attach(best);
    if (best == null) {
      become(
          State.WAITING,
          kit.where().apply(id(), "endpoint")
              + ": found no driver of "
              + scheme()
              + "; expected its jar in plugins/");
      return;
    }
    if (best.conduct().quarantine() != null) {
      quarantined();
      return;
    }
    become(State.STARTING, "");
    link =
        new Link(
            kit.loop(),
            best,
            entry.device(),
            entry.timeout(),
            groups.stream().map(PollGroup::points).filter(points -> !points.isEmpty()).toList(),
            vitals);
    check(link);
  }

  private void attach(Served next) {
    if (served != null) {
      served.conduct().uses(-1);
    }
    served = next;
    if (next != null) {
      next.conduct().uses(1);
    }
  }

  /** Takes it off its driver, which is in quarantine, until {@link #use} gives it back. */
  void confine() {
    if (unread != null) {
      // For longer than was thought.
      become(State.QUARANTINED, Warden.words(served.conduct()));
      return;
    }
    Served kept = served;
    stop(Warden.words(kept.conduct()));
    attach(kept);
    quarantined();
  }

  private void quarantined() {
    String why = Warden.words(served.conduct());
    become(State.QUARANTINED, why);
    unread = new Unread(why);
    groups.forEach(this::outOfService);
  }

  private void outOfService(PollGroup group) {
    if (!group.points().isEmpty()) {
      intake.invalidate(group.points(), Quality.BAD_OUT_OF_SERVICE);
    }
  }

  /** Enters the polls that would be due, as nobody makes them. */
  private final class Unread {
    private final String why;
    private final long[] counted = new long[groups.size()];
    private Instant from = kit.loop().now();
    private Loop.Timer again;

    Unread(String why) {
      this.why = why;
      Arrays.fill(counted, kit.loop().nanos());
      again = kit.loop().after(Poller.ENTERED_EVERY, this::enter);
    }

    private void enter() {
      count();
      again = kit.loop().after(Poller.ENTERED_EVERY, this::enter);
    }

    private void count() {
      Instant now = kit.loop().now();
      for (int i = 0; i < counted.length; i++) {
        long interval = groups.get(i).interval().toNanos();
        long turns = (kit.loop().nanos() - counted[i]) / interval;
        counted[i] += turns * interval;
        // What isn't read until there is a buffer, that enters itself.
        if (turns > 0 && !kit.outlet().awaited()) {
          gap.add(groups.get(i), turns, from, now, why);
        }
      }
      gap.release();
      from = now;
    }

    void end() {
      again.cancel();
      count();
    }
  }

  private void check(Link checked) {
    checked.check(
        points,
        outcome -> {
          if (checked != link) {
            return;
          }
          if (!outcome.ok()) {
            checked.onFree(() -> check(checked));
            become(
                State.INVALID,
                "The driver of "
                    + scheme()
                    + " failed to check it: "
                    + outcome.failure().message()
                    + "; tell its maker");
          } else if (!outcome.value().problems().isEmpty()) {
            become(State.INVALID, words(outcome.value().problems()));
          } else {
            laneName = outcome.value().lane();
            lane = lanes.use(laneName);
            checked.on(lane);
            vitals.unplan();
            backfill.use(checked, lane);
            poller =
                new Poller(kit, id(), groups, checked, lane, intake, gap, backfill, vitals, this);
            Poller ready = poller;
            intake.remember(
                () -> {
                  if (poller == ready) {
                    ready.start();
                  }
                });
          }
        });
  }

  private String words(List<Problem> problems) {
    return problems.stream()
        .map(
            p ->
                kit.where().apply(id(), p.key())
                    + ": found "
                    + p.found()
                    + "; expected "
                    + p.expected())
        .collect(Collectors.joining("\n"));
  }

  /** Ends it for good. */
  void remove() {
    stop("it was removed from the site");
    become(State.REMOVED, "");
  }

  /** Closes everything; nothing of a driver stays. */
  void stop(String why) {
    if (poller != null) {
      poller.close(why);
      poller = null;
      backfill.stop();
    }
    if (link != null) {
      link.dispose(why);
      link = null;
    }
    if (lane != null) {
      lanes.leave(lane);
      lane = null;
    }
    if (unread != null) {
      unread.end();
      unread = null;
    }
    laneName = "";
    attach(null);
  }

  @Override
  public void asked() {
    polls = polls + 1;
  }

  @Override
  public void answered() {
    vitals.answered(kit.loop().nanos());
    become(State.ONLINE, "");
  }

  @Override
  public void failed(Failure failure, boolean lost) {
    failures = failures + 1;
    vitals.failed(kit.loop().nanos(), kit.loop().now(), failure.timeout(), failure.message());
    if (lost && condition.state() != State.OFFLINE) {
      become(
          State.OFFLINE,
          entry.device().endpoint()
              + ": "
              + failure.message()
              + "; check power, wiring and address; it is tried again by itself");
      groups.forEach(group -> silent(group, failure));
    }
  }

  @Override
  public void silent(PollGroup group, Failure failure) {
    if (!group.points().isEmpty()) {
      intake.invalidate(
          group.points(), failure.timeout() ? Quality.BAD_TIMEOUT : Quality.BAD_NO_COMMUNICATION);
    }
  }

  /** Enters a span in which what it tells by itself may have been lost, up to now. */
  void interrupted(Instant from, String why) {
    Instant complete = link == null ? null : link.completeSince();
    if (complete == null || complete.isAfter(from)) {
      gap.add(groups.get(0), 1, from, kit.loop().now(), why);
      gap.release();
    }
  }

  private void become(State state, String message) {
    Condition before = condition;
    if (before.state() == state && before.message().equals(message)) {
      return;
    }
    boolean other = before.state() != state;
    condition = new Condition(state, message, other ? kit.loop().now() : before.since());
    changed.accept(this);
  }

  List<Point> points() {
    return points;
  }

  Intake intake() {
    return intake;
  }

  /** {@code null} while no driver has found it valid. */
  Poller poller() {
    return poller;
  }

  Link link() {
    return link;
  }

  Lane lane() {
    return lane;
  }
}
