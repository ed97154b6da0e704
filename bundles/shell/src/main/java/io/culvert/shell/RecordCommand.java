package io.culvert.shell;

import io.culvert.api.service.Recorder;
import io.culvert.api.service.Recorder.Recording;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * {@code record}: begins a recording, writes it line by line as it comes, and ends it. Whoever
 * takes the lines sets no pace for the device: what isn't taken in time ends the recording.
 */
final class RecordCommand implements Recorder.Tape {
  static final String USAGE =
      """
      usage: culvert record <device> [<file>] [--seconds N] [--bytes N]

        Records what a device and this gateway say to each other, byte for byte, while the
        device goes on being read: into a new file, or to standard output. Ends with Ctrl-C,
        after --seconds, or when the file has --bytes (67108864, which is 64 MiB, unless said
        otherwise). Play it back with: simulator replay <file>

        A device over TCP is reached through a relay in the gateway for so long; its
        connection is opened anew at the beginning and at the end, between two polls. On a
        serial line is only listened: all that is said there is recorded, other devices'
        frames too.

        A recording holds all that the device said, and what it was told: readings, serial
        numbers, and the passwords of protocols that send them in clear. Look it through
        before you pass it on. Encrypted sessions can't be recorded.
      exit: 0 recorded as long as was wished, 1 not, or it ended sooner, 2 not understood
      """;

  /** As much as a file gets unless something else is wished. */
  static final long BYTES = 64L << 20;

  private static final long MOST_BYTES = 1L << 30;
  private static final long MOST_SECONDS = 366L * 24 * 3600;

  /** What may wait to be written, in characters. */
  private static final long MOST_WAITING = 16L << 20;

  /** Of a file, for the last line. */
  private static final int RESERVED = 512;

  /** For the device's turn: the longest exchange of all that share its lane, and more. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Recorder recorder;
  private final InstantSource clock;
  private final PrintStream out;
  private final PrintStream err;
  private final BlockingQueue<Item> lines = new LinkedBlockingQueue<>();
  private final AtomicLong waiting = new AtomicLong();
  private final long start = System.nanoTime();
  private final RecordingWriter writer = new RecordingWriter(this::line, start);
  private volatile Recording recording;
  private volatile boolean overrun;

  /** Why it ended, as the gateway says; {@code null} while it goes on. */
  private volatile String ended;

  /** Why this command ended it; {@code null} while it hasn't. */
  private volatile String wished;

  private long sent;
  private long received;
  private int connections;
  private long written;

  RecordCommand(Recorder recorder, InstantSource clock, PrintStream out, PrintStream err) {
    this.recorder = recorder;
    this.clock = clock;
    this.out = out;
    this.err = err;
  }

  private record Item(String line, boolean last) {}

  private record Order(String device, long seconds, long bytes) {}

