package io.culvert.simulator.replay;

import io.culvert.simulator.replay.Recording.Kind;
import io.culvert.simulator.replay.Script.Asked;
import io.culvert.simulator.replay.Script.Part;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A recorded device, played back: answers each request as it was answered when it was recorded,
 * after the same time. For a test: {@code try (Replay device = Replay.tcp(Recording.read(file), 0,
 * 10)) { … device.port() … assertThat(device.report().complete()) }}.
 *
 * <p>The same request asked several times gets its answers in order of time, then the last again.
 * What was recorded goes on over reconnections; a request that was never recorded is left
 * unanswered and stands in the {@linkplain #report report}.
 *
 * <p>Threads: one that accepts and two for each connection, all ended by {@link #close}.
 */
public final class Replay implements AutoCloseable {
  private static final int MOST_CONNECTIONS = 32;

  /** Answers that wait for their time, on one connection. */
  private static final int MOST_WAITING = 10_000;

  /** Different unknown requests that are told apart. */
  private static final int MOST_UNKNOWN = 1000;

  private static final int CHUNK = 4096;

  private final Script script;
  private final double speed;
  private final Consumer<String> says;
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final Map<ByteBuffer, Stranger> unknown = new LinkedHashMap<>();
  private ServerSocket server;
  private int connections;
  private long requests;
  private long known;
  private long repeated;
  private long damaged;
  private volatile boolean closed;

  private static final class Stranger {
    final byte[] request;
    long times;

    Stranger(byte[] request) {
      this.request = request;
    }
  }

  private Replay(Recording recording, double speed, Consumer<String> says)
      throws RecordingException {
    if (!(speed > 0)) {
      throw new IllegalArgumentException("speed " + speed + " instead of more than 0");
    }
    this.script = new Script(recording);
    this.speed = speed;
    this.says = says;
  }

  /**
   * Plays on a port of the loopback address.
   *
   * @param port 0 for any that is free; see {@link #port}
   * @param speed 1 as recorded, 10 ten times as fast
   * @throws RecordingException if the recording says of its frames what can't be understood
   */
  public static Replay tcp(Recording recording, int port, double speed) throws IOException {
    return tcp(recording, port, speed, line -> {});
  }

  /**
   * As {@link #tcp(Recording, int, double)}.
   *
   * @param says told in words what is noteworthy, such as an unknown request, each once
   */
  public static Replay tcp(Recording recording, int port, double speed, Consumer<String> says)
      throws IOException {
    Replay replay = new Replay(recording, speed, says);
    ServerSocket server = new ServerSocket();
    server.setReuseAddress(true);
    try {
      server.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 50);
    } catch (IOException e) {
      server.close();
      throw new IOException("Port " + port + " can't be had: " + e.getMessage(), e);
    }
    replay.server = server;
    thread("replay-" + server.getLocalPort(), replay::accept).start();
    return replay;
  }

  /**
   * Plays on a serial line, or on one end of a pair of pseudo-terminals. Sets the line as the
   * recorded endpoint says, by {@code stty}.
   *
   * @param line its device file
   */
  public static Replay serial(Recording recording, Path line, double speed, Consumer<String> says)
      throws IOException {
    Replay replay = new Replay(recording, speed, says);
    SerialSettings.apply(line, recording.header().getOrDefault("endpoint", ""), says);
    // Apart, since a channel lets one of reading and writing wait for the other.
    FileChannel in = FileChannel.open(line, StandardOpenOption.READ);
    FileChannel out;
    try {
      out = FileChannel.open(line, StandardOpenOption.WRITE);
    } catch (IOException e) {
      in.close();
      throw e;
    }
    replay.serve(
        Channels.newInputStream(in),
        Channels.newOutputStream(out),
        kind -> {},
        () -> {
          in.close();
          out.close();
        });
    return replay;
  }

  private static Thread thread(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Where it listens; of a serial line 0. */
  public int port() {
    return server == null ? 0 : server.getLocalPort();
  }

  private interface Quit {
    void run() throws IOException;
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = server.accept();
        if (links.size() >= MOST_CONNECTIONS) {
          socket.close();
          continue;
        }
        try {
          socket.setTcpNoDelay(true);
          serve(
              socket.getInputStream(),
              socket.getOutputStream(),
              kind -> {
                if (kind != Kind.CLOSED) {
                  socket.setSoLinger(true, 0);
                }
                socket.close();
              },
              socket::close);
        } catch (IOException e) {
          // Gone before it was served.
          socket.close();
        }
      }
    } catch (IOException e) {
      // Closed: that is how it ends.
    }
  }

  private interface Ending {
    void end(Kind how) throws IOException;
  }

  private void serve(InputStream in, OutputStream out, Ending ending, Quit quit) {
    int number;
    synchronized (this) {
      number = connections++;
    }
    Link link = new Link(number, in, out, ending, quit);
    links.add(link);
    if (closed) {
      link.quit();
      return;
    }
    link.begin();
  }

  /** What became of it so far. */
  public synchronized ReplayReport report() {
    List<ReplayReport.Unknown> all = new ArrayList<>();
    for (Stranger stranger : unknown.values()) {
      all.add(unknown(stranger));
    }
    long unasked = script.all().stream().filter(asked -> asked.played() == 0).count();
    return new ReplayReport(requests, known, repeated, damaged, all, unasked);
  }

  private ReplayReport.Unknown unknown(Stranger stranger) {
    byte[] nearest = null;
    int least = Integer.MAX_VALUE;
    for (Asked asked : script.all()) {
      int distance = distance(stranger.request, asked.request());
      if (distance < least) {
        least = distance;
        nearest = asked.request();
      }
    }
    String hex = HexFormat.of().formatHex(stranger.request);
    return nearest == null
        ? new ReplayReport.Unknown(hex, stranger.times, "", "")
        : new ReplayReport.Unknown(
            hex,
            stranger.times,
            HexFormat.of().formatHex(nearest),
            difference(stranger.request, nearest));
  }

  private int distance(byte[] one, byte[] other) {
    int distance = Math.abs(one.length - other.length);
    for (int i = 0; i < Math.min(one.length, other.length); i++) {
      if (one[i] != other[i] && script.matcher().compares(one, i)) {
        distance++;
      }
    }
    return distance;
  }

  private String difference(byte[] found, byte[] recorded) {
    List<String> all = new ArrayList<>();
    if (found.length != recorded.length) {
      all.add(found.length + " bytes instead of " + recorded.length);
    }
    for (int i = 0; i < Math.min(found.length, recorded.length) && all.size() < 8; i++) {
      if (found[i] != recorded[i] && script.matcher().compares(found, i)) {
        all.add("byte %d is %02x instead of %02x".formatted(i, found[i], recorded[i]));
      }
    }
    return String.join(", ", all);
  }

  /**
   * What is to come of a request.
   *
   * @return {@code null} for nothing
   */
  private synchronized Script.Exchange play(byte[] request) {
    requests++;
    if (!script.matcher().intact(request)) {
      damaged++;
      return null;
    }
    Asked asked = script.find(request);
    if (asked == null) {
      strange(request);
      return null;
    }
    known++;
    if (asked.played() >= asked.recorded()) {
      repeated++;
    }
    return asked.play();
  }

  private void strange(byte[] request) {
    ByteBuffer key = script.matcher().compared(request);
    Stranger stranger = unknown.get(key);
    if (stranger == null) {
      if (unknown.size() >= MOST_UNKNOWN) {
        return;
      }
      stranger = new Stranger(request);
      unknown.put(key, stranger);
      stranger.times++;
      says.accept(unknown(stranger).toString());
    } else {
      stranger.times++;
    }
  }

  /** One connection. */
  private final class Link {
    private final int number;
    private final InputStream in;
    private final OutputStream out;
    private final Ending ending;
    private final Quit quit;
    private final Cutter cutter = script.matcher().cutter();
    private final ScheduledThreadPoolExecutor sender;
    private ScheduledFuture<?> silence;
    private long leftOut;

    Link(int number, InputStream in, OutputStream out, Ending ending, Quit quit) {
      this.number = number;
      this.in = in;
      this.out = out;
      this.ending = ending;
      this.quit = quit;
      this.sender =
          new ScheduledThreadPoolExecutor(1, task -> thread("replay-send-" + number, task));
      sender.setRemoveOnCancelPolicy(true);
      sender.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    void begin() {
      script.sent(number).forEach(part -> later(part, part.bytes()));
      thread("replay-read-" + number, this::read).start();
    }

    private void read() {
      byte[] buffer = new byte[CHUNK];
      try {
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
          took(Arrays.copyOf(buffer, count));
        }
      } catch (IOException e) {
        // Ended by one side or the other.
      } finally {
        quit();
      }
    }

    private synchronized void took(byte[] bytes) {
      if (silence != null) {
        silence.cancel(false);
        silence = null;
      }
      cutter.take(bytes, this::request);
      if (cutter.leftOut() > leftOut) {
        leftOut = cutter.leftOut();
        garbage();
      }
      if (cutter instanceof Cutter.BySilence && !sender.isShutdown()) {
        byte[] held = cutter.held();
        if (held.length > 0
            && script.find(held) != null
            && script.matcher().intact(held)
            && !script.beginsLonger(held)) {
          fallSilent();
        } else {
          silence =
              sender.schedule(
                  this::fallSilent, script.matcher().gapMillis(), TimeUnit.MILLISECONDS);
        }
      }
    }

    private synchronized void fallSilent() {
      byte[] frame = ((Cutter.BySilence) cutter).release();
      if (frame.length > 0) {
        request(frame);
      }
    }

    private void garbage() {
      synchronized (Replay.this) {
        damaged++;
      }
    }

    private void request(byte[] request) {
      Script.Exchange exchange = play(request);
      if (exchange == null) {
        return;
      }
      if (sender.getQueue().size() > MOST_WAITING) {
        quit();
        return;
      }
      for (Part part : exchange.parts) {
        later(part, script.matcher().answer(part.bytes(), request));
      }
    }

    private void later(Part part, byte[] bytes) {
      if (sender.isShutdown()) {
        return;
      }
      sender.schedule(() -> send(part, bytes), (long) (part.nanos() / speed), TimeUnit.NANOSECONDS);
    }

    private void send(Part part, byte[] bytes) {
      try {
        if (part.end() != null) {
          ending.end(part.end());
          return;
        }
        out.write(bytes);
        out.flush();
      } catch (IOException e) {
        quit();
      }
    }

    void quit() {
      links.remove(this);
      sender.shutdownNow();
      try {
        quit.run();
      } catch (IOException e) {
        // It is as good as closed.
      }
    }
  }

  /** Ends every connection and thread; doesn't wait for them. */
  @Override
  public void close() {
    closed = true;
    if (server != null) {
      try {
        server.close();
      } catch (IOException e) {
        // It accepts no more in any case.
      }
    }
    links.forEach(Link::quit);
  }
}
