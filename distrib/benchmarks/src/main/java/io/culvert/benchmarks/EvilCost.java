package io.culvert.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.culvert.simulator.Options;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What evil plug-ins cost healthy devices: the demo's street beside a gallery of them, in turn with
 * the same street alone. The interval from one reading of a device to the next tells how steadily
 * it was polled; the audit, that nothing was lost.
 */
final class EvilCost {
  static final List<String> OPTIONS = List.of("devices", "seconds", "runs", "evil");

  private static final int LONGEST_ROUND = 300;

  private final Bench bench;
  private final PrintStream out;
  private final int devices;
  private final int seconds;
  private final int runs;
  private final String evil;

  /**
   * One run.
   *
   * @param median interval in milliseconds
   * @param tail interval that 99 of 100 aren't longer than
   * @param cpuSeconds of the gateway's own process
   * @param hostsCpuSeconds of the processes of plug-ins
   */
  private record Run(
      boolean exact,
      double median,
      double tail,
      double longest,
      double cpuSeconds,
      double rssBytes,
      double threads,
      double hostsCpuSeconds,
      double hostsRssBytes,
      JsonNode plugins) {}

  EvilCost(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.devices = options.whole("devices", 200, 2, 100_000);
    this.seconds = options.whole("seconds", 60, 5, 86_400);
    this.runs = options.whole("runs", 3, 1, 1_000);
    this.evil = options.text("evil", "all");
  }

  int run() throws IOException {
    out.println("Evil plug-ins (" + evil + ") beside " + devices + " devices");
    out.printf("  %d s each, median of %d; machine's load %s%n", seconds, runs, Results.load());
    List<Run> without = new ArrayList<>();
    List<Run> with = new ArrayList<>();
    boolean sound = true;
    for (int run = 1; run <= runs; run++) {
      for (boolean alone : new boolean[] {true, false}) {
        Run one = run(alone ? "none" : evil);
        if (one == null) {
          return 1;
        }
        (alone ? without : with).add(one);
        sound &= one.exact();
        out.printf(
            "  run %d of %d %s: 99 of 100 within %s ms%s%n",
            run,
            runs,
            alone ? "alone" : "with them",
            Text.whole(one.tail()),
            one.exact() ? "" : "; the audit DOESN'T HOLD");
        out.flush();
      }
    }
    Map<String, List<Double>> rows = new LinkedHashMap<>();
    out.println();
    out.print(Text.table(table(without, with, rows)));
    Results results = new Results("evil", bench.results());
    results.put("evil", evil);
    results.put("devices", devices);
    results.put("seconds", seconds);
    results.put("medians", rows);
    results.put("without", without);
    results.put("with", with);
    out.println();
    out.println("Written to " + results.write());
    return sound ? 0 : 1;
  }

  /** {@code null} if it brought no report. */
  private Run run(String gallery) throws IOException {
    try (Work work = bench.work()) {
      Path report = work.folder().resolve("report.json");
      List<String> line =
          List.of(
              Child.java(),
              "-cp",
              Child.classPath(),
              "io.culvert.simulator.Main",
              "demo",
              "--gateway",
              bench.installation().toString(),
              "--broker",
              "mosquitto",
              "--mqtt-port",
              Integer.toString(bench.brokerPort()),
              "--port-base",
              Integer.toString(bench.portBase()),
              "--devices",
              Integer.toString(devices),
              "--seconds",
              Integer.toString(seconds),
              "--evil",
              gallery,
              "--work",
              work.folder().resolve("demo").toString(),
              "--report",
              report.toString());
      try (Child demo = new Child(line, Map.of(), work.folder())) {
        boolean ended = demo.await(seconds + LONGEST_ROUND);
        if (!ended || !report.toFile().exists()) {
          out.println("  failed: the demo brought no report" + Line.lastWords(demo));
          return null;
        }
      }
      return read(new ObjectMapper().readTree(report.toFile()));
    }
  }

  private static Run read(JsonNode report) {
    JsonNode intervals = report.path("intervals");
    JsonNode figures = report.path("figures");
    return new Run(
        report.path("holds").asBoolean(),
        intervals.path("p50").asDouble(),
        intervals.path("p99").asDouble(),
        intervals.path("max").asDouble(),
        figures.path("gatewayCpuMillis").asDouble() / 1e3,
        figures.path("gatewayMostResidentKib").asDouble() * 1024,
        figures.path("gatewayMostThreads").asDouble(),
        figures.path("hostsCpuMillis").asDouble() / 1e3,
        figures.path("hostsMostResidentKib").asDouble() * 1024,
        report.path("evil"));
  }

  private List<List<String>> table(
      List<Run> without, List<Run> with, Map<String, List<Double>> medians) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("", "alone", "with evil", "ratio"));
    for (Figure figure : Figure.values()) {
      double base = figure.median(without);
      double beside = figure.median(with);
      medians.put(figure.title, List.of(base, beside));
      rows.add(
          List.of(
              figure.title,
              figure.words(base),
              figure.words(beside),
              Text.ratio(Statistics.ratio(beside, base))));
    }
    return rows;
  }

  /** What is compared. */
  private enum Figure {
    MEDIAN("interval, median", Run::median, " ms"),
    TAIL("interval, 99 of 100 within", Run::tail, " ms"),
    LONGEST("interval, longest", Run::longest, " ms"),
    CPU("gateway's CPU", Run::cpuSeconds, " s"),
    RSS("gateway's resident memory, at most", Run::rssBytes, ""),
    THREADS("gateway's threads, at most", Run::threads, ""),
    HOSTS_CPU("CPU of plug-ins' own processes", Run::hostsCpuSeconds, " s"),
    HOSTS_RSS("resident memory of these", Run::hostsRssBytes, "");

    private final String title;
    private final java.util.function.ToDoubleFunction<Run> of;
    private final String unit;

    Figure(String title, java.util.function.ToDoubleFunction<Run> of, String unit) {
      this.title = title;
      this.of = of;
      this.unit = unit;
    }

    double median(List<Run> runs) {
      return Statistics.median(runs.stream().map(of::applyAsDouble).toList());
    }

    String words(double value) {
      return this == RSS || this == HOSTS_RSS
          ? Text.mebibytes(value)
          : Text.fixed(value, unit.equals(" s") ? 1 : 0) + unit;
    }
  }
}
