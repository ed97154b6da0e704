package io.culvert.tests.endtoend;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.LongStream;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/** Listens at a broker as the city's platform would, with nothing of the gateway's code. */
final class Platform implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The last value of a point, as JSON has it, with unit and quality as they came. */
  record Seen(JsonNode value, String unit, String quality) {}

  /** A message on a topic other than the reports. */
  record Message(String topic, JsonNode body) {}

  private final MqttClient client;
  private final Map<String, Seen> latest = new ConcurrentHashMap<>();
  private final Map<String, Integer> reports = new ConcurrentHashMap<>();
  private final Map<String, SortedSet<Instant>> polls = new ConcurrentHashMap<>();
  private final Map<String, Set<String>> qualities = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Message> messages = new ConcurrentLinkedQueue<>();

  Platform(int port) throws MqttException {
    client = new MqttClient("tcp://127.0.0.1:" + port, "platform", new MemoryPersistence());
    client.setCallback(
        new MqttCallback() {
          @Override
          public void connectionLost(Throwable cause) {}

          @Override
          public void messageArrived(String topic, MqttMessage message) {
            take(topic, message.getPayload());
          }

          @Override
          public void deliveryComplete(IMqttDeliveryToken token) {}
        });
    // Moquette drops a client whose SUBSCRIBE comes before it has marked its own CONNACK as sent.
    await("the broker lets the platform in")
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptions()
        .until(
            () -> {
              if (!client.isConnected()) {
                client.connect();
              }
              client.subscribe("$oc/#", 1);
              return true;
            });
  }

  private void take(String topic, byte[] payload) {
    JsonNode body;
    try {
      body = JSON.readTree(payload);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (topic.endsWith("/sub_devices/properties/report")) {
      for (JsonNode device : body.get("devices")) {
        String id = device.get("device_id").asText();
        reports.merge(id, 1, Integer::sum);
        for (JsonNode service : device.get("services")) {
          JsonNode properties = service.get("properties");
          if (properties.path("tick").isNumber()) {
            polls
                .computeIfAbsent(id, key -> new ConcurrentSkipListSet<>())
                .add(Instant.parse(service.get("event_time").asText()));
          }
          properties
              .fields()
              .forEachRemaining(
                  field -> {
                    String quality = properties.path(field.getKey() + "_q").asText("Good");
                    qualities
                        .computeIfAbsent(id, key -> ConcurrentHashMap.newKeySet())
                        .add(quality);
                    latest.put(
                        id + "/" + field.getKey(),
                        new Seen(
                            field.getValue(),
                            properties.path(field.getKey() + "_u").asText(""),
                            quality));
                  });
        }
      }
    } else {
      messages.add(new Message(topic, body));
    }
  }

  Seen latest(String devicePoint) {
    return latest.get(devicePoint);
  }

  /** How many reports of a device have come. */
  int reports(String device) {
    return reports.getOrDefault(device, 0);
  }

  /** Every quality that a device's readings have had. */
  Set<String> qualities(String device) {
    return qualities().getOrDefault(device, Set.of());
  }

  /** Of all devices until now, by device. */
  Map<String, Set<String>> qualities() {
    Map<String, Set<String>> all = new HashMap<>();
    qualities.forEach((device, seen) -> all.put(device, Set.copyOf(seen)));
    return all;
  }

  /** When a device was read: the times of its reports with a value of the point {@code tick}. */
  List<Instant> polls(String device) {
    return List.copyOf(polls.getOrDefault(device, Collections.emptySortedSet()));
  }

  /**
   * How many turns of its grid passed without a report from a device, between its first after a
   * time and its last. A report may come late by three quarters of the interval.
   */
  long missed(String device, Duration interval, Instant from) {
    long step = interval.toMillis();
    long[] at =
        polls(device).stream().filter(from::isBefore).mapToLong(Instant::toEpochMilli).toArray();
    long some = at[at.length / 2];
    long[] offGrid = LongStream.of(at).map(t -> Math.floorMod(t - some + step / 2, step)).toArray();
    Arrays.sort(offGrid);
    long grid = some + offGrid[offGrid.length / 2] - step / 2 - step / 4;
    long turns =
        Math.floorDiv(at[at.length - 1] - grid, step) - Math.floorDiv(at[0] - grid, step) + 1;
    return turns - at.length;
  }

  List<Message> messages(String topicPart) {
    List<Message> found = new ArrayList<>();
    for (Message message : messages) {
      if (message.topic().contains(topicPart)) {
        found.add(message);
      }
    }
    return found;
  }

  void publish(String topic, String body) throws MqttException {
    client.publish(topic, body.getBytes(StandardCharsets.UTF_8), 1, false);
  }

  @Override
  public void close() throws MqttException {
    client.disconnectForcibly(0, 200);
    client.close(true);
  }
}
