package io.culvert.benchmarks;

import io.culvert.benchmarks.milo.BareClient;
import io.culvert.benchmarks.milo.LoadServer;
import io.culvert.simulator.Options;
import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.platform.MosquittoBroker;
import io.culvert.simulator.platform.Platform;
import io.culvert.simulator.platform.Witness;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;

/**
 * From OPC UA to confirmed: notifications per CPU-second of the gateway, beside a bare loop on
 * Eclipse Milo's client and Paho, over the same server and broker. One session with one server; all
 * its variables change at once.
 */
final class OpcUaLine {
  static final List<String> OPTIONS =
      List.of("devices", "points", "interval-millis", "seconds", "warm-up", "runs", "contenders");

  private static final String PROFILE = "load-opcua";
  private static final String GATEWAY = "cabinet-17";

  private final Bench bench;
  private final PrintStream out;
  private final int devices;
  private final int points;
  private final int interval;
  private final int runs;
  private final Duration warmUp;
  private final Duration window;
  private final List<String> contenders;

  OpcUaLine(Bench bench, Options options) throws StreetException {
    this.bench = bench;
    this.out = bench.out();
    this.devices = options.whole("devices", 10, 1, 1_000);
    this.points = options.whole("points", 1_000, 1, 5_000);
    this.interval = options.whole("interval-millis", 1_000, 10, 3_600_000);
    this.runs = options.whole("runs", 3, 1, 100);
    this.warmUp = Duration.ofSeconds(options.whole("warm-up", 60, 1, 3_600));
    this.window = Duration.ofSeconds(options.whole("seconds", 30, 1, 86_400));
    this.contenders = List.of(options.text("contenders", "culvert,milo").split(","));
    for (String name : contenders) {
      if (!name.equals("culvert") && !name.equals("milo")) {
        throw new StreetException("found --contenders " + name + ", expected some of culvert,milo");
      }
    }
  }

  /**
   * What one run gave, all between the marks but the last two.
   *
   * @param lost of the whole run: numbers missing between two that arrived of the same variable
   * @param again of the whole run: readings that had arrived before
   */
  record Run(
      double seconds,
      long delivered,
      double contenderCpu,
      double serverCpu,
      double brokerCpu,
      long rssBytes,
      long medianMillis,
      long tailMillis,
      long lost,
      long again) {
    double perCpuSecond() {
      return Statistics.ratio(delivered, contenderCpu);
    }
  }

  /** What has arrived: of each variable, which numbers. */
  static final class Tally implements Witness {
    private final Map<String, BitSet> seen = new LinkedHashMap<>();
    private final AtomicLong delivered = new AtomicLong();
    private final Ages ages = new Ages();
    private long again;
    private long malformed;

    @Override
    public synchronized void message(List<Entry> entries) {
      long now = System.currentTimeMillis();
      for (Entry entry : entries) {
        if (entry.ofGateway()) {
          continue;
        }
        for (Entry.Item item : entry.items()) {
          if (item.bad() || !(item.value() instanceof Double number)) {
            continue;
          }
          BitSet numbers =
              seen.computeIfAbsent(entry.device() + "/" + item.point(), key -> new BitSet());
          if (numbers.get(number.intValue())) {
            again++;
          } else {
            numbers.set(number.intValue());
            delivered.incrementAndGet();
            ages.add(now - entry.eventMillis(), 1);
          }
        }
      }
    }

    @Override
    public synchronized void malformed(String topic, String why) {
      malformed++;
    }

    /** Numbers missing between the first and the last of each variable. */
    synchronized long lost() {
      return malformed
          + seen.values().stream()
              .mapToLong(
                  numbers -> numbers.length() - numbers.nextSetBit(0) - numbers.cardinality())
              .sum();
    }

    synchronized long again() {
      return again;
    }

    synchronized int variables() {
      return seen.size();
    }
  }

  private record Mark(
      long nanos,
      long delivered,
      ProcessFigures contender,
      ProcessFigures server,
      ProcessFigures broker) {}

