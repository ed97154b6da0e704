package io.culvert.benchmarks.plc4x;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.apache.plc4x.java.api.PlcConnection;
import org.apache.plc4x.java.api.PlcConnectionManager;
import org.apache.plc4x.java.api.PlcDriverManager;
import org.apache.plc4x.java.api.exceptions.PlcConnectionException;
import org.apache.plc4x.java.api.messages.PlcReadRequest;
import org.apache.plc4x.java.api.messages.PlcReadResponse;
import org.apache.plc4x.java.api.types.PlcResponseCode;
import org.apache.plc4x.java.api.value.PlcValue;
import org.eclipse.paho.mqttv5.client.MqttAsyncClient;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.eclipse.paho.mqttv5.client.persist.MemoryPersistence;
import org.eclipse.paho.mqttv5.common.MqttException;

/**
 * Reads devices by PLC4X and publishes by Paho, with nothing in between: what is read while the
 * broker is away is lost, and nobody is told. It is written to be fast: one connection a device and
 * one prepared request on it, asynchronous, JSON without a tree, publications without waiting.
 */
public final class BareLoop {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final String TOPIC =
      "$oc/devices/bare-loop/sys/gateway/sub_devices/properties/report";
  private static final int QOS = 1;

  private final JsonFactory json = new JsonFactory();
  private final LongAdder failures = new LongAdder();
  private final String[] names;
  private final String[] unitNames;
  private final Form form;
  private final MqttAsyncClient mqtt;

  /** How a request names what it wants. */
  public enum Form {
    /** The registers as one tag, an array. */
    ARRAY,
    /** A tag for each point, which the driver's optimizer puts together. */
    TAGS
  }

  private BareLoop(int points, Form form, MqttAsyncClient mqtt) {
    this.form = form;
    this.mqtt = mqtt;
    this.names = new String[points];
    this.unitNames = new String[points];
    for (int register = 0; register < points; register++) {
      names[register] = register == 0 ? "tick" : String.format(Locale.ROOT, "v%03d", register);
      unitNames[register] = names[register] + "_u";
    }
  }

  /** A device with its connection. */
  private final class Polled implements Runnable {
    private final String id;
    private final PlcReadRequest request;
    private final AtomicBoolean busy = new AtomicBoolean();
    private long sequence = 1;

    Polled(String id, PlcConnection connection) {
      this.id = id;
      PlcReadRequest.Builder builder = connection.readRequestBuilder();
      // PLC4X counts registers from 1.
      if (form == Form.ARRAY) {
        builder.addTagAddress("all", "holding-register:1:UINT[" + names.length + "]");
      } else {
        for (int register = 0; register < names.length; register++) {
          builder.addTagAddress(names[register], "holding-register:" + (register + 1) + ":UINT");
        }
      }
      this.request = builder.build();
    }

    @Override
    public void run() {
      if (busy.compareAndSet(false, true)) {
        request
            .execute()
            .whenComplete(
                (response, failure) -> {
                  try {
                    if (failure == null) {
                      publish(response);
                    } else {
                      failed(failure);
                    }
                  } catch (IOException | MqttException | RuntimeException e) {
                    failed(e);
                  } finally {
                    busy.set(false);
                  }
                });
      }
    }

    private void publish(PlcReadResponse response) throws IOException, MqttException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(4096);
      try (JsonGenerator out = json.createGenerator(bytes)) {
        out.writeStartObject();
        out.writeArrayFieldStart("devices");
        out.writeStartObject();
        out.writeStringField("device_id", id);
        out.writeArrayFieldStart("services");
        out.writeStartObject();
        out.writeStringField("service_id", "telemetry");
        out.writeStringField("event_time", TIME.format(Instant.now()));
        out.writeObjectFieldStart("properties");
        if (form == Form.ARRAY) {
          if (response.getResponseCode("all") != PlcResponseCode.OK) {
            throw new IOException(response.getResponseCode("all").name());
          }
          List<? extends PlcValue> values = response.getPlcValue("all").getList();
          for (int register = 0; register < names.length; register++) {
            write(out, register, values.get(register).getInt());
          }
        } else {
          for (int register = 0; register < names.length; register++) {
            if (response.getResponseCode(names[register]) != PlcResponseCode.OK) {
              throw new IOException(response.getResponseCode(names[register]).name());
            }
            write(out, register, response.getInteger(names[register]));
          }
        }
        out.writeNumberField("seq_first", sequence);
        out.writeNumberField("seq_count", names.length);
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndArray();
        out.writeEndObject();
        out.writeEndArray();
        out.writeEndObject();
      }
      sequence += names.length;
      mqtt.publish(TOPIC, bytes.toByteArray(), QOS, false);
    }

    private void write(JsonGenerator out, int register, int raw) throws IOException {
      if (register == 0) {
        out.writeNumberField(names[0], raw);
      } else {
        // Divided, because 0.1 * raw has sixteen digits.
        out.writeNumberField(names[register], raw / 10.0);
        out.writeStringField(unitNames[register], "mV");
      }
    }

    private void failed(Throwable failure) {
      failures.increment();
      if (failures.sum() <= 20) {
        System.err.println(id + ": " + failure);
      }
    }
  }

  /**
   * Runs until it is ended.
   *
   * @param args file with a device a line (id, host, port, unit), points of each, interval in
   *     milliseconds, port of the broker, {@link Form}
   */
  public static void main(String[] args) throws Exception {
    List<String> lines = Files.readAllLines(Path.of(args[0]));
    int points = Integer.parseInt(args[1]);
    long intervalMicros = Long.parseLong(args[2]) * 1000;
    MqttAsyncClient mqtt =
        new MqttAsyncClient("tcp://127.0.0.1:" + args[3], "bare-loop", new MemoryPersistence());
    MqttConnectionOptions options = new MqttConnectionOptions();
    options.setReceiveMaximum(65_535);
    mqtt.connect(options).waitForCompletion();
    BareLoop loop = new BareLoop(points, Form.valueOf(args[4]), mqtt);
    PlcConnectionManager manager = PlcDriverManager.getDefault().getConnectionManager();
    List<Polled> devices = new ArrayList<>();
    for (String line : lines) {
      String[] device = line.split(" ");
      devices.add(loop.new Polled(device[0], connect(manager, device)));
    }
    System.out.println(devices.size() + " connections");
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    for (int i = 0; i < devices.size(); i++) {
      timer.scheduleAtFixedRate(
          devices.get(i),
          intervalMicros * i / devices.size(),
          intervalMicros,
          TimeUnit.MICROSECONDS);
    }
    Thread.currentThread().join();
  }

  private static PlcConnection connect(PlcConnectionManager manager, String[] device)
      throws PlcConnectionException {
    return manager.getConnection(
        "modbus-tcp:tcp://" + device[1] + ":" + device[2] + "?unit-identifier=" + device[3]);
  }
}
