package io.culvert.plugins.hosting;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.event.Level;

/**
 * Reads what a plug-in's process prints, and puts it into the gateway's log: bounded in length and
 * rate, and so that no line can look like another's. On a thread of its own.
 */
final class LogLines implements Runnable {
  /** The longest line, in bytes; what is beyond is left out. */
  private static final int LONGEST = 8 << 10;

  private static final int PER_SECOND = 50;
  private static final int BURST = 500;

  /** How the JVM tells that it ends for want of memory. */
  private static final String OUT_OF_MEMORY = "Terminating due to java.lang.OutOfMemoryError: ";

  /** How it tells of a crash: {@code # SIGSEGV (0xb) at pc=0x…}. */
  private static final Pattern CRASH =
      Pattern.compile("# +(SIG[A-Z]+) \\(0x\\p{XDigit}+\\) at pc=.*");

  private final InputStream in;
  private final Logger log;
  private final CompletableFuture<Void> end = new CompletableFuture<>();
  private final byte[] line = new byte[LONGEST];
  private int length;
  private double left = BURST;
  private long since = System.nanoTime();
  private long dropped;
  private volatile String outOfMemory;
  private volatile String crash;
  private volatile String last = "";

  LogLines(InputStream in, Logger log) {
    this.in = in;
    this.log = log;
  }

  /** Completed when everything is read. */
  CompletableFuture<Void> end() {
    return end;
  }

  /** What memory it lacked, as the JVM says; {@code null} if it didn't say so. */
  String outOfMemory() {
    return outOfMemory;
  }

  /** The signal of a crash in native code; {@code null} if there was none. */
  String crash() {
    return crash;
  }

  /** The last line that was printed; {@code ""} if none was. */
  String last() {
    return last;
  }

  @Override
  public void run() {
    byte[] chunk = new byte[4096];
    try (in) {
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        for (int i = 0; i < n; i++) {
          if (chunk[i] == '\n') {
            whole();
          } else if (length < LONGEST) {
            line[length++] = chunk[i];
          }
        }
      }
    } catch (IOException e) {
      // Its end.
    }
    if (length > 0) {
      whole();
    }
    tellDropped();
    end.complete(null);
  }

  private void whole() {
    String text = new String(line, 0, length, StandardCharsets.UTF_8).stripTrailing();
    length = 0;
    if (text.startsWith(OUT_OF_MEMORY)) {
      outOfMemory = text.substring(OUT_OF_MEMORY.length());
    }
    Matcher crashed = CRASH.matcher(text);
    if (crashed.matches()) {
      crash = crashed.group(1);
    }
    if (text.isEmpty() || !room()) {
      return;
    }
    tellDropped();
    if (text.charAt(0) == ChildLog.MARK) {
      String[] parts = text.substring(1).split(String.valueOf(ChildLog.FIELD), 3);
      if (parts.length == 3) {
        log.atLevel(level(parts[0])).log("{}: {}", clean(parts[1]), clean(parts[2]));
        return;
      }
    }
    last = clean(text);
    log.info("prints: {}", last);
  }

  private boolean room() {
    long now = System.nanoTime();
    left = Math.min(BURST, left + (now - since) / 1e9 * PER_SECOND);
    since = now;
    if (left < 1) {
      dropped++;
      return false;
    }
    left--;
    return true;
  }

  private void tellDropped() {
    if (dropped > 0) {
      log.warn("{} more lines were left out: more than {} a second", dropped, PER_SECOND);
      dropped = 0;
    }
  }

  private static Level level(String name) {
    try {
      return Level.valueOf(name);
    } catch (IllegalArgumentException e) {
      return Level.INFO;
    }
  }

  /** Lines after the first are set in; no other control character stays. */
  private static String clean(String text) {
    return text.replaceAll("[\\p{Cntrl}&&[^" + ChildLog.LINE + "\t]]", "?")
        .replace(String.valueOf(ChildLog.LINE), System.lineSeparator() + "    ");
  }
}
