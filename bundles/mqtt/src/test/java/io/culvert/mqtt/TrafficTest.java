package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.northbound.Receipt;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is counted against what a proxy sees pass. */
@Timeout(180)
class TrafficTest {
  @TempDir Path folder;

  @Test
  void countsWhatGoesOverThePlainWire() throws Exception {
    try (Moquette broker = new Moquette(Broker.freePort())) {
      broker.start();
      countsWhatPasses(broker.port(), new Gateway(), "127.0.0.1");
    }
  }

  @Test
  void countsWhatGoesOverTlsWithTheHandshake() throws Exception {
    Certificates certificates = new Certificates(folder);
    try (Mosquitto broker = TlsTest.mosquitto(certificates, "good")) {
      broker.start();
      countsWhatPasses(broker.port(), new Gateway().tls(certificates.authority()), "localhost");
    }
  }

  private static void countsWhatPasses(int port, Gateway gateway, String host) throws Exception {
    try (Proxy proxy = new Proxy(port);
        MqttForwarder forwarder = gateway.at(host, proxy.port()).forward()) {
      await().until(forwarder::ready);
      for (int n = 1; n <= 100; n++) {
        assertThat(forwarder.send(Gateway.batch(n)).toCompletableFuture())
            .succeedsWithin(Duration.ofSeconds(60))
            .isEqualTo(Receipt.confirmed());
      }
      long passed = proxy.bytes();
      // Some packets' worth for each of the hundred messages, and for the connection.
      assertThat(forwarder.sentBytes()).isBetween(passed + 100 * 80, passed + 100 * 120 + 3000);

      // A new link goes on counting.
      long before = forwarder.sentBytes();
      proxy.cut();
      await().until(() -> forwarder.sentBytes() > before + 300 && forwarder.ready());
    }
  }

  @Test
  void addsAPacketForEach1400Bytes() {
    Traffic traffic = new Traffic();
    traffic.written(1400);
    assertThat(traffic.bytes()).isEqualTo(1400 + 104);
    traffic.written(1401);
    assertThat(traffic.bytes()).isEqualTo(1400 + 104 + 1401 + 208);
    traffic.read(-1);
    traffic.read(4);
    assertThat(traffic.bytes()).isEqualTo(1400 + 104 + 1401 + 208 + 4);
  }
}
