package io.culvert.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The result of a benchmark as a file, with what it was measured on. */
final class Results {
  private final Map<String, Object> all = new LinkedHashMap<>();
  private final Path file;

  /**
   * @param benchmark names the file, {@code <benchmark>.json}
   * @param folder where it goes
   */
  Results(String benchmark, Path folder) {
    this.file = folder.resolve(benchmark + ".json");
    all.put("benchmark", benchmark);
    all.put("at", Instant.now().toString());
    all.put("machine", machine());
  }

  /** Adds a figure, a text, or a list or map of these. */
  void put(String name, Object value) {
    all.put(name, value);
  }

  /** Writes the file and tells where it is. */
  Path write() throws IOException {
    Files.createDirectories(file.getParent());
    new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), all);
    return file;
  }

  /** Processor, memory, kernel and Java of this machine. */
  static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("processor", first("/proc/cpuinfo", "model name"));
    machine.put("memory", first("/proc/meminfo", "MemTotal"));
    machine.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    machine.put("java", System.getProperty("java.vm.version"));
    machine.put("load", load());
    return machine;
  }

  /** The load averages, which tell whether the machine had other things to do. */
  static String load() {
    try {
      return Files.readString(Path.of("/proc/loadavg")).strip();
    } catch (IOException e) {
      return "";
    }
  }

  private static String first(String file, String name) {
    try {
      List<String> lines = Files.readAllLines(Path.of(file));
      return lines.stream()
          .filter(line -> line.startsWith(name))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse("");
    } catch (IOException e) {
      return "";
    }
  }
}
