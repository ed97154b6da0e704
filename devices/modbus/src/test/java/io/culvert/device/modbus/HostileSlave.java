package io.culvert.device.modbus;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A slave that plays pranks: each request is handed to a script, which sends whatever it likes. Its
 * registers hold {@link #register} of their address.
 */
final class HostileSlave implements AutoCloseable {
  private final ServerSocket server;
  private final List<Socket> clients = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private volatile Script script = (request, out) -> out.write(request.answer());

  /** What to do with a request; an exception closes the connection. */
  interface Script {
    void play(Request request, OutputStream out) throws Exception;
  }

  /** A request as it came, and frames made from it. */
  record Request(int transaction, int unit, byte[] pdu) {
    int function() {
      return pdu[0];
    }

    int address() {
      return Short.toUnsignedInt(ByteBuffer.wrap(pdu).getShort(1));
    }

    int count() {
      return Short.toUnsignedInt(ByteBuffer.wrap(pdu).getShort(3));
    }

    /** The right answer to a read of registers or records, a write, or a question who it is. */
    byte[] answer() {
      return frame(transaction, 0, unit, answerPdu());
    }

    byte[] answerPdu() {
      switch (function()) {
        case 0x05, 0x06, 0x0F, 0x10:
          return Arrays.copyOf(pdu, 5);
        case 0x15, 0x16:
          return pdu;
        case 0x11:
          return bytes(0x11, 3, 'M', '7', 0xFF);
        case 0x2B:
          return bytes(0x2B, 0x0E, pdu[2], 0x01, 0, 0, 2, 0, 2, 'H', 'S', 2, 1, '9');
        case 0x14:
          ByteBuffer file = ByteBuffer.allocate(4 + 2 * pdu[8]);
          file.put(bytes(0x14, 2 + 2 * pdu[8], 1 + 2 * pdu[8], 6));
          for (int i = 0; i < pdu[8]; i++) {
            file.putShort(
                (short) register(Short.toUnsignedInt(ByteBuffer.wrap(pdu).getShort(5)) + i));
          }
          return file.array();
        default:
          break;
      }
      ByteBuffer answer = ByteBuffer.allocate(2 + 2 * count());
      answer.put((byte) function()).put((byte) (2 * count()));
      for (int i = 0; i < count(); i++) {
        answer.putShort((short) register(address() + i));
      }
      return answer.array();
    }
  }

  HostileSlave() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    thread(
        () -> {
          while (true) {
            Socket client = server.accept();
            connections.incrementAndGet();
            clients.add(client);
            thread(
                () -> {
                  try {
                    serve(client);
                  } finally {
                    ended.incrementAndGet();
                  }
                });
          }
        });
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
                // The other side went away, or the test is over.
              }
            },
            "hostile-slave");
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket client) throws Exception {
    try (client) {
      client.setTcpNoDelay(true);
      DataInputStream in = new DataInputStream(client.getInputStream());
      while (true) {
        int transaction = in.readUnsignedShort();
        in.readUnsignedShort();
        int length = in.readUnsignedShort();
        int unit = in.readUnsignedByte();
        script.play(
            new Request(transaction, unit, in.readNBytes(length - 1)), client.getOutputStream());
      }
    }
  }

  static int register(int address) {
    return (address * 31 + 7) & 0xFFFF;
  }

  static byte[] frame(int transaction, int protocol, int unit, byte... pdu) {
    return frame(transaction, protocol, pdu.length + 1, unit, pdu);
  }

  /** A frame whose length may lie. */
  static byte[] frame(int transaction, int protocol, int length, int unit, byte[] pdu) {
    ByteBuffer frame = ByteBuffer.allocate(7 + pdu.length);
    frame.putShort((short) transaction).putShort((short) protocol).putShort((short) length);
    return frame.put((byte) unit).put(pdu).array();
  }

  static byte[] bytes(int... values) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int value : values) {
      out.write(value);
    }
    return out.toByteArray();
  }

  void play(Script script) {
    this.script = script;
  }

  void behave() {
    script = (request, out) -> out.write(request.answer());
  }

  int port() {
    return server.getLocalPort();
  }

  /** How many connections were made so far. */
  int connections() {
    return connections.get();
  }

  /** Whether all connections have ended, and all that came over them was heard. */
  boolean quiet() {
    return ended.get() == connections.get();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket client : clients) {
      client.close();
    }
  }
}
