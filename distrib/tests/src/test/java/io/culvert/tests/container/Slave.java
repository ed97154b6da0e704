package io.culvert.tests.container;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A Modbus TCP slave of a few lines: whatever register is read (function 3), it holds its own
 * address. Modbus Messaging on TCP/IP 1.0b, 3.1.3; Application Protocol 1.1b3, 6.3.
 */
final class Slave implements AutoCloseable {
  private final ServerSocket server;
  private final AtomicInteger open = new AtomicInteger();

  Slave() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start("slave-accept", this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  /** Connections that nobody has closed yet. */
  int open() {
    return open.get();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        open.incrementAndGet();
        start("slave-serve", () -> serve(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      while (true) {
        int transaction = in.readUnsignedShort();
        in.readUnsignedShort();
        in.readUnsignedShort();
        int unit = in.readUnsignedByte();
        int function = in.readUnsignedByte();
        int address = in.readUnsignedShort();
        int count = in.readUnsignedShort();
        out.writeShort(transaction);
        out.writeShort(0);
        out.writeShort(3 + 2 * count);
        out.writeByte(unit);
        out.writeByte(function);
        out.writeByte(2 * count);
        for (int i = 0; i < count; i++) {
          out.writeShort(address + i);
        }
        out.flush();
      }
    } catch (IOException e) {
      // The gateway has closed the connection.
    } finally {
      open.decrementAndGet();
    }
  }

  private static void start(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }
}
