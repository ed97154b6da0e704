package io.culvert.simulator;

import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Rules;
import io.culvert.simulator.plant.Plant;
import io.culvert.simulator.platform.Broker;
import io.culvert.simulator.platform.Platform;
import io.culvert.simulator.replay.Recording;
import io.culvert.simulator.replay.Replay;
import io.culvert.simulator.replay.ReplayReport;
import io.culvert.simulator.slave.SlavePorts;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.street.StreetFile;
import io.culvert.simulator.view.Picture;
import io.culvert.simulator.view.ReportText;
import io.culvert.simulator.view.Text;
import io.culvert.simulator.view.Words;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** The simulator's command line. */
public final class Main {
  private static final String USAGE =
      """
      Simulates a street of devices and the platform of a city, for any gateway.

        simulator street   --street FILE              the devices, as Modbus TCP slaves and behind
                                                      a server of OPC UA
        simulator platform                            the broker, and a view of what arrives
        simulator run      --street FILE              both, and the audit at the end
        simulator site     --street FILE [--out FILE] the gateway's site.json for them
        simulator demo     --gateway FOLDER           both, a gateway between them, and the audit
        simulator replay   FILE                       a device, as "culvert record" recorded it

      Options
        --seconds N              end by itself; else Ctrl-C ends
        --street FILE            street as YAML; demo has one of its own
        --profiles FOLDER        device profiles, before those built in
        --devices N              as many devices, in the street's proportions (demo: 200)
        --port-base N            first port of the street (15020)
        --broker KIND            embedded or mosquitto (embedded); for run and platform also
                                 running:HOST, one that somebody else runs
        --mqtt-port N            port of the broker (18830)
        --gateway-id ID          for site (cabinet-17)
        --points-per-second N    for demo: sets the interval between polls (4000)
        --broker-down N          for demo: stops the broker for N seconds in the middle
        --kills N, --seed N      for demo: kills the gateway from the middle on, N times at random
                                 moments, and starts it again at once; a seed repeats them
        --evil LIST              for demo: evil plug-ins beside the street: all, none, or some of
                                 hangs,throws,floods,threads,sockets,blocks-close,blocks-stop,
                                 wrong-thread,nonsense,slow-validate and, in processes of their
                                 own, spins,heap,exits,halts,crashes
        --plant                  for demo: a plant behind a server of OPC UA, in place of the street;
                                 with --devices or --street beside it
        --plant-devices N        as many devices (3)
        --plant-port N           port of its server (48400)
        --plant-history          its devices keep what they measured, also while the server is away
        --plant-unsecured        its server takes messages without security, and no others
        --plant-fault LIST       what happens to its server from the middle on: some of restart (it
                                 stops, and forgets), hang (accepts connections and says nothing)
                                 and cut (closes them all, again and again)
        --plant-down N           for N seconds each (4)
        --plant-certificate FILE for street and run: where to put the certificate of the plant's
                                 server
        --max-duplicates N       for run and demo: readings that may arrive twice
        --clock-skew             for run: the gateway's clock may jump; its times aren't judged,
                                 and readings are joined by tick alone
        --report FILE            for run and demo: the audit as JSON
        --work FOLDER, --keep    for demo: where it works; don't delete that afterwards
        --lang zh-CN             the view in Chinese
        --port N                 for replay: where it listens (15020); 0 is any that is free
        --serial DEVICE          for replay: on a serial line instead
        --speed X                for replay: 10 answers ten times as fast as recorded (1)
      Everything listens on 127.0.0.1 only. Exit: 0 the audit holds, 1 it doesn't, 2 can't start;
      replay: 1 if something was asked that wasn't recorded.
      """;

  private static final long FRAME_MILLIS = 250;

  private Main() {}

