package io.culvert.core.run;

import io.culvert.api.service.Doctor;
import io.culvert.core.doctor.Diagnosis;
import io.culvert.core.doctor.LaneVitals;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Gathers the figures of lanes and devices. What drivers count is fetched from each in turn, and
 * from all when somebody asks: connections come and go, and what one counted must not go with it.
 */
final class Examiner implements Doctor {
  private static final Duration TICK = Duration.ofSeconds(1);

  /** Each connection's figures are fetched once in so many ticks. */
  private static final int ROUND = 30;

  private final Kit kit;
  private final Supplier<List<Runner>> runners;
  private int tick;

  /**
   * @param runners of the site, in its order; called on the loop
   */
  Examiner(Kit kit, Supplier<List<Runner>> runners) {
    this.kit = kit;
    this.runners = runners;
  }

  /** On the loop. */
  void start() {
    kit.loop().after(TICK, this::tick);
  }

  private void tick() {
    kit.loop().after(TICK, this::tick);
    List<Runner> all = runners.get();
    for (int i = tick; i < all.size(); i += ROUND) {
      look(all.get(i), () -> {});
    }
    tick = (tick + 1) % ROUND;
  }

  private static void look(Runner runner, Runnable end) {
    if (runner.link() == null) {
      end.run();
    } else {
      runner.link().look(end);
    }
  }

  @Override
  public CompletionStage<List<Lane>> examine() {
    CompletableFuture<List<Lane>> answer = new CompletableFuture<>();
    if (!kit.loop().open()) {
      return CompletableFuture.completedFuture(List.of());
    }
    kit.loop()
        .execute(
            () -> {
              List<Runner> all = runners.get();
              int[] waiting = {all.size() + 1};
              Runnable one =
                  () -> {
                    if (--waiting[0] == 0) {
                      gather(answer);
                    }
                  };
              all.forEach(runner -> look(runner, one));
              one.run();
            });
    return answer;
  }

  /** What a lane is to be judged by. */
  private record Chart(String name, Figures figures, List<Patient> patients) {}

  private void gather(CompletableFuture<List<Lane>> answer) {
    Map<io.culvert.core.run.Lane, List<Patient>> byLane = new LinkedHashMap<>();
    for (Runner runner : runners.get()) {
      if (runner.lane() != null) {
        byLane.computeIfAbsent(runner.lane(), l -> new ArrayList<>()).add(runner.patient());
      }
    }
    long nanos = kit.loop().nanos();
    Instant now = kit.loop().now();
    List<Chart> charts = new ArrayList<>();
    byLane.forEach(
        (lane, patients) ->
            charts.add(
                new Chart(lane.name(), figures(lane.vitals().figures(nanos), patients), patients)));
    // Judging and listening may take their time: not on the loop.
    kit.notices().execute(() -> answer.complete(judge(charts, now)));
  }

  private static List<Lane> judge(List<Chart> charts, Instant now) {
    return charts.stream()
        .map(
            c ->
                new Lane(
                    c.name(),
                    c.figures(),
                    c.patients(),
                    Diagnosis.of(c.figures(), c.patients(), now)))
        .sorted(Comparator.comparing(lane -> lane.findings().get(0).cause()))
        .collect(Collectors.toList());
  }

  private static Figures figures(LaneVitals.Figures lane, List<Patient> patients) {
    double wanted = 0;
    Duration round = Duration.ZERO;
    for (Patient patient : patients) {
      for (Cycle cycle : patient.cycles()) {
        wanted += (double) cycle.takes().toNanos() / cycle.interval().toNanos();
        round = round.plus(cycle.takes());
      }
    }
    return new Figures(
        lane.span(),
        share(lane.busyNanos(), lane.span()),
        share(lane.unansweredNanos(), lane.span()),
        wanted,
        round,
        lane.meanWait(),
        lane.longestWait(),
        lane.line());
  }

  static double share(long nanos, Duration span) {
    return span.isZero() ? 0 : Math.min(1, (double) nanos / span.toNanos());
  }
}
