package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Receipt;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.LedgerEntry.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The platform asks what became of a device's readings. */
@Timeout(180)
class QuestionTest {
  private static final Instant T0 = Instant.parse("2026-11-29T08:00:00Z");

  /** A buffer that knows accounts and nothing else. */
  private abstract static class Accountant implements Buffer {
    @Override
    public CompletionStage<Void> accept(List<Reading> readings) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<Void> gap(LedgerEntry entry) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<LedgerEntry> ledger(Instant from, Instant to, int limit) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Holdings holdings() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Verification verify() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Status status() {
      throw new UnsupportedOperationException();
    }
  }

  private static Buffer.Account account(int gaps) {
    List<LedgerEntry> entries = new ArrayList<>();
    for (int i = 0; i < gaps; i++) {
      entries.add(
          new LedgerEntry(
              "uw-001",
              "telemetry",
              T0.plusSeconds(i),
              T0.plusSeconds(i),
              2,
              true,
              Reason.NEVER_READ,
              "no answer ".repeat(100)));
    }
    return new Buffer.Account(
        Map.of(StreamClass.TELEMETRY, 1000L, StreamClass.ALARM, 3L),
        List.of(
            new Buffer.Delivered("city", StreamClass.TELEMETRY, 990, 10),
            new Buffer.Delivered("city", StreamClass.ALARM, 3, 0),
            new Buffer.Delivered("county", StreamClass.TELEMETRY, 1, 999)),
        entries,
        Map.of(Reason.NEVER_READ, 2L * gaps),
        true);
  }

  private static void ask(Consumer consumer, String id, String paras) throws Exception {
    consumer.publish(
        Gateway.SYS + "commands/request_id=" + id,
        "{\"command_name\":\"ledger\",\"paras\":" + paras + "}");
  }

  private static final String PARAS =
      "{\"device\":\"uw-001\",\"from\":\"2026-11-29T08:00:00Z\","
          + "\"to\":\"2026-11-29T17:00:00+08:00\"}";

  private static Consumer.Heard answer(Consumer consumer, String id) {
    String topic = "commands/response/request_id=" + id;
    await().until(() -> !consumer.heard(topic).isEmpty());
    return consumer.heard(topic).get(0);
  }

