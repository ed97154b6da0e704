package io.culvert.core.document;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever bytes come, the readers answer with a tree or with one located fault. */
class ReadersFuzzTest {
  private static final List<String> PIECES =
      List.of(
          "{",
          "}",
          "[",
          "]",
          ":",
          ",",
          "\"",
          "'",
          "\n",
          "  ",
          "- ",
          "? ",
          "#",
          "&a",
          "*a",
          "!!int ",
          "|",
          ">",
          "---",
          "...",
          "%YAML 1.2\n",
          "\\u",
          "\\",
          "1e9",
          "-",
          "0x1",
          ".inf",
          "true",
          "null",
          "key: ",
          "\"k\":",
          "\t",
          "\uFEFF",
          "\u0000",
          "\u2028",
          "\uD83D\uDE00",
          "<<: ");

  @Property(tries = 1000)
  void anyBytes(@ForAll byte[] bytes) {
    check(bytes);
  }

  @Property(tries = 1000)
  void piecesOfDocuments(@ForAll("pieces") String text) {
    check(text.getBytes(StandardCharsets.UTF_8));
  }

  @Provide
  Arbitrary<String> pieces() {
    return Arbitraries.of(PIECES).list().ofMaxSize(60).map(pieces -> String.join("", pieces));
  }

  private static void check(byte[] bytes) {
    Faults faults = new Faults("f");
    assertThat(JsonReader.read(bytes, faults) == null).isEqualTo(!faults.none());
    int json = faults.list().size();
    assertThat(YamlReader.read(bytes, faults) == null).isEqualTo(faults.list().size() > json);
    assertThat(faults.list())
        .hasSizeLessThanOrEqualTo(2)
        .allSatisfy(
            fault -> {
              assertThat(fault.line()).isPositive();
              assertThat(fault.toString()).hasSizeLessThan(300).doesNotContain("\n");
            });
  }
}
