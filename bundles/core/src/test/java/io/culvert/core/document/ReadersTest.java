package io.culvert.core.document;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the readers say of text that is no document. */
class ReadersTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | f:1:1: found an empty file; expected a JSON object",
        "`{\n  \"a\": 1\n` | f:3:1: found the end of the file; expected a closing } or quote",
        "`{\"a\": [1, 2` | f:1:12: found the end of the file; expected a closing ] or quote",
        "`{\n  \"a\": 1,\n}` | f:3:1: found '}'; expected a key in double quotes (and no comma before a"
            + " closing brace)",
        "`{\"a\": 1 \"b\": 2}` | f:1:9: found '\"'; expected a comma, or the closing brace or bracket",
        "`{\"a\" 1}` | f:1:6: found '1'; expected a colon after the key",
        "`{\"password\":\n  hunter2}` | f:2:10: found a word without quotes; expected a text in double"
            + " quotes, a number, true, false or null",
        "`{\"a\": \"x\ny\"}` | f:1:9: found a line break or control character inside a text; expected"
            + " \\n, \\t or \\u00XX in its place, or the closing quote before it",
        "`{} {}` | f:1:4: found more after the document's end; expected nothing",
      })
  void jsonSyntax(String json, String expected) {
    Faults faults = new Faults("f");

    assertThat(JsonReader.read(json.getBytes(StandardCharsets.UTF_8), faults)).isNull();
    assertThat(faults.lines()).containsExactly(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`` | f:1:1: found an empty file; expected a YAML mapping",
        "`# only words\n` | f:1:1: found an empty file; expected a YAML mapping",
        "`a: 1\n b: 2` | f:2:3: found mapping values are not allowed here; expected YAML 1.2",
        "`a: \"\\u` | f:1: found something that the YAML parser fails at; expected YAML 1.2",
        "`a: [1, 2` | f:1:9: found <stream end>; expected ',' or ']' (while parsing a flow"
            + " sequence)",
        "`a:\n\t- 1` | f:2:1: found character '\\t(TAB)' that cannot start any token. (Do not us…;"
            + " expected YAML 1.2 (while scanning for the next token)",
        "`a: &x 1` | f:1:4: found an anchor (&); expected the value without it: write it out where it"
            + " is needed",
        "`a: *x` | f:1:4: found an alias (*); expected the value itself: write it out",
        "`a: !!str 1` | f:1:4: found a tag (!); expected the value without it",
        "`a: !x [1]` | f:1:4: found a tag (!); expected the value without it",
        "`[a]: 1` | f:1:1: found a key that isn't plain text; expected a plain key",
        "`a: 1\n---\nb: 2` | f:2:1: found a second document; expected one document in a file",
      })
  void yamlSyntax(String yaml, String expected) {
    Faults faults = new Faults("f");

    assertThat(YamlReader.read(yaml.getBytes(StandardCharsets.UTF_8), faults)).isNull();
    assertThat(faults.lines()).containsExactly(expected);
  }

  @Test
  void bytesThatAreNoUtf8AreNamedByLine() {
    byte[] latin = "a: 1\nb: \u00e9\n".getBytes(StandardCharsets.ISO_8859_1);
    Faults faults = new Faults("f");

    assertThat(YamlReader.read(latin, faults)).isNull();
    assertThat(JsonReader.read(latin, faults)).isNull();
    assertThat(faults.lines())
        .containsExactly(
            "f:2: found bytes that aren't UTF-8; expected a file saved as UTF-8",
            "f:2: found bytes that aren't UTF-8; expected a file saved as UTF-8");
  }

  @Test
  void depthAndSizeAreBounded() {
    Faults faults = new Faults("f");

    JsonReader.read("[".repeat(100_000).getBytes(StandardCharsets.UTF_8), faults);
    YamlReader.read("[".repeat(100_000).getBytes(StandardCharsets.UTF_8), faults);
    YamlReader.read("- ".repeat(100_000).getBytes(StandardCharsets.UTF_8), faults);
    JsonReader.read(new byte[JsonReader.MAX_BYTES + 1], faults);
    YamlReader.read(new byte[YamlReader.MAX_BYTES + 1], faults);

    assertThat(faults.lines())
        .containsExactly(
            "f:1:52: found a value too deep or too long; expected at most 50 levels, numbers of 1000"
                + " digits and texts of 1 MiB",
            "f:1:21: found a value too deep; expected at most 20 levels",
            "f:1:41: found a value too deep; expected at most 20 levels",
            "f: found 16777217 bytes; expected at most 16777216",
            "f: found 1048577 bytes; expected at most 1048576");
  }

  @Test
  void bothKeepPlaceTypeAndTheFirstOfTwoKeys() {
    Faults faults = new Faults("f");
    String json = "{\"a\": \"x\",\n \"b\": [1.50, true, null],\n \"a\": 2}";
    String yaml = "a: x\nb: [1.50, true, null]\na: 2";

    for (Node node :
        List.of(
            JsonReader.read(json.getBytes(StandardCharsets.UTF_8), faults),
            YamlReader.read(yaml.getBytes(StandardCharsets.UTF_8), faults))) {
      Node.Obj object = (Node.Obj) node;
      assertThat(object.members().get("a"))
          .isInstanceOfSatisfying(Node.Text.class, text -> assertThat(text.value()).isEqualTo("x"));
      assertThat(object.members().get("b").line()).isEqualTo(2);
      assertThat(((Node.Arr) object.members().get("b")).items().get(0))
          .isInstanceOfSatisfying(
              Node.Num.class, number -> assertThat(number.value()).isEqualTo("1.50"));
      assertThat(object.repeated())
          .singleElement()
          .satisfies(
              repeat -> {
                assertThat(repeat.key()).isEqualTo("a");
                assertThat(repeat.place().line()).isEqualTo(3);
              });
    }
    assertThat(faults.none()).isTrue();
  }

  /** A number that a computation can't bear is none, however it is written. */
  @ParameterizedTest
  @CsvSource({
    "1e999999999",
    "1e-999999999",
    "1e99999999999",
    "1e41",
    "12345678901234567890123456789012345"
  })
  void monstrousNumbers(String text) {
    assertThat(new Node.Num(1, 1, text).value()).isNull();
  }
}
