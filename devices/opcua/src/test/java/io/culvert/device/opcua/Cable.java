package io.culvert.device.opcua;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A cable to a server that can be cut, pulled, or lose what it carries. */
final class Cable implements AutoCloseable {
  private final int port;
  private final ServerSocket listening;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicLong swallowed = new AtomicLong();
  private final AtomicLong connections = new AtomicLong();
  private boolean pulled;
  private volatile boolean deaf;

  /**
   * @param port of the server on this machine
   */
  Cable(int port) throws IOException {
    this.port = port;
    listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start(
        () -> {
          while (true) {
            Socket client = opened(listening.accept());
            connections.incrementAndGet();
            start(() -> serve(client));
          }
        });
  }

  URI endpoint() {
    return URI.create("opc.tcp://127.0.0.1:" + listening.getLocalPort() + "/plant");
  }

  /** Connections that were made so far. */
  long connections() {
    return connections.get();
  }

  /** From now on nothing gets through either way, and nobody is told; {@link #plug} ends that. */
  synchronized void pull() {
    pulled = true;
  }

  synchronized void plug() {
    pulled = false;
    notifyAll();
  }

  /** From now on what the server sends is lost on the way, until the next {@link #cut}. */
  void deafen() {
    deaf = true;
  }

  /** Bytes of the server that were lost. */
  long swallowed() {
    return swallowed.get();
  }

  /** Closes all connections; new ones work. */
  void cut() {
    for (Socket socket : sockets) {
      try {
        socket.setSoLinger(true, 0);
        socket.close();
      } catch (IOException closed) {
        // So it should be.
      }
    }
    deaf = false;
  }

  private interface Task {
    void run() throws IOException, InterruptedException;
  }

  private static void start(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException | InterruptedException ended) {
                // So it ends.
              }
            },
            "cable");
    thread.setDaemon(true);
    thread.start();
  }

  private Socket opened(Socket socket) throws IOException {
    socket.setTcpNoDelay(true);
    sockets.add(socket);
    if (listening.isClosed()) {
      socket.close();
    }
    return socket;
  }

  private void serve(Socket client) throws IOException {
    Socket server;
    try {
      server = opened(new Socket(InetAddress.getLoopbackAddress(), port));
    } catch (IOException refused) {
      close(client);
      return;
    }
    start(() -> carry(client, server, false));
    start(() -> carry(server, client, true));
  }

  private void carry(Socket from, Socket to, boolean toClient)
      throws IOException, InterruptedException {
    byte[] buffer = new byte[8192];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
        synchronized (this) {
          while (pulled && !from.isClosed()) {
            wait(100);
          }
        }
        if (toClient && deaf) {
          swallowed.addAndGet(count);
        } else {
          out.write(buffer, 0, count);
        }
      }
    } finally {
      close(from);
      close(to);
    }
  }

  private void close(Socket socket) throws IOException {
    sockets.remove(socket);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    listening.close();
    plug();
    cut();
  }
}
