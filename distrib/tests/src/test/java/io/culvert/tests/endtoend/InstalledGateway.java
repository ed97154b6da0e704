package io.culvert.tests.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The product as it is shipped, unpacked into a folder of the test's own and run as a process. */
public final class InstalledGateway implements AutoCloseable {
  public static final Path SHIPPED =
      Path.of("../archive/target/culvert").toAbsolutePath().normalize();

  private final Path home;
  private Process process;

  private InstalledGateway(Path home) {
    this.home = home;
  }

  /** Copies the installation, with the site document given. */
  public static InstalledGateway unpack(Path home, String site) throws IOException {
    copy(SHIPPED, home);
    InstalledGateway gateway = new InstalledGateway(home);
    gateway.site(site);
    return gateway;
  }

  public Path home() {
    return home;
  }

  /** Writes the site document as an editor does: whole, beside it, then renamed. */
  public void site(String text) throws IOException {
    write("etc/site.json", text);
  }

  public void write(String file, String text) throws IOException {
    write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  void write(String file, byte[] bytes) throws IOException {
    Path target = home.resolve(file);
    Files.createDirectories(target.getParent());
    Path beside = target.resolveSibling(target.getFileName() + ".new");
    Files.write(beside, bytes);
    Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  public void start() throws IOException {
    start(Map.of());
  }

  /**
   * Starts it.
   *
   * @param environment variables beside those of this process
   */
  public void start(Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(home.resolve("bin/culvert").toString(), "run")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output().toFile()));
    builder.environment().putAll(environment);
    process = builder.start();
  }

  /** Its process. */
  public ProcessHandle process() {
    return process.toHandle();
  }

  private Path output() {
    return home.resolve("output.txt");
  }

  /** Everything that the process has printed and logged so far. */
  public String log() {
    while (true) {
      try {
        return logNow();
      } catch (NoSuchFileException e) {
        // Rolled since it was listed: it has another name now.
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private String logNow() throws IOException {
    StringBuilder all = new StringBuilder();
    if (Files.exists(output())) {
      all.append(text(output()));
    }
    Path logs = home.resolve("data/log");
    if (Files.isDirectory(logs)) {
      try (var files = Files.list(logs)) {
        for (Path file : files.toList()) {
          if (file.toString().endsWith(".log")) {
            all.append(text(file));
          }
        }
      }
    }
    return all.toString();
  }

  /** Of a file that is being written, whose last character may be there in part. */
  static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }

  public void awaitLog(String part) {
    await("log says: " + part)
        .atMost(Duration.ofMinutes(3))
        .conditionEvaluationListener(null)
        .untilAsserted(() -> assertThat(log()).contains(part));
  }

  /** What a command of {@code bin/culvert} printed, and its exit code. */
  public record Answer(int exit, String text) {
    /** The text as one line: what is wrapped for a screen is found whole. */
    public String oneLine() {
      return text.replaceAll("\\s+", " ");
    }
  }

  public Answer command(String... words) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(home.resolve("bin/culvert").toString()));
    line.addAll(List.of(words));
    Process command = new ProcessBuilder(line).redirectErrorStream(true).start();
    command.getOutputStream().close();
    String text = new String(command.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!command.waitFor(30, TimeUnit.SECONDS)) {
      command.destroyForcibly();
      throw new IllegalStateException("No end of " + line + " after 30 s; so far: " + text);
    }
    return new Answer(command.exitValue(), text);
  }

  /**
   * Since when each device is in its state: another time than before if it was anything else
   * meanwhile, for however short a time.
   */
  Map<String, String> since() throws IOException, InterruptedException {
    Map<String, String> since = new HashMap<>();
    for (JsonNode device :
        new ObjectMapper().readTree(command("status", "--json").text()).get("devices")) {
      since.put(
          device.get("id").asText(),
          device.get("state").asText() + " since " + device.get("since").asText());
    }
    return since;
  }

  /** Ends it as the system would: SIGTERM, and waits. */
  public int stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new IllegalStateException("Still running 30 s after SIGTERM; log:\n" + log());
    }
    return process.exitValue();
  }

  /** SIGKILL. */
  public void kill() throws InterruptedException {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() throws InterruptedException {
    if (process != null && process.isAlive()) {
      kill();
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
              throws IOException {
            if (dir.equals(from.resolve("data"))) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(to.resolve(from.relativize(dir).toString()));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(
                file,
                to.resolve(from.relativize(file).toString()),
                StandardCopyOption.COPY_ATTRIBUTES);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
