package io.culvert.launcher;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * {@code record <device> [<file>] …}: the file is this program's, written by whoever asks; all else
 * is the gateway's. On Ctrl-C the gateway is told that nothing more will be asked, and its last
 * words are waited for.
 */
final class Recording {
  private static final int LONGEST_SECONDS = 30;

  private final CountDownLatch answered = new CountDownLatch(1);
  private volatile int exit = Exit.FAILED.code();

  private Recording() {}

  /**
   * @param words after {@code record}
   * @return the exit code that the gateway's command gave
   */
  static int ask(Layout layout, List<String> words) throws Failure {
    List<String> rest = new ArrayList<>(List.of("record"));
    List<String> names = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (word.startsWith("--")) {
        rest.add(word);
        if (i + 1 < words.size()) {
          rest.add(words.get(++i));
        }
      } else {
        names.add(word);
      }
    }
    if (names.size() > 2) {
      throw new Failure(
          Exit.USAGE, "record: found %s; expected a device and a file".formatted(names));
    }
    if (!names.isEmpty()) {
      rest.add(names.get(0));
    }
    return new Recording().ask(layout, rest, names.size() < 2 ? null : Path.of(names.get(1)));
  }

  private int ask(Layout layout, List<String> words, Path file) throws Failure {
    if (file != null && Files.exists(file)) {
      throw new Failure(Exit.FAILED, file + " is there already; name another file, or delete it");
    }
    try (PrintStream out = file == null ? null : new PrintStream(new Late(file))) {
      exit =
          Control.ask(
              layout,
              words,
              out == null ? System.out : out,
              System.err,
              channel ->
                  Runtime.getRuntime()
                      .addShutdownHook(new Thread(() -> end(channel), "culvert-end")));
      if (out != null && out.checkError()) {
        throw new Failure(Exit.FAILED, file + " can't be written; see whether its disk is full");
      }
      return exit;
    } finally {
      answered.countDown();
    }
  }

  private void end(SocketChannel channel) {
    try {
      if (answered.getCount() == 0) {
        return;
      }
      channel.shutdownOutput();
      if (answered.await(LONGEST_SECONDS, TimeUnit.SECONDS)) {
        System.out.flush();
        // The signal's own status would hide what the gateway says.
        Runtime.getRuntime().halt(exit);
      }
    } catch (IOException e) {
      // Answered already, or the gateway has gone.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A new file, made with its first byte, so that a refusal leaves none; its owner's alone, since
   * passwords may stand in it.
   */
  private static final class Late extends OutputStream {
    private final Path file;
    private OutputStream out;

    Late(Path file) {
      this.file = file;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int count) throws IOException {
      if (out == null) {
        out =
            Channels.newOutputStream(
                Files.newByteChannel(
                    file,
                    EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(
                        PosixFilePermissions.fromString("rw-------"))));
      }
      out.write(bytes, from, count);
    }

    @Override
    public void close() throws IOException {
      if (out != null) {
        out.close();
      }
    }
  }
}