  /** Runs a command and exits with its status. */
  public static void main(String[] args) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    int status;
    try {
      status = run(List.of(args), out);
    } catch (StreetException e) {
      out.flush();
      e.problems().forEach(System.err::println);
      status = 2;
    } catch (FileSystemException e) {
      out.flush();
      System.err.println(e.getFile() + ": " + reason(e));
      status = 2;
    } catch (IOException e) {
      out.flush();
      System.err.println(e.getMessage());
      status = 2;
    }
    out.flush();
    System.exit(status);
  }

  private static String reason(FileSystemException e) {
    return e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
  }

  static int run(List<String> args, PrintStream out) throws StreetException, IOException {
    String command = args.isEmpty() ? "help" : args.get(0);
    List<String> rest = args.isEmpty() ? args : args.subList(1, args.size());
    return switch (command) {
      case "street" -> street(rest, out);
      case "platform" -> platform(rest, out);
      case "run" -> both(rest, out);
      case "site" -> site(rest, out);
      case "demo" -> demo(rest, out);
      case "replay" -> replay(rest, out);
      case "help", "--help", "-h" -> {
        out.print(USAGE);
        yield 0;
      }
      default ->
          throw new StreetException(
              "found the command '"
                  + command
                  + "', expected street, platform, run, site, demo, replay or help");
    };
  }

  private static int demo(List<String> args, PrintStream out) throws StreetException, IOException {
    Options options = new Options(args, Demo.OPTIONS, Demo.SWITCHES);
    try (Ending ending = new Ending()) {
      return new Demo(options, out, Clock.systemUTC(), ending).run();
    }
  }

  private static int street(List<String> args, PrintStream out) throws StreetException {
    Options options = new Options(args, withStreet("seconds", "plant-certificate"), List.of());
    Street street = readStreet(options);
    try (Ending ending = new Ending();
        SlavePorts slaves = SlavePorts.open(street, Session.HOST, Clock.systemUTC())) {
      try (Plant plant =
          street.plant() == null
              ? null
              : Plant.open(street, Session.HOST, Clock.systemUTC(), slaves.truth())) {
        hand(plant, options);
        out.println(
            street.title()
                + ": "
                + street.size()
                + " devices, "
                + places(street)
                + "; Ctrl-C ends");
        out.flush();
        until(options, ending, () -> {});
        out.println(
            Text.count(slaves.answers() + (plant == null ? 0 : plant.given())) + " answers");
      }
      return ending.finish(0);
    }
  }

  /** Writes the certificate of the plant's server for whoever is to trust it. */
  private static void hand(Plant plant, Options options) throws StreetException {
    if (options.has("plant-certificate")) {
      if (plant == null || plant.certificate() == null) {
        throw new StreetException(
            "found --plant-certificate, but the street has no plant that has one");
      }
      Path file = Path.of(options.text("plant-certificate", ""));
      try {
        Files.write(file, plant.certificate());
      } catch (IOException e) {
        throw new StreetException(file + ": can't be written (" + e + ")");
      }
    }
  }

  /** Where the devices listen. */
  static String places(Street street) {
    List<String> places = new ArrayList<>();
    List<Integer> ports = street.ports();
    if (!ports.isEmpty()) {
      int low = ports.get(0);
      int high = ports.get(ports.size() - 1);
      places.add("Modbus TCP " + Session.HOST + ":" + low + (high == low ? "" : "–" + high));
    }
    if (street.plant() != null) {
      places.add(
          Plant.endpoint(Session.HOST, street.plant())
              + (street.plant().secured() ? "" : " without security"));
    }
    return String.join(", ", places);
  }

  private static int platform(List<String> args, PrintStream out) throws StreetException {
    Options options =
        new Options(args, List.of("broker", "mqtt-port", "seconds", "lang", "work"), List.of());
    Words words = new Words(options.text("lang", "en"));
    Platform platform = new Platform(null, Clock.systemUTC());
    Path work = Path.of(options.text("work", System.getProperty("java.io.tmpdir")));
    try (Ending ending = new Ending();
        Broker broker =
            Session.broker(
                options.text("broker", "embedded"), brokerPort(options), work, platform)) {
      broker.start();
      String place = "MQTT " + Session.HOST + ":" + broker.port() + " (" + broker.name() + ")";
      out.println("listening " + place);
      out.flush();
      Picture.Scene scene =
          new Picture.Scene("", place, 0, System.currentTimeMillis(), seconds(options));
      try (Watch watch = new Watch(out, words, platform, null, scene)) {
        until(options, ending, () -> watch.show(System.currentTimeMillis(), ""));
      }
      return ending.finish(0);
    }
  }

  private static int both(List<String> args, PrintStream out) throws StreetException, IOException {
    Options options =
        new Options(
            args,
            withStreet(
                "broker",
                "mqtt-port",
                "seconds",
                "lang",
                "work",
                "report",
                "max-duplicates",
                "plant-certificate"),
            List.of("clock-skew"));
    Street street = readStreet(options);
    Words words = new Words(options.text("lang", "en"));
    Path work = Path.of(options.text("work", System.getProperty("java.io.tmpdir")));
    Rules rules =
        Rules.STRICT.withDuplicates(options.whole("max-duplicates", 0, 0, Integer.MAX_VALUE));
    try (Ending ending = new Ending();
        Session session =
            new Session(
                street,
                options.text("broker", "embedded"),
                brokerPort(options),
                work,
                Clock.systemUTC())) {
      if (options.has("clock-skew")) {
        session.audit().ignoreTimes();
      }
      hand(session.plant(), options);
      String place = places(street) + ", MQTT " + Session.HOST + ":" + session.broker().port();
      out.println("listening " + place);
      out.flush();
      Picture.Scene scene =
          new Picture.Scene(
              streetLine(words, street),
              place,
              street.size(),
              System.currentTimeMillis(),
              seconds(options));
      Report report;
      try (Watch watch = new Watch(out, words, session.platform(), session, scene)) {
        until(options, ending, () -> watch.show(System.currentTimeMillis(), ""));
        report =
            session.drain(
                rules,
                60_000,
                () ->
                    watch.show(
                        System.currentTimeMillis(),
                        "the street is silent; waiting for the rest …"));
      }
      out.print(ReportText.of(report));
      out.flush();
      if (options.has("report")) {
        ReportJson.write(report, session.figures(), Path.of(options.text("report", "")));
      }
      return ending.finish(report.holds() ? 0 : 1);
    }
  }

  private static int site(List<String> args, PrintStream out) throws StreetException, IOException {
    Options options = new Options(args, withStreet("mqtt-port", "gateway-id", "out"), List.of());
    String document =
        SiteDocument.of(
            readStreet(options),
            options.text("gateway-id", Demo.GATEWAY_ID),
            brokerPort(options),
            null);
    if (options.has("out")) {
      Files.writeString(Path.of(options.text("out", "")), document);
    } else {
      out.print(document);
    }
    return 0;
  }

  private static int replay(List<String> args, PrintStream out)
      throws StreetException, IOException {
    if (args.isEmpty() || args.get(0).startsWith("--")) {
      throw new StreetException("found no file, which replay needs before its options");
    }
    Options options =
        new Options(
            args.subList(1, args.size()), List.of("port", "serial", "speed", "seconds"), List.of());
    Recording recording = Recording.read(Path.of(args.get(0)));
    double speed = speed(options.text("speed", "1"));
    boolean serial = options.has("serial");
    int port = options.whole("port", 15_020, 0, 65_535);
    Consumer<String> says =
        line -> {
          out.println(line);
          out.flush();
        };
    try (Ending ending = new Ending();
        Replay replay =
            serial
                ? Replay.serial(recording, Path.of(options.text("serial", "")), speed, says)
                : Replay.tcp(recording, port, speed, says)) {
      says.accept(
          recording.header().getOrDefault("device", "a device")
              + " as it was on "
              + recording.header().getOrDefault("start", "an unknown day")
              + ", on "
              + (serial ? options.text("serial", "") : Session.HOST + ":" + replay.port())
              + "; Ctrl-C ends");
      until(options, ending, () -> {});
      ReplayReport report = replay.report();
      out.print(report);
      return ending.finish(report.complete() ? 0 : 1);
    }
  }

  private static double speed(String text) throws StreetException {
    if (text.matches("[0-9]{1,4}(\\.[0-9]{1,3})?")) {
      double speed = Double.parseDouble(text);
      if (speed > 0) {
        return speed;
      }
    }
    throw new StreetException("found --speed " + text + ", expected a number such as 0.5 or 10");
  }

  private static Street readStreet(Options options) throws StreetException {
    return StreetFile.read(
        Path.of(options.required("street")),
        library(options),
        options.has("port-base") ? options.whole("port-base", 0, 1, 65_000) : null,
        options.has("devices") ? options.whole("devices", 0, 1, 100_000) : null);
  }

  static Profile.Library library(Options options) {
    return new Profile.Library(
        options.has("profiles") ? List.of(Path.of(options.text("profiles", ""))) : List.of());
  }

  static String streetLine(Words words, Street street) {
    return words.get(
        "street",
        street.title(),
        street.size(),
        Text.count(street.points()),
        Text.value(street.speed()));
  }

  private static List<String> withStreet(String... others) {
    List<String> all = new ArrayList<>(List.of("street", "profiles", "port-base", "devices"));
    all.addAll(Arrays.asList(others));
    return all;
  }

  private static int brokerPort(Options options) throws StreetException {
    return options.whole("mqtt-port", 18_830, 1, 65_535);
  }

  private static int seconds(Options options) throws StreetException {
    return options.whole("seconds", 0, 1, 1_000_000);
  }

  private static void until(Options options, Ending ending, Runnable frame) throws StreetException {
    int seconds = seconds(options);
    long end = seconds == 0 ? Long.MAX_VALUE : System.currentTimeMillis() + seconds * 1000L;
    while (!ending.wanted() && System.currentTimeMillis() < end) {
      frame.run();
      ending.pause(FRAME_MILLIS);
    }
  }
}
