package io.culvert.core.doctor;

import io.culvert.api.Quality;
import io.culvert.api.service.Doctor.Cause;
import io.culvert.api.service.Doctor.Cycle;
import io.culvert.api.service.Doctor.Figures;
import io.culvert.api.service.Doctor.Finding;
import io.culvert.api.service.Doctor.Patient;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/**
 * What the figures of one lane mean. A pure function: the rules are the methods below, in the order
 * of {@link #of}; a cause that explains the others' signs keeps them from being told as well.
 */
public final class Diagnosis {
  /** Exchanges with a device before it is judged. */
  static final int ENOUGH = 5;

  /** Exchanges before one in twenty of them tells something. */
  static final int MANY = 40;

  /** Exchanges in a row without an answer that make a device silent. */
  static final int SILENT = 3;

  /** Fewer events than this tell nothing: they happen everywhere. */
  static final int SIGNS = 3;

  /** Bytes of noise that aren't the odd one of a transmitter switched over. */
  static final int NOISE = 20;

  /** The longest frame of the field's serial protocols, in bytes. */
  private static final int FRAME = 260;

  /** Share of a device's requests that may go wrong before it is told. */
  static final double TOLERATED = 0.02;

  /** Share of broken answers from which on it is no matter of chance. */
  static final double MOSTLY = 1 / 3.0;

  /** Share of the time from which on a lane counts as full: commands and repeats need room. */
  static final double FULL = 0.8;

  /** Share of the deadline from which on an answer counts as near it. */
  static final double NEAR = 0.7;

  private static final Set<String> BUSY = Set.of(Quality.BAD_BUSY.toString());

  /** The device doesn't know what it is asked for. */
  private static final Set<String> UNKNOWN =
      Set.of(
          Quality.BAD_NOT_FOUND.toString(),
          Quality.BAD_NOT_SUPPORTED.toString(),
          Quality.BAD_OUT_OF_RANGE.toString(),
          Quality.BAD_NOT_READABLE.toString());

  /** The device knows it, and says that something is wrong with itself. */
  private static final Set<String> DEFECTIVE =
      Set.of(
          Quality.BAD_DEVICE_FAILURE.toString(),
          Quality.BAD_SENSOR_FAILURE.toString(),
          Quality.BAD_OUT_OF_SERVICE.toString());

  private final Figures figures;
  private final LineFacts line;
  private final Instant now;
  private final List<Patient> all;
  private final List<Patient> silent;
  private final List<Patient> answering;
  private final List<Finding> findings = new ArrayList<>();

  private Diagnosis(Figures figures, List<Patient> patients, Instant now) {
    this.figures = figures;
    this.line = figures.line() == null ? Counts.NO_LINE_FACTS : figures.line();
    this.now = now;
    this.all = patients;
    this.silent = those(Diagnosis::silent);
    this.answering = those(p -> !silent(p) && judged(p));
  }

  /**
   * @param patients all devices of the lane
   * @return the worst first; never empty
   */
  public static List<Finding> of(Figures figures, List<Patient> patients, Instant now) {
    Diagnosis diagnosis = new Diagnosis(figures, patients, now);
    diagnosis.examine();
    return List.copyOf(diagnosis.findings);
  }

  private void examine() {
    if (!silent.isEmpty() && all.stream().allMatch(p -> silent(p) || unheard(p))) {
      nobodyAnswers();
    } else {
      List<Patient> explained = new ArrayList<>();
      boolean second = secondMaster();
      if (!second) {
        explained.addAll(damaged());
      }
      explained.addAll(tooLate());
      explained.addAll(wrongUnit());
      silentAmongOthers(minus(silent, explained));
      overload();
      busyDevices();
      if (!second) {
        unsteady(minus(answering, explained));
      }
    }
    refused();
    findings.sort(Comparator.comparing(Finding::cause));
    if (findings.isEmpty()) {
      findings.add(answering.isEmpty() ? notEnough() : healthy());
    }
  }

