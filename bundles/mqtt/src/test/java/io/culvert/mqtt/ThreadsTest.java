package io.culvert.mqtt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.culvert.api.northbound.Receipt;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nothing stays behind when a platform is taken from the site or the bundle is upgraded. */
@Timeout(60)
class ThreadsTest {

  @Test
  void noneIsLeftAfterALinkThatWorked() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      for (int i = 0; i < 5; i++) {
        MqttForwarder forwarder = new Gateway().at(broker.port()).forward();
        await().until(forwarder::ready);
        CompletableFuture<Receipt> sent = forwarder.send(Gateway.batch(1)).toCompletableFuture();

        forwarder.close();

        assertThat(sent).succeedsWithin(Duration.ofSeconds(1));
        assertThat(forwarder.ready()).isFalse();
        assertThat(forwarder.window()).isZero();
        assertNoneLeft();
      }
    }
  }

  @Test
  void noneIsLeftAfterALinkThatWentDownManyTimes() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true");
        Proxy proxy = new Proxy(broker.port())) {
      broker.start();
      try (MqttForwarder forwarder = new Gateway().at(proxy.port()).forward()) {
        for (int i = 0; i < 10; i++) {
          await().until(forwarder::ready);
          proxy.cut();
          await().until(() -> !forwarder.ready());
        }
        await().until(forwarder::ready);
        // Receiver, sender and callbacks of the one link there is.
        await().untilAsserted(() -> assertThat(Threads.ofLinks()).hasSize(3));
      }
      assertNoneLeft();
    }
  }

  @Test
  void noneIsLeftAfterTryingInVain() throws Exception {
    try (LogLines log = new LogLines()) {
      MqttForwarder forwarder = new Gateway().at(Broker.freePort()).forward();
      await().until(() -> !log.lines().isEmpty());
      forwarder.close();
      assertNoneLeft();
    }
  }

  @Test
  void noneIsLeftAfterAPlatformThatTakesTheConnectionAndSaysNothing() throws Exception {
    try (LogLines log = new LogLines();
        ServerSocket mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Gateway gateway = new Gateway().at(mute.getLocalPort()).connectTimeout(Duration.ofSeconds(1));
      MqttForwarder forwarder = gateway.forward();
      await().until(() -> !Threads.ofLinks().isEmpty());
      await().until(() -> log.lines().stream().anyMatch(l -> l.contains("no answer within 1 s")));
      assertThat(forwarder.ready()).isFalse();
      forwarder.close();
      assertNoneLeft();
    }
  }

  /** As a load balancer does that has lost what is behind it. */
  @Test
  void noneIsLeftAfterAPlatformThatHangsUpAtOnce() throws Exception {
    AtomicInteger connections = new AtomicInteger();
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Thread hangUp =
          new Thread(
              () -> {
                while (!server.isClosed()) {
                  try (Socket socket = server.accept()) {
                    connections.incrementAndGet();
                  } catch (IOException e) {
                    // The end.
                  }
                }
              });
      hangUp.start();
      Gateway gateway = new Gateway().at(server.getLocalPort()).maxBackoff(Duration.ofMillis(50));
      MqttForwarder forwarder = gateway.forward();
      await().atMost(Duration.ofSeconds(30)).until(() -> connections.get() >= 10);
      forwarder.close();
      assertNoneLeft();
    }
  }

  @Test
  void noneIsLeftWhenTheEndComesAtAnyMoment() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      for (int millis = 0; millis < 400; millis += 20) {
        MqttForwarder forwarder = new Gateway().at(broker.port()).forward();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
        forwarder.close();
      }
      assertNoneLeft();
    }
  }

  @Test
  void noneIsLeftAfterAPlatformThatStoppedListening() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      MqttForwarder forwarder = new Gateway().at(broker.port()).forward();
      await().until(forwarder::ready);
      broker.freeze();
      CompletableFuture<Receipt> lost = forwarder.send(Gateway.batch(1)).toCompletableFuture();
      forwarder.close();
      assertThat(lost).succeedsWithin(Duration.ofSeconds(1));
      assertNoneLeft();
    }
  }

  private static void assertNoneLeft() {
    await()
        .untilAsserted(
            () -> {
              assertThat(Threads.ours()).isEmpty();
              assertThat(Threads.ofLinks()).isEmpty();
            });
  }
}
