package io.culvert.mqtt;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** The platform's side: hears everything below {@code $oc} and can ask for things. */
final class Consumer implements AutoCloseable {
  private final MqttClient client;
  private final Queue<Heard> heard = new ConcurrentLinkedQueue<>();

  record Heard(String topic, byte[] payload) {
    Object json() {
      return Json.parse(payload);
    }
  }

  Consumer(int port) throws MqttException {
    client = new MqttClient("tcp://127.0.0.1:" + port, "platform", new MemoryPersistence());
    MqttConnectOptions options = new MqttConnectOptions();
    options.setMaxInflight(1000);
    // Moquette drops a client whose SUBSCRIBE comes before it has marked its own CONNACK as sent.
    await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptions()
        .until(
            () -> {
              if (!client.isConnected()) {
                client.connect(options);
              }
              client.subscribe(
                  "$oc/#",
                  1,
                  (topic, message) -> heard.add(new Heard(topic, message.getPayload())));
              return true;
            });
  }

  List<Heard> heard() {
    return List.copyOf(heard);
  }

  /** What came on topics that end so. */
  List<Heard> heard(String end) {
    return heard.stream().filter(h -> h.topic().endsWith(end)).toList();
  }

  void publish(String topic, String payload) throws MqttException {
    client.publish(topic, payload.getBytes(java.nio.charset.StandardCharsets.UTF_8), 1, false);
  }

  @Override
  public void close() throws MqttException {
    try {
      client.disconnectForcibly(0, 100);
    } catch (MqttException e) {
      // The broker has gone first.
    }
    client.close(true);
  }
}
