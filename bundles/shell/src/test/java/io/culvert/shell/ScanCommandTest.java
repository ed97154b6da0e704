package io.culvert.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.api.southbound.Browsable.Found;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScanCommandTest {
  private final List<String> asked = new ArrayList<>();

  private final List<Found> first =
      List.of(
          new Found("nsu=urn:p;s=Pump 1", "Pump 1", Map.of("kind", "object")),
          new Found(
              "nsu=urn:p;s=L",
              "Level",
              Map.of(
                  "kind",
                  "variable",
                  "type",
                  "float64",
                  "value",
                  "1.25",
                  "unit",
                  "m",
                  "access",
                  "read",
                  "range",
                  "0..6.5",
                  "history",
                  "true",
                  "dataType",
                  "Double")),
          new Found("more:2:nsu=urn:p;s=It's", "more of this node", Map.of("kind", "more")));
  private final List<Found> second =
      List.of(new Found("nsu=urn:p;s=S", "S\u001b[31m\nevil\u202e", Map.of("kind", "variable")));

  private String run(String... words) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    ScanCommand.of(words)
        .run(
            "plc-1",
            "opc.tcp://10.0.0.5:4840",
            (from, limit) -> {
              asked.add(from + " " + limit);
              return from.startsWith("more:") ? second : first;
            },
            out);
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void eachThingIsALineInColumnsAndTheLastSaysHowToSeeMore() throws Exception {
    assertThat(run("plc-1"))
        .isEqualTo(
            """
            title   kind      type     value   access  address
            Pump 1  object                             nsu=urn:p;s=Pump 1
            Level   variable  float64  1.25 m  read    nsu=urn:p;s=L       history; range 0..6.5
            more of this node: culvert shell scan plc-1 'more:2:nsu=urn:p;s=It'\\''s'
            below one of them: culvert shell scan plc-1 <address>; by name: 'search:<words>'
            """);
    assertThat(asked).containsExactly(" 100");
  }

  @Test
  void whatADeviceCallsItsThingsCantCommandTheTerminal() throws Exception {
    assertThat(run("plc-1", "more:2:x"))
        .isEqualTo(
            """
            title         kind      address
            S\uFFFD[31m\uFFFDevil\uFFFD  variable  nsu=urn:p;s=S
            """);
  }

  @Test
  void allPagesAreFollowedIfWished() throws Exception {
    assertThat(run("plc-1", "i=85", "--all", "--limit", "3").lines()).hasSize(4);
    assertThat(asked).containsExactly("i=85 3", "more:2:nsu=urn:p;s=It's 3");
  }

  @Test
  void jsonIsAnObjectALineAfterOneAboutTheDevice() throws Exception {
    assertThat(run("plc-1", "i=85", "--json", "--all").lines())
        .containsExactly(
            "{\"device\":\"plc-1\",\"endpoint\":\"opc.tcp://10.0.0.5:4840\"}",
            "{\"address\":\"nsu=urn:p;s=Pump 1\",\"title\":\"Pump 1\",\"facts\":{\"kind\":\"object\"}}",
            "{\"address\":\"nsu=urn:p;s=L\",\"title\":\"Level\",\"facts\":{\"access\":\"read\","
                + "\"dataType\":\"Double\",\"history\":\"true\",\"kind\":\"variable\","
                + "\"range\":\"0..6.5\",\"type\":\"float64\",\"unit\":\"m\",\"value\":\"1.25\"}}",
            "{\"address\":\"nsu=urn:p;s=S\",\"title\":\"S\\u001B[31m\\nevil\u202e\","
                + "\"facts\":{\"kind\":\"variable\"}}");
    assertThat(asked).containsExactly("i=85 10000", "more:2:nsu=urn:p;s=It's 10000");
  }

  @Test
  void whatIsNoOptionOrNoNumberIsRefused() throws Exception {
    assertThat(ScanCommand.of()).isNull();
    assertThat(ScanCommand.of("a", "b", "c")).isNull();
    assertThat(ScanCommand.of("a", "--deep")).isNull();
    assertThatThrownBy(() -> ScanCommand.of("a", "--limit", "1"))
        .hasMessageContaining("expected a number from 2 to 10000");
    assertThatThrownBy(() -> ScanCommand.of("a", "--limit")).hasMessageContaining("nothing");
  }
}
