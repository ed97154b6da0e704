package io.culvert.simulator;

import io.culvert.simulator.audit.Intervals;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Rules;
import io.culvert.simulator.evil.Exhibition;
import io.culvert.simulator.evil.Gallery;
import io.culvert.simulator.evil.Outcome;
import io.culvert.simulator.plant.Plant;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.street.StreetFile;
import io.culvert.simulator.view.EvilText;
import io.culvert.simulator.view.Picture;
import io.culvert.simulator.view.ReportText;
import io.culvert.simulator.view.Text;
import io.culvert.simulator.view.Words;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/** The whole line at once: street, gateway in a process of its own, platform, audit. */
final class Demo {
  static final List<String> OPTIONS =
      List.of(
          "gateway",
          "seconds",
          "devices",
          "points-per-second",
          "broker",
          "mqtt-port",
          "port-base",
          "broker-down",
          "kills",
          "seed",
          "evil",
          "plant-devices",
          "plant-port",
          "plant-fault",
          "plant-down",
          "street",
          "profiles",
          "work",
          "report",
          "lang",
          "max-duplicates");
  static final List<String> SWITCHES = List.of("keep", "plant", "plant-history", "plant-unsecured");

  static final String GATEWAY_ID = "cabinet-17";
  private static final long FRAME_MILLIS = 250;

  /** As near as a kill comes to the moment chosen for it. */
  private static final long MOMENT_MILLIS = 10;

  private static final long LONGEST_DRAIN = 120_000;
  private static final long LONGEST_START = 90_000;
  private static final int PLANT_DEVICES = 3;
  private static final int PLANT_PORT = 48_400;

  /** Between one cut of the plant's connections and the next. */
  private static final long CUT_MILLIS = 500;

  private final Options options;
  private final PrintStream out;
  private final InstantSource clock;
  private final Ending ending;
  private final int seconds;
  private long disruptions;
  private boolean gatewayFailed;
  private boolean failed;

  Demo(Options options, PrintStream out, InstantSource clock, Ending ending)
      throws StreetException {
    this.ending = ending;
    this.options = options;
    this.out = out;
    this.clock = clock;
    this.seconds = options.whole("seconds", 0, 1, 1_000_000);
  }

  int run() throws StreetException, IOException {
    Path installation = Path.of(options.required("gateway"));
    int brokerPort = options.whole("mqtt-port", 18_830, 1, 65_535);
    Street street = street();
    int rate = options.whole("points-per-second", 4_000, 1, 1_000_000);
    Duration interval = Duration.ofMillis(Math.max(1, 1000L * street.readable() / rate));
    Gallery gallery = Gallery.of(options.text("evil", "none"));
    Path work = work();
    try (Exhibition exhibition = new Exhibition(gallery, work)) {
      Gateway gateway =
          new Gateway(
              installation,
              work,
              SiteDocument.of(street, GATEWAY_ID, brokerPort, interval, exhibition));
      Kills kills =
          new Kills(
              gateway,
              options.whole("kills", 0, 1, 100_000),
              options.whole("seed", new Random().nextInt(1_000_000), 0, Integer.MAX_VALUE));
      try (Session session =
          new Session(
              street,
              options.text("broker", "embedded"),
              brokerPort,
              work,
              clock,
              entries -> kills.arrived(entries, clock.millis()))) {
        session.leaveOut(gallery.devices(), exhibition.arrivals());
        exhibition.hangUp(gateway.home());
        trust(session, gateway);
        try {
          return ending.finish(run(session, gateway, kills, exhibition));
        } finally {
          gateway.stop();
        }
      }
    } finally {
      if (options.has("keep") || failed) {
        out.println("Kept " + work);
      } else {
        delete(work);
      }
    }
  }

  /**
   * What a commissioning engineer does: the gateway trusts the certificate of the plant's server.
   */
  private static void trust(Session session, Gateway gateway) throws IOException {
    if (session.plant() != null && session.plant().certificate() != null) {
      Path trusted = gateway.home().resolve("etc/opcua/trusted");
      Files.createDirectories(trusted);
      Files.write(trusted.resolve("plant.der"), session.plant().certificate());
    }
  }

  private Street street() throws StreetException, IOException {
    Profile.Library profiles = Main.library(options);
    Street street = modbusStreet(profiles);
    if (!options.has("plant")) {
      return street;
    }
    Street.Plant plant =
        Plant.of(
            profiles,
            options.whole("plant-devices", PLANT_DEVICES, 1, 1_000),
            options.whole("plant-port", PLANT_PORT, 1, 65_535),
            options.has("plant-history"),
            !options.has("plant-unsecured"));
    // Alone, unless devices of the street were asked for.
    return options.has("devices") || options.has("street")
        ? street.with(plant)
        : street.only(plant);
  }

