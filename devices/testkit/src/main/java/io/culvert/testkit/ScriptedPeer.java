package io.culvert.testkit;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Value;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/**
 * A device made of a {@link Script}, on TCP or at the end of a serial line. In a test of its own:
 *
 * <pre>
 * try (ScriptedPeer lamp = ScriptedPeer.tcp("lamp://%s?unit=1", Script.of("""
 *     expect 'GET level' 0A
 *       send '7' 0A
 *     """))) {
 *   … driver.open(lamp.device(), new RecordingSink()) …
 * }
 * </pre>
 *
 * <p>{@link #close} fails if something came that the script doesn't know, or if a step was not
 * reached. For the {@link DriverContract}, tell what the device of the script {@linkplain #shows
 * shows}, {@linkplain #refuses refuses} and lets be {@linkplain #writes written}.
 *
 * <p>Methods may be called in any thread.
 */
public final class ScriptedPeer implements Peer {
  /** How much of what came before is told with a failure. */
  private static final int TOLD = 64;

  /** How long a thread may take to see that its socket is closed. */
  private static final long END_MILLIS = 10_000;

  private final Script script;
  private final Line line;
  private final Device device;
  private final Map<String, byte[]> variables;
  private final List<Talk> talks = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();
  private final Map<Point, Value> shown = new LinkedHashMap<>();
  private final List<Point> refused = new ArrayList<>();
  private final Map<Point, List<Value>> writes = new LinkedHashMap<>();
  private final Map<Device, Map<Point, Value>> neighbours = new LinkedHashMap<>();
  private BiFunction<Point, Value, String> telling;
  private boolean checksummed;
  private FakeClock clock;
  private boolean held;
  private int step;

  /** What carries the bytes. */
  private interface Line {
    /** How an endpoint names it. */
    String address();

    void start() throws IOException;

    void stop() throws Exception;

    void close() throws Exception;

    Relay relay(Device device) throws Exception;
  }

  /** Where answers go. */
  private interface Out {
    void send(byte[] bytes) throws IOException;

    void close(boolean reset) throws IOException;
  }

  /** One connection. */
  private final class Talk {
    final Out out;
    final CountDownLatch over = new CountDownLatch(1);
    byte[] waiting = {};
    byte[] last = {};

    Talk(Out out) {
      this.out = out;
    }
  }

  private interface Lines {
    Line of(ScriptedPeer peer) throws IOException;
  }

  private ScriptedPeer(String endpoint, Script script, Lines lines) throws IOException {
    script.check();
    this.script = script;
    this.variables = new HashMap<>(script.variables());
    this.line = lines.of(this);
    this.device = at(endpoint);
    line.start();
  }

  private Device at(String endpoint) {
    return new Device("d", "p", URI.create(endpoint.replace("%s", line.address())), Map.of());
  }

  /**
   * A device on TCP, at a free port of this machine.
   *
   * @param endpoint where {@code %s} stands for host and port, such as {@code lamp://%s?unit=1}
   */
  public static ScriptedPeer tcp(String endpoint, Script script) throws IOException {
    return new ScriptedPeer(endpoint, script, peer -> peer.new Tcp());
  }

  /**
   * A device on a serial line, a pseudo-terminal made by Debian's {@code socat}.
   *
   * @param endpoint where {@code %s} stands for the device file, such as {@code
   *     lamp-rtu://%s?baud=9600}
   * @param folder where the device file appears
   */
  public static ScriptedPeer serial(String endpoint, Path folder, Script script)
      throws IOException {
    return new ScriptedPeer(endpoint, script, peer -> peer.new Serial(folder));
  }

  /** Says that a point shows a value. */
  public ScriptedPeer shows(Point point, Value value) {
    shown.put(point, value);
    return this;
  }

  /** Says that a point is refused. */
  public ScriptedPeer refuses(Point point) {
    refused.add(point);
    return this;
  }

  /** Says that a point can be written, and two values other than what it holds at first. */
  public ScriptedPeer writes(Point point, Value one, Value other) {
    writes.put(point, List.of(one, other));
    return this;
  }

