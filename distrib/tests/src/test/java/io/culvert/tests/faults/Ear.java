package io.culvert.tests.faults;

import io.culvert.simulator.platform.Dialect;
import io.culvert.simulator.platform.Entry;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttAsyncClient;
import org.eclipse.paho.client.mqttv3.MqttCallbackExtended;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * Listens at the broker beside the audit: how much has come, and how late. Keeps its session, and
 * connects again by itself.
 */
final class Ear implements AutoCloseable {
  private final MqttAsyncClient client;
  private final Dialect dialect = new Dialect();
  private final Consumer<List<Entry>> also;
  private final LongSupplier clock;
  private final AtomicLong readings = new AtomicLong();
  private final AtomicLong historical = new AtomicLong();
  private final Map<String, Long> slowest = new ConcurrentHashMap<>();
  private volatile long last;

  Ear(Broker broker) throws MqttException {
    this(broker, message -> {}, System::currentTimeMillis);
  }

  /**
   * @param also told of the entries of each message, by the thread that receives
   * @param clock the gateway's, in epoch milliseconds
   */
  Ear(Broker broker, Consumer<List<Entry>> also, LongSupplier clock) throws MqttException {
    this.also = also;
    this.clock = clock;
    client =
        new MqttAsyncClient(
            "tcp://" + broker.host() + ":" + broker.port(), "ear", new MemoryPersistence());
    client.setCallback(
        new MqttCallbackExtended() {
          @Override
          public void connectComplete(boolean again, String uri) {}

          @Override
          public void connectionLost(Throwable cause) {}

          @Override
          public void messageArrived(String topic, MqttMessage message) throws Exception {
            List<Entry> entries = dialect.read(topic, message.getPayload()).entries();
            entries.forEach(Ear.this::take);
            also.accept(entries);
          }

          @Override
          public void deliveryComplete(IMqttDeliveryToken token) {}
        });
    MqttConnectOptions options = new MqttConnectOptions();
    options.setCleanSession(false);
    options.setAutomaticReconnect(true);
    options.setMaxReconnectDelay(200);
    client.connect(options).waitForCompletion(10_000);
    client.subscribe("$oc/#", 1).waitForCompletion(10_000);
  }

  private void take(Entry entry) {
    int count = entry.items().size();
    readings.addAndGet(count);
    if (entry.historical()) {
      historical.addAndGet(count);
    } else {
      long late = clock.getAsLong() - entry.eventMillis();
      slowest.merge(entry.streamClass(), late, Math::max);
    }
    if (!entry.ofGateway()) {
      last = entry.eventMillis();
    }
  }

  /** Readings so far, duplicates included. */
  long readings() {
    return readings.get();
  }

  /** Of these, not marked as historical. */
  long live() {
    return readings.get() - historical.get();
  }

  /**
   * The longest way of a live reading of a class since the last call, in milliseconds; −1: none.
   */
  long slowest(String streamClass) {
    Long late = slowest.remove(streamClass);
    return late == null ? -1 : late;
  }

  /** Time of the event of a device that came last, in epoch milliseconds; 0 if none has. */
  long last() {
    return last;
  }

  @Override
  public void close() throws MqttException {
    client.disconnectForcibly(0, 200);
    client.close(true);
  }
}
