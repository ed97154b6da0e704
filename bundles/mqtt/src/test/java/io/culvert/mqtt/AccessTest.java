package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who may connect, and what a person reads when somebody may not. */
@Timeout(180)
class AccessTest {
  @TempDir Path folder;

  @Test
  void entersWithThePasswordOfTheSecret() throws Exception {
    try (Mosquitto broker = guarded("right")) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port()).as("cabinet-17", "secret:city");
      gateway.secrets.put("city", "right");
      try (MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
      }
    }
  }

  @Test
  void saysOnceThatThePlatformRefusesThePassword() throws Exception {
    try (LogLines log = new LogLines();
        Mosquitto broker = guarded("right")) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port()).as("cabinet-17", "secret:city");
      gateway.secrets.put("city", "hunter2");
      try (MqttForwarder forwarder = gateway.forward()) {
        await().until(() -> !log.lines().isEmpty());
        // Many attempts in that time.
        await().during(Duration.ofSeconds(2)).until(() -> !forwarder.ready());
        assertThat(log.lines()).hasSize(1);
        assertThat(log.lines().get(0))
            .startsWith(
                "WARN city: cannot reach mqtt://127.0.0.1:"
                    + broker.port()
                    + ": the platform refuses user cabinet-17 with this password; check user,"
                    + " password and clientId of platform city in etc/site.json; next try ")
            .doesNotContain("hunter2");

        gateway.secrets.put("city", "right");
        await().until(forwarder::ready);
      }
    }
  }

  @Test
  void saysThatThePlatformWantsAUser() throws Exception {
    try (LogLines log = new LogLines();
        Mosquitto broker = guarded("right")) {
      broker.start();
      try (MqttForwarder forwarder = new Gateway().at(broker.port()).forward()) {
        await().until(() -> !log.lines().isEmpty());
        assertThat(log.lines().get(0)).contains("lets nobody in without user and password");
        assertThat(forwarder.ready()).isFalse();
      }
    }
  }

  @Test
  void saysWhereAMissingSecretBelongs() {
    assertThat(firstLine(new Gateway().at(1).as("cabinet-17", "secret:city")))
        .contains("there is no secret city; put it into the file etc/secrets/city");
  }

  @Test
  void saysWhenNobodyListens() throws Exception {
    int port = Broker.freePort();
    assertThat(firstLine(new Gateway().at(port)))
        .startsWith(
            "WARN city: cannot reach mqtt://127.0.0.1:" + port + ": connection refused; next try ");
  }

  @Test
  void saysWhenAHostIsUnknown() {
    assertThat(firstLine(new Gateway().at("nowhere.invalid", 1883)))
        .contains("unknown host nowhere.invalid; check the name in url");
  }

  @Test
  void saysWhenThePlatformKeepsItsCommandsToItself() throws Exception {
    try (LogLines log = new LogLines();
        Moquette broker = new Moquette(Broker.freePort(), false)) {
      broker.start();
      try (MqttForwarder forwarder = new Gateway().at(broker.port()).forward()) {
        await().until(forwarder::ready);
        await()
            .until(
                () ->
                    log.lines().stream()
                            .filter(l -> l.contains("doesn't let us subscribe to $oc/devices/"))
                            .count()
                        == 2);
      }
    }
  }

  private static String firstLine(Gateway gateway) {
    try (LogLines log = new LogLines();
        MqttForwarder forwarder = gateway.forward()) {
      await().until(() -> !log.lines().isEmpty());
      assertThat(forwarder.ready()).isFalse();
      return log.lines().get(0);
    }
  }

  /** A broker that lets in cabinet-17 only. */
  private Mosquitto guarded(String password) throws Exception {
    Path file = folder.resolve("passwords");
    int result =
        new ProcessBuilder("mosquitto_passwd", "-b", "-c", file.toString(), "cabinet-17", password)
            .redirectErrorStream(true)
            .start()
            .waitFor();
    assertThat(result).isZero();
    return new Mosquitto(Broker.freePort(), "allow_anonymous false", "password_file " + file);
  }
}