  @ParameterizedTest
  @EnumSource
  void itIsToldWhatItHasAndWhatItWaitsForAndWhy(Broker.Kind kind) throws Exception {
    try (Broker broker = kind.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      List<String> asked = new ArrayList<>();
      gateway.buffer =
          new Accountant() {
            @Override
            public Account account(String device, Instant from, Instant to) {
              asked.add(device + " " + from + " " + to);
              return QuestionTest.account(1);
            }
          };
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        ask(consumer, "q-1", PARAS);

        Object json = answer(consumer, "q-1").json();

        assertThat(asked).containsExactly("uw-001 2026-11-29T08:00:00Z 2026-11-29T09:00:00Z");
        assertThat(Json.at(json, "result_code")).isEqualTo(0L);
        assertThat(Json.at(json, "response_name")).isEqualTo("ledger");
        assertThat(Json.at(json, "paras", "accepted"))
            .isEqualTo(Map.of("telemetry", 1000L, "alarm", 3L));
        assertThat(Json.at(json, "paras", "settled"))
            .isEqualTo(Map.of("telemetry", 990L, "alarm", 3L));
        assertThat(Json.at(json, "paras", "unconfirmed"))
            .isEqualTo(Map.of("telemetry", 10L, "alarm", 0L));
        assertThat(Json.at(json, "paras", "counts")).isEqualTo(Map.of("never_read", 2L));
        assertThat(Json.at(json, "paras", "entries", 0, "reason")).isEqualTo("never_read");
        assertThat(Json.at(json, "paras", "complete")).isEqualTo(true);
        assertThat(gateway.commands).isEmpty();
      }
    }
  }

  @Test
  void theAnswerIsBoundedHoweverManyGapsThereAre() throws Exception {
    try (Broker broker = Broker.Kind.MOQUETTE.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      gateway.buffer =
          new Accountant() {
            @Override
            public Account account(String device, Instant from, Instant to) {
              return QuestionTest.account(5000);
            }
          };
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        ask(consumer, "q-1", PARAS);

        Consumer.Heard heard = answer(consumer, "q-1");

        assertThat((List<?>) Json.at(heard.json(), "paras", "entries")).hasSize(20);
        assertThat(Json.at(heard.json(), "paras", "entries_total")).isEqualTo(5000L);
        assertThat(Json.at(heard.json(), "paras", "counts"))
            .isEqualTo(Map.of("never_read", 10_000L));
        assertThat(heard.json().toString().length()).isLessThan(16_000);
      }
    }
  }

  @Test
  void whileTheDiskIsReadReadingsAndCommandsGoOn() throws Exception {
    try (Broker broker = Broker.Kind.MOQUETTE.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      CountDownLatch slowDisk = new CountDownLatch(1);
      gateway.buffer =
          new Accountant() {
            @Override
            public Account account(String device, Instant from, Instant to) {
              try {
                slowDisk.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return QuestionTest.account(0);
            }
          };
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        for (int i = 0; i < 7; i++) {
          ask(consumer, "q-" + i, PARAS);
        }
        // One is asked, four wait, and no more.
        Object refused = answer(consumer, "q-6").json();
        assertThat(Json.at(refused, "result_code")).isEqualTo(1L);
        assertThat(Json.at(refused, "paras", "message").toString()).contains("ask again");

        CompletableFuture<Receipt> sent = forwarder.send(Gateway.batch(1)).toCompletableFuture();
        assertThat(sent.get(20, TimeUnit.SECONDS)).isEqualTo(Receipt.confirmed());
        assertThat(consumer.heard("commands/response/request_id=q-0")).isEmpty();
        slowDisk.countDown();
        assertThat(Json.at(answer(consumer, "q-4").json(), "result_code")).isEqualTo(0L);
      } finally {
        slowDisk.countDown();
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | from is missing",
        "{\"from\":\"2026-11-29T08:00:00Z\",\"to\":\"2026-11-29T09:00:00Z\"} | device is missing",
        "{\"device\":\"a\",\"from\":\"today\",\"to\":\"2026-11-29T09:00:00Z\"}"
            + "| from is \"today\"; a time such as 2026-11-29T08:00:00Z is expected",
        "{\"device\":\"a\",\"from\":\"2026-11-29T09:00:00Z\",\"to\":\"2026-11-29T09:00:00Z\"}"
            + "| from must be before to",
        "7 | paras is missing",
        "{\"device\":\"a\",\"from\":\"2026-11-29T08:00:00Z\",\"to\":\"2026-11-29T09:00:00Z\"}"
            + "| the disk answers with errors"
      })
  void whatCanNotBeAnsweredIsToldInWords(String paras, String expected) throws Exception {
    try (Broker broker = Broker.Kind.MOQUETTE.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      gateway.buffer =
          new Accountant() {
            @Override
            public Account account(String device, Instant from, Instant to) {
              throw new IllegalStateException("the disk answers with errors");
            }
          };
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        ask(consumer, "q-1", paras);
        Object json = answer(consumer, "q-1").json();
        assertThat(Json.at(json, "result_code")).isEqualTo(1L);
        assertThat(Json.at(json, "paras", "message").toString()).contains(expected);
      }
    }
  }

  @Test
  void withoutABufferItIsTold() throws Exception {
    try (Broker broker = Broker.Kind.MOQUETTE.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        ask(consumer, "q-1", PARAS);
        assertThat(Json.at(answer(consumer, "q-1").json(), "paras", "message").toString())
            .contains("buffer doesn't run");
      }
      await().atMost(Duration.ofSeconds(20)).until(Threads::ours, List::isEmpty);
    }
  }

  @Test
  void aDeviceOfItsOwnMayHaveAPointOfThatName() throws Exception {
    try (Broker broker = Broker.Kind.MOQUETTE.on(Broker.freePort())) {
      broker.start();
      Gateway gateway = new Gateway().at(broker.port());
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        consumer.publish(
            Gateway.SYS + "commands/request_id=c-1",
            "{\"object_device_id\":\"till\",\"command_name\":\"ledger\",\"paras\":{\"value\":1}}");
        answer(consumer, "c-1");
        assertThat(gateway.commands).hasSize(1);
      }
    }
  }
}
