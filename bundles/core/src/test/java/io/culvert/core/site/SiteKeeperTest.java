package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.service.Generations.Plugin;
import io.culvert.core.model.Site;
import io.culvert.core.profile.ProfileRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.xml.stream.XMLStreamException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The site from file to listener; the test does the looking. */
class SiteKeeperTest {
  static final String PROFILE =
      """
      schema: culvert-profile/1
      id: water
      title: {en: Water}
      scheme: modbus-tcp
      interval: 5s
      settings: {order: cdab, maxGap: 4}
      points:
        - id: level
          address: holding:0
          type: uint16
      """;

  private static final String DEVICES =
      """
      {"gateway": {"id": "g"}, "devices": [
        {"id": "a", "profile": "water", "endpoint": "modbus-tcp://h:502",
         "settings": {"maxGap": 0}},
        {"id": "b", "profile": "water", "endpoint": "modbus-tcp://h:503", "interval": "1s"}
      ]}
      """;

  @TempDir Path home;
  private Path etc;
  private ProfileRegistry profiles;
  private final Metatypes metatypes = new Metatypes();
  private final List<Derivation> applied = new ArrayList<>();
  private final List<Site> told = new ArrayList<>();
  private Instant now = Instant.parse("2026-11-21T02:00:00Z");
  private GenerationStore store;
  private SiteKeeper keeper;

  @BeforeEach
  void start() throws IOException {
    etc = Files.createDirectories(home.resolve("etc"));
    restart();
  }

  private void restart() throws IOException {
    told.clear();
    applied.clear();
    profiles = new ProfileRegistry();
    store = GenerationStore.open(home.resolve("data/generations"));
    keeper = new SiteKeeper(etc, store, profiles, metatypes, applied::add, () -> now);
    keeper.listen(told::add);
  }

  private void site(String json) throws IOException {
    write(etc.resolve("site.json"), json);
  }

