package io.culvert.mqtt;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The Mosquitto of the system, in a process of its own. Its absence is an error. */
final class Mosquitto implements Broker {
  private final int port;
  private final Path folder;
  private final List<String> lines;
  private Process process;

  /**
   * @param lines of the configuration, beside the listener
   */
  Mosquitto(int port, String... lines) {
    this.port = port;
    this.lines = List.of(lines);
    try {
      this.folder = Files.createTempDirectory("culvert-mosquitto");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void start() throws IOException {
    List<String> all = new ArrayList<>();
    all.add("listener " + port + " 127.0.0.1");
    all.addAll(lines);
    // Otherwise it gives up root and can't read our files.
    all.add("user " + System.getProperty("user.name"));
    all.add("max_queued_messages 0");
    all.add("log_type all");
    Path config = folder.resolve("mosquitto.conf");
    Files.write(config, all);
    Path log = folder.resolve("log");
    try {
      process =
          new ProcessBuilder(binary(), "-c", config.toString())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
    } catch (IOException e) {
      throw new IOException("Mosquitto is needed for this test: apt-get install mosquitto", e);
    }
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              if (!process.isAlive()) {
                throw new IOException("Mosquitto ended: " + Files.readString(log));
              }
              try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
              } catch (IOException e) {
                return false;
              }
            });
  }

  /** Debian keeps it where a user's path may not lead. */
  private static String binary() {
    return Stream.of("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
        .filter(path -> Files.isExecutable(Path.of(path)))
        .findFirst()
        .orElse("mosquitto");
  }

  /** Stops it in its tracks; the kernel goes on holding the connections. */
  void freeze() throws Exception {
    signal("STOP");
  }

  void thaw() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    int result =
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    if (result != 0) {
      throw new IOException("kill -" + name + " failed");
    }
  }

  @Override
  public void stop() throws Exception {
    if (process != null) {
      process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
      process = null;
    }
  }

  @Override
  public int port() {
    return port;
  }
}
