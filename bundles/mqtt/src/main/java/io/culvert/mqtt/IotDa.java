package io.culvert.mqtt;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import io.culvert.api.ClockState;
import io.culvert.api.Reading;
import io.culvert.api.StreamClass;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Commands;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A gateway with sub-devices in JSON, after Huawei IoTDA (API reference, "MQTT API": gateway
 * reporting device properties in batches, device reporting properties, gateway updating child
 * device status, platform delivering a command, platform setting device properties).
 *
 * <p>Beyond IoTDA's own shape a service carries, as properties: {@code {point}_u}, the UCUM unit
 * where there is one; {@code {point}_q}, the quality where it isn't good; {@code seq_first} and
 * {@code seq_count}, the numbers of its readings in their stream; {@code historical}, true for what
 * is delivered after an outage; {@code gateway_clock}, {@code unsynchronised} or {@code corrected}
 * where the gateway's clock was not right when it stamped them. A bad value is null. JSON has no
 * NaN and no infinity, and a platform that expects a number is not helped by text: such a value is
 * null as well, and {@code {point}_q} tells it as {@code Bad(NaN)}, {@code Bad(Infinity)} or {@code
 * Bad(-Infinity)}; within lists and structures it is the text {@code "NaN"}. Bytes are base64.
 *
 * <p>Down, {@code properties/set} writes each property to the point of that name. A command {@code
 * set} does the same with its paras; a command of any other name writes its para {@code value} to
 * the point of that name. Without {@code object_device_id} the gateway itself is meant; it answers
 * a command {@code ledger} with what became of a device's readings: see {@link IotDaLedger}.
 */
final class IotDa implements Dialect {

  /** IoTDA takes so many sub-devices in one report and in one update of states. */
  static final int MAX_DEVICES = 100;

  // Both forms are IoTDA's own: the first to the second, the second to the millisecond. Any other
  // is
  // not refused there but replaced by the time of arrival, which would spoil history.
  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private static final DateTimeFormatter MILLIS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final String gateway;
  private final String root;
  private final int maxBytes;
  private final JsonFactory json =
      JsonFactory.builder()
          // JDK 17's own way takes several times as long, and at times more digits than are needed.
          .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
          .build();
  private final JsonNames names = new JsonNames();
  private final IotDaRequests requests;

  /**
   * @param gateway the gateway's device id
   * @param maxBytes bound on one message's payload
   */
  IotDa(String gateway, int maxBytes) {
    this.gateway = gateway;
    this.root = "$oc/devices/" + gateway + "/sys/";
    this.maxBytes = maxBytes;
    this.requests = new IotDaRequests(root, gateway);
  }

  @Override
  public List<String> requests() {
    return List.of(root + "commands/#", root + "properties/set/#");
  }

  @Override
  public Encoded encode(Batch batch) {
    Report own = new Report(1, maxBytes);
    Report others = new Report(MAX_DEVICES, maxBytes);
    Map<Integer, String> refused = new LinkedHashMap<>();
    List<Message> messages = new ArrayList<>();
    JsonNames.Word device = null;
    String last = null;
    for (int i = 0; i < batch.entries().size(); i++) {
      Batch.Entry entry = batch.entries().get(i);
      Reading reading = entry.reading();
      // The readings of one poll stand together, and bear the same text.
      if (reading.device() != last) {
        last = reading.device();
        device = names.word(last);
      }
      Report.Item item =
          new Report.Item(i, entry, names.property(reading.point()), names.word(reading.unit()));
      int size = JsonSize.of(item);
      String reason = JsonSize.reasonAgainst(item, device, size, maxBytes);
      if (!reason.isEmpty()) {
        refused.put(i, reason);
        continue;
      }
      Report report = last.equals(gateway) ? own : others;
      if (!report.add(item, device, size)) {
        messages.add(message(batch, report));
        report.clear();
        report.add(item, device, size);
      }
    }
    for (Report report : List.of(own, others)) {
      if (!report.devices().isEmpty()) {
        messages.add(message(batch, report));
      }
    }
    return new Encoded(messages, refused);
  }

  private Message message(Batch batch, Report report) {
    List<Integer> entries = new ArrayList<>();
    boolean own = report.devices().containsKey(gateway);
    byte[] payload =
        write(
            report.bytes(),
            out -> {
              out.writeStartObject();
              if (own) {
                writeServices(out, batch, report.devices().get(gateway), entries);
              } else {
                out.writeArrayFieldStart("devices");
                for (Map.Entry<String, List<Report.Service>> device : report.devices().entrySet()) {
                  out.writeStartObject();
                  out.writeFieldName("device_id");
                  out.writeString(names.word(device.getKey()).text());
                  writeServices(out, batch, device.getValue(), entries);
                  out.writeEndObject();
                }
                out.writeEndArray();
              }
              out.writeEndObject();
            });
    String topic = root + (own ? "properties/report" : "gateway/sub_devices/properties/report");
    return new Message(topic, payload, List.copyOf(entries));
  }

