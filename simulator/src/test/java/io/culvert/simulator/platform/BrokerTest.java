package io.culvert.simulator.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import io.culvert.simulator.FreePort;
import io.culvert.simulator.street.StreetException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a broker acknowledged reaches the consumer, in order, also across a stop. */
class BrokerTest {
  private static final String TOPIC = "$oc/devices/gw/sys/properties/report";
  private static final int MANY = 2_000;

  @TempDir Path work;
  private final List<String> received = Collections.synchronizedList(new ArrayList<>());

  @ParameterizedTest
  @ValueSource(strings = {"embedded", "mosquitto"})
  void everythingAcknowledgedArrivesInOrder(String kind) throws Exception {
    try (Broker broker = broker(kind, FreePort.find())) {
      broker.start();
      publish(broker.port(), 0, MANY);
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(received).hasSize(MANY));
      assertThat(received).isEqualTo(expected(0, MANY));

      broker.stop();
      assertThatThrownBy(() -> publish(broker.port(), 0, 1)).isInstanceOf(MqttException.class);
      broker.start();
      publish(broker.port(), MANY, MANY + 100);
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(arrived()).isEqualTo(expected(0, MANY + 100)));
    }
  }

  @Test
  void whatTheBrokerTookWhileASubscriberWasAwayComesWhenItIsBack() throws Exception {
    AtomicInteger lost = new AtomicInteger();
    int port = FreePort.find();
    try (Broker broker = new MosquittoBroker(port, work, (topic, payload) -> {})) {
      broker.start();
      try (Subscriber before = subscriber(port, lost)) {
        assertThat(before.connect()).isTrue();
      }
      publish(port, 0, 100);
      try (Subscriber after = subscriber(port, lost)) {
        assertThat(after.connect()).isTrue();
        await()
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(() -> assertThat(received).isEqualTo(expected(0, 100)));
        lost.set(0);
        broker.stop();
        await().atMost(Duration.ofSeconds(20)).untilAtomic(lost, equalTo(1));
        assertThat(after.connected()).isFalse();
        assertThat(after.connect()).isFalse();
      }
    }
  }

  @Test
  void aBrokerThatSomebodyElseRunsMayGoAndComeBack() throws Exception {
    int port = FreePort.find();
    try (Broker others = new MosquittoBroker(port, work, (topic, payload) -> {});
        Broker broker =
            new RunningBroker(
                "127.0.0.1",
                port,
                (topic, payload) -> received.add(new String(payload, StandardCharsets.UTF_8)))) {
      others.start();
      broker.start();
      publish(port, 0, 100);
      others.stop();
      others.start();
      publish(port, 100, 200);
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(arrived()).isEqualTo(expected(0, 200)));
    }
  }

  /**
   * What arrived, each once: a broker that stops before it has seen the acknowledgement sends it
   * again (MQTT 3.1.1, clause 4.3.2).
   */
  private List<String> arrived() {
    return List.copyOf(received).stream().distinct().toList();
  }

  private Subscriber subscriber(int port, AtomicInteger lost) {
    return new Subscriber(
        "127.0.0.1",
        port,
        "away",
        "$oc/#",
        (topic, payload) -> received.add(new String(payload, StandardCharsets.UTF_8)),
        lost::incrementAndGet);
  }

  @Test
  void takenPortIsNamedWithWhatNeedsIt() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Broker broker = broker("embedded", taken.getLocalPort())) {
      assertThatThrownBy(broker::start)
          .isInstanceOf(StreetException.class)
          .hasMessageContaining("Port " + taken.getLocalPort() + " is taken")
          .hasMessageContaining("--mqtt-port");
    }
  }

  private Broker broker(String kind, int port) {
    Broker.Consumer consumer =
        (topic, payload) -> {
          assertThat(topic).isEqualTo(TOPIC);
          received.add(new String(payload, StandardCharsets.UTF_8));
        };
    return kind.equals("embedded")
        ? new EmbeddedBroker(port, consumer)
        : new MosquittoBroker(port, work, consumer);
  }

  private static void publish(int port, int from, int to) throws MqttException {
    try (MqttClient client =
        new MqttClient("tcp://127.0.0.1:" + port, "gw", new MemoryPersistence())) {
      MqttConnectOptions options = new MqttConnectOptions();
      // Paho counts a message as under way a little longer than its publish waits.
      options.setMaxInflight(1_000);
      client.connect(options);
      for (int i = from; i < to; i++) {
        client.publish(TOPIC, Integer.toString(i).getBytes(StandardCharsets.UTF_8), 1, false);
      }
      client.disconnect();
    }
  }

  private static List<String> expected(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toList();
  }
}
