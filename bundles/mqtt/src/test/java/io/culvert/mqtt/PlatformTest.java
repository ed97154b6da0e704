package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Quality;
import io.culvert.api.Value;
import io.culvert.api.service.Commands.Command;
import io.culvert.api.service.Commands.Result;
import io.culvert.api.service.Monitor.State;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes between gateway and platform beside readings. */
@Timeout(180)
class PlatformTest {

  @ParameterizedTest
  @EnumSource
  void tellsEveryStateAtConnectAndThenEachChange(Broker.Kind kind) throws Exception {
    try (Broker broker = kind.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      gateway.state("uw-001", State.ONLINE);
      gateway.state("uw-002", State.WAITING);
      gateway.state(Gateway.ID, State.ONLINE);
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(() -> states(consumer).size() == 2);
        assertThat(states(consumer))
            .containsExactlyInAnyOrderEntriesOf(Map.of("uw-001", "ONLINE", "uw-002", "OFFLINE"));
        int before = consumer.heard("events/up").size();

        gateway.state("uw-002", State.OFFLINE); // the same to the platform
        gateway.state("uw-003", State.ONLINE);
        gateway.state("uw-001", State.REMOVED);

        await()
            .until(
                () ->
                    states(consumer)
                        .equals(
                            Map.of("uw-001", "OFFLINE", "uw-002", "OFFLINE", "uw-003", "ONLINE")));
        assertThat(consumer.heard("events/up").stream().skip(before))
            .noneMatch(h -> h.json().toString().contains("uw-002"));
        assertThat(forwarder.ready()).isTrue();
      }
    }
  }

  @Test
  void tellsStatesAgainAfterALostLinkAndForgetsTheRemoved() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true");
        Proxy proxy = new Proxy(broker.port())) {
      broker.start();
      Gateway gateway = new Gateway().at(proxy.port());
      gateway.state("a", State.ONLINE);
      gateway.state("b", State.ONLINE);
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(() -> states(consumer).equals(Map.of("a", "ONLINE", "b", "ONLINE")));
        gateway.state("b", State.REMOVED);
        await().until(() -> states(consumer).equals(Map.of("a", "ONLINE", "b", "OFFLINE")));

        int before = consumer.heard("events/up").size();
        proxy.cut();
        await().until(() -> consumer.heard("events/up").size() > before);
        await().until(forwarder::ready);

        assertThat(states(consumer.heard("events/up").subList(before, before + 1)))
            .isEqualTo(Map.of("a", "ONLINE"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void carriesOutACommandAndAnswers(Broker.Kind kind) throws Exception {
    try (Broker broker = kind.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);

        consumer.publish(
            Gateway.SYS + "commands/request_id=c-1",
            "{\"object_device_id\":\"pump-1\",\"command_name\":\"speed\",\"paras\":{\"value\":2.5}}");

        await().until(() -> !consumer.heard("commands/response/request_id=c-1").isEmpty());
        assertThat(gateway.commands)
            .containsExactly(new Command("c-1", "pump-1", "speed", Value.of(2.5), "platform:city"));
        assertThat(consumer.heard("response/request_id=c-1").get(0).json())
            .isEqualTo(
                Map.of("result_code", 0L, "response_name", "speed", "paras", Map.of("value", 2.5)));
      }
    }
  }

  @Test
  void setsPropertiesAndSaysWhichFailed() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      gateway.device =
          c ->
              c.point().equals("run")
                  ? CompletableFuture.completedFuture(
                      new Result(c.id(), true, Quality.GOOD, c.value(), ""))
                  : CompletableFuture.failedFuture(new IllegalStateException("out of order"));
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);

        consumer.publish(
            Gateway.SYS + "properties/set/request_id=p-1",
            "{\"object_device_id\":\"pump-1\",\"services\":[{\"service_id\":\"state\","
                + "\"properties\":{\"run\":true,\"speed\":1}}]}");

        await().until(() -> !consumer.heard("set/response/request_id=p-1").isEmpty());
        Object answer = consumer.heard("set/response/request_id=p-1").get(0).json();
        assertThat(Json.at(answer, "result_code")).isEqualTo(1L);
        assertThat((String) Json.at(answer, "result_desc"))
            .contains("run = true", "speed: Bad", "out of order");
      }
    }
  }

  @Test
  void executesARepeatedRequestOnceAndAnswersItAlike() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      CompletableFuture<Result> device = new CompletableFuture<>();
      gateway.device = c -> device;
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        String topic = Gateway.SYS + "commands/request_id=7";
        String payload =
            "{\"object_device_id\":\"p\",\"command_name\":\"run\",\"paras\":{\"value\":true}}";

        consumer.publish(topic, payload);
        consumer.publish(topic, payload);
        await().until(() -> !gateway.commands.isEmpty());
        device.complete(new Result("7", true, Quality.GOOD, Value.of(true), ""));
        await().until(() -> consumer.heard("response/request_id=7").size() == 1);
        consumer.publish(topic, payload);
        await().until(() -> consumer.heard("response/request_id=7").size() == 2);

        assertThat(gateway.commands).hasSize(1);
        List<Consumer.Heard> answers = consumer.heard("response/request_id=7");
        assertThat(answers.get(1).payload()).isEqualTo(answers.get(0).payload());
      }
    }
  }

  @Test
  void survivesWhatItCannotUnderstandAndGoesOn() throws Exception {
    try (LogLines log = new LogLines();
        Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      gateway.device =
          c -> {
            throw new IllegalStateException("broken");
          };
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);

        consumer.publish(Gateway.SYS + "commands/request_id=1", "{" + "x".repeat(10_000) + "\n");
        consumer.publish(Gateway.SYS + "commands/x", "?");
        consumer.publish(
            Gateway.SYS + "commands/request_id=2",
            "{\"command_name\":\"run\",\"paras\":{\"value\":true}}");

        await().until(() -> consumer.heard("response/request_id=2").size() == 1);
        assertThat(Json.at(consumer.heard("response/request_id=1").get(0).json(), "result_code"))
            .isEqualTo(1L);
        assertThat(Json.at(consumer.heard("response/request_id=2").get(0).json(), "result_code"))
            .isEqualTo(1L);
        assertThat(log.lines())
            .anyMatch(l -> l.contains("request 1 can't be understood"))
            .allMatch(l -> l.length() < 600 && l.indexOf('\n') < 0);
        assertThat(forwarder.ready()).isTrue();
        assertThat(Threads.ours()).hasSize(1);
      }
    }
  }

  @Test
  void tellsThePlatformWhenTooMuchIsAskedForAtOnce() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      gateway.device = c -> new CompletableFuture<>();
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        for (int i = 0; i <= 200; i++) {
          consumer.publish(
              Gateway.SYS + "commands/request_id=" + i,
              "{\"command_name\":\"run\",\"paras\":{\"value\":true}}");
        }
        await().until(() -> !consumer.heard("response/request_id=200").isEmpty());
        assertThat(consumer.heard("response/request_id=200").get(0).json().toString())
            .contains("busy");
        assertThat(gateway.commands).hasSize(200);
      }
    }
  }

  /** The platform's picture of the devices. */
  private static Map<String, String> states(Consumer consumer) {
    return states(consumer.heard("events/up"));
  }

  private static Map<String, String> states(List<Consumer.Heard> heard) {
    Map<String, String> states = new LinkedHashMap<>();
    for (Consumer.Heard h : heard) {
      for (Object device : (List<?>) Json.at(h.json(), "services", 0, "paras", "device_statuses")) {
        states.put((String) Json.at(device, "device_id"), (String) Json.at(device, "status"));
      }
    }
    return states;
  }
}
