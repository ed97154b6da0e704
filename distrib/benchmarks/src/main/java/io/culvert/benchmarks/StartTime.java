package io.culvert.benchmarks;

import io.culvert.simulator.Options;
import io.culvert.simulator.Session;
import io.culvert.simulator.audit.Rules;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * From the start of the process to the first reading at the platform, beside two baselines: a JVM
 * that starts and ends, and the framework with its services and without a bundle of Culvert's. The
 * page cache is warm; the first start of a new installation takes in its plug-ins, the second finds
 * its data.
 */
final class StartTime {
  static final List<String> OPTIONS = List.of("devices", "points", "interval-millis", "runs");

  private static final long GOAL_MILLIS = 3_000;

  private final Bench bench;
  private final PrintStream out;
  private final int runs;
  private final Load load;
  private final Map<String, List<Double>> millis = new LinkedHashMap<>();

  StartTime(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.runs = options.whole("runs", 10, 1, 1_000);
    this.load =
        new Load(
            options.whole("devices", 40, 2, 40_000),
            options.whole("points", 100, 2, Load.MOST_POINTS),
            Duration.ofMillis(options.whole("interval-millis", 1_000, 10, 3_600_000)));
  }

  int run() throws IOException, StreetException {
    out.println("Start to first reading: " + load);
    out.printf("  median of %d; machine's load %s%n", runs, Results.load());
    try {
      for (int run = 1; run <= runs; run++) {
        note("JVM: java -version", jvm());
        note("bare Felix, all bundles active", bare());
        culvert();
        out.println("  run " + run + " of " + runs);
        out.flush();
      }
    } catch (Line.FailedException e) {
      out.println("  failed: " + e.getMessage());
      return 1;
    }
    double base = Statistics.median(millis.get("bare Felix, all bundles active"));
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of("from the start of the process to", "median", "least", "most", "of bare Felix"));
    millis.forEach(
        (name, all) ->
            rows.add(
                List.of(
                    name,
                    Text.whole(Statistics.median(all)) + " ms",
                    Text.whole(all.stream().min(Double::compare).orElseThrow()) + " ms",
                    Text.whole(all.stream().max(Double::compare).orElseThrow()) + " ms",
                    Text.ratio(Statistics.ratio(Statistics.median(all), base)))));
    out.println();
    out.print(Text.table(rows));
    double first = Statistics.median(millis.get("first start: first reading"));
    out.printf(
        "  the first reading comes %s %d ms%n",
        first <= GOAL_MILLIS ? "within" : "LATER THAN", GOAL_MILLIS);
    Results results = new Results("start", bench.results());
    results.put("load", load.toString());
    results.put("millis", millis);
    out.println();
    out.println("Written to " + results.write());
    return 0;
  }

  private void note(String name, double value) {
    millis.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
  }

  private double jvm() throws IOException {
    try (Work work = bench.work()) {
      long begun = System.nanoTime();
      try (Child java = new Child(List.of(Child.java(), "-version"), Map.of(), work.folder())) {
        java.await(60);
        return (System.nanoTime() - begun) / 1e6;
      }
    }
  }

  private double bare() throws IOException, StreetException, Line.FailedException {
    try (Work work = bench.work();
        CulvertContender.Run run =
            new CulvertContender(bench.installation()).startBare(work.folder())) {
      Line.await("readiness", run, run::ready);
      return System.currentTimeMillis() - run.startedAt();
    }
  }

  private void culvert() throws IOException, StreetException, Line.FailedException {
    try (Work work = bench.work()) {
      Path folder = work.folder();
      Street street = load.street(folder, bench.portBase());
      CulvertContender.Run run;
      try (Session session = session(street, folder)) {
        run =
            new CulvertContender(bench.installation())
                .start(load, street, bench.brokerPort(), folder.resolve("contender"));
        try {
          awaitReadings("first start", run, session);
          session.drain(Rules.STRICT, 30_000, () -> {});
        } catch (Line.FailedException | RuntimeException e) {
          run.close();
          throw e;
        }
      }
      try (run;
          Session session = session(street, folder)) {
        run.restart();
        awaitReadings("restart", run, session);
      }
    }
  }

  private Session session(Street street, Path folder) throws StreetException {
    return new Session(
        street, "mosquitto", bench.brokerPort(), folder, Clock.systemUTC(), entries -> {});
  }

  private void awaitReadings(String what, CulvertContender.Run run, Session session)
      throws Line.FailedException {
    Line.await("the first reading", run, () -> session.platform().firstReadingAt() != 0);
    note(what + ": first reading", session.platform().firstReadingAt() - run.startedAt());
    Line.await(
        "a reading of every device",
        run,
        () -> session.platform().latest().size() == load.devices());
    note(what + ": every device", System.currentTimeMillis() - run.startedAt());
  }
}