  int run() throws IOException, StreetException {
    double rate = devices * points / (interval / 1e3);
    out.printf(
        "OPC UA: %,d variables of one server every %s = %s notifications/s%n",
        devices * points, Text.duration(Duration.ofMillis(interval)), Text.whole(rate));
    out.printf(
        "  window %d s after %d s of warm-up, median of %d; machine's load %s%n",
        window.toSeconds(), warmUp.toSeconds(), runs, Results.load());
    out.println(
        "  Culvert: the shipped archive; readings durable before they are sent, "
            + devices
            + " devices on one session");
    out.println(
        "  Milo: bare loop on Milo's client and Paho MQTT v5, no buffer, no ledger; one"
            + " subscription, one listener");
    Map<String, List<Run>> measured = new LinkedHashMap<>();
    boolean sound = true;
    for (int run = 1; run <= runs; run++) {
      for (String contender : contenders) {
        try (Work work = bench.work()) {
          Run one = measure(contender, work.folder());
          measured.computeIfAbsent(contender, name -> new ArrayList<>()).add(one);
          out.printf(
              "  run %d %-8s %9s notifications/CPU-s, %5.1f %% of the load, CPU-s %.2f (server"
                  + " %.2f, broker %.2f), lost %d, again %d%n",
              run,
              contender,
              Text.whole(one.perCpuSecond()),
              100 * one.delivered() / (rate * one.seconds()),
              one.contenderCpu(),
              one.serverCpu(),
              one.brokerCpu(),
              one.lost(),
              one.again());
          sound &= one.lost() == 0;
        } catch (Line.FailedException e) {
          out.println("  run " + run + " " + contender + " failed: " + e.getMessage());
          sound = false;
        }
        out.flush();
      }
    }
    out.println();
    out.print(Text.table(table(measured)));
    if (measured.size() == 2) {
      out.printf(
          "  Culvert delivers %s as many notifications per CPU-second as the bare loop%n",
          Text.ratio(
              Statistics.ratio(
                  median(measured.get("culvert"), Run::perCpuSecond),
                  median(measured.get("milo"), Run::perCpuSecond))));
    }
    Results results = new Results("opcua", bench.results());
    results.put("devices", devices);
    results.put("points", points);
    results.put("intervalMillis", interval);
    results.put("runs", measured);
    out.println();
    out.println("Written to " + results.write());
    return sound ? 0 : 1;
  }

  private static double median(List<Run> runs, ToDoubleFunction<Run> figure) {
    return Statistics.median(runs.stream().map(figure::applyAsDouble).toList());
  }

