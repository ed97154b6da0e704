package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.annotation.Annotation;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  private static final Path ETC = Path.of("/opt/culvert/etc");

  @ParameterizedTest
  @CsvSource({
    "mqtt://127.0.0.1:1884, false, 127.0.0.1, 1884",
    "mqtt://broker, false, broker, 1883",
    "mqtts://broker.example, true, broker.example, 8883",
    "MQTTS://broker.example:443/, true, broker.example, 443"
  })
  void readsTheUrl(String url, boolean tls, String host, int port) throws Exception {
    Settings settings = Settings.of(config(Map.of("url", url)), ETC);
    assertThat(settings.tls()).isEqualTo(tls);
    assertThat(settings.host()).isEqualTo(host);
    assertThat(settings.port()).isEqualTo(port);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "broker:1883",
        "tcp://broker:1883",
        "mqtt:broker",
        "mqtt://",
        "mqtt://user:word@broker",
        "mqtt://broker/path",
        "mqtt://broker?x=1",
        "mqtt://bro ker"
      })
  void saysWhatIsWrongWithAUrl(String url) {
    assertThatThrownBy(() -> Settings.of(config(Map.of("url", url)), ETC))
        .isInstanceOf(Settings.InvalidException.class)
        .hasMessage("url: found \"" + url + "\"; expected mqtt://host:port or mqtts://host:port");
  }

  @Test
  void refusesAGatewayIdThatWouldBreakTopics() {
    assertThatThrownBy(() -> Settings.of(config(Map.of("gateway", "a/b")), ETC))
        .hasMessageContaining("gateway: found \"a/b\"");
  }

  @Test
  void fillsInWhatIsLeftOut() throws Exception {
    Settings settings = Settings.of(config(Map.of()), ETC);
    assertThat(settings.clientId()).isEqualTo("cabinet-17");
    assertThat(settings.window()).isEqualTo(64);
    assertThat(settings.keepAlive()).isEqualTo(Duration.ofSeconds(30));
    assertThat(settings.trust()).isNull();
    assertThat(Settings.of(config(Map.of("trust", "ca/city.pem")), ETC).trust())
        .isEqualTo(ETC.resolve("ca/city.pem"));
  }

  @Test
  void neverShowsAPassword() throws Exception {
    assertThat(Settings.of(config(Map.of("password", "hunter2", "trustPassword", "hunter3")), ETC))
        .hasToString("city at mqtt://127.0.0.1:1883");
  }

  /** A configuration as Declarative Services makes it: what is given, else the declared default. */
  private static Config config(Map<String, Object> given) {
    return (Config)
        Proxy.newProxyInstance(
            Config.class.getClassLoader(),
            new Class<?>[] {Config.class},
            (proxy, method, arguments) -> {
              Object value =
                  Map.<String, Object>of(
                          "id", "city", "gateway", "cabinet-17", "url", "mqtt://127.0.0.1:1883")
                      .getOrDefault(method.getName(), method.getDefaultValue());
              return method.getName().equals("annotationType")
                  ? Annotation.class
                  : given.getOrDefault(method.getName(), value);
            });
  }
}
