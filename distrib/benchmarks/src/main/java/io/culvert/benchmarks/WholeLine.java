package io.culvert.benchmarks;

import io.culvert.benchmarks.plc4x.BareLoop;
import io.culvert.simulator.Options;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * From Modbus to confirmed: points per CPU-second of the gateway, and of what others would use in
 * its place, over the same slaves and broker.
 */
final class WholeLine {
  static final List<String> OPTIONS =
      List.of("devices", "points", "interval-millis", "seconds", "warm-up", "runs", "contenders");

  private static final int BUSY = 50_000;

  private static final List<Load> LOADS =
      List.of(
          new Load(1_000, 100, Duration.ofSeconds(1)),
          new Load(100, 100, Duration.ofMillis(100)),
          new Load(40, 100, Duration.ofSeconds(1)));

  private final Bench bench;
  private final PrintStream out;
  private final int runs;
  private final int warmUp;
  private final int window;
  private final List<Load> loads;
  private final List<String> wanted;

  WholeLine(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.runs = options.whole("runs", 3, 1, 100);
    this.warmUp = options.whole("warm-up", 0, 1, 3_600);
    this.window = options.whole("seconds", 30, 1, 86_400);
    boolean own = options.has("devices") || options.has("points") || options.has("interval-millis");
    this.loads =
        own
            ? List.of(
                new Load(
                    options.whole("devices", 1_000, 2, 40_000),
                    options.whole("points", 100, 2, Load.MOST_POINTS),
                    Duration.ofMillis(options.whole("interval-millis", 1_000, 10, 3_600_000))))
            : LOADS;
    this.wanted = List.of(options.text("contenders", "culvert,plc4x,node-red").split(","));
  }

  int run() throws IOException, StreetException {
    Results results = new Results("whole-line", bench.results());
    List<Object> all = new ArrayList<>();
    boolean sound = true;
    for (Load load : loads) {
      List<Contender> contenders = contenders();
      Line line = line(load);
      out.println();
      out.println("Whole line: " + load);
      out.printf(
          "  window %d s after %d s of warm-up, median of %d; machine's load %s%n",
          line.window().toSeconds(), line.warmUp().toSeconds(), runs, Results.load());
      contenders.forEach(c -> out.println("  " + c.name() + ": " + c.description()));
      Map<Contender, List<Line.Run>> measured = new LinkedHashMap<>();
      for (int run = 1; run <= runs; run++) {
        for (Contender contender : List.copyOf(contenders)) {
          sound &= measure(contender, line, load, run, measured, contenders);
        }
        keepFasterForm(contenders, measured);
      }
      out.println();
      out.print(Text.table(table(measured)));
      tell(measured);
      all.add(json(line, load, measured));
    }
    results.put("loads", all);
    out.println();
    out.println("Written to " + results.write());
    return sound ? 0 : 1;
  }

  /** Under a small load the JIT takes longer until it has seen enough. */
  private Line line(Load load) {
    int settled = load.rate() >= BUSY ? 30 : 90;
    return new Line(
        Duration.ofSeconds(warmUp == 0 ? settled : warmUp),
        Duration.ofSeconds(window),
        bench.brokerPort(),
        bench.portBase());
  }

  private List<Contender> contenders() throws StreetException, IOException {
    List<Contender> contenders = new ArrayList<>();
    for (String name : wanted) {
      switch (name) {
        case "culvert" -> contenders.add(new CulvertContender(bench.installation()));
        case "plc4x" -> {
          for (BareLoop.Form form : BareLoop.Form.values()) {
            contenders.add(new Plc4xContender(form));
          }
        }
        case "node-red" -> {
          try {
            contenders.add(NodeRedContender.install(bench.results().resolve("node-red")));
          } catch (NodeRedContender.MissingException e) {
            out.println("  without Node-RED: " + e.getMessage());
          }
        }
        default ->
            throw new StreetException(
                "found --contenders " + name + ", expected some of culvert,plc4x,node-red");
      }
    }
    return contenders;
  }

  private boolean measure(
      Contender contender,
      Line line,
      Load load,
      int number,
      Map<Contender, List<Line.Run>> measured,
      List<Contender> contenders)
      throws IOException, StreetException {
    try (Work work = bench.work()) {
      Line.Run run = line.run(contender, load, work.folder());
      out.printf(
          "  run %d %-12s %9s points/CPU-s, %5.1f %% of the load delivered, CPU-s %.2f"
              + " (simulator %.2f, broker %.2f)%n",
          number,
          contender.name(),
          Text.whole(run.perCpuSecond()),
          run.share() * 100,
          run.contenderCpu(),
          run.simulatorCpu(),
          run.brokerCpu());
      boolean culvert = contender instanceof CulvertContender;
      if (culvert && run.lost() + run.wrong() > 0) {
        out.println("  THE AUDIT DOESN'T HOLD: this run counts for nothing");
        run.findings().forEach(finding -> out.println("    " + finding));
        return false;
      }
      measured.computeIfAbsent(contender, key -> new ArrayList<>()).add(run);
      return true;
    } catch (Line.FailedException e) {
      out.println("  run " + number + " " + contender.name() + " failed: " + e.getMessage());
      contenders.remove(contender);
      return !(contender instanceof CulvertContender);
    } finally {
      out.flush();
    }
  }

