package ${package};

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A controller to talk to until the real one is on the desk:
 *
 * <pre>
 * java src/test/java/…/${prefix}Controller.java 4700
 * </pre>
 *
 * <p>Written from the protocol's text and not from the driver's code, so that a mistake can't hide
 * in both.
 */
public final class ${prefix}Controller {
  /** Percent, 0 to 100. */
  private static final AtomicInteger DIMMING = new AtomicInteger(80);

  private static final int[] HALF_BYTES = {
    0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
    0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
  };

  private ${prefix}Controller() {}

  /** Serves on a port of this machine until it is ended. */
  public static void main(String[] args) throws IOException {
    int port = args.length == 1 ? Integer.parseInt(args[0]) : 4700;
    try (ServerSocket server = new ServerSocket(port, 10, InetAddress.getLoopbackAddress())) {
      System.out.println("A lamp controller at ${scheme}://127.0.0.1:" + port + "; end with Ctrl-C");
      while (true) {
        Socket client = server.accept();
        Thread thread = new Thread(() -> serve(client));
        thread.setDaemon(true);
        thread.start();
      }
    }
  }

  private static void serve(Socket client) {
    try (client) {
      DataInputStream in = new DataInputStream(client.getInputStream());
      OutputStream out = client.getOutputStream();
      while (true) {
        int start = in.readUnsignedByte();
        int length = in.readUnsignedByte();
        byte[] body = in.readNBytes(length);
        int sum = in.readUnsignedByte() | in.readUnsignedByte() << 8;
        byte[] head = {(byte) start, (byte) length};
        if (start != 0xA5 || body.length < 3 || sum != crc(crc(0xFFFF, head), body)) {
          System.out.println("Found something that is no request; the connection is closed");
          return;
        }
        byte[] answer = answer(body);
        byte[] answerHead = {(byte) 0xA5, (byte) answer.length};
        int answerSum = crc(crc(0xFFFF, answerHead), answer);
        ByteBuffer frame = ByteBuffer.allocate(answer.length + 4);
        frame.put(answerHead).put(answer).put((byte) answerSum).put((byte) (answerSum >> 8));
        out.write(frame.array());
      }
    } catch (EOFException e) {
      // The gateway has gone.
    } catch (IOException e) {
      System.out.println("A connection broke: " + e.getMessage());
    }
  }

  private static byte[] answer(byte[] request) {
    byte number = request[0];
    byte function = request[1];
    int address = Byte.toUnsignedInt(request[2]);
    if (function == 1 && request.length == 3) {
      Integer value = value(address);
      return value == null
          ? new byte[] {number, function, 1}
          : new byte[] {number, function, 0, (byte) (value >> 8), value.byteValue()};
    }
    if (function == 2 && request.length == 5) {
      int value = Byte.toUnsignedInt(request[3]) << 8 | Byte.toUnsignedInt(request[4]);
      if (address != 32) {
        return new byte[] {number, function, (byte) (value(address) == null ? 1 : 2)};
      }
      if (value > 100) {
        return new byte[] {number, function, 3};
      }
      DIMMING.set(value);
      System.out.println("dimmed to " + value + " %");
      return new byte[] {number, function, 0};
    }
    return new byte[] {number, function, 4};
  }

  private static Integer value(int address) {
    double wave = Math.sin(System.nanoTime() / 1e9 / 10);
    return switch (address) {
      // Tenths of a watt: up to 120 W, a little more or less.
      case 16 -> (int) (DIMMING.get() * 12 + wave * DIMMING.get() / 4);
      // Tenths of a degree.
      case 17 -> (int) (251 + wave * 30);
      case 32 -> DIMMING.get();
      case 33 -> DIMMING.get() > 0 ? 1 : 0;
      default -> null;
    };
  }

  /** Goes on with a CRC-16/MODBUS, by a table and not bit by bit. */
  private static int crc(int sum, byte[] bytes) {
    int crc = sum;
    for (byte each : bytes) {
      crc = crc >> 4 ^ HALF_BYTES[(crc ^ each) & 0xF];
      crc = crc >> 4 ^ HALF_BYTES[(crc ^ each >> 4) & 0xF];
    }
    return crc;
  }
}