  private static boolean silent(Patient p) {
    return p.exchanges().unansweredInARow() >= SILENT;
  }

  /** A device that tells by itself has no polls to be judged by. */
  private static boolean judged(Patient p) {
    return p.cycles().isEmpty()
        ? p.state() == State.ONLINE
        : p.exchanges().made() >= ENOUGH || silent(p);
  }

  private static boolean unheard(Patient p) {
    return p.exchanges().answered() == 0 && !(p.cycles().isEmpty() && judged(p));
  }

  /** Nobody answers now. */
  private void nobodyAnswers() {
    long damaged = sum(all, Diagnosis::checksumErrors);
    boolean before = all.stream().anyMatch(p -> p.exchanges().answered() > 0);
    if (line.late() >= SIGNS) {
      tooLate();
    } else if (line.foreign() >= SIGNS) {
      secondMaster();
    } else if (line.wrongUnit() >= SIGNS) {
      wrongUnit();
    } else if (line.noise() >= NOISE || damaged >= SIGNS) {
      String evidence =
          "something comes back, but no whole answer: " + broken(damaged, line.noise());
      if (before) {
        add(
            Cause.WIRING,
            List.of(),
            evidence + "; " + lastAnswer(all) + " all was well",
            "Look for what was changed or cut since then: cable, terminal, termination, a"
                + " device's speed.");
      } else {
        add(
            Cause.SPEED,
            List.of(),
            evidence,
            "Compare baud, parity and stop bits with the devices' own settings, and see that A and"
                + " B aren't swapped.");
      }
    } else if (sum(all, Diagnosis::malformed) >= SIGNS) {
      unsteady(all);
    } else if (all.size() == 1) {
      Patient p = all.get(0);
      add(
          Cause.DEAD_DEVICE,
          all,
          p.device()
              + " doesn't answer, "
              + lastAnswer(all)
              + failure(p)
              + "; nobody else is on this lane to compare with",
          p.lastAnswer() == null
              ? "Check its address and unit number first, then its power and the cable."
              : "Check its power, then the cable.");
    } else {
      add(
          Cause.DEAD_LINE,
          List.of(),
          "none of " + all.size() + " devices answers, " + lastAnswer(all) + failure(newest(all)),
          "Check what they share: the cable near the gateway, the converter, its power, its"
              + " address.");
    }
  }

  private boolean secondMaster() {
    List<Patient> damaged = those(this::hurt);
    boolean heard = line.foreign() >= SIGNS;
    if (!heard && !(line.collisions() >= SIGNS && damaged.size() != 1)) {
      return false;
    }
    add(
        Cause.SECOND_MASTER,
        List.of(),
        heard
            ? plural(line.foreign(), "request")
                + " heard that this gateway didn't send"
                + (line.collisions() == 0 ? "" : ", " + plural(line.collisions(), "collision"))
            : plural(line.collisions(), "sending") + " met somebody else's",
        "Only one may ask on a line: find the other one (an old controller, a maker's tool, a"
            + " second gateway) and take it off, or let it have the line.");
    return true;
  }

