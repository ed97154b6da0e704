package io.culvert.benchmarks;

import io.culvert.simulator.Options;
import io.culvert.simulator.Session;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory of the gateway at a steady load, beside that of the framework without Culvert's bundles.
 * What the kernel says comes from an undisturbed run; what the JVM says of itself from a second one
 * with native memory tracking on, which costs some memory of its own.
 */
final class Memory {
  static final List<String> OPTIONS = List.of("devices", "points", "interval-millis", "minutes");

  private static final long GOAL = 128L << 20;
  private static final String TRACKING = "-XX:NativeMemoryTracking=summary";
  private static final Pattern CATEGORY =
      Pattern.compile("-\\s+(.+?) \\(reserved=\\d+KB, committed=(\\d+)KB\\)");

  private final Bench bench;
  private final PrintStream out;
  private final Load load;
  private final Duration time;

  /** What a process was found to have. */
  private record Found(ProcessFigures figures, Map<String, Long> committed, long heapUsed) {}

  Memory(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.time = Duration.ofMinutes(options.whole("minutes", 3, 1, 10_000));
    this.load =
        new Load(
            options.whole("devices", 40, 2, 40_000),
            options.whole("points", 100, 2, Load.MOST_POINTS),
            Duration.ofMillis(options.whole("interval-millis", 1_000, 10, 3_600_000)));
  }

  int run() throws IOException, StreetException {
    out.println("Memory after " + time.toMinutes() + " min: " + load);
    out.printf("  machine's load %s%n", Results.load());
    out.flush();
    Found bare;
    Found bareInside;
    Found loaded;
    Found loadedInside;
    try {
      bare = bare("");
      bareInside = bare(TRACKING);
      loaded = loaded("");
      loadedInside = loaded(TRACKING);
    } catch (Line.FailedException e) {
      out.println("  failed: " + e.getMessage());
      return 1;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("", "Culvert", "bare Felix", "ratio"));
    row(rows, "resident (RSS)", loaded.figures.rssBytes(), bare.figures.rssBytes());
    row(rows, "of it its own (PSS)", loaded.figures.pssBytes(), bare.figures.pssBytes());
    row(rows, "heap in use after a collection", loadedInside.heapUsed, bareInside.heapUsed);
    loadedInside.committed.forEach(
        (name, bytes) ->
            row(rows, "committed: " + name, bytes, bareInside.committed.getOrDefault(name, 0L)));
    out.println();
    out.print(Text.table(rows));
    out.printf(
        "  %s resident is %s the aim of %s%n",
        Text.mebibytes(loaded.figures.rssBytes()),
        loaded.figures.rssBytes() <= GOAL ? "within" : "ABOVE",
        Text.mebibytes(GOAL));
    Results results = new Results("memory", bench.results());
    results.put("load", load.toString());
    results.put("minutes", time.toMinutes());
    results.put("culvert", loaded);
    results.put("culvertTracked", loadedInside);
    results.put("bareFelix", bare);
    results.put("bareFelixTracked", bareInside);
    out.println();
    out.println("Written to " + results.write());
    return 0;
  }

  private static void row(List<List<String>> rows, String name, long culvert, long bare) {
    rows.add(
        List.of(
            name,
            Text.mebibytes(culvert),
            Text.mebibytes(bare),
            Text.ratio(Statistics.ratio(culvert, bare))));
  }

  private Found bare(String options) throws IOException, StreetException, Line.FailedException {
    try (Work work = bench.work();
        CulvertContender.Run run =
            new CulvertContender(bench.installation(), options).startBare(work.folder())) {
      Line.await("readiness", run, run::ready);
      Line.pause(Duration.ofSeconds(30), run);
      return look(run, !options.isEmpty());
    }
  }

  private Found loaded(String options) throws IOException, StreetException, Line.FailedException {
    try (Work work = bench.work()) {
      Path folder = work.folder();
      Street street = load.street(folder, bench.portBase());
      try (Session session =
              new Session(
                  street,
                  "mosquitto",
                  bench.brokerPort(),
                  folder,
                  Clock.systemUTC(),
                  entries -> {});
          CulvertContender.Run run =
              new CulvertContender(bench.installation(), options)
                  .start(load, street, bench.brokerPort(), folder.resolve("contender"))) {
        Line.await("the first reading", run, () -> session.platform().firstReadingAt() != 0);
        Line.pause(time, run);
        return look(run, !options.isEmpty());
      }
    }
  }

  private static Found look(CulvertContender.Run run, boolean inside) throws IOException {
    ProcessFigures figures = ProcessFigures.of(run.processes());
    if (!inside) {
      return new Found(figures, Map.of(), -1);
    }
    Map<String, Long> committed = committed(jcmd(run, "VM.native_memory", "summary"));
    jcmd(run, "GC.run");
    return new Found(figures, committed, heapUsed(jcmd(run, "GC.heap_info")));
  }

  /** Committed bytes by category from what {@code jcmd VM.native_memory summary} prints. */
  static Map<String, Long> committed(String summary) {
    Map<String, Long> committed = new LinkedHashMap<>();
    Matcher matcher = CATEGORY.matcher(summary);
    while (matcher.find()) {
      long bytes = Long.parseLong(matcher.group(2)) * 1024;
      if (bytes >= 1 << 18) {
        committed.put(matcher.group(1).toLowerCase(Locale.ROOT), bytes);
      }
    }
    return committed;
  }

  /** Bytes in use in the generations from what {@code jcmd GC.heap_info} prints, −1 if none. */
  static long heapUsed(String info) {
    long used = -1;
    Matcher matcher =
        Pattern.compile("(?:generation|heap) +total \\d+K, used (\\d+)K").matcher(info);
    while (matcher.find()) {
      used = Math.max(0, used) + Long.parseLong(matcher.group(1)) * 1024;
    }
    return used;
  }

  private static String jcmd(CulvertContender.Run run, String... command) throws IOException {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString());
    words.add(Long.toString(run.processes().get(run.processes().size() - 1).pid()));
    words.addAll(List.of(command));
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