  /**
   * Says that the script stands for another device, too, in the same lane.
   *
   * @param endpoint as of the first
   */
  public ScriptedPeer neighbour(String endpoint, Map<Point, Value> shows) {
    Device other = at(endpoint);
    neighbours.put(
        new Device("n" + neighbours.size(), "p", other.endpoint(), Map.of()), Map.copyOf(shows));
    return this;
  }

  /**
   * Says that the device sends by itself.
   *
   * @param row what it sends to tell a point's value, in the form of a script's {@code send}
   */
  public ScriptedPeer tells(BiFunction<Point, Value, String> row) {
    telling = row;
    return this;
  }

  /** Says that the protocol has a check sum. */
  public ScriptedPeer hasCheckSum() {
    checksummed = true;
    return this;
  }

  /** Lets every {@code wait} of the script wait for this clock instead of real time. */
  public ScriptedPeer clock(FakeClock clock) {
    this.clock = clock;
    return this;
  }

  /** Sends to whoever is connected, in the form of a script's {@code send}. */
  public void send(String row) {
    byte[] bytes;
    List<Talk> all;
    synchronized (this) {
      bytes = script.rendered(Script.row(0, row), variables);
      all = List.copyOf(talks);
    }
    for (Talk talk : all) {
      whileConnected(() -> talk.out.send(bytes));
    }
  }

  /**
   * Looks whether all steps were reached and nothing came but what the script knows.
   *
   * @throws AssertionError that says what was expected and what was found
   */
  public synchronized void verify() {
    List<String> all = new ArrayList<>(failures);
    if (failures.isEmpty() && step < script.steps().size()) {
      all.add(
          "The script ended at step "
              + (step + 1)
              + " of "
              + script.steps().size()
              + ": expected "
              + told(script.steps().get(step))
              + ", found nothing more"
              + talks.stream()
                  .filter(talk -> talk.waiting.length > 0)
                  .map(talk -> " than " + hex(talk.waiting))
                  .findFirst()
                  .orElse(""));
    }
    if (!all.isEmpty()) {
      throw new AssertionError(String.join(System.lineSeparator(), all));
    }
  }

  private static String told(Script.Rule rule) {
    return rule.row().text() + " (line " + rule.row().line() + " of the script)";
  }

  private static String hex(byte[] bytes) {
    return HexFormat.ofDelimiter(" ").withUpperCase().formatHex(bytes);
  }

  @Override
  public Device device() {
    return device;
  }

  @Override
  public Map<Point, Value> values() {
    return shown;
  }

  @Override
  public List<Point> refused() {
    return refused;
  }

  @Override
  public Map<Point, List<Value>> writes() {
    return writes;
  }

  @Override
  public Map<Device, Map<Point, Value>> neighbours() {
    return neighbours;
  }

  @Override
  public boolean tells() {
    return telling != null;
  }

  @Override
  public void tell(Point point, Value value) {
    send(telling.apply(point, value));
  }

  @Override
  public boolean checksummed() {
    return checksummed;
  }

  @Override
  public Relay relay() throws Exception {
    return line.relay(device);
  }

  @Override
  public synchronized void hold() {
    held = true;
  }

  /** {@inheritDoc} Answers what came meanwhile, late. */
  @Override
  public void resume() {
    List<Talk> all;
    synchronized (this) {
      held = false;
      all = List.copyOf(talks);
    }
    for (Talk talk : all) {
      whileConnected(() -> heard(talk, new byte[0]));
    }
  }

  private static void whileConnected(Daemon.Work work) {
    try {
      work.run();
    } catch (IOException gone) {
      // Nobody is left to hear it.
    }
  }

  @Override
  public void stop() throws Exception {
    line.stop();
  }

  @Override
  public void start() throws IOException {
    line.start();
  }

  /**
   * Ends the device.
   *
   * @throws AssertionError as {@link #verify}
   */
  @Override
  public void close() throws Exception {
    line.close();
    verify();
  }

  private Talk connected(Out out) throws IOException {
    Talk talk = new Talk(out);
    synchronized (this) {
      talks.add(talk);
    }
    act(talk, script.opening());
    return talk;
  }

  private synchronized void over(Talk talk) {
    talks.remove(talk);
    talk.over.countDown();
  }

