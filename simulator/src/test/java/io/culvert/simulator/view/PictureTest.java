package io.culvert.simulator.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.simulator.DrivenClock;
import io.culvert.simulator.platform.Platform;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PictureTest {
  private static final String ANSI = "\033\\[[0-9;?]*[a-zA-Z]";
  private final DrivenClock clock = new DrivenClock();
  private final Platform platform = new Platform(null, clock);

  @ParameterizedTest
  @CsvSource({"80,24,en", "80,24,zh-CN", "120,40,en", "60,15,zh-CN", "200,60,en"})
  void pictureFitsTheTerminal(int columns, int rows, String language) {
    for (int device = 1; device <= 30; device++) {
      report(
          device % 2 == 0 ? "bridge-0" + device : "桥梁应变监测点-" + device,
          "\"strain\":-12.25,\"strain_u\":\"um/m\",\"note\":\"积水\",\"level\":null,"
              + "\"level_q\":\"BadCommunicationError\",\"tick\":3,"
              + "\"seq_first\":1,\"seq_count\":4");
    }
    Picture picture = picture(language);
    picture.sample(clock.millis());
    clock.advance(1_500);
    picture.sample(clock.millis());

    List<String> lines = picture.lines(moment(), columns, rows);

    assertThat(lines).hasSize(rows);
    assertThat(lines)
        .allSatisfy(line -> assertThat(Text.width(plain(line))).isLessThanOrEqualTo(columns));
    String all = plain(String.join("\n", lines));
    assertThat(all).contains("µm/m", "-12.25", "BadCommu").doesNotContain("tick");
  }

  private Picture picture(String language) {
    Words words = new Words(language);
    return new Picture(
        words,
        platform,
        new Picture.Scene(
            words.get("street", "Street", 30, "90", "60"),
            "Modbus TCP 127.0.0.1:15020–15049, MQTT 127.0.0.1:18830 (Moquette, in this process)",
            30,
            clock.millis(),
            60));
  }

  private Picture.Moment moment() {
    return new Picture.Moment(clock.millis(), "", 12, 3, List.of());
  }

  private static String plain(String line) {
    return line.replaceAll(ANSI, "");
  }

  private void report(String device, String properties) {
    platform.message(
        "$oc/devices/gw/sys/gateway/sub_devices/properties/report",
        ("{\"devices\":[{\"device_id\":\""
                + device
                + "\",\"services\":[{\"service_id\":\"telemetry\","
                + "\"event_time\":\"2026-11-21T06:00:00.000Z\",\"properties\":{"
                + properties
                + "}}]}]}")
            .getBytes(StandardCharsets.UTF_8));
  }
}
