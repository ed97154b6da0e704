package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.core.document.Faults;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import javax.xml.stream.XMLStreamException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetatypeTest {
  static final String XML =
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <metatype:MetaData xmlns:metatype="http://www.osgi.org/xmlns/metatype/v1.2.0">
        <OCD id="platform" name="Platform">
          <AD id="id" type="String"/>
          <AD id="gateway" type="String"/>
          <AD id="url" type="String"/>
          <AD id="dialect" type="String" default="iotda">
            <Option label="Huawei" value="iotda"/>
            <Option label="Sparkplug" value="sparkplug"/>
          </AD>
          <AD id="clientId" type="String" required="false" min="1" max="23" default=""/>
          <AD id="password" type="Password" required="false"/>
          <AD id="window" type="Integer" required="false" min="1" max="1000" default="64"/>
          <AD id="bytes" type="Long" required="false" min="5"/>
          <AD id="rate" type="Double" required="false" max="1.5"/>
          <AD id="small" type="Byte" required="false"/>
          <AD id="mark" type="Char" required="false"/>
          <AD id="tls" type="Boolean" required="false"/>
          <AD id="topics" type="String" cardinality="2" required="false"/>
          <AD id="ports" type="Integer" cardinality="-3" required="false"/>
        </OCD>
        <OCD id="buffer" name="Buffer">
          <AD id="gateway" type="String"/>
          <AD id="platforms" type="String" cardinality="2147483647" required="false"/>
          <AD id="commitMillis" type="Integer" min="10" default="250"/>
        </OCD>
        <OCD id="plugins" name="Plug-ins">
          <AD id="allowUnsigned" type="Boolean" default="false"/>
          <AD id="hosted" type="String" cardinality="2147483647" default=""/>
        </OCD>
        <Designate pid="io.culvert.plugins"><Object ocdref="plugins"/></Designate>
        <Designate pid="io.culvert.buffer"><Object ocdref="buffer"/></Designate>
        <Designate factoryPid="io.culvert.mqtt"><Object ocdref="platform"/></Designate>
        <Designate pid="other"><Object ocdref="nowhere"/></Designate>
      </metatype:MetaData>
      """;

  private final Faults faults = new Faults("f");

  static Map<String, Metatype> declared() throws XMLStreamException {
    return Metatype.read(new ByteArrayInputStream(XML.getBytes(StandardCharsets.UTF_8)));
  }

  private Map<String, Object> check(String json) throws XMLStreamException {
    Node.Obj object =
        (Node.Obj) JsonReader.read(json.getBytes(StandardCharsets.UTF_8), new Faults("f"));
    return declared()
        .get("io.culvert.mqtt")
        .check(object, "platforms[0]", Map.of("id", "city", "gateway", "g"), faults);
  }

  @Test
  void makesTypedProperties() throws XMLStreamException {
    Map<String, Object> properties =
        check(
            """
            {"id": "city", "url": "mqtt://h", "dialect": "sparkplug", "clientId": "c",
             "password": "secret:city", "window": 64, "bytes": 5, "rate": 1.5, "small": -128,
             "mark": "x", "tls": true, "topics": ["a", "b"], "ports": [1, 2, 3]}
            """);

    assertThat(faults.lines()).isEmpty();
    assertThat(properties)
        .containsEntry("id", "city")
        .containsEntry("gateway", "g")
        .containsEntry("password", "secret:city")
        .containsEntry("window", 64)
        .containsEntry("bytes", 5L)
        .containsEntry("rate", 1.5)
        .containsEntry("small", (byte) -128)
        .containsEntry("mark", 'x')
        .containsEntry("tls", true)
        .containsEntry("topics", new String[] {"a", "b"})
        .containsEntry("ports", java.util.List.of(1, 2, 3));
  }

  @Test
  void defaultsAreLeftToTheirOwner() throws XMLStreamException {
    assertThat(check("{\"id\": \"city\", \"url\": \"mqtt://h\"}"))
        .containsOnlyKeys("id", "gateway", "url");
    assertThat(faults.lines()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"window\": 0` | window: found 0; expected a whole number from 1 to 1000",
        "`\"window\": 1001` | window: found 1001; expected a whole number from 1 to 1000",
        "`\"window\": 1.5` | window: found 1.5; expected a whole number from 1 to 1000",
        "`\"window\": \"64\"` | window: found \"64\"; expected a whole number from 1 to 1000",
        "`\"window\": 1e999999999` | window: found 1e999999999; expected a whole number from 1 to 1000",
        "`\"bytes\": 4` | bytes: found 4; expected a whole number of at least 5",
        "`\"rate\": 2` | rate: found 2; expected a number of at most 1.5",
        "`\"small\": 128` | small: found 128; expected a whole number",
        "`\"mark\": \"xy\"` | mark: found \"xy\"; expected a text of one character",
        "`\"tls\": 1` | tls: found 1; expected true or false",
        "`\"dialect\": \"kura\"` | dialect: found \"kura\"; expected one of iotda, sparkplug",
        "`\"clientId\": \"\"` | clientId: found \"\"; expected a text of 1 to 23 characters",
        "`\"topics\": \"a\"` | topics: found \"a\"; expected a list of at most 2 values",
        "`\"topics\": [\"a\", \"b\", \"c\"]` | topics: found a list; expected a list of at most 2 values",
        "`\"topics\": [\"a\", 1]` | topics[1]: found 1; expected a text",
        "`\"windw\": 64` | windw: found an unknown key; expected window",
        "`\"gateway\": \"x\"` | gateway: found an unknown key; expected one of bytes, clientId, dialect,"
            + " mark, password, ports, rate, small, tls, topics, url, window, id",
        "`\"password\": \"hunter2\"` | password: found a value in clear; expected secret:name, with the"
            + " value in the file etc/secrets/name (mode 0600)",
        "`\"password\": 4711` | password: found a value in clear; expected secret:name, with the value"
            + " in the file etc/secrets/name (mode 0600)",
        "`\"password\": \"secret:../site.json\"` | password: found a value in clear; expected"
            + " secret:name, with the value in the file etc/secrets/name (mode 0600)",
      })
  void namesWhatIsWrong(String member, String expected) throws XMLStreamException {
    check("{\"id\": \"city\", \"url\": \"mqtt://h\", " + member + "}");

    assertThat(faults.lines()).containsExactly("f:1: platforms[0]." + expected);
  }

  @Test
  void namesWhatIsMissing() throws XMLStreamException {
    check("{\"id\": \"city\"}");

    assertThat(faults.lines())
        .containsExactly("f:1: platforms[0].url: found nothing; expected a text");
  }
}
