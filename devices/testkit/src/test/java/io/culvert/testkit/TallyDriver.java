package io.culvert.testkit;

import io.culvert.api.Device;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import io.culvert.api.Quality;
import io.culvert.api.Sample;
import io.culvert.api.Value;
import io.culvert.api.southbound.Browsable;
import io.culvert.api.southbound.Connection;
import io.culvert.api.southbound.Continuous;
import io.culvert.api.southbound.Diagnosed;
import io.culvert.api.southbound.Driver;
import io.culvert.api.southbound.Historical;
import io.culvert.api.southbound.Readable;
import io.culvert.api.southbound.Sink;
import io.culvert.api.southbound.Subscribable;
import io.culvert.api.southbound.Writable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A driver for the tests of the contract itself, right in everything but the {@link Flaw} it is
 * given. Its protocol is lines of text with a number and a check sum, {@code 0001 r level 1A2B};
 * see {@code tally.script}.
 */
final class TallyDriver implements Driver {
  private static final int LONGEST = 200;
  private static final Pattern ANSWER = Pattern.compile("([0-9]{4}) (\\S+)(?: (\\S+))? ");
  private static final Pattern ADDRESS = Pattern.compile("[a-z]{1,20}");

  /** What a connection can. */
  enum Can {
    EVERYTHING,
    READ,
    WRITE,
    SUBSCRIBE
  }

  private final Flaw flaw;
  private final Can can;
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final Map<URI, Instant> subscribed = new ConcurrentHashMap<>();
  private final Set<String> given = ConcurrentHashMap.newKeySet();
  private final Set<String> dead = ConcurrentHashMap.newKeySet();
  private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

  /**
   * @param flaw {@code null} for none
   */
  TallyDriver(Flaw flaw, Can can) {
    this.flaw = flaw;
    this.can = can;
    if (flaw == Flaw.LEAVES_THREAD) {
      Thread forgotten = new Thread(LockSupport::park, "tally-forgotten");
      forgotten.setDaemon(true);
      forgotten.start();
    }
    if (flaw == Flaw.LEAVES_PIPE) {
      try {
        KEPT.add(Pipe.open());
      } catch (IOException none) {
        throw new IllegalStateException(none);
      }
    }
  }

  private static final List<Pipe> KEPT = new ArrayList<>();

