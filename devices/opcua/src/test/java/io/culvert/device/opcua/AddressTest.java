package io.culvert.device.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Access;
import io.culvert.api.DataType;
import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.UInteger;
import org.eclipse.milo.opcua.stack.core.util.Namespaces;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a person can write as an address, and what they are told. */
class AddressTest {

  private static Address address(String written) {
    return Address.of(new Point("p", written, DataType.FLOAT64, Access.READ));
  }

  private static List<String> told(String written, DataType type, Access access) {
    List<Problem> problems = new ArrayList<>();
    Address address = Address.parse(new Point("p", written, type, access), problems::add);
    assertThat(address == null).isEqualTo(!problems.isEmpty());
    return problems.stream().map(Problem::toString).toList();
  }

  private static String told(String written) {
    return String.join("\n", told(written, DataType.FLOAT64, Access.READ));
  }

  @Test
  void aNodeIsNamedByNamespaceAndAnyKindOfIdentifier() {
    assertThat(address("nsu=urn:plant;s=Pump1.Level").node())
        .isEqualTo(new NodeRef.Id("urn:plant", "Pump1.Level"));
    assertThat(address("nsu=http://x.org/p/;i=4294967295").node())
        .isEqualTo(new NodeRef.Id("http://x.org/p/", UInteger.MAX));
    assertThat(address("i=2258").node())
        .isEqualTo(new NodeRef.Id(Namespaces.OPC_UA, UInteger.valueOf(2258)));
    assertThat(address("nsu=urn:plant;g=09087e75-8e5e-499b-954f-f2a9603db28a").node())
        .isEqualTo(
            new NodeRef.Id("urn:plant", UUID.fromString("09087e75-8e5e-499b-954f-f2a9603db28a")));
    assertThat(address("nsu=urn:plant;b=M/RbKBsRVkePCePcx24oRA==").node())
        .hasToString("nsu=urn:plant;b=M/RbKBsRVkePCePcx24oRA==");
    assertThat(((NodeRef.Id) address("nsu=urn:plant;b=AAE=").node()).identifier())
        .isEqualTo(ByteString.of(new byte[] {0, 1}));
  }

  @Test
  void anIdentifierKeepsQuotesSemicolonsAmpersandsAndBlanks() {
    assertThat(address("nsu=http://www.siemens.com/;s=\"DB 1\".\"Oil & Gas\";x sampling=1s").node())
        .isEqualTo(new NodeRef.Id("http://www.siemens.com/", "\"DB 1\".\"Oil & Gas\";x"));
  }

  @Test
  void aUriWithSemicolonAndPercentIsEscapedAsInPart6() {
    Address address = address("nsu=urn:a%3Bb%25c%20d;i=1");
    assertThat(address.node()).isEqualTo(new NodeRef.Id("urn:a;b%c%20d", UInteger.valueOf(1)));
    assertThat(address).hasToString("nsu=urn:a%3Bb%25c%2520d;i=1");
  }

  @Test
  void aPathIsNamesFromTheRootOn() {
    assertThat(address("./Pump 1/{urn:o&}ther}Le&/vel/2&:x").node())
        .isEqualTo(
            new NodeRef.Path(
                List.of(
                    new NodeRef.Step(null, "Pump 1"),
                    new NodeRef.Step("urn:o}ther", "Le/vel"),
                    new NodeRef.Step(null, "2:x"))));
    assertThat(address(".").node()).isEqualTo(new NodeRef.Path(List.of()));
    assertThat(address("./Set& sampling=1s").node())
        .isEqualTo(new NodeRef.Path(List.of(new NodeRef.Step(null, "Set sampling=1s"))));
  }

  @Test
  void optionsStandBehindTheNode() {
    Address address =
        address("./Level   sampling=100ms queue=50 deadband=2% trigger=timestamp range=1:3,0 ");
    assertThat(address.sampling()).isEqualTo(Duration.ofMillis(100));
    assertThat(address.queue()).isEqualTo(50);
    assertThat(address.deadband()).isEqualTo(new Deadband(2, true));
    assertThat(address.trigger()).isEqualTo(Trigger.TIMESTAMP);
    assertThat(address.range()).isEqualTo("1:3,0");
    assertThat(address)
        .hasToString("./Level sampling=100ms queue=50 deadband=2.0% trigger=timestamp range=1:3,0");
  }

  @Test
  void aMethodIsItsObjectAndTheWayFromThere() {
    Address address =
        Address.of(
            new Point("p", "method:nsu=urn:plant;s=Pump 1 ./Start", DataType.BOOL, Access.WRITE));
    assertThat(address.kind()).isEqualTo(Address.Kind.METHOD);
    assertThat(address.node()).isEqualTo(new NodeRef.Id("urn:plant", "Pump 1"));
    assertThat(address.method())
        .isEqualTo(new NodeRef.Path(List.of(new NodeRef.Step(null, "Start"))));
    assertThat(
            Address.of(new Point("p", "result:i=2253 i=11492", DataType.STRUCT, Access.READ))
                .method())
        .hasToString("i=11492");
  }

