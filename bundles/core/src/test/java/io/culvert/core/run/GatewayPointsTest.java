package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import io.culvert.api.ClockState;
import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Commands.Command;
import io.culvert.api.service.Commands.Result;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import io.culvert.api.service.Plugins;
import io.culvert.core.model.Profile;
import io.culvert.core.profile.LoadedProfile;
import io.culvert.core.profile.ProfileReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The gateway tells of itself. */
class GatewayPointsTest {
  private static final Path FILE = Path.of("src/main/resources/profiles/gateway.yaml");
  private static final Profile SHIPPED = read(text(FILE));

  private final Rig rig = new Rig().plug();

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Profile read(String yaml) {
    LoadedProfile loaded =
        new ProfileReader().read("gateway.yaml", yaml.getBytes(StandardCharsets.UTF_8));
    assertThat(loaded.faults()).isEmpty();
    return loaded.profile();
  }

  private static Profile points(String... points) {
    return read(
        """
        schema: culvert-profile/1
        id: gateway
        title: {en: Gateway}
        scheme: gateway
        interval: 1s
        points:
        """
            + "  - "
            + String.join("\n  - ", points)
            + "\n");
  }

  private Rig begin(Profile profile) {
    rig.own = profile;
    return rig.apply();
  }

  private List<Reading> told(String point) {
    return rig.buffer.of(Rig.GATEWAY).stream().filter(r -> r.point().equals(point)).toList();
  }

  private List<String> values(String point) {
    return told(point).stream()
        .map(r -> r.value() == null ? r.quality().toString() : r.value().toString())
        .toList();
  }

  private Map<String, String> latest() {
    Map<String, String> latest = new HashMap<>();
    for (Reading reading : rig.engine.latest(Rig.GATEWAY)) {
      latest.put(reading.point(), reading.value() + " " + reading.unit());
    }
    return latest;
  }

  @Test
  void theFiguresOfTheDemoComeEachSecond() {
    rig.device("a", "one").device("b", "two");
    begin(SHIPPED).seconds(10);

    assertThat(told("read")).hasSize(10).extracting(Reading::unit).containsOnly("");
    assertThat(told("suppressed")).hasSize(10);
    assertThat(told("accepted")).hasSize(10);
    assertThat(values("confirmed")).hasSize(10).containsOnly("30");
    assertThat(told("read").get(9).eventTime()).isEqualTo(rig.now());
    assertThat(values("missed")).as("by dead-band").containsExactly("0");
    assertThat(values("dropped")).containsExactly("4");
    assertThat(values("pending")).containsExactly("3");
    assertThat(values("unconfirmed")).containsExactly("3");
    assertThat(values("devices_online")).last().isEqualTo("2");

    List<Reading> devices =
        rig.buffer.accepted.stream().filter(r -> !r.device().equals(Rig.GATEWAY)).toList();
    assertThat(rig.engine.figures().read())
        .as("what devices told, and not the gateway")
        .isEqualTo(devices.size())
        .isEqualTo(rig.engine.figures().accepted());
    assertThat(values("suppressed")).containsOnly("0");
  }

  @Test
  void everyPointOfTheShippedProfileHasAValueAndItsUnit() {
    rig.device("a", "one").device("b", "two");
    begin(SHIPPED);
    rig.cpu = Duration.ofMillis(500);
    rig.seconds(61);

    Map<String, String> latest = latest();
    assertThat(latest).hasSize(SHIPPED.points().size());
    assertThat(rig.engine.latest(Rig.GATEWAY)).allMatch(r -> r.quality().good(), "good");
    assertThat(latest)
        .contains(
            entry("clock_state", "synchronised "),
            entry("clock_step", "0.0 s"),
            entry("clock_alarm", "false "),
            entry("uptime", "61 s"),
            entry("machine_uptime", "93784 s"),
            entry("temperature", "51.25 Cel"),
            entry("memory_resident", 114_820L * 1024 + " By"),
            entry("memory_available", 287_364L * 1024 + " By"),
            entry("disk_state", "working "),
            entry("disk_alarm", "false "),
            entry("disk_written", "7 By"),
            entry("buffer_bytes", "5 By"),
            entry("buffer_max_bytes", "6 By"),
            entry("buffer_oldest", "0 s"),
            entry("buffer_damaged", "0 "),
            entry("refused", "5 "),
            entry("uplinks", "2 "),
            entry("uplinks_down", "0 "),
            entry("uplinks_ready", "{a=true, b=true} "),
            entry("uplinks_confirmed", "{a=10, b=20} "),
            entry("uplinks_unconfirmed", "{a=1, b=2} "),
            entry("uplinks_sent", "{a=0, b=800} By"),
            entry("uplinks_max_sent", "{a=0, b=1000} By"),
            entry("devices", "2 "),
            entry("devices_offline", "0 "),
            entry("lanes", "2 "),
            entry("lanes_in_trouble", "0 "),
            entry("lanes_unanswered", "{} %"),
            entry("lanes_offline", "{} "));
    double percent = 50.0 / Runtime.getRuntime().availableProcessors();
    assertThat(told("cpu_share").get(0).value().number()).isCloseTo(percent, within(0.05));
    assertThat(latest.get("cpu_share")).isEqualTo("0.0 %");
    assertThat(latest.get("heap_used")).endsWith(" By");
  }

