package io.culvert.simulator.plant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.simulator.DrivenClock;
import io.culvert.simulator.FreePort;
import io.culvert.simulator.audit.Audit;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Rules;
import io.culvert.simulator.audit.Violation;
import io.culvert.simulator.plant.Visitor.Heard;
import io.culvert.simulator.platform.Entry;
import io.culvert.simulator.street.PointTruth;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetFile;
import io.culvert.simulator.street.Ucum;
import io.culvert.simulator.truth.Truth;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.milo.opcua.sdk.client.SessionActivityListener;
import org.eclipse.milo.opcua.sdk.client.UaSession;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.StatusCodes;
import org.eclipse.milo.opcua.stack.core.security.SecurityPolicy;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.DateTime;
import org.eclipse.milo.opcua.stack.core.types.builtin.LocalizedText;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.milo.opcua.stack.core.types.builtin.Variant;
import org.eclipse.milo.opcua.stack.core.types.enumerated.MessageSecurityMode;
import org.eclipse.milo.opcua.stack.core.types.structured.EUInformation;
import org.eclipse.milo.opcua.stack.core.types.structured.Range;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The plant before a client of the same library that knows nothing of it, and the audit. */
class PlantTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String CHLORINE = "Chlorine";

  private final DrivenClock clock = new DrivenClock();
  private final Truth truth = new Truth();
  private final Audit audit = new Audit(truth);
  private final Profile.Library profiles = new Profile.Library(List.of());
  private final Map<String, Long> sequences = new HashMap<>();
  private Street street;
  private Plant plant;
  private Visitor visitor;

  @AfterEach
  void close() throws Exception {
    if (visitor != null) {
      visitor.close();
    }
    if (plant != null) {
      plant.close();
    }
  }

  private void open(String more) throws Exception {
    int port = FreePort.find();
    street =
        StreetFile.parse(
            "street.yaml",
            """
            schema: culvert-street/1
            speed: 60
            plant:
              port: %d
              %s
              devices:
                - {id: station, profile: opcua-pump-station}
                - {id: bridge, profile: opcua-bridge}
                - {id: tap, profile: opcua-water-quality}
            """
                .formatted(port, more),
            profiles,
            null,
            null);
    plant = Plant.still(street, "127.0.0.1", clock, truth);
  }

  private void openAndCome(String more) throws Exception {
    open(more);
    visitor = Visitor.come(url());
  }

  private String url() {
    return Plant.endpoint("127.0.0.1", street.plant());
  }

  private void cycles(int count) {
    for (int i = 0; i < count; i++) {
      clock.advance(250);
      plant.cycle();
    }
  }

  private List<String> variables(String device) {
    return stationOf(device).stream().map(Variable::name).toList();
  }

  private static List<Variable> stationOf(String device) {
    return switch (device) {
      case "station" -> new PumpStation(1).variables();
      case "bridge" -> new Bridge(1).variables();
      default -> new WaterQuality(1).variables();
    };
  }

  private void subscribeToAll() throws Exception {
    for (String device : List.of("station", "bridge", "tap")) {
      visitor.subscribe(device, variables(device));
    }
  }

  /** Waits until everything that was given was heard. */
  private List<Heard> heard() {
    await().atMost(PATIENCE).until(() -> visitor.heard().size() >= plant.given());
    return new ArrayList<>(visitor.heard());
  }

  /** Tells the audit as a gateway and a platform would, one reading a message. */
  private void tell(List<Heard> list) {
    list.forEach(this::tell);
  }

  private void tell(Heard heard) {
    Variable variable =
        stationOf(heard.device()).stream()
            .filter(v -> v.name().equals(heard.variable()))
            .findFirst()
            .orElseThrow();
    Profile profile =
        street.plant().stations().stream()
            .filter(s -> s.id().equals(heard.device()))
            .findFirst()
            .orElseThrow()
            .profile();
    PointTruth point = profile.truth(variable.point());
    Object raw = heard.value().value().value();
    Object value = raw;
    if (raw instanceof Number number) {
      value =
          variable.unit() == null
              ? number.doubleValue()
              : Ucum.convert(number.doubleValue(), variable.unit().ucum(), point.unit());
    }
    tell(
        heard.device(),
        point.streamClass(),
        heard.value().sourceTime().getJavaTime(),
        new Entry.Item(
            variable.point(),
            value,
            raw == null ? "" : point.unit(),
            heard.value().statusCode().isGood() ? "Good" : "BadOutOfService"));
  }

  private void tell(String device, String streamClass, long at, Entry.Item item) {
    long number = sequences.merge(device + streamClass, 1L, Long::sum);
    audit.message(List.of(new Entry(device, streamClass, at, false, number, List.of(item), false)));
  }

  private Report verdict() {
    return audit.verdict(Rules.STRICT);
  }

  @Test
  void everyChangeComesWithItsTimeAndTheAccountIsExact() throws Exception {
    openAndCome("");
    subscribeToAll();
    cycles(120);
    tell(heard());

    Report report = verdict();
    assertThat(report.examples()).isEmpty();
    assertThat(report.holds()).isTrue();
    assertThat(report.confirmed()).isEqualTo(report.shown()).isGreaterThan(1_500);
    assertThat(report.byClass()).containsKeys("telemetry", "state");
    assertThat(visitor.heard())
        .as("while its cells are cleaned there is no chlorine")
        .anyMatch(h -> h.variable().equals(CHLORINE) && h.value().statusCode().isBad())
        .anyMatch(h -> h.variable().equals(CHLORINE) && h.value().statusCode().isGood());
  }

  @Test
  void whatDoesNotArriveIsLost() throws Exception {
    openAndCome("");
    visitor.subscribe("bridge", variables("bridge"));
    cycles(20);
    List<Heard> all = heard();
    all.remove(40);
    tell(all);

    assertOnly(Violation.LOST, 1);
  }

  @Test
  void aTimeAtWhichNothingChangedIsInvented() throws Exception {
    openAndCome("");
    visitor.subscribe("bridge", variables("bridge"));
    cycles(20);
    List<Heard> all = heard();
    Heard moved = all.remove(40);
    tell(all);
    DataValue value = moved.value();
    DateTime later = new DateTime(value.sourceTime().getUtcTime() + 10_000 * 7);
    tell(
        new Heard(
            moved.device(),
            moved.variable(),
            new DataValue(value.value(), value.statusCode(), later, later)));

    Report report = verdict();
    assertThat(report.counts())
        .containsOnly(Map.entry(Violation.LOST, 1L), Map.entry(Violation.INVENTED, 1L));
    assertThat(report.examples().get(Violation.INVENTED).get(0)).contains("no such value");
  }

  @Test
  void aWrongValueAndAWrongStatusAreTold() throws Exception {
    openAndCome("");
    visitor.subscribe("bridge", List.of("Tick", "Deflection"));
    cycles(20);
    List<Heard> all = heard();
    Heard one = all.remove(10);
    Heard other = all.remove(10);
    tell(all);
    tell(
        new Heard(
            one.device(),
            one.variable(),
            new DataValue(Variant.of(-99.0), one.value().statusCode(), one.value().sourceTime())));
    tell(
        new Heard(
            other.device(),
            other.variable(),
            new DataValue(
                Variant.NULL_VALUE,
                new org.eclipse.milo.opcua.stack.core.types.builtin.StatusCode(
                    StatusCodes.Bad_OutOfService),
                other.value().sourceTime())));

    Report report = verdict();
    assertThat(report.counts())
        .containsOnly(Map.entry(Violation.WRONG_VALUE, 1L), Map.entry(Violation.WRONG_QUALITY, 1L));
  }

  @Test
  void aValueComesAgainAsOftenAsItWasGivenAgainAndNotOnceMore() throws Exception {
    openAndCome("");
    visitor.subscribe("tap", List.of("Temperature", "Tick"));
    cycles(4);
    visitor.subscribe("tap", List.of("Tick"));
    List<Heard> all = heard();
    tell(all);
    assertThat(verdict().holds()).as(verdict().examples().toString()).isTrue();

    tell(all.get(all.size() - 1));

    assertOnly(Violation.INVENTED, 1);
  }

  @Test
  void whatNobodyAskedForIsNotOwed() throws Exception {
    openAndCome("");
    cycles(10);
    visitor.subscribe("bridge", List.of("Tick"));
    cycles(5);
    List<Heard> all = heard();
    tell(all);

    Report report = verdict();
    assertThat(report.holds()).as(report.examples().toString()).isTrue();
    assertThat(report.shown()).as("the one it had, and five changes").isEqualTo(6);
  }

  @Test
  void aServerThatForgetsOwesFromItsStartOnAndNotWhileItWasAway() throws Exception {
    openAndCome("");
    visitor.subscribe("bridge", List.of("Tick"));
    cycles(3);
    tell(heard());
    plant.stop();
    cycles(5);
    assertThat(plant.connections()).isZero();
    plant.start();
    assertThat(verdict().holds()).as("nothing was shown meanwhile").isTrue();
    cycles(2);

    assertThat(verdict().count(Violation.LOST))
        .as("it was asked for before, and is there again")
        .isEqualTo(2);
  }

  @Test
  void withHistoryEverythingIsOwedAndCanBeRead() throws Exception {
    openAndCome("history: kept");
    long from = clock.millis();
    visitor.subscribe("bridge", List.of("Tick"));
    cycles(3);
    tell(heard());
    visitor.close();
    plant.stop();
    cycles(20);
    plant.start();
    assertThat(verdict().count(Violation.LOST)).isEqualTo(20);

    visitor = Visitor.come(url());
    NodeId tick = visitor.node("bridge/Tick");
    List<DataValue> read = new ArrayList<>();
    ByteString next = ByteString.NULL_VALUE;
    int pages = 0;
    do {
      var page = visitor.history(tick, from, clock.millis(), 7, next);
      read.addAll(visitor.values(page));
      next = page.getContinuationPoint();
      pages++;
    } while (next != null && next.length() > 0);
    assertThat(pages).isEqualTo(4);
    assertThat(read).hasSize(24);

    read.forEach(value -> tell(new Heard("bridge", "Tick", value)));
    Report report = verdict();
    assertThat(report.examples()).isEmpty();
    assertThat(report.confirmed()).isEqualTo(24);
  }

  @Test
  void withoutHistoryThereIsNoneToRead() throws Exception {
    openAndCome("");
    var page = visitor.history(visitor.node("bridge/Tick"), 0, clock.millis(), 0, null);

    assertThat(page.getStatusCode().value()).isEqualTo(StatusCodes.Bad_HistoryOperationUnsupported);
  }

  @Test
  void aServerThatHangsLosesNothing() throws Exception {
    openAndCome("");
    subscribeToAll();
    cycles(5);
    long before = heard().size();
    plant.hang();
    cycles(20);
    assertThat(visitor.heard()).hasSize((int) before);
    plant.wakeUp();
    cycles(5);
    tell(heard());

    assertThat(verdict().holds()).as(verdict().examples().toString()).isTrue();
  }

  @Test
  void whoIsCutOffHearsAgainWithoutSubscribingAnew() throws Exception {
    openAndCome("");
    visitor.subscribe("bridge", List.of("Tick"));
    cycles(5);
    heard();
    AtomicInteger losses = new AtomicInteger();
    visitor
        .client()
        .addSessionActivityListener(
            new SessionActivityListener() {
              @Override
              public void onSessionInactive(UaSession session) {
                losses.incrementAndGet();
              }
            });
    for (int i = 0; i < 2; i++) {
      int before = losses.get();
      plant.cut();
      await().atMost(PATIENCE).until(() -> losses.get() > before);
      await().atMost(PATIENCE).until(() -> plant.connections() > 0);
      long heard = visitor.heard().size();
      await()
          .atMost(PATIENCE)
          .until(
              () -> {
                cycles(1);
                return visitor.heard().size() > heard;
              });
    }
  }

  @Test
  void itsServerTakesNoClientWithoutSecurityUnlessTold() throws Exception {
    openAndCome("");
    assertThat(visitor.endpoint().getSecurityMode()).isEqualTo(MessageSecurityMode.SignAndEncrypt);
    assertThat(visitor.endpoints())
        .extracting(e -> SecurityPolicy.valueOf(e.getSecurityPolicyUri().split("#")[1]))
        .containsOnly(
            SecurityPolicy.Basic256Sha256,
            SecurityPolicy.Aes128_Sha256_RsaOaep,
            SecurityPolicy.Aes256_Sha256_RsaPss);
    assertThat(visitor.endpoint().getSecurityPolicyUri())
        .isEqualTo(SecurityPolicy.Aes256_Sha256_RsaPss.getUri());
    assertThat(visitor.endpoint().getServerCertificate().bytes()).isEqualTo(plant.certificate());
  }

  @Test
  void withoutSecurityWhenTold() throws Exception {
    openAndCome("security: none");

    assertThat(visitor.endpoint().getSecurityMode()).isEqualTo(MessageSecurityMode.None);
    assertThat(plant.certificate()).isNull();
    assertThat(visitor.read(visitor.node("tap/PH")).statusCode().isGood()).isTrue();
  }

  @Test
  void aSetPointIsWrittenWithinItsRangeAndReadAtOnce() throws Exception {
    openAndCome("");
    NodeId level = visitor.node("station/StartLevel");
    visitor.subscribe("station", List.of("StartLevel"));

    assertThat(visitor.write(level, 2.25).isGood()).isTrue();
    assertThat(visitor.read(level).value().value()).isEqualTo(2.25);
    assertThat(visitor.write(level, 9.0).value()).isEqualTo(StatusCodes.Bad_OutOfRange);
    assertThat(visitor.write(level, 0.6).value())
        .as("below the level at which it stops")
        .isEqualTo(StatusCodes.Bad_OutOfRange);
    assertThat(visitor.write(visitor.node("station/Level"), 1.0).value())
        .isEqualTo(StatusCodes.Bad_UserAccessDenied);
    assertThat(visitor.write(level, "high").value()).isEqualTo(StatusCodes.Bad_TypeMismatch);
    tell(heard());
    assertThat(verdict().holds()).as(verdict().examples().toString()).isTrue();
  }

  @Test
  void thePumpStartsAndStopsWhenToldTo() throws Exception {
    openAndCome("");
    NodeId station = visitor.node("station");
    NodeId state = visitor.node("station/State");

    var result = visitor.call(station, visitor.node("station/Start"));
    assertThat(result.getStatusCode().isGood()).isTrue();
    assertThat(result.getOutputArguments()[0].value()).isEqualTo(true);
    cycles(1);
    assertThat(visitor.read(state).value().value()).isEqualTo(2);
    visitor.call(station, visitor.node("station/Stop"));
    cycles(2);
    assertThat(visitor.read(state).value().value()).isEqualTo(0);
    assertThat(visitor.call(station, visitor.node("station/RunFor"), 3.0).getStatusCode().isGood())
        .isTrue();
    assertThat(visitor.call(station, visitor.node("station/RunFor"), 3).getStatusCode().value())
        .isEqualTo(StatusCodes.Bad_InvalidArgument);
    assertThat(visitor.call(station, visitor.node("station/RunFor")).getStatusCode().value())
        .isEqualTo(StatusCodes.Bad_ArgumentsMissing);
  }

  @Test
  void alarmsAreToldAcknowledgedAndToldAgainOnRefresh() throws Exception {
    openAndCome("");
    visitor.subscribeToEvents(visitor.node("station"));
    assertThat(visitor.write(visitor.node("station/HighLevel"), 0.5).isGood()).isTrue();
    cycles(1);
    await().atMost(PATIENCE).until(() -> !visitor.events().isEmpty());
    Variant[] event = visitor.events().poll();
    assertThat(((LocalizedText) event[2].value()).text()).startsWith("High water level at station");
    assertThat(event[3].value()).isEqualTo(false);
    assertThat(event[4].value()).isEqualTo(true);
    NodeId condition = (NodeId) event[5].value();
    ByteString id = (ByteString) event[0].value();

    assertThat(visitor.acknowledge(condition, ByteString.of(new byte[16]), "?").getStatusCode())
        .extracting(status -> status.value())
        .isEqualTo(StatusCodes.Bad_EventIdUnknown);
    assertThat(visitor.acknowledge(condition, id, "seen").getStatusCode().isGood()).isTrue();
    await().atMost(PATIENCE).until(() -> !visitor.events().isEmpty());
    Variant[] acknowledged = visitor.events().poll();
    assertThat(acknowledged[3].value()).isEqualTo(true);
    assertThat(
            visitor
                .acknowledge(condition, (ByteString) acknowledged[0].value(), "again")
                .getStatusCode()
                .value())
        .isEqualTo(StatusCodes.Bad_ConditionBranchAlreadyAcked);

    var late = visitor.subscribeToEvents(visitor.node("plant"));
    assertThat(
            visitor
                .call(
                    NodeIds.ConditionType,
                    NodeIds.ConditionType_ConditionRefresh,
                    late.getSubscriptionId().orElseThrow())
                .getStatusCode()
                .isGood())
        .isTrue();
    await().atMost(PATIENCE).until(() -> visitor.events().size() >= 3);
    assertThat(new ArrayList<>(visitor.events()).get(1)[0]).isEqualTo(acknowledged[0]);
  }

  @Test
  void namesComeInTheLanguageOfTheSessionAndUnitsAsCodes() throws Exception {
    open("");
    visitor = Visitor.come(url(), "zh-CN");
    var level = visitor.client().getAddressSpace().getVariableNode(visitor.node("station/Level"));

    assertThat(level.readDisplayName()).isEqualTo(new LocalizedText("zh-CN", "水位"));
    assertThat(level.readDescription().text()).isEqualTo("水位");
    assertThat(visitor.<Range>structure("station/Level.EURange")).isEqualTo(new Range(0.0, 6.0));
    EUInformation units = visitor.structure("station/Level.EngineeringUnits");
    assertThat(units.getDisplayName().text()).isEqualTo("m");
    assertThat(units.getUnitId()).as("MTR in the standard's table").isEqualTo(5_067_858);
  }

  @Test
  void aServerMayNumberItsNameSpacesAnewAtEachStart() throws Exception {
    openAndCome("");
    int before = visitor.node("bridge").getNamespaceIndex().intValue();
    visitor.close();
    plant.stop();
    plant.start();
    visitor = Visitor.come(url());

    assertThat(visitor.node("bridge").getNamespaceIndex().intValue()).isEqualTo(before + 1);
  }

  private void assertOnly(Violation violation, long count) {
    Report report = verdict();
    assertThat(report.counts())
        .as(report.examples().toString())
        .containsOnly(Map.entry(violation, count));
  }
}