  @Test
  void eventsAndTheirAcknowledgementNameTheirNotifier() {
    Address events =
        Address.of(new Point("p", "events:i=2253 queue=500", DataType.STRUCT, Access.READ));
    assertThat(events.kind()).isEqualTo(Address.Kind.EVENTS);
    assertThat(events.queue()).isEqualTo(500);
    assertThat(
            Address.of(new Point("p", "acknowledge:i=2253", DataType.STRUCT, Access.WRITE)).kind())
        .isEqualTo(Address.Kind.ACKNOWLEDGE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '§',
      value = {
        "ns=2;s=Pump1.Level | found ns=2; expected nsu=<namespace URI>;s=Pump1.Level: by URI, not by index",
        "ns=2 | found ns=2; expected nsu=<namespace URI>;s=…",
        "s=Level | expected nsu=<namespace URI>;s=Level, with its namespace",
        "svr=1;i=5 | expected a node of this server",
        "nsu=urn:x | with a semicolon after the URI",
        "nsu=;s=Level | expected a namespace URI after nsu=",
        "nsu=urn:x;Level | expected s=…, i=…, g=… or b=…",
        "nsu=urn:x;s= | found nothing after s=",
        "i=4294967296 | found i=4294967296; expected i= and a number up to 4294967295",
        "i=0 | found i=0",
        "i=5 hello | found i=5 hello",
        "nsu=urn:x;g=1234 | and a GUID such as",
        "nsu=urn:x;b=?? | bytes in Base64",
        "Level | found Level; expected nsu=<namespace URI>;s=…",
        "./ | with an empty name",
        "./a//b | with an empty name",
        "./{urn:x | {<namespace URI>}Name",
        "./{}Level | {<namespace URI>}Name",
        "./2:Level | found 2:Level; expected {<namespace URI>}Name",
        "./Level& | a character after &",
        "i=5 samplng=1s | found samplng=1s; expected sampling=…?",
        "i=5 colour=red | found colour=red; expected sampling=100ms queue=50",
        "i=5 sampling=1s sampling=2s | found sampling twice",
        "i=5 sampling=1s 2 | found 2; expected",
        "i=5 sampling=fast | found sampling=fast; expected sampling=0ms",
        "i=5 sampling=99999s | found sampling=99999s",
        "i=5 queue=0 | expected queue=1 to queue=100000",
        "i=5 deadband=-1 | found deadband=-1",
        "i=5 deadband=101% | found deadband=101%",
        "i=5 trigger=always | found trigger=always; expected status, value or timestamp",
        "i=5 range=3:1 | found range=3:1; expected range=2",
        "i=5 range=1:1 | found range=1:1",
        "i=5 range=1- | found range=1-",
        "i=5 range=2147483648 | found range=2147483648",
        "events:i=2253 | points.p.type: found float64; expected struct",
        "acknowledge:i=2253 | points.p.access: found read; expected write",
        "method:./Pump1 ./Start | points.p.access: found read; expected write",
      })
  void aMistakeIsNamedWithWhatWasFoundAndWhatIsExpected(String written, String expected) {
    assertThat(told(written)).startsWith("points.p.").contains(expected);
  }

  @Test
  void aMethodWithoutItsNodeIsTold() {
    assertThat(told("method:./Pump1", DataType.BOOL, Access.WRITE))
        .singleElement()
        .asString()
        .contains("found method:./Pump1; expected method:<object> <method>");
    assertThat(told("method:./Pump1 ./Start", DataType.BOOL, Access.READ_WRITE))
        .singleElement()
        .asString()
        .contains("found read-write; expected write: it is called; a point result:…");
    assertThat(told("result:./Pump1 ./Start", DataType.BOOL, Access.READ_WRITE))
        .singleElement()
        .asString()
        .contains("found read-write; expected read: a point method:…");
    assertThat(told("method:./Pump1 .", DataType.BOOL, Access.WRITE))
        .singleElement()
        .asString()
        .contains("found .; expected ./Name of the method");
    assertThat(told("method:./Pump1 ./Start queue=5", DataType.BOOL, Access.WRITE))
        .singleElement()
        .asString()
        .contains("found queue=5; expected no options");
  }

  @Test
  void aDeadbandIsForNumbersAndOptionsForWhatIsWatched() {
    assertThat(told("i=5 deadband=1", DataType.TEXT, Access.READ))
        .singleElement()
        .asString()
        .contains("deadband=1 of a point of type text");
    assertThat(told("events:i=2253 sampling=1s", DataType.STRUCT, Access.READ))
        .singleElement()
        .asString()
        .contains("only queue=50");
    assertThat(told("events:i=2253", DataType.STRUCT, Access.READ_WRITE))
        .singleElement()
        .asString()
        .contains("points.p.access: found read-write; expected read");
  }

  @Test
  void whatNobodyCanReadIsToldWithoutShowingIt() {
    assertThat(told("nsu=urn:x;s=a\u0007b")).contains("found the character U+0007");
    assertThat(told("nsu=urn:x;s=a\uD800b")).contains("found the character U+D800");
    assertThat(told("./a\nb")).contains("found the character U+000A");
    assertThat(told("nsu=urn:x;s=" + "x".repeat(10_000)))
        .contains("found 10012 characters: nsu=urn:x;s=xxx")
        .contains("at most 8000 characters")
        .hasSizeLessThan(250);
    assertThat(told("nsu=urn:x;s=" + "x".repeat(5_000)))
        .contains("5000 characters")
        .hasSizeLessThan(250);
    assertThat(told("./" + "x".repeat(513))).contains("found 513 characters");
    assertThat(told("")).contains("found nothing");
    assertThat(told("i=5 sampling=\u0000")).doesNotContain("\u0000");
  }

  @Test
  void severalMistakesAreToldTogether() {
    assertThat(told("ns=2;i=5 queue=0 trigger=x", DataType.FLOAT64, Access.READ)).hasSize(3);
  }
}
