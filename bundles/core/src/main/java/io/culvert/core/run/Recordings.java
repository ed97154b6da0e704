package io.culvert.core.run;

import io.culvert.api.Device;
import io.culvert.api.Problem;
import io.culvert.api.service.Recorder;
import io.culvert.api.southbound.SerialTaps;
import io.culvert.core.record.Encryption;
import io.culvert.core.record.Relay;
import io.culvert.core.record.TapeHead;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Recordings under way. Each begins and ends in a turn of its device's lane, so between two
 * exchanges: no poll fails for it, frames are recorded whole, and those who share the lane don't
 * notice. The lane keeps its name whatever the device is reached by. Whatever happens to the device
 * meanwhile (its configuration, its driver) makes a new link, which knows nothing of a relay.
 */
final class Recordings implements Recorder {
  private static final int MOST = 4;

  /** How a driver names the lane of a TCP connection: where an endpoint may leave out its port. */
  private static final Pattern TCP_LANE = Pattern.compile("tcp:.*:([0-9]{1,5})(#.*)?");

  private static final String SERIAL_LANE = "serial:";

  private static final Set<String> ANY_ADDRESS = Set.of("0.0.0.0", "[::]", "[::0]");

  /** Names of what an endpoint may say that isn't to be told. */
  private static final Pattern SECRET =
      Pattern.compile("(?i)([^&=]*(?:pass|secret|token|key|pwd|credential)[^&=]*)=[^&]*");

  private final Kit kit;
  private final Function<String, Runner> devices;
  private final Supplier<String> gateway;
  private final Map<String, Session> sessions = new HashMap<>();
  private final Map<String, String> matchers = new ConcurrentHashMap<>();
  private volatile SerialTaps taps;
  private boolean closed;

  /**
   * @param devices by id, {@code null} for none; asked on any thread
   * @param gateway the id of the gateway
   */
  Recordings(Kit kit, Function<String, Runner> devices, Supplier<String> gateway) {
    this.kit = kit;
    this.devices = devices;
    this.gateway = gateway;
  }

  /** What drivers say of the frames of a scheme, in lower case. Any thread. */
  void matcher(String scheme, String words) {
    matchers.put(scheme, words);
  }

  /**
   * Any thread.
   *
   * @param present {@code null} while there are none
   */
  void taps(SerialTaps present) {
    taps = present;
  }

  @Override
  public CompletionStage<Recording> record(String id, Tape tape) {
    CompletableFuture<Recording> begun = new CompletableFuture<>();
    Runner runner = devices.apply(id);
    if (runner == null) {
      return failed("there is no device " + id + " on this gateway; culvert status lists them");
    }
    String lane = runner.status().lane();
    if (lane.isEmpty()) {
      return failed("it isn't ready to be read: " + runner.status().message());
    }
    Device device = runner.entry().device();
    String sign = Encryption.of(device);
    if (!sign.isEmpty()) {
      return failed(encrypted(sign));
    }
    TapeHead head = new TapeHead(tape);
    Session session;
    try {
      session =
          lane.startsWith(SERIAL_LANE)
              ? new Line(runner, head, begun, lane.substring(SERIAL_LANE.length()))
              : new Detour(runner, head, begun, lane);
    } catch (IOException e) {
      return failed(e.getMessage());
    }
    if (!kit.loop().open()) {
      session.release();
      return failed("the gateway stops");
    }
    kit.loop().execute(session::receive);
    return begun;
  }

  private static CompletionStage<Recording> failed(String why) {
    return CompletableFuture.failedFuture(new IOException(why));
  }

  private static String encrypted(String sign) {
    return "its session is encrypted ("
        + sign
        + "): a recording would show nothing and could not be played back; record with encryption"
        + " switched off, on a device of a test bench";
  }

  /** Ends all. On the loop. */
  void close() {
    closed = true;
    List.copyOf(sessions.values()).forEach(session -> session.finish("the gateway stops"));
  }

  /** One recording. On the loop, except where it says otherwise. */
  private abstract class Session implements Recording, Lane.Turn {
    final Runner runner;
    final Device device;
    final TapeHead tape;
    private final CompletableFuture<Recording> begun;
    private Subject subject;
    private Link link;
    private Lane lane;
    private boolean running;
    private boolean finished;

