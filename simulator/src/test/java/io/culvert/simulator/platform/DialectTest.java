package io.culvert.simulator.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.simulator.platform.Dialect.MalformedException;
import io.culvert.simulator.platform.Dialect.Message;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DialectTest {
  private static final String REPORT = "$oc/devices/gw/sys/gateway/sub_devices/properties/report";
  private static final String ENTRY =
      """
      {"devices":[{"device_id":"uw-001","services":[{"service_id":"telemetry",
        "event_time":"2026-11-21T01:48:00.123Z",
        "properties":{"level":0.123,"level_u":"m","flow":null,"flow_q":"BadTimeout","tick":17,
                      "seq_first":4711,"seq_count":3,"historical":true}}]}]}
      """;

  private final Dialect dialect = new Dialect();

  @Test
  void entryHoldsItsReadingsInOrderWithTheirNumbers() throws Exception {
    Message message = read(REPORT, ENTRY);

    assertThat(message.gateway()).isEqualTo("gw");
    Entry entry = message.entries().get(0);
    assertThat(entry.eventMillis())
        .isEqualTo(Instant.parse("2026-11-21T01:48:00.123Z").toEpochMilli());
    assertThat(entry.historical()).isTrue();
    assertThat(entry.sequence(2)).isEqualTo(4713);
    assertThat(entry.items())
        .containsExactly(
            new Entry.Item("level", 0.123, "m", "Good"),
            new Entry.Item("flow", null, "", "BadTimeout"),
            new Entry.Item("tick", 17.0, "", "Good"));
  }

  @Test
  void statesOfSubDevicesAreRead() throws Exception {
    Message message =
        read(
            "$oc/devices/gw/sys/events/up",
            """
            {"services":[{"service_id":"$sub_device_manager",
              "event_type":"sub_device_update_status","event_time":"2026-11-21T01:48:00.123Z",
              "paras":{"device_statuses":[{"device_id":"uw-001","status":"ONLINE"}]}}]}
            """);

    assertThat(message.status()).containsEntry("uw-001", "ONLINE");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "seq_count":3        | "seq_count":4       | seq_count of uw-001 is 4, but it has 3
          "seq_first":4711,    | ''                  | no number 'seq_first'
          "level_u"            | "depth_u"           | depth_u stands without its point
          "BadTimeout"         | "Uncertain"         | flow of uw-001 is null and not bad
          "flow_q"             | "level_q"           | flow of uw-001 is null and not bad
          2026-11-21T01:48:00.123Z | 20261121T014800.123Z | isn't like
          "telemetry"          | "measurements"      | is no class
          "historical":true    | "historical":1      | historical is
          }]}]}                | }]}]                | isn't JSON
          "tick":17            | "level":17          | twice
          """)
  void whatLeavesAnythingToGuessIsRefused(String found, String replaced, String why) {
    assertThat(ENTRY).contains(found);
    assertThatThrownBy(() -> read(REPORT, ENTRY.replace(found, replaced)))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining(why);
  }

  @Test
  void otherTopicsAreRefused() {
    assertThatThrownBy(() -> read("$oc/devices/gw/sys/elsewhere", ENTRY))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("no topic");
  }

  private Message read(String topic, String payload) throws MalformedException {
    return dialect.read(topic, payload.getBytes(StandardCharsets.UTF_8));
  }
}