  @Test
  void lanesAreNamedWorstFirst() {
    for (String id : List.of("a", "b", "c", "d")) {
      rig.device(id, id.equals("d") ? "quick" : "line");
    }
    rig.driver.reads.put(
        "a", points -> rig.driver.after(Duration.ofMillis(500), rig.driver.samples("a", points)));
    for (String id : List.of("b", "c")) {
      rig.driver.reads.put(id, points -> new CompletableFuture<>());
    }
    begin(SHIPPED).seconds(121);

    assertThat(latest())
        .contains(
            entry("devices_online", "2 "),
            entry("devices_offline", "2 "),
            entry("lanes", "2 "),
            entry("lanes_in_trouble", "1 "),
            entry("lanes_offline", "{fake:line=2} "));
    Map<String, Value> busy = ((Value.Struct) told("lanes_busy").get(2).value()).fields();
    assertThat(busy).containsOnlyKeys("fake:line");
    assertThat(busy.get("fake:line").number()).isBetween(50.0, 100.0);
    assertThat(told("lanes_unanswered").get(2).value().toString()).contains("fake:line");
  }

  @Test
  void ofManyLanesTheWorstAreNamed() {
    int lanes = Gauges.MOST_NAMED + 4;
    for (int i = 0; i < lanes; i++) {
      String id = "d" + i;
      Duration takes = Duration.ofMillis(10L * (i + 1));
      rig.device(id, id);
      rig.driver.reads.put(id, points -> rig.driver.after(takes, rig.driver.samples(id, points)));
    }
    begin(points("{id: busy, address: \"lane:busy\", type: struct, unit: \"%\", interval: 1m}"))
        .seconds(61);

    assertThat(((Value.Struct) told("busy").get(1).value()).fields().keySet())
        .hasSize(Gauges.MOST_NAMED)
        .startsWith("fake:d19", "fake:d18")
        .endsWith("fake:d4");
  }

  @Test
  void aStateIsToldWhenItChangesAndOnceAnHour() {
    begin(SHIPPED).seconds(60);
    assertThat(values("disk_state")).containsExactly("working");
    assertThat(values("disk_alarm")).containsExactly("false");
    assertThat(told("disk_alarm").get(0).streamClass()).isEqualTo(StreamClass.ALARM);

    rig.buffer.disk = Buffer.Disk.READ_ONLY;
    rig.buffer.ready = false;
    rig.seconds(60);
    rig.buffer.disk = Buffer.Disk.WORKING;
    rig.seconds(60);
    assertThat(values("disk_state")).containsExactly("working", "read only", "working");
    assertThat(values("disk_alarm")).containsExactly("false", "true", "false");
    assertThat(values("uplinks_ready")).containsExactly("{a=true, b=true}", "{a=true, b=false}");
    assertThat(values("uplinks_down")).containsExactly("0", "1");

    rig.seconds(3600);
    assertThat(values("disk_state")).hasSize(4).last().isEqualTo("working");
  }

  @Test
  void aStateThatWasNotTakenIsToldAgain() {
    begin(SHIPPED).seconds(60);
    rig.buffer.refusal = new IOException("disk full");
    rig.buffer.disk = Buffer.Disk.FULL;
    rig.seconds(60);
    rig.buffer.refusal = null;
    rig.seconds(20);

    assertThat(values("disk_alarm")).containsExactly("false", "true");
    assertThat(rig.buffer.ledger)
        .filteredOn(e -> e.streamClass().equals("alarm"))
        .as("each that was refused is in the ledger")
        .extracting(LedgerEntry::reason)
        .contains(Reason.NOT_ACCEPTED);
  }

