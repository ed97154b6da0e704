package io.culvert.benchmarks;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.culvert.buffer.AppendRun;
import io.culvert.buffer.BufferRun;
import io.culvert.buffer.DayQuery;
import io.culvert.buffer.DrainRun;
import io.culvert.buffer.FillRun;
import io.culvert.buffer.RawRun;
import io.culvert.buffer.Receiver;
import io.culvert.simulator.Options;
import io.culvert.simulator.platform.MosquittoBroker;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * The buffer alone: durable append and the drain of what an outage has left, beside a plain file;
 * one point's day, beside unpacking all. Each part runs in a process with the gateway's own options
 * of the JVM.
 */
final class BufferSpeed {
  static final List<String> OPTIONS =
      List.of(
          "parts",
          "folder",
          "keep",
          "seconds",
          "runs",
          "readings",
          "mqtt-readings",
          "every",
          "devices");

  private static final List<AppendRun.Case> CASES =
      List.of(
          new AppendRun.Case(1, 1),
          new AppendRun.Case(100, 1),
          new AppendRun.Case(1_000, 1),
          new AppendRun.Case(100, 8));

  private static final int HOURS = 24;
  private static final double GOAL_MILLIS = 200;
  private static final int LIVE_RATE = 4_000;
  private static final double GOAL = 20;

  /** As many readings a second as no bound allows. */
  private static final int UNBOUNDED = 10_000_000;

  /** Of the baseline of a drain: enough to settle. */
  private static final int MOST_RAW = 5_000_000;

  private static final int RECEIVER_SECONDS = 60;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Bench bench;
  private final PrintStream out;
  private final Path folder;
  private final Path kept;
  private final List<String> parts;
  private final int seconds;
  private final int runs;
  private final int readings;
  private final int mqttReadings;
  private final int every;
  private final int devices;

  /**
   * A drain.
   *
   * @param name for people
   * @param historyPerSecond 0 for the default
   */
  private record Drain(String name, int wanted, int historyPerSecond, boolean mqtt) {}

  /** A drain with what came of it. */
  private record Drained(String name, DrainRun.Result sent, DrainRun.Received received) {
    double rate() {
      return sent.drained() / sent.seconds();
    }

    /** What isn't as it should be; {@code ""} if all is. */
    String fault(int owed) {
      StringBuilder fault = new StringBuilder();
      say(fault, received.twice(), "came twice");
      say(fault, received.disordered(), "times out of order");
      say(fault, received.missing(), "left out");
      say(fault, Math.max(0, sent.drained() - received.backlog()), "confirmed but not received");
      say(fault, sent.unconfirmed(), "sent in vain");
      say(fault, sent.liveFailed(), "live ones not stored");
      if (sent.drained() == owed) {
        say(fault, Math.max(0, sent.live() - received.live()), "live ones not received");
      }
      return fault.toString();
    }

    private static void say(StringBuilder fault, long count, String what) {
      if (count > 0) {
        fault.append(fault.isEmpty() ? "" : ", ").append(count).append(' ').append(what);
      }
    }
  }

  BufferSpeed(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.parts = List.of(options.text("parts", "append,drain,query").split(","));
    for (String part : parts) {
      if (!List.of("append", "drain", "query").contains(part)) {
        throw new StreetException(
            "found --parts " + part + ", expected some of append,drain,query");
      }
    }
    this.seconds = options.whole("seconds", 3, 1, 3_600);
    this.runs = options.whole("runs", 5, 1, 100);
    this.readings = options.whole("readings", 50_000_000, 10_000, 1_000_000_000);
    this.mqttReadings = Math.min(readings, options.whole("mqtt-readings", 5_000_000, 1, readings));
    this.every = options.whole("every", 10, 1, 3_600);
    this.devices = options.whole("devices", 2_000, 1, 100_000);
    this.kept = options.has("keep") ? Path.of(options.text("keep", "")).toAbsolutePath() : null;
    this.folder = Path.of(options.text("folder", bench.results().toString())).toAbsolutePath();
  }

  int run() throws IOException, StreetException {
    Results results = new Results("buffer", bench.results());
    Files.createDirectories(folder);
    String disk = Files.getFileStore(folder).toString() + ", " + Files.getFileStore(folder).type();
    results.put("disk", disk);
    out.println("Buffer, beside a plain file on the same disk: " + disk);
    out.printf("  JVM options of the gateway; machine's load %s%n", Results.load());
    boolean sound = true;
    // Not where temporary files go: that is often memory.
    Path work = Files.createTempDirectory(folder, "buffer-");
    try (Work used = new Work(work)) {
      if (parts.contains("append")) {
        append(used.folder(), results);
      }
      if (parts.contains("drain")) {
        sound = drain(used.folder(), results);
      }
      if (parts.contains("query")) {
        query(used.folder(), results);
      }
    } catch (Line.FailedException e) {
      out.println("  failed: " + e.getMessage());
      sound = false;
    }
    out.println();
    out.println("Written to " + results.write());
    return sound ? 0 : 1;
  }

