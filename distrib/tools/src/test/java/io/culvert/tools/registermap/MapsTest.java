package io.culvert.tools.registermap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dhatim.fastexcel.Workbook;
import org.dhatim.fastexcel.Worksheet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Makers' maps as they come, and what becomes of them. */
class MapsTest {
  private static final MapImport.Options NOTHING =
      new MapImport.Options("map", null, null, null, null, null, false, null, null, null);

  private static final ProfileCheck CHECK = new ProfileCheck();

  @TempDir Path folder;
  private Path home;
  private String said;

  @BeforeEach
  void home() {
    home = folder.resolve("gateway");
  }

  private int culvert(String... args) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    int exit = Main.run(List.of(args), home, out, out);
    said = bytes.toString(StandardCharsets.UTF_8);
    return exit;
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  /** Points by id of a map that has no trouble. */
  private Map<String, Map<String, Object>> points(String content) throws Exception {
    Draft draft = draft(content, NOTHING);
    assertThat(draft.troubles()).isEmpty();
    assertThat(CHECK.check(draft)).isEmpty();
    return ProfileYaml.points(draft.profile()).stream()
        .collect(java.util.stream.Collectors.toMap(p -> (String) p.get("id"), p -> p));
  }

  private Draft draft(String content, MapImport.Options options) throws Exception {
    return Main.read(file("map.csv", content), options);
  }

  private Trouble trouble(String content) throws Exception {
    Draft draft = draft(content, NOTHING);
    List<Trouble> troubles = new java.util.ArrayList<>(draft.troubles());
    troubles.addAll(CHECK.check(draft));
    assertThat(troubles).hasSize(1);
    return troubles.get(0);
  }

  @Test
  void anEnglishMapBecomesAProfileThatTheGatewayTakes() throws Exception {
    assertThat(culvert("import", "src/test/resources/maps/radar.csv", "--interval", "10s"))
        .as(() -> said)
        .isZero();

    assertThat(home.resolve("etc/profiles/radar.yaml"))
        .hasContent(
            """
            schema: culvert-profile/1
            id: radar
            title: {en: radar}
            scheme: modbus
            interval: 10s
            settings: {order: cdab}
            points:
              - id: water_level
                title: {en: Water level}
                address: holding:0
                type: uint16
                scale: 0.001
                unit: m
                range: [0, 10]
                notAvailable: ["0xFFFF"]
              - id: distance
                title: {en: Distance}
                address: holding:1
                type: int16
                unit: mm
                notAvailable: ["0x8000"]
              - id: flow
                title: {en: Flow}
                address: holding:2
                type: float32
                unit: m3/h
                range: [0, 5000]
              - id: total_volume
                title: {en: Total volume}
                address: holding:4
                type: uint32
                scale: 0.1
                unit: m3
              - id: temperature
                title: {en: Temperature}
                address: holding:6
                type: int16
                scale: 0.1
                offset: -40
                unit: Cel
              - id: sensor_fault
                title: {en: Sensor fault}
                address: holding:7;bit=0
                type: bool
                class: state
              - id: low_battery_alarm
                title: {en: Low battery alarm}
                address: holding:7;bit=1
                type: bool
                class: alarm
              - id: span
                title: {en: Span}
                address: holding:8
                type: uint16
                access: read-write
                scale: 0.01
                unit: m
                range: [0.5, 10]
            """);
  }

  @Test
  void aDryRunWritesNothing() {
    assertThat(culvert("import", "src/test/resources/maps/radar.csv", "--dry-run")).isZero();

    assertThat(said).contains("water_level", "× 0.001 m", "8 points", "radar.yaml");
    assertThat(home).doesNotExist();
  }

