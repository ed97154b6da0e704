package io.culvert.shell;

import io.culvert.api.Reading;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands;
import io.culvert.api.service.Doctor;
import io.culvert.api.service.Drivers;
import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.Generations;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Monitor.DeviceStatus;
import io.culvert.api.service.Plugins;
import io.culvert.api.service.Query;
import io.culvert.api.service.Scan;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.felix.service.command.CommandSession;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** The commands of scope {@code culvert}, for Gogo. Each writes to the session's console. */
@Component(
    service = GatewayCommands.class,
    property = {
      "osgi.command.scope=culvert",
      "osgi.command.function=status",
      "osgi.command.function=doctor",
      "osgi.command.function=devices",
      "osgi.command.function=read",
      "osgi.command.function=write",
      "osgi.command.function=history",
      "osgi.command.function=scan",
      "osgi.command.function=plugins",
      "osgi.command.function=drivers",
      "osgi.command.function=help"
    })
public final class GatewayCommands {
  /** Session variable with the name of the user who asks. */
  static final String USER = "culvert.user";

  private static final Duration LONGEST = Duration.ofSeconds(60);

  /** For what is searched on disk. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final int MOST_READINGS = 10_000;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Monitor monitor;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Generations generations;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Buffer buffer;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Query query;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Commands commands;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Scan scan;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Plugins plugins;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Doctor doctor;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  volatile Drivers drivers;

  private final InstantSource clock = InstantSource.system();

  /** What every command is called with, for {@code help} and for who gets it wrong. */
  private static final List<List<String>> USAGE =
      List.of(
          List.of("status [--json]", "what runs, what is wrong and how to mend it"),
          List.of("doctor [<lane or device>] [--json]", "how each line fares, and what to mend"),
          List.of("devices", "every device: state, last answer, polls"),
          List.of("read <device>", "the last reading of each point"),
          List.of("write <device> <point> <value>", "commands a device and reads back"),
          List.of(
              "history <device> <point> [<since> [<window>]]",
              "readings on disk, or min, mean and max of each window; 10m, 24h"),
          List.of("buffer status|verify|ledger|export", "what is on disk; see buffer help"),
          List.of("record <device> [--seconds N]", "every byte to and from it; see record help"),
          List.of(
              "scan <device or endpoint> [<from>] [--limit N] [--all] [--json]",
              "looks around: below an address that it told, or 'search:<words>'"),
          List.of(
              "plugins [--json]", "plug-ins, jars that were refused, and what their drivers cost"),
          List.of("drivers", "what the drivers cost, and which are in quarantine"));

  /** {@code help}. */
  public void help(CommandSession session, String... args) {
    session.getConsole().print(Text.table(List.of("command", ""), USAGE));
  }

