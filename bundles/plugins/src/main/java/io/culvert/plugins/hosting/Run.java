package io.culvert.plugins.hosting;

import io.culvert.api.Device;
import io.culvert.api.Sample;
import io.culvert.api.service.Secrets;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.SerialLines;
import io.culvert.api.southbound.Sink;
import io.culvert.plugins.hosting.Cbor.Malformed;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;

/**
 * One life of a plug-in's process, from its start to its end. Whoever finds out first why it must
 * end says so; it is killed then, and what is said is the reason.
 */
final class Run implements Peer.Handler {
  /** What the process may have at work in the gateway at once, and how fast it may send. */
  private static final Peer.Bounds BOUNDS =
      new Peer.Bounds(AgentConnection.HANDOVERS + 256, 8 << 20, 16 << 20);

  /** sun_path of unix(7) less its closing zero. */
  private static final int LONGEST_PATH = 107;

  private static final int MOST_DRIVERS = 64;
  private static final int LONGEST_SCHEME = 64;
  private static final Path NICE = Path.of("/usr/bin/nice");
  private static final int LONGEST_MATCHER = 1000;

  /** How often its drivers may change in one life. */
  private static final int MOST_CHANGES = 1000;

  /** What a JVM needs beside its heap, at most. */
  private static final int BESIDE_HEAP_MIB = 256;

  /** The JVM's own, some twenty, among them. */
  private static final int MOST_THREADS = 512;

  /** How long a process may live on without its connection. */
  private static final Duration HANGING_UP = Duration.ofSeconds(1);

  private static final Duration LAST_WORDS = Duration.ofMillis(500);
  private static final AtomicLong SOCKETS = new AtomicLong();

  /** Of the gateway's environment; what else is there may be secret. */
  private static final List<String> ENVIRONMENT =
      List.of("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH");

  /** Hears of what the process does; from threads of the run, in order. */
  interface Owner {
    /** It has started, or its drivers are others now: what they offer by number. */
    void drivers(Run run, Map<Long, Announced> offers);

    /**
     * It has ended. Called once.
     *
     * @param why as the rest of a sentence that begins with "its process"
     */
    void ended(Run run, String why);
  }

  /**
   * What a process is started with.
   *
   * @param name of the plug-in
   * @param jar of the plug-in
   * @param memory of its heap, in MiB
   * @param sockets folder for its socket
   * @param storage folder of its own
   * @param lines may supply {@code null}
   * @param secrets may supply {@code null}
   */
  record Plan(
      Kit kit,
      Limits limits,
      String name,
      Hosts.Jar jar,
      int memory,
      Path sockets,
      Path storage,
      Supplier<SerialLines> lines,
      Supplier<Secrets> secrets) {}

  private final Plan plan;
  private final Logger log;
  private final ScheduledExecutorService timers;
  private final Owner owner;
  private final String word = HexFormat.of().formatHex(random());
  private final long begun = System.nanoTime();
  private final Map<Long, Remote> connections = new ConcurrentHashMap<>();
  private final AtomicLong numbers = new AtomicLong();
  private final Future<?> startLimit;
  private final Process process;
  private final LogLines output;
  private final ServerSocketChannel listener;
  private volatile Peer peer;
  private volatile GatewayLines lines;
  private volatile boolean known;
  private volatile boolean started;
  private volatile long askedAt;
  private volatile Future<?> beat;
  private String reason;

  /** Of its drivers; on the reading thread. */
  private int changes;

  private Run(Plan plan, Path jar, Logger log, ScheduledExecutorService timers, Owner owner)
      throws IOException {
    this.plan = plan;
    this.log = log;
    this.timers = timers;
    this.owner = owner;
    Path socket = socket();
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      listener.bind(UnixDomainSocketAddress.of(socket));
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
      process = launch();
    } catch (IOException | RuntimeException e) {
      listener.close();
      remove(socket);
      throw e;
    }
    try {
      startLimit =
          timers.schedule(
              () -> {
                if (!started) {
                  kill("hadn't started after " + plan.limits().start().toSeconds() + " s");
                }
              },
              plan.limits().start().toMillis(),
              TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      process.destroyForcibly();
      listener.close();
      remove(socket);
      throw new IOException("the gateway stops", e);
    }
    output = new LogLines(process.getInputStream(), log);
    thread(output, "prints");
    thread(() -> accept(socket), "accepts");
    process
        .onExit()
        .thenCompose(
            p ->
                // What the JVM says last tells why; a process of the plug-in's own may hold the
                // pipe open for ever.
                output.end().completeOnTimeout(null, LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS))
        .thenRun(this::exited);
    try {
      // Stays open: its end tells the process that the gateway is gone.
      OutputStream in = process.getOutputStream();
      new Start(
              socket,
              word,
              jar,
              plan.kit().bundles(),
              plan.kit().packages(),
              plan.storage(),
              plan.kit().home().toAbsolutePath().toString(),
              log.isDebugEnabled())
          .write(in);
    } catch (IOException e) {
      // It has ended already, and why is told by that.
      log.debug("The process takes nothing", e);
    }
  }