  @Test
  void aProfileIsNotOverwrittenUnlessAskedTo() throws Exception {
    Path target = home.resolve("etc/profiles/radar.yaml");
    Files.createDirectories(target.getParent());
    Files.writeString(target, "mine");

    assertThat(culvert("import", "src/test/resources/maps/radar.csv")).isEqualTo(1);
    assertThat(said).contains("radar.yaml, which is there already", "--replace");
    assertThat(target).hasContent("mine");

    assertThat(culvert("import", "src/test/resources/maps/radar.csv", "--replace")).isZero();
    assertThat(target).content().contains("water_level");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-8", "GB18030", "UTF-16"})
  void aChineseMapIsReadInAnyOfItsEncodings(String charset) throws Exception {
    String map =
        "液位计通讯协议\n序号,参数名称,寄存器地址,数据类型,读写,单位,系数,功能码\n"
            + "1,液位,0,无符号16位整型,只读,米,0.001,03\n"
            + "2,瞬时流量,1,浮点数(CDAB),只读,立方米/小时,,03\n"
            + "3,1#泵运行,3.4,开关量,只读,无,,03\n"
            + "4,报警上限,4,16位有符号,读写,℃,0.1,03/06\n";
    Path file = folder.resolve("map.csv");
    Files.write(file, map.getBytes(Charset.forName(charset)));

    Draft draft = Main.read(file, NOTHING);

    assertThat(draft.troubles()).isEmpty();
    assertThat(CHECK.check(draft)).isEmpty();
    assertThat(ProfileYaml.points(draft.profile()))
        .extracting(
            p ->
                p.get("id")
                    + " "
                    + p.get("address")
                    + " "
                    + p.get("type")
                    + " "
                    + p.get("access")
                    + " "
                    + p.get("unit")
                    + " "
                    + p.get("title"))
        .containsExactly(
            "level holding:0 uint16 read m {en=Level, zh-CN=液位}",
            "flow holding:1 float32 read m3/h {en=Flow, zh-CN=瞬时流量}",
            "holding_3_bit_4 holding:3;bit=4 bool read null {en=Holding 3, zh-CN=1#泵运行}",
            "holding_4 holding:4 int16 read-write Cel {en=Holding 4, zh-CN=报警上限}");
    assertThat(draft.notes()).anyMatch(note -> note.contains("counts registers from 0"));
  }

  @ParameterizedTest
  @ValueSource(strings = {",", ";", "\t"})
  void theSeparatorIsFoundOut(String separator) throws Exception {
    String map = "Name,Address,Type,Unit\nLevel,40001,uint16,m\n".replace(",", separator);

    assertThat(points(map).get("level")).containsEntry("unit", "m");
  }

  @ParameterizedTest
  @CsvSource({
    "40001,, holding:0",
    "400001,, holding:0",
    "465536,, holding:65535",
    "4x0012,, holding:11",
    "30010,, input:9",
    "300010,, input:9",
    "10003,, discrete:2",
    "00001,, coil:0",
    "40001,03, holding:0",
    "30001,04, input:0",
  })
  void referenceNumbersSayTheirTable(String address, String function, String expected)
      throws Exception {
    String map =
        "Name,Address,Type,FC\nA," + address + ",uint16," + (function == null ? "" : function);

    assertThat(points(map).get("a")).containsEntry("address", expected);
  }

  @ParameterizedTest
  @CsvSource({
    "100, 0, 03, holding:100",
    "100, 1, 03, holding:99",
    "0x0064, 0, 4, input:100",
    "0064H, 0, 0x04, input:100",
    "0064h, 1, 04H, input:99",
    "0001, 0, 03, holding:1",
    "40001, 0, 03, holding:1",
    "5.3, 0, 03, holding:5;bit=3",
  })
  void plainNumbersCountFromTheBaseThatIsGiven(
      String address, int base, String function, String expected) throws Exception {
    MapImport.Options options =
        new MapImport.Options("map", null, null, null, null, base, false, null, null, null);
    Draft draft = draft("Name,Address,Type,FC\nA," + address + ",uint16," + function, options);

    assertThat(draft.troubles()).isEmpty();
    assertThat(ProfileYaml.points(draft.profile()).get(0)).containsEntry("address", expected);
  }

  @Test
  void anOpenBaseIsAskedOnceForTheWholeMap() throws Exception {
    Trouble trouble =
        trouble("Name,Address,Type,FC\nA,100,uint16,03\nB,101,uint16,03\nC,0x66,uint16,03\n");

    assertThat(trouble.row()).isZero();
    assertThat(trouble)
        .hasToString(
            "map, column B \"Address\": found plain numbers (100 in row 2), which may count registers"
                + " from 0 or from 1; run with --base 0 if the first register has the number 0, which is"
                + " usual; with --base 1 if it has 1");
  }

  @Test
  void aTableThatNobodyNamesIsAskedOnceToo() throws Exception {
    Draft draft = draft("Name,Address,Type\nA,0,uint16\nB,1,uint16\nC,x,uint16\n", NOTHING);

    assertThat(draft.troubles())
        .extracting(Trouble::row, trouble -> trouble.mend().contains("--table holding"))
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(0, true),
            org.assertj.core.groups.Tuple.tuple(4, false));
  }

