package io.culvert.tools.registermap;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.core.document.Faults;
import io.culvert.core.model.Profile;
import io.culvert.core.profile.ProfileReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.assertj.core.api.recursive.comparison.RecursiveComparisonConfiguration;
import org.dhatim.fastexcel.reader.ReadableWorkbook;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is exported and imported again is the same profile, in either form. */
class RoundTripTest {
  private static final Path SHIPPED = Path.of("../../devices/profiles/src/main/resources/profiles");
  private static final Path CORPUS =
      Path.of("../../devices/profiles/src/test/resources/corpus/good");
  private static final MapImport.Options NOTHING =
      new MapImport.Options("map", null, null, null, null, null, false, null, null, null);

  private static final ProfileCheck CHECK = new ProfileCheck();

  static List<Path> good() throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path folder : List.of(SHIPPED, CORPUS)) {
      try (Stream<Path> list = Files.list(folder)) {
        list.sorted().forEach(files::add);
      }
    }
    return files;
  }

  private static Map<String, Object> tree(byte[] yaml) {
    Faults faults = new Faults("f");
    Map<String, Object> tree = ProfileYaml.read(yaml, faults);
    assertThat(faults.lines()).isEmpty();
    return tree;
  }

  private static byte[] again(Map<String, Object> profile, boolean csv) throws Exception {
    List<List<Sheet.Cell>> rows = MapExport.rows(profile);
    Draft draft;
    if (csv) {
      draft = MapImport.of(CsvFile.read(CsvFile.write(rows)), NOTHING);
    } else {
      Path file = Files.createTempFile("map", ".xlsx");
      try {
        Files.write(file, XlsxFile.write("map", rows));
        draft = MapImport.of(XlsxFile.read(file), NOTHING);
      } finally {
        Files.delete(file);
      }
    }
    assertThat(draft.troubles()).isEmpty();
    return ProfileYaml.write(draft.profile());
  }

  private static Profile model(byte[] yaml) {
    var loaded = new ProfileReader().read("f", yaml);
    assertThat(loaded.faults()).isEmpty();
    return loaded.profile();
  }

  @ParameterizedTest
  @MethodSource("good")
  void everyGoodProfileMeansTheSameAfterwards(Path file) throws Exception {
    byte[] yaml = Files.readAllBytes(file);
    RecursiveComparisonConfiguration byValue =
        RecursiveComparisonConfiguration.builder()
            .withComparatorForType(BigDecimal::compareTo, BigDecimal.class)
            .withEqualsForType(Object::equals, io.culvert.api.Value.Decimal.class)
            .build();

    for (boolean csv : new boolean[] {true, false}) {
      byte[] again = again(tree(yaml), csv);

      assertThat(model(again)).usingRecursiveComparison(byValue).isEqualTo(model(yaml));
      // Titles are no part of the model, and nothing at all is lost: the canonical text is the
      // same.
      assertThat(new String(again, StandardCharsets.UTF_8))
          .isEqualTo(new String(ProfileYaml.write(tree(yaml)), StandardCharsets.UTF_8));
      assertThat(tree(again).get("title")).isEqualTo(tree(yaml).get("title"));
    }
  }

  @Property(tries = 200, edgeCases = net.jqwik.api.EdgeCasesMode.NONE)
  void aGeneratedProfileComesBackByteForByte(@ForAll("profiles") Map<String, Object> profile)
      throws Exception {
    byte[] canonical = ProfileYaml.write(profile);
    // What is generated is right, or the rest proves nothing.
    model(canonical);
    assertThat(ProfileYaml.write(tree(canonical))).isEqualTo(canonical);

    assertThat(new String(again(tree(canonical), true), StandardCharsets.UTF_8))
        .isEqualTo(new String(canonical, StandardCharsets.UTF_8));
    assertThat(new String(again(tree(canonical), false), StandardCharsets.UTF_8))
        .isEqualTo(new String(canonical, StandardCharsets.UTF_8));
  }

  /** Not the reader alone: the driver takes every address and setting too. */
  @Test
  void noShippedProfileIsATrouble() throws Exception {
    for (Path file : good()) {
      if (file.startsWith(SHIPPED)) {
        Map<String, Object> profile = tree(Files.readAllBytes(file));
        assertThat(CHECK.check(new Draft(profile, List.of(), List.of(), List.of())))
            .as(file.toString())
            .isEmpty();
      }
    }
  }

  @Test
  void whatIsChangedInAnExportedMapIsJudgedWhereItStands() throws Exception {
    Map<String, Object> profile = tree(Files.readAllBytes(SHIPPED.resolve("water-main.yaml")));
    String map = new String(CsvFile.write(MapExport.rows(profile)), StandardCharsets.UTF_8);

    assertThat(judged(map.replace("input:1,", "inpt:1,")))
        .startsWith("row 12, column D \"Address\": found inpt:1; write input:1?");
    assertThat(judged(map.replace("m3/h", "m3/hh")))
        .startsWith("row 12, column J \"Unit\": found \"m3/hh\"; write m3/h ");
    assertThat(judged(map.replace("0.5,5m", "0.5,5 min")))
        .startsWith("row 12, column O \"Heartbeat\": found \"5 min\"; write a duration");
    assertThat(judged(map.replace("order,cdab", "order,cdba"))).contains("order", "cdba", "cdab");
  }

  private static String judged(String map) throws Exception {
    Draft draft = MapImport.of(CsvFile.read(map.getBytes(StandardCharsets.UTF_8)), NOTHING);
    assertThat(draft.troubles()).isEmpty();
    List<Trouble> troubles = CHECK.check(draft);
    assertThat(troubles).hasSize(1);
    return troubles.get(0).toString();
  }

  /** A spreadsheet program computes what begins like a formula. */
  @Test
  void noTextOfAProfileBecomesAFormula() {
    Map<String, Object> profile =
        Map.of("id", "x", "title", Map.of("en", "=HYPERLINK(A1)", "zh-CN", "@SUM(1)"));

    assertThat(MapExport.rows(profile))
        .flatExtracting(row -> row)
        .extracting(Sheet.Cell::text)
        .contains("'=HYPERLINK(A1)", "'@SUM(1)")
        .noneMatch(text -> text.matches("[=+@-].*"));
  }

  @Test
  void othersReadWhatIsWritten() throws Exception {
    Map<String, Object> profile = tree(Files.readAllBytes(SHIPPED.resolve("maker-b-pump.yaml")));
    List<List<Sheet.Cell>> rows = MapExport.rows(profile);
    List<List<String>> texts =
        rows.stream().map(row -> row.stream().map(Sheet.Cell::text).toList()).toList();

    List<List<String>> csv = new ArrayList<>();
    String content = new String(CsvFile.write(rows), StandardCharsets.UTF_8).substring(1);
    for (CSVRecord record :
        CSVFormat.RFC4180
            .builder()
            .setIgnoreEmptyLines(false)
            .get()
            .parse(new StringReader(content))) {
      csv.add(List.of(record.values()));
    }
    assertThat(csv).hasSameSizeAs(texts);
    assertThat(csv.get(csv.size() - 1)).isEqualTo(texts.get(texts.size() - 1));

    Path file = Files.createTempFile("map", ".xlsx");
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(XlsxFile.write("map", rows));
      out.flush();
      try (ReadableWorkbook workbook = new ReadableWorkbook(file.toFile())) {
        var last =
            workbook
                .getFirstSheet()
                .read()
                .get(texts.stream().filter(r -> !r.isEmpty()).toList().size());
        List<String> expected = texts.get(texts.size() - 1);
        for (int i = 0; i < expected.size(); i++) {
          assertThat(last.getCellText(i)).isEqualTo(expected.get(i));
        }
      }
    } finally {
      Files.delete(file);
    }
  }

  @Provide
  Arbitrary<Map<String, Object>> profiles() {
    Arbitrary<List<Map<String, Object>>> points =
        point()
            .list()
            .ofMinSize(1)
            .ofMaxSize(8)
            .map(
                list -> {
                  for (int i = 0; i < list.size(); i++) {
                    list.get(i).put("id", "p" + i);
                  }
                  return list;
                });
    return Combinators.combine(title(), interval(), settings(), points)
        .as(
            (title, interval, settings, list) -> {
              Map<String, Object> profile = new LinkedHashMap<>();
              profile.put("schema", ProfileReader.SCHEMA);
              profile.put("id", "generated");
              profile.put("title", title);
              profile.put("scheme", "opc.tcp");
              profile.put("interval", interval);
              profile.put("settings", settings);
              profile.put("points", list);
              return profile;
            });
  }

  private static Arbitrary<Map<String, Object>> point() {
    return Combinators.combine(
            Arbitraries.of("uint16", "int32", "uint32", "int64", "float32", "bool", "text"),
            Arbitraries.of("holding:0", "input:0x10;order=cdab", "ns=2;s=Level", "'quoted", "=1+1"),
            title().optional(0.5),
            Arbitraries.of("read", "read-write", "write"),
            keys(),
            Arbitraries.of("alarm", "event", "state", "telemetry"),
            Arbitraries.of("general", "important", "core"))
        .as(
            (type, address, title, access, keys, streamClass, grade) -> {
              Map<String, Object> point = new LinkedHashMap<>();
              point.put("id", "p");
              title.ifPresent(texts -> point.put("title", texts));
              point.put("address", address);
              point.put("type", type);
              point.put("access", access);
              point.put("class", streamClass);
              point.put("grade", grade);
              if (!type.equals("bool") && !type.equals("text")) {
                point.putAll(keys);
              }
              if (!access.equals("read") || type.startsWith("float")) {
                point.remove("counter");
              }
              return point;
            });
  }

  private static Arbitrary<Map<String, Object>> keys() {
    Arbitrary<BigDecimal> number =
        Arbitraries.bigDecimals()
            .between(new BigDecimal("-1e9"), new BigDecimal("1e9"))
            .ofScale(12);
    Arbitrary<Object> unit =
        Arbitraries.of("m", "Cel", "kW.h", "%{vol}", "[ppm]", "m3/h", "C", "h");
    Arbitrary<Object> code = Arbitraries.of(new BigDecimal("32767"), "0x7FFF", BigDecimal.ZERO);
    return Arbitraries.maps(
            Arbitraries.of(
                "scale",
                "offset",
                "unit",
                "range",
                "notAvailable",
                "counter",
                "interval",
                "deadband"),
            Arbitraries.just((Object) ""))
        .flatMap(
            wanted -> {
              Arbitrary<Map<String, Object>> all = Arbitraries.just(Map.<String, Object>of());
              for (String key : wanted.keySet()) {
                Arbitrary<Object> value =
                    switch (key) {
                      case "scale" -> number.filter(n -> n.signum() != 0).map(n -> (Object) n);
                      case "offset" -> number.map(n -> (Object) n);
                      case "unit" -> unit;
                      case "range" ->
                          number
                              .tuple2()
                              .map(
                                  t ->
                                      (Object)
                                          List.of(t.get1().min(t.get2()), t.get1().max(t.get2())));
                      case "notAvailable" -> code.map(one -> (Object) List.of(one));
                      case "counter" ->
                          Arbitraries.of(
                              (Object) Map.of("modulus", new BigDecimal("65536")),
                              Map.of(
                                  "modulus",
                                  new BigDecimal("10000"),
                                  "maxStep",
                                  new BigDecimal("7")));
                      case "interval" -> interval().map(text -> (Object) text);
                      default ->
                          number.map(n -> (Object) Map.of("absolute", n.abs(), "heartbeat", "90s"));
                    };
                all =
                    Combinators.combine(all, value)
                        .as(
                            (map, own) -> {
                              Map<String, Object> more = new LinkedHashMap<>(map);
                              more.put(key, own);
                              return more;
                            });
              }
              return all;
            });
  }

  private static Arbitrary<String> interval() {
    return Combinators.combine(
            Arbitraries.integers().between(10, 999), Arbitraries.of("ms", "s", "m"))
        .as((count, unit) -> count + unit);
  }

  private static Arbitrary<Map<String, Object>> title() {
    Arbitrary<String> text =
        Arbitraries.strings()
            .withCharRange(' ', '~')
            .withCharRange('\u4e00', '\u4eff')
            .withChars("\n\t\r\u0001\u007f\u00a0\u2028\ufeff,;\"'_x0041=+-@#&<>°：")
            .ofMinLength(1)
            .ofMaxLength(20)
            .filter(words -> !words.isBlank());
    return Combinators.combine(text, text.optional(0.5))
        .as(
            (en, zh) -> {
              Map<String, Object> title = new LinkedHashMap<>();
              title.put("en", en);
              zh.ifPresent(words -> title.put("zh-CN", words));
              return title;
            });
  }

  private static Arbitrary<Map<String, Object>> settings() {
    Arbitrary<Object> value =
        Arbitraries.of(
            "cdab",
            "8",
            "true",
            "1.50",
            "007",
            "0x10",
            "-",
            "[1; 2]",
            Boolean.TRUE,
            new BigDecimal("12"),
            "a b");
    return Arbitraries.of("order", "maxGap", "a.b")
        .tuple1()
        .list()
        .ofMaxSize(2)
        .flatMap(names -> value.list().ofSize(names.size()).map(values -> Tuple.of(names, values)))
        .map(
            both -> {
              Map<String, Object> settings = new LinkedHashMap<>();
              for (int i = 0; i < both.get1().size(); i++) {
                settings.put(both.get1().get(i).get1(), both.get2().get(i));
              }
              return settings;
            });
  }
}
