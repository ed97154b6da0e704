package io.culvert.benchmarks.milo;

import static org.eclipse.milo.opcua.stack.core.types.builtin.unsigned.Unsigned.uint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.eclipse.milo.opcua.sdk.client.OpcUaClient;
import org.eclipse.milo.opcua.sdk.client.subscriptions.OpcUaMonitoredItem;
import org.eclipse.milo.opcua.sdk.client.subscriptions.OpcUaSubscription;
import org.eclipse.milo.opcua.stack.core.types.builtin.DataValue;
import org.eclipse.milo.opcua.stack.core.types.builtin.NodeId;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;

/**
 * Subscribes by Milo and publishes by Paho, with nothing in between: what comes while the broker is
 * away is lost, and nobody is told. It is written to be fast: one subscription and one listener for
 * all items, JSON without a tree, publications without waiting.
 */
public final class BareClient {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final String TOPIC =
      "$oc/devices/bare-loop/sys/gateway/sub_devices/properties/report";
  private static final int QOS = 1;
  private static final int MOST = 100;
  private static final double PUBLISHING_MILLIS = 500;

  private final JsonFactory json = new JsonFactory();
  private final LongAdder failures = new LongAdder();
  private final long[] sequences;
  private final MqttAsyncClient mqtt;

  /** Where a monitored item's values belong. */
  private record Place(int device, String point, String unitName) {}

  private BareClient(int devices, MqttAsyncClient mqtt) {
    this.sequences = new long[devices + 1];
    Arrays.fill(sequences, 1);
    this.mqtt = mqtt;
  }

  /** What one message tells together: values of a device and a time. */
  private record Moment(int device, long time) {}

  /** One notification: a message for all values of the same device and time, 100 at most. */
  private void publish(List<OpcUaMonitoredItem> items, List<DataValue> values) {
    Map<Moment, List<Integer>> moments = new LinkedHashMap<>();
    Moment moment = null;
    List<Integer> members = null;
    for (int i = 0; i < items.size(); i++) {
      int device = place(items.get(i)).device;
      long time = values.get(i).getSourceTime().getJavaTime();
      if (moment == null || moment.device != device || moment.time != time) {
        moment = new Moment(device, time);
        members = moments.computeIfAbsent(moment, m -> new ArrayList<>());
      }
      members.add(i);
    }
    moments.forEach(
        (of, all) -> {
          for (int from = 0; from < all.size(); from += MOST) {
            try {
              publish(of, all.subList(from, Math.min(all.size(), from + MOST)), items, values);
            } catch (IOException | MqttException | RuntimeException e) {
              failures.increment();
              if (failures.sum() <= 20) {
                System.err.println(e);
              }
            }
          }
        });
  }

  private static Place place(OpcUaMonitoredItem item) {
    return (Place) item.getUserObject().orElseThrow();
  }

  private void publish(
      Moment of, List<Integer> members, List<OpcUaMonitoredItem> items, List<DataValue> values)
      throws IOException, MqttException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);
    try (JsonGenerator out = json.createGenerator(bytes)) {
      out.writeStartObject();
      out.writeArrayFieldStart("devices");
      out.writeStartObject();
      out.writeStringField("device_id", LoadServer.device(of.device));
      out.writeArrayFieldStart("services");
      out.writeStartObject();
      out.writeStringField("service_id", "telemetry");
      out.writeStringField("event_time", TIME.format(Instant.ofEpochMilli(of.time)));
      out.writeObjectFieldStart("properties");
      for (int i : members) {
        Place place = place(items.get(i));
        out.writeNumberField(place.point, (Double) values.get(i).getValue().getValue());
        out.writeStringField(place.unitName, "mV");
      }
      out.writeNumberField("seq_first", sequences[of.device]);
      out.writeNumberField("seq_count", members.size());
      out.writeEndObject();
      out.writeEndObject();
      out.writeEndArray();
      out.writeEndObject();
      out.writeEndArray();
      out.writeEndObject();
    }
    sequences[of.device] += members.size();
    mqtt.publish(TOPIC, bytes.toByteArray(), QOS, false);
  }

  /**
   * Runs until it is ended.
   *
   * @param args port of the server, devices, points of each, port of the broker
   */
  public static void main(String[] args) throws Exception {
    int devices = Integer.parseInt(args[1]);
    int points = Integer.parseInt(args[2]);
    MqttAsyncClient mqtt =
        new MqttAsyncClient("tcp://127.0.0.1:" + args[3], "bare-loop", new MemoryPersistence());
    MqttConnectionOptions options = new MqttConnectionOptions();
    options.setReceiveMaximum(65_535);
    mqtt.connect(options).waitForCompletion();
    OpcUaClient client = OpcUaClient.create("opc.tcp://127.0.0.1:" + args[0]);
    client.connect();
    int namespace = client.getNamespaceTable().getIndex(LoadServer.NAMESPACE).intValue();
    BareClient bare = new BareClient(devices, mqtt);
    OpcUaSubscription subscription = new OpcUaSubscription(client, PUBLISHING_MILLIS);
    subscription.setSubscriptionListener(
        new OpcUaSubscription.SubscriptionListener() {
          @Override
          public void onDataReceived(
              OpcUaSubscription from, List<OpcUaMonitoredItem> items, List<DataValue> values) {
            bare.publish(items, values);
          }
        });
    subscription.create();
    List<OpcUaMonitoredItem> items = new ArrayList<>();
    for (int d = 1; d <= devices; d++) {
      for (int p = 1; p <= points; p++) {
        OpcUaMonitoredItem item =
            OpcUaMonitoredItem.newDataItem(
                new NodeId(namespace, LoadServer.device(d) + "/" + LoadServer.point(p)));
        item.setSamplingInterval(0);
        item.setQueueSize(uint(10));
        item.setUserObject(new Place(d, LoadServer.point(p), LoadServer.point(p) + "_u"));
        items.add(item);
      }
    }
    subscription.addMonitoredItems(items);
    subscription.createMonitoredItems();
    System.out.println(items.size() + " items");
    Thread.currentThread().join();
  }
}
