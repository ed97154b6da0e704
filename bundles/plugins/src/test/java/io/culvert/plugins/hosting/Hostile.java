package io.culvert.plugins.hosting;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Random;

/**
 * A process that isn't what the gateway has started: it knows the socket and the word, and does
 * with the wire what it likes.
 */
public final class Hostile {
  private static SocketChannel channel;

  public static void main(String[] arguments) throws Exception {
    Start start = Start.read(System.in);
    channel = SocketChannel.open(UnixDomainSocketAddress.of(start.socket()));
    String evil = arguments[0];
    if (evil.equals("stranger")) {
      tell(Op.HELLO, out -> out.text("let me in"));
    } else if (!evil.equals("rude")) {
      tell(Op.HELLO, out -> out.text(start.word()));
    }
    tell(Op.DRIVERS, out -> out.array(1).integer(1).array(1).text("odd").array(0));
    switch (evil) {
      case "garbage" -> {
        byte[] garbage = new byte[1 << 16];
        new Random(1).nextBytes(garbage);
        write(ByteBuffer.wrap(garbage));
      }
      case "giant" -> write(ByteBuffer.allocate(4).putInt(Integer.MAX_VALUE).flip());
      case "negative" -> write(ByteBuffer.allocate(4).putInt(-1).flip());
      case "operation" -> tell(Op.STOP, out -> {});
      case "drivers" -> tell(Op.DRIVERS, out -> out.array(10_000));
      case "calls" -> {
        for (long i = 0; ; i++) {
          frame(0, i, out -> out.integer(Op.LINE_OPEN.ordinal()).integer(7).text("too much"));
        }
      }
      case "lines" -> {
        for (long i = 0; ; i++) {
          long number = i;
          tell(
              Op.JOIN,
              out -> {
                out.integer(number).text("/dev/x").integer(9600).integer(8).integer(0);
                out.integer(1).bool(false).bool(false).integer(0);
              });
        }
      }
      case "devices" -> {
        for (long i = 0; ; i++) {
          long number = i;
          tell(
              Op.JOIN,
              out -> {
                out.integer(number).text("/dev/" + number).integer(9600).integer(8).integer(0);
                out.integer(1).bool(false).bool(false).integer(0);
              });
          tell(Op.LEAVE, out -> out.integer(number));
        }
      }
      case "flaps" -> {
        while (true) {
          tell(Op.DRIVERS, out -> out.array(0));
          tell(Op.DRIVERS, out -> out.array(1).integer(1).array(1).text("odd").array(0));
        }
      }
      case "hangup" -> channel.close();
      case "prints" -> {
        byte[] line = new byte[1 << 20];
        java.util.Arrays.fill(line, (byte) 'x');
        for (int i = 0; i < 200; i++) {
          System.out.write(line, 0, line.length);
        }
        for (int i = 0; i < 100_000; i++) {
          System.out.println("\u001b[2J\u0007 ERROR forged " + i);
        }
        System.out.println("the end of it");
        System.out.flush();
        System.exit(9);
      }
      default -> {}
    }
    // Until it is ended.
    Thread.currentThread().join();
  }

  private static void tell(Op op, Peer.Body body) throws IOException {
    frame(1, 0, out -> body.write(out.integer(op.ordinal())));
  }

  private static void frame(int kind, long number, Peer.Body body) throws IOException {
    Cbor.Writer out = new Cbor.Writer();
    body.write(out.integer(kind).integer(number));
    write(ByteBuffer.allocate(4).putInt(out.length()).flip());
    write(ByteBuffer.wrap(out.toBytes()));
  }

  private static void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
