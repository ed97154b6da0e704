package io.culvert.benchmarks;

import io.culvert.simulator.Options;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** The joints of a reading's way by JMH, each beside the least that could be called the same. */
final class Micro {
  static final List<String> OPTIONS = List.of("forks", "iterations");

  /** In the order of a reading's way. */
  private static final Map<String, String> JOINTS =
      Map.of(
          "DecodeBenchmark", "1 decode an answer of 125 registers",
          "NormaliseBenchmark", "2 normalise a poll",
          "RowBenchmark", "3 encode a row of the buffer",
          "EncodeBenchmark", "4 encode messages of IoTDA");

  private static final String OWN = "culvert";
  private static final String BASE = "baseline";

  private final Bench bench;
  private final PrintStream out;
  private final int forks;
  private final int iterations;

  Micro(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.forks = options.whole("forks", 2, 1, 100);
    this.iterations = options.whole("iterations", 5, 1, 1_000);
  }

  int run() throws IOException {
    out.println("Joints by JMH, nanoseconds a point; machine's load " + Results.load());
    out.flush();
    Map<String, Map<String, RunResult>> byJoint = new java.util.TreeMap<>();
    try {
      for (RunResult result : new Runner(options()).run()) {
        String[] name = result.getParams().getBenchmark().split("\\.");
        byJoint
            .computeIfAbsent(
                JOINTS.getOrDefault(name[name.length - 2], name[name.length - 2]),
                joint -> new LinkedHashMap<>())
            .put(name[name.length - 1], result);
      }
    } catch (RunnerException e) {
      out.println("  failed: " + e.getMessage());
      return 1;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("joint", "Culvert", "±", "baseline", "±", "of baseline"));
    List<Object> json = new ArrayList<>();
    byJoint.forEach(
        (joint, results) -> {
          double own = score(results.get(OWN));
          double base = score(results.get(BASE));
          double ratio = Statistics.ratio(own, base);
          rows.add(
              List.of(
                  joint,
                  Text.fixed(own, 1) + " ns",
                  Text.fixed(error(results.get(OWN)), 1),
                  Text.fixed(base, 1) + " ns",
                  Text.fixed(error(results.get(BASE)), 1),
                  Text.ratio(ratio)));
          json.add(Map.of("joint", joint, "nanos", own, "baselineNanos", base, "ratio", ratio));
        });
    out.println();
    out.print(Text.table(rows));
    out.println(
        "  ± of 99.9 %; a joint does more than its baseline, so a ratio above 1 is to be expected");
    Results results = new Results("micro", bench.results());
    results.put("joints", json);
    out.println();
    out.println("Written to " + results.write());
    return 0;
  }

  private org.openjdk.jmh.runner.options.Options options() {
    return new OptionsBuilder()
        .include("io\\.culvert\\..*Benchmark\\..*")
        .forks(forks)
        .jvmArgs("-XX:+UseSerialGC", "-Xmx256m")
        .warmupIterations(iterations)
        .warmupTime(TimeValue.seconds(1))
        .measurementIterations(iterations)
        .measurementTime(TimeValue.seconds(1))
        .shouldFailOnError(true)
        .verbosity(VerboseMode.SILENT)
        .build();
  }

  private static double score(RunResult result) {
    return result.getPrimaryResult().getScore();
  }

  private static double error(RunResult result) {
    return result.getPrimaryResult().getScoreError();
  }
}