  /** Check-sum errors and noise. Returns whose troubles they explain. */
  private List<Patient> damaged() {
    List<Patient> hurt = those(this::hurt);
    List<Patient> clean = minus(answering, hurt);
    if (hurt.size() == 1 && !clean.isEmpty()) {
      Patient one = hurt.get(0);
      double share = share(checksumErrors(one), requests(one));
      String evidence =
          "%s of %s's %s broken, its neighbours' are whole%s"
              .formatted(
                  count(checksumErrors(one)),
                  one.device(),
                  plural(requests(one), "answer") + " " + (checksumErrors(one) == 1 ? "is" : "are"),
                  last(hurt));
      if (share >= MOSTLY || line.collisions() >= SIGNS) {
        add(
            Cause.ADDRESS,
            hurt,
            evidence,
            "Most likely two devices have its unit number and answer at once: take it off the line"
                + " and see whether something still answers. Otherwise its own stub is at fault.");
      } else {
        add(
            Cause.WIRING,
            hurt,
            evidence,
            "Check its stub: terminals, screen, a loose strand, the distance to a power cable.");
      }
    } else if (!hurt.isEmpty()) {
      String evidence = broken(sum(hurt, Diagnosis::checksumErrors), line.noise());
      add(
          Cause.WIRING,
          clean.isEmpty() ? List.of() : hurt,
          clean.isEmpty()
              ? "broken answers of every device: " + evidence + last(hurt)
              : "broken answers of %s, but none of %s: %s%s"
                  .formatted(names(hurt), names(clean), evidence, last(hurt)),
          clean.isEmpty()
              ? "Check termination (120 Ohm at both ends, nowhere else), screen, common earth, and"
                  + " the distance to power cables."
              : "Check the cable from the last whole one to the first broken one, and the"
                  + " termination at that end.");
    } else if (unexplainedNoise() >= NOISE && unexplainedNoise() * 10 >= turns()) {
      add(
          Cause.WIRING,
          List.of(),
          "%s heard that belong to no answer, though answers are whole"
              .formatted(plural(line.noise(), "byte")),
          "The idle line floats: check bias resistors and termination, and the screen.");
    }
    return hurt;
  }

  /** Noise that isn't what is left of frames that were told already. */
  private long unexplainedNoise() {
    long frames =
        sum(all, p -> checksumErrors(p) + malformed(p))
            + line.wrongUnit()
            + line.late()
            + line.foreign();
    return line.noise() - FRAME * frames;
  }

  private boolean hurt(Patient p) {
    return judged(p) && tells(checksumErrors(p), requests(p));
  }

  /** Answers from another unit than the one asked. Returns whose silence they explain. */
  private List<Patient> wrongUnit() {
    if (line.wrongUnit() < SIGNS) {
      return List.of();
    }
    List<Patient> concerned = those(p -> silent(p) || tells(lost(p), requests(p)));
    add(
        Cause.ADDRESS,
        concerned,
        plural(line.wrongUnit(), "answer")
            + " came from another unit than the one asked"
            + (concerned.isEmpty() ? "" : "; answers are missing of " + names(concerned)),
        "Compare the unit number in etc/site.json with the device's own; behind a converter, with"
            + " the one that it passes on.");
    return those(Diagnosis::silent);
  }

  private void silentAmongOthers(List<Patient> dead) {
    List<Patient> never = dead.stream().filter(p -> p.lastAnswer() == null).toList();
    if (!never.isEmpty()) {
      add(
          Cause.ADDRESS,
          never,
          "%s never answered, though %s%s%s"
              .formatted(names(never), others(), failure(newest(never)), cost(never)),
          "Check the unit number at the device itself, on a serial line its speed and parity too;"
              + " then its power and its stub of the cable.");
    }
    List<Patient> gone = minus(dead, never);
    if (!gone.isEmpty()) {
      add(
          Cause.DEAD_DEVICE,
          gone,
          "%s %s answer any more, %s, though %s%s%s"
              .formatted(
                  names(gone),
                  gone.size() == 1 ? "doesn't" : "don't",
                  lastAnswer(gone),
                  others(),
                  failure(newest(gone)),
                  cost(gone)),
          gone.size() == 1
              ? "Check its power, then its stub of the cable."
              : "Check what they share: a supply, a fuse, the cable beyond the last that answers.");
    }
  }

  private String others() {
    return answering.size() == 1
        ? answering.get(0).device() + " does"
        : answering.isEmpty() ? "others do" : answering.size() + " others do";
  }

  private String cost(List<Patient> dead) {
    double cost = dead.stream().mapToDouble(Patient::busy).sum();
    return cost < 0.005 ? "" : "; waiting for that takes " + percent(cost) + " of the lane";
  }

