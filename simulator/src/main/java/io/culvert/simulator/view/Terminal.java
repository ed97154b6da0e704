package io.culvert.simulator.view;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The terminal: redraws a picture in place, on the alternate screen, so that what was there before
 * comes back. One thread.
 */
public final class Terminal implements AutoCloseable {
  private static final String ENTER = "\033[?1049h\033[?25l";
  private static final String LEAVE = "\033[?25h\033[?1049l";
  private static final long RESIZE_CHECK_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final PrintStream out;
  private int columns = 80;
  private int rows = 24;
  private long measuredAt = System.nanoTime() - RESIZE_CHECK_NANOS;
  private boolean open;

  public Terminal(PrintStream out) {
    this.out = out;
  }

  /** Whether standard output is a terminal and not a file or a pipe. */
  public static boolean present() {
    if ("dumb".equals(System.getenv("TERM"))) {
      return false;
    }
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException e) {
      return System.console() != null;
    }
  }

  public int columns() {
    measure();
    return columns;
  }

  public int rows() {
    measure();
    return rows;
  }

  /** Draws a picture over the last one. */
  public void draw(List<String> lines) {
    StringBuilder text = new StringBuilder();
    if (!open) {
      text.append(ENTER);
      open = true;
    }
    // One write between begin and end of a synchronised update: no flicker.
    text.append("\033[?2026h\033[H");
    for (int i = 0; i < Math.min(lines.size(), rows); i++) {
      text.append(i == 0 ? "" : "\r\n").append(lines.get(i)).append("\033[0m\033[K");
    }
    text.append("\033[J\033[?2026l");
    out.print(text);
    out.flush();
  }

  @Override
  public void close() {
    if (open) {
      out.print(LEAVE);
      out.flush();
      open = false;
    }
  }

  private void measure() {
    if (System.nanoTime() - measuredAt < RESIZE_CHECK_NANOS) {
      return;
    }
    measuredAt = System.nanoTime();
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(Path.of("/dev/tty").toFile())
              .redirectErrorStream(true)
              .start();
      String[] size =
          new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
              .trim()
              .split(" ");
      if (size.length == 2) {
        rows = Math.max(10, Integer.parseInt(size[0]));
        columns = Math.max(40, Integer.parseInt(size[1]));
      }
    } catch (IOException | NumberFormatException e) {
      // No stty: it stays at what every terminal has.
      measuredAt = Long.MAX_VALUE / 2;
    }
  }
}
