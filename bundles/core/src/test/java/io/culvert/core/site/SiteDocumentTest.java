package io.culvert.core.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.core.document.Faults;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SiteDocumentTest {
  private final Faults faults = new Faults("etc/site.json");

  private SiteDocument read(String json) {
    return SiteDocument.read(json.getBytes(StandardCharsets.UTF_8), faults);
  }

  @Test
  void readsAWholeSite() {
    SiteDocument site =
        read(
            """
            {
              "gateway": {"id": "cabinet-17"},
              "buffer": {"commitMillis": 250},
              "platforms": [{"id": "city", "url": "mqtt://127.0.0.1:1883"}],
              "devices": [
                {"id": "uw-001", "profile": "underpass-water",
                 "endpoint": "modbus-tcp://127.0.0.1:5020?unit=1",
                 "interval": "250ms", "timeout": "3s", "settings": {"order": "cdab", "maxGap": 4}},
                {"id": "uw-002", "profile": "underpass-water", "endpoint": "modbus-tcp://h"}
              ]
            }
            """);

    assertThat(faults.lines()).isEmpty();
    assertThat(site.gateway()).isEqualTo("cabinet-17");
    assertThat(site.platforms()).extracting(SiteDocument.Platform::id).containsExactly("city");
    SiteDocument.DeviceEntry device = site.devices().get(0);
    assertThat(device.endpoint()).isEqualTo(URI.create("modbus-tcp://127.0.0.1:5020?unit=1"));
    assertThat(device.interval()).isEqualTo(Duration.ofMillis(250));
    assertThat(device.timeout()).isEqualTo(Duration.ofSeconds(3));
    assertThat(device.settings()).isEqualTo(Map.of("order", "cdab", "maxGap", "4"));
    assertThat(site.devices().get(1).interval()).isNull();
    assertThat(site.devices().get(1).timeout()).isEqualTo(Duration.ofSeconds(2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`[]` | 1: found a list; expected an object",
        "`{}` | 1: gateway: found nothing; expected an object such as {\"id\": \"cabinet-17\"}",
        "`{\"gateway\": 17}` | 1: gateway: found 17; expected an object",
        "`{\"gateway\": {}}` | 1: gateway.id: found nothing; expected 1 to 128 letters, digits,"
            + " hyphens, dots and underscores, such as cabinet-17",
        "`{\"gateway\": {\"id\": \"a/b\"}}` | 1: gateway.id: found \"a/b\"; expected 1 to 128 letters,"
            + " digits, hyphens, dots and underscores, such as cabinet-17",
        "`{\"gateway\": {\"id\": \"a\"},\n \"gateway\": {\"id\": \"b\"}}` | 2: gateway: found the key a"
            + " second time; expected it once: it stands in line 1 already",
      })
  void withoutAnIdentityNothingIsInForce(String json, String expected) {
    assertThat(read(json)).isNull();
    assertThat(faults.lines()).containsExactly("etc/site.json:" + expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"devices\": {}` | devices: found an object; expected a list",
        "`\"platforms\": 1` | platforms: found 1; expected a list",
        "`\"buffer\": []` | buffer: found a list; expected an object",
        "`\"plugins\": true` | plugins: found true; expected an object",
        "`\"device\": []` | device: found an unknown key; expected devices",
        "`\"rules\": []` | rules: found an unknown key; expected one of gateway, buffer, plugins,"
            + " platforms, devices",
        "`\"platforms\": [1]` | platforms[0]: found 1; expected an object",
        "`\"platforms\": [{\"id\": \"p\"}]` | platforms[0].url: found nothing; expected a URL that"
            + " begins with mqtt:// or mqtts://, such as mqtts://iot.example:8883",
        "`\"platforms\": [{\"id\": \"p\", \"url\": \"http://h\"}]` | platforms[0].url: found"
            + " \"http://h\"; expected a URL that begins with mqtt:// or mqtts://, such as"
            + " mqtts://iot.example:8883",
        "`\"platforms\": [{\"id\": \"p\", \"url\": \"mqtt://u:hunter2@h\"}]` | platforms[0].url: found"
            + " a URL with a user in it; expected one without: the name under user, the password under"
            + " password as secret:name",
        "`\"platforms\": [{\"id\": \"p\", \"url\": \"http://u:hunter2@h\"}]` | platforms[0].url: found"
            + " a URL with an @ in it; expected a URL that begins with mqtt:// or mqtts://, such as"
            + " mqtts://iot.example:8883",
        "`\"platforms\": [{\"id\": \"p\", \"url\": \"mqtt://h\"}, {\"id\": \"p\", \"url\":"
            + " \"mqtt://h\"}]` | platforms[1].id: found \"p\"; expected an id of its own: line 2 has"
            + " this one already",
        "`\"devices\": [3]` | devices[0]: found 3; expected an object",
        "`\"devices\": [{\"profile\": \"p\", \"endpoint\": \"s://h\"}]` | devices[0].id: found nothing;"
            + " expected 1 to 128 letters, digits, hyphens, dots and underscores, such as uw-001",
        "`\"devices\": [{\"id\": \"g\", \"profile\": \"p\", \"endpoint\": \"s://h\"}]` | devices[0].id:"
            + " found \"g\"; expected an id of its own: the gateway has this one",
        "`\"devices\": [{\"id\": \"a\", \"profile\": \"p\", \"endpoint\": \"s://h\"}, {\"id\": \"a\","
            + " \"profile\": \"p\", \"endpoint\": \"s://h\"}]` | devices[1].id: found \"a\"; expected an"
            + " id of its own: line 2 has this one already",
      })
  void namesWhatIsWrongBesideDevices(String member, String expected) {
    SiteDocument site = read("{\"gateway\": {\"id\": \"g\"},\n " + member + "}");

    assertThat(site).isNotNull();
    assertThat(faults.lines()).containsExactly("etc/site.json:2: " + expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"interval\": \"1x\"` | interval: found \"1x\"; expected a duration such as 250ms, 1s, 5m",
        "`\"interval\": 1` | interval: found 1; expected a duration such as 250ms, 1s, 5m",
        "`\"interval\": \"5ms\"` | interval: found \"5ms\"; expected a duration from 10ms to 24h",
        "`\"timeout\": \"11m\"` | timeout: found \"11m\"; expected a duration from 10ms to 10m",
        "`\"intervall\": \"1s\"` | intervall: found an unknown key; expected interval",
        "`\"colour\": \"red\"` | colour: found an unknown key; expected one of id, profile, endpoint,"
            + " interval, timeout, settings",
        "`\"settings\": []` | settings: found a list; expected an object of plain values",
        "`\"settings\": {\"order\": null}` | settings.order: found null; expected a text, a number, true"
            + " or false",
        "`\"timeout\": \"1s\", \"timeout\": \"2s\"` | timeout: found the key a second time; expected it"
            + " once: it stands in line 2 already",
      })
  void aWrongDeviceIsKeptAndSaysWhy(String member, String expected) {
    SiteDocument site =
        read(
            "{\"gateway\": {\"id\": \"g\"}, \"devices\": [\n"
                + "{\"id\": \"a\", \"profile\": \"p\", \"endpoint\": \"s://h\", "
                + member
                + "},\n{\"id\": \"b\", \"profile\": \"p\", \"endpoint\": \"s://h\"}]}");

    String message = "etc/site.json:2: devices[0]." + expected;
    assertThat(faults.lines()).containsExactly(message);
    assertThat(site.devices())
        .extracting(SiteDocument.DeviceEntry::id, SiteDocument.DeviceEntry::problem)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("a", message),
            org.assertj.core.groups.Tuple.tuple("b", ""));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"profile\": \"p\"` | endpoint: found nothing; expected a URL such as"
            + " modbus-tcp://192.168.3.17:502?unit=3",
        "`\"profile\": \"p\", \"endpoint\": \"192.168.3.17:502\"` | endpoint: found"
            + " \"192.168.3.17:502\"; expected a URL such as modbus-tcp://192.168.3.17:502?unit=3",
        "`\"profile\": \"p\", \"endpoint\": \"a b\"` | endpoint: found \"a b\"; expected a URL such as"
            + " modbus-tcp://192.168.3.17:502?unit=3",
        "`\"profile\": \"p\", \"endpoint\": \"opc.tcp://u:hunter2@h\"` | endpoint: found a URL with a"
            + " user in it; expected one without: what the driver must know belongs under settings, a"
            + " password as secret:name",
        "`\"endpoint\": \"s://h\"` | profile: found nothing; expected the id of a profile, such as"
            + " underpass-water",
        "`\"profile\": \"P!\", \"endpoint\": \"s://h\"` | profile: found \"P!\"; expected the id of a"
            + " profile, such as underpass-water",
      })
  void aDeviceWithoutProfileOrEndpointIsKeptToo(String members, String expected) {
    SiteDocument site =
        read("{\"gateway\": {\"id\": \"g\"}, \"devices\": [{\"id\": \"a\", " + members + "}]}");

    assertThat(site.devices())
        .singleElement()
        .satisfies(
            device ->
                assertThat(device.problem()).isEqualTo("etc/site.json:1: devices[0]." + expected));
  }

  @Test
  void thousandsOfFaultsAreSummedUp() {
    read("{\"gateway\": {\"id\": \"g\"}, \"devices\": [" + "1,".repeat(999) + "1]}");

    assertThat(faults.lines()).hasSize(201).endsWith("etc/site.json: and 800 more");
  }
}
