package io.culvert.tools.registermap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files that someone made to do harm, or that broke on their way: told in words, in bounded space.
 */
class HostileFileTest {
  private static final MapImport.Options NOTHING =
      new MapImport.Options("map", null, null, null, null, null, false, null, null, null);
  private static final byte[] GOOD =
      XlsxFile.write(
          "map",
          List.of(
              List.of(Sheet.Cell.of("Name"), Sheet.Cell.of("Address"), Sheet.Cell.of("Type")),
              List.of(
                  Sheet.Cell.of("Level"), new Sheet.Cell("40001", true), Sheet.Cell.of("U16"))));

  @TempDir Path folder;

  /** The good workbook with one part in another's place, written by pieces. */
  private Path workbook(String part, String head, String piece, int times, String tail)
      throws IOException {
    Path file = folder.resolve("map.xlsx");
    try (ZipInputStream in = new ZipInputStream(new java.io.ByteArrayInputStream(GOOD));
        OutputStream raw = Files.newOutputStream(file);
        ZipOutputStream out = new ZipOutputStream(raw)) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        if (!entry.getName().equals(part)) {
          out.putNextEntry(new ZipEntry(entry.getName()));
          in.transferTo(out);
        }
      }
      out.putNextEntry(new ZipEntry(part));
      out.write(head.getBytes(StandardCharsets.UTF_8));
      byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < times; i++) {
        out.write(bytes);
      }
      out.write(tail.getBytes(StandardCharsets.UTF_8));
    }
    return file;
  }

  private static final String SHEET = "xl/worksheets/sheet1.xml";
  private static final String HEAD =
      "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>";

  @Test
  void theWorkbookOfTheseTestsIsAGoodOne() throws Exception {
    Path file = Files.write(folder.resolve("good.xlsx"), GOOD);

    assertThat(Main.read(file, NOTHING).troubles()).isEmpty();
  }

  @Test
  void aBombInAZipIsNotUnpacked() throws Exception {
    Path file =
        workbook(SHEET, HEAD + "<row><c><v>1</v></c></row><!--", " ".repeat(1 << 20), 200, "-->");

    assertThat(Files.size(file)).isLessThan(Sheet.MAX_BYTES);
    assertThatThrownBy(() -> Main.read(file, NOTHING))
        .isInstanceOf(UnreadableException.class)
        .hasMessageContaining("more than 32 MB");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY e \"&a;&a;&a;&a;&a;&a;&a;\">]>",
        "<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x.dtd\">",
      })
  void aDocumentTypeIsNotTaken(String type) throws Exception {
    Path file =
        workbook(
            SHEET,
            type
                + HEAD
                + "<row><c t=\"inlineStr\"><is><t>&e;</t></is></c></row></sheetData></worksheet>",
            "",
            0,
            "");

    assertThatThrownBy(() -> Main.read(file, NOTHING))
        .isInstanceOf(UnreadableException.class)
        .hasMessageContaining("can't be read")
        .hasMessageNotContaining("root:");
  }

  @Test
  void tooManyRowsColumnsAndCharactersAreRefused() throws Exception {
    String cell = "<c r=\"%s\"><v>1</v></c>";
    for (String place : List.of("A20001", "A9999999", "CW1", "XFD1")) {
      Path file =
          workbook(
              SHEET,
              HEAD + "<row r=\"" + place.replaceAll("[A-Z]", "") + "\">" + cell.formatted(place),
              "",
              0,
              "</row></sheetData></worksheet>");
      assertThatThrownBy(() -> Main.read(file, NOTHING))
          .isInstanceOf(UnreadableException.class)
          .hasMessageContaining("20000 rows and 100 columns");
    }
    Path long1 =
        workbook(
            SHEET, HEAD + "<row><c t=\"inlineStr\"><is><t>", "x", 10_001, "</t></is></c></row>");
    assertThatThrownBy(() -> Main.read(long1, NOTHING)).hasMessageContaining("10000 characters");

    assertThatThrownBy(() -> csv("a\n".repeat(20_001))).hasMessageContaining("20000 rows");
    assertThatThrownBy(() -> csv(",".repeat(101))).hasMessageContaining("100 columns");
    assertThatThrownBy(() -> csv("a,b\n" + "x".repeat(10_001))).hasMessageContaining("10000");
    assertThatThrownBy(() -> csv("a,b\n" + "x".repeat(Sheet.MAX_BYTES)))
        .hasMessageContaining(Integer.toString(Sheet.MAX_BYTES));
  }

  /** Formatting down to the last row of a sheet is common, and harmless. */
  @Test
  void emptyCellsFarOutsideDoNotCount() throws Exception {
    Path file =
        workbook(
            SHEET,
            HEAD + "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>x</t></is></c></row>",
            "",
            0,
            "<row r=\"1048576\"><c r=\"XFD1048576\" s=\"1\"/></row></sheetData></worksheet>");

    assertThat(XlsxFile.read(file).get(0).rows()).hasSize(1);
  }

  @Test
  void whatIsNoSpreadsheetIsRefusedInWords() throws Exception {
    byte[] old = {(byte) 0xD0, (byte) 0xCF, 0x11, (byte) 0xE0, 0, 0};
    assertThatThrownBy(() -> read("map.xls", old)).hasMessageContaining("old kind");
    assertThatThrownBy(() -> read("map.csv", new byte[] {'P', 'K', 3, 4, 5}))
        .hasMessageContaining("can't be read");
    assertThatThrownBy(() -> read("map.csv", new byte[] {1, 0, 2, 0}))
        .hasMessageContaining("no text");
    assertThatThrownBy(() -> read("map.csv", new byte[] {(byte) 0xFF, (byte) 0xFD, 'a'}))
        .hasMessageContaining("neither UTF-8 nor GB18030");
  }

  private Draft csv(String content) throws Exception {
    return read("map.csv", content.getBytes(StandardCharsets.UTF_8));
  }

  private Draft read(String name, byte[] content) throws Exception {
    return Main.read(Files.write(folder.resolve(name), content), NOTHING);
  }

  /** Whatever is done to a good file, it is read or refused in words: nothing else is thrown. */
  @Test
  void damagedFilesAreReadOrRefused() throws Exception {
    byte[] map;
    try (InputStream in = Files.newInputStream(Path.of("src/test/resources/maps/radar.csv"))) {
      map = in.readAllBytes();
    }
    Random random = new Random(20261121);
    ProfileCheck check = new ProfileCheck();
    int refused = 0;
    for (int i = 0; i < 1500; i++) {
      boolean csv = i % 3 != 0;
      byte[] damaged = damage(csv ? map : GOOD, random);
      try {
        Draft draft = read(csv ? "map.csv" : "map.xlsx", damaged);
        check.check(draft);
      } catch (UnreadableException e) {
        assertThat(e).hasMessageStartingWith("found ");
        refused++;
      }
    }
    assertThat(refused).isBetween(50, 1450);
  }

  /** Parts that unzip well and say something else: digits, marks and names exchanged. */
  @Test
  void sheetsOfNonsenseAreReadOrRefused() throws Exception {
    String good;
    try (ZipInputStream in = new ZipInputStream(new java.io.ByteArrayInputStream(GOOD))) {
      ZipEntry entry = in.getNextEntry();
      while (!entry.getName().equals(SHEET)) {
        entry = in.getNextEntry();
      }
      good = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    Random random = new Random(7);
    String[] words = {
      "r=\"",
      "t=\"s\"",
      "<v>",
      "</v>",
      "<c ",
      "99999999999",
      "-1",
      "\"",
      "A0",
      "&#x0;",
      "e",
      "<row>"
    };
    for (int i = 0; i < 600; i++) {
      StringBuilder sheet = new StringBuilder(good);
      for (int k = 0; k <= random.nextInt(3); k++) {
        int at = random.nextInt(sheet.length());
        sheet.replace(
            at,
            Math.min(sheet.length(), at + random.nextInt(4)),
            words[random.nextInt(words.length)]);
      }
      Path file = workbook(SHEET, sheet.toString(), "", 0, "");
      try {
        Main.read(file, NOTHING);
      } catch (UnreadableException e) {
        assertThat(e).hasMessageStartingWith("found ");
      }
    }
  }

  private static byte[] damage(byte[] good, Random random) {
    byte[] bytes = good.clone();
    for (int k = 0; k <= random.nextInt(6); k++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes = java.util.Arrays.copyOf(bytes, Math.max(1, at));
        case 2 -> bytes[at] = (byte) ",;\"\n\t-.0x9".charAt(random.nextInt(10));
        default -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      }
    }
    return bytes;
  }
}
