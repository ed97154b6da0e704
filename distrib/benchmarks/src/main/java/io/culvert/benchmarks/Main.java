package io.culvert.benchmarks;

import io.culvert.simulator.Options;
import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The benchmarks' command line. */
public final class Main {
  private static final String USAGE =
      """
      Measures the gateway against a baseline in the same run; docs/guides/benchmarks.md tells how.

        whole-line   Modbus to confirmed: points per CPU-second, beside a bare PLC4X loop
                     and Node-RED
        opcua        OPC UA to confirmed: notifications per CPU-second, beside a bare loop on
                     Milo's client
        devices      cost of a device, from 10 to 5,000, beside none
        start        start of the process to first reading, beside JVM and bare Felix
        memory       at 4,000 points/s, beside bare Felix
        micro        the joints of a reading's way by JMH, each beside a trivial baseline
        evil         what evil plug-ins cost healthy devices, beside the same street alone
        buffer       durable append and the drain after an outage, beside a plain file;
                     one point's day

      Options of whole-line
        --devices N --points N --interval-millis N   one load instead of the three
        --warm-up N                 seconds before the first mark (30; 90 below 50,000 points/s)
        --seconds N                 between the marks (30)
        --runs N                    of each, of which the median counts (3)
        --contenders LIST           culvert,plc4x,node-red
      Options of opcua
        --devices N --points N      variables of the server: devices, and points of each (10, 1000)
        --interval-millis N         between two values of each (1000)
        --warm-up N, --seconds N, --runs N               60, 30, 3
        --contenders LIST           culvert,milo
      Options of devices
        --counts LIST, --points N, --interval-millis N   sizes of streets (10,100,1000,5000), 5, 5000
        --warm-up N, --seconds N                         in seconds (60, 60)
      Options of start and memory
        --devices N --points N --interval-millis N
        --runs N                    for start (10)
        --minutes N                 for memory (3)
      Options of micro
        --forks N, --iterations N   of JMH (2, 5)
      Options of evil
        --evil LIST                 as for the demo (all)
        --devices N                 of the demo's street (200)
        --seconds N, --runs N       of each, in turn (60, 3)
      Options of buffer
        --parts LIST                append,drain,query
        --seconds N, --runs N       of an append (3, 5); live readings alone take three times that
        --readings N                to drain (50000000)
        --mqtt-readings N           of these, over a broker (5000000)
        --devices N, --every N      of the day: devices, and seconds between polls (2000, 10)
        --folder FOLDER             on the disk that is measured; that of the results
        --keep FOLDER               where the readings to drain are kept for another run
      Options of all
        --gateway FOLDER            an unpacked distribution
        --results FOLDER            where the result goes as JSON
        --mqtt-port N               of the broker (18930)
        --port-base N               of the first device; as many as devices are needed (27000)
      Exit: 0 measured, 1 a run failed or its audit doesn't hold, 2 can't start.
      """;

  private Main() {}

  /** Runs a benchmark and exits with its status. */
  public static void main(String[] args) {
    // Whatever ends this ends what it started: brokers, gateways and contenders.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly),
                "end-of-children"));
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    int status;
    try {
      status = run(List.of(args), out);
    } catch (StreetException e) {
      e.problems().forEach(System.err::println);
      status = 2;
    } catch (IOException e) {
      System.err.println(e);
      status = 2;
    }
    out.flush();
    System.exit(status);
  }

  static int run(List<String> args, PrintStream out) throws StreetException, IOException {
    String command = args.isEmpty() ? "help" : args.get(0);
    List<String> rest = args.isEmpty() ? args : args.subList(1, args.size());
    Options options;
    switch (command) {
      case "whole-line":
        options = options(rest, WholeLine.OPTIONS);
        return new WholeLine(bench(options, out), options).run();
      case "opcua":
        options = options(rest, OpcUaLine.OPTIONS);
        return new OpcUaLine(bench(options, out), options).run();
      case "devices":
        options = options(rest, DeviceCost.OPTIONS);
        return new DeviceCost(bench(options, out), options).run();
      case "start":
        options = options(rest, StartTime.OPTIONS);
        return new StartTime(bench(options, out), options).run();
      case "memory":
        options = options(rest, Memory.OPTIONS);
        return new Memory(bench(options, out), options).run();
      case "micro":
        options = options(rest, Micro.OPTIONS);
        return new Micro(bench(options, out), options).run();
      case "buffer":
        options = options(rest, BufferSpeed.OPTIONS);
        return new BufferSpeed(bench(options, out), options).run();
      case "evil":
        options = options(rest, EvilCost.OPTIONS);
        return new EvilCost(bench(options, out), options).run();
      case "help", "--help", "-h":
        out.print(USAGE);
        return 0;
      default:
        throw new StreetException(
            "found the benchmark '"
                + command
                + "', expected whole-line, opcua, devices, start, memory, micro, buffer, evil or help");
    }
  }

  private static Options options(List<String> args, List<String> own) throws StreetException {
    List<String> known = new ArrayList<>(own);
    known.addAll(List.of("gateway", "results", "mqtt-port", "port-base"));
    return new Options(args, known, List.of());
  }

  private static Bench bench(Options options, PrintStream out) throws StreetException {
    Bench bench =
        new Bench(
            Path.of(options.required("gateway")),
            Path.of(options.text("results", ".")),
            options.whole("mqtt-port", 18_930, 1, 65_535),
            options.whole("port-base", 27_000, 1, 65_000),
            out);
    bench.check();
    return bench;
  }
}
