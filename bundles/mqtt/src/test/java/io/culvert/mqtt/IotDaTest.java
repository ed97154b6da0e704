package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.api.Quality;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Commands;
import io.culvert.mqtt.Dialect.Encoded;
import io.culvert.mqtt.Dialect.Message;
import io.culvert.mqtt.Dialect.Request;
import io.culvert.mqtt.Dialect.Write;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IotDaTest {
  private static final Instant TIME = Gateway.TIME;
  private final IotDa dialect = new IotDa("cabinet-17", 256 * 1024);

  @Test
  void reportsReadingsOfOnePollTogether() {
    Batch batch =
        new Batch(
            StreamClass.TELEMETRY,
            false,
            List.of(
                entry(4711, "uw-001", "level", Value.of(0.123), "m", Quality.GOOD),
                entry(4712, "uw-001", "flow", null, "", Quality.BAD_TIMEOUT),
                entry(4713, "uw-001", "tick", Value.of(17), "", Quality.GOOD)));

    Encoded encoded = dialect.encode(batch);

    assertThat(encoded.refused()).isEmpty();
    assertThat(encoded.messages()).hasSize(1);
    Message message = encoded.messages().get(0);
    assertThat(message.topic())
        .isEqualTo("$oc/devices/cabinet-17/sys/gateway/sub_devices/properties/report");
    assertThat(message.entries()).containsExactly(0, 1, 2);
    assertThat(text(message))
        .isEqualTo(
            """
            {"devices":[{"device_id":"uw-001","services":[{"service_id":"telemetry",\
            "event_time":"2026-11-21T01:48:00.123Z","properties":{"level":0.123,"level_u":"m",\
            "flow":null,"flow_q":"BadTimeout","tick":17,"seq_first":4711,"seq_count":3}}]}]}""");
  }

  @Test
  void marksHistoryAndDoubt() {
    Batch batch =
        new Batch(
            StreamClass.STATE,
            true,
            List.of(
                entry(1, "uw-001", "door", Value.of(true), "", Quality.UNCERTAIN),
                entry(2, "uw-001", "t", Value.of(-99.5), "Cel", Quality.UNCERTAIN_OUT_OF_RANGE)));

    assertThat(text(dialect.encode(batch).messages().get(0)))
        .isEqualTo(
            """
            {"devices":[{"device_id":"uw-001","services":[{"service_id":"state",\
            "event_time":"2026-11-21T01:48:00.123Z","properties":{"door":true,"door_q":"Uncertain",\
            "t":-99.5,"t_u":"Cel","t_q":"UncertainEngineeringUnitsExceeded",\
            "seq_first":1,"seq_count":2,"historical":true}}]}]}""");
  }

  @Test
  void saysValuesOfEveryKind() {
    Map<String, Value> fields = new LinkedHashMap<>();
    fields.put("epc", Value.of("E200\\u0001 \"x\" 井盖"));
    fields.put("antenna", Value.of(2));
    fields.put("rssi", new Value.Array(List.of(Value.of(-51.5), Value.of(Double.NaN))));
    List<Batch.Entry> entries =
        List.of(
            entry(1, "r", "tag", new Value.Struct(fields), "", Quality.GOOD),
            entry(2, "r", "raw", new Value.Bytes(new byte[] {1, 2, (byte) 0xFF}), "", Quality.GOOD),
            entry(3, "r", "big", Value.of(Long.MIN_VALUE), "", Quality.GOOD),
            entry(4, "r", "tiny", Value.of(-2.2250738585072014E-308), "", Quality.GOOD));

    assertThat(text(dialect.encode(new Batch(StreamClass.EVENT, false, entries)).messages().get(0)))
        .contains(
            """
            "properties":{"tag":{"epc":"E200\\\\u0001 \\"x\\" 井盖","antenna":2,\
            "rssi":[-51.5,"NaN"]},"raw":"AQL/","big":-9223372036854775808,\
            "tiny":-2.2250738585072014E-308,"seq_first":1,"seq_count":4}""");
  }

  @ParameterizedTest
  @CsvSource({"NaN,Bad(NaN)", "Infinity,Bad(Infinity)", "-Infinity,Bad(-Infinity)"})
  void saysBesideANullWhatJsonCannot(double value, String quality) {
    List<Batch.Entry> entries = List.of(entry(1, "r", "x", Value.of(value), "m", Quality.GOOD));

    assertThat(text(dialect.encode(Gateway.batch(entries)).messages().get(0)))
        .contains("\"properties\":{\"x\":null,\"x_u\":\"m\",\"x_q\":\"" + quality + "\",");
  }

  @Test
  void startsANewServiceWhereOneCannotTellTheNumbersOrTheTime() {
    Reading later = Gateway.reading("a", "x", Value.of(9), "", Quality.GOOD, TIME.plusMillis(1));
    List<Batch.Entry> entries =
        List.of(
            entry(1, "a", "x", Value.of(1), "", Quality.GOOD),
            entry(7, "b", "x", Value.of(2), "", Quality.GOOD),
            entry(2, "a", "y", Value.of(3), "", Quality.GOOD),
            entry(4, "a", "z", Value.of(4), "", Quality.GOOD), // 3 is not here
            entry(5, "a", "z", Value.of(5), "", Quality.GOOD), // the same point again
            new Batch.Entry(6, later)); // another time

    Encoded encoded = dialect.encode(Gateway.batch(entries));

    assertThat(encoded.messages()).hasSize(1);
    assertThat(encoded.messages().get(0).entries()).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5);
    Object json = Json.parse(encoded.messages().get(0).payload());
    assertThat((List<?>) Json.at(json, "devices")).hasSize(2);
    List<?> services = (List<?>) Json.at(json, "devices", 0, "services");
    assertThat(services.stream().map(s -> Json.at(s, "properties", "seq_first")))
        .containsExactly(1L, 4L, 5L, 6L);
    assertThat(Json.at(services.get(0), "properties", "seq_count")).isEqualTo(2L);
  }

  @Test
  void reportsTheGatewaysOwnReadingsAsItsOwn() {
    List<Batch.Entry> entries =
        List.of(
            entry(1, "cabinet-17", "uptime", Value.of(5), "s", Quality.GOOD),
            entry(1, "uw-001", "level", Value.of(1), "m", Quality.GOOD));

    Encoded encoded = dialect.encode(Gateway.batch(entries));

    assertThat(encoded.messages()).hasSize(2);
    assertThat(encoded.messages().get(0).topic())
        .isEqualTo("$oc/devices/cabinet-17/sys/properties/report");
    assertThat(text(encoded.messages().get(0)))
        .startsWith("{\"services\":[{\"service_id\":\"telemetry\"");
    assertThat(encoded.messages().get(0).entries()).containsExactly(0);
    assertThat(encoded.messages().get(1).entries()).containsExactly(1);
  }

  @Test
  void putsAtMostHundredDevicesIntoAMessage() {
    List<Batch.Entry> entries = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      entries.add(entry(1, "d" + i, "x", Value.of(i), "", Quality.GOOD));
    }

    List<Message> messages = dialect.encode(Gateway.batch(entries)).messages();

    assertThat(messages).extracting(m -> m.entries().size()).containsExactly(100, 100, 50);
    assertThat(messages)
        .allMatch(m -> ((List<?>) Json.at(Json.parse(m.payload()), "devices")).size() <= 100);
  }

  @Test
  void splitsWhatIsTooLongForOneMessageAndRefusesWhatIsTooLongForAny() {
    IotDa small = new IotDa("cabinet-17", 2000);
    List<Batch.Entry> entries = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      entries.add(entry(i + 1, "d", "x" + i, Value.of("\u0001".repeat(80)), "", Quality.GOOD));
    }
    entries.add(entry(11, "d", "y", Value.of("z".repeat(2000)), "", Quality.GOOD));
    entries.add(entry(12, "d", "z", Value.of(1), "", Quality.GOOD));

    Encoded encoded = small.encode(Gateway.batch(entries));

    assertThat(encoded.refused()).containsOnlyKeys(10);
    assertThat(encoded.refused().get(10)).contains("a message holds 2000");
    assertThat(encoded.messages().size()).isGreaterThan(2);
    assertThat(encoded.messages()).allMatch(m -> m.payload().length <= 2000);
    assertThat(encoded.messages().stream().flatMap(m -> m.entries().stream()))
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11);
  }

  @Test
  void refusesOneReadingAndSaysWhyWithoutHarmToItsNeighbours() {
    List<Batch.Entry> entries =
        List.of(
            entry(1, "d", "a", Value.of(1), "", Quality.GOOD),
            entry(2, "d", "a_q", Value.of(2), "", Quality.GOOD),
            entry(3, "d", "seq_first", Value.of(3), "", Quality.GOOD),
            entry(4, "d", "b", Value.of("half \uD83D"), "", Quality.GOOD),
            new Batch.Entry(
                5, Gateway.reading("d", "c", Value.of(5), "", Quality.GOOD, Instant.MAX)),
            entry(6, "d", "e", Value.of(6), "", Quality.GOOD));

    Encoded encoded = dialect.encode(Gateway.batch(entries));

    assertThat(encoded.refused()).containsOnlyKeys(1, 2, 3, 4);
    assertThat(encoded.refused().get(1)).contains("a_q");
    assertThat(encoded.refused().get(3)).contains("surrogate");
    assertThat(encoded.refused().get(4)).contains("year");
    assertThat(encoded.messages().get(0).entries()).containsExactly(0, 5);
  }

  @Test
  void tellsStatesOfAtMostHundredDevicesAtATime() {
    Map<String, Boolean> states = new LinkedHashMap<>();
    states.put("uw-001", true);
    states.put("uw-002", false);
    assertThat(dialect.states(states, TIME)).hasSize(1);
    assertThat(dialect.states(states, TIME).get(0).topic())
        .isEqualTo("$oc/devices/cabinet-17/sys/events/up");
    assertThat(text(dialect.states(states, TIME).get(0)))
        .isEqualTo(
            """
            {"services":[{"service_id":"$sub_device_manager",\
            "event_type":"sub_device_update_status","event_time":"20261121T014800Z",\
            "paras":{"device_statuses":[{"device_id":"uw-001","status":"ONLINE"},\
            {"device_id":"uw-002","status":"OFFLINE"}]}}]}""");

    for (int i = 0; i < 200; i++) {
      states.put("d" + i, true);
    }
    assertThat(dialect.states(states, TIME)).hasSize(3);
  }

  @Test
  void understandsACommandThatSetsPoints() {
    Request request =
        command(
            """
            {"object_device_id":"pump-1","command_name":"set","service_id":"state",
             "paras":{"speed":12.5,"run":true,"mode":"auto","count":3}}""");

    assertThat(request.problem()).isEmpty();
    assertThat(request.id()).isEqualTo("42");
    assertThat(request.device()).isEqualTo("pump-1");
    assertThat(request.writes())
        .containsExactly(
            new Write("speed", Value.of(12.5)),
            new Write("run", Value.of(true)),
            new Write("mode", Value.of("auto")),
            new Write("count", Value.of(3)));
    assertThat(text(dialect.answer(request, results(request, 0))))
        .isEqualTo(
            """
            {"result_code":0,"response_name":"set",\
            "paras":{"speed":12.5,"run":true,"mode":"auto","count":3}}""");
  }

  @Test
  void understandsListsAndStructures() {
    Request request =
        command(
            """
            {"object_device_id":"pump-1","command_name":"set",
             "paras":{"steps":[1,2.5],"none":[],"call":{"speed":3,"names":["a"],"run":true}}}""");

    assertThat(request.problem()).isEmpty();
    assertThat(request.writes())
        .containsExactly(
            new Write("steps", new Value.Array(List.of(Value.of(1), Value.of(2.5)))),
            new Write("none", new Value.Array(List.of())),
            new Write(
                "call",
                new Value.Struct(
                    Map.of(
                        "speed",
                        Value.of(3),
                        "names",
                        new Value.Array(List.of(Value.of("a"))),
                        "run",
                        Value.of(true)))));
    assertThat(text(dialect.answer(request, results(request, 0))))
        .contains("\"steps\":[1,2.5],\"none\":[],\"call\":{\"speed\":3,\"names\":[\"a\"]");
  }

  @Test
  void understandsACommandNamedAfterItsPoint() {
    Request request =
        command(
            "{\"object_device_id\":\"pump-1\",\"command_name\":\"speed\",\"paras\":{\"value\":7}}");

    assertThat(request.writes()).containsExactly(new Write("speed", Value.of(7)));
    Message answer = dialect.answer(request, results(request, 1));
    assertThat(answer.topic())
        .isEqualTo("$oc/devices/cabinet-17/sys/commands/response/request_id=42");
    assertThat(text(answer))
        .isEqualTo(
            """
            {"result_code":1,"response_name":"speed",\
            "paras":{"value":null,"value_q":"BadOutOfRange","message":"speed is 0 to 5"}}""");
  }

  @Test
  void understandsPropertiesToBeSet() {
    Request request =
        dialect
            .request(
                "$oc/devices/cabinet-17/sys/properties/set/request_id=a-1",
                """
                {"object_device_id":"pump-1","services":[
                  {"service_id":"state","properties":{"run":false}},
                  {"service_id":"telemetry","properties":{"speed":3}}]}"""
                    .getBytes(StandardCharsets.UTF_8))
            .orElseThrow();

    assertThat(request.writes())
        .containsExactly(new Write("run", Value.of(false)), new Write("speed", Value.of(3)));
    Message answer = dialect.answer(request, results(request, 1));
    assertThat(answer.topic())
        .isEqualTo("$oc/devices/cabinet-17/sys/properties/set/response/request_id=a-1");
    assertThat(text(answer))
        .isEqualTo(
            """
            {"result_code":1,"result_desc":"run = false; speed: BadOutOfRange, speed is 0 to 5"}""");
  }

  @Test
  void takesTheGatewayWhereNoDeviceIsNamed() {
    assertThat(command("{\"command_name\":\"x\",\"paras\":{\"value\":1}}").device())
        .isEqualTo("cabinet-17");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "null",
        "hello",
        "{}",
        "{\"command_name\":5}",
        "{\"command_name\":\"x\"}",
        "{\"command_name\":\"x\",\"paras\":[]}",
        "{\"command_name\":\"x\",\"paras\":{}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":null}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":[[1]]}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":[null]}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":[{}]}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":{\"a\":{}}}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":{\"a\":null}}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":99999999999999999999}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":1e999}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":1,\"value\":2}}",
        "{\"command_name\":\"set\",\"paras\":{}}",
        "{\"command_name\":\"x\",\"paras\":{\"value\":1}} x",
        "{\"command_name\":\"\\ud800\",\"paras\":{\"value\":[[]]}}",
        "{\"object_device_id\":7,\"command_name\":\"x\",\"paras\":{\"value\":1}}",
        "[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]",
      })
  void answersWhatItCannotUnderstand(String payload) {
    Request request = command(payload);

    assertThat(request.problem()).isNotEmpty();
    assertThat(request.writes()).isEmpty();
    Object answer = Json.parse(dialect.answer(request, List.of()).payload());
    assertThat(Json.at(answer, "result_code")).isEqualTo(1L);
    assertThat((String) Json.at(answer, "paras", "message")).isNotBlank();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "$oc/devices/cabinet-17/sys/commands/response/request_id=1",
        "$oc/devices/cabinet-17/sys/commands/request_id=",
        "$oc/devices/cabinet-17/sys/commands/request_id=a/b",
        "$oc/devices/cabinet-17/sys/commands/1",
        "$oc/devices/cabinet-18/sys/commands/request_id=1",
        "$oc/devices/cabinet-17/sys/properties/set/response/request_id=1"
      })
  void leavesAloneWhatIsNoRequest(String topic) {
    assertThat(dialect.request(topic, new byte[0])).isEmpty();
  }

  private Request command(String payload) {
    return dialect
        .request(
            "$oc/devices/cabinet-17/sys/commands/request_id=42",
            payload.getBytes(StandardCharsets.UTF_8))
        .orElseThrow();
  }

  /** Results that read back what was written, but for the last ones, which are refused. */
  private static List<Commands.Result> results(Request request, int refused) {
    List<Commands.Result> results = new ArrayList<>();
    int done = request.writes().size() - refused;
    for (int i = 0; i < request.writes().size(); i++) {
      results.add(
          i < done
              ? new Commands.Result(
                  request.id(), true, Quality.GOOD, request.writes().get(i).value(), "")
              : new Commands.Result(
                  request.id(), false, Quality.BAD_OUT_OF_RANGE, null, "speed is 0 to 5"));
    }
    return results;
  }

  private static Batch.Entry entry(
      long sequence, String device, String point, Value value, String unit, Quality quality) {
    return new Batch.Entry(sequence, Gateway.reading(device, point, value, unit, quality, TIME));
  }

  private static String text(Message message) {
    return new String(message.payload(), StandardCharsets.UTF_8);
  }
}
