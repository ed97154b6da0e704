package io.culvert.simulator;

import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The gateway as a child process, run from a copy of its installation. */
public final class Gateway {
  /** Bytes that a copy of the gateway and what it writes in some minutes take. */
  private static final long ROOM = 200L << 20;

  /** Longer than the gateway itself waits for bundles that don't stop. */
  static final long STOP_SECONDS = 40;

  private static final Path SETSID = Path.of("/usr/bin/setsid");

  private final Path home;
  private final Path log;
  private Process process;
  private long startedAt;

  /**
   * Copies an installation.
   *
   * @param installation an unpacked distribution
   * @param work folder for the copy and the log
   */
  public Gateway(Path installation, Path work, String siteDocument)
      throws StreetException, IOException {
    if (!Files.isExecutable(installation.resolve("bin/culvert"))) {
      throw new StreetException(
          "found no bin/culvert in "
              + installation.toAbsolutePath()
              + ", expected an unpacked Culvert; give its folder by --gateway");
    }
    requireRoom(work, ROOM);
    this.home = work.resolve("gateway");
    this.log = work.resolve("gateway.log");
    copy(installation, home);
    Files.createDirectories(home.resolve("etc"));
    Files.writeString(home.resolve("etc/site.json"), siteDocument);
  }

  /** Says so in one line before anything fails half-way. */
  static void requireRoom(Path folder, long bytes) throws StreetException, IOException {
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < bytes) {
      throw new StreetException(
          "Disk full: %d MiB free in %s, %d MiB needed for a copy of the gateway and its data; free some or choose another folder by --work"
              .formatted(free >> 20, folder.toAbsolutePath(), bytes >> 20));
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            if (from.relativize(folder).toString().equals("data")) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(to.resolve(from.relativize(folder)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Where its installation was copied to. */
  public Path home() {
    return home;
  }

  /** What it writes to its console. */
  public Path log() {
    return log;
  }

  /** Starts it; also again, with the data of the last run. */
  public void start() throws IOException {
    start(Map.of());
  }

  /**
   * Starts it.
   *
   * @param environment variables beside those of this process
   */
  public void start(Map<String, String> environment) throws IOException {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(SETSID)) {
      // A session of its own: Ctrl-C is for the simulator, which stops the gateway when it may.
      command.add(SETSID.toString());
    }
    command.add(home.resolve("bin/culvert").toString());
    command.add("run");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.environment().put("CULVERT_HOME", home.toString());
    builder.environment().remove("CULVERT_DATA");
    builder.directory(home.toFile());
    builder.redirectErrorStream(true);
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    startedAt = System.currentTimeMillis();
    process = builder.start();
  }

  /** When it was started last, in epoch milliseconds. */
  public long startedAt() {
    return startedAt;
  }

  public boolean alive() {
    return process != null && process.isAlive();
  }

  /** SIGKILL, without warning. */
  public void kill() throws IOException {
    List<ProcessHandle> all = family();
    all.forEach(ProcessHandle::destroyForcibly);
    await(5);
  }

  /**
   * SIGTERM, and SIGKILL if it doesn't go.
   *
   * @return whether it went by itself
   */
  public boolean stop() {
    if (process == null) {
      return true;
    }
    List<ProcessHandle> all = family();
    process.destroy();
    boolean went = await(STOP_SECONDS);
    if (!went) {
      all.forEach(ProcessHandle::destroyForcibly);
      await(5);
    }
    return went;
  }

  private boolean await(long seconds) {
    try {
      return process.waitFor(seconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Its processes. */
  public List<ProcessHandle> family() {
    return Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
  }

  /** Its own process, not those of plug-ins. */
  long pid() {
    return process.pid();
  }

  /** Processes that it started, and theirs. */
  List<ProcessHandle> children() {
    return process.descendants().toList();
  }

  /** The last lines that it wrote. */
  public List<String> lastWords(int count) {
    try {
      List<String> lines = Files.readAllLines(log);
      return lines.subList(Math.max(0, lines.size() - count), lines.size());
    } catch (IOException e) {
      return List.of();
    }
  }
}