  private void overload() {
    double asked = Math.max(figures.wanted(), figures.busy() - figures.unanswered());
    double factor = asked / FULL;
    // What this advises must not be found too much again.
    if (factor < 1.01) {
      return;
    }
    long missed = sum(all, p -> p.exchanges().missed());
    List<Cycle> cycles = all.stream().flatMap(p -> p.cycles().stream()).toList();
    Set<Duration> intervals = new TreeSet<>(cycles.stream().map(Cycle::interval).toList());
    String longer =
        intervals.size() == 1
            ? "It fits with an interval of "
                + words(up(intervals.iterator().next(), factor))
                + " instead of "
                + words(intervals.iterator().next())
                + "."
            : "It fits if the intervals are %.1f times as long."
                .formatted(Math.ceil(factor * 10) / 10);
    add(
        Cause.OVERLOAD,
        List.of(),
        "the polls wanted take %s of the lane, of which %s are to be had for them%s"
            .formatted(
                percent(asked),
                percent(FULL),
                missed == 0 ? "" : "; " + plural(missed, "poll") + " left out"),
        longer + " Or read fewer points, raise the speed, or split the line.");
  }

  /** Devices that say that they are busy. */
  private void busyDevices() {
    List<Patient> busy = those(p -> !points(p, BUSY).isEmpty());
    if (!busy.isEmpty()) {
      add(
          Cause.OVERLOAD,
          busy,
          names(busy) + (busy.size() == 1 ? " says that it is" : " say that they are") + " busy",
          "Poll less often; see whether something else asks there too.");
    }
  }

  /** Answers near the deadline or after it. Returns whose troubles that explains. */
  private List<Patient> tooLate() {
    List<Patient> slow =
        those(
            p -> near(p) || line.late() >= SIGNS && (silent(p) || tells(timeouts(p), requests(p))));
    if (slow.isEmpty()) {
      return slow;
    }
    Duration longest =
        slow.stream()
            .map(p -> p.latency() == null ? p.timeout() : p.latency().longest())
            .max(Comparator.naturalOrder())
            .orElseThrow();
    Duration timeout =
        slow.stream().map(Patient::timeout).max(Comparator.naturalOrder()).orElseThrow();
    Duration enough = up(longest.compareTo(timeout) > 0 ? longest : timeout, 2);
    String late =
        line.late() < SIGNS
            ? ""
            : plural(line.late(), "answer") + " came after the gateway had given up";
    String near =
        slow.stream()
            .filter(Diagnosis::near)
            .findFirst()
            .map(
                p ->
                    "95 %% of %s's answers take up to %s of the %s allowed"
                        .formatted(
                            p.device(), words(p.latency().percentile95()), words(p.timeout())))
            .orElse("");
    add(
        Cause.SLOW_DEVICE,
        slow,
        late + (late.isEmpty() || near.isEmpty() ? "" : "; ") + near,
        "Raise timeout of "
            + names(slow)
            + " to "
            + words(enough)
            + (late.isEmpty() ? "" : ", and responseTimeout of a Modbus device accordingly")
            + ", or read fewer points at once.");
    return slow;
  }

  private static boolean near(Patient p) {
    if (silent(p) || p.latency() == null) {
      return false;
    }
    // A percentile of a few is just the longest, which may be a hiccup of the gateway's own.
    Duration most =
        p.exchanges().answered() >= MANY ? p.latency().percentile95() : p.latency().median();
    return p.exchanges().answered() >= ENOUGH && most.toNanos() >= NEAR * p.timeout().toNanos();
  }