  /**
   * Starts a process.
   *
   * @throws IOException if there can't be one
   */
  static Run start(Plan plan, Logger log, ScheduledExecutorService timers, Owner owner)
      throws IOException {
    Files.createDirectories(plan.storage().resolve("tmp"));
    return new Run(plan, plan.jar().intact().toAbsolutePath(), log, timers, owner);
  }

  private static byte[] random() {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }

  private Path socket() throws IOException {
    Files.createDirectories(plan.sockets());
    Path socket = plan.sockets().resolve("hosted-" + SOCKETS.incrementAndGet() + ".sock");
    if (socket.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
      // A folder that nobody else can enter, for the moment until the process is here.
      socket = Files.createTempDirectory(Path.of("/tmp"), "culvert-").resolve("hosted.sock");
    }
    // Of a gateway that was killed.
    Files.deleteIfExists(socket);
    return socket;
  }

  private void remove(Path socket) {
    try {
      Files.deleteIfExists(socket);
      if (!socket.getParent().equals(plan.sockets())) {
        Files.deleteIfExists(socket.getParent());
      }
    } catch (IOException e) {
      log.debug("{} stays", socket, e);
    }
  }

  private Process launch() throws IOException {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(NICE)) {
      // One that spins must not slow down the gateway, which has all others to serve.
      command.addAll(List.of(NICE.toString(), "-n", "10"));
    }
    command.add(plan.kit().java().toString());
    command.addAll(
        List.of(
            "-Xmx" + plan.memory() + "m",
            "-Xms4m",
            "-Xss512k",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:ReservedCodeCacheSize=24m",
            "-XX:MaxMetaspaceSize=64m",
            "-XX:-UsePerfData",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:ErrorFile=" + plan.storage().resolve("crash.log"),
            "-Xshare:auto",
            "-Djava.awt.headless=true",
            "-Djava.io.tmpdir=" + plan.storage().resolve("tmp"),
            "-Dfile.encoding=UTF-8",
            "-Dio.netty.allocator.maxOrder=5",
            "-Dslf4j.provider=" + ChildLog.class.getName(),
            "-cp",
            String.join(":", plan.kit().classPath().stream().map(Path::toString).toList()),
            Agent.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.directory(plan.storage().toFile());
    builder.environment().keySet().retainAll(ENVIRONMENT);
    builder.environment().put("MALLOC_ARENA_MAX", "2");
    return builder.start();
  }

  private void thread(Runnable task, String what) {
    Thread thread = new Thread(task, "culvert-hosted-" + plan.name() + "-" + what);
    thread.setDaemon(true);
    thread.start();
  }

  private void accept(Path socket) {
    try (listener) {
      SocketChannel channel = listener.accept();
      Peer accepted = new Peer("culvert-hosted-" + plan.name(), channel, BOUNDS, Runnable::run);
      lines = new GatewayLines(plan.lines(), accepted);
      peer = accepted;
      accepted.start(this);
    } catch (IOException e) {
      // Closed, as the process has ended.
      log.debug("Nobody came", e);
    } finally {
      remove(socket);
    }
  }

  long pid() {
    return process.pid();
  }

  Figures figures() {
    return Figures.of(process.toHandle());
  }

  /** How long it has run. */
  Duration age() {
    return Duration.ofNanos(System.nanoTime() - begun);
  }

  /** Only after it has started. */
  Peer peer() {
    return peer;
  }

  /** Whether it owes a sign of life for longer than usual. */
  boolean silent() {
    long asked = askedAt;
    return asked != 0 && System.nanoTime() - asked > plan.limits().answer().toNanos();
  }

  CompletionStage<Connection> open(long driver, Device device, Sink sink) {
    long number = numbers.incrementAndGet();
    Peer to = peer;
    Remote remote = new Remote(number, to, sink, () -> connections.remove(number));
    connections.put(number, remote);
    CompletableFuture<Connection> opened = new CompletableFuture<>();
    CompletableFuture<Integer> answer =
        to.call(
            Op.OPEN,
            out -> {
              out.integer(driver).integer(number);
              Codec.device(out, device);
            },
            in -> in.count(Abilities.MOST));
    answer.whenComplete(
        (abilities, error) -> {
          if (error != null) {
            connections.remove(number);
            opened.completeExceptionally(error);
          } else if (!opened.complete(remote.as(abilities))) {
            remote.close();
          }
        });
    opened.whenComplete(
        (connection, error) -> {
          if (opened.isCancelled()) {
            answer.cancel(true);
            // Also if it is open by now.
            remote.close();
          }
        });
    return opened;
  }

  /** Says that it must end, and why; the first reason counts. Doesn't block. */
  void kill(String why) {
    synchronized (this) {
      if (reason == null) {
        reason = why;
      }
    }
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** Lets it end in good order, and ends it if that takes too long. Blocks until it is gone. */
  void stop() throws InterruptedException {
    Peer to = peer;
    if (to != null && started) {
      synchronized (this) {
        if (reason == null) {
          reason = "was stopped";
        }
      }
      to.tell(Op.STOP, out -> {});
      process.waitFor(plan.limits().farewell().toMillis(), TimeUnit.MILLISECONDS);
    }
    kill("was stopped");
    process.waitFor();
  }

  private void exited() {
    startLimit.cancel(false);
    if (beat != null) {
      beat.cancel(false);
    }
    String why;
    synchronized (this) {
      why = reason == null ? ofExit(process.exitValue()) : reason;
    }
    try {
      listener.close();
      process.getOutputStream().close();
    } catch (IOException e) {
      log.debug("Closing failed", e);
    }
    try {
      if (peer != null) {
        peer.close();
        lines.close();
      }
      IOException lost = new IOException("the process of plug-in " + plan.name() + " " + why);
      for (Remote remote : List.copyOf(connections.values())) {
        remote.lost(lost);
      }
    } finally {
      // Whatever somebody throws who hears of it: who keeps the process must know.
      owner.ended(this, why);
    }
  }

  private String ofExit(int code) {
    if (output.outOfMemory() != null) {
      return "ran out of memory (%s; hostedMemory allows it %d MiB)"
          .formatted(output.outOfMemory(), plan.memory());
    }
    if (output.crash() != null) {
      return "crashed in native code (" + output.crash() + ")";
    }
    if (!known) {
      // The JVM itself, which says why.
      return "doesn't start (exit %d, %s)".formatted(code, shortened(output.last()));
    }
    return switch (code) {
      // 128 and the number of a signal.
      case 128 + 9 -> "was killed from outside (signal 9)";
      case 128 + 15 -> "was ended from outside (signal 15)";
      default -> "ended by itself (exit " + code + ", as by System.exit)";
    };
  }

  private void beat() {
    Peer to = peer;
    long asked = askedAt;
    if (asked != 0) {
      if (System.nanoTime() - asked > plan.limits().silence().toNanos()) {
        kill("hadn't answered for " + plan.limits().silence().toSeconds() + " s and was ended");
      }
      return;
    }
    Figures figures = figures();
    long memory = figures.memory() >> 20;
    int allowed = 2 * plan.memory() + BESIDE_HEAP_MIB;
    if (memory > allowed) {
      kill("took %d MiB, more than %d, and was ended".formatted(memory, allowed));
      return;
    }
    if (figures.threads() > MOST_THREADS) {
      kill(
          "had %d threads, more than %d, and was ended".formatted(figures.threads(), MOST_THREADS));
      return;
    }
    askedAt = System.nanoTime();
    to.call(
            Op.PING,
            out -> {},
            in -> {
              long millis = in.integer();
              return new Calls.Longest(in.text(), millis);
            })
        .whenComplete(
            (longest, error) -> {
              if (error == null) {
                askedAt = 0;
                if (longest.millis() > plan.limits().stuck().toMillis()) {
                  kill(
                      "was ended because %s hadn't returned for %d s"
                          .formatted(shortened(longest.what()), longest.millis() / 1000));
                }
              }
            });
  }

  private static String shortened(String words) {
    return words.length() > 100 ? words.substring(0, 100) + "…" : words;
  }

  @Override
  public void told(Op op, Cbor.Reader in) throws Malformed {
    if (op == Op.HELLO) {
      known =
          MessageDigest.isEqual(
              in.text().getBytes(StandardCharsets.UTF_8), word.getBytes(StandardCharsets.UTF_8));
    }
    if (!known) {
      throw new Malformed("somebody else than the process that was started");
    }
    switch (op) {
      case HELLO -> {}
      case FAILED -> kill("doesn't start: " + shortened(in.text()));
      case DRIVERS -> {
        if (++changes > MOST_CHANGES) {
          throw new Malformed("more than " + MOST_CHANGES + " changes of its drivers");
        }
        Map<Long, Announced> offers = new TreeMap<>();
        int count = in.array();
        if (count > MOST_DRIVERS) {
          throw new Malformed(count + " drivers");
        }
        for (int i = 0; i < count; i++) {
          long number = in.integer();
          Announced offer = Announced.read(in);
          if (offer.schemes().size() > MOST_DRIVERS
              || offer.schemes().stream().anyMatch(name -> name.length() > LONGEST_SCHEME)) {
            throw new Malformed("schemes that are none");
          }
          if (offer.matchers().size() > MOST_DRIVERS
              || offer.matchers().stream().anyMatch(words -> words.length() > LONGEST_MATCHER)) {
            throw new Malformed("matchers that are none");
          }
          offers.put(number, offer);
        }
        if (!started) {
          started = true;
          long millis = plan.limits().beat().toMillis();
          beat = timers.scheduleWithFixedDelay(this::beat, millis, millis, TimeUnit.MILLISECONDS);
        }
        owner.drivers(this, offers);
      }
      case LOST -> {
        Remote remote = connections.get(in.integer());
        String words = Words.shortened(in.text());
        if (remote != null) {
          remote.lost(new IOException(words));
        }
      }
      case FIGURES -> {
        Remote remote = connections.get(in.integer());
        Diagnosed.Facts facts = Codec.facts(in);
        Diagnosed.LineFacts line = Codec.line(in);
        if (remote != null) {
          remote.figures(facts, line);
        }
      }
      case JOIN -> lines.join(in);
      case LEAVE -> lines.leave(in);
      default -> throw new Malformed(op + " from a plug-in's process");
    }
  }

  @Override
  public void asked(Op op, Cbor.Reader in, Peer.Reply reply) throws Malformed {
    if (!known) {
      throw new Malformed("a call before a greeting");
    }
    switch (op) {
      case ACCEPT -> {
        Remote remote = connections.get(in.integer());
        List<Sample> samples = Codec.list(in, Codec::sample);
        if (remote == null || remote.isClosed()) {
          reply.fail(new IOException("the connection is closed"));
        } else {
          reply.with(remote.sink().accept(samples), (out, nothing) -> {});
        }
      }
      case MISSING -> {
        Remote remote = connections.get(in.integer());
        List<Missing> missing = Codec.list(in, Missing::read);
        if (remote != null && !remote.isClosed()) {
          missing.forEach(one -> one.tell(remote.sink()));
        }
        reply.answer(null, (out, nothing) -> {});
      }
      case LINE_OPEN -> lines.open(in, reply);
      case SEND -> lines.send(in, reply);
      case SECRET -> {
        String name = in.text();
        Secrets all = plan.secrets().get();
        Optional<String> secret = all == null ? Optional.empty() : all.get(name);
        reply.answer(
            secret,
            (out, found) -> {
              out.array(found.isPresent() ? 1 : 0);
              found.ifPresent(out::text);
            });
      }
      default -> throw new Malformed(op + " from a plug-in's process");
    }
  }

  @Override
  public void ended(IOException cause) {
    if (cause instanceof Malformed) {
      kill("sent what a plug-in's process may not (" + cause.getMessage() + ") and was ended");
    } else {
      // Most often it has ended itself, and how is worth waiting for.
      process
          .onExit()
          .orTimeout(HANGING_UP.toMillis(), TimeUnit.MILLISECONDS)
          .exceptionally(
              late -> {
                kill("closed its connection to the gateway and was ended");
                return null;
              });
    }
  }
}
