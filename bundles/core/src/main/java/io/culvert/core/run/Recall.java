package io.culvert.core.run;

import io.culvert.api.Reading;
import io.culvert.api.service.Query;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is stored of points from before this start. It is searched for away from the loop, for all
 * devices together that ask for totals while a search is under way. Used on the loop only; whoever
 * asks is told once, there, at the latest {@link #PATIENCE} after he asked and there was a buffer.
 */
final class Recall {
  static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Event times that are compared, at most. */
  private static final int MOST_TIMES = 1_000_000;

  private static final Instant FAR = Instant.parse("9999-12-31T23:59:59Z");

  private static final Logger LOG = LoggerFactory.getLogger(Recall.class);

  private final Loop loop;
  private final Outlet outlet;
  private final Executor searches;
  private final List<Question> waiting = new ArrayList<>();
  private Query query;
  private boolean searching;

  /** Questions for the newest that wait until there is a query. */
  private final Set<Look> looks = new LinkedHashSet<>();

  /** Whether somebody had to go without an answer since the last search ended; told once. */
  private boolean late;

  /**
   * @param searches where the disk is read
   */
  Recall(Loop loop, Outlet outlet, Executor searches) {
    this.loop = loop;
    this.outlet = outlet;
    this.searches = searches;
  }

  /** Hears what was found. */
  @FunctionalInterface
  interface Answer {
    /**
     * @param stored by point
     * @param searched whether nothing else is stored
     */
    void stored(Map<String, Reading> stored, boolean searched);
  }

  private final class Question {
    private final String device;
    private final Set<String> points;
    private Answer answer;
    private Loop.Timer patience;

    Question(String device, Set<String> points, Answer answer) {
      this.device = device;
      this.points = points;
      this.answer = answer;
    }

    /** Begins to lose patience; until there is a buffer nothing is read that would have to wait. */
    void arm() {
      if (patience == null && !outlet.awaited()) {
        patience =
            loop.after(
                PATIENCE,
                () -> {
                  waiting.remove(this);
                  if (!late) {
                    late = true;
                    LOG.warn(
                        "What is stored of counters wasn't found within {}: the totals of {}, and"
                            + " maybe of others, begin anew and are uncertain once",
                        Words.of(PATIENCE),
                        device);
                  }
                  answer(Map.of(), false);
                });
      }
    }

    void answer(Map<String, Reading> stored, boolean searched) {
      Answer told = answer;
      answer = null;
      if (patience != null) {
        patience.cancel();
      }
      if (told != null) {
        told.stored(stored, searched);
      }
    }
  }

  void ask(String device, Set<String> points, Answer answer) {
    Question question = new Question(device, points, answer);
    waiting.add(question);
    question.arm();
    search();
  }

  /**
   * @param next {@code null} while there is none
   */
  void query(Query next) {
    query = next;
    search();
    if (query != null) {
      List.copyOf(looks).forEach(Look::begin);
    }
  }

  /** There is a buffer now. */
  void buffered() {
    waiting.forEach(Question::arm);
  }

  private void search() {
    if (query == null || searching || waiting.isEmpty()) {
      return;
    }
    searching = true;
    List<Question> asked = List.copyOf(waiting);
    waiting.clear();
    Map<String, Set<String>> points = new HashMap<>();
    asked.forEach(question -> points.put(question.device, question.points));
    Query present = query;
    searches.execute(
        () -> {
          Query.Last last = find(present, points);
          loop.execute(() -> found(asked, last));
        });
  }

  private static Query.Last find(Query query, Map<String, Set<String>> points) {
    try {
      return query.last(points, PATIENCE);
    } catch (RuntimeException e) {
      LOG.warn("What is stored of counters can't be read: {}", Call.words(e));
      return new Query.Last(List.of(), false);
    }
  }

  private void found(List<Question> asked, Query.Last last) {
    searching = false;
    late = false;
    Map<String, Map<String, Reading>> byDevice = new HashMap<>();
    for (Reading reading : last.readings()) {
      byDevice
          .computeIfAbsent(reading.device(), device -> new HashMap<>())
          .put(reading.point(), reading);
    }
    for (Question question : asked) {
      question.answer(byDevice.getOrDefault(question.device, Map.of()), last.complete());
    }
    search();
  }

  /**
   * The newest of what is stored of a device.
   *
   * @param newest event time; {@code null} if nothing is stored, or that couldn't be found out
   * @param times event times of what is stored from a little before it on, by point
   */
  record Newest(Instant newest, Map<String, Set<Instant>> times) {
    static final Newest NONE = new Newest(null, Map.of());
  }

  /**
   * Asks for the newest event time that is stored of a device, once, before it tells more.
   *
   * @param points of it
   * @param overlap how far back from there the event times are told that are stored
   */
  void newest(String device, Set<String> points, Duration overlap, Consumer<Newest> answer) {
    Look look = new Look(device, points, overlap, answer);
    looks.add(look);
    look.patience = loop.after(PATIENCE, () -> look.answer(Newest.NONE));
    if (query != null) {
      look.begin();
    }
  }

  private final class Look {
    private final String device;
    private final Set<String> points;
    private final Duration overlap;
    private Consumer<Newest> answer;
    private Loop.Timer patience;

    Look(String device, Set<String> points, Duration overlap, Consumer<Newest> answer) {
      this.device = device;
      this.points = points;
      this.overlap = overlap;
      this.answer = answer;
    }

    void begin() {
      looks.remove(this);
      Query present = query;
      searches.execute(
          () -> {
            Newest newest = find(present);
            loop.execute(() -> answer(newest));
          });
    }

    private Newest find(Query present) {
      try {
        Instant last =
            present.last(Map.of(device, points), PATIENCE).readings().stream()
                .map(Reading::eventTime)
                .max(Comparator.naturalOrder())
                .orElse(null);
        return last == null ? Newest.NONE : around(present, last);
      } catch (RuntimeException e) {
        LOG.warn("What is stored of {} can't be read: {}", device, Call.words(e));
        return Newest.NONE;
      }
    }

    /** What was committed last isn't the newest where something was filled in. */
    private Newest around(Query present, Instant last) {
      Instant[] newest = {last};
      Map<String, Set<Instant>> times = new HashMap<>();
      int[] left = {MOST_TIMES};
      present.each(
          device,
          "",
          last.minus(overlap),
          FAR,
          entry -> {
            Reading reading = entry.reading();
            Instant at = reading.eventTime();
            boolean bad = reading.quality().bad();
            if (at.isAfter(newest[0]) && !bad) {
              newest[0] = at;
            }
            // Else it is the gateway's own word on a lost link.
            if (!bad || !at.equals(reading.receivedTime())) {
              times.computeIfAbsent(reading.point(), point -> new HashSet<>()).add(at);
            }
            return --left[0] > 0;
          });
      if (left[0] <= 0) {
        LOG.warn("More is stored of {} around {} than can be compared", device, last);
        return Newest.NONE;
      }
      return new Newest(newest[0], times);
    }

    private void answer(Newest newest) {
      Consumer<Newest> told = answer;
      answer = null;
      looks.remove(this);
      patience.cancel();
      if (told != null) {
        told.accept(newest);
      }
    }
  }
}
