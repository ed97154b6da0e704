package io.culvert.tests.faults;

import static org.awaitility.Awaitility.await;

import io.culvert.tests.endtoend.Peer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The Mosquitto of the system's packages, to be stopped, started, and stopped in its tracks. Keeps
 * sessions and queues on disk and drops nothing by bounds of its own.
 */
public final class Broker implements AutoCloseable {
  private final Path folder;
  private final String host;
  private final int port;
  private final List<String> within;
  private Process process;

  private Broker(Path folder, String host, int port, List<String> within) {
    this.folder = folder;
    this.host = host;
    this.port = port;
    this.within = within;
  }

  /** On loopback. */
  public static Broker start(Path folder) throws IOException {
    Broker broker =
        new Broker(folder.resolve("mosquitto"), "127.0.0.1", Peer.freePort(), List.of());
    broker.start();
    return broker;
  }

  /** At the far end of a namespace's wire. */
  static Broker start(Path folder, Namespace namespace) throws IOException {
    Broker broker =
        new Broker(
            folder.resolve("mosquitto"),
            namespace.farAddress(),
            Peer.freePort(),
            namespace.command());
    broker.start();
    return broker;
  }

  public String host() {
    return host;
  }

  public int port() {
    return port;
  }

  /** Starts it, or starts it again. Returns when it listens. */
  public void start() throws IOException {
    Files.createDirectories(folder);
    List<String> lines =
        List.of(
            "listener " + port + " " + host,
            "allow_anonymous true",
            // Else it gives up root and can't write here.
            "user " + System.getProperty("user.name"),
            "persistence true",
            "persistence_location " + folder.toAbsolutePath() + "/",
            "max_queued_messages 0",
            "max_queued_bytes 0",
            "max_inflight_messages 0");
    Path configuration = Files.write(folder.resolve("mosquitto.conf"), lines);
    Path log = folder.resolve("mosquitto.log");
    List<String> command = new ArrayList<>(within);
    command.addAll(List.of(Peer.program("mosquitto"), "-c", configuration.toString()));
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    await("Mosquitto listens")
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              if (!process.isAlive()) {
                throw new IllegalStateException("Mosquitto ended: " + Files.readString(log));
              }
              return listens();
            });
  }

  private boolean listens() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(host, port), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Ends it in order: it writes what it keeps. */
  public void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new IllegalStateException("Mosquitto doesn't stop");
    }
  }

  /** SIGSTOP: the kernel goes on holding its connections. */
  void freeze() throws IOException, InterruptedException {
    signal("STOP");
  }

  void thaw() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String name) throws IOException, InterruptedException {
    Commands.run("kill", "-" + name, Long.toString(process.pid()));
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
