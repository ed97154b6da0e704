package io.culvert.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.culvert.api.Reading;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The gateway tells of itself. */
class GatewayPointsTest {
  private final Rig rig = new Rig().plug();

  @Test
  void onceASecondItTellsItsFigures() {
    rig.device("a", "one").device("b", "two").apply().seconds(10);

    List<Reading> told = rig.buffer.of(Rig.GATEWAY);
    assertThat(told).hasSize(10 * 11);
    List<Reading> last = told.subList(99, 110);
    Map<String, String> values =
        last.stream().collect(Collectors.toMap(Reading::point, r -> r.value().toString()));
    assertThat(values)
        .contains(
            entry("suppressed", "0"),
            entry("missed", "0"),
            entry("confirmed", "30"),
            entry("unconfirmed", "3"),
            entry("dropped", "4"),
            entry("pending", "3"),
            entry("devices_online", "2"),
            entry("uptime", "10"));
    assertThat(Long.parseLong(values.get("read"))).isBetween(36L, 40L);
    assertThat(values.get("accepted"))
        .as("with what the gateway told of itself in the nine seconds before")
        .isEqualTo(Long.toString(Long.parseLong(values.get("read")) + 9 * 11));
    assertThat(last).extracting(Reading::eventTime).containsOnly(rig.now());
    assertThat(last)
        .extracting(r -> r.point() + " " + r.unit())
        .contains("heap_used By", "uptime s", "read ");
    assertThat(rig.engine.latest(Rig.GATEWAY)).isEqualTo(last);
  }

  @Test
  void withoutSiteOrBufferItIsSilent() {
    rig.seconds(5);
    assertThat(rig.buffer.accepted).isEmpty();
    rig.apply();
    rig.engine.buffer(null);
    rig.seconds(5);
    assertThat(rig.buffer.accepted).isEmpty();
  }
}
