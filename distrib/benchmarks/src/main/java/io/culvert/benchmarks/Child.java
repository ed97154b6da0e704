package io.culvert.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A child process with its log. */
final class Child implements Contender.Running {
  private static final long STOP_SECONDS = 15;

  private final Process process;
  private final Path log;

  /**
   * Starts it.
   *
   * @param work folder to run in, where its log goes too
   */
  Child(List<String> command, Map<String, String> environment, Path work) throws IOException {
    Files.createDirectories(work);
    this.log = work.resolve("console.log");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.directory(work.toFile());
    builder.redirectErrorStream(true);
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectOutput(log.toFile());
    this.process = builder.start();
  }

  /** The program that runs this one. */
  static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** The class path of this process, good in any folder. */
  static String classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  @Override
  public List<ProcessHandle> processes() {
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process.toHandle());
    return all;
  }

  @Override
  public boolean alive() {
    return process.isAlive();
  }

  /** Waits for its end; tells whether it came in time. */
  boolean await(long seconds) {
    try {
      return process.waitFor(seconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public Path log() {
    return log;
  }

  @Override
  public void close() {
    process.destroy();
    if (!await(STOP_SECONDS)) {
      process.destroyForcibly();
      await(STOP_SECONDS);
    }
  }
}
