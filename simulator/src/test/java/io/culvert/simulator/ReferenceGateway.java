package io.culvert.simulator;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.simulator.platform.Broker;
import io.culvert.simulator.street.Decoder;
import io.culvert.simulator.street.Decoder.Decoded;
import io.culvert.simulator.street.Profile;
import io.culvert.simulator.street.Street;
import io.culvert.simulator.street.StreetException;
import io.culvert.simulator.street.Table;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * An honest pipeline in a few lines: polls the slaves, scales by profile, keeps back by dead-band,
 * numbers, and publishes in the dialect. What it is about to publish can be spoiled on the way.
 */
public final class ReferenceGateway implements AutoCloseable {
  public static final String ID = "reference";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final Street street;
  private final Profile.Library profiles;
  private final DrivenClock clock;
  private final Broker.Consumer platform;
  private final Map<Integer, ModbusClient> connections = new HashMap<>();
  private final Map<String, Long> numbers = new HashMap<>();
  private final Map<String, Object[]> inForce = new HashMap<>();
  private Consumer<List<Out>> withholder = outs -> {};
  private Consumer<List<Out>> breaker = outs -> {};

  /** A reading about to be published. */
  public static final class Reading {
    public Object value;
    public String unit;
    public String quality;

    Reading(Object value, String unit, String quality) {
      this.value = value;
      this.unit = unit;
      this.quality = quality;
    }
  }

  /** An entry of services about to be published. */
  public static final class Out {
    public final String device;
    public final String streamClass;
    public long event;
    public long first;
    public boolean historical;
    public final Map<String, Reading> readings = new LinkedHashMap<>();

    public Out(String device, String streamClass, long event) {
      this.device = device;
      this.streamClass = streamClass;
      this.event = event;
    }

    public Out copy() {
      Out copy = new Out(device, streamClass, event);
      copy.first = first;
      copy.historical = historical;
      readings.forEach((id, r) -> copy.readings.put(id, new Reading(r.value, r.unit, r.quality)));
      return copy;
    }
  }

  public ReferenceGateway(
      Street street, Profile.Library profiles, DrivenClock clock, Broker.Consumer platform) {
    this.street = street;
    this.profiles = profiles;
    this.clock = clock;
    this.platform = platform;
  }

  /** Spoils what the next polls publish. */
  public void breaking(Consumer<List<Out>> next) {
    this.breaker = next;
  }

  /** Keeps back some of what the next polls bring, before it is numbered. */
  public void withholding(Consumer<List<Out>> next) {
    this.withholder = next;
  }

  /** Polls every device once and is killed before anything is committed. */
  public void roundLostInACrash() throws IOException, StreetException {
    Map<String, Long> committed = Map.copyOf(numbers);
    Consumer<List<Out>> before = breaker;
    breaker = List::clear;
    round();
    breaker = before;
    numbers.clear();
    numbers.putAll(committed);
    inForce.clear();
  }

  /** Polls every device once, a second after the last time. */
  public void round() throws IOException, StreetException {
    clock.advance(1_000);
    for (Street.Resident device : street.devices()) {
      List<Out> outs = poll(device);
      breaker.accept(outs);
      for (Out out : outs) {
        publish(out);
      }
    }
  }

  private List<Out> poll(Street.Resident device) throws IOException, StreetException {
    Decoder decoder = new Decoder(profiles.find(device.profile()));
    Map<String, Decoded> all = new LinkedHashMap<>();
    for (Map.Entry<Table, int[]> block : decoder.blocks().entrySet()) {
      int first = block.getValue()[0];
      int count = block.getValue()[1];
      ModbusClient.Answer answer =
          connection(device.port())
              .read(device.unit(), block.getKey().readFunction(), first, count);
      int[] cells = new int[count];
      for (int i = 0; i < count; i++) {
        cells[i] =
            block.getKey().bits() ? answer.pdu()[2 + i / 8] >> (i % 8) & 1 : answer.register(i);
      }
      all.putAll(decoder.decode(block.getKey(), first, cells));
    }
    long now = clock.millis();
    Map<String, Out> byClass = new TreeMap<>();
    all.forEach(
        (id, decoded) -> {
          if (!suppressed(device.id() + "/" + id, decoded, now)) {
            byClass
                .computeIfAbsent(
                    decoded.policy().streamClass(), name -> new Out(device.id(), name, now))
                .readings
                .put(id, new Reading(decoded.value(), decoded.policy().unit(), decoded.quality()));
          }
        });
    List<Out> outs = new ArrayList<>(byClass.values());
    withholder.accept(outs);
    outs.forEach(this::number);
    return outs;
  }

