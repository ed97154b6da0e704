package io.culvert.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What the kernel tells of a process: processor time and memory, from {@code /proc} (see proc(5)).
 *
 * @param cpuSeconds in user and kernel mode, of all its threads, also of those that have ended
 * @param rssBytes resident memory, 0 if the process is gone
 * @param pssBytes resident memory with shared pages divided among those who share them, −1 where
 *     the kernel doesn't tell
 */
record ProcessFigures(double cpuSeconds, long rssBytes, long pssBytes) {
  /** Linux shows processor time to programs in hundredths of a second on every architecture. */
  static final double TICKS_PER_SECOND = 100;

  private static final ProcessFigures NONE = new ProcessFigures(0, 0, -1);
  private static final int UTIME = 14;
  private static final int STIME = 15;

  /** The sum over processes; one that is gone counts nothing. */
  static ProcessFigures of(List<ProcessHandle> processes) {
    ProcessFigures sum = NONE;
    for (ProcessHandle process : processes) {
      sum = sum.plus(of(Path.of("/proc", Long.toString(process.pid()))));
    }
    return sum;
  }

  private static ProcessFigures of(Path folder) {
    try {
      double cpu = cpuSeconds(Files.readString(folder.resolve("stat")));
      long rss = bytes(Files.readAllLines(folder.resolve("status")), "VmRSS");
      return new ProcessFigures(cpu, Math.max(0, rss), pss(folder));
    } catch (IOException e) {
      return NONE;
    }
  }

  private static long pss(Path folder) {
    try {
      return bytes(Files.readAllLines(folder.resolve("smaps_rollup")), "Pss");
    } catch (IOException e) {
      return -1;
    }
  }

  /**
   * Processor time from the one line of {@code stat}. The second field is the program's name in
   * parentheses and may hold spaces and parentheses itself.
   */
  static double cpuSeconds(String stat) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ");
    // The first of these is field 3.
    return (Long.parseLong(fields[UTIME - 3]) + Long.parseLong(fields[STIME - 3]))
        / TICKS_PER_SECOND;
  }

  /** The figure of a line such as {@code VmRSS: 123 kB}, −1 if there is none. */
  static long bytes(List<String> lines, String name) {
    for (String line : lines) {
      if (line.startsWith(name + ":")) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    }
    return -1;
  }

  private ProcessFigures plus(ProcessFigures other) {
    return new ProcessFigures(
        cpuSeconds + other.cpuSeconds,
        rssBytes + other.rssBytes,
        pssBytes < 0 ? other.pssBytes : other.pssBytes < 0 ? pssBytes : pssBytes + other.pssBytes);
  }
}