  private void writeServices(
      JsonGenerator out, Batch batch, List<Report.Service> services, List<Integer> entries)
      throws IOException {
    out.writeArrayFieldStart("services");
    for (Report.Service service : services) {
      out.writeStartObject();
      out.writeStringField("service_id", serviceId(batch.streamClass()));
      out.writeStringField("event_time", MILLIS.format(service.eventTime));
      out.writeObjectFieldStart("properties");
      for (Report.Item item : service.items) {
        JsonValues.write(out, item);
        entries.add(item.index());
      }
      out.writeNumberField("seq_first", service.first);
      out.writeNumberField("seq_count", service.items.size());
      if (batch.historical()) {
        out.writeBooleanField("historical", true);
      }
      if (service.clock == ClockState.UNSYNCHRONISED || service.clock == ClockState.CORRECTED) {
        out.writeStringField("gateway_clock", service.clock.name().toLowerCase(Locale.ROOT));
      }
      out.writeEndObject();
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static String serviceId(StreamClass streamClass) {
    return streamClass.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public List<Message> states(Map<String, Boolean> online, Instant now) {
    List<Map.Entry<String, Boolean>> all = List.copyOf(online.entrySet());
    List<Message> messages = new ArrayList<>();
    for (int from = 0; from < all.size(); from += MAX_DEVICES) {
      messages.add(states(all.subList(from, Math.min(all.size(), from + MAX_DEVICES)), now));
    }
    return messages;
  }

  private Message states(List<Map.Entry<String, Boolean>> devices, Instant now) {
    byte[] payload =
        write(
            out -> {
              out.writeStartObject();
              out.writeArrayFieldStart("services");
              out.writeStartObject();
              out.writeStringField("service_id", "$sub_device_manager");
              out.writeStringField("event_type", "sub_device_update_status");
              out.writeStringField("event_time", SECONDS.format(now));
              out.writeObjectFieldStart("paras");
              out.writeArrayFieldStart("device_statuses");
              for (Map.Entry<String, Boolean> device : devices) {
                out.writeStartObject();
                out.writeStringField("device_id", device.getKey());
                out.writeStringField("status", device.getValue() ? "ONLINE" : "OFFLINE");
                out.writeEndObject();
              }
              out.writeEndArray();
              out.writeEndObject();
              out.writeEndObject();
              out.writeEndArray();
              out.writeEndObject();
            });
    return new Message(root + "events/up", payload, List.of());
  }

  @Override
  public Optional<Request> request(String topic, byte[] payload) {
    return requests.parse(topic, payload);
  }

  @Override
  public Message answer(Request request, List<Commands.Result> results) {
    boolean command = request.topic().startsWith(root + "commands/");
    boolean done = request.problem().isEmpty() && results.stream().allMatch(Commands.Result::done);
    byte[] payload =
        write(
            out -> {
              out.writeStartObject();
              out.writeNumberField("result_code", done ? 0 : 1);
              if (command) {
                out.writeStringField("response_name", JsonSize.wellFormed(request.name()));
                out.writeObjectFieldStart("paras");
                writeResults(out, request, results);
                out.writeEndObject();
              } else {
                out.writeStringField("result_desc", describe(request, results));
              }
              out.writeEndObject();
            });
    String topic =
        root
            + (command ? "commands/response/request_id=" : "properties/set/response/request_id=")
            + request.id();
    return new Message(topic, payload, List.of());
  }

  @Override
  public Message answer(Request request, Account account) {
    byte[] payload =
        write(
            out -> {
              out.writeStartObject();
              out.writeNumberField("result_code", 0);
              out.writeStringField("response_name", request.name());
              out.writeFieldName("paras");
              IotDaLedger.write(out, request.question(), account);
              out.writeEndObject();
            });
    return new Message(root + "commands/response/request_id=" + request.id(), payload, List.of());
  }

  private static void writeResults(
      JsonGenerator out, Request request, List<Commands.Result> results) throws IOException {
    String message = request.problem();
    for (int i = 0; i < results.size(); i++) {
      Commands.Result result = results.get(i);
      String name =
          request.name().equals(IotDaRequests.SET)
              ? JsonSize.wellFormed(request.writes().get(i).point())
              : IotDaRequests.VALUE;
      out.writeFieldName(name);
      JsonValues.write(out, result.readBack());
      if (!result.quality().good()) {
        out.writeStringField(name + "_q", result.quality().toString());
      }
      if (message.isEmpty()) {
        message = result.message();
      }
    }
    if (!message.isEmpty()) {
      out.writeStringField("message", JsonSize.wellFormed(message));
    }
  }

  /** IoTDA's answer to properties/set has room for text only. */
  private static String describe(Request request, List<Commands.Result> results) {
    List<String> parts = new ArrayList<>();
    if (!request.problem().isEmpty()) {
      parts.add(request.problem());
    }
    for (int i = 0; i < results.size(); i++) {
      Commands.Result result = results.get(i);
      String point = request.writes().get(i).point();
      parts.add(
          result.done()
              ? point + " = " + result.readBack()
              : point + ": " + result.quality() + ", " + result.message());
    }
    return JsonSize.wellFormed(String.join("; ", parts));
  }

  private byte[] write(Body body) {
    return write(1024, body);
  }

  /**
   * @param size to be expected; more will do
   */
  private byte[] write(int size, Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(size);
    try (JsonGenerator out = json.createGenerator(bytes)) {
      body.write(out);
    } catch (IOException e) {
      throw new UncheckedIOException("Writing to memory failed", e);
    }
    return bytes.toByteArray();
  }

  private interface Body {
    void write(JsonGenerator out) throws IOException;
  }
}