  @Test
  void whatTheMachineDoesNotTellIsSaidOnceAnHour() {
    begin(
            points(
                "{id: typo, address: \"disk:fre\", type: int64}",
                "{id: oldest, address: \"buffer:oldest\", type: int64, unit: s}"))
        .seconds(10);
    assertThat(values("typo")).containsExactly("BadNotFound");

    rig.buffer.holdings =
        () -> {
          throw new UncheckedIOException(new IOException("can't be read"));
        };
    rig.seconds(10);
    assertThat(values("oldest")).filteredOn("0"::equals).hasSize(10);
    assertThat(values("oldest")).filteredOn("BadDeviceFailure"::equals).hasSize(1);

    rig.buffer.holdings =
        () ->
            new Buffer.Holdings(
                List.of(),
                List.of(
                    new Buffer.Owed("a", StreamClass.ALARM, 1, rig.now().minusSeconds(90)),
                    new Buffer.Owed("b", StreamClass.EVENT, 9, rig.now().minusSeconds(300))),
                1,
                0,
                0,
                0);
    rig.seconds(1);
    assertThat(values("oldest")).last().isEqualTo("300");
    rig.seconds(3600);
    assertThat(values("typo")).hasSize(2);
  }

  @Test
  void aClockThatIsSetAndOneThatIsLostAreTold() {
    begin(SHIPPED).seconds(60);
    rig.step = Duration.ofDays(-1);
    rig.clock = ClockState.UNSYNCHRONISED;
    rig.seconds(60);
    assertThat(values("clock_step")).last().isEqualTo("-86400.0");
    assertThat(values("clock_state")).containsExactly("synchronised", "unsynchronised");
    assertThat(values("clock_alarm")).containsExactly("false");

    rig.seconds(3600);
    assertThat(values("clock_alarm")).last().isEqualTo("true");
    rig.clock = ClockState.SYNCHRONISED;
    rig.seconds(10);
    assertThat(values("clock_alarm")).last().isEqualTo("false");
  }

  @Test
  void aSlowDiskHoldsUpNothingButWhatIsAskedOfIt() {
    rig.searches = new ArrayList<>();
    begin(
            points(
                "{id: read, address: \"readings:read\", type: int64}",
                "{id: free, address: \"disk:free\", type: int64, unit: By}"))
        .seconds(10);
    assertThat(told("read")).hasSize(10);
    assertThat(rig.searches).as("one at a time").hasSize(1);
    assertThat(values("free")).containsExactly("BadTimeout");

    rig.searches.remove(0).run();
    rig.settle();
    assertThat(told("free")).hasSize(2).last().matches(r -> r.quality().good());
  }

  @Test
  void aSiteChoosesIntervalsDeadBandsAndRanges() {
    begin(
            points(
                "{id: uptime, address: \"process:uptime\", type: int64, interval: 5s}",
                "{id: heap, address: \"memory:heap-max\", type: int64, unit: MiBy,"
                    + " deviceUnit: By, range: [0, 1]}",
                "{id: band, address: \"process:uptime\", type: int64,"
                    + " deadband: {absolute: 3, heartbeat: 1m}}"))
        .seconds(11);

    assertThat(values("uptime")).containsExactly("1", "6", "11");
    assertThat(values("band")).containsExactly("1", "5", "9");
    assertThat(told("heap"))
        .hasSize(11)
        .allMatch(r -> r.quality().equals(Quality.UNCERTAIN_OUT_OF_RANGE))
        .allMatch(r -> r.value().number() == Runtime.getRuntime().maxMemory() / 1048576.0);
  }

  @Test
  void anotherProfileTakesThePlaceOfTheFirst() {
    begin(points("{id: one, address: \"device:count\", type: int64}")).seconds(5);
    begin(points("{id: two, address: \"device:count\", type: int64}")).seconds(5);
    assertThat(told("one")).hasSize(5);
    assertThat(told("two")).hasSize(5);
    assertThat(latest()).containsOnlyKeys("two");

    begin(null).seconds(5);
    assertThat(told("two")).hasSize(5);
    assertThat(latest()).isEmpty();
  }

  @Test
  void withoutSiteOrBufferItIsSilent() {
    rig.own = SHIPPED;
    rig.seconds(5);
    assertThat(rig.buffer.accepted).isEmpty();
    rig.apply();
    rig.engine.buffer(null);
    rig.seconds(5);
    assertThat(rig.buffer.accepted).isEmpty();
  }