  @Test
  void aNumberLikeAReferenceToAnotherTableIsAsked() throws Exception {
    String map = "Name,Address,Type,FC\nA,30005,uint16,03\n";
    assertThat(trouble(map).toString())
        .contains("row 2", "B \"Address\"", "input", "holding", "--plain");

    MapImport.Options plain =
        new MapImport.Options("map", null, null, null, null, 0, true, null, null, null);
    assertThat(ProfileYaml.points(draft(map, plain).profile()).get(0))
        .containsEntry("address", "holding:30005");
  }

  @Test
  void digitsAndTextsAreReadToo() throws Exception {
    Map<String, Map<String, Object>> points =
        points(
            "Name,Address,Type,Length\nTotal,40001,BCD,2\nSerial,40003,String,8\n"
                + "Model,40011,char16,\nCode,40019,BCD4,\n");

    assertThat(points.get("total"))
        .containsEntry("address", "holding:0;bcd")
        .containsEntry("type", "uint32");
    assertThat(points.get("serial"))
        .containsEntry("address", "holding:2;length=8")
        .containsEntry("type", "text");
    assertThat(points.get("model")).containsEntry("address", "holding:10;length=8");
    assertThat(points.get("code")).containsEntry("type", "uint16");
  }

  @Test
  void aHeadingInTheMapNamesTheTableBelowIt() throws Exception {
    String map =
        "Name,Address,Type\nInput registers (function 04),,\nA,0,uint16\n"
            + "Holding registers,,\nB,0,uint16\n";

    assertThat(points(map).get("a")).containsEntry("address", "input:0");
    assertThat(points(map).get("b")).containsEntry("address", "holding:0");
  }

  @ParameterizedTest
  @CsvSource({
    "U16, uint16",
    "UINT, uint16",
    "INT16, int16",
    "short, int16",
    "word, uint16",
    "unsigned short, uint16",
    "Unsigned 16-bit integer, uint16",
    "uint16_t, uint16",
    "float, float32",
    "REAL, float32",
    "Float32, float32",
    "32-bit float, float32",
    "IEEE754, float32",
    "DWORD, uint32",
    "UDINT, uint32",
    "long, int32",
    "S32, int32",
    "DINT, int32",
    "LREAL, float64",
    "double, float64",
    "U64, uint64",
    "LINT, int64",
    "无符号16位整型, uint16",
    "16位无符号整数, uint16",
    "有符号16位, int16",
    "有符号32位整型, int32",
    "无符号长整型, uint32",
    "浮点型, float32",
    "单精度浮点数, float32",
    "双精度, float64",
    "Enum16, uint16",
    "Bitmap32, uint32",
  })
  void typesAreUnderstood(String written, String expected) {
    assertThat(Types.parse(written, 0).name()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "°C, Cel",
    "℃, Cel",
    "m³/h, m3/h",
    "m^3/h, m3/h",
    "kWh, kW.h",
    "KWH, kW.h",
    "kW·h, kW.h",
    "%, %",
    "％, %",
    "μS/cm, uS/cm",
    "µS/cm, uS/cm",
    "us/cm, uS/cm",
    "NTU, [NTU]",
    "mg/L, mg/L",
    "PPM, [ppm]",
    "%VOL, %{vol}",
    "Mpa, MPa",
    "MPA, MPa",
    "KPa, kPa",
    "pH, [pH]",
    "με, um/m",
    "m/s², m/s2",
    "A, A",
    "ma, mA",
    "Hz, Hz",
    "rpm, {rpm}/min",
    "米, m",
    "立方米/小时, m3/h",
    "°, deg",
  })
  void unitsBecomeUcum(String written, String expected) {
    assertThat(UnitNames.parse(written).code()).isEqualTo(expected);
  }

