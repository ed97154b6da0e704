package io.culvert.tools.registermap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.core.model.PointModel;
import io.culvert.core.profile.LoadedProfile;
import io.culvert.core.profile.ProfileReader;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreeImportTest {
  private static final TreeImport.Options OPTIONS =
      new TreeImport.Options("nsu=urn:plant;s=Plant", "opc.tcp", null, null, null);

  @TempDir Path home;

  private static TreeImport.Found found(String kind, String path, String title, String... facts) {
    Map<String, String> all = new HashMap<>(Map.of("kind", kind, "path", path));
    for (int i = 0; i < facts.length; i += 2) {
      all.put(facts[i], facts[i + 1]);
    }
    return new TreeImport.Found(
        "nsu=urn:plant;s=" + path.replaceAll("[^A-Za-z0-9]", "_"), title, all);
  }

  private static TreeImport.Found value(String path, String type, String... facts) {
    List<String> more = new ArrayList<>(List.of("type", type, "access", "read"));
    more.addAll(List.of(facts));
    return found(
        "variable", path, path.substring(path.lastIndexOf('/') + 1), more.toArray(new String[0]));
  }

  private static LoadedProfile loaded(TreeImport.Draft draft) {
    LoadedProfile loaded = new ProfileReader().read("x.yaml", draft.yaml());
    assertThat(loaded.faults()).as(new String(draft.yaml(), StandardCharsets.UTF_8)).isEmpty();
    return loaded;
  }

  private static List<String> ids(TreeImport.Draft draft) {
    return loaded(draft).profile().points().stream().map(model -> model.point().id()).toList();
  }

  @Test
  void aTreeBecomesAProfileWithTypesUnitsRangesAndAccess() throws Exception {
    TreeImport.Draft draft =
        TreeImport.of(
            List.of(
                found(
                    "object",
                    "./Pump1",
                    "Pump1",
                    "typeDefinition",
                    "PumpType",
                    "point",
                    "events:./Pump1"),
                value(
                    "./Pump1/WaterLevel",
                    "float64",
                    "unit",
                    "m",
                    "range",
                    "0..6.5",
                    "description",
                    "Above the floor"),
                value(
                    "./Pump1/Mode",
                    "int32",
                    "states",
                    "0 off, 1 on",
                    "class",
                    "state",
                    "access",
                    "read-write"),
                value("./Pump1/Flow", "float32", "unitOriginal", "furlongs"),
                value("./Pump1/Overload alarm", "bool", "class", "state"),
                found(
                    "method",
                    "./Pump1/Start",
                    "Start",
                    "point",
                    "method:./Pump1 ./Start",
                    "arguments",
                    "speed uint16"),
                value("./Pump1/Blob", "", "dataType", "DiagnosticInfo"),
                value("./Pump1/Secret", "int32", "access", "none")),
            OPTIONS);
    assertThat(new String(draft.yaml(), StandardCharsets.UTF_8))
        .isEqualTo(
            """
            # Made of what lies below nsu=urn:plant;s=Plant
            # Addresses begin there: a device names such a node in its setting root.
            schema: culvert-profile/1
            id: plant
            title: {en: plant}
            scheme: opc.tcp
            interval: 1s
            points:
              #
              # ./Pump1, PumpType
              # - id: pump1_events
              #   address: "events:./Pump1"
              #   type: struct
              #   class: alarm
              # Above the floor
              - id: water_level
                title: {en: WaterLevel}
                address: "./Pump1/WaterLevel"
                type: float64
                unit: m
                range: [0, 6.5]
              # states: 0 off, 1 on
              - id: mode
                title: {en: Mode}
                address: "./Pump1/Mode"
                type: int32
                access: read-write
                class: state
              # unit on the server: furlongs
              - id: flow
                title: {en: Flow}
                address: "./Pump1/Flow"
                type: float32
              - id: overload_alarm
                title: {en: Overload alarm}
                address: "./Pump1/Overload alarm"
                type: bool
                class: alarm
              # ./Pump1/Start: a method of (speed uint16)
              # - id: start
              #   address: "method:./Pump1 ./Start"
              #   type: uint16
              #   access: write
              # ./Pump1/Blob is no point: its type is DiagnosticInfo
              # ./Pump1/Secret is no point: this user may neither read nor write it
            """);
    assertThat(draft.notes())
        .containsExactly(
            "1 point can be written; take access away where nobody should",
            "3 nodes are no point; comments tell why");
    assertThat(ids(draft)).containsExactly("water_level", "mode", "flow", "overload_alarm");
  }

  @Test
  void namesThatComeSeveralTimesAreToldApartByThoseAboveThem() throws Exception {
    TreeImport.Draft draft =
        TreeImport.of(
            List.of(
                found("object", "./Pump1", "Pump1"),
                found("object", "./Pump2", "Pump2"),
                value("./Pump1/Level", "float64"),
                value("./Pump2/Level", "float64"),
                value("./Pump2/Only", "float64"),
                value("./Pump2/level", "float64"),
                found(
                    "variable",
                    "./a&/b/{urn:other;x}Level",
                    "Level",
                    "type",
                    "float64",
                    "access",
                    "read")),
            OPTIONS);
    assertThat(ids(draft))
        .containsExactly("pump1_level", "pump2_level", "only", "pump2_level_2", "a_b_level");
  }

  @Test
  void chineseNamesAreTitlesAndGiveIdsWhereTheyAreKnown() throws Exception {
    TreeImport.Draft draft =
        TreeImport.of(
            List.of(
                value("./水位", "float64"),
                value("./某某", "float64"),
                found(
                    "variable",
                    "./LT101",
                    "液位",
                    "name",
                    "LT101",
                    "type",
                    "float64",
                    "access",
                    "read"),
                found(
                    "variable",
                    "./TT1",
                    "某温度",
                    "name",
                    "TankTemperature",
                    "otherTitle",
                    "Temperature in the tank",
                    "type",
                    "float64",
                    "access",
                    "read")),
            OPTIONS);
    assertThat(ids(draft)).containsExactly("water_level", "node_2", "lt101", "tank_temperature");
    assertThat(new String(draft.yaml(), StandardCharsets.UTF_8))
        .contains("title: {en: Water level, zh-CN: 水位}")
        .contains("title: {en: Level, zh-CN: 液位}")
        .contains("title: {en: Temperature in the tank, zh-CN: 某温度}");
  }

  @Test
  void anAddressIsRelativeOrElseTheNodesOwn() throws Exception {
    String longPath = "./" + "n".repeat(300);
    TreeImport.Draft draft =
        TreeImport.of(
            List.of(
                value("./A/B", "bool"),
                new TreeImport.Found(
                    "nsu=urn:plant;i=7",
                    "C",
                    Map.of("kind", "variable", "path", longPath, "type", "bool", "access", "read")),
                new TreeImport.Found(
                    "nsu=urn:plant;i=8",
                    "D",
                    Map.of(
                        "kind", "variable", "path", "./blank ", "type", "bool", "access", "read")),
                new TreeImport.Found(
                    "", "E", Map.of("kind", "variable", "type", "bool", "access", "read"))),
            OPTIONS);
    assertThat(loaded(draft).profile().points())
        .extracting(model -> model.point().address())
        .containsExactlyInAnyOrder("./A/B", "nsu=urn:plant;i=7", "nsu=urn:plant;i=8");
    assertThat(new String(draft.yaml(), StandardCharsets.UTF_8))
        .contains("# E is no point: its address can't be written in 256 characters");
  }

  @Test
  void moreThanAProfileHoldsIsRefused() {
    List<TreeImport.Found> many =
        IntStream.rangeClosed(0, 2000).mapToObj(i -> value("./V" + i, "bool")).toList();
    assertThatThrownBy(() -> TreeImport.of(many, OPTIONS))
        .isInstanceOf(UnreadableException.class)
        .hasMessageContaining("2001 points below this node");
    assertThatThrownBy(() -> TreeImport.of(List.of(found("object", "./A", "A")), OPTIONS))
        .hasMessageContaining("no value that can be a point");
  }

  @Test
  void theMostThatAProfileHoldsWithAllThatIsNoPointIsRead() throws Exception {
    List<TreeImport.Found> many = new ArrayList<>();
    String words = "Ω words that go on ".repeat(60);
    for (int i = 0; i < 2000; i++) {
      many.add(value("./F" + i + "/V", "bool", "description", words, "states", words));
      many.add(value("./F" + i + "/N", "", "description", words));
      many.add(found("object", "./F" + i, words));
    }
    assertThat(ids(TreeImport.of(many, OPTIONS))).hasSize(2000).doesNotHaveDuplicates();
  }

  @Property(tries = 500)
  void whateverAServerCallsItsNodesTheProfileIsRead(
      @ForAll String name, @ForAll String title, @ForAll String text, @ForAll String other)
      throws Exception {
    Map<String, String> facts =
        new HashMap<>(
            Map.of("kind", "variable", "path", "./" + name, "type", "int32", "access", "read"));
    facts.put("name", name);
    facts.put("description", text);
    facts.put("otherTitle", text);
    facts.put("unitOriginal", other);
    facts.put("states", other);
    TreeImport.Draft draft =
        TreeImport.of(
            List.of(
                value("./Sound", "bool"),
                found(
                    "object", "./" + other, title, "description", text, "point", "events:" + other),
                found("method", "./" + title, title, "arguments", other, "point", "method:" + text),
                new TreeImport.Found("nsu=urn:plant;s=" + other, title, facts)),
            new TreeImport.Options(text, "opc.tcp", null, null, null));
    LoadedProfile loaded = loaded(draft);
    assertThat(loaded.profile().points()).extracting(PointModel::point).hasSizeBetween(1, 2);
  }

  @Test
  void theCommandWritesTheProfileAndSaysWhatTheSiteNeeds() throws Exception {
    Looked looked =
        Looked.read(
            new BufferedReader(
                new StringReader(
                    """
                    {"device":"plc-1","endpoint":"opc.tcp://10.0.0.5:4840"}
                    {"address":"nsu=urn:p;s=L","title":"Level","facts":{"kind":"variable","path":"./Level","type":"float64","access":"read","unit":"m"}}
                    """)));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int exit =
        Main.run(
            List.of("from", "plc-1", "nsu=urn:p;s=Pump \"1\"", "--id", "pump"),
            home,
            out,
            out,
            (device, node) -> looked);
    assertThat(bytes.toString(StandardCharsets.UTF_8).replace(home + "/", ""))
        .isEqualTo(
            """
            profile pump with 1 point: etc/profiles/pump.yaml
            in etc/site.json, under devices: {"id": "…", "profile": "pump", "endpoint": "opc.tcp://10.0.0.5:4840", "settings": {"root": "nsu=urn:p;s=Pump \\"1\\"", and the other settings of plc-1}}
            """);
    assertThat(exit).isZero();
    assertThat(Files.readString(home.resolve("etc/profiles/pump.yaml"))).contains("- id: level");
    bytes.reset();
    assertThat(
            Main.run(List.of("from", "plc-1", "i=85", "--print"), home, out, out, (d, n) -> looked))
        .isZero();
    assertThat(new ProfileReader().read("printed", bytes.toByteArray()).faults()).isEmpty();
    bytes.reset();
    assertThat(Main.run(List.of("from", "plc-1"), home, out, out, (d, n) -> looked)).isEqualTo(2);
    assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("expected a device and a node");
  }

  @Test
  void aTreeThatWasCutIsRefused() {
    assertThatThrownBy(
            () ->
                Looked.read(
                    new BufferedReader(
                        new StringReader(
                            """
                            {"device":"","endpoint":"opc.tcp://x"}
                            {"address":"","title":"not all","facts":{"kind":"end"}}
                            """))))
        .hasMessageContaining("nearer");
  }
}
