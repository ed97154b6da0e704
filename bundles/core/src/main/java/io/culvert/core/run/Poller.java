package io.culvert.core.run;

import io.culvert.core.doctor.Vitals;
import io.culvert.core.run.Outcome.Failure;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Polls one device, for as long as one driver serves it. Each of its groups of points has a grid of
 * its own; all begin at the same moment, so that where one interval is a multiple of another, both
 * are read one directly after the other. Each turn of a grid is exactly one of: read, missed (the
 * lane or the buffer had no room: counted, never piled up), or part of a {@link Gap}. Used on the
 * loop only.
 *
 * <p>An exchange reads one group and takes one turn of the lane. Of several groups that are due the
 * one that has waited longest is next; if they fell due together, the one of the longest interval,
 * which is where that stands which scales others.
 *
 * <p>A device that fails is tried ever more rarely, by its shortest interval, at turns of that grid
 * that are picked at random; after {@value #LOST} failures in a row its connection is opened anew.
 * Groups of longer intervals that fall due meanwhile wait until it answers. When it does after its
 * link was lost, all of them are read at once and their grids begin anew there: what the platform
 * had of them was taken back.
 */
final class Poller implements Lane.Turn {
  /** Failures in a row after which the link, or a group, counts as lost. */
  static final int LOST = 3;

  private static final String STUCK = "an earlier call into the driver hasn't returned";
  private static final String NO_BUFFER = "there is no buffer to take it";

  /** The longest pause of back-off, unless the interval is longer. */
  static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

  /** Gaps that last are entered this often. */
  static final Duration ENTERED_EVERY = Duration.ofMinutes(1);

  /** So long a link may be gone before its driver tells. */
  private static final Duration UNNOTICED = Duration.ofMinutes(1);

  /** First polls are spread over the interval, but nobody waits longer than this for one. */
  private static final Duration WIDEST_SPREAD = Duration.ofSeconds(10);

  private final Kit kit;
  private final Loop loop;
  private final String device;
  private final Link link;
  private final Lane lane;
  private final Intake intake;
  private final Gap gap;
  private final Backfill backfill;
  private final Report report;
  private final Vitals vitals;
  private final Grid[] grids;

  /** The grid of the shortest interval. */
  private final Grid lead;

  private Loop.Timer tick;
  private boolean closed;

  /** What the present turn of the lane, or the one waited for, is to read; {@code null} if none. */
  private Grid current;

  /** Of the turn that began last. */
  private Vitals.Pace pace;

  /** Whether the present turn had to open the connection, which the next ones needn't. */
  private boolean opened;

  /** Since it failed last; a command may have opened the link without a turn of ours. */
  private boolean answered;

  /** Whether the link was lost, and nothing was read since. */
  private boolean lost;

  private int failures;
  private long retryAt;
  private String lastFailure = "";

  /** When a group is to be read. */
  private static final class Grid {
    private final int number;
    private final PollGroup group;
    private final Vitals.Pace pace;
    private final long interval;
    private long next;

    /** Whether a turn has come that is neither read nor accounted for. */
    private boolean due;

    private Instant asked;
    private long askedAt;

    /** Turns that came while it was due already. */
    private long passed;

    /** In a row. */
    private int failures;

    Grid(int number, PollGroup group, Vitals.Pace pace) {
      this.number = number;
      this.group = group;
      this.pace = pace;
      this.interval = group.interval().toNanos();
    }

    void ask(Instant now, long nanos) {
      if (!due) {
        due = true;
        asked = now;
        askedAt = nanos;
        passed = 0;
      }
    }
  }

  /**
   * @param groups one at least, the one of the shortest interval first, as the link has them
   */
  Poller(
      Kit kit,
      String device,
      List<PollGroup> groups,
      Link link,
      Lane lane,
      Intake intake,
      Gap gap,
      Backfill backfill,
      Vitals vitals,
      Report report) {
    this.kit = kit;
    this.loop = kit.loop();
    this.device = device;
    this.link = link;
    this.lane = lane;
    this.intake = intake;
    this.gap = gap;
    this.backfill = backfill;
    this.report = report;
    this.vitals = vitals;
    this.grids = new Grid[groups.size()];
    for (int i = 0; i < grids.length; i++) {
      grids[i] = new Grid(i, groups.get(i), vitals.pace(groups.get(i).interval()));
    }
    this.lead = grids[0];
  }

  /** Hears how it goes, on the loop. */
  interface Report {
    /** A poll began. */
    void asked();

    void answered();

    /**
     * @param lost whether the link counts as lost
     */
    void failed(Failure failure, boolean lost);

    /** A group can't be read for the third time, while others can. */
    void silent(PollGroup group, Failure failure);
  }

  void start() {
    long hash = (device.hashCode() * 0x9E3779B97F4A7C15L) >>> 1;
    begin(loop.nanos() + hash % spread());
  }

  private long spread() {
    return Math.min(lead.interval, WIDEST_SPREAD.toNanos());
  }

  private void begin(long first) {
    for (Grid grid : grids) {
      grid.next = first;
    }
    tick = loop.at(first, this::due);
  }

  private void due() {
    long now = loop.nanos();
    if (kit.outlet().awaited()) {
      // What isn't read until there is a buffer, that enters itself: nothing has begun yet.
      begin(now + spread());
      return;
    }
    boolean leads = now - lead.next >= 0;
    long first = Long.MAX_VALUE;
    for (Grid grid : grids) {
      if (now - grid.next >= 0) {
        come(grid, now);
      }
      first = Math.min(first, grid.next - now);
    }
    tick = loop.at(now + first, this::due);
    turn(leads);
  }

  private void come(Grid grid, long now) {
    // Whole turns that went by because the loop itself came late.
    long late = (now - grid.next) / grid.interval;
    grid.next += (late + 1) * grid.interval;
    if (grid.due) {
      pass(grid, late + 1);
    } else {
      if (late > 0) {
        pass(grid, late);
      }
      grid.ask(loop.now(), now);
    }
  }

  /** Accounts for turns that another one takes the place of. */
  private void pass(Grid grid, long turns) {
    String obstacle = grid == current ? null : obstacle();
    if (obstacle != null) {
      gap.add(grid.group, turns, loop.now(), loop.now(), obstacle);
    } else if (grid.due) {
      grid.passed += turns;
    } else {
      missed(turns);
    }
  }

  /** Why nothing can be read at the moment; {@code null} if it can. */
  private String obstacle() {
    if (link.blocked()) {
      return STUCK;
    }
    if (!kit.outlet().present()) {
      return NO_BUFFER;
    }
    return failures > 0 ? lastFailure : null;
  }

  /**
   * Takes a turn of the lane for what is due, if one can be taken.
   *
   * @param leads whether a turn of the shortest interval has just come: the one that is skipped, or
   *     on which a device that fails is tried
   */
  private void turn(boolean leads) {
    if (current != null) {
      return;
    }
    if (link.blocked()) {
      if (leads) {
        stuck();
      }
    } else if (!kit.outlet().present()) {
      if (leads) {
        skip(NO_BUFFER);
      }
    } else if (link.subscribed() && answered) {
      // It tells by itself; a turn is only needed to open it again.
      for (Grid grid : grids) {
        grid.due = false;
      }
      gap.end();
    } else if (failures > 0 && (!leads || (loop.nanos() < retryAt && !link.subscribed()))) {
      if (leads) {
        skip(lastFailure);
      }
    } else if (intake.full()) {
      if (leads) {
        lead.due = false;
        kit.tally().missed(1 + lead.passed);
      }
    } else {
      current = failures > 0 ? lead : longestDue();
      if (current != null) {
        lane.poll(this);
      }
    }
  }

  /**
   * @return {@code null} if nothing is due
   */
  private Grid longestDue() {
    Grid longest = null;
    for (Grid grid : grids) {
      if (grid.due && (longest == null || grid.askedAt - longest.askedAt <= 0)) {
        longest = grid;
      }
    }
    return longest;
  }

  private void missed(long turns) {
    kit.tally().missed(turns);
    vitals.missed(loop.nanos(), turns);
  }

  /** A call that doesn't return counts as failing too; closing the connection may end it. */
  private void stuck() {
    skip(STUCK);
    if (failures < LOST) {
      failed(new Failure(false, STUCK), failures + 1 >= LOST);
      retryAt = loop.nanos() + pause();
    }
  }

  private void skip(String why) {
    Instant now = loop.now();
    lead.due = false;
    gap.add(lead.group, 1 + lead.passed, now, now, why);
    releaseIfOld();
  }

  @Override
  public Object owner() {
    return this;
  }

  @Override
  public boolean silent() {
    return failures >= LOST;
  }

  @Override
  public void cost(long waited, long took) {
    vitals.turn(loop.nanos(), waited, took);
    if (failures == 0 && !opened) {
      pace.took(took);
    }
  }

  @Override
  public void begin() {
    report.asked();
    pace = current.pace;
    opened = !link.isOpen();
    ensureOpen(
        failure -> {
          if (failure != null) {
            ended(failure, true);
          } else if (closed || link.subscribed() || link.nothingToRead()) {
            ended(null, false);
          } else {
            link.read(
                current.number,
                outcome -> {
                  if (outcome.ok() && !closed) {
                    intake.take(outcome.value(), outcome.at());
                  }
                  ended(outcome.failure(), false);
                });
          }
        });
  }

  /**
   * Opens the connection if it isn't open. In a turn of the lane only.
   *
   * @param end told {@code null} when it is open
   */
  void ensureOpen(Consumer<Failure> end) {
    if (link.isOpen()) {
      end.accept(null);
    } else {
      link.open(intake, this::lost, end);
    }
  }

  private void ended(Failure failure, boolean notOpened) {
    Grid grid = current;
    if (!closed) {
      current = null;
      grid.due = false;
      if (failure == null) {
        failures = 0;
        grid.failures = 0;
        answered = true;
        missed(grid.passed);
        settle();
        report.answered();
        if (lost) {
          lost = false;
          readOthers(grid);
        }
      } else {
        gap.add(grid.group, 1 + grid.passed, grid.asked, loop.now(), failure.message());
        releaseIfOld();
        failed(failure, notOpened || failures + 1 >= LOST);
        // From the turn that failed, so that a deadline doesn't cost the next turn too. After a
        // longer interval the shortest one is tried at once, which may do well.
        retryAt = grid == lead || notOpened ? grid.askedAt + pause() : loop.nanos();
        if (!lost && ++grid.failures == LOST) {
          report.silent(grid.group, failure);
        }
      }
    }
    lane.end(this, failure != null && failure.timeout());
    if (!closed) {
      turn(grid != lead && lead.due);
    }
  }

  /** The device is read again: says of the outage what is missing. */
  private void settle() {
    Instant complete = link.completeSince();
    if (lost && link.subscribed()) {
      gap.reach(groups(), loop.now());
    }
    if (lost && complete != null && gap.since(complete)) {
      gap.recover("the device kept the subscription, and what it had to tell has come");
      backfill.notNeeded();
    } else {
      backfill.over(gap.end());
    }
  }

  /** Has all other groups read now, in step with the shortest interval from here on. */
  private void readOthers(Grid present) {
    for (Grid grid : grids) {
      if (grid != present) {
        grid.ask(loop.now(), loop.nanos());
        grid.next = lead.next - lead.interval + grid.interval;
      }
    }
  }

  /** The driver says that the link is gone. */
  private void lost(String words) {
    if (!closed) {
      if (link.subscribed()) {
        unheard(words);
      }
      failed(new Failure(false, words), true);
      retryAt = loop.nanos() + pause();
    }
  }

  /** What it would have told is missing from now on, whenever a turn is due. */
  private void unheard(String words) {
    Instant now = loop.now();
    groups().forEach(group -> gap.add(group, 1, now, now, words));
    Instant last = now.minus(UNNOTICED);
    Instant answered = intake.lastAnswer();
    if (answered != null && answered.isAfter(last)) {
      last = answered;
    }
    // What it told last it may have known for some time.
    Instant newest = intake.newest();
    if (newest != null && newest.isBefore(last) && newest.isAfter(now.minus(UNNOTICED))) {
      last = newest;
    }
    gap.heard(last);
  }

  private List<PollGroup> groups() {
    return Arrays.stream(grids).map(grid -> grid.group).toList();
  }

  /**
   * @param gone whether the link counts as lost
   */
  private void failed(Failure failure, boolean gone) {
    failures++;
    answered = false;
    lastFailure = failure.message();
    if (gone) {
      lost = true;
      for (Grid grid : grids) {
        grid.failures = 0;
      }
      backfill.cut();
      link.shut();
    }
    report.failed(failure, gone);
  }

  /** Between the interval and twice that for each failure but the first, up to the longest. */
  private long pause() {
    long interval = lead.interval;
    long longest = Math.max(interval, LONGEST_PAUSE.toNanos());
    int doublings = Math.min(failures - 1, 40);
    long most = interval > longest >> doublings ? longest : interval << doublings;
    return most > interval ? kit.random().nextLong(interval, most + 1) : interval;
  }

  private void releaseIfOld() {
    if (gap.age() >= ENTERED_EVERY.toNanos()) {
      gap.release();
    }
  }

  /** Ends polling; what is due counts as a poll that brought nothing. */
  void close(String why) {
    closed = true;
    if (tick != null) {
      tick.cancel();
    }
    for (Grid grid : grids) {
      if (grid.due) {
        grid.due = false;
        gap.add(grid.group, 1 + grid.passed, grid.asked, loop.now(), why);
      }
    }
    gap.release();
    lane.withdraw(this);
  }
}
