package io.culvert.tests.endtoend;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that none of us wrote, run as a process on a loopback port of its own. */
public final class Peer implements AutoCloseable {
  // All ports lie below those that the system hands out by itself: to whom it calls, too, while a
  // broker that had one is down. Single ones lie apart from those in a row.
  private static final int FIRST_SINGLE = 10_000;
  private static final int SINGLE = 10_000;

  private static final AtomicInteger next =
      new AtomicInteger(ThreadLocalRandom.current().nextInt(SINGLE));

  private final Process process;
  private final int port;

  private Peer(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  int port() {
    return port;
  }

  /** A port that nobody uses, and that no other call here has told. */
  public static int freePort() throws IOException {
    for (int attempt = 0; attempt < SINGLE; attempt++) {
      int port = FIRST_SINGLE + Math.floorMod(next.getAndIncrement(), SINGLE);
      if (isFree(port)) {
        return port;
      }
    }
    throw new IOException("No free port between 10000 and 20000");
  }

  /** The first of so many ports in a row that nobody uses. */
  public static int freePorts(int count) throws IOException {
    for (int attempt = 0; attempt < 100; attempt++) {
      int first = ThreadLocalRandom.current().nextInt(20_000, 32_000 - count);
      boolean free = true;
      for (int port = first; free && port < first + count; port++) {
        free = isFree(port);
      }
      if (free) {
        return first;
      }
    }
    throw new IOException("No " + count + " free ports in a row between 20000 and 32000");
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException taken) {
      return false;
    }
  }

  /** Mosquitto of the system's packages. */
  static Peer mosquitto(Path folder) throws IOException {
    int port = freePort();
    Path config = folder.resolve("mosquitto-" + port + ".conf");
    Files.writeString(
        config,
        """
        listener %d 127.0.0.1
        allow_anonymous true
        persistence false
        """
            .formatted(port));
    return start(folder, port, List.of(program("mosquitto"), "-c", config.toString()));
  }

  /** A slave on pymodbus of the system's packages, with the registers of {@code slave.py}. */
  static Peer pymodbus(Path folder) throws IOException {
    int port = freePort();
    Path script = Path.of("src/test/resources/slave.py").toAbsolutePath();
    return start(
        folder, port, List.of("/usr/bin/python3", script.toString(), Integer.toString(port)));
  }

  /** The slave on libmodbus that the driver's own tests compile, {@code slave.c}. */
  static Peer libmodbus(Path folder) throws IOException, InterruptedException {
    Path source = Path.of("../../devices/modbus/src/test/resources/peers/slave.c");
    Path program = folder.resolve("slave");
    Path said = folder.resolve("gcc.txt");
    Process compiler =
        new ProcessBuilder(
                "gcc",
                "-Wno-overflow",
                "-o",
                program.toString(),
                source.toAbsolutePath().toString(),
                "-I/usr/include/modbus",
                "-lmodbus")
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    if (compiler.waitFor() != 0) {
      throw new IllegalStateException(
          "slave.c doesn't compile; './culvert test' installs what it needs:\n"
              + Files.readString(said));
    }
    int port = freePort();
    return start(folder, port, List.of(program.toString(), Integer.toString(port)));
  }

  /** A serial line, at {@code line}, that leads to a TCP port: a serial device server's inverse. */
  static Peer socat(Path line, int port) throws IOException {
    Process process =
        new ProcessBuilder(program("socat"), "pty,raw,echo=0,link=" + line, "tcp:127.0.0.1:" + port)
            .redirectErrorStream(true)
            .redirectOutput(line.resolveSibling("socat.txt").toFile())
            .start();
    Peer peer = new Peer(process, port);
    try {
      await("the line is there").atMost(Duration.ofSeconds(60)).until(() -> Files.exists(line));
    } catch (RuntimeException | Error e) {
      peer.close();
      throw e;
    }
    return peer;
  }

  /** Debian's mbpoll, a master: asks for one holding register, once. */
  static String mbpoll(Path line, int unit, int register) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                program("mbpoll"),
                "-m",
                "rtu",
                "-a",
                "" + unit,
                "-b",
                "19200",
                "-P",
                "even",
                "-0",
                "-r",
                "" + register,
                "-c",
                "1",
                "-t",
                "4",
                "-1",
                "-o",
                "2",
                line.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes());
    process.waitFor();
    return said;
  }

  private static Peer start(Path folder, int port, List<String> command) throws IOException {
    Path output = folder.resolve("peer-" + port + ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    Peer peer = new Peer(process, port);
    try {
      await(command.get(0) + " listens")
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                if (!process.isAlive()) {
                  throw new IllegalStateException(
                      String.join(" ", command) + " ended: " + Files.readString(output));
                }
                return listens(port);
              });
    } catch (RuntimeException | Error e) {
      peer.close();
      throw e;
    }
    return peer;
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Debian puts daemons where an ordinary user's PATH doesn't look. */
  public static String program(String name) {
    for (String folder : List.of("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin")) {
      Path file = Path.of(folder, name);
      if (Files.isExecutable(file)) {
        return file.toString();
      }
    }
    throw new IllegalStateException(
        "Found no " + name + "; './culvert test' installs it, or: apt-get install " + name);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