  private boolean suppressed(String key, Decoded decoded, long now) {
    Object[] last = inForce.get(key);
    if (last != null
        && decoded.policy().suppressible()
        && Math.abs((double) last[0] - decoded.number()) <= decoded.policy().deadband()
        && now - (long) last[1] < decoded.policy().heartbeatMillis()
        && last[2].equals(decoded.quality())) {
      return true;
    }
    inForce.put(key, new Object[] {decoded.number(), now, decoded.quality()});
    return false;
  }

  private void number(Out out) {
    String stream = out.device + "/" + out.streamClass;
    out.first = numbers.getOrDefault(stream, 1L);
    numbers.put(stream, out.first + out.readings.size());
  }

  /** Publishes an entry that was kept back before it was numbered, as it is. */
  public void publishLate(Out out) throws IOException {
    number(out);
    publish(out);
  }

  /** Publishes an entry in the ledger. */
  public void ledger(
      String device, String streamClass, long from, long to, long count, boolean exact, String why)
      throws IOException {
    ledger(device, streamClass, from, to, count, exact, why, "");
  }

  public void ledger(
      String device,
      String streamClass,
      long from,
      long to,
      long count,
      boolean exact,
      String why,
      String detail)
      throws IOException {
    Out out = new Out(ID, "event", clock.millis());
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("device", device);
    entry.put("class", streamClass);
    entry.put("from", Instant.ofEpochMilli(from).toString());
    entry.put("to", Instant.ofEpochMilli(to).toString());
    entry.put("count", count);
    entry.put("exact", exact);
    entry.put("reason", why);
    entry.put("detail", detail);
    out.readings.put("ledger", new Reading(entry, "", "Good"));
    number(out);
    publish(out);
  }

  /** Publishes one entry as it is. */
  public void publish(Out out) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      if (!out.device.equals(ID)) {
        json.writeArrayFieldStart("devices");
        json.writeStartObject();
        json.writeStringField("device_id", out.device);
      }
      json.writeArrayFieldStart("services");
      json.writeStartObject();
      json.writeStringField("service_id", out.streamClass);
      json.writeStringField("event_time", TIME.format(Instant.ofEpochMilli(out.event)));
      json.writeObjectFieldStart("properties");
      for (Map.Entry<String, Reading> reading : out.readings.entrySet()) {
        json.writeFieldName(reading.getKey());
        value(json, reading.getValue().value);
        if (!reading.getValue().quality.equals("Good")) {
          json.writeStringField(reading.getKey() + "_q", reading.getValue().quality);
        }
        if (!reading.getValue().unit.isEmpty()) {
          json.writeStringField(reading.getKey() + "_u", reading.getValue().unit);
        }
      }
      json.writeNumberField("seq_first", out.first);
      json.writeNumberField("seq_count", out.readings.size());
      if (out.historical) {
        json.writeBooleanField("historical", true);
      }
      json.writeEndObject();
      json.writeEndObject();
      json.writeEndArray();
      if (!out.device.equals(ID)) {
        json.writeEndObject();
        json.writeEndArray();
      }
      json.writeEndObject();
    }
    String topic =
        out.device.equals(ID)
            ? "$oc/devices/" + ID + "/sys/properties/report"
            : "$oc/devices/" + ID + "/sys/gateway/sub_devices/properties/report";
    platform.message(topic, text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static void value(JsonGenerator json, Object value) throws IOException {
    if (value instanceof Map<?, ?> map) {
      json.writeStartObject();
      for (Map.Entry<?, ?> field : map.entrySet()) {
        json.writeFieldName((String) field.getKey());
        value(json, field.getValue());
      }
      json.writeEndObject();
    } else if (value instanceof Double number) {
      json.writeNumber(number);
    } else if (value instanceof Long number) {
      json.writeNumber(number);
    } else if (value instanceof Boolean flag) {
      json.writeBoolean(flag);
    } else if (value == null) {
      json.writeNull();
    } else {
      json.writeString(value.toString());
    }
  }

  private ModbusClient connection(int port) throws IOException {
    ModbusClient known = connections.get(port);
    if (known == null) {
      known = new ModbusClient(port);
      connections.put(port, known);
    }
    return known;
  }

  @Override
  public void close() throws IOException {
    for (ModbusClient connection : connections.values()) {
      connection.close();
    }
  }
}