  /** {@code status [--json]}. */
  public void status(CommandSession session, String... args) throws CommandFailed, IOException {
    boolean json = args.length == 1 && args[0].equals("--json");
    expect(json || args.length == 0, "status");
    Services services =
        new Services(monitor, generations, buffer, query, commands, scan, plugins, drivers);
    StatusReport report =
        StatusReport.of(
            services,
            clock.instant(),
            Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime()));
    session.getConsole().print(json ? report.json() : report.text());
  }

  /** {@code doctor [<lane or device>] [--json]}. */
  public void doctor(CommandSession session, String... args) throws CommandFailed, IOException {
    List<String> words = new ArrayList<>(List.of(args));
    boolean json = words.remove("--json");
    expect(words.size() <= 1 && words.stream().noneMatch(w -> w.startsWith("-")), "doctor");
    DoctorReport report =
        new DoctorReport(await(Services.need(doctor, "core").examine()), clock.instant());
    if (!words.isEmpty()) {
      DoctorReport one = report.only(words.get(0));
      if (one == null) {
        throw new CommandFailed(
            CommandFailed.FAILED,
            "no lane %s, nor a device of that name on one; culvert doctor lists the lanes"
                .formatted(words.get(0)));
      }
      report = one;
    }
    session
        .getConsole()
        .print(json ? report.json() : words.isEmpty() ? report.text() : report.details());
  }

  /** {@code devices}. */
  public void devices(CommandSession session, String... args) throws CommandFailed {
    expect(args.length == 0, "devices");
    List<DeviceStatus> devices = new ArrayList<>(Services.need(monitor, "core").devices());
    // What isn't right comes first; otherwise as the site has them.
    devices.sort(Comparator.comparing(d -> d.state() == Monitor.State.ONLINE));
    Instant now = clock.instant();
    List<List<String>> rows = new ArrayList<>();
    for (DeviceStatus d : devices) {
      rows.add(
          List.of(
              d.id(),
              d.state().name().toLowerCase(Locale.ROOT),
              Text.age(d.lastAnswer(), now),
              Text.count(d.polls()),
              Text.count(d.failures()),
              d.endpoint()));
    }
    PrintStream out = session.getConsole();
    out.print(
        Text.table(List.of("device", "state", "answered", "polls", "failed", "endpoint"), rows));
    for (DeviceStatus d : devices) {
      if (!d.message().isEmpty()) {
        out.print(Text.wrap(d.id() + ": ", "  ", d.message()));
      }
    }
  }

  /** {@code read <device>}. */
  public void read(CommandSession session, String... args) throws CommandFailed {
    expect(args.length == 1, "read");
    boolean own = args[0].equals(Services.need(monitor, "core").gateway());
    String message = own ? "" : device(args[0]).message();
    Instant now = clock.instant();
    List<List<String>> rows = new ArrayList<>();
    for (Reading r : monitor.latest(args[0])) {
      Value.Struct parts = r.value() instanceof Value.Struct struct ? struct : null;
      rows.add(
          List.of(
              r.point(),
              parts == null ? Text.value(r) : "",
              r.unit(),
              r.quality().toString(),
              Text.age(r.eventTime(), now)));
      if (parts != null) {
        // A line each, as one may have many.
        parts
            .fields()
            .forEach(
                (name, value) -> rows.add(List.of("  " + name, Text.value(value), "", "", "")));
      }
    }
    if (!message.isEmpty()) {
      session.getConsole().print(Text.wrap("", "  ", message));
    }
    session
        .getConsole()
        .print(Text.table(List.of("point", "value", "unit", "quality", "age"), rows));
  }

  /** {@code write <device> <point> <value>}. */
  public void write(CommandSession session, String... args) throws CommandFailed {
    expect(args.length == 3, "write");
    Commands.Command command =
        new Commands.Command(
            UUID.randomUUID().toString(),
            args[0],
            args[1],
            Text.parse(args[2]),
            "shell:" + session.get(USER));
    Commands.Result result = await(Services.need(commands, "core").submit(command));
    if (!result.done()) {
      throw new CommandFailed(
          CommandFailed.FAILED,
          "%s/%s isn't written: %s (%s)"
              .formatted(args[0], args[1], result.message(), result.quality()));
    }
    session
        .getConsole()
        .println(
            "%s/%s written%s"
                .formatted(
                    args[0],
                    args[1],
                    result.readBack() == null
                        ? ""
                        : "; the device shows " + Text.value(result.readBack())));
  }

  /** {@code history <device> <point> [<since> [<window>]]}. */
  public void history(CommandSession session, String... args) throws CommandFailed {
    expect(args.length >= 2 && args.length <= 4, "history");
    Instant now = clock.instant();
    Duration since = Text.duration(args.length > 2 ? args[2] : "10m");
    Query found = Services.need(query, "buffer");
    PrintStream out = session.getConsole();
    if (args.length == 4) {
      Query.Windows windows =
          found.windows(args[0], args[1], now.minus(since), now, Text.duration(args[3]), PATIENCE);
      out.print(
          Text.table(
              List.of("from", "count", "bad", "min", "mean", "max", "last"),
              windows.windows().stream().map(GatewayCommands::row).toList()));
      tellIfShort(out, windows.complete());
      return;
    }
    Query.History history =
        found.history(args[0], args[1], now.minus(since), now, MOST_READINGS, PATIENCE);
    List<List<String>> rows = new ArrayList<>();
    for (Batch.Entry e : history.entries()) {
      Reading r = e.reading();
      rows.add(
          List.of(
              Text.time(r.eventTime()),
              Text.value(r),
              r.unit(),
              r.quality().toString(),
              Long.toString(e.sequence())));
    }
    out.print(Text.table(List.of("time", "value", "unit", "quality", "sequence"), rows));
    if (rows.size() == MOST_READINGS) {
      out.println("The oldest " + Text.count(MOST_READINGS) + "; there may be more.");
    }
    tellIfShort(out, history.complete());
  }

  private static List<String> row(Query.Window w) {
    return List.of(
        Text.time(w.from()),
        Text.count(w.count()),
        Text.count(w.bad()),
        number(w.min()),
        number(w.mean()),
        number(w.max()),
        w.last() == null ? "" : Text.value(w.last()));
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "" : Text.value(Value.of(Math.rint(value * 1e6) / 1e6));
  }

  private static void tellIfShort(PrintStream out, boolean complete) {
    if (!complete) {
      out.println(
          "Not all was looked at within " + PATIENCE.toSeconds() + " s; ask for a shorter span.");
    }
  }

  /** {@code scan <device or endpoint> [<from>] [<option>…]}. */
  public void scan(CommandSession session, String... args) throws CommandFailed, IOException {
    ScanCommand command = ScanCommand.of(args);
    expect(command != null, "scan");
    String subject = command.subject();
    boolean url = subject.contains(":");
    String endpoint = url ? subject : device(subject).endpoint();
    Scan service = Services.need(scan, "core");
    command.run(
        url ? "" : subject,
        endpoint,
        (from, limit) -> await(service.scan(subject, from, limit)),
        session.getConsole());
  }

  /** {@code plugins [--json]}. */
  public void plugins(CommandSession session, String... args) throws CommandFailed, IOException {
    boolean json = args.length == 1 && args[0].equals("--json");
    expect(json || args.length == 0, "plugins");
    Plugins all = Services.need(plugins, "plugins");
    // A shell that tells of plug-ins while the core doesn't run is when it is needed most.
    Drivers present = drivers;
    PluginsReport report =
        new PluginsReport(
            all.plugins(),
            all.processes(),
            present == null ? List.of() : present.drivers(),
            clock.instant());
    session.getConsole().print(json ? report.json() : report.text());
  }

  /** {@code drivers}. */
  public void drivers(CommandSession session, String... args) throws CommandFailed {
    expect(args.length == 0, "drivers");
    List<DriverStatus> all = Services.need(drivers, "core").drivers();
    session
        .getConsole()
        .print(new PluginsReport(List.of(), List.of(), all, clock.instant()).costs());
  }

  private DeviceStatus device(String id) throws CommandFailed {
    List<DeviceStatus> all = Services.need(monitor, "core").devices();
    return all.stream()
        .filter(d -> d.id().equals(id))
        .findFirst()
        .orElseThrow(
            () ->
                new CommandFailed(
                    CommandFailed.FAILED,
                    "no device %s; there %s"
                        .formatted(
                            id,
                            all.isEmpty()
                                ? "is none in etc/site.json"
                                : "are " + String.join(", ", nearest(id, all)))));
  }

  private static List<String> nearest(String id, List<DeviceStatus> all) {
    List<String> ids = new ArrayList<>(all.stream().map(DeviceStatus::id).toList());
    ids.sort(Comparator.comparing(other -> -commonPrefix(id, other)));
    List<String> some = Text.first(ids, 5);
    if (ids.size() > 5) {
      some.add("… (culvert shell devices)");
    }
    return some;
  }

  private static int commonPrefix(String a, String b) {
    int mismatch = Arrays.mismatch(a.toCharArray(), b.toCharArray());
    return mismatch < 0 ? a.length() : mismatch;
  }

  private static void expect(boolean understood, String command) throws CommandFailed {
    if (!understood) {
      throw new CommandFailed(
          CommandFailed.USAGE,
          "expected: "
              + USAGE.stream()
                  .map(u -> u.get(0))
                  .filter(u -> u.split(" ")[0].equals(command))
                  .findFirst()
                  .orElse(command));
    }
  }

  private static <T> T await(CompletionStage<T> stage) throws CommandFailed {
    try {
      return stage.toCompletableFuture().get(LONGEST.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new CommandFailed(CommandFailed.FAILED, String.valueOf(e.getCause().getMessage()));
    } catch (TimeoutException e) {
      throw new CommandFailed(
          CommandFailed.FAILED, "no answer within " + LONGEST.toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailed(CommandFailed.FAILED, "the gateway stops");
    }
  }
}
