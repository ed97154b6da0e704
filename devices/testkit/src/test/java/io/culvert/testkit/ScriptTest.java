package io.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.testkit.Script.Fit;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What may stand in a script, and what its rows fit. */
class ScriptTest {
  private static final Script PLAIN = Script.of("").sum("sum", ScriptTest::sum);

  private static byte[] sum(byte[] bytes) {
    byte sum = 0;
    for (byte value : bytes) {
      sum += value;
    }
    return new byte[] {sum};
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits.replace(" ", ""));
  }

  private static Script.Match match(String row, String bytes, Map<String, byte[]> variables) {
    return PLAIN.match(Script.row(1, row), hex(bytes), variables);
  }

  private static Script.Match match(String row, String bytes) {
    return match(row, bytes, Map.of());
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "01 02, 01 02, WHOLE, 2",
        "0102, 01 02 03, WHOLE, 2",
        "01 02, 01, BEGUN, 1",
        "01 02, 01 03, NONE, 1",
        "?? 02, FF 02, WHOLE, 2",
        "?? 02, FF, BEGUN, 1",
        "<a:2> 05, 01 02 05, WHOLE, 3",
        "<a:2> 05, 01, BEGUN, 1",
        "<a:*> 0A, 31 32 0A, WHOLE, 3",
        "<a:*> 0A, 31 32, BEGUN, 2",
        "<a:*> 0A 0B, 0A 0A 0B, WHOLE, 3",
        "<a:*>, 31 32 33, WHOLE, 3",
        "01 02 <sum>, 01 02 03, WHOLE, 3",
        "01 02 <sum>, 01 02 04, NONE, 2",
        "01 02 <sum>, 01 02, BEGUN, 2",
        "<a:1> <a>, 07 07, WHOLE, 2",
        "<a:1> <a>, 07 08, NONE, 1",
        "'ab', 61 62, WHOLE, 2",
        "'\\r\\n\\t\\\\\\'', 0D 0A 09 5C 27, WHOLE, 5",
      })
  void aRowFits(String row, String bytes, Fit fit, int length) {
    Script.Match match = match(row, bytes);
    assertThat(match.fit()).isEqualTo(fit);
    assertThat(match.length()).isEqualTo(length);
  }

  @Test
  void whatWasCapturedIsSentAgain() {
    Script.Match match = match("<id:2> 'W ' <value:*> 0A", "0001 57 20 3432 0A");
    assertThat(match.fit()).isEqualTo(Fit.WHOLE);
    assertThat(new String(match.captured().get("value"), StandardCharsets.US_ASCII))
        .isEqualTo("42");
    assertThat(PLAIN.rendered(Script.row(1, "<id> '=' <value> <sum> # answer"), match.captured()))
        .isEqualTo(hex("0001 3D 3432 A4"));
  }

  @Test
  void aVariableIsWhatTheDeviceHoldsNow() {
    assertThat(match("01 <level>", "01 04D2", Map.of("level", hex("04D2"))).fit())
        .isEqualTo(Fit.WHOLE);
    assertThat(match("01 <level>", "01 04D3", Map.of("level", hex("04D2"))).fit())
        .isEqualTo(Fit.NONE);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "on 0,Line 1 .* found 0; expected bytes such as",
        "on,no bytes after on",
        "send 01,send at the beginning; expected on",
        "answer 01,found answer; expected let, open, on",
        "on 01|send ??,what is sent must be known",
        "on 01|send <x>,Line 2 .* found <x>; expected a name that let",
        "on 01|wait soon,a time such as 200ms",
        "on 01|close now,nothing more on this line",
        "let x 01,let name = bytes",
        "let x = <y:2>,bytes that are known",
        "on 'a,found 'a; expected bytes",
        "on '\\q',expected .*\\\\r",
      })
  void whatIsWrongIsNamedWithItsLine(String text, String message) {
    assertThatThrownBy(() -> Script.of(text.replace('|', '\n')).check())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("(?s).*" + message + ".*");
  }

  @Test
  void aScriptThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> Script.beside(ScriptTest.class, "none.script"))
        .hasMessageContaining("no none.script beside io.culvert.testkit.ScriptTest");
  }

  @Property
  void bytesFitTheRowTheyAreWrittenAs(@ForAll @Size(min = 1, max = 100) byte[] bytes) {
    String row = HexFormat.of().formatHex(bytes);
    assertThat(PLAIN.match(Script.row(1, row), bytes, Map.of()).fit()).isEqualTo(Fit.WHOLE);
    assertThat(PLAIN.rendered(Script.row(1, row), Map.of())).isEqualTo(bytes);
    byte[] shorter = Arrays.copyOf(bytes, bytes.length - 1);
    assertThat(PLAIN.match(Script.row(1, row), shorter, Map.of()).fit()).isEqualTo(Fit.BEGUN);
    byte[] other = bytes.clone();
    other[bytes.length / 2] ^= 1;
    assertThat(PLAIN.match(Script.row(1, row), other, Map.of()).fit()).isEqualTo(Fit.NONE);
  }
}
