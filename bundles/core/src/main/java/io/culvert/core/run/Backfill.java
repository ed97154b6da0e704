package io.culvert.core.run;

import io.culvert.api.Point;
import io.culvert.api.StreamClass;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.southbound.Historical;
import io.culvert.core.model.PointModel;
import io.culvert.core.model.Site;
import io.culvert.core.normalise.Missed;
import io.culvert.core.run.Outcome.Failure;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fills in what one device kept while its link was lost or the gateway away: page by page, each in
 * a turn of the lane that can wait and each stored before the next is asked for. What it fills in
 * stood in the ledger before, and is taken back there; what it can't fill in stays. So the ledger
 * is right whenever this ends. Used on the loop only.
 *
 * <p>{@link Missed} says where a span begins and ends for each point. It is asked for from {@link
 * #OVERLAP} earlier, because what comes from a device isn't strictly in order of time.
 */
final class Backfill implements Lane.Turn {
  /** The longest span that is asked for. */
  static final Duration LONGEST = Duration.ofDays(7);

  /** By how much what a device tells of one moment may come later than what it tells of another. */
  static final Duration OVERLAP = Duration.ofSeconds(10);

  /** Spans that wait; of a link that doesn't hold the oldest are given up. */
  static final int MOST_SPANS = 16;

  /** Samples that are filled in a second, at most: history mustn't push live data aside. */
  static final int A_SECOND = 5_000;

  /** Failures in a row after which a span is given up. */
  static final int TRIES = 5;

  /** Pages in a row that bring nothing, after which a span is given up. */
  static final int BARREN = 10_000;

  /** The first pause after a failure, and the longest; each is twice as long as the one before. */
  static final Duration PAUSE = Duration.ofSeconds(5);

  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

  /** Deadline of a page, unless the device's own is longer. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final StreamClass[] CLASSES = StreamClass.values();
  private static final Logger LOG = LoggerFactory.getLogger(Backfill.class);

  private final Kit kit;
  private final String device;
  private final Duration timeout;
  private final List<PollGroup> groups;
  private final Intake intake;

  /** What can be filled in: points with their class. */
  private final Map<Point, StreamClass> points = new LinkedHashMap<>();

  private final Deque<Span> spans = new ArrayDeque<>();

  /** The present outage; {@code null} if there is none. */
  private Missed missed;

  /** The newest event time before it; {@code null} if nothing was told before. */
  private Instant newest;

  /** Whether the present outage is the time since an earlier start. */
  private boolean sinceStart;

  /** Whether it is known what is stored from before this start. */
  private boolean remembered;

  private Link link;
  private Lane lane;

  /** Whether a page is waited for, or the turn for it. */
  private boolean busy;

  private Loop.Timer pause;

  Backfill(Kit kit, Site.Entry entry, List<PollGroup> groups, Intake intake) {
    this.kit = kit;
    this.device = entry.device().id();
    this.timeout = entry.timeout().compareTo(PATIENCE) > 0 ? entry.timeout() : PATIENCE;
    this.groups = groups;
    this.intake = intake;
    Set<String> fillable = intake.fillable();
    for (PointModel model : entry.profile().points()) {
      if (fillable.contains(model.point().id())) {
        points.put(model.point(), model.streamClass());
      }
    }
  }

  /** A part of the past. */
  private static final class Span {
    private final Missed missed;
    private final Instant from;
    private final Instant to;

    /** Where it stands in the ledger. */
    private final Instant since;

    private final Instant until;

    /** How many readings of a point stand there, by group. */
    private final Map<PollGroup, Long> polls;

    private final Set<String> without = new HashSet<>();

    /** How many were filled in, and how many of those are taken back in the ledger, by class. */
    private final long[] filled = new long[CLASSES.length];

    private final long[] recovered = new long[CLASSES.length];
    private String next = "";

    /** Which connection {@link #next} and {@link #failures} are of. */
    private Object session;

    private int failures;
    private int barren;

    Span(
        Missed missed,
        Instant from,
        Instant to,
        Instant since,
        Instant until,
        Map<PollGroup, Long> polls) {
      this.missed = missed;
      this.from = from;
      this.to = to;
      this.since = since;
      this.until = until;
      this.polls = polls;
    }
  }

  /** Begins to use a link, whose device is asked before anything else what is stored of it. */
  void use(Link link, Lane lane) {
    this.link = link;
    this.lane = lane;
    link.onHistorical(this::remember);
  }

  private void remember(Runnable then) {
    if (remembered || points.isEmpty()) {
      then.run();
      return;
    }
    remembered = true;
    Set<String> ids = new HashSet<>();
    points.keySet().forEach(point -> ids.add(point.id()));
    kit.recall()
        .newest(
            device,
            ids,
            OVERLAP,
            stored -> {
              if (stored.newest() != null && intake.newest() == null) {
                missed = intake.since(stored.times());
                newest = stored.newest();
                sinceStart = true;
              }
              then.run();
            });
  }

  /** The link is lost. */
  void cut() {
    if (link == null || !link.historical() || points.isEmpty()) {
      return;
    }
    boolean first = missed == null;
    missed = intake.cut();
    if (first) {
      newest = intake.newest();
    }
  }

  /** Nothing was missed in the outage. */
  void notNeeded() {
    if (missed != null) {
      intake.done(missed);
      missed = null;
      sinceStart = false;
    }
    proceed();
  }

  /**
   * The device answers, or has agreed to tell by itself.
   *
   * @param outage what stands in the ledger; {@code null} if nothing does
   */
  void over(Gap.Outage outage) {
    if (missed != null) {
      Span span = span(outage);
      if (span == null) {
        intake.done(missed);
      } else {
        intake.over(missed, span.to);
        spans.add(span);
      }
      missed = null;
      sinceStart = false;
    }
    if (spans.size() > MOST_SPANS) {
      giveUp(spans.remove(), "its link is lost more often than that can be done");
    }
    proceed();
  }

  /**
   * @return {@code null} if there is nothing to fill in
   */
  private Span span(Gap.Outage outage) {
    if (newest == null || !link.isOpen() || !link.historical()) {
      return null;
    }
    Instant now = kit.loop().now();
    Instant told = intake.newest();
    Instant to = told != null && told.isAfter(now) ? told : now;
    Instant earliest = to.minus(LONGEST);
    Instant start = newest.isBefore(earliest) ? earliest : newest;
    if (!start.isBefore(to)) {
      return null;
    }
    Instant since = start;
    Instant until = now;
    Map<PollGroup, Long> polls = new HashMap<>();
    if (sinceStart) {
      // What the buffer entered of that time speaks of all devices, and what was expected of them.
      for (PollGroup group : groups) {
        polls.put(group, Duration.between(start, now).dividedBy(group.interval()));
      }
    } else if (outage != null) {
      since = outage.from().isBefore(earliest) ? earliest : outage.from();
      until = outage.to();
      double share = share(since, outage);
      outage.polls().forEach((group, count) -> polls.put(group, (long) (count * share)));
    }
    return new Span(missed, start.minus(OVERLAP), to, since, until, polls);
  }

  /** Which part of an outage lies behind a moment. */
  private static double share(Instant since, Gap.Outage outage) {
    if (!since.isAfter(outage.from())) {
      return 1;
    }
    double rest = Duration.between(since, outage.to()).toMillis();
    return Math.max(0, rest) / Duration.between(outage.from(), outage.to()).toMillis();
  }

  /** Asks for a turn if there is anything to do and nothing keeps it from being done. */
  private void proceed() {
    if (!busy
        && pause == null
        && !spans.isEmpty()
        && link != null
        && link.isOpen()
        && link.historical()) {
      busy = true;
      lane.spare(this);
    }
  }

  private void proceedAfter(Duration delay) {
    if (pause == null) {
      pause =
          kit.loop()
              .after(
                  delay,
                  () -> {
                    pause = null;
                    proceed();
                  });
    }
  }

  @Override
  public Object owner() {
    return this;
  }

  @Override
  public void begin() {
    Span span = spans.peek();
    if (span == null || !link.isOpen()) {
      // When it is open again, it goes on.
      ended(false);
      return;
    }
    if (link.blocked() || intake.full() || !kit.outlet().present()) {
      ended(false);
      proceedAfter(PAUSE);
      return;
    }
    Lane turn = lane;
    Object session = link.session();
    link.history(
        List.copyOf(points.keySet()),
        span.from,
        span.to,
        span.next,
        timeout,
        outcome -> {
          if (lane != turn) {
            // Stopped meanwhile.
          } else if (outcome.ok()) {
            // Busy until it is stored.
            lane.end(this, false);
            take(span, outcome.value(), session);
          } else {
            ended(outcome.failure().timeout());
            failed(span, outcome.failure(), session);
          }
        });
  }

  private void ended(boolean timeout) {
    busy = false;
    lane.end(this, timeout);
  }

  private void take(Span span, Historical.Page page, Object session) {
    Lane turn = lane;
    intake.fill(
        span.missed,
        page.samples(),
        span.from,
        span.to,
        (counts, problem) -> {
          if (problem == null && spans.peek() == span) {
            taken(span, page, counts, session);
          }
          if (lane == turn) {
            busy = false;
            // If it wasn't stored, the same page again.
            proceedAfter(
                problem == null
                    ? Duration.ofNanos(page.samples().size() * 1_000_000_000L / A_SECOND)
                    : PAUSE);
          }
        });
  }

  private void taken(Span span, Historical.Page page, long[] counts, Object session) {
    long all = 0;
    for (int c = 0; c < counts.length; c++) {
      span.filled[c] += counts[c];
      all += counts[c];
    }
    span.failures = 0;
    span.barren = all == 0 ? span.barren + 1 : 0;
    span.without.addAll(page.without());
    span.next = page.next();
    span.session = session;
    if (span.next.isEmpty()) {
      spans.remove();
      intake.done(span.missed);
      recover(span, expected(span));
    } else if (span.barren >= BARREN) {
      spans.remove();
      giveUp(span, BARREN + " pages of its history brought nothing");
    }
  }

  private void failed(Span span, Failure failure, Object session) {
    if (spans.peek() != span || session != link.session()) {
      // The link was lost: it goes on from here when it is back.
      proceed();
      return;
    }
    if (span.session != session) {
      span.session = session;
      span.failures = 0;
      if (!span.next.isEmpty()) {
        // What names a page may not hold beyond its connection.
        span.next = "";
        proceed();
        return;
      }
    }
    if (++span.failures >= TRIES) {
      spans.remove();
      giveUp(span, failure.message());
    }
    Duration delay = PAUSE.multipliedBy(1L << Math.max(0, span.failures - 1));
    proceedAfter(delay.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : delay);
  }

  /** How many readings the ledger lacks of what could be filled in, by class. */
  private long[] expected(Span span) {
    long[] expected = new long[CLASSES.length];
    span.polls.forEach(
        (group, polls) -> {
          for (Point point : group.points()) {
            StreamClass streamClass = points.get(point);
            if (streamClass != null && !span.without.contains(point.id())) {
              expected[streamClass.ordinal()] += polls;
            }
          }
        });
    return expected;
  }

  private void giveUp(Span span, String why) {
    LOG.warn(
        "{}: what it kept from {} to {} isn't read to the end: {}; what is missing stands in the"
            + " ledger",
        device,
        span.since,
        span.until,
        why);
    intake.done(span.missed);
    partly(span);
  }

  /** Takes back in the ledger what was filled in so far. */
  private void partly(Span span) {
    long[] part = expected(span);
    for (int c = 0; c < part.length; c++) {
      part[c] = Math.min(part[c], span.filled[c]);
    }
    recover(span, part);
  }

  private void recover(Span span, long[] whole) {
    for (StreamClass streamClass : CLASSES) {
      int c = streamClass.ordinal();
      long readings = whole[c] - span.recovered[c];
      if (readings > 0) {
        span.recovered[c] = whole[c];
        kit.gaps()
            .add(
                device,
                streamClass,
                span.since,
                span.until,
                readings,
                false,
                Reason.RECOVERED,
                "read from what the device kept");
      }
    }
  }

  /** Lets go of the link; what isn't filled in yet goes on with another one, if there is one. */
  void stop() {
    cut();
    if (lane != null) {
      Lane left = lane;
      lane = null;
      busy = false;
      left.withdraw(this);
    }
    if (pause != null) {
      pause.cancel();
      pause = null;
    }
    link = null;
    spans.forEach(this::partly);
  }
}
