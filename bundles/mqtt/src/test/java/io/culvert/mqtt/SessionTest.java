package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.northbound.Receipt;
import io.culvert.api.northbound.Receipt.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(180)
class SessionTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Sooner than silence alone would tell, with a keep-alive of 30 s. */
  private static final Duration AT_ONCE = Duration.ofSeconds(20);

  @ParameterizedTest
  @EnumSource
  void confirmsWhatThePlatformHas(Broker.Kind kind) throws Exception {
    try (Broker broker = kind.on(Broker.freePort())) {
      broker.start();
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = new Gateway().at(broker.port()).forward()) {
        await().until(forwarder::ready);

        List<CompletableFuture<Receipt>> receipts = new ArrayList<>();
        for (long n = 1; n <= 1000; n++) {
          await().pollInterval(Duration.ofMillis(1)).until(() -> forwarder.window() > 0);
          receipts.add(forwarder.send(Gateway.batch(n)).toCompletableFuture());
        }

        for (CompletableFuture<Receipt> receipt : receipts) {
          assertThat(receipt.get(60, TimeUnit.SECONDS)).isEqualTo(Receipt.confirmed());
        }
        await().until(() -> consumer.heard("properties/report").size() == 1000);
        assertThat(Gateway.numbers(consumer))
            .containsExactlyElementsOf(LongStream.rangeClosed(1, 1000).boxed().toList());
        assertThat(forwarder.window()).isEqualTo(64);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void comesBackWhenTheBrokerDoesAndLosesNothingMeanwhile(Broker.Kind kind) throws Exception {
    try (Broker broker = kind.on(Broker.freePort())) {
      Gateway gateway = new Gateway().at(broker.port());
      try (MqttForwarder forwarder = gateway.forward()) {
        assertThat(forwarder.ready()).isFalse();
        assertThat(forwarder.window()).isZero();
        assertThat(forwarder.send(Gateway.batch(1)).toCompletableFuture())
            .isCompletedWithValue(Receipt.retry());

        broker.start();
        await().until(forwarder::ready);
        assertThat(forwarder.send(Gateway.batch(1)).toCompletableFuture())
            .succeedsWithin(PATIENCE)
            .isEqualTo(Receipt.confirmed());

        int wakes = gateway.wakes.get();
        broker.stop();
        await().until(() -> !forwarder.ready());
        await().until(() -> gateway.wakes.get() > wakes);
        assertThat(forwarder.send(Gateway.batch(2)).toCompletableFuture())
            .isCompletedWithValue(Receipt.retry());

        broker.start();
        try (Consumer consumer = new Consumer(broker.port())) {
          await().until(forwarder::ready);
          assertThat(forwarder.send(Gateway.batch(2)).toCompletableFuture())
              .succeedsWithin(PATIENCE)
              .isEqualTo(Receipt.confirmed());
          await().until(() -> Gateway.numbers(consumer).equals(List.of(2L)));
        }
      }
    }
  }

  @Test
  void keepsToItsWindowAndFreesItWithEachAcknowledgement() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true");
        Proxy proxy = new Proxy(broker.port())) {
      broker.start();
      Gateway gateway = new Gateway().at(proxy.port()).window(3);
      try (MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        assertThat(forwarder.window()).isEqualTo(3);
        proxy.holdAnswers();

        List<CompletableFuture<Receipt>> receipts = new ArrayList<>();
        for (long n = 1; n <= 3; n++) {
          receipts.add(forwarder.send(Gateway.batch(n)).toCompletableFuture());
          assertThat(forwarder.window()).isEqualTo(3 - (int) n);
        }
        assertThat(forwarder.send(Gateway.batch(4)).toCompletableFuture())
            .isCompletedWithValue(Receipt.retry());
        assertThat(receipts).noneMatch(CompletableFuture::isDone);

        int wakes = gateway.wakes.get();
        proxy.releaseAnswers();
        for (CompletableFuture<Receipt> receipt : receipts) {
          assertThat(receipt).succeedsWithin(PATIENCE).isEqualTo(Receipt.confirmed());
        }
        assertThat(forwarder.window()).isEqualTo(3);
        assertThat(gateway.wakes.get()).isGreaterThan(wakes);
      }
    }
  }

  @Test
  void asksForWhatWasNotAcknowledgedAgainAtOnceWhenTheLinkBreaks() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true");
        Proxy proxy = new Proxy(broker.port())) {
      broker.start();
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = new Gateway().at(proxy.port()).forward()) {
        await().until(forwarder::ready);
        proxy.holdAnswers();
        CompletableFuture<Receipt> lost = forwarder.send(Gateway.batch(1)).toCompletableFuture();
        await().until(() -> Gateway.numbers(consumer).equals(List.of(1L)));

        proxy.cut();

        assertThat(lost).succeedsWithin(AT_ONCE);
        assertThat(lost.join().of(0)).isEqualTo(new Outcome.Retry());
        await().until(forwarder::ready);
        assertThat(forwarder.window()).isEqualTo(64);
        assertThat(forwarder.send(Gateway.batch(1)).toCompletableFuture())
            .succeedsWithin(PATIENCE)
            .isEqualTo(Receipt.confirmed());
        await().until(() -> Gateway.numbers(consumer).equals(List.of(1L, 1L)));
      }
    }
  }

  @Test
  void losesNothingWhileTheLinkBreaksAgainAndAgain() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true");
        Proxy proxy = new Proxy(broker.port())) {
      broker.start();
      try (Consumer consumer = new Consumer(broker.port());
          MqttForwarder forwarder = new Gateway().at(proxy.port()).forward()) {
        TreeSet<Long> open = new TreeSet<>(LongStream.rangeClosed(1, 2000).boxed().toList());
        int cuts = 0;
        while (!open.isEmpty()) {
          await().pollInterval(Duration.ofMillis(1)).until(() -> forwarder.window() > 0);
          List<Long> sent = new ArrayList<>();
          List<CompletableFuture<Receipt>> receipts = new ArrayList<>();
          for (long n : open.stream().limit(forwarder.window()).toList()) {
            sent.add(n);
            receipts.add(forwarder.send(Gateway.batch(n)).toCompletableFuture());
          }
          if (open.first() > 200 * (cuts + 1)) {
            cuts++;
            proxy.cut();
          }
          for (int i = 0; i < sent.size(); i++) {
            if (receipts.get(i).get(60, TimeUnit.SECONDS).of(0) instanceof Outcome.Confirmed) {
              open.remove(sent.get(i));
            }
          }
        }
        assertThat(cuts).isGreaterThan(5);
        await().until(() -> new TreeSet<>(Gateway.numbers(consumer)).size() == 2000);
      }
    }
  }
}