  /** Whoever uses PLC4X would take the form of request that costs less. */
  private void keepFasterForm(List<Contender> contenders, Map<Contender, List<Line.Run>> measured) {
    List<Contender> forms =
        contenders.stream()
            .filter(c -> c instanceof Plc4xContender)
            .filter(measured::containsKey)
            .toList();
    if (forms.size() > 1) {
      Contender faster = forms.get(0);
      for (Contender form : forms) {
        if (median(measured.get(form), Line.Run::perCpuSecond)
            > median(measured.get(faster), Line.Run::perCpuSecond)) {
          faster = form;
        }
      }
      Contender kept = faster;
      contenders.removeIf(c -> c instanceof Plc4xContender && c != kept);
    }
  }

  private static double median(List<Line.Run> runs, ToDoubleFunction<Line.Run> figure) {
    return Statistics.median(runs.stream().map(figure::applyAsDouble).toList());
  }

  private static List<List<String>> table(Map<Contender, List<Line.Run>> measured) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "",
            "points/CPU-s",
            "points/s",
            "of load",
            "CPU",
            "RSS",
            "latency p50",
            "p99",
            "in ledger",
            "lost",
            "wrong",
            "runs"));
    measured.forEach(
        (contender, runs) ->
            rows.add(
                List.of(
                    contender.name(),
                    Text.whole(median(runs, Line.Run::perCpuSecond)),
                    Text.whole(median(runs, r -> r.delivered() / r.seconds())),
                    Text.fixed(100 * median(runs, Line.Run::share), 1) + " %",
                    Text.fixed(median(runs, r -> r.contenderCpu() / r.seconds()), 3),
                    Text.mebibytes(median(runs, Line.Run::rssBytes)),
                    Text.whole(median(runs, Line.Run::medianMillis)) + " ms",
                    Text.whole(median(runs, Line.Run::tailMillis)) + " ms",
                    Text.whole(median(runs, Line.Run::explained)),
                    Text.whole(median(runs, Line.Run::lost)),
                    Text.whole(median(runs, Line.Run::wrong)),
                    Integer.toString(runs.size()))));
    return rows;
  }

  private void tell(Map<Contender, List<Line.Run>> measured) {
    measured.forEach(
        (contender, runs) -> {
          if (contender instanceof CulvertContender) {
            double own = median(runs, Line.Run::perCpuSecond);
            measured.forEach(
                (other, others) -> {
                  if (other != contender) {
                    out.printf(
                        "  Culvert delivers %s as many points per CPU-second as %s%n",
                        Text.ratio(Statistics.ratio(own, median(others, Line.Run::perCpuSecond))),
                        other.name());
                  }
                });
            out.printf(
                "  CPU in all: %.2f of this machine's %d (gateway %.2f, simulator %.2f, broker"
                    + " %.2f)%n",
                median(
                    runs, r -> (r.contenderCpu() + r.simulatorCpu() + r.brokerCpu()) / r.seconds()),
                Runtime.getRuntime().availableProcessors(),
                median(runs, r -> r.contenderCpu() / r.seconds()),
                median(runs, r -> r.simulatorCpu() / r.seconds()),
                median(runs, r -> r.brokerCpu() / r.seconds()));
          }
        });
  }

  private static Map<String, Object> json(
      Line line, Load load, Map<Contender, List<Line.Run>> measured) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("devices", load.devices());
    json.put("points", load.points());
    json.put("intervalMillis", load.interval().toMillis());
    json.put("warmUpSeconds", line.warmUp().toSeconds());
    json.put("windowSeconds", line.window().toSeconds());
    List<Object> contenders = new ArrayList<>();
    measured.forEach(
        (contender, runs) -> {
          Map<String, Object> one = new LinkedHashMap<>();
          one.put("name", contender.name());
          one.put("description", contender.description());
          one.put("pointsPerCpuSecond", median(runs, Line.Run::perCpuSecond));
          one.put("runs", runs);
          contenders.add(one);
        });
    json.put("contenders", contenders);
    return json;
  }
}
