package io.culvert.simulator.replay;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Sets a serial line as an endpoint says ({@code baud}, {@code parity}, …), by {@code stty}. */
final class SerialSettings {
  private static final int PATIENCE_SECONDS = 20;

  private SerialSettings() {}

  /**
   * @param says told in words what of it the line can't do: a pseudo-terminal knows no parity
   */
  static void apply(Path line, String endpoint, Consumer<String> says) throws IOException {
    if (!Files.exists(line) || Files.isRegularFile(line) || Files.isDirectory(line)) {
      throw new IOException(line + " is no device file of a serial line; expected such as ttyUSB0");
    }
    String failure = stty(line, List.of("raw", "-echo"));
    if (!failure.isEmpty()) {
      throw new IOException(failure);
    }
    List<String> words = words(endpoint);
    failure = words.isEmpty() ? "" : stty(line, words);
    if (!failure.isEmpty()) {
      says.accept("Not all is set as the endpoint says: " + failure);
    }
  }

  /**
   * @return what it said if it failed, else {@code ""}
   */
  private static String stty(Path line, List<String> words) throws IOException {
    List<String> command = new ArrayList<>(List.of("stty", "-F", line.toString()));
    command.addAll(words);
    Process stty = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      if (!stty.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        stty.destroyForcibly();
        throw new IOException(String.join(" ", command) + " doesn't end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stty.destroyForcibly();
      throw new IOException("Interrupted while " + line + " was set");
    }
    String said = new String(stty.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return stty.exitValue() == 0 ? "" : String.join(" ", command) + ": " + said.strip();
  }

  /** What the endpoint doesn't say stays as the line has it. */
  static List<String> words(String endpoint) {
    Map<String, String> options = new HashMap<>();
    String query;
    try {
      query = URI.create(endpoint).getRawQuery();
    } catch (IllegalArgumentException e) {
      query = null;
    }
    for (String part : query == null ? new String[0] : query.split("&")) {
      String[] pair = part.split("=", 2);
      options.put(pair[0], pair[pair.length - 1]);
    }
    List<String> words = new ArrayList<>();
    if (options.getOrDefault("baud", "").matches("[0-9]{2,7}")) {
      words.add(options.get("baud"));
    }
    switch (options.getOrDefault("parity", "")) {
      case "none" -> words.add("-parenb");
      case "even" -> words.addAll(List.of("parenb", "-parodd"));
      case "odd" -> words.addAll(List.of("parenb", "parodd"));
      default -> {
        // As it is.
      }
    }
    if (options.getOrDefault("data", "").matches("[78]")) {
      words.add("cs" + options.get("data"));
    }
    if (options.getOrDefault("stop", "").matches("[12]")) {
      words.add(options.get("stop").equals("2") ? "cstopb" : "-cstopb");
    }
    return words;
  }
}
