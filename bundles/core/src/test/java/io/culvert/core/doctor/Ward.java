package io.culvert.core.doctor;

import io.culvert.api.service.Doctor.Cycle;
import io.culvert.api.service.Doctor.Exchanges;
import io.culvert.api.service.Doctor.Figures;
import io.culvert.api.service.Doctor.Finding;
import io.culvert.api.service.Doctor.Latency;
import io.culvert.api.service.Doctor.Patient;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.southbound.Diagnosed.Facts;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** A lane with its devices as a test describes it: well, except for what is said. */
final class Ward {
  static final Instant NOW = Instant.parse("2026-11-21T03:00:00Z");
  static final Duration SPAN = Duration.ofMinutes(8);

  private final List<Bed> beds = new ArrayList<>();
  private LineFacts line = Counts.NO_LINE_FACTS;

  /** A device of the ward: 480 polls of one request each, answered within 20 to 30 ms. */
  static final class Bed {
    private final String id;
    Duration interval = Duration.ofSeconds(1);
    Duration timeout = Duration.ofSeconds(2);
    long made = 480;
    long answered = 480;
    long timeouts;
    long missed;
    long inARow;
    long median = 20;
    long p95 = 30;
    long longest = 45;
    long checksumErrors;
    long malformed;
    boolean counted = true;
    boolean polled = true;
    double busy = 0.02;
    Map<String, Long> refusals = Map.of();
    Map<String, List<String>> refused = Map.of();
    Duration sinceAnswer = Duration.ofSeconds(1);
    Duration sinceTrouble = Duration.ofSeconds(5);
    String lastFailure = "";

    private Bed(String id) {
      this.id = id;
    }

    /** Nothing comes since a while; 0 for never. */
    Bed silentFor(Duration time) {
      made = 14;
      answered = 0;
      timeouts = 14;
      inARow = 14;
      busy = 0.06;
      sinceAnswer = time.isZero() ? null : time;
      lastFailure = "no answer within 2s";
      return this;
    }

    /** Of so many requests, so many answers are broken and given up. */
    Bed broken(long answers) {
      checksumErrors = answers;
      answered = made - answers;
      return this;
    }

    /** Of the polls, so many stay unanswered. */
    Bed lose(long polls) {
      answered = made - polls;
      timeouts = polls;
      lastFailure = "no answer within 2s";
      return this;
    }

    /** Requests without an answer of use; refusals are answers, even if the core has none. */
    private long lost() {
      return refusals.isEmpty() ? Math.max(made - answered, checksumErrors + malformed) : 0;
    }

    private Patient patient() {
      return new Patient(
          id,
          inARow >= 3 ? State.OFFLINE : State.ONLINE,
          timeout,
          SPAN,
          polled ? List.of(new Cycle(interval, Duration.ofMillis(median))) : List.of(),
          new Exchanges(made, answered, timeouts, missed, inARow),
          answered == 0
              ? null
              : new Latency(
                  Duration.ofMillis(median), Duration.ofMillis(p95), Duration.ofMillis(longest)),
          Duration.ofMillis(2),
          Duration.ofMillis(40),
          busy,
          counted
              ? new Facts(made, made - lost(), timeouts, checksumErrors, malformed, 0, refusals)
              : null,
          refused,
          sinceAnswer == null ? null : NOW.minus(sinceAnswer),
          NOW.minus(sinceTrouble),
          lastFailure);
    }
  }

  Ward device(String id, Consumer<Bed> how) {
    Bed bed = new Bed(id);
    how.accept(bed);
    beds.add(bed);
    return this;
  }

  /** Devices without any trouble. */
  Ward well(String... ids) {
    for (String id : ids) {
      device(id, bed -> {});
    }
    return this;
  }

  Ward line(long wrongUnit, long late, long foreign, long collisions, long noise) {
    line = new LineFacts(wrongUnit, late, foreign, collisions, noise);
    return this;
  }

  /** A lane whose drivers count nothing. */
  Ward uncounted() {
    beds.forEach(bed -> bed.counted = false);
    line = null;
    return this;
  }

  List<Finding> findings() {
    double busy = beds.stream().mapToDouble(bed -> bed.busy).sum();
    double silent = beds.stream().filter(b -> b.inARow >= 3).mapToDouble(b -> b.busy).sum();
    double wanted = beds.stream().mapToDouble(b -> (double) b.median / b.interval.toMillis()).sum();
    long round = beds.stream().mapToLong(b -> b.median).sum();
    Figures figures =
        new Figures(
            SPAN,
            Math.min(1, busy),
            silent,
            wanted,
            Duration.ofMillis(round),
            Duration.ofMillis(5),
            Duration.ofMillis(50),
            line);
    return Diagnosis.of(figures, beds.stream().map(Bed::patient).toList(), NOW);
  }
}