  private void unsteady(List<Patient> among) {
    List<Patient> unsteady =
        among.stream().filter(p -> judged(p) && tells(lost(p), requests(p))).toList();
    if (unsteady.isEmpty()) {
      return;
    }
    long unfit = sum(unsteady, Diagnosis::malformed);
    add(
        Cause.UNSTEADY,
        unsteady,
        "%s of %s of %s brought nothing%s%s%s"
            .formatted(
                count(sum(unsteady, Diagnosis::lost)),
                plural(sum(unsteady, Diagnosis::requests), "request"),
                names(unsteady),
                unfit == 0 ? "" : ", " + count(unfit) + " of them answers that don't fit",
                last(unsteady),
                failure(newest(unsteady))),
        unsteady.size() == 1 && all.size() > 1
            ? "Its neighbours are well: check its own link, power and firmware."
            : "Check the link (cable, switch, radio) and what else it carries.");
  }

  private void refused() {
    for (Patient p : answering) {
      List<String> unknown = points(p, UNKNOWN);
      if (!unknown.isEmpty()) {
        add(
            Cause.REFUSED,
            List.of(p),
            "%s refuses %s%s".formatted(p.device(), pointNames(unknown), said(p, UNKNOWN)),
            "Compare address, type and function of these points with the maker's register map; the"
                + " device may be another model.");
      }
      List<String> defective = points(p, DEFECTIVE);
      if (!defective.isEmpty()) {
        add(
            Cause.REFUSED,
            List.of(p),
            "%s says that it can't tell %s%s"
                .formatted(p.device(), pointNames(defective), said(p, DEFECTIVE)),
            "Nothing is wrong with the line: look at the device's own display and its sensors.");
      }
    }
  }

  /** The refusals in the device's own words, or what the points have instead of a value. */
  private static String said(Patient p, Set<String> qualities) {
    if (p.facts() != null && !p.facts().refusals().isEmpty()) {
      return ": " + String.join(", ", new TreeMap<>(p.facts().refusals()).keySet());
    }
    return ": "
        + String.join(
            ", ",
            new TreeSet<>(p.refused().keySet().stream().filter(qualities::contains).toList()));
  }

  private Finding notEnough() {
    long made = sum(all, p -> p.exchanges().made());
    return new Finding(
        Cause.UNHEARD, List.of(), "not enough heard yet: " + plural(made, "exchange"), "");
  }

  private Finding healthy() {
    Duration worst =
        answering.stream()
            .filter(p -> p.latency() != null)
            .map(p -> p.latency().percentile95())
            .max(Comparator.naturalOrder())
            .orElse(null);
    return new Finding(
        Cause.HEALTHY,
        List.of(),
        (answering.size() == 1
                ? answering.get(0).device() + " answers"
                : answering.size() + " devices answer")
            + (worst == null ? "" : ", 95 % within " + words(worst))
            + "; the lane is "
            + percent(figures.busy())
            + " busy"
            + (figures.round().isZero()
                ? ""
                : " and could be polled every " + words(up(figures.round(), 1 / FULL))),
        "");
  }

  private void add(Cause cause, List<Patient> concerned, String evidence, String advice) {
    findings.add(
        new Finding(cause, concerned.stream().map(Patient::device).toList(), evidence, advice));
  }

  // Figures of one device, from its driver where that counts, else from the core's own.

  private static long requests(Patient p) {
    return p.facts() == null ? p.exchanges().made() : p.facts().requests();
  }

  private static long checksumErrors(Patient p) {
    return p.facts() == null ? 0 : p.facts().checksumErrors();
  }

  private static long timeouts(Patient p) {
    return p.facts() == null
        ? p.exchanges().timeouts()
        : Math.max(p.exchanges().timeouts(), p.facts().timeouts());
  }

  private static long lost(Patient p) {
    long exchanges = p.exchanges().made() - p.exchanges().answered();
    // One may be under way.
    return p.facts() == null
        ? exchanges
        : Math.max(exchanges, p.facts().requests() - p.facts().answers() - 1);
  }

  private static long malformed(Patient p) {
    return p.facts() == null ? 0 : p.facts().malformed();
  }

  private long turns() {
    return sum(all, p -> p.exchanges().made());
  }