  private static Order understand(List<String> words) throws CommandFailed {
    String device = null;
    long seconds = MOST_SECONDS;
    long bytes = BYTES;
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (word.equals("--seconds")) {
        seconds = number(words, ++i, word, MOST_SECONDS);
      } else if (word.equals("--bytes")) {
        bytes = number(words, ++i, word, MOST_BYTES);
      } else if (word.startsWith("-") || device != null) {
        throw new CommandFailed(
            CommandFailed.USAGE,
            "record: found "
                + word
                + "; expected one device, --seconds N or --bytes N; see: culvert record help");
      } else {
        device = word;
      }
    }
    if (device == null) {
      throw new CommandFailed(
          CommandFailed.USAGE, "record: found no device; see: culvert record help");
    }
    return new Order(device, seconds, bytes);
  }

  private static long number(List<String> words, int at, String option, long most)
      throws CommandFailed {
    String text = at < words.size() ? words.get(at) : "nothing";
    if (text.matches("[0-9]{1,12}")) {
      long number = Long.parseLong(text);
      if (number >= 1 && number <= most) {
        return number;
      }
    }
    throw new CommandFailed(
        CommandFailed.USAGE,
        "record: found %s %s; expected a whole number from 1 to %d".formatted(option, text, most));
  }

  /**
   * @param client at its end when whoever asked wants no more, or has gone; {@code null} if that
   *     isn't told
   */
  void run(List<String> words, ReadableByteChannel client) throws CommandFailed {
    if (words.size() == 1 && List.of("help", "--help", "-h").contains(words.get(0))) {
      out.print(USAGE);
      return;
    }
    Order order = understand(words);
    Instant moment = clock.instant().minusNanos(System.nanoTime() - start);
    recording = begin(order.device());
    write(RecordingWriter.header(recording.subject(), moment));
    out.flush();
    err.println(
        "culvert: "
            + order.device()
            + " is being recorded"
            + (recording.subject().matcher().isEmpty()
                ? "; its driver doesn't say how frames are matched, so a replay compares whole"
                    + " requests"
                : "")
            + "; Ctrl-C ends it");
    err.flush();
    if (client != null) {
      Thread watch = new Thread(() -> watch(client), "culvert-record-watch");
      watch.setDaemon(true);
      watch.start();
    }
    take(order);
    out.flush();
    err.println(summary(order.device()));
    if (wished == null || overrun) {
      throw new CommandFailed(CommandFailed.FAILED, "the recording ended: " + ended);
    }
  }

  private Recording begin(String device) throws CommandFailed {
    try {
      return recorder
          .record(device, this)
          .toCompletableFuture()
          .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new CommandFailed(
          CommandFailed.FAILED, device + " can't be recorded: " + e.getCause().getMessage());
    } catch (TimeoutException e) {
      throw new CommandFailed(
          CommandFailed.FAILED,
          device + " got no turn on its lane within " + PATIENCE.toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailed(CommandFailed.FAILED, "the gateway stops");
    }
  }

  private void watch(ReadableByteChannel client) {
    try {
      ByteBuffer nothing = ByteBuffer.allocate(64);
      while (client.read(nothing) >= 0) {
        nothing.clear();
      }
    } catch (IOException e) {
      // It has gone: the same.
    }
    end("it was ended by hand");
  }

  private void end(String why) {
    if (wished == null) {
      wished = why;
    }
    recording.end(why);
  }

  /** Writes what comes until the last line is written. */
  private void take(Order order) throws CommandFailed {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(order.seconds());
    long giveUp = until + PATIENCE.toNanos();
    boolean full = false;
    Item item;
    do {
      long now = System.nanoTime();
      if (now - until >= 0) {
        end(order.seconds() + " s were wished");
      }
      if (wished != null) {
        giveUp = Math.min(giveUp, now + PATIENCE.toNanos());
        if (now - giveUp >= 0) {
          throw new CommandFailed(CommandFailed.FAILED, "the recording doesn't end");
        }
      }
      item = next();
      if (item == null) {
        continue;
      }
      if (item.last() || !full && written + size(item.line()) + RESERVED <= order.bytes()) {
        write(item.line());
      } else if (!full) {
        full = true;
        end("its file is full, at " + order.bytes() + " bytes");
      }
      if (lines.isEmpty() && out.checkError()) {
        end("nobody takes what is recorded");
      }
    } while (item == null || !item.last());
  }

  /** Waits a second for it; {@code null} if nothing came. */
  private Item next() throws CommandFailed {
    try {
      Item item = lines.poll(1, TimeUnit.SECONDS);
      if (item != null) {
        waiting.addAndGet(-item.line().length());
      }
      return item;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      recording.end("the gateway stops");
      throw new CommandFailed(CommandFailed.FAILED, "the gateway stops");
    }
  }

  private static int size(String line) {
    return line.getBytes(StandardCharsets.UTF_8).length + 1;
  }

  private void write(String line) {
    out.print(line);
    out.print('\n');
    written += size(line);
  }

  private String summary(String device) {
    return "culvert: %s to %s, %s from it, %s; ended: %s"
        .formatted(
            Text.plural(sent, "byte"),
            device,
            Text.plural(received, "byte"),
            Text.plural(connections, "connection"),
            ended);
  }

  private void line(String line) {
    boolean last = ended != null;
    if (!last && waiting.get() + line.length() > MOST_WAITING) {
      overrun = true;
      Recording present = recording;
      if (present != null) {
        present.end("what is recorded isn't taken as fast as it comes");
      }
      return;
    }
    waiting.addAndGet(line.length());
    lines.add(new Item(line, last));
  }

  @Override
  public void opened(int connection, long nanos) {
    connections++;
    writer.opened(connection, nanos);
  }

  @Override
  public void passed(int connection, boolean toDevice, byte[] bytes, long nanos) {
    if (toDevice) {
      sent += bytes.length;
    } else {
      received += bytes.length;
    }
    writer.passed(connection, toDevice, bytes, nanos);
  }

  @Override
  public void closed(int connection, Recorder.Closing how, boolean byDevice, long nanos) {
    writer.closed(connection, how, byDevice, nanos);
  }

  @Override
  public void ended(String why, long nanos) {
    ended = why;
    writer.ended(why, nanos);
  }
}
