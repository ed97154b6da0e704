package io.culvert.core.run;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the gateway runs on, asked anew at each call. Each figure is {@code null} where the machine
 * doesn't tell it. Reads the kernel's files (proc(5)), so may block: never on the loop; one thread
 * at a time.
 */
final class Machine {
  /** A shorter span says nothing of a share: the kernel counts in hundredths of a second. */
  private static final long LEAST_SPAN = 1_000_000_000L;

  /** What no board survives is no temperature but a zone without sensor; in 1/1000 degrees. */
  private static final long COLDEST = -60_000;

  private static final long HOTTEST = 200_000;

  private final Path proc;
  private final Path thermal;
  private final Path data;
  private final LongSupplier nanos;
  private final Supplier<Optional<Duration>> cpu;
  private long lookedAt;
  private Duration used;
  private Double share;

  /**
   * @param data the gateway's data directory
   */
  Machine(Path data) {
    this(
        Path.of("/"),
        data,
        System::nanoTime,
        () -> ProcessHandle.current().info().totalCpuDuration());
  }

  /**
   * @param root where {@code proc} and {@code sys} are
   * @param nanos monotonic
   * @param cpu processor time of this process so far
   */
  Machine(Path root, Path data, LongSupplier nanos, Supplier<Optional<Duration>> cpu) {
    this.proc = root.resolve("proc");
    this.thermal = root.resolve("sys/class/thermal");
    this.data = data;
    this.nanos = nanos;
    this.cpu = cpu;
    this.lookedAt = nanos.getAsLong();
    this.used = cpu.get().orElse(null);
  }

  /** Memory of this process that is in RAM, in bytes. */
  Long resident() throws IOException {
    return kilobytes(proc.resolve("self/status"), "VmRSS");
  }

  /** Memory of the machine that programs could still have without swapping, in bytes. */
  Long available() throws IOException {
    return kilobytes(proc.resolve("meminfo"), "MemAvailable");
  }

  /** Since the machine was started, in seconds. */
  Long uptime() throws IOException {
    Matcher seconds = Pattern.compile("^([0-9]{1,12})\\.").matcher(text(proc.resolve("uptime")));
    return seconds.find() ? Long.valueOf(seconds.group(1)) : null;
  }

  /** The hottest of its sensors, in thousandths of a degree Celsius. */
  Long temperature() throws IOException {
    if (!Files.isDirectory(thermal)) {
      return null;
    }
    Long hottest = null;
    try (DirectoryStream<Path> zones = Files.newDirectoryStream(thermal, "thermal_zone*")) {
      for (Path zone : zones) {
        Long told = degrees(zone.resolve("temp"));
        if (told != null && (hottest == null || told > hottest)) {
          hottest = told;
        }
      }
    }
    return hottest;
  }

  /** A sensor that is switched off answers with an error: it isn't there. */
  private static Long degrees(Path sensor) {
    try {
      long told = Long.parseLong(text(sensor).strip());
      return told > COLDEST && told < HOTTEST ? told : null;
    } catch (IOException | NumberFormatException e) {
      return null;
    }
  }

  /** Threads that ran or wanted to, mean of one minute, to two places. */
  Double load() {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    return load < 0 ? null : Math.round(load * 100) / 100.0;
  }

  /** This process's part of all processors since the last call or the start. */
  Double share() {
    long now = nanos.getAsLong();
    long span = now - lookedAt;
    if (span < LEAST_SPAN && share != null) {
      return share;
    }
    Duration before = used;
    used = cpu.get().orElse(null);
    lookedAt = now;
    if (used == null || before == null || span <= 0) {
      share = null;
    } else {
      double all = (double) span * Runtime.getRuntime().availableProcessors();
      share = Math.min(1, used.minus(before).toNanos() / all);
    }
    return share;
  }

  /** Where this process's TCP connections lead; empty where the machine doesn't tell. */
  List<InetSocketAddress> connections() throws IOException {
    return TcpTable.of(proc);
  }

  /** Room on the disk of the data directory that the gateway may use, in bytes. */
  long free() throws IOException {
    total();
    return data.toFile().getUsableSpace();
  }

  /** Size of the disk of the data directory, in bytes. */
  long total() throws IOException {
    // Not by a file store, for which all mounts are read.
    long total = data.toFile().getTotalSpace();
    if (total == 0) {
      throw new IOException(data + " can't be looked at");
    }
    return total;
  }

  /** A line such as {@code VmRSS: 1234 kB}. */
  private static Long kilobytes(Path file, String key) throws IOException {
    Matcher line =
        Pattern.compile("^" + key + ":\\s+([0-9]{1,15}) kB$", Pattern.MULTILINE)
            .matcher(text(file));
    return line.find() ? Long.valueOf(Long.parseLong(line.group(1)) * 1024) : null;
  }

  /** {@code ""} of a file that isn't there, as on another system. */
  private static String text(Path file) throws IOException {
    return Files.exists(file)
        ? new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1)
        : "";
  }
}