  /** CRC of 16 bits, in hexadecimal. */
  static byte[] sum(byte[] bytes) {
    int crc = 0xFFFF;
    for (byte value : bytes) {
      crc ^= value & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >> 1 ^ ((crc & 1) == 0 ? 0 : 0xA001);
      }
    }
    return String.format("%04X", crc).getBytes(StandardCharsets.US_ASCII);
  }

  void deactivate() {
    if (flaw != Flaw.DEACTIVATION_FORGETS) {
      links.forEach(link -> link.end(new IOException("The driver has been stopped")));
    }
  }

  @Override
  public List<Problem> validate(Device device, List<Point> points) {
    List<Problem> problems = new ArrayList<>();
    boolean place = device.endpoint().getHost() != null;
    int port = device.endpoint().getPort();
    if (!place || port < 1 || port > 65535 || device.endpoint().getQuery() != null) {
      problems.add(new Problem("endpoint", "" + device.endpoint(), "tally://host:port"));
    } else if (flaw == Flaw.VALIDATE_CONNECTS) {
      try {
        new Socket(device.endpoint().getHost(), port).close();
      } catch (IOException away) {
        problems.add(new Problem("endpoint", "nobody", "somebody"));
      }
    }
    if (!device.settings().isEmpty() && flaw != Flaw.VALIDATE_SWALLOWS) {
      problems.add(new Problem("settings", "" + device.settings(), "no settings"));
    }
    for (Point point : points) {
      if (flaw == Flaw.VALIDATE_THROWS && !ADDRESS.matcher(point.address()).matches()) {
        Integer.parseInt(point.address());
      }
      if (!ADDRESS.matcher(point.address()).matches()
          || flaw == Flaw.FUSSY && point.access().writable()) {
        problems.add(
            new Problem("points." + point.id() + ".address", point.address(), "a lower-case word"));
      }
    }
    return problems;
  }

  @Override
  public String lane(Device device) {
    return "tcp:" + (flaw == Flaw.LANE_FOR_ALL ? "all" : device.endpoint().getAuthority());
  }

  @Override
  public CompletionStage<Connection> open(Device device, Sink sink) {
    Link link = new Link(device, sink);
    links.add(link);
    link.opened.whenComplete(
        (connection, failure) -> {
          if (failure != null) {
            link.end(new IOException("Opening failed"));
          }
        });
    link.thread.start();
    return link.opened;
  }

  /** One connection, with a thread that connects and reads. */
  private final class Link {
    final SocketChannel channel;
    final Device device;
    final Sink sink;
    final String prefix;
    final Thread thread = new Thread(this::run, "tally");
    final CompletableFuture<Connection> opened = new CompletableFuture<>();
    final Map<String, CompletableFuture<String>> pending = new ConcurrentHashMap<>();
    final List<CompletableFuture<String>> inTurn = new ArrayList<>();
    final AtomicInteger number = new AtomicInteger();
    final AtomicBoolean ended = new AtomicBoolean();
    final AtomicLong requests = new AtomicLong();
    final AtomicLong answers = new AtomicLong();
    final AtomicInteger closing = new AtomicInteger();
    final CountDownLatch over = new CountDownLatch(1);
    volatile List<Point> wanted = List.of();
    volatile boolean deaf;
    volatile boolean mute;
    volatile boolean closed;
    volatile Instant completeSince;

    Link(Device device, Sink sink) {
      this.device = device;
      this.sink = sink;
      try {
        channel = SocketChannel.open();
      } catch (IOException none) {
        throw new IllegalStateException(none);
      }
      String path = device.endpoint().getPath();
      prefix = path.length() < 2 || flaw == Flaw.MIXES_UNITS ? "" : path.substring(1) + ".";
      thread.setDaemon(true);
    }

    void run() {
      String address = device.endpoint().getAuthority();
      try {
        if (flaw == Flaw.NEVER_AGAIN && dead.contains(address)) {
          throw new IOException("the device has gone");
        }
        channel.connect(
            new InetSocketAddress(device.endpoint().getHost(), device.endpoint().getPort()));
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        opened.complete(connection());
      } catch (IOException refused) {
        opened.completeExceptionally(
            flaw == Flaw.ABSENT_WITHOUT_WORDS
                ? new IOException()
                : new IOException("No connection to " + device.endpoint() + ": " + refused));
        return;
      }
      try {
        read();
        lost(new IOException("The device closed the connection"));
      } catch (IOException broken) {
        lost(broken);
      } finally {
        links.remove(this);
        over.countDown();
      }
    }

    private void read() throws IOException {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      byte[] buffer = new byte[4096];
      ByteBuffer in = ByteBuffer.wrap(buffer);
      for (int count = channel.read(in); count > 0; count = channel.read(in.clear())) {
        for (int i = 0; i < count; i++) {
          if (buffer[i] != '\n') {
            line.write(buffer[i]);
          } else {
            heard(line.toByteArray());
            line.reset();
          }
          if (line.size() > LONGEST && flaw != Flaw.HOARDS) {
            throw new IOException("More than " + LONGEST + " bytes without an end");
          }
        }
        if (flaw == Flaw.WHOLE_OR_NOTHING) {
          line.reset();
        }
      }
    }

    private void heard(byte[] line) throws IOException {
      if (line.length < 5) {
        return;
      }
      if (flaw == Flaw.DIES) {
        Integer.parseInt(new String(line, 0, 4, StandardCharsets.US_ASCII));
      }
      byte[] body = Arrays.copyOf(line, line.length - 4);
      byte[] sum = Arrays.copyOfRange(line, line.length - 4, line.length);
      if (!Arrays.equals(sum, sum(body)) && flaw != Flaw.TRUSTS) {
        return;
      }
      Matcher answer = ANSWER.matcher(new String(body, StandardCharsets.US_ASCII));
      if (!answer.matches()) {
        return;
      }
      if (answer.group(1).equals("0000")) {
        told(answer.group(2), answer.group(3));
        return;
      }
      String said = answer.group(2) + " " + answer.group(3);
      CompletableFuture<String> asked = pending.remove(answer.group(1));
      if (flaw == Flaw.ANSWERS_IN_TURN) {
        synchronized (inTurn) {
          asked = inTurn.isEmpty() ? null : inTurn.remove(0);
        }
      }
      if (asked != null) {
        answers.incrementAndGet();
        asked.complete(said);
      }
    }

    private void told(String name, String value) {
      subscribed.put(device.endpoint(), Instant.now());
      for (Point point : wanted) {
        if (!mute && point.address().equals(name)) {
          tell(Sample.good(point.id(), Value.of(Long.parseLong(value))));
        }
      }
    }

    private void tell(Sample sample) {
      if (closed && flaw != Flaw.HEARS_AFTER_CLOSE) {
        return;
      }
      sink.accept(List.of(sample))
          .whenComplete(
              (taken, failure) -> mute |= failure != null && flaw == Flaw.SINK_FAILURE_DEAFENS);
    }

    private void lost(IOException cause) {
      boolean told = ended.get();
      if (!told) {
        dead.add(device.endpoint().getAuthority());
      }
      if (flaw == Flaw.LOST_IS_DATA && !told) {
        pending.values().forEach(stage -> stage.complete("x !"));
      }
      end(cause);
      if (!told && flaw != Flaw.LOSS_UNTOLD) {
        sink.lost(cause);
      }
    }

    void end(IOException cause) {
      if (!ended.getAndSet(true) || !pending.isEmpty()) {
        closed = true;
        try {
          channel.close();
        } catch (IOException gone) {
          // It has ended one way or the other.
        }
        fail(cause);
      }
    }

    private void fail(IOException cause) {
      opened.completeExceptionally(cause);
      List.copyOf(pending.values()).forEach(stage -> stage.completeExceptionally(cause));
      pending.clear();
    }

    void close() {
      IOException cause = new IOException("The connection was closed");
      if (flaw == Flaw.CLOSE_TWICE_THROWS && closing.getAndIncrement() > 0) {
        throw new IllegalStateException("closed already");
      }
      if (flaw == Flaw.CLOSE_IN_COMPLETION_THROWS && Thread.currentThread() == thread) {
        throw new IllegalStateException("not in this thread");
      }
      if (flaw == Flaw.CLOSES_COLLIDE && closing.getAndIncrement() > 0 && !closed) {
        throw new IllegalStateException("somebody else is closing");
      }
      if (flaw == Flaw.CLOSES_COLLIDE) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      }
      if (flaw == Flaw.CLOSE_BLOCKS) {
        while (!pending.isEmpty()) {
          LockSupport.parkNanos(1_000_000);
        }
      }
      if (flaw == Flaw.CLOSE_FORGETS_PENDING && !ended.get()) {
        pending.clear();
      }
      if (flaw == Flaw.HEARS_AFTER_CLOSE || flaw == Flaw.LEAVES_SOCKET && !pending.isEmpty()) {
        closed = true;
        fail(cause);
        return;
      }
      end(cause);
    }

    CompletableFuture<String> ask(String question) {
      String id = String.format("%04d", number.updateAndGet(n -> n % 9999 + 1));
      CompletableFuture<String> stage = new CompletableFuture<>();
      pending.put(id, stage);
      if (flaw == Flaw.ANSWERS_IN_TURN) {
        synchronized (inTurn) {
          inTurn.add(stage);
        }
      }
      stage.whenComplete(
          (answer, failure) -> {
            pending.remove(id);
            synchronized (inTurn) {
              inTurn.remove(stage);
            }
          });
      byte[] body = (id + " " + question + " ").getBytes(StandardCharsets.US_ASCII);
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      line.writeBytes(body);
      line.writeBytes(sum(body));
      line.write('\n');
      try {
        if (closed || deaf) {
          throw new IOException("The connection was closed");
        }
        requests.incrementAndGet();
        synchronized (this) {
          channel.write(ByteBuffer.wrap(line.toByteArray()));
        }
      } catch (IOException gone) {
        stage.completeExceptionally(gone);
      }
      return stage;
    }

    CompletableFuture<List<Sample>> read(List<Point> points, boolean plan) {
      List<CompletableFuture<String>> asked = new ArrayList<>();
      points.forEach(point -> asked.add(ask("r " + prefix + point.address())));
      CompletableFuture<List<Sample>> result =
          CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
              .thenApply(
                  all -> {
                    List<Sample> samples = new ArrayList<>();
                    for (int i = 0; i < points.size(); i++) {
                      samples.add(sample(points.get(i), asked.get(i).join(), plan));
                    }
                    return plan ? misshapen(samples) : samples;
                  });
      result.whenComplete(
          (samples, failure) -> {
            if (failure != null) {
              asked.forEach(stage -> stage.cancel(false));
              deaf |= flaw == Flaw.CANCEL_ENDS_IT && result.isCancelled();
            }
          });
      return result;
    }

    private List<Sample> misshapen(List<Sample> samples) {
      if (flaw == Flaw.NULL_SAMPLE) {
        samples.add(null);
      } else if (flaw == Flaw.SAMPLE_TWICE) {
        samples.add(samples.get(0));
      } else if (flaw == Flaw.SAMPLE_OF_ANOTHER) {
        samples.add(Sample.bad("stranger", Quality.BAD));
      }
      return samples;
    }

    private Sample sample(Point point, String said, boolean plan) {
      String value = said.substring(said.indexOf(' ') + 1);
      if (value.equals("!")) {
        if (flaw == Flaw.REFUSAL_FAILS && plan) {
          throw new IllegalStateException("refused");
        }
        return flaw == Flaw.REFUSAL_IS_ZERO && plan
            ? Sample.good(point.id(), Value.of(0))
            : Sample.bad(point.id(), Quality.BAD_NOT_FOUND);
      }
      try {
        return Sample.good(
            point.id(), Value.of(Long.parseLong(value) + (flaw == Flaw.MISREADS ? 1 : 0)));
      } catch (NumberFormatException strange) {
        return Sample.bad(point.id(), Quality.BAD_COMMUNICATION);
      }
    }

    CompletionStage<List<Sample>> readInTurn(List<Point> points) {
      if (flaw == Flaw.READ_BLOCKS) {
        CompletableFuture<List<Sample>> answer = read(points, true);
        try {
          answer.join();
        } catch (RuntimeException failed) {
          // The stage tells.
        }
        return answer;
      }
      if (flaw != Flaw.ONE_FOR_ALL) {
        return read(points, true);
      }
      CompletableFuture<List<Sample>> result = new CompletableFuture<>();
      CompletableFuture<?> before;
      synchronized (TallyDriver.this) {
        before = last;
        last = result;
      }
      before.whenComplete(
          (done, failed) -> {
            CompletableFuture<List<Sample>> reading = read(points, true);
            reading.whenComplete(
                (samples, failure) -> {
                  if (failure == null) {
                    result.complete(samples);
                  } else {
                    result.completeExceptionally(failure);
                  }
                });
            result.whenComplete((samples, failure) -> reading.cancel(false));
          });
      return result;
    }

    CompletionStage<Quality> write(Point point, Value value) {
      String question =
          flaw == Flaw.WRITES_NOTHING
              ? "r " + point.address()
              : "w " + point.address() + " " + value;
      return ask(question)
          .thenApply(
              said ->
                  said.endsWith("!")
                      ? Quality.BAD_NOT_WRITABLE
                      : flaw == Flaw.WRITE_UNCERTAIN ? Quality.UNCERTAIN : Quality.GOOD);
    }

    CompletionStage<Void> subscribe(List<Point> points) {
      List<Point> all = new ArrayList<>(points);
      if (flaw == Flaw.KEEPS_SUBSCRIPTION) {
        all.addAll(wanted);
      }
      CompletableFuture<List<Sample>> trial = read(points, false);
      CompletableFuture<Void> result =
          trial.thenAccept(
              samples -> {
                wanted = List.copyOf(all);
                if (can == Can.EVERYTHING) {
                  resume();
                }
                samples.stream()
                    .filter(sample -> sample != null && sample.quality().bad())
                    .filter(sample -> flaw != Flaw.REFUSAL_UNTOLD)
                    .forEach(
                        sample -> {
                          tell(sample);
                          if (flaw == Flaw.REFUSAL_TOLD_TWICE) {
                            tell(sample);
                          }
                        });
              });
      result.whenComplete((done, failure) -> trial.cancel(false));
      return result;
    }

    /** Takes what the device kept of an earlier subscription. */
    private void resume() {
      Instant before = subscribed.put(device.endpoint(), Instant.now());
      List<Sample> untold = Remembering.untold();
      boolean kept = !untold.isEmpty() || flaw == Flaw.COMPLETE_THOUGH_FORGOTTEN;
      completeSince = kept && flaw != Flaw.COMPLETE_UNTOLD ? before : null;
      if (flaw == Flaw.COMPLETE_FROM_THE_START && before == null) {
        completeSince = Instant.EPOCH;
      }
      if (flaw != Flaw.KEPT_IS_DROPPED) {
        untold.forEach(this::tell);
      }
    }

    CompletionStage<Historical.Page> history(
        List<Point> points, Instant from, Instant to, String next) {
      CompletableFuture<String> asked = ask("r level");
      CompletableFuture<Historical.Page> page =
          asked.thenApply(
              said -> page(points, from, to, next.isEmpty() ? 0 : Integer.parseInt(next)));
      if (flaw == Flaw.HISTORY_HANGS) {
        CompletableFuture<Historical.Page> hanging = new CompletableFuture<>();
        page.thenAccept(hanging::complete);
        return hanging;
      }
      page.whenComplete((done, failure) -> asked.cancel(false));
      return page;
    }

    /** Three samples on each. */
    private Historical.Page page(List<Point> points, Instant from, Instant to, int begin) {
      List<Sample> all = new ArrayList<>();
      Set<String> without = new HashSet<>();
      for (Point point : points) {
        List<Sample> measured = Remembering.measured(point.id());
        if (measured == null) {
          without.add(point.id());
          continue;
        }
        for (Sample sample : measured) {
          Instant at = sample.deviceTime();
          if ((!at.isBefore(from) || flaw == Flaw.HISTORY_BEGINS_EARLIER)
              && !at.isAfter(to)
              && !(at.equals(to) && flaw == Flaw.HISTORY_LACKS_ITS_END)) {
            all.add(flaw == Flaw.HISTORY_GOES_BACK ? 0 : all.size(), sample);
          }
        }
      }
      if (flaw == Flaw.HISTORY_OF_ALL) {
        without.clear();
      }
      if (flaw == Flaw.PAGE_GIVEN_ONCE && !given.add(from + " " + to + " " + begin)) {
        all.clear();
      }
      int end = Math.min(all.size(), begin + 3);
      boolean more = end < all.size() || flaw == Flaw.HISTORY_HAS_NO_END;
      return new Historical.Page(
          begin < end ? all.subList(begin, end) : List.of(), without, more ? "" + end : "");
    }

    CompletionStage<List<Browsable.Found>> browse(String from, int limit) {
      if (from.equals("a") && flaw == Flaw.BROWSES_TOP_ONLY) {
        return CompletableFuture.failedFuture(new IOException("nothing below it"));
      }
      if (!from.isEmpty() && flaw != Flaw.BROWSES_ANYWHERE) {
        return CompletableFuture.completedFuture(List.of());
      }
      return ask("r level")
          .thenApply(
              said ->
                  List.of(
                          new Browsable.Found("a", "A", Map.of()),
                          new Browsable.Found("b", "B", Map.of()))
                      .subList(0, flaw == Flaw.BROWSES_ON ? 2 : Math.min(2, limit)));
    }

    boolean shrinks() {
      return flaw == Flaw.FIGURES_SHRINK;
    }

    private Connection connection() {
      return switch (can) {
        case EVERYTHING -> flaw == Flaw.CANT_REMEMBER ? new Forgetting(this) : new Everything(this);
        case READ -> new Reading(this);
        case WRITE -> new Writing(this);
        case SUBSCRIBE -> new Subscribing(this);
      };
    }
  }

  private record Reading(Link link) implements Readable {
    @Override
    public Plan prepare(List<Point> points) {
      return () -> link.readInTurn(points);
    }

    @Override
    public void close() {
      link.close();
    }
  }

  private record Writing(Link link) implements Writable {
    @Override
    public CompletionStage<Quality> write(Point point, Value value) {
      return link.write(point, value);
    }

    @Override
    public void close() {
      link.close();
    }
  }

  private record Subscribing(Link link) implements Subscribable {
    @Override
    public CompletionStage<Void> subscribe(List<Point> points) {
      return link.subscribe(points);
    }

    @Override
    public void close() {
      link.close();
    }
  }

  private record Forgetting(Link link)
      implements Readable, Writable, Subscribable, Browsable, Diagnosed {
    @Override
    public Plan prepare(List<Point> points) {
      return () -> link.readInTurn(points);
    }

    @Override
    public CompletionStage<Quality> write(Point point, Value value) {
      return link.write(point, value);
    }

    @Override
    public CompletionStage<Void> subscribe(List<Point> points) {
      return link.subscribe(points);
    }

    @Override
    public CompletionStage<List<Found>> browse(String from, int limit) {
      return link.browse(from, limit);
    }

    @Override
    public Facts facts() {
      return new Facts(link.requests.get(), link.answers.get(), 0, 0, 0, 0, Map.of());
    }

    @Override
    public LineFacts line() {
      return new LineFacts(0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
      link.close();
    }
  }

  private record Everything(Link link)
      implements Readable, Writable, Continuous, Historical, Browsable, Diagnosed {
    @Override
    public Instant completeSince() {
      return link.completeSince;
    }

    @Override
    public CompletionStage<Page> history(
        List<Point> points, Instant from, Instant to, String next) {
      return link.history(points, from, to, next);
    }

    @Override
    public Plan prepare(List<Point> points) {
      return () -> link.readInTurn(points);
    }

    @Override
    public CompletionStage<Quality> write(Point point, Value value) {
      return link.write(point, value);
    }

    @Override
    public CompletionStage<Void> subscribe(List<Point> points) {
      return link.subscribe(points);
    }

    @Override
    public CompletionStage<List<Found>> browse(String from, int limit) {
      return link.browse(from, limit);
    }

    @Override
    public Facts facts() {
      long requests = link.requests.get();
      return new Facts(
          link.shrinks() ? link.requests.getAndSet(0) : requests,
          link.answers.get(),
          0,
          0,
          0,
          0,
          Map.of());
    }

    @Override
    public LineFacts line() {
      return new LineFacts(0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
      link.close();
    }
  }
}
