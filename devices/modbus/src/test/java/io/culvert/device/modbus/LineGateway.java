package io.culvert.device.modbus;

import io.culvert.testkit.SerialBus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A simple gateway between TCP and a serial line: passes bytes on and understands none. */
final class LineGateway {
  private final SerialBus bus;
  private final List<Socket> clients = new CopyOnWriteArrayList<>();
  private ServerSocket server;
  private int port;

  /** A socket that is closed still gives out what came in before its thread has woken up. */
  private volatile int stops;

  LineGateway(SerialBus bus) throws IOException {
    this.bus = bus;
    bus.listen(this::toAll);
    start();
  }

  int port() {
    return port;
  }

  /** At the same port as before. */
  void start() throws IOException {
    ServerSocket accepting = new ServerSocket();
    accepting.setReuseAddress(true);
    accepting.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    port = accepting.getLocalPort();
    server = accepting;
    int own = stops;
    thread(
        () -> {
          while (true) {
            Socket client = accepting.accept();
            client.setTcpNoDelay(true);
            clients.add(client);
            if (own != stops) {
              client.close();
              return;
            }
            thread(() -> serve(client, own));
          }
        });
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void thread(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException closed) {
                // So it ends.
              }
            },
            "line-gateway");
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket client, int own) throws IOException {
    byte[] buffer = new byte[1024];
    try (client) {
      for (int count = client.getInputStream().read(buffer);
          count > 0 && own == stops;
          count = client.getInputStream().read(buffer)) {
        bus.say(java.util.Arrays.copyOf(buffer, count));
      }
    } finally {
      clients.remove(client);
    }
  }

  private void toAll(byte[] bytes) {
    for (Socket client : clients) {
      try {
        client.getOutputStream().write(bytes);
      } catch (IOException closed) {
        clients.remove(client);
      }
    }
  }

  void stop() throws IOException {
    stops++;
    server.close();
    for (Socket client : clients) {
      client.close();
    }
  }
}