  private Street modbusStreet(Profile.Library profiles) throws StreetException, IOException {
    Integer base = options.has("port-base") ? options.whole("port-base", 0, 1, 65_000) : null;
    Integer devices = options.whole("devices", 200, 1, 100_000);
    if (options.has("street")) {
      return StreetFile.read(
          Path.of(options.text("street", "")),
          profiles,
          base,
          options.has("devices") ? devices : null);
    }
    try (InputStream in = Demo.class.getResourceAsStream("/streets/demo.yaml")) {
      return StreetFile.parse(
          "streets/demo.yaml",
          new String(in.readAllBytes(), StandardCharsets.UTF_8),
          profiles,
          base,
          devices);
    }
  }

  private Path work() throws IOException {
    if (options.has("work")) {
      return Files.createDirectories(Path.of(options.text("work", "")).toAbsolutePath());
    }
    return Files.createTempDirectory("culvert-demo-");
  }

  private int run(Session session, Gateway gateway, Kills kills, Exhibition exhibition)
      throws IOException, StreetException {
    Street street = session.street();
    String places = places(street, session);
    out.println("street    " + street.title() + ", " + street.size() + " devices");
    out.println("listening " + places);
    out.println("gateway   log " + gateway.log());
    if (kills.wanted() > 0) {
      out.println("kills     " + kills.wanted() + "; --seed " + kills.seed() + " repeats them");
    }
    out.flush();
    gateway.start();
    Picture.Scene scene =
        new Picture.Scene(
            Main.streetLine(new Words(options.text("lang", "en")), street),
            places,
            street.size(),
            clock.millis(),
            seconds);
    Rules rules = Rules.STRICT;
    Report report;
    Usage usage = new Usage(gateway);
    long connections = 0;
    Words words = new Words(options.text("lang", "en"));
    long first = gateway.startedAt();
    try (Watch watch = new Watch(out, words, session.platform(), session, scene)) {
      if (awaitFirst(session, gateway, watch)) {
        play(session, gateway, kills, watch, usage, clock.millis());
      }
      usage.look(clock.millis());
      connections = session.plant() == null ? 0 : session.plant().connections();
      exhibition.fallSilent();
      disruptions += kills.done().size();
      rules = rules.withDuplicates(allowed(session)).withKills(kills.done());
      report =
          session.drain(
              rules,
              ending.wanted() ? LONGEST_DRAIN / 4 : LONGEST_DRAIN,
              () -> watch.show(clock.millis(), "the street is silent; waiting for the rest …"));
      watch.show(clock.millis(), "stopping the gateway …");
    }
    boolean stopped = gateway.stop();
    Intervals intervals = session.audit().intervals(session.platform().firstReadingAt());
    List<Outcome> outcomes = exhibition.outcomes();
    out.println();
    out.print(ReportText.of(report));
    figures(session, first, usage);
    out.print(EvilText.intervals(intervals, words));
    kills.tell(report.ledger(), out);
    out.print(EvilText.of(outcomes, words));
    if (options.has("report")) {
      Map<String, Long> figures = new LinkedHashMap<>(session.figures());
      figures.putAll(kills.figures(report.ledger()));
      figures.putAll(usage.figures());
      figures.put("plantConnections", connections);
      ReportJson.write(report, figures, intervals, outcomes, Path.of(options.text("report", "")));
    }
    if (!stopped && !gatewayFailed) {
      out.println("The gateway didn't stop within " + Gateway.STOP_SECONDS + " s and was killed.");
    }
    if (gatewayFailed) {
      out.println("The gateway ended by itself; the end of its log " + gateway.log() + ":");
      gateway.lastWords(20).forEach(line -> out.println("  " + line));
    }
    boolean empty = report.confirmed() == 0;
    if (empty) {
      out.println("Nothing arrived at the platform.");
    }
    failed = !report.holds() || !stopped || gatewayFailed || empty;
    return failed ? 1 : 0;
  }

  /** Waits for the first reading, so that the time asked for is time that something was seen in. */
  private boolean awaitFirst(Session session, Gateway gateway, Watch watch) {
    long begun = clock.millis();
    while (session.platform().firstReadingAt() == 0
        || (session.plant() != null && !session.plant().followed())) {
      if (ending.wanted() || clock.millis() - begun > LONGEST_START) {
        return false;
      }
      if (!gateway.alive()) {
        gatewayFailed = true;
        return false;
      }
      watch.show(clock.millis(), "the gateway is starting …");
      ending.pause(FRAME_MILLIS);
    }
    return true;
  }

