package io.culvert.simulator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the gateway takes of the machine, by {@code /proc} (see proc(5)): looked at now and then,
 * the most of it kept. One thread.
 */
final class Usage {
  private static final long BETWEEN_MILLIS = 500;
  private static final long TICK_MILLIS = 10;
  private static final int UTIME = 14;
  private static final int STIME = 15;
  private static final int CUTIME = 16;
  private static final int CSTIME = 17;

  private final Gateway gateway;
  private long lookedAt;
  private long threads = -1;
  private long residentKib = -1;
  private long hosts;
  private long hostsKib;
  private long cpu;
  private long hostsCpu;

  Usage(Gateway gateway) {
    this.gateway = gateway;
  }

  /** Looks, if the last look was some time ago. */
  void look(long now) {
    if (now - lookedAt < BETWEEN_MILLIS) {
      return;
    }
    lookedAt = now;
    List<ProcessHandle> children = gateway.children();
    Look own = of(gateway.pid());
    if (own == null) {
      return;
    }
    threads = Math.max(threads, own.threads);
    residentKib = Math.max(residentKib, own.residentKib);
    cpu = own.cpu;
    long kib = 0;
    // Of those that have ended it is the parent that tells.
    long spent = own.cpuOfEnded;
    for (ProcessHandle child : children) {
      Look look = of(child.pid());
      if (look != null) {
        kib += look.residentKib;
        spent += look.cpu + look.cpuOfEnded;
      }
    }
    hosts = Math.max(hosts, children.size());
    hostsKib = Math.max(hostsKib, kib);
    hostsCpu = Math.max(hostsCpu, spent);
  }

  private record Look(long threads, long residentKib, long cpu, long cpuOfEnded) {}

  /** {@code null} if there is no such process any more. */
  private static Look of(long pid) {
    Path folder = Path.of("/proc", Long.toString(pid));
    try (Stream<String> lines = Files.lines(folder.resolve("status"))) {
      long[] found = {0, 0};
      lines.forEach(
          line -> {
            if (line.startsWith("Threads:")) {
              found[0] = number(line);
            } else if (line.startsWith("VmRSS:")) {
              found[1] = number(line);
            }
          });
      // The second field is the program's name in parentheses, whatever is in it.
      String stat = Files.readString(folder.resolve("stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ");
      return new Look(
          found[0],
          found[1],
          millis(fields, UTIME) + millis(fields, STIME),
          millis(fields, CUTIME) + millis(fields, CSTIME));
    } catch (IOException e) {
      return null;
    }
  }

  private static long number(String line) {
    return Long.parseLong(line.replaceAll("\\D", ""));
  }

  private static long millis(String[] fields, int field) {
    return Long.parseLong(fields[field - 3]) * TICK_MILLIS;
  }

  /** The most resident memory of the gateway's own process, in KiB; −1 if it can't be told. */
  long residentKib() {
    return residentKib;
  }

  /** What it came to, for programs. Processes of plug-ins that are hosted go by themselves. */
  Map<String, Long> figures() {
    Map<String, Long> figures = new LinkedHashMap<>();
    figures.put("gatewayMostThreads", threads);
    figures.put("gatewayMostResidentKib", residentKib);
    figures.put("gatewayCpuMillis", cpu);
    figures.put("hostsMost", hosts);
    figures.put("hostsMostResidentKib", hostsKib);
    figures.put("hostsCpuMillis", hostsCpu);
    return figures;
  }
}