  private void act(Talk talk, List<Script.Action> actions) throws IOException {
    List<Object> ready = new ArrayList<>();
    synchronized (this) {
      ready(actions, ready);
    }
    run(talk, ready);
  }

  /** Takes what came, and does all that the script says to it. */
  private void heard(Talk talk, byte[] bytes) throws IOException {
    byte[] more = bytes;
    List<Object> ready = new ArrayList<>();
    do {
      ready.clear();
      synchronized (this) {
        talk.waiting = joined(talk.waiting, more);
        if (!held && talk.waiting.length > 0) {
          next(talk, ready);
        }
      }
      more = new byte[0];
      run(talk, ready);
    } while (!ready.isEmpty());
  }

  /** Finds what the script does next, with the bytes to send as the variables are now. */
  private void next(Talk talk, List<Object> ready) {
    List<Script.Rule> candidates = new ArrayList<>();
    if (step < script.steps().size()) {
      candidates.add(script.steps().get(step));
    }
    candidates.addAll(script.rules());
    boolean begun = false;
    Script.Rule nearest = null;
    Script.Match best = null;
    for (Script.Rule rule : candidates) {
      Script.Match match = script.match(rule.row(), talk.waiting, variables);
      if (match.fit() == Script.Fit.WHOLE) {
        variables.putAll(match.captured());
        talk.last = Arrays.copyOf(talk.waiting, match.length());
        talk.waiting = Arrays.copyOfRange(talk.waiting, match.length(), talk.waiting.length);
        step += rule.once() ? 1 : 0;
        ready(rule.actions(), ready);
        if (ready.isEmpty()) {
          ready.add(new byte[0]);
        }
        return;
      }
      begun |= match.fit() == Script.Fit.BEGUN;
      if (best == null || match.length() > best.length()) {
        best = match;
        nearest = rule;
      }
    }
    if (!begun) {
      failures.add(unexpected(talk, nearest, best));
      talk.waiting = new byte[0];
      ready.add(new Script.Close(false));
    }
  }

  private String unexpected(Talk talk, Script.Rule nearest, Script.Match best) {
    String place =
        nearest != null && nearest.once()
            ? "Step " + (step + 1) + " of " + script.steps().size()
            : "No line of the script fits; the nearest";
    int shown = Math.min(TOLD, talk.waiting.length);
    String found =
        hex(Arrays.copyOf(talk.waiting, shown)) + (shown < talk.waiting.length ? " …" : "");
    String difference =
        best == null
            ? ""
            : String.format(
                "; byte %d should be %s and is %02X",
                best.length() + 1, best.wanted(), talk.waiting[best.length()]);
    return place
        + ": expected "
        + (nearest == null ? "nothing" : told(nearest))
        + ", found "
        + found
        + difference
        + (talk.last.length == 0 ? "" : "; before it came " + hex(talk.last));
  }

  private void ready(List<Script.Action> actions, List<Object> ready) {
    for (Script.Action action : actions) {
      if (action instanceof Script.Hold) {
        held = true;
      }
      ready.add(
          action instanceof Script.Send send ? script.rendered(send.row(), variables) : action);
    }
  }

  private void run(Talk talk, List<Object> ready) throws IOException {
    for (Object action : ready) {
      if (action instanceof byte[] bytes) {
        talk.out.send(bytes);
      } else if (action instanceof Script.Wait wait) {
        pause(talk, wait.time());
      } else if (action instanceof Script.Close close) {
        talk.out.close(close.reset());
      }
    }
  }

  private void pause(Talk talk, Duration time) throws IOException {
    try {
      if (clock == null) {
        talk.over.await(time.toMillis(), TimeUnit.MILLISECONDS);
      } else {
        Instant then = clock.instant().plus(time);
        clock.await(then);
      }
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
      throw new IOException("The peer was ended", ended);
    }
  }