  /** Until the time is up or someone asks for the end, with the disruptions that were ordered. */
  private void play(
      Session session, Gateway gateway, Kills kills, Watch watch, Usage usage, long startedAt)
      throws IOException, StreetException {
    int down = options.whole("broker-down", 0, 1, 100_000);
    long length = seconds > 0 ? seconds * 1000L : Long.MAX_VALUE / 2;
    long middle = seconds > 0 ? length / 3 : 20_000;
    long killAt = down > 0 ? middle * 2 : middle;
    long downAt = down > 0 ? middle : Long.MAX_VALUE;
    long upAt = Long.MAX_VALUE;
    long shown = 0;
    boolean killing = kills.wanted() > 0;
    Trouble trouble = trouble(session.plant(), middle);
    // Where the gateway is killed often, or there are many faults, that may take longer than the
    // time asked for.
    while (!ending.wanted()
        && (killing
            || trouble.pending(clock.millis() - startedAt)
            || clock.millis() - startedAt < length)) {
      long ran = clock.millis() - startedAt;
      String note = kills.note();
      if (ran >= downAt) {
        session.broker().stop();
        disruptions++;
        upAt = downAt + down * 1000L;
        downAt = Long.MAX_VALUE;
      }
      if (ran >= upAt) {
        session.broker().start();
        upAt = Long.MAX_VALUE;
      } else if (upAt != Long.MAX_VALUE) {
        note = "broker stopped, back in " + (upAt - ran + 999) / 1000 + " s";
      }
      note = trouble.play(ran, note);
      if (killing && ran >= killAt) {
        killing = kills.play(clock.millis());
      }
      if (!gateway.alive()
          || clock.millis() - gateway.startedAt() > LONGEST_START && kills.waiting()) {
        gatewayFailed = true;
        return;
      }
      if (clock.millis() - shown >= FRAME_MILLIS) {
        shown = clock.millis();
        watch.show(shown, note);
        usage.look(shown);
      }
      ending.pause(killing ? MOMENT_MILLIS : FRAME_MILLIS);
    }
    if (upAt != Long.MAX_VALUE) {
      session.broker().start();
    }
    trouble.end();
  }

  private Trouble trouble(Plant plant, long from) throws StreetException {
    List<Plant.Fault> faults = new ArrayList<>();
    String wanted = options.text("plant-fault", "");
    if (plant == null && !wanted.isEmpty()) {
      throw new StreetException("found --plant-fault without --plant, which it is about");
    }
    for (String kind : wanted.isEmpty() ? new String[0] : wanted.split(",")) {
      faults.add(
          Stream.of(Plant.Fault.values())
              .filter(fault -> fault.label().equals(kind))
              .findFirst()
              .orElseThrow(
                  () ->
                      new StreetException(
                          "found --plant-fault "
                              + wanted
                              + ", expected some of restart,hang,cut")));
    }
    return new Trouble(plant, faults, from, options.whole("plant-down", 4, 1, 100_000) * 1000L);
  }

  /** Faults of the plant's server, one after the other, with as long a rest after each. */
  private static final class Trouble {
    private final Plant plant;
    private final Deque<Plant.Fault> faults;
    private final long millis;
    private long next;
    private long until = Long.MAX_VALUE;
    private long endedAt = -LONGEST_START;

    Trouble(Plant plant, List<Plant.Fault> faults, long from, long millis) {
      this.plant = plant;
      this.faults = new ArrayDeque<>(faults);
      this.next = from;
      this.millis = millis;
    }

    /** Whether there is one now, or one to come, or nobody is back yet after the last. */
    boolean pending(long ran) {
      return !faults.isEmpty() || (ran - endedAt < LONGEST_START && !plant.followed());
    }

    /** Does what is due, and tells what is going on. */
    String play(long ran, String note) throws IOException {
      if (faults.isEmpty()) {
        return note;
      }
      Plant.Fault fault = faults.peek();
      if (ran >= until) {
        end();
        endedAt = ran;
        next = ran + millis;
        return note;
      }
      if (ran >= next) {
        until = until == Long.MAX_VALUE ? ran + millis : until;
        plant.suffer(fault);
        next = fault == Plant.Fault.CUT ? ran + CUT_MILLIS : Long.MAX_VALUE;
      }
      return until == Long.MAX_VALUE
          ? note
          : "plant's server: " + fault.label() + ", well in " + (until - ran + 999) / 1000 + " s";
    }

    void end() throws IOException {
      if (until != Long.MAX_VALUE) {
        until = Long.MAX_VALUE;
        plant.recover(faults.remove());
      }
    }
  }

  private long allowed(Session session) throws StreetException {
    // What was under way when a connection or the gateway ended may come once more.
    long byWindow = disruptions * session.audit().mostInWindow();
    return options.has("max-duplicates")
        ? options.whole("max-duplicates", 0, 0, Integer.MAX_VALUE)
        : byWindow;
  }

  private void figures(Session session, long startedAt, Usage usage) {
    long residentKib = usage.residentKib();
    long first = session.platform().firstReadingAt();
    out.println();
    out.println(
        "  start to first reading at the platform  "
            + (first == 0 ? "–" : Text.count(first - startedAt) + " ms"));
    out.println(
        "  gateway's resident memory               "
            + (residentKib < 0 ? "–" : Text.count(residentKib / 1024.0) + " MiB"));
    out.println(
        "  messages at the platform                " + Text.count(session.platform().messages()));
  }

  private static String places(Street street, Session session) {
    return Main.places(street)
        + ", MQTT "
        + Session.HOST
        + ":"
        + session.broker().port()
        + " ("
        + session.broker().name()
        + ")";
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