  /** A change whose time stamp differs, as it does when a person makes it. */
  private void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    now = now.plusSeconds(10);
    Files.setLastModifiedTime(file, FileTime.from(now.minusSeconds(5)));
  }

  private Site.Entry device(String id) {
    return keeper.current().devices().stream()
        .filter(entry -> entry.device().id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  private void bundle(long number, String yaml) {
    profiles.bundle(number, Map.of("x!/water.yaml", yaml.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void aListenerHearsOfTheSiteAtOnceAndOfEachChange() throws IOException {
    assertThat(told).containsExactly(new Site("", List.of()));
    bundle(1, PROFILE);
    site(DEVICES);
    keeper.look();
    keeper.look();

    assertThat(told).hasSize(2);
    assertThat(told.get(1)).isEqualTo(keeper.current());
    assertThat(keeper.problems()).isEmpty();
    List<Site> late = new ArrayList<>();
    try (SiteSource.Listening listening = keeper.listen(late::add)) {
      assertThat(late).containsExactly(keeper.current());
    }
    site("{\"gateway\": {\"id\": \"g\"}}");
    keeper.look();
    assertThat(late).hasSize(1);
    assertThat(told).hasSize(3);
  }

  @Test
  void aSiteThatCannotBeStoredIsTriedAgainUntilItIs() throws IOException {
    bundle(1, PROFILE);
    Path generations = home.resolve("data/generations");
    // A file where the next generation is to be built, in place of a full disk.
    Path way = Files.createDirectories(generations.resolve("1.tmp/site.json"));
    Files.createFile(way.resolve("x"));
    site(DEVICES);
    keeper.look();
    assertThat(keeper.current().devices()).isEmpty();

    Files.delete(way.resolve("x"));
    Files.delete(way);
    keeper.look();
    assertThat(keeper.current().devices()).hasSize(2);
    assertThat(store.current().number()).isEqualTo(1);
  }

  /** The thread that looks ends at the first thing thrown, and with it all care for the site. */
  @Test
  void noFailureEndsTheLooking() throws IOException {
    keeper =
        new SiteKeeper(
            etc,
            store,
            profiles,
            metatypes,
            derived -> {
              throw new NoClassDefFoundError("org/osgi/service/cm/Configuration");
            },
            () -> now);
    bundle(1, PROFILE);
    site(DEVICES);
    keeper.look();

    assertThat(keeper.current().devices()).hasSize(2);
  }

  @Test
  void aListenerThatFailsHarmsNoOther() throws IOException {
    keeper.listen(
        site -> {
          throw new IllegalStateException("on purpose");
        });
    List<Site> late = new ArrayList<>();
    keeper.listen(late::add);
    site(DEVICES);
    keeper.look();

    assertThat(late).hasSize(2);
  }

  @Test
  void settingsAndIntervalOfTheSiteOverrideTheProfiles() throws IOException {
    bundle(1, PROFILE);
    site(DEVICES);
    keeper.look();

    assertThat(device("a").device().settings()).isEqualTo(Map.of("order", "cdab", "maxGap", "0"));
    assertThat(device("a").interval()).hasSeconds(5);
    assertThat(device("b").interval()).hasSeconds(1);
  }

  @Test
  void aProfileThatComesAndGoesTakesItsDevicesAlong() throws IOException {
    site(DEVICES);
    keeper.look();
    assertThat(device("a").profile()).isNull();
    assertThat(device("a").problem()).isEmpty();

    bundle(1, PROFILE);
    keeper.look();
    assertThat(device("a").profile().id()).isEqualTo("water");

    profiles.bundle(1, Map.of());
    keeper.look();
    assertThat(device("a").profile()).isNull();
  }

  @Test
  void ofTwoBundlesWithOneProfileTheFirstStaysAndEtcWins() throws IOException {
    site(DEVICES);
    bundle(7, PROFILE.replace("5s", "7s"));
    bundle(9, PROFILE.replace("5s", "9s"));
    keeper.look();
    assertThat(device("a").interval()).hasSeconds(7);
    assertThat(keeper.problems())
        .containsExactly(
            "x!/water.yaml: id: found \"water\"; expected an id of its own: x!/water.yaml has it and"
                + " stays in force");

    profiles.bundle(7, Map.of());
    keeper.look();
    assertThat(device("a").interval()).hasSeconds(9);
    assertThat(keeper.problems()).isEmpty();

    write(etc.resolve("profiles/mine.yaml"), PROFILE.replace("5s", "3s"));
    keeper.look();
    assertThat(device("a").interval()).hasSeconds(3);
    assertThat(keeper.problems()).isEmpty();

    Files.delete(etc.resolve("profiles/mine.yaml"));
    keeper.look();
    assertThat(device("a").interval()).hasSeconds(9);
  }

  @Test
  void aProfileThatBecomesWrongStaysAsItWas() throws IOException {
    site(DEVICES);
    write(etc.resolve("profiles/water.yaml"), PROFILE);
    keeper.look();
    write(etc.resolve("profiles/water.yaml"), PROFILE.replace("uint16", "uint17"));
    keeper.look();

    assertThat(device("a").profile()).isNotNull();
    assertThat(device("a").problem()).isEmpty();
    assertThat(keeper.problems())
        .containsExactly(
            "etc/profiles/water.yaml:10: points[0].type: found \"uint17\"; expected one of bool,"
                + " int16, uint16, int32, uint32, int64, uint64, float32, float64, text, bytes, struct");
  }

  @Test
  void aProfileThatWasNeverRightMakesItsDevicesInvalid() throws IOException {
    site(DEVICES);
    write(etc.resolve("profiles/water.yaml"), PROFILE.replace("modbus-tcp", "Modbus TCP"));
    keeper.look();

    assertThat(device("a").problem())
        .isEqualTo(
            "etc/profiles/water.yaml:4: scheme: found \"Modbus TCP\"; expected the scheme of its"
                + " endpoints, such as modbus");
  }

  @Test
  void aProfileOfAFamilyFitsEachOfItsSchemesAndNoOther() throws IOException {
    bundle(1, PROFILE.replace("scheme: modbus-tcp", "scheme: modbus"));
    site(DEVICES.replace("modbus-tcp://h:502", "modbus-rtu:///dev/ttyS1"));
    keeper.look();
    assertThat(device("a").problem()).isEmpty();
    assertThat(device("b").problem()).isEmpty();

    site(DEVICES.replace("modbus-tcp://h:502", "modbusplus://h:502"));
    keeper.look();
    assertThat(device("a").problem()).contains("a URL whose scheme is modbus or begins with");
  }

  @Test
  void theGatewaysOwnProfileIsThatOfEtcOrElseOfItsBundle() throws IOException {
    String shipped =
        PROFILE
            .replace("id: water", "id: gateway")
            .replace("scheme: modbus-tcp", "scheme: gateway");
    site(DEVICES);
    keeper.look();
    assertThat(keeper.current().own()).isNull();

    bundle(1, shipped);
    keeper.look();
    assertThat(keeper.current().own().interval()).hasSeconds(5);
    assertThat(keeper.where("g", "points.level.address"))
        .isEqualTo("x!/water.yaml:9: points.level.address");

    Path mine = etc.resolve("profiles/mine.yaml");
    write(mine, shipped.replace("5s", "3s"));
    keeper.look();
    assertThat(keeper.current().own().interval()).hasSeconds(3);
    assertThat(keeper.problems()).isEmpty();

    // One that describes devices.
    write(mine, shipped.replace("5s", "3s").replace("scheme: gateway", "scheme: modbus"));
    keeper.look();
    assertThat(keeper.current().own().interval()).hasSeconds(5);
    assertThat(keeper.problems())
        .containsExactly(
            "etc/profiles/mine.yaml:4: scheme: found \"modbus\"; expected \"gateway\": a profile of"
                + " the id gateway is the gateway's own; give that of a device another id");

    // After a start with a file that is wrong, it goes on watching itself.
    write(mine, shipped.replace("uint16", "uint17"));
    restart();
    bundle(1, shipped);
    keeper.look();
    assertThat(keeper.current().own().interval()).hasSeconds(5);
    assertThat(keeper.problems())
        .singleElement()
        .asString()
        .startsWith("etc/profiles/mine.yaml:10: points[0].type: found \"uint17\"");
  }

  @Test
  void anEndpointOfAnotherSchemeIsNamed() throws IOException {
    bundle(1, PROFILE);
    site(DEVICES.replace("modbus-tcp://h:502", "opc.tcp://h:4840"));
    keeper.look();

    String problem =
        "etc/site.json:2: devices[0].endpoint: found \"opc.tcp://h:4840\"; expected a URL whose"
            + " scheme is modbus-tcp or begins with modbus-tcp-, as the profile water is for it";
    assertThat(device("a").problem()).isEqualTo(problem);
    assertThat(keeper.problems()).containsExactly(problem);
    assertThat(device("b").problem()).isEmpty();
  }

  @Test
  void knowsWhereAKeyWasWritten() throws IOException {
    bundle(1, PROFILE);
    site(DEVICES);
    keeper.look();

    assertThat(keeper.where("b", "endpoint")).isEqualTo("etc/site.json:4: devices[1].endpoint");
    assertThat(keeper.where("a", "settings.maxGap"))
        .isEqualTo("etc/site.json:3: devices[0].settings.maxGap");
    assertThat(keeper.where("a", "settings.order")).isEqualTo("x!/water.yaml:6: settings.order");
    assertThat(keeper.where("a", "points.level.address"))
        .isEqualTo("x!/water.yaml:9: points.level.address");
    assertThat(keeper.where("a", "points.level.scale")).isEqualTo("x!/water.yaml:8: points.level");
    assertThat(keeper.where("a", "settings.unit"))
        .isEqualTo("etc/site.json:3: devices[0].settings.unit");
    assertThat(keeper.where("nobody", "endpoint")).isEqualTo("endpoint");
  }

  // Generations

  @Test
  void eachGoodDocumentIsAGenerationAndKeepsTheLock() throws IOException {
    Map<String, Plugin> lock = Map.of("m", new Plugin("1", "ab".repeat(32), "m.jar"));
    site(DEVICES);
    keeper.look();
    store.lock(lock);
    site("{\"gateway\": {\"id\": \"g\"}}");
    keeper.look();

    assertThat(store.current().number()).isEqualTo(3);
    assertThat(store.current().lock()).isEqualTo(lock);
    restart();
    keeper.look();
    assertThat(store.current().number()).as("nothing new, no generation").isEqualTo(3);
  }

  private static final Map<String, Plugin> NEW =
      Map.of("m", new Plugin("2", "cd".repeat(32), "m.jar"));

  /** In force with device a alone; device b comes by an edit while a plug-in is on trial. */
  private String editedDuringATrial() throws IOException {
    bundle(1, PROFILE);
    site("{\"gateway\": {\"id\": \"g\"}}");
    keeper.look();
    store.trial(NEW);
    site(DEVICES);
    keeper.look();
    assertThat(keeper.current().devices()).hasSize(2);
    return "etc/site.json: not in force; it was saved while a plug-in was on trial, and went back"
        + " to generation 1 with it: ";
  }

  @Test
  void anEditDuringATrialGoesBackWithItAndSaysSoUntilTheFileIsSavedAgain() throws IOException {
    String words = editedDuringATrial();
    store.revert("m 2 is bad");
    keeper.look();

    List<String> problems = List.of(words + "m 2 is bad; save the file again to put it in force");
    assertThat(keeper.current().devices()).isEmpty();
    assertThat(keeper.problems()).isEqualTo(problems);
    keeper.look();
    restart();
    bundle(1, PROFILE);
    keeper.look();
    assertThat(keeper.current().devices()).as("nor after a restart").isEmpty();
    assertThat(keeper.problems()).isEqualTo(problems);

    site(DEVICES);
    keeper.look();
    assertThat(keeper.current().devices()).as("the same, saved again").hasSize(2);
    assertThat(keeper.problems()).isEmpty();
    restart();
    bundle(1, PROFILE);
    keeper.look();
    assertThat(keeper.current().devices()).hasSize(2);
  }

  @Test
  void anEditDuringATrialThatTheGatewayDidNotSurviveGoesBackToo() throws IOException {
    String words = editedDuringATrial();
    restart();
    bundle(1, PROFILE);
    keeper.look();

    assertThat(keeper.current().devices()).isEmpty();
    assertThat(keeper.problems())
        .singleElement()
        .asString()
        .startsWith(words + "m 2 was taken back: the gateway ended while it was on trial");
  }

  @Test
  void anotherEditAfterATrialThatWentBackIsInForceAtOnce() throws IOException {
    editedDuringATrial();
    store.revert("m 2 is bad");
    site(DEVICES.replace("\"b\"", "\"c\""));
    keeper.look();

    assertThat(keeper.current().devices()).hasSize(2);
    assertThat(keeper.problems()).isEmpty();
  }

  @Test
  void aRevertIsFollowedAlsoIfAnotherGenerationCameAfterItAndTheFileIsBroken() throws IOException {
    editedDuringATrial();
    site("{");
    keeper.look();
    store.revert("m 2 is bad");
    store.lock(Map.of("x", new Plugin("1", "ef".repeat(32), "x.jar")));
    keeper.look();

    assertThat(keeper.current().devices()).isEmpty();
  }

  @Test
  void aTrialThatIsConfirmedKeepsTheEdit() throws IOException {
    editedDuringATrial();
    store.confirm();
    keeper.look();

    assertThat(keeper.current().devices()).hasSize(2);
    assertThat(keeper.problems()).isEmpty();
  }

  @Test
  void aSyntaxErrorLeavesTheSiteInForceAlsoAfterRestart() throws IOException {
    bundle(1, PROFILE);
    site(DEVICES);
    keeper.look();
    Site good = keeper.current();
    site(DEVICES.replace("\"a\",", "\"a\""));
    keeper.look();

    List<String> problems =
        List.of(
            "etc/site.json:2:14: found '\"'; expected a comma, or the closing brace or bracket",
            "etc/site.json: not in force; generation 1 stays in force until it is mended");
    assertThat(keeper.current()).isEqualTo(good);
    assertThat(keeper.problems()).isEqualTo(problems);

    restart();
    bundle(1, PROFILE);
    keeper.look();
    assertThat(keeper.current()).isEqualTo(good);
    assertThat(keeper.problems()).isEqualTo(problems);
    assertThat(keeper.where("a", "endpoint"))
        .isEqualTo("data/generations/1/site.json:2: devices[0].endpoint");

    site(DEVICES);
    keeper.look();
    assertThat(keeper.problems()).isEmpty();
    assertThat(store.current().number()).isEqualTo(1);
  }

  @Test
  void withoutAnyDocumentItSaysSo() throws IOException {
    keeper.look();

    assertThat(keeper.problems())
        .containsExactly(
            "etc/site.json: found nothing that can be read; expected the site document",
            "etc/site.json: not in force; there is no earlier site to go on with");
    Files.createDirectory(etc.resolve("site.json"));
    keeper.look();
    assertThat(keeper.problems()).hasSize(2);
  }

  /** Two changes within one tick of the file system's clock. */
  @Test
  void aChangeThatBearsTheSameTimeAndSizeIsSeen() throws IOException {
    bundle(1, PROFILE);
    FileTime time = FileTime.from(now);
    Files.writeString(etc.resolve("site.json"), DEVICES);
    Files.setLastModifiedTime(etc.resolve("site.json"), time);
    keeper.look();
    Files.writeString(etc.resolve("site.json"), DEVICES.replace(":502", ":555"));
    Files.setLastModifiedTime(etc.resolve("site.json"), time);
    keeper.look();

    assertThat(device("a").device().endpoint()).hasPort(555);
  }

  // Configurations

  private static final String PLATFORMS =
      """
      {"gateway": {"id": "g"}, "platforms": [
        {"id": "city", "url": "mqtt://h", "window": 64},
        {"id": "county", "url": "mqtt://h"}
      ]}
      """;

  @Test
  void platformsWaitForTheBundleThatDeclaresThem() throws IOException, XMLStreamException {
    site(PLATFORMS);
    keeper.look();
    assertThat(applied).singleElement().satisfies(d -> assertThat(d.platforms()).isEmpty());
    assertThat(applied.get(0).keep()).containsExactlyInAnyOrder("city", "county");

    metatypes.bundle(5, MetatypeTest.declared());
    keeper.look();
    keeper.look();
    assertThat(applied).hasSize(2);
    assertThat(applied.get(1).platforms())
        .isEqualTo(
            Map.of(
                "city",
                Map.of("id", "city", "gateway", "g", "url", "mqtt://h", "window", 64),
                "county",
                Map.of("id", "county", "gateway", "g", "url", "mqtt://h")));
    assertThat(applied.get(1).keep()).isEmpty();
    assertThat(keeper.problems()).isEmpty();
  }

  @Test
  void aSlipInAPlatformLeavesItAsItWas() throws IOException, XMLStreamException {
    metatypes.bundle(5, MetatypeTest.declared());
    site(PLATFORMS.replace("64", "0"));
    keeper.look();

    assertThat(applied.get(0).platforms()).containsOnlyKeys("county");
    assertThat(applied.get(0).keep()).containsExactly("city");
    assertThat(keeper.problems())
        .containsExactly(
            "etc/site.json:2: platforms[0].window: found 0; expected a whole number from 1 to 1000");
    site(PLATFORMS.replace("\"url\": \"mqtt://h\", \"window\"", "\"url\": \"x\", \"window\""));
    keeper.look();
    assertThat(applied.get(1).keep()).containsExactly("city");
  }

  @Test
  void theBufferIsToldWhichPlatformsTheSiteHas() throws IOException, XMLStreamException {
    metatypes.bundle(5, MetatypeTest.declared());
    site(PLATFORMS.replace("64", "0"));
    keeper.look();
    assertThat(applied.get(0).buffer())
        .as("a slip doesn't take one away")
        .containsEntry("platforms", List.of("city", "county"));

    site(PLATFORMS.replaceFirst("(?s),\\s*\\{\"id\": \"county\".*?}", ""));
    keeper.look();
    assertThat(applied.get(1).buffer()).containsEntry("platforms", List.of("city"));

    site("{\"gateway\": {\"id\": \"g\"}}");
    keeper.look();
    assertThat(applied.get(2).buffer()).containsEntry("platforms", List.of());
    assertThat(applied.get(2).keep()).isEmpty();
  }

  @Test
  void thePluginsAreToldWhatTheSiteSaysOfThem() throws IOException, XMLStreamException {
    metatypes.bundle(5, MetatypeTest.declared());
    site("{\"gateway\": {\"id\": \"g\"}}");
    keeper.look();
    assertThat(applied.get(0).plugins()).isEmpty();
    assertThat(applied.get(0).pluginsSound()).isTrue();

    site(
        "{\"gateway\": {\"id\": \"g\"},"
            + " \"plugins\": {\"allowUnsigned\": 1, \"hosted\": [\"com.acme\"]}}");
    keeper.look();
    assertThat(applied.get(1).pluginsSound()).isFalse();
    assertThat(applied.get(1).faults().lines())
        .containsExactly("etc/site.json:1: plugins.allowUnsigned: found 1; expected true or false");

    site(
        "{\"gateway\": {\"id\": \"g\"},"
            + " \"plugins\": {\"allowUnsigned\": true, \"hosted\": [\"com.acme\"]}}");
    keeper.look();
    assertThat(applied.get(2).plugins()).containsEntry("allowUnsigned", true);
    assertThat((String[]) applied.get(2).plugins().get("hosted")).containsExactly("com.acme");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\"idd\": \"county\"", "\"id\": \"coun ty\"", "\"id\": 7", "\"user\": \"county\""})
  void aSlipInAnIdTakesNoPlatformAway(String member) throws IOException, XMLStreamException {
    metatypes.bundle(5, MetatypeTest.declared());
    site(PLATFORMS.replace("\"id\": \"county\"", member));
    keeper.look();

    assertThat(applied.get(0).buffer()).containsOnlyKeys("gateway");
    assertThat(applied.get(0).keep()).as("all").isNull();
    site("{\"gateway\": {\"id\": \"g\"}, \"platforms\": {\"id\": \"city\"}}");
    keeper.look();
    assertThat(applied.get(1).buffer()).containsOnlyKeys("gateway");
  }

  @Test
  void whatConfigurationAdminDidntTakeIsTriedAgain() throws IOException {
    List<Derivation> tried = new ArrayList<>();
    keeper =
        new SiteKeeper(
            etc,
            store,
            profiles,
            metatypes,
            derived -> {
              tried.add(derived);
              if (tried.size() < 2) {
                throw new IOException("disk full");
              }
            },
            () -> now);
    site(PLATFORMS);
    keeper.look();
    keeper.look();
    keeper.look();

    assertThat(tried).hasSize(2);
  }
}
