package io.culvert.device.opcua;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The way between client and server, over which bytes can be held back, connections cut and new
 * ones refused.
 */
final class Pipe implements AutoCloseable {
  private final int to;
  private final int port;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private ServerSocket server;
  private boolean held;

  /**
   * @param to port of the server
   */
  Pipe(int to) throws IOException {
    this.to = to;
    port = freePort();
    start();
  }

  /** Below those that are given to whoever connects: it must be free again after a stop. */
  static int freePort() throws IOException {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
      try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return free.getLocalPort();
      } catch (BindException taken) {
        // Another, then.
      }
    }
  }

  int port() {
    return port;
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void thread(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (Exception closed) {
                // One side went away, or the test is over.
              }
            },
            "junit-pipe");
    thread.setDaemon(true);
    thread.start();
  }

  /** Takes connections, as it does from the beginning. */
  void start() throws IOException {
    ServerSocket accepting = new ServerSocket();
    accepting.setReuseAddress(true);
    // Somebody who looks for a free port may hold it for a moment.
    await()
        .atMost(Duration.ofSeconds(10))
        .ignoreExceptions()
        .until(
            () -> {
              accepting.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
              return true;
            });
    server = accepting;
    thread(
        () -> {
          while (true) {
            connect(accepting.accept(), accepting);
          }
        });
  }

  private void connect(Socket client, ServerSocket accepting) throws IOException {
    Socket beyond;
    try {
      beyond = new Socket(InetAddress.getLoopbackAddress(), to);
    } catch (IOException refused) {
      client.close();
      return;
    }
    sockets.add(client);
    sockets.add(beyond);
    client.setTcpNoDelay(true);
    beyond.setTcpNoDelay(true);
    thread(() -> pass(client, beyond));
    thread(() -> pass(beyond, client));
    if (accepting.isClosed()) {
      // It came in while the others were ended.
      client.close();
      beyond.close();
    }
  }

  private void pass(Socket from, Socket on) throws Exception {
    try (from;
        on) {
      InputStream in = from.getInputStream();
      OutputStream out = on.getOutputStream();
      byte[] bytes = new byte[1 << 16];
      for (int length = in.read(bytes); length > 0; length = in.read(bytes)) {
        synchronized (this) {
          while (held) {
            wait();
          }
        }
        out.write(bytes, 0, length);
      }
    } finally {
      sockets.remove(from);
      sockets.remove(on);
    }
  }

  /** Takes bytes from both sides from now on, and lets none through. */
  synchronized void hold() {
    held = true;
  }

  /** What was held back goes on. */
  synchronized void resume() {
    held = false;
    notifyAll();
  }

  /** Ends all connections; new ones are taken. */
  void cut() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  /** Ends all connections; new ones are refused. What was held back is lost. */
  void stop() throws IOException {
    server.close();
    // First: an answer may be quicker than the end of the connection that it comes over.
    cut();
    resume();
  }

  @Override
  public void close() throws IOException {
    stop();
  }
}