  private static byte[] joined(byte[] one, byte[] other) {
    byte[] all = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, all, one.length, other.length);
    return all;
  }

  /** Connections on loop-back, each with a thread of its own. */
  private final class Tcp implements Line {
    private final Map<Socket, Thread> clients = new HashMap<>();
    private ServerSocket server;
    private Thread acceptor;
    private final int port;

    Tcp() throws IOException {
      server = listening(port());
      port = server.getLocalPort();
    }

    private static ServerSocket listening(int port) throws IOException {
      ServerSocket server = new ServerSocket();
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return server;
    }

    /** Below those that are given to whoever connects: it must be free again after a stop. */
    private static int port() throws IOException {
      while (true) {
        int port = ThreadLocalRandom.current().nextInt(10_000, 32_000);
        try {
          listening(port).close();
          return port;
        } catch (BindException taken) {
          // Another, then.
        }
      }
    }

    @Override
    public String address() {
      return "127.0.0.1:" + port;
    }

    @Override
    public void start() throws IOException {
      ServerSocket accepting;
      synchronized (clients) {
        if (server == null) {
          server = listening(port);
        }
        accepting = server;
      }
      acceptor = Daemon.of("scripted-peer", () -> accept(accepting));
      acceptor.start();
    }

    private void accept(ServerSocket accepting) throws IOException {
      while (true) {
        Socket client = accepting.accept();
        client.setTcpNoDelay(true);
        Thread thread = Daemon.of("scripted-peer", () -> serve(client));
        synchronized (clients) {
          if (server != accepting) {
            client.close();
            return;
          }
          clients.put(client, thread);
        }
        thread.start();
      }
    }

    private void serve(Socket client) throws IOException {
      Talk talk = null;
      try (client) {
        talk = connected(out(client));
        byte[] buffer = new byte[4096];
        InputStream in = client.getInputStream();
        for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
          heard(talk, Arrays.copyOf(buffer, count));
        }
      } finally {
        synchronized (clients) {
          clients.remove(client);
        }
        if (talk != null) {
          over(talk);
        }
      }
    }

    private Out out(Socket client) {
      return new Out() {
        @Override
        public synchronized void send(byte[] bytes) throws IOException {
          client.getOutputStream().write(bytes);
        }

        @Override
        public void close(boolean reset) throws IOException {
          if (reset) {
            client.setSoLinger(true, 0);
          }
          client.close();
        }
      };
    }

    @Override
    public void stop() throws Exception {
      Map<Socket, Thread> all;
      synchronized (clients) {
        server.close();
        server = null;
        all = Map.copyOf(clients);
      }
      for (Map.Entry<Socket, Thread> client : all.entrySet()) {
        client.getKey().close();
        client.getValue().interrupt();
      }
      // The system refuses connections when the thread that waited for one has gone, not before.
      acceptor.join(END_MILLIS);
      for (Thread client : all.values()) {
        client.join(END_MILLIS);
      }
    }

    @Override
    public void close() throws Exception {
      synchronized (clients) {
        if (server == null) {
          return;
        }
      }
      stop();
    }

    @Override
    public Relay relay(Device device) throws IOException {
      return Relay.tcp(device);
    }
  }

  /** One end of a line is the driver's, the other this peer. */
  private final class Serial implements Line {
    private static final String NAME = "line";

    private final Path folder;
    private final SerialBus bus;
    private Talk talk;

    Serial(Path folder) throws IOException {
      // A folder of its own, so that several may run at once.
      this.folder = Files.createTempDirectory(folder, "peer");
      this.bus = new SerialBus(this.folder);
    }

    @Override
    public String address() {
      return bus.file(NAME);
    }

    @Override
    public void start() throws IOException {
      bus.plug(NAME);
      Talk now =
          connected(
              new Out() {
                @Override
                public void send(byte[] bytes) throws IOException {
                  bus.say(bytes);
                }

                @Override
                public void close(boolean reset) {
                  // A line can't be closed from the other end.
                }
              });
      talk = now;
      bus.listen(
          bytes -> {
            try {
              heard(now, bytes);
            } catch (IOException ended) {
              throw new UncheckedIOException(ended);
            }
          });
    }

    @Override
    public void stop() throws Exception {
      bus.unplug(NAME);
      over(talk);
    }

    @Override
    public void close() throws Exception {
      bus.close();
    }

    @Override
    public Relay relay(Device device) {
      return bus.relay(NAME, device);
    }
  }
}
