package io.culvert.serial;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A pseudo-terminal made by socat, with a socket of this test at its far end. Needs Debian's {@code
 * socat}.
 */
final class Cable implements AutoCloseable {
  private final Path file;
  private final ServerSocket server;
  private Process socat;
  private Socket far;

  /**
   * @param folder where its device file appears
   */
  Cable(Path folder) throws IOException {
    file = folder.resolve("line");
    server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    plug();
  }

  String device() {
    return file.toString();
  }

  /** Appears, at the same path as ever. */
  void plug() throws IOException {
    socat =
        new ProcessBuilder(
                "socat",
                "pty,raw,echo=0,link=" + file,
                "tcp:127.0.0.1:" + server.getLocalPort() + ",nodelay")
            .inheritIO()
            .start();
    far = server.accept();
    far.setTcpNoDelay(true);
    Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> Files.exists(file));
  }

  /** Disappears. */
  void unplug() throws Exception {
    far.close();
    socat.destroy();
    if (!socat.waitFor(20, TimeUnit.SECONDS)) {
      throw new IllegalStateException("socat goes on");
    }
  }

  void say(byte... bytes) throws IOException {
    far.getOutputStream().write(bytes);
  }

  byte[] hear(int count) throws IOException {
    far.setSoTimeout(20_000);
    InputStream in = far.getInputStream();
    byte[] bytes = in.readNBytes(count);
    if (bytes.length < count) {
      throw new IOException(bytes.length + " bytes instead of " + count);
    }
    return bytes;
  }

  @Override
  public void close() throws Exception {
    unplug();
    server.close();
  }
}