  private static List<List<String>> table(Map<String, List<Run>> measured) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "", "notif./CPU-s", "notif./s", "CPU", "RSS", "latency p50", "p99", "lost", "runs"));
    measured.forEach(
        (name, runs) ->
            rows.add(
                List.of(
                    name,
                    Text.whole(median(runs, Run::perCpuSecond)),
                    Text.whole(median(runs, r -> r.delivered() / r.seconds())),
                    Text.fixed(median(runs, r -> r.contenderCpu() / r.seconds()), 3),
                    Text.mebibytes(median(runs, Run::rssBytes)),
                    Text.whole(median(runs, Run::medianMillis)) + " ms",
                    Text.whole(median(runs, Run::tailMillis)) + " ms",
                    Text.whole(median(runs, Run::lost)),
                    Integer.toString(runs.size()))));
    return rows;
  }

  private Run measure(String contender, Path work)
      throws IOException, StreetException, Line.FailedException {
    Tally tally = new Tally();
    Platform platform = new Platform(tally, Clock.systemUTC());
    int serverPort = bench.portBase();
    try (Child server =
            child(
                work.resolve("server"),
                "-Xmx1g",
                LoadServer.class,
                serverPort,
                devices,
                points,
                interval);
        MosquittoBroker broker =
            new MosquittoBroker(bench.brokerPort(), work.resolve("mosquitto"), platform)) {
      broker.start();
      Line.await("the server", server, () -> said(server, "ready"));
      try (Contender.Running running = start(contender, serverPort, work.resolve("contender"))) {
        Line.await("every variable", running, () -> tally.variables() == devices * points);
        Line.pause(warmUp, running);
        tally.ages.clear();
        Mark from = mark(tally, running, server, broker);
        Line.pause(window, running);
        Mark to = mark(tally, running, server, broker);
        return new Run(
            (to.nanos - from.nanos) / 1e9,
            to.delivered - from.delivered,
            to.contender.cpuSeconds() - from.contender.cpuSeconds(),
            to.server.cpuSeconds() - from.server.cpuSeconds(),
            to.broker.cpuSeconds() - from.broker.cpuSeconds(),
            to.contender.rssBytes(),
            tally.ages.quantile(0.5),
            tally.ages.quantile(0.99),
            tally.lost(),
            tally.again());
      }
    }
  }

  private static boolean said(Child child, String word) {
    try {
      return Files.readString(child.log()).contains(word);
    } catch (IOException e) {
      return false;
    }
  }

  private static Mark mark(
      Tally tally, Contender.Running running, Child server, MosquittoBroker broker) {
    return new Mark(
        System.nanoTime(),
        tally.delivered.get(),
        ProcessFigures.of(running.processes()),
        ProcessFigures.of(server.processes()),
        ProcessFigures.of(List.of(broker.process())));
  }

  private static Child child(Path work, String heap, Class<?> main, int... args)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(Child.java(), heap));
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Dfile.encoding=UTF-8"));
    command.addAll(List.of("-cp", Child.classPath(), main.getName()));
    for (int arg : args) {
      command.add(Integer.toString(arg));
    }
    return new Child(command, Map.of("MALLOC_ARENA_MAX", "2"), work);
  }

  private Contender.Running start(String contender, int serverPort, Path work)
      throws IOException, StreetException {
    if (contender.equals("milo")) {
      return child(
          work, "-Xmx512m", BareClient.class, serverPort, devices, points, bench.brokerPort());
    }
    return new CulvertContender(bench.installation())
        .start(
            work,
            site(serverPort),
            home -> {
              Path profiles = Files.createDirectories(home.resolve("etc/profiles"));
              Files.writeString(profiles.resolve(PROFILE + ".yaml"), profile());
            });
  }

  private String profile() {
    StringBuilder text = new StringBuilder();
    text.append("schema: culvert-profile/1\nid: " + PROFILE + "\ntitle: {en: Load}\n");
    text.append("scheme: opc.tcp\ninterval: 1s\npoints:\n");
    for (int p = 1; p <= points; p++) {
      String id = LoadServer.point(p);
      text.append("  - {id: ").append(id).append(", title: {en: ").append(id);
      text.append("}, address: ./").append(id);
      text.append(", type: float64, unit: mV, range: [0, 1000000000]}\n");
    }
    return text.toString();
  }

  private String site(int serverPort) {
    StringBuilder text = new StringBuilder();
    text.append(
        "{\"gateway\": {\"id\": \"" + GATEWAY + "\"},\n \"platforms\": [{\"id\": \"city\",");
    text.append(" \"url\": \"mqtt://127.0.0.1:").append(bench.brokerPort());
    text.append("\", \"dialect\": \"iotda\", \"clientId\": \"" + GATEWAY + "\"}],\n");
    text.append(" \"devices\": [");
    for (int d = 1; d <= devices; d++) {
      String id = LoadServer.device(d);
      text.append(d == 1 ? "\n" : ",\n").append("  {\"id\": \"").append(id);
      text.append("\", \"profile\": \"" + PROFILE + "\", \"endpoint\": \"opc.tcp://127.0.0.1:");
      text.append(serverPort).append("\", \"settings\": {\"security\": \"none\", \"sampling\": ");
      text.append("\"0ms\", \"publishing\": \"500ms\", \"queue\": \"10\", \"root\": \"nsu=");
      text.append(LoadServer.NAMESPACE).append(";s=").append(id).append("\"}}");
    }
    return text.append("\n ]}\n").toString();
  }
}
