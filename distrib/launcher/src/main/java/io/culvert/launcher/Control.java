package io.culvert.launcher;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Hands one command to the running gateway over its control socket and passes on what it answers.
 *
 * <p>A request is a byte for the version, an int for the number of words and each word as modified
 * UTF-8 with its length. The answer is a row of frames, each a byte for its kind and an int: 1 and
 * 2 are followed by so many bytes for standard output and standard error; 0 ends the row, and the
 * int is the exit code.
 */
final class Control {
  private static final int VERSION = 1;
  private static final int END = 0;
  private static final int OUT = 1;
  private static final int ERR = 2;
  private static final int LARGEST_FRAME = 1 << 20;

  private Control() {}

  /**
   * @return the exit code that the gateway's command gave
   */
  static int ask(Layout layout, List<String> words) throws Failure {
    return ask(layout, words, System.out, System.err, channel -> {});
  }

  /**
   * @param asked given the connection when all has been asked
   */
  static int ask(
      Layout layout,
      List<String> words,
      PrintStream out,
      PrintStream err,
      Consumer<SocketChannel> asked)
      throws Failure {
    SocketChannel channel;
    try {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    } catch (IOException e) {
      throw new Failure(Exit.ENVIRONMENT, "No Unix socket to be had: " + e.getMessage());
    }
    try (channel) {
      try {
        Path socket =
            Files.exists(layout.socketElsewhere())
                ? Path.of(Files.readString(layout.socketElsewhere()).strip())
                : layout.socket();
        channel.connect(UnixDomainSocketAddress.of(socket));
      } catch (IOException | IllegalArgumentException e) {
        throw notReached(layout, e);
      }
      DataOutputStream request = new DataOutputStream(Channels.newOutputStream(channel));
      request.writeByte(VERSION);
      request.writeInt(words.size());
      for (String word : words) {
        request.writeUTF(word);
      }
      request.flush();
      asked.accept(channel);
      DataInputStream answer = new DataInputStream(Channels.newInputStream(channel));
      while (true) {
        int kind = answer.readUnsignedByte();
        int number = answer.readInt();
        if (kind == END) {
          return number;
        }
        if (kind != OUT && kind != ERR || number < 0 || number > LARGEST_FRAME) {
          throw new IOException("frame of kind " + kind + " and length " + number);
        }
        PrintStream to = kind == OUT ? out : err;
        to.write(answer.readNBytes(number));
        if (to.checkError()) {
          // Nobody reads on, as with "| head": the gateway must not go on either.
          return Exit.FAILED.code();
        }
      }
    } catch (EOFException e) {
      throw new Failure(Exit.FAILED, "The gateway went away before it had answered");
    } catch (IOException e) {
      throw new Failure(Exit.FAILED, "The gateway's answer can't be read: " + Layout.reason(e));
    }
  }

  private static Failure notReached(Layout layout, Exception cause) {
    try {
      if (DataLock.owner(layout).isPresent()) {
        return new Failure(
            Exit.FAILED,
            "A gateway runs on %s but doesn't answer yet; try again in some seconds, else see data/log"
                .formatted(layout.data()));
      }
      return new Failure(
          Exit.NOT_RUNNING,
          "No gateway runs on %s; start it with: bin/culvert start".formatted(layout.data()));
    } catch (IOException e) {
      return new Failure(
          Exit.FAILED,
          "%s can't be opened (%s); try as the user that the gateway runs as"
              .formatted(layout.run(), Layout.reason(e)));
    }
  }
}
