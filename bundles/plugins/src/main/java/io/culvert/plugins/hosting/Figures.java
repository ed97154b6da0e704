package io.culvert.plugins.hosting;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a process costs.
 *
 * @param memory resident, in bytes; -1 if it isn't known
 * @param threads -1 if it isn't known
 * @param cpu time since its start
 */
record Figures(long memory, long threads, Duration cpu) {

  static Figures of(ProcessHandle process) {
    long memory = -1;
    long threads = -1;
    try {
      Path status = Path.of("/proc", Long.toString(process.pid()), "status");
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("VmRSS:")) {
          memory = number(line) << 10;
        } else if (line.startsWith("Threads:")) {
          threads = number(line);
        }
      }
    } catch (IOException | NumberFormatException e) {
      // No such process any more, or no such file system.
    }
    return new Figures(memory, threads, process.info().totalCpuDuration().orElse(Duration.ZERO));
  }

  private static long number(String line) {
    return Long.parseLong(line.replaceAll("\\D", ""));
  }
}