    /** Why it is to end; {@code null} while it is to go on. */
    private String end;

    Session(Runner runner, TapeHead tape, CompletableFuture<Recording> begun) {
      this.runner = runner;
      this.device = runner.entry().device();
      this.tape = tape;
      this.begun = begun;
    }

    abstract String carrier();

    /** Has the way there judged before it is gone. */
    abstract void judge(Link link, Runnable good);

    /**
     * Goes over to what records, in a turn of the lane.
     *
     * @param end told when the turn may end
     */
    abstract void enter(Link link, Runnable end);

    /** Goes back, likewise. */
    abstract void leave(Link link, Runnable end);

    /** Ends whatever carries it, at once. */
    abstract void release();

    void receive() {
      Link found = runner.link();
      String obstacle = null;
      if (closed) {
        obstacle = "the gateway stops";
      } else if (runner.poller() == null || found == null) {
        obstacle = "it isn't ready to be read: " + runner.status().message();
      } else if (found.blocked()) {
        obstacle = "an earlier call into its driver hasn't returned";
      } else if (sessions.containsKey(device.id())) {
        obstacle = "it is being recorded already; end that first";
      } else if (sessions.size() >= MOST) {
        obstacle = MOST + " recordings are under way already; end one first";
      }
      if (obstacle != null) {
        finish(obstacle);
        return;
      }
      sessions.put(device.id(), this);
      link = found;
      lane = runner.lane();
      subject =
          new Subject(
              gateway.get(),
              device.id(),
              device.profile(),
              shown(device.endpoint()),
              runner.scheme(),
              carrier(),
              matchers.getOrDefault(runner.scheme(), ""));
      link.onDisposal(this::finish);
      judge(link, () -> lane.command(this));
    }

    @Override
    public Object owner() {
      return this;
    }

    @Override
    public void begin() {
      if (end == null) {
        running = true;
        enter(link, this::entered);
      } else {
        leave(
            link,
            () -> {
              lane.end(this, false);
              finish(end);
            });
      }
    }

    private void entered() {
      lane.end(this, false);
      if (!finished) {
        kit.notices().execute(() -> begun.complete(this));
      }
    }

    @Override
    public Subject subject() {
      return subject;
    }

    /** Any thread. */
    @Override
    public void end(String why) {
      kit.loop().execute(() -> endInTurn(why));
    }

    private void endInTurn(String why) {
      if (finished || end != null) {
        return;
      }
      end = why;
      if (running) {
        lane.command(this);
      } else {
        finish(why);
      }
    }

    /** The end, at once: nothing of it stays. */
    void finish(String why) {
      if (finished) {
        return;
      }
      finished = true;
      if (link != null) {
        sessions.remove(device.id(), this);
        link.onDisposal(null);
        lane.withdraw(this);
      }
      release();
      tape.ended(why);
      kit.notices().execute(() -> begun.completeExceptionally(new IOException(why)));
    }
  }

  /** On a serial line nothing is changed: it is listened to. */
  private final class Line extends Session {
    private final String file;
    private SerialTaps.Listening listening;

    Line(Runner runner, TapeHead tape, CompletableFuture<Recording> begun, String file)
        throws IOException {
      super(runner, tape, begun);
      this.file = file;
      if (taps == null) {
        throw new IOException("the service of serial lines doesn't run; see data/log for why");
      }
    }

    @Override
    String carrier() {
      return "serial";
    }

    @Override
    void judge(Link link, Runnable good) {
      good.run();
    }

    @Override
    void enter(Link link, Runnable end) {
      SerialTaps present = taps;
      if (present == null) {
        finish("the service of serial lines has gone");
      } else {
        tape.opened(1);
        listening =
            present.tap(
                file,
                new SerialTaps.Tap() {
                  @Override
                  public void sent(byte[] bytes, long nanos) {
                    tape.passed(1, true, bytes.clone(), nanos);
                  }

                  @Override
                  public void received(byte[] bytes, long nanos) {
                    tape.passed(1, false, bytes.clone(), nanos);
                  }
                });
      }
      end.run();
    }

    @Override
    void leave(Link link, Runnable end) {
      end.run();
    }

