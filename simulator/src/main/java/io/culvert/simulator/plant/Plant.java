package io.culvert.simulator.plant;

import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.truth.Truth;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.security.cert.CertificateEncodingException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A plant, running: its devices measure in cycles, and its server tells of it. Thread-safe; the
 * calls that start and stop the server block until that is done.
 */
public final class Plant implements AutoCloseable {
  static final String PUMP_STATION = "opcua-pump-station";
  static final String BRIDGE = "opcua-bridge";
  static final String WATER_QUALITY = "opcua-water-quality";

  /** Its kinds of device, by the profiles that a gateway uses for them. */
  public static final List<String> PROFILES = List.of(PUMP_STATION, BRIDGE, WATER_QUALITY);

  /** Id of the profile's point that reads alarms. */
  static final String ALARM_POINT = "alarm";

  private final Settings settings;
  private final InstantSource clock;
  private final double speed;
  private final ServerKey key;
  private final Wire wire = new Wire();
  private final List<Station> stations = new ArrayList<>();
  private final ScheduledExecutorService cycles =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("plant-cycle", true));
  private Generation server;
  private int starts;
  private long cycledAt;

  /**
   * What a plant is like.
   *
   * @param secured whether messages must be signed at least; otherwise there is no security at all
   * @param history whether devices keep what they measured, also while the server is away
   */
  record Settings(String host, int port, Duration cycle, boolean secured, boolean history) {}

  private Plant(Street street, Settings settings, InstantSource clock) throws StreetException {
    this.settings = settings;
    this.clock = clock;
    this.speed = street.speed();
    this.key = settings.secured() ? ServerKey.get(settings.host()) : null;
    this.cycledAt = clock.millis();
    for (Street.Station station : street.plant().stations()) {
      stations.add(
          new Station(
              station, street.seed() * 31 + station.id().hashCode(), settings.history(), cycledAt));
    }
  }

  /**
   * Opens the plant of a street. Blocks until its server listens.
   *
   * @param truth that its devices are added to
   */
  public static Plant open(Street street, String host, InstantSource clock, Truth truth)
      throws StreetException {
    Plant open = still(street, host, clock, truth);
    long millis = street.plant().cycle().toMillis();
    open.cycles.scheduleWithFixedDelay(open::cycle, millis, millis, TimeUnit.MILLISECONDS);
    return open;
  }

  /** The same, with cycles only when they are called for. */
  static Plant still(Street street, String host, InstantSource clock, Truth truth)
      throws StreetException {
    Street.Plant plant = street.plant();
    Plant open =
        new Plant(
            street,
            new Settings(host, plant.port(), plant.cycle(), plant.secured(), plant.history()),
            clock);
    try {
      open.start();
    } catch (IOException e) {
      open.close();
      throw new StreetException(e.getMessage() + "; free it or choose another with --plant-port");
    }
    open.stations.forEach(station -> truth.add(station.truth()));
    return open;
  }

  /** Lets the time pass that has passed since the last cycle. */
  void cycle() {
    long now = clock.millis();
    double seconds = Math.max(0, now - cycledAt) / 1e3 * speed;
    cycledAt = now;
    stations.forEach(station -> station.cycle(now, seconds));
  }

  /** What may happen to its server. */
  public enum Fault {
    /** It stops, forgets sessions and subscriptions, and starts again. */
    RESTART,
    /** It accepts whoever connects, and neither hears nor says anything. */
    HANG,
    /** It closes all its connections, again and again; it forgets nothing. */
    CUT;

    /** As an option has it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A plant of so many devices, its kinds in turn.
   *
   * @param history whether devices keep what they measured
   * @param secured whether the server wants security
   */
  public static Street.Plant of(
      Profile.Library profiles, int devices, int port, boolean history, boolean secured)
      throws StreetException {
    List<Street.Station> stations = new ArrayList<>();
    for (int i = 0; i < devices; i++) {
      String profile = PROFILES.get(i % PROFILES.size());
      String kind = List.of("pump", "bridge", "tap").get(i % PROFILES.size());
      stations.add(
          new Street.Station(
              "plant-" + kind + "-" + (i / PROFILES.size() + 1), profiles.find(profile)));
    }
    return new Street.Plant(port, Duration.ofMillis(250), history, secured, stations);
  }

  /** Where its server is found. */
  public static String endpoint(String host, Street.Plant plant) {
    return Street.Plant.SCHEME + "://" + host + ":" + plant.port() + "/" + Generation.PATH;
  }

  /** The node below which a device's variables lie. */
  public static String root(String device) {
    return "nsu=" + AddressSpace.URI + ";s=" + device;
  }

  /** The server's certificate in DER, {@code null} without security. */
  public byte[] certificate() {
    try {
      return key == null ? null : key.certificate().getEncoded();
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Values and events that were given to somebody so far. */
  public long given() {
    return stations.stream().mapToLong(Station::given).sum();
  }

  /** Whether somebody is connected who is told of every device. */
  public boolean followed() {
    return wire.connections() > 0 && stations.stream().allMatch(Station::followed);
  }

  /** From now on nothing changes any more. The server stays, and gives what it still has. */
  public void fallSilent() {
    stations.forEach(Station::fallSilent);
  }

  /** The server goes away, and forgets sessions and subscriptions. */
  public synchronized void stop() {
    if (server != null) {
      server.close();
      server = null;
    }
  }

  /** The server comes back. */
  public synchronized void start() throws IOException {
    if (server == null) {
      server = new Generation(settings, starts++, key, stations, wire, clock);
    }
  }

  /** A fault begins; of {@link Fault#CUT}, each call is one more cut. */
  public void suffer(Fault fault) {
    switch (fault) {
      case RESTART -> stop();
      case HANG -> hang();
      case CUT -> cut();
    }
  }

  /** A fault ends. */
  public void recover(Fault fault) throws IOException {
    switch (fault) {
      case RESTART -> start();
      case HANG -> wakeUp();
      case CUT -> {
        // Whoever was cut off comes again by himself.
      }
    }
  }

  /** Accepts whoever connects, and neither hears nor says anything until {@link #wakeUp}. */
  public void hang() {
    wire.hold();
  }

  /** Hears what was said to it meanwhile, and says what it had to say. */
  public void wakeUp() {
    wire.letGo();
  }

  /** Closes all connections at once; the server remembers sessions and subscriptions. */
  public void cut() {
    wire.cut();
  }

  /** Connections to the server at the moment. */
  public int connections() {
    return wire.connections();
  }

  @Override
  public void close() {
    cycles.shutdownNow();
    stop();
  }
}
