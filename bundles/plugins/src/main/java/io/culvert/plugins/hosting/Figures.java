package io.culvert.plugins.hosting;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a process costs.
 *
 * @param memory resident, in bytes; -1 if it isn't known
 * @param cpu time since its start
 */
record Figures(long memory, Duration cpu) {

  static Figures of(ProcessHandle process) {
    return new Figures(
        memory(process.pid()), process.info().totalCpuDuration().orElse(Duration.ZERO));
  }

  private static long memory(long pid) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) << 10;
        }
      }
    } catch (IOException | NumberFormatException e) {
      // No such process any more, or no such file system.
    }
    return -1;
  }
}
