package io.culvert.mqtt;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.eclipse.paho.client.mqttv3.IMqttActionListener;
import org.eclipse.paho.client.mqttv3.IMqttToken;
import org.eclipse.paho.client.mqttv3.MqttPingSender;
import org.eclipse.paho.client.mqttv3.internal.ClientComms;

/**
 * Notices within one and a half keep-alives that the other side is gone, though TCP says nothing.
 *
 * <p>Left alone, the client sends PINGREQ after one silent keep-alive and gives up after another;
 * if it is stuck in a write, after two without looking at the answer. So this one looks every
 * quarter: it pings after three quarters (MQTT 3.1.1, 3.1.2.10 wants one packet within a
 * keep-alive), and when 1.2 keep-alives have passed since the platform's last word the link is
 * down. That is seen at 1.45 at the latest, and an answer has a quarter at least.
 */
final class KeepAlive implements MqttPingSender {

  private final Duration keepAlive;
  private final ScheduledExecutorService executor;
  private final Consumer<Throwable> silent;
  private final Runnable alive;
  private volatile long heard;
  private volatile boolean asked;
  private ClientComms comms;
  private ScheduledFuture<?> ticks;

  /**
   * @param silent called once or more, from the executor
   * @param alive called at each look, from the executor, while the platform gives signs of life
   */
  KeepAlive(
      Duration keepAlive,
      ScheduledExecutorService executor,
      Consumer<Throwable> silent,
      Runnable alive) {
    this.keepAlive = keepAlive;
    this.executor = executor;
    this.silent = silent;
    this.alive = alive;
  }

  /** Something has arrived. */
  void heard() {
    heard = System.nanoTime();
  }

  @Override
  public void init(ClientComms comms) {
    this.comms = comms;
  }

  @Override
  public synchronized void start() {
    heard();
    // What the platform was told stays; this is when the client thinks that a ping is due.
    comms.getClientState().setKeepAliveInterval(keepAlive.toMillis() * 3 / 4);
    long quarter = keepAlive.toMillis() / 4;
    try {
      ticks = executor.scheduleWithFixedDelay(this::tick, quarter, quarter, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // The session has ended meanwhile and cuts the link.
    }
  }

  @Override
  public synchronized void stop() {
    if (ticks != null) {
      ticks.cancel(false);
    }
  }

  /** The client's wish for its next look; ours come anyway. */
  @Override
  public void schedule(long delayMillis) {}

  private void tick() {
    Duration silence = Duration.ofNanos(System.nanoTime() - heard);
    if (silence.multipliedBy(10).compareTo(keepAlive.multipliedBy(12)) >= 0) {
      silent.accept(new Link.SilentException(silence));
      return;
    }
    alive.run();
    if (!asked || silence.multipliedBy(10).compareTo(keepAlive.multipliedBy(7)) < 0) {
      // Otherwise the client would find its own ping unanswered and shut down in this thread, which
      // then waits for the client's.
      ping();
    }
  }

  private void ping() {
    IMqttToken token =
        comms.checkForActivity(
            new IMqttActionListener() {
              @Override
              public void onSuccess(IMqttToken pong) {
                heard();
                asked = false;
              }

              @Override
              public void onFailure(IMqttToken pong, Throwable cause) {
                // The link is going down, which is told elsewhere.
              }
            });
    if (token != null) {
      asked = true;
    }
  }
}
