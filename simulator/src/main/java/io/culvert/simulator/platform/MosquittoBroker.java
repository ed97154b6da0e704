package io.culvert.simulator.platform;

import io.culvert.simulator.street.StreetException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Mosquitto as a process of its own, on loopback, with a consumer that keeps its session: what the
 * broker acknowledged while the consumer was away is delivered when it is back. The broker keeps
 * its queues on disk, so it may also be stopped.
 */
public final class MosquittoBroker implements Broker {
  private static final List<Path> BINARIES =
      List.of(
          Path.of("/usr/sbin/mosquitto"),
          Path.of("/usr/bin/mosquitto"),
          Path.of("/usr/local/sbin/mosquitto"));

  private final int port;
  private final Path folder;
  private final KeptSubscription subscription;
  private Process process;

  /**
   * @param folder for configuration, queues and log
   */
  public MosquittoBroker(int port, Path folder, Consumer consumer) {
    this.port = port;
    this.folder = folder;
    this.subscription = new KeptSubscription("127.0.0.1", port, "street-platform", consumer);
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public String name() {
    return "Mosquitto";
  }

  @Override
  public synchronized void start() throws StreetException {
    EmbeddedBroker.requireFree(port);
    Path binary =
        BINARIES.stream()
            .filter(Files::isExecutable)
            .findFirst()
            .orElseThrow(
                () ->
                    new StreetException(
                        "Found no Mosquitto; install it (apt-get install mosquitto) or choose"
                            + " --broker embedded"));
    try {
      Files.createDirectories(folder);
      Path configuration = folder.resolve("mosquitto.conf");
      Files.writeString(configuration, configuration(), StandardCharsets.UTF_8);
      process =
          new ProcessBuilder(binary.toString(), "-c", configuration.toString())
              .redirectErrorStream(true)
              .redirectOutput(
                  ProcessBuilder.Redirect.appendTo(folder.resolve("mosquitto.log").toFile()))
              .start();
    } catch (IOException e) {
      throw new StreetException("Mosquitto can't be started: " + e.getMessage());
    }
    subscription.begin();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!subscription.connect()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new StreetException(
            "Mosquitto doesn't listen; its log is " + folder.resolve("mosquitto.log"));
      }
      LockSupport.parkNanos(50_000_000);
    }
  }

  /** Its process, {@code null} while it is stopped. */
  public synchronized ProcessHandle process() {
    return process == null ? null : process.toHandle();
  }

  private String configuration() {
    StringBuilder text = new StringBuilder();
    text.append("listener ").append(port).append(" 127.0.0.1\n");
    text.append("allow_anonymous true\n");
    if ("root".equals(System.getProperty("user.name"))) {
      // Else it drops to a user of its own that may not write here.
      text.append("user root\n");
    }
    text.append("persistence true\n");
    text.append("persistence_location ").append(folder.toAbsolutePath()).append("/\n");
    // Its own bounds would drop silently.
    text.append("max_queued_messages 0\nmax_queued_bytes 0\nmax_inflight_messages 0\n");
    return text.toString();
  }

  @Override
  public synchronized void stop() {
    subscription.pause();
    if (process != null) {
      process.destroy();
      try {
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
          process.destroyForcibly().waitFor(5, TimeUnit.SECONDS);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      process = null;
    }
  }

  @Override
  public void close() {
    subscription.close();
    stop();
  }
}