  @Test
  void everyUnitOfTheTableIsOneOfUcum() throws Exception {
    StringBuilder map = new StringBuilder("Name,Address,Type,Unit\n");
    int register = 40001;
    for (String unit : UnitNames.names()) {
      map.append("P,").append(register++).append(",uint16,\"").append(unit).append("\"\n");
    }

    assertThat(points(map.toString())).hasSizeGreaterThan(100);
  }

  @ParameterizedTest
  @CsvSource({
    "0.1, 0.1, 0",
    "×0.1, 0.1, 0",
    "x 0.01, 0.01, 0",
    "/10, 0.1, 0",
    "÷100, 0.01, 0",
    "1/10, 0.1, 0",
    "10^-2, 0.01, 0",
    "10⁻¹, 0.1, 0",
    "1E-3, 1E-3, 0",
    "0.1倍, 0.1, 0",
    "x*0.1-40, 0.1, -40",
    "y = x/10 + 5, 0.1, 5",
  })
  void factorsAreUnderstood(
      String written, java.math.BigDecimal factor, java.math.BigDecimal offset) {
    assertThat(Cells.scale(written).factor()).isEqualByComparingTo(factor);
    assertThat(Cells.scale(written).offset()).isEqualByComparingTo(offset);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Level|abc|uint16|m|0.1|R|0~1 | B \"Address\" | \"abc\" | 40001",
        "Level|40001|uint17|m|0.1|R|0~1 | C \"Type\" | \"uint17\" | uint16",
        "Level|40001|uint16|mmm|0.1|R|0~1 | D \"Unit\" | \"mmm\" | mm",
        "Level|40001|uint16|C|0.1|R|0~1 | D \"Unit\" | \"C\" | Cel",
        "Level|40001|uint16|度|0.1|R|0~1 | D \"Unit\" | \"度\" | Cel",
        "Level|40001|uint16|m|some|R|0~1 | E \"Factor\" | \"some\" | 0.1",
        "Level|40001|uint16|m|0|R|0~1 | E \"Factor\" | \"0\" | 0.1",
        "Level|40001|uint16|0.1 m|0.01|R|0~1 | D \"Unit\" | 0.1 before the unit | unit alone",
        "Level|40001|uint16|m|0.1|maybe|0~1 | F \"R/W\" | \"maybe\" | R/W",
        "Level|30001|uint16|m|0.1|R/W|0~1 | F \"R/W\" | \"R/W\" | input",
        "Level|40001|uint16|m|0.1|R|1~0 | G \"Range\" | \"1~0\" | least and greatest",
        "Level|40001-40003|float|m|0.1|R|0~1 | B \"Address\" | 3 registers | 2 for float32",
        "Level|40001.16|bit|m|0.1|R|0~1 | B \"Address\" | \"16\" | to 15",
        "Level|40001|bool|m|0.1|R|0~1 | C \"Type\" | without a bit | 40005.3",
        "Level|40000|uint16|m|0.1|R|0~1 | B \"Address\" | \"40000\" | --base 0",
        "Level|49999.16|bit|m|0.1|R|0~1 | B \"Address\" | \"16\" | to 15",
      })
  void aTroubleNamesRowColumnFindAndMend(String line) throws Exception {
    String[] parts = line.split(" \\| ");
    Trouble trouble =
        trouble("Name,Address,Type,Unit,Factor,R/W,Range\n\n" + parts[0].replace('|', ',') + "\n");

    assertThat(trouble.row()).isEqualTo(3);
    assertThat(trouble.column()).isEqualTo(parts[1].strip());
    assertThat(trouble.found()).contains(parts[2].strip());
    assertThat(trouble.mend()).contains(parts[3].strip());
  }

  @Test
  void troublesOfSeveralRowsAreToldAtOnce() throws Exception {
    Path map =
        file(
            "map.csv",
            "Name,Address,Type,Unit\nA,x,uint16,m\nB,40002,word,furlong\nC,40003,blob,m\n");

    assertThat(culvert("import", map.toString())).isEqualTo(1);

    assertThat(said)
        .contains(
            "map.csv: row 2, column B \"Address\": found \"x\"",
            "map.csv: row 3, column D \"Unit\": found \"furlong\"",
            "map.csv: row 4, column C \"Type\": found \"blob\"",
            "3 troubles; nothing is written");
    assertThat(home).doesNotExist();
  }

  @Test
  void aWorkbookByAnotherProgramIsRead() throws Exception {
    Path file = folder.resolve("map.xlsx");
    try (OutputStream out = Files.newOutputStream(file);
        Workbook workbook = new Workbook(out, "Maker", "1.0")) {
      workbook.newWorksheet("Cover").value(0, 0, "RL-80");
      Worksheet sheet = workbook.newWorksheet("Registers");
      String[] headers = {"Name", "Function code", "Address (hex)", "Type", "Unit", "Scale"};
      for (int i = 0; i < headers.length; i++) {
        sheet.value(2, i, headers[i]);
      }
      sheet.value(3, 0, "Level");
      sheet.value(3, 1, "03");
      sheet.value(3, 2, "000A");
      sheet.value(3, 3, "U16");
      sheet.value(3, 4, "m");
      sheet.value(3, 5, 0.001);
      sheet.value(4, 0, "Flow & more");
      sheet.value(4, 2, 10);
      sheet.value(4, 3, "float");
      sheet.value(4, 5, 0.1 + 0.2);
      sheet.range(3, 1, 4, 1).merge();
      workbook.finish();
    }
    MapImport.Options options =
        new MapImport.Options("map", null, null, null, null, 0, false, null, null, null);

    Draft draft = Main.read(file, options);

    assertThat(draft.troubles()).isEmpty();
    assertThat(draft.notes()).anyMatch(note -> note.contains("\"Registers\" is taken"));
    assertThat(ProfileYaml.points(draft.profile()))
        .extracting(p -> p.get("id") + " " + p.get("address") + " " + p.get("scale"))
        .containsExactly("level holding:10 0.001", "flow_more holding:16 0.30000000000000004");
  }

  @Test
  void aBitInANumberCellIsAsked() throws Exception {
    Path file = folder.resolve("map.xlsx");
    try (OutputStream out = Files.newOutputStream(file);
        Workbook workbook = new Workbook(out, "Maker", "1.0")) {
      Worksheet sheet = workbook.newWorksheet("Registers");
      sheet.value(0, 0, "Name");
      sheet.value(0, 1, "Address");
      sheet.value(0, 2, "Type");
      sheet.value(1, 0, "Fault");
      sheet.value(1, 1, 40008.1);
      sheet.value(1, 2, "bit");
      workbook.finish();
    }

    assertThat(Main.read(file, NOTHING).troubles())
        .singleElement()
        .asString()
        .contains("row 2, column B", "40008.10", "as text");
  }

  @Test
  void whatIsNoMapIsRefusedInWords() {
    assertThatThrownBy(() -> draft("a,b\n1,2\n", NOTHING))
        .isInstanceOf(UnreadableException.class)
        .hasMessageContaining("no row with the headers of a map")
        .hasMessageContaining("寄存器地址");
    assertThatThrownBy(() -> draft("Name,Address\nA,\"40001\n", NOTHING))
        .isInstanceOf(UnreadableException.class)
        .hasMessageContaining("row 2")
        .hasMessageContaining("never closed");
  }

  @Test
  void optionsThatNobodyKnowsAreRefused() {
    assertThat(culvert("import", "x.csv", "--bass", "0")).isEqualTo(2);
    assertThat(culvert("import", "x.csv", "--base", "2")).isEqualTo(2);
    assertThat(culvert("import", "x.csv")).isEqualTo(1);
    assertThat(said).contains("x.csv");
    assertThat(culvert("exprot")).isEqualTo(2);
    assertThat(culvert("help")).isZero();
  }
}
