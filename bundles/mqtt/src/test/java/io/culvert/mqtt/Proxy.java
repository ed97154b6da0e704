package io.culvert.mqtt;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A wire between client and broker that can be cut, or keep back what the broker says. */
final class Proxy implements AutoCloseable {
  private final ServerSocket server;
  private final int target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicLong bytes = new AtomicLong();
  private final Object gate = new Object();
  private boolean held;

  Proxy(int target) throws IOException {
    this.target = target;
    this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    thread(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** Bytes that came, from either side. */
  long bytes() {
    return bytes.get();
  }

  /** From now on nothing of what the broker says gets through. */
  void holdAnswers() {
    synchronized (gate) {
      held = true;
    }
  }

  /** Lets through what was kept back and all that follows. */
  void releaseAnswers() {
    synchronized (gate) {
      held = false;
      gate.notifyAll();
    }
  }

  /** Breaks every connection, with what was kept back; new ones pass freely. */
  void cut() throws IOException {
    // One by one, and not all that there are in the end: the client dials again meanwhile.
    for (Socket socket : sockets) {
      socket.close();
    }
    releaseAnswers();
  }

  @Override
  public void close() throws IOException {
    server.close();
    cut();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Socket broker = new Socket(InetAddress.getLoopbackAddress(), target);
        sockets.add(client);
        sockets.add(broker);
        thread(() -> pump(client, broker, false));
        thread(() -> pump(broker, client, true));
      } catch (IOException e) {
        // Nobody there, or the end.
      }
    }
  }

  private void pump(Socket from, Socket to, boolean answers) {
    byte[] bytes = new byte[8192];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        this.bytes.addAndGet(n);
        synchronized (gate) {
          while (answers && held) {
            gate.wait();
          }
        }
        out.write(bytes, 0, n);
      }
    } catch (IOException | InterruptedException e) {
      // Cut.
    } finally {
      sockets.remove(from);
      sockets.remove(to);
    }
  }

  private static void thread(Runnable task) {
    Thread thread = new Thread(task, "proxy");
    thread.setDaemon(true);
    thread.start();
  }
}
