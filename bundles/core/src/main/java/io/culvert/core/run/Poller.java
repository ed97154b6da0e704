package io.culvert.core.run;

import io.culvert.core.doctor.Vitals;
import io.culvert.core.model.Site;
import io.culvert.core.run.Outcome.Failure;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;

/**
 * Polls one device on its grid, for as long as one driver serves it. Each turn of the grid is
 * exactly one of: read, missed (the lane or the buffer had no room: counted, never piled up), or
 * part of a {@link Gap}. Used on the loop only.
 *
 * <p>A device that fails is tried ever more rarely, at turns of its grid that are picked at random;
 * after {@value #LOST} failures in a row its connection is opened anew.
 */
final class Poller implements Lane.Turn {
  /** Failures in a row after which the link counts as lost. */
  static final int LOST = 3;

  private static final String STUCK = "an earlier call into the driver hasn't returned";

  /** The longest pause of back-off, unless the interval is longer. */
  static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

  /** Gaps that last are entered this often. */
  private static final Duration ENTERED_EVERY = Duration.ofMinutes(1);

  /** First polls are spread over the interval, but nobody waits longer than this for one. */
  private static final Duration WIDEST_SPREAD = Duration.ofSeconds(10);

  private final Kit kit;
  private final Loop loop;
  private final Site.Entry entry;
  private final Link link;
  private final Lane lane;
  private final Intake intake;
  private final Gap gap;
  private final Report report;
  private final Vitals vitals;
  private final Vitals.Pace pace;
  private final long interval;
  private Loop.Timer tick;
  private long next;
  private boolean busy;
  private boolean closed;

  /** Turns of the grid that passed while a poll was under way. */
  private long passed;

  /** Whether the present turn had to open the connection, which the next ones needn't. */
  private boolean opened;

  private Instant asked;
  private long askedAt;

  /** Since it failed last; a command may have opened the link without a turn of ours. */
  private boolean answered;

  private int failures;
  private long retryAt;
  private String lastFailure = "";

  Poller(
      Kit kit,
      Site.Entry entry,
      Link link,
      Lane lane,
      Intake intake,
      Gap gap,
      Vitals vitals,
      Report report) {
    this.kit = kit;
    this.loop = kit.loop();
    this.entry = entry;
    this.link = link;
    this.lane = lane;
    this.intake = intake;
    this.gap = gap;
    this.report = report;
    this.vitals = vitals;
    this.pace = vitals.pace(entry.interval());
    this.interval = entry.interval().toNanos();
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
  }

  void start() {
    long spread = Math.min(interval, WIDEST_SPREAD.toNanos());
    long hash = (entry.device().id().hashCode() * 0x9E3779B97F4A7C15L) >>> 1;
    next = loop.nanos() + hash % spread;
    tick = loop.at(next, this::due);
  }

  private void due() {
    // Whole turns that went by because the loop itself came late.
    long late = Math.max(0, (loop.nanos() - next) / interval);
    next += (late + 1) * interval;
    tick = loop.at(next, this::due);
    if (late > 0) {
      pass(late);
    }
    turn();
  }

  private void turn() {
    if (busy) {
      passed++;
    } else if (link.blocked()) {
      stuck();
    } else if (kit.outlet().awaited()) {
      return;
    } else if (!kit.outlet().present()) {
      skip("there is no buffer to take it");
    } else if (link.subscribed() && answered) {
      // It tells by itself; a turn is only needed to open it again.
      return;
    } else if (failures > 0 && loop.nanos() < retryAt && !link.subscribed()) {
      skip(lastFailure);
    } else if (intake.full()) {
      kit.tally().missed(1);
    } else {
      busy = true;
      passed = 0;
      asked = loop.now();
      askedAt = loop.nanos();
      lane.poll(this);
    }
  }

  private void pass(long turns) {
    if (busy) {
      passed += turns;
    } else if (failures > 0) {
      gap.add(turns, loop.now(), loop.now(), lastFailure);
    } else {
      missed(turns);
    }
  }

  private void missed(long turns) {
    kit.tally().missed(turns);
    vitals.missed(loop.nanos(), turns);
  }

  /** A call that doesn't return counts as failing too; closing the connection may end it. */
  private void stuck() {
    skip(STUCK);
    if (failures < LOST) {
      failed(new Failure(false, STUCK), failures + 1 >= LOST, loop.nanos());
    }
  }

  private void skip(String why) {
    Instant now = loop.now();
    gap.add(1, now, now, why);
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
    opened = !link.isOpen();
    ensureOpen(
        failure -> {
          if (failure != null) {
            ended(failure, true);
          } else if (link.subscribed() || link.nothingToRead()) {
            ended(null, false);
          } else {
            link.read(
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
    if (!closed) {
      busy = false;
      if (failure == null) {
        failures = 0;
        answered = true;
        missed(passed);
        gap.release();
        report.answered();
      } else {
        gap.add(1 + passed, asked, loop.now(), failure.message());
        releaseIfOld();
        failed(failure, notOpened || failures + 1 >= LOST, askedAt);
      }
      passed = 0;
    }
    lane.end(this, failure != null && failure.timeout());
  }

  /** The driver says that the link is gone. */
  private void lost(String words) {
    if (!closed) {
      failed(new Failure(false, words), true, loop.nanos());
    }
  }

  /**
   * @param since from when the pause counts: from the turn that failed, so that a deadline doesn't
   *     cost the next turn too
   */
  private void failed(Failure failure, boolean lost, long since) {
    failures++;
    answered = false;
    lastFailure = failure.message();
    retryAt = since + pause();
    if (lost) {
      link.shut();
    }
    report.failed(failure, lost);
  }

  /** Between the interval and twice that for each failure but the first, up to the longest. */
  private long pause() {
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

  /** Ends polling; a poll under way counts as one that brought nothing. */
  void close(String why) {
    closed = true;
    if (tick != null) {
      tick.cancel();
    }
    if (busy) {
      busy = false;
      gap.add(1 + passed, asked, loop.now(), why);
    }
    gap.release();
    lane.withdraw(this);
  }
}