    @Override
    void release() {
      if (listening != null) {
        listening.close();
      }
    }
  }

  /** Over TCP a relay is put before the device. */
  private final class Detour extends Session implements Relay.Trouble {
    private final Relay relay;
    private final Device relayed;

    Detour(Runner runner, TapeHead tape, CompletableFuture<Recording> begun, String lane)
        throws IOException {
      super(runner, tape, begun);
      URI endpoint = device.endpoint();
      String host = endpoint.getHost();
      if (host == null || lane.startsWith("udp:")) {
        throw new IOException(
            "it is neither reached over TCP nor over a serial line ("
                + shown(endpoint)
                + " on the lane "
                + lane
                + ")");
      }
      if (ANY_ADDRESS.contains(host)) {
        throw new IOException(
            "it dials in by itself ("
                + shown(endpoint)
                + "); only what this gateway connects to can be recorded");
      }
      Matcher named = TCP_LANE.matcher(lane);
      int port = endpoint.getPort();
      if (port < 0 && named.matches()) {
        port = Integer.parseInt(named.group(1));
      }
      if (port < 1 || port > 65_535) {
        throw new IOException(
            "found no port in " + shown(endpoint) + "; expected scheme://host:port");
      }
      relay =
          Relay.open(
              host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port, tape, this);
      relayed =
          new Device(
              device.id(), device.profile(), elsewhere(endpoint, relay.port()), device.settings());
    }

    @Override
    String carrier() {
      return "tcp";
    }

    @Override
    public void encrypted(String sign) {
      end(Recordings.encrypted(sign));
    }

    @Override
    public void deaf(IOException cause) {
      end("the relay takes no connections any more: " + cause.getMessage());
    }

    @Override
    void judge(Link link, Runnable good) {
      link.judge(
          relayed,
          runner.points(),
          outcome -> {
            if (!outcome.ok()) {
              finish(outcome.failure().message());
            } else if (!outcome.value().isEmpty()) {
              Problem problem = outcome.value().get(0);
              finish(
                  "its driver doesn't take the relay for an endpoint: found "
                      + problem.found()
                      + "; expected "
                      + problem.expected());
            } else {
              good.run();
            }
          });
    }

    @Override
    void enter(Link link, Runnable end) {
      reach(relayed, link, "a recording began", end);
    }

    @Override
    void leave(Link link, Runnable end) {
      reach(device, link, "a recording ended", end);
    }

    private void reach(Device way, Link link, String why, Runnable end) {
      boolean open = link.isOpen();
      boolean told = link.subscribed();
      Instant from = kit.loop().now();
      link.reach(way);
      if (!open) {
        end.run();
        return;
      }
      // Whether it succeeds, the next poll finds out, too.
      runner
          .poller()
          .ensureOpen(
              failure -> {
                if (told) {
                  runner.interrupted(from, why + ": its connection was opened anew");
                }
                end.run();
              });
    }

    @Override
    void release() {
      relay.close();
    }
  }

  /** An endpoint with the relay's address in place of the device's, and nothing else changed. */
  static URI elsewhere(URI endpoint, int port) {
    String user = endpoint.getRawUserInfo();
    StringBuilder text = new StringBuilder(endpoint.getScheme()).append("://");
    if (user != null) {
      text.append(user).append('@');
    }
    return URI.create(text.append("127.0.0.1:").append(port).append(after(endpoint)).toString());
  }

  private static String after(URI endpoint) {
    String path = endpoint.getRawPath();
    String query = endpoint.getRawQuery();
    String fragment = endpoint.getRawFragment();
    return (path == null ? "" : path)
        + (query == null ? "" : "?" + query)
        + (fragment == null ? "" : "#" + fragment);
  }

  /** An endpoint as it may be told to others. */
  static String shown(URI endpoint) {
    String text = endpoint.toString();
    if (endpoint.getRawUserInfo() != null) {
      text = text.replace("//" + endpoint.getRawUserInfo() + "@", "//…@");
    }
    String query = endpoint.getRawQuery();
    return query == null
        ? text
        : text.replace("?" + query, "?" + SECRET.matcher(query).replaceAll("$1=…"));
  }
}