  @Test
  void withoutABufferWhatWasDueIsInTheLedger() {
    begin(points("{id: one, address: \"device:count\", type: int64}")).seconds(5);
    rig.engine.buffer(null);
    rig.seconds(7);
    rig.engine.buffer(rig.buffer);
    rig.seconds(5);

    assertThat(told("one")).hasSize(10);
    assertThat(rig.buffer.ledger)
        .singleElement()
        .satisfies(
            gap -> {
              assertThat(gap.device()).isEqualTo(Rig.GATEWAY);
              assertThat(gap.reason()).isEqualTo(Reason.NEVER_READ);
              assertThat(gap.count()).isEqualTo(7);
            });
  }

  @Test
  void plugInsAndTheirDriversAreTold() {
    rig.plugins =
        List.of(
            plugIn("io.culvert.fake", "the-trust", Plugins.Stage.RUNNING),
            plugIn("io.acme.lamp", "", Plugins.Stage.TRIAL),
            plugIn("io.acme.old", "", Plugins.Stage.REFUSED));
    rig.device("a", "one").device("b", "two");
    rig.driver.warnings = List.of("This must be seen to.", "That, too.");
    begin(SHIPPED).seconds(70);

    int polls = rig.driver.polls("a").size() + rig.driver.polls("b").size();
    assertThat(latest())
        .containsEntry("plugins", "2 ")
        .containsEntry("plugins_unsigned", "1 ")
        .containsEntry("plugins_quarantined", "0 ")
        .containsEntry("plugins_alarm", "false ")
        .containsEntry("drivers_threads", "0 ")
        .containsEntry("drivers_stuck", "0 ")
        .containsEntry("drivers_warnings", "2 ")
        .containsEntry("drivers_refused", "0 ")
        .containsEntry("drivers_errors", "0 ")
        .containsEntry("drivers_busy", "{} %")
        .containsEntry("drivers_failed", "{} ");
    assertThat(latest().get("drivers_samples")).matches("\\{io.culvert.fake=\\d+} ");
    assertThat(polls).isGreaterThan(100);

    rig.driver.reads.put("a", points -> null);
    rig.driver.reads.put("b", points -> null);
    rig.seconds(11);
    assertThat(values("plugins_quarantined")).last().isEqualTo("1");
    assertThat(values("plugins_alarm")).last().isEqualTo("true");
    assertThat(told("plugins_alarm")).last().extracting(Reading::streamClass).hasToString("ALARM");
    assertThat(Integer.parseInt(values("drivers_errors").get(values("drivers_errors").size() - 1)))
        .isGreaterThanOrEqualTo(Conduct.FAULTS);
  }

  private static Plugins.Status plugIn(String name, String signer, Plugins.Stage stage) {
    return new Plugins.Status(name + ".jar", name, "1.0.0", "Acme", signer, stage, false, "");
  }

  @Test
  void nothingOfItCanBeWritten() {
    begin(SHIPPED).seconds(2);
    CompletableFuture<Result> answer =
        rig.engine
            .commands()
            .submit(new Command("1", Rig.GATEWAY, "heap_max", Value.of(1), "shell:x"))
            .toCompletableFuture();
    rig.settle();

    assertThat(answer.join().done()).isFalse();
    assertThat(answer.join().quality()).isEqualTo(Quality.BAD_NOT_WRITABLE);
    assertThat(answer.join().message())
        .isEqualTo("cabinet-17 is the gateway itself, of which nothing can be written");
  }

  /** The guide's tables hold each point with its address, interval and unit. */
  @Test
  void theGuideTellsOfEachPoint() {
    Matcher rows =
        Pattern.compile("(?m)^\\| `(\\w+)` \\| `([\\w:-]+)` \\| (\\w+) \\| (\\w+) \\| (\\S*) \\|")
            .matcher(text(Path.of("../../docs/guides/gateway-points.md")));
    List<String> guide =
        rows.results()
            .map(
                r ->
                    r.group(1)
                        + " "
                        + r.group(2)
                        + " "
                        + r.group(3)
                        + " "
                        + r.group(4)
                        + " "
                        + r.group(5))
            .toList();

    assertThat(guide)
        .containsExactlyElementsOf(
            SHIPPED.points().stream()
                .map(
                    p ->
                        p.point().id()
                            + " "
                            + p.point().address()
                            + " "
                            + p.point().type().name().toLowerCase(Locale.ROOT)
                            + " "
                            + Words.of(p.interval() == null ? SHIPPED.interval() : p.interval())
                            + " "
                            + p.unit())
                .toList());
    assertThat(SHIPPED.points())
        .extracting(p -> p.point().address())
        .as("a gauge that no point shows is of no use")
        .containsExactlyInAnyOrderElementsOf(Gauges.addresses());
  }
}
