package io.culvert.core.run;

import io.culvert.api.service.Drivers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches how drivers behave, and keeps those that misbehave from their devices: all drivers of the
 * plug-in, for a while that grows from time to time. In that while nothing of them is called.
 */
final class Warden implements Drivers {
  /** The first quarantine; each further one is twice as long. Devices are slow to come back. */
  static final Duration FIRST = Duration.ofSeconds(10);

  /** The longest: what was mended behind the driver's back is found out within it. */
  static final Duration LONGEST = Duration.ofMinutes(10);

  /** Up to so much of a quarantine comes on top, so that plug-ins don't return in step. */
  private static final double JITTER = 0.2;

  /** After so long without a quarantine the next one is a first one again. */
  static final Duration GOOD = Duration.ofHours(1);

  private static final Duration TICK = Duration.ofSeconds(1);

  /** Connections are looked at once in so many ticks; files are read for it. */
  private static final int ROUND = 10;

  /** Drivers are asked for warnings once in so many ticks, the first time after a round. */
  private static final int WARNINGS = 60;

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** Most warnings that are taken of a driver, and how long one may be. */
  private static final int MOST_WARNINGS = 32;

  private static final int LONGEST_WARNING = 500;

  /** An address in figures, as URLs have it: nothing that has to be looked up. */
  private static final Pattern LITERAL =
      Pattern.compile("((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\\.(?!$)|$)){4}|\\[.*\\]");

  private static final Logger LOG = LoggerFactory.getLogger(Warden.class);

  private final Kit kit;
  private final Registry registry;
  private final Scanner scanner;
  private final Machine machine;
  private final Executor searches;
  private final Map<PlugIn, Ward> wards = new ConcurrentHashMap<>();
  private int tick;
  private boolean looking;

  /** A plug-in, and what there is to know for its next quarantine. Used on the loop only. */
  private static final class Ward {
    private final Conduct conduct;
    private int times;

    /** How often in a row, without a good hour between. */
    private int inARow;

    private long returned;

    /** The most TCP connections to one endpoint at the last look. */
    private int sockets;

    Ward(Conduct conduct) {
      this.conduct = conduct;
    }
  }

  /**
   * @param searches where files are read
   */
  Warden(Kit kit, Registry registry, Scanner scanner, Machine machine, Executor searches) {
    this.kit = kit;
    this.registry = registry;
    this.scanner = scanner;
    this.machine = machine;
    this.searches = searches;
  }

  /** On the loop. */
  void start() {
    kit.loop().after(TICK, this::tick);
  }

  /**
   * How a plug-in behaves. What it did stands, even if its drivers go and come again: only another
   * bundle begins anew. Any thread.
   */
  Conduct of(PlugIn plugIn) {
    return wards.computeIfAbsent(plugIn, p -> new Ward(new Conduct(p, kit.loop(), this::confine)))
        .conduct;
  }

  @Override
  public List<DriverStatus> drivers() {
    Threads threads = new Threads();
    List<DriverStatus> all = new ArrayList<>();
    for (Ward ward : wards.values()) {
      if (!ward.conduct.gone()) {
        all.add(ward.conduct.status(threads.of(ward.conduct)));
      }
    }
    all.sort(Comparator.comparing(DriverStatus::plugin).thenComparing(DriverStatus::version));
    return all;
  }

  /** Those that are alive. */
  private static final class Threads {
    private final Thread[] alive;
    private final int count;

    Threads() {
      ThreadGroup root = Thread.currentThread().getThreadGroup();
      while (root.getParent() != null) {
        root = root.getParent();
      }
      alive = new Thread[root.activeCount() + 64];
      count = root.enumerate(alive);
    }

    int of(Conduct conduct) {
      return conduct.own(alive, count);
    }
  }

  private void tick() {
    kit.loop().after(TICK, this::tick);
    tick++;
    if (wards.isEmpty()) {
      return;
    }
    Threads threads = new Threads();
    for (Ward ward : wards.values()) {
      if (ward.conduct.quarantine() == null && !ward.conduct.gone()) {
        ward.conduct.look(threads.of(ward.conduct));
      }
    }
    if (tick % WARNINGS == ROUND) {
      askForWarnings();
    }
    if (tick % ROUND == 0 && !looking) {
      Map<String, Users> endpoints = endpoints();
      if (!endpoints.isEmpty()) {
        looking = true;
        searches.execute(() -> lookAtSockets(endpoints));
      }
    }
  }

  private void askForWarnings() {
    for (Ward ward : wards.values()) {
      if (ward.conduct.quarantine() == null) {
        for (Served served : ward.conduct.served()) {
          new Call<List<String>, List<String>>(
                  "warnings",
                  "all devices",
                  kit.loop(),
                  served,
                  () -> CompletableFuture.completedFuture(served.driver().warnings()),
                  Warden::bounded,
                  null)
              .start(
                  PATIENCE,
                  outcome -> {
                    if (outcome.ok()) {
                      ward.conduct.warns(served, outcome.value());
                    }
                  });
        }
      }
    }
  }

  private static List<String> bounded(List<String> warnings) {
    return warnings.stream()
        .limit(MOST_WARNINGS)
        .map(w -> w.length() > LONGEST_WARNING ? w.substring(0, LONGEST_WARNING) + "…" : w)
        .toList();
  }

  /** Not on the loop. */
  private void lookAtSockets(Map<String, Users> endpoints) {
    List<InetSocketAddress> connections;
    try {
      connections = machine.connections();
    } catch (IOException | RuntimeException e) {
      LOG.debug("Connections can't be looked at: {}", Call.words(e));
      connections = List.of();
    }
    List<InetSocketAddress> found = connections;
    kit.loop().execute(() -> judgeSockets(endpoints, found));
  }