  private static List<String> points(Patient p, Set<String> qualities) {
    List<String> points = new ArrayList<>();
    p.refused()
        .forEach(
            (quality, refused) -> {
              if (qualities.contains(quality)) {
                points.addAll(refused);
              }
            });
    points.sort(null);
    return points;
  }

  private static boolean tells(long events, long of) {
    return events >= SIGNS && share(events, of) >= TOLERATED;
  }

  private static double share(long part, long of) {
    return of == 0 ? 0 : Math.min(1, (double) part / of);
  }

  private static long sum(List<Patient> among, ToLongFunction<Patient> figure) {
    return among.stream().mapToLong(figure).sum();
  }

  private List<Patient> those(Predicate<Patient> which) {
    return all.stream().filter(which).toList();
  }

  private static List<Patient> minus(List<Patient> some, List<Patient> others) {
    return some.stream().filter(p -> !others.contains(p)).toList();
  }

  private static Patient newest(List<Patient> among) {
    return among.stream()
        .max(Comparator.comparing(p -> p.lastTrouble() == null ? Instant.MIN : p.lastTrouble()))
        .orElseThrow();
  }

  // Words.

  private static String broken(long damaged, long noise) {
    return noise == 0
        ? plural(damaged, "answer") + " with a wrong check sum"
        : damaged == 0
            ? plural(noise, "byte") + " of noise"
            : plural(damaged, "wrong check sum") + ", " + plural(noise, "byte") + " of noise";
  }

  private String lastAnswer(List<Patient> among) {
    return among.stream()
        .map(Patient::lastAnswer)
        .filter(t -> t != null)
        .max(Comparator.naturalOrder())
        .map(t -> "the last answer came " + ago(t))
        .orElse("never since the gateway has known " + (among.size() == 1 ? "it" : "them"));
  }

  /** When there was trouble last, if that isn't just now: it may have been mended since. */
  private String last(List<Patient> among) {
    Instant at = newest(among).lastTrouble();
    return at == null || Duration.between(at, now).compareTo(Duration.ofMinutes(1)) < 0
        ? ""
        : "; the last time " + ago(at);
  }

  private static String failure(Patient p) {
    return p.lastFailure().isEmpty() ? "" : " (" + p.lastFailure() + ")";
  }

  private String ago(Instant then) {
    return words(Duration.between(then, now)) + " ago";
  }

  private static String names(List<Patient> among) {
    return few(among.stream().map(Patient::device).toList(), "devices");
  }

  private static String pointNames(List<String> points) {
    return few(points, "points");
  }

  private static String few(List<String> names, String what) {
    return names.size() <= 4
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, 3)) + " and " + (names.size() - 3) + " more " + what;
  }

  private static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String plural(long number, String one) {
    return count(number) + " " + one + (number == 1 ? "" : "s");
  }

  private static String percent(double share) {
    return share > 0 && share < 0.01 ? "under 1 %" : Math.round(share * 100) + " %";
  }

  /** Two figures are all that a person needs. */
  private static String words(Duration d) {
    double ms = d.toNanos() / 1e6;
    if (ms < 1000) {
      return String.format(Locale.ROOT, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
    }
    double s = ms / 1000;
    if (s < 120) {
      return s < 10 && d.toMillis() % 1000 != 0
          ? String.format(Locale.ROOT, "%.1f s", s)
          : Math.round(s) + " s";
    }
    return s < 7200
        ? Math.round(s / 60) + " min"
        : s < 172_800 ? Math.round(s / 3600) + " h" : Math.round(s / 86_400) + " days";
  }

  /** Times a factor, rounded up to what a person would write. */
  private static Duration up(Duration d, double factor) {
    double ms = d.toNanos() / 1e6 * factor;
    double step = Math.max(1, Math.pow(10, Math.floor(Math.log10(ms)) - 1));
    return Duration.ofMillis(Math.round(Math.ceil(ms / step - 1e-6) * step));
  }
}
