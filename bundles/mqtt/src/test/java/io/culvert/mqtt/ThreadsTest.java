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
@Timeout(180)
class ThreadsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** One time of several at least: a machine may stand still for longer now and then. */
  private static final Duration AT_ONCE = Duration.ofSeconds(1);

  @Test
  void noneIsLeftAfterALinkThatWorked() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true")) {
      broker.start();
      Duration least = PATIENCE;
      for (int i = 0; i < 5; i++) {
        MqttForwarder forwarder = new Gateway().at(broker.port()).forward();
        await().until(forwarder::ready);
        CompletableFuture<Receipt> sent = forwarder.send(Gateway.batch(1)).toCompletableFuture();

        forwarder.close();

        Duration took = succeeds(sent);
        least = took.compareTo(least) < 0 ? took : least;
        assertThat(forwarder.ready()).isFalse();
        assertThat(forwarder.window()).isZero();
        assertNoneLeft();
      }
      assertThat(least).isLessThan(AT_ONCE);
    }
  }

  @Test
  void noneIsLeftAfterALinkThatWentDownManyTimes() throws Exception {
    try (Mosquitto broker = new Mosquitto(Broker.freePort(), "allow_anonymous true");
        Proxy proxy = new Proxy(broker.port())) {
      broker.start();
      Gateway gateway = new Gateway().at(proxy.port());
      try (MqttForwarder forwarder = gateway.forward()) {
        await().until(forwarder::ready);
        for (int i = 0; i < 10; i++) {
          int wakes = gateway.wakes.get();
          proxy.cut();
          // It is woken when the link goes down and when it is up again, however soon that is.
          await().until(() -> gateway.wakes.get() >= wakes + 2 && forwarder.ready());
        }
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
      await().until(() -> connections.get() >= 10);
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
      Duration took = PATIENCE;
      for (int round = 0; round < 3 && took.compareTo(AT_ONCE) >= 0; round++) {
        MqttForwarder forwarder = new Gateway().at(broker.port()).forward();
        await().until(forwarder::ready);
        broker.freeze();
        CompletableFuture<Receipt> lost = forwarder.send(Gateway.batch(1)).toCompletableFuture();
        forwarder.close();
        took = succeeds(lost);
        assertNoneLeft();
        broker.thaw();
      }
      assertThat(took).isLessThan(AT_ONCE);
    }
  }

  /** Returns how long it took from now on. */
  private static Duration succeeds(CompletableFuture<?> what) {
    long start = System.nanoTime();
    assertThat(what).succeedsWithin(PATIENCE);
    return Duration.ofNanos(System.nanoTime() - start);
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
