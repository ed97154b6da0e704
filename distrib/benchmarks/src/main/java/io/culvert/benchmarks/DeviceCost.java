package io.culvert.benchmarks;

import io.culvert.simulator.Options;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a device costs, from few to many: processor time and memory of the gateway with streets of
 * growing size, each device with few points, a slow poll and a connection of its own. The baseline
 * is the same gateway without a device.
 */
final class DeviceCost {
  static final List<String> OPTIONS =
      List.of("counts", "points", "interval-millis", "seconds", "warm-up");

  /** What a site of the greatest size shall fit in. */
  private static final long ROOM = 256L << 20;

  private final Bench bench;
  private final PrintStream out;
  private final Line line;
  private final int points;
  private final Duration interval;
  private final List<Integer> counts = new ArrayList<>();

  /** A size of street and what the gateway needed for it. */
  private record Size(int devices, Line.Run run, double cpuPerSecond, long rssBytes) {}

  DeviceCost(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.line =
        new Line(
            Duration.ofSeconds(options.whole("warm-up", 60, 1, 3_600)),
            Duration.ofSeconds(options.whole("seconds", 60, 1, 86_400)),
            bench.brokerPort(),
            bench.portBase());
    this.points = options.whole("points", 5, 2, Load.MOST_POINTS);
    this.interval = Duration.ofMillis(options.whole("interval-millis", 5_000, 10, 3_600_000));
    for (String count : options.text("counts", "10,100,1000,5000").split(",")) {
      try {
        counts.add(Integer.parseInt(count));
      } catch (NumberFormatException e) {
        throw new StreetException("found --counts with " + count + ", expected whole numbers");
      }
    }
  }

  int run() throws IOException, StreetException {
    out.println(
        "Cost of a device: each with " + points + " points every " + Text.duration(interval));
    out.printf(
        "  window %d s after %d s of warm-up; machine's load %s%n",
        line.window().toSeconds(), line.warmUp().toSeconds(), Results.load());
    List<Size> sizes = new ArrayList<>();
    boolean sound = true;
    try {
      sizes.add(empty());
      for (int devices : counts) {
        try (Work work = bench.work()) {
          Load load = new Load(devices, points, interval);
          Line.Run run = line.run(new CulvertContender(bench.installation()), load, work.folder());
          sizes.add(new Size(devices, run, run.contenderCpu() / run.seconds(), run.rssBytes()));
          out.println("  measured " + load);
          out.flush();
          if (run.lost() + run.wrong() > 0) {
            sound = false;
            run.findings().forEach(finding -> out.println("    audit: " + finding));
          }
        }
      }
    } catch (Line.FailedException e) {
      out.println("  failed: " + e.getMessage());
      sound = false;
    }
    out.println();
    out.print(Text.table(table(sizes)));
    Size last = sizes.get(sizes.size() - 1);
    out.printf(
        "  %,d devices %s in %s: %s resident%n",
        last.devices(),
        last.rssBytes() <= ROOM ? "fit" : "DON'T FIT",
        Text.mebibytes(ROOM),
        Text.mebibytes(last.rssBytes()));
    Results results = new Results("devices", bench.results());
    results.put("points", points);
    results.put("intervalMillis", interval.toMillis());
    List<Object> json = new ArrayList<>();
    for (Size size : sizes) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("devices", size.devices());
      one.put("cpu", size.cpuPerSecond());
      one.put("rssBytes", size.rssBytes());
      one.put("run", size.run());
      json.add(one);
    }
    results.put("sizes", json);
    out.println();
    out.println("Written to " + results.write());
    return sound ? 0 : 1;
  }

  private Size empty() throws IOException, StreetException, Line.FailedException {
    try (Work work = bench.work();
        CulvertContender.Run run =
            new CulvertContender(bench.installation()).startEmpty(work.folder())) {
      Line.await("readiness", run, run::ready);
      Line.pause(line.warmUp(), run);
      ProcessFigures from = ProcessFigures.of(run.processes());
      Line.pause(line.window(), run);
      ProcessFigures to = ProcessFigures.of(run.processes());
      out.println("  measured the gateway without devices");
      out.flush();
      return new Size(
          0,
          null,
          (to.cpuSeconds() - from.cpuSeconds()) / line.window().toSeconds(),
          to.rssBytes());
    }
  }

  private static List<List<String>> table(List<Size> sizes) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "devices",
            "points/s",
            "of load",
            "CPU",
            "CPU-s per 1,000 points",
            "RSS",
            "of none",
            "RSS a device",
            "p99",
            "lost",
            "wrong"));
    Size none = sizes.get(0);
    for (Size size : sizes) {
      Line.Run run = size.run();
      rows.add(
          run == null
              ? List.of(
                  "none",
                  "0",
                  "–",
                  Text.fixed(size.cpuPerSecond(), 4),
                  "–",
                  Text.mebibytes(size.rssBytes()),
                  "1×",
                  "–",
                  "–",
                  "–",
                  "–")
              : List.of(
                  Text.whole(size.devices()),
                  Text.whole(run.delivered() / run.seconds()),
                  Text.fixed(100 * run.share(), 1) + " %",
                  Text.fixed(size.cpuPerSecond(), 4),
                  Text.fixed(1_000 * Statistics.ratio(run.contenderCpu(), run.delivered()), 4),
                  Text.mebibytes(size.rssBytes()),
                  Text.ratio(Statistics.ratio(size.rssBytes(), none.rssBytes())),
                  Text.fixed((size.rssBytes() - none.rssBytes()) / 1024.0 / size.devices(), 1)
                      + " KiB",
                  Text.whole(run.tailMillis()) + " ms",
                  Text.whole(run.lost()),
                  Text.whole(run.wrong())));
    }
    return rows;
  }
}