  /** Whose devices are at an endpoint. */
  private static final class Users {
    private final Set<Conduct> conducts = new LinkedHashSet<>();
    private int devices;

    /**
     * Whose the connections are.
     *
     * @return {@code null} if that can't be told
     */
    Conduct suspect() {
      List<Conduct> able = conducts.stream().filter(c -> c.plugIn().connects()).toList();
      return able.size() == 1 ? able.get(0) : null;
    }
  }

  private Map<String, Users> endpoints() {
    Map<String, Users> endpoints = new HashMap<>();
    for (Runner runner : registry.all()) {
      String place = place(runner.entry().device().endpoint());
      if (place != null && runner.served() != null) {
        Users users = endpoints.computeIfAbsent(place, p -> new Users());
        users.conducts.add(runner.served().conduct());
        users.devices++;
      }
    }
    return endpoints;
  }

  private void judgeSockets(Map<String, Users> endpoints, List<InetSocketAddress> connections) {
    looking = false;
    Map<String, Integer> counts = new HashMap<>();
    for (InetSocketAddress end : connections) {
      String address = end.getAddress().getHostAddress();
      counts.merge(address + " port " + end.getPort(), 1, Integer::sum);
      counts.merge(address, 1, Integer::sum);
      counts.merge("port " + end.getPort(), 1, Integer::sum);
    }
    wards.values().forEach(ward -> ward.sockets = 0);
    endpoints.forEach(
        (place, users) -> {
          int count = counts.getOrDefault(place, 0);
          Conduct suspect = users.suspect();
          if (suspect != null) {
            Ward ward = wards.get(suspect.plugIn());
            ward.sockets = Math.max(ward.sockets, count);
            suspect.sockets(place, count, users.devices);
          }
        });
  }

  /**
   * What a device's connections are told by: address and port, or what of these its endpoint names
   * in figures. Names aren't looked up, as that may block; by their port they are taken together.
   *
   * @return {@code null} if there is nothing to tell them by
   */
  private static String place(URI endpoint) {
    String host = endpoint.getHost();
    String port = endpoint.getPort() < 0 ? null : "port " + endpoint.getPort();
    if (host == null) {
      return null;
    }
    if (host.equals("localhost")) {
      host = "127.0.0.1";
    }
    if (!LITERAL.matcher(host).matches()) {
      return port;
    }
    try {
      String address = InetAddress.getByName(host).getHostAddress();
      return port == null ? address : address + " " + port;
    } catch (UnknownHostException e) {
      return port;
    }
  }

  /** Takes a plug-in's devices off it. On the loop. */
  private void confine(Conduct conduct, String reason) {
    Ward ward = wards.get(conduct.plugIn());
    if (ward == null || ward.conduct != conduct || conduct.gone()) {
      return;
    }
    if (kit.loop().nanos() - ward.returned >= GOOD.toNanos()) {
      ward.inARow = 0;
    }
    ward.times++;
    ward.inARow++;
    Instant since = now();
    until(ward, reason, "", since);
    List<Runner> users = registry.users(conduct);
    LOG.error(
        "The drivers of {} are in quarantine, and {} with them: {}",
        conduct.plugIn(),
        Words.count(users.size(), "device"),
        reason);
    conduct.served().forEach(served -> scanner.drop(served, words(conduct)));
    users.forEach(Runner::confine);
    conduct.abandon();
  }

  private Instant now() {
    return kit.loop().now().truncatedTo(ChronoUnit.SECONDS);
  }

  /**
   * @param more why it is still in quarantine, or {@code ""}
   */
  private void until(Ward ward, String reason, String more, Instant since) {
    long pause = FIRST.toNanos();
    for (int i = 1; i < ward.inARow && pause < LONGEST.toNanos(); i++) {
      pause *= 2;
    }
    pause = Math.min(pause, LONGEST.toNanos());
    pause += kit.random().nextLong((long) (pause * JITTER) + 1);
    kit.loop().after(Duration.ofNanos(pause), () -> giveBack(ward, reason, since));
    Instant until = kit.loop().now().plusNanos(pause).truncatedTo(ChronoUnit.SECONDS);
    ward.conduct.confine(new Quarantine(reason + more, ward.times, since, until));
  }

  /** Gives a plug-in its devices back, unless it keeps too much to itself. */
  private void giveBack(Ward ward, String reason, Instant since) {
    Conduct conduct = ward.conduct;
    conduct.abandon();
    int threads = new Threads().of(conduct);
    String hoarded = conduct.hoards(threads, ward.sockets);
    if (hoarded != null && !conduct.gone()) {
      ward.inARow++;
      until(ward, reason, "; " + hoarded, since);
      LOG.error("The drivers of {} stay in quarantine: {}", conduct.plugIn(), hoarded);
      registry.users(conduct).forEach(Runner::confine);
      return;
    }
    ward.returned = kit.loop().nanos();
    conduct.acquit(threads, ward.sockets);
    LOG.info("The drivers of {} are tried again", conduct.plugIn());
    registry.users(conduct).forEach(runner -> runner.use(runner.served()));
  }

  /** Why a plug-in's devices aren't read, for whoever looks at one of them. On the loop. */
  static String words(Conduct conduct) {
    Quarantine quarantine = conduct.quarantine();
    return conduct.plugIn()
        + " is in quarantine since "
        + quarantine.since()
        + ": "
        + quarantine.reason()
        + "; it is tried again at "
        + quarantine.until()
        + "; tell its maker";
  }
}