  private void append(Path work, Results results) throws IOException, Line.FailedException {
    out.println();
    out.printf(
        "Durable append: a sync a batch, %d s each, median of %d in turn with the plain file%n",
        seconds, runs);
    out.flush();
    List<AppendRun.Phase> phases =
        JSON.convertValue(
            child("append", new AppendRun.Order(data(work), seconds, runs, CASES), work),
            new TypeReference<>() {});
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "readings a batch",
            "speed",
            "bytes",
            "Culvert/s",
            "least",
            "most",
            "plain/s",
            "least",
            "most",
            "Culvert B",
            "plain B"));
    List<Object> json = new ArrayList<>();
    for (AppendRun.Case each : CASES) {
      List<AppendRun.Phase> own = of(phases, each, false);
      List<AppendRun.Phase> raw = of(phases, each, true);
      List<Double> speed = all(own, p -> p.readings() / p.seconds());
      List<Double> rawSpeed = all(raw, p -> p.readings() / p.seconds());
      double bytes = Statistics.median(all(own, BufferSpeed::bytesAReading));
      double rawBytes = Statistics.median(all(raw, BufferSpeed::bytesAReading));
      double ratio = Statistics.ratio(Statistics.median(speed), Statistics.median(rawSpeed));
      rows.add(
          List.of(
              each.callers() == 1
                  ? Text.whole(each.batch())
                  : each.callers() + " callers × " + each.batch(),
              Text.ratio(ratio),
              Text.ratio(Statistics.ratio(bytes, rawBytes)),
              Text.whole(Statistics.median(speed)),
              Text.whole(speed.stream().min(Double::compare).orElseThrow()),
              Text.whole(speed.stream().max(Double::compare).orElseThrow()),
              Text.whole(Statistics.median(rawSpeed)),
              Text.whole(rawSpeed.stream().min(Double::compare).orElseThrow()),
              Text.whole(rawSpeed.stream().max(Double::compare).orElseThrow()),
              Text.fixed(bytes, 1),
              Text.fixed(rawBytes, 1)));
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("batch", each.batch());
      one.put("callers", each.callers());
      one.put("speedRatio", ratio);
      one.put("bytesRatio", Statistics.ratio(bytes, rawBytes));
      one.put("readingsPerSecond", speed);
      one.put("plainReadingsPerSecond", rawSpeed);
      one.put("bytesPerReading", bytes);
      one.put("plainBytesPerReading", rawBytes);
      json.add(one);
    }
    out.print(Text.table(rows));
    out.println("  bytes are what the kernel wrote to storage for a reading, sealing included");
    results.put("append", json);
  }

  private static double bytesAReading(AppendRun.Phase phase) {
    return Statistics.ratio(phase.bytesWritten(), phase.allReadings());
  }

  private static List<AppendRun.Phase> of(
      List<AppendRun.Phase> phases, AppendRun.Case each, boolean raw) {
    return phases.stream().filter(p -> p.of().equals(each) && p.raw() == raw).toList();
  }

  private static List<Double> all(
      List<AppendRun.Phase> phases, ToDoubleFunction<AppendRun.Phase> figure) {
    return phases.stream().map(figure::applyAsDouble).toList();
  }

  private boolean drain(Path work, Results results)
      throws IOException, StreetException, Line.FailedException {
    out.println();
    out.printf(
        "Drain of %,d readings beside %,d live ones a second%n", (long) readings, (long) LIVE_RATE);
    out.flush();
    Path filled = filled(work, results);
    RawRun.Result raw =
        JSON.convertValue(
            child(
                "raw",
                new RawRun.Order(work.resolve("plain").toString(), Math.min(readings, MOST_RAW)),
                work),
            RawRun.Result.class);
    results.put("plainFile", raw);
    double rawRate = raw.readings() / raw.readSeconds();
    out.printf(
        "  plain file: written at %s readings/s, %.1f B a reading on disk; read at %s readings/s%n",
        Text.whole(raw.readings() / raw.appendSeconds()),
        (double) raw.bytes() / raw.readings(),
        Text.whole(rawRate));
    List<Drained> drained = new ArrayList<>();
    for (Drain each :
        List.of(
            new Drain("in process", readings, 0, false),
            new Drain("in process, unbounded", readings, UNBOUNDED, false),
            new Drain("MQTT", mqttReadings, 0, true),
            new Drain("MQTT, unbounded", mqttReadings, UNBOUNDED, true))) {
      drained.add(drain(each, filled, work));
      out.printf(
          "  %s: %,d readings in %.1f s; machine's load %s%n",
          each.name(),
          drained.get(drained.size() - 1).sent().drained(),
          drained.get(drained.size() - 1).sent().seconds(),
          Results.load());
      out.flush();
    }
    results.put("drains", drained);
    out.println();
    return tell(drained, rawRate);
  }

  private boolean tell(List<Drained> drained, double rawRate) {
    List<List<String>> speed = new ArrayList<>();
    speed.add(
        List.of(
            "drain",
            "of real time",
            "of plain read",
            "readings/s",
            "slowest second",
            "live median",
            "p99",
            "alone median",
            "p99"));
    List<List<String>> memory = new ArrayList<>();
    memory.add(
        List.of("memory", "begin", "a quarter", "most", "end", "heap after GC, begin", "end"));
    boolean sound = true;
    for (Drained each : drained) {
      DrainRun.Result sent = each.sent();
      DrainRun.Received received = each.received();
      speed.add(
          List.of(
              each.name(),
              Text.ratio(each.rate() / LIVE_RATE),
              Text.ratio(Statistics.ratio(each.rate(), rawRate)),
              Text.whole(each.rate()),
              Text.whole(sent.slowest()),
              received.delays().median() + " ms",
              received.delays().tail() + " ms",
              received.alone().median() + " ms",
              received.alone().tail() + " ms"));
      memory.add(
          List.of(
              each.name(),
              Text.mebibytes(sent.rssBegin()),
              Text.mebibytes(sent.rssQuarter()),
              Text.mebibytes(sent.rssMost()),
              Text.mebibytes(sent.rssEnd()),
              Text.mebibytes(sent.heapBegin()),
              Text.mebibytes(sent.heapEnd())));
      String fault = each.fault(readings);
      if (!fault.isEmpty()) {
        out.println("  NOT EXACTLY ONCE AND IN ORDER, " + each.name() + ": " + fault);
        sound = false;
      }
    }
    out.print(Text.table(speed));
    out.println();
    out.print(Text.table(memory));
    out.printf(
        "  with the defaults it drains at %.1f times real time, %s the aim of %.0f%n",
        drained.get(0).rate() / LIVE_RATE,
        drained.get(0).rate() >= GOAL * LIVE_RATE ? "above" : "BELOW",
        GOAL);
    if (sound) {
      out.println("  every reading came once and in order, the live ones too");
    }
    return sound;
  }

  /** A folder with the readings: the one that is kept if it has as many, else a new one. */
  private Path filled(Path work, Results results) throws IOException, Line.FailedException {
    Path filled = kept == null ? work.resolve("filled") : kept.resolve("filled-" + readings);
    Path note = filled.resolveSibling(filled.getFileName() + ".json");
    FillRun.Result fill;
    if (Files.exists(note)) {
      fill = JSON.readValue(note.toFile(), FillRun.Result.class);
      out.println("  filled before, in " + filled);
    } else {
      Files.createDirectories(filled.getParent());
      fill =
          JSON.convertValue(
              child(
                  "fill",
                  new FillRun.Order(filled.toString(), readings, System.currentTimeMillis()),
                  work),
              FillRun.Result.class);
      JSON.writeValue(note.toFile(), fill);
    }
    results.put("fill", fill);
    out.printf(
        "  filled in %.0f s: %s readings/s in commits of 1,000, %.1f B a reading written,"
            + " %.1f on disk%n",
        fill.seconds(),
        Text.whole(fill.readings() / fill.seconds()),
        (double) fill.bytesWritten() / fill.readings(),
        (double) fill.bytes() / fill.readings());
    out.flush();
    return filled;
  }

  private Drained drain(Drain each, Path filled, Path work)
      throws IOException, StreetException, Line.FailedException {
    Path copy = work.resolve("drained");
    long now = System.currentTimeMillis();
    try (Work used = new Work(Files.createDirectory(copy))) {
      try (Stream<Path> files = Files.list(filled)) {
        for (Path file : files.toList()) {
          Files.copy(file, copy.resolve(file.getFileName()));
        }
      }
      Path mark = work.resolve("alone");
      Files.deleteIfExists(mark);
      DrainRun.Order order =
          new DrainRun.Order(
              used.folder().toString(),
              readings,
              each.wanted(),
              each.historyPerSecond(),
              each.mqtt() ? bench.brokerPort() : 0,
              now,
              3 * seconds,
              mark.toString());
      if (!each.mqtt()) {
        DrainRun.Result result =
            JSON.convertValue(child("drain", order, work), DrainRun.Result.class);
        return new Drained(each.name(), result, result.received());
      }
      return overMqtt(each, order, mark, work);
    }
  }

  private Drained overMqtt(Drain each, DrainRun.Order order, Path mark, Path work)
      throws IOException, StreetException, Line.FailedException {
    Receiver receiver = new Receiver(readings / 200, order.liveSince(), BufferRun.GATEWAY);
    List<IOException> unreadable = new ArrayList<>();
    DrainRun.Delays[] beside = {null};
    try (MosquittoBroker broker =
        new MosquittoBroker(
            bench.brokerPort(),
            Files.createTempDirectory(work, "broker"),
            (topic, payload) -> {
              try {
                receiver.message(payload, System.currentTimeMillis());
              } catch (IOException e) {
                unreadable.add(e);
              }
            })) {
      broker.start();
      DrainRun.Result result =
          JSON.convertValue(
              child(
                  "drain",
                  order,
                  work,
                  () -> {
                    if (beside[0] == null && Files.exists(mark)) {
                      beside[0] = DrainRun.Delays.of(receiver);
                      receiver.ages().clear();
                    }
                  }),
              DrainRun.Result.class);
      long end = System.nanoTime() + RECEIVER_SECONDS * 1_000_000_000L;
      while (receiver.backlog() < result.drained() && System.nanoTime() < end) {
        LockSupport.parkNanos(10_000_000);
      }
      if (!unreadable.isEmpty()) {
        throw new IOException("A message can't be read", unreadable.get(0));
      }
      return new Drained(each.name(), result, DrainRun.Received.of(receiver, beside[0]));
    }
  }

  private void query(Path work, Results results) throws IOException, Line.FailedException {
    out.println();
    out.printf("One point's day among %,d devices, polled each %d s%n", devices, every);
    out.flush();
    Path filled = kept == null ? work.resolve("day") : kept.resolve("day-" + devices + "-" + every);
    BufferRun.Query order = new BufferRun.Query(filled.toString(), HOURS, every, devices);
    DayQuery.Result found = JSON.convertValue(child("query", order, work), DayQuery.Result.class);
    results.put("query", found);
    out.print(
        Text.table(
            List.of(
                List.of("asked for", "", "faster than unpacking"),
                List.of(
                    "an hour, each reading",
                    millis(found.hour()),
                    Text.ratio(Statistics.ratio(found.naiveHour(), found.hour()))),
                List.of("the same by unpacking rows", millis(found.naiveHour()), ""),
                List.of("the day, each reading", millis(found.raw()), ""),
                List.of("the day, the first time", millis(found.firstRaw()), ""),
                List.of("the day, by minutes", millis(found.windows()), ""),
                List.of("the last reading", millis(found.last()), ""),
                List.of("the last reading of each device", millis(found.lastAll()), ""))));
    out.printf(
        "  %,d of %,d readings found; a day takes %s, %s the aim of %.0f ms%n",
        found.found(),
        found.readings(),
        millis(found.raw()),
        found.raw() <= GOAL_MILLIS ? "within" : "ABOVE",
        GOAL_MILLIS);
    out.printf(
        "  a reading takes %.1f B in rows and %.1f B in series, and %.0f ns to get there%n",
        found.bytes(), found.seriesBytes(), found.seriesNanos());
  }

  private static String millis(double millis) {
    return Text.fixed(millis, 1) + " ms";
  }

  private static String data(Path work) {
    return work.resolve("data").toString();
  }

  private Object child(String what, Object order, Path work)
      throws IOException, Line.FailedException {
    return child(what, order, work, () -> {});
  }

  /**
   * Runs a part in a process of its own.
   *
   * @param meanwhile called ten times a second
   */
  private Object child(String what, Object order, Path work, Runnable meanwhile)
      throws IOException, Line.FailedException {
    Path result = Files.createTempFile(work, what, ".json");
    List<String> command = new ArrayList<>();
    command.add(Child.java());
    command.addAll(jvmOptions());
    command.addAll(List.of("-cp", Child.classPath(), BufferRun.class.getName()));
    command.addAll(List.of(what, JSON.writeValueAsString(order), result.toString()));
    try (Child child = new Child(command, Map.of(), work.resolve(what))) {
      Line.awaitEnd(child, meanwhile);
      if (Files.size(result) == 0) {
        throw new Line.FailedException(what + " ended without a result" + Line.lastWords(child));
      }
    }
    return JSON.readValue(result.toFile(), Object.class);
  }

  /** The gateway's own, as its start script takes them. */
  private List<String> jvmOptions() throws IOException {
    List<String> lines =
        new ArrayList<>(Files.readAllLines(bench.installation().resolve("etc/jvm.options")));
    lines.add(System.getenv().getOrDefault("CULVERT_JAVA_OPTS", ""));
    return lines.stream()
        .map(line -> line.replaceAll("\\s*#.*", ""))
        .flatMap(line -> Stream.of(line.trim().split("\\s+")))
        .filter(word -> !word.isEmpty())
        .toList();
  }
}
