package io.culvert.buffer;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.culvert.benchmarks.Defaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One run of the buffer in a process of its own, so that memory and bytes written are its alone:
 * {@code BufferRun <append|fill|raw|drain|query> <order> <result>}, the order as JSON, the result a
 * file that it is written to.
 */
public final class BufferRun {
  /** Id of the gateway. */
  public static final String GATEWAY = "cabinet-17";

  static final String PLATFORM = "city";

  /**
   * An order for {@link DayQuery}.
   *
   * @param folder empty, or filled by an earlier run with the same figures
   * @param every seconds between polls of a device
   * @param devices with two points each
   */
  public record Query(String folder, int hours, int every, int devices) {}

  private BufferRun() {}

  /** Runs what it is told and ends with 0, or by the exception that stopped it. */
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    String order = args[1];
    Object result =
        switch (args[0]) {
          case "append" -> AppendRun.run(json.readValue(order, AppendRun.Order.class));
          case "fill" -> FillRun.run(json.readValue(order, FillRun.Order.class));
          case "raw" -> RawRun.run(json.readValue(order, RawRun.Order.class));
          case "drain" -> DrainRun.run(json.readValue(order, DrainRun.Order.class));
          case "query" -> query(json.readValue(order, Query.class));
          default -> throw new IllegalArgumentException(args[0]);
        };
    json.writeValue(Path.of(args[2]).toFile(), result);
    System.exit(0);
  }

  private static DayQuery.Result query(Query order) throws IOException {
    return DayQuery.measure(Path.of(order.folder()), order.hours(), order.every(), order.devices());
  }

  /**
   * The settings of a site that says nothing of its buffer.
   *
   * @param others values of {@link BufferConfig} by name that are to differ
   */
  static Settings settings(Map<String, Object> others) {
    Map<String, Object> values = new HashMap<>(others);
    values.put("gateway", GATEWAY);
    return Settings.of(Defaults.of(BufferConfig.class, values));
  }

  static DurableBuffer open(Path folder, Settings settings) throws IOException {
    return new DurableBuffer(
        folder, settings, new Machine(Clock.systemUTC(), ThreadLoop::new, Sqlite::open));
  }

  /** What this process has had the kernel write to storage, in bytes; see proc(5). */
  static long written() throws IOException {
    return kernel(Path.of("/proc/self/io"), "write_bytes:");
  }

  /** Resident memory of this process, in bytes. */
  static long resident() throws IOException {
    return kernel(Path.of("/proc/self/status"), "VmRSS:") * 1024;
  }

  private static long kernel(Path file, String name) throws IOException {
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith(name)) {
        return Long.parseLong(line.substring(name.length()).replaceAll("\\D", ""));
      }
    }
    throw new IOException("found no " + name + " in " + file + ", expected Linux");
  }

  /** Bytes of the files in a folder. */
  static long size(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    }
  }

  static void delete(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> listed = Files.list(folder)) {
      files = listed.toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
    Files.delete(folder);
  }
}
