package io.culvert.simulator;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import io.culvert.simulator.evil.Evil;
import io.culvert.simulator.evil.Exhibition;
import io.culvert.simulator.evil.Gallery;
import io.culvert.simulator.plant.Plant;
import io.culvert.simulator.street.Street;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;

/** The gateway's {@code etc/site.json} for a street and a broker. */
public final class SiteDocument {
  private SiteDocument() {}

  /**
   * Writes it.
   *
   * @param interval between polls of every device, {@code null} for the street's own
   */
  public static String of(Street street, String gateway, int brokerPort, Duration interval)
      throws IOException {
    return of(street, gateway, brokerPort, interval, null);
  }

  /**
   * Writes it with evil devices after the street's.
   *
   * @param exhibition {@code null} for none
   */
  static String of(
      Street street, String gateway, int brokerPort, Duration interval, Exhibition exhibition)
      throws IOException {
    List<Gallery.Resident> evils = exhibition == null ? List.of() : exhibition.residents();
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
      printer.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE);
      json.setPrettyPrinter(printer);
      json.writeStartObject();
      json.writeObjectFieldStart("gateway");
      json.writeStringField("id", gateway);
      json.writeEndObject();
      json.writeArrayFieldStart("platforms");
      json.writeStartObject();
      json.writeStringField("id", "street-platform");
      json.writeStringField("url", "mqtt://127.0.0.1:" + brokerPort);
      json.writeStringField("dialect", "iotda");
      json.writeStringField("clientId", gateway);
      json.writeEndObject();
      json.writeEndArray();
      json.writeArrayFieldStart("devices");
      for (Street.Resident device : street.devices()) {
        json.writeStartObject();
        json.writeStringField("id", device.id());
        json.writeStringField("profile", device.profile());
        json.writeStringField(
            "endpoint",
            scheme(device) + "://127.0.0.1:" + device.port() + "?unit=" + device.unit());
        Duration every = interval == null ? device.interval() : interval;
        json.writeStringField("interval", every.toMillis() + "ms");
        json.writeEndObject();
      }
      if (street.plant() != null) {
        plant(json, street.plant());
      }
      for (Gallery.Resident evil : evils) {
        json.writeStartObject();
        json.writeStringField("id", evil.id());
        json.writeStringField("profile", evil.profile());
        json.writeStringField("endpoint", evil.endpoint());
        json.writeEndObject();
      }
      json.writeEndArray();
      if (!evils.isEmpty()) {
        plugins(json, exhibition.gallery());
      }
      json.writeEndObject();
    }
    return text.append('\n').toString();
  }

  /** All behind one server, each with a part of its address space. */
  private static void plant(JsonGenerator json, Street.Plant plant) throws IOException {
    for (Street.Station station : plant.stations()) {
      json.writeStartObject();
      json.writeStringField("id", station.id());
      json.writeStringField("profile", station.profile().id());
      json.writeStringField("endpoint", Plant.endpoint(Session.HOST, plant));
      // Keys are agreed on when it is opened, which takes its time on a small machine.
      json.writeStringField("timeout", "10s");
      json.writeObjectFieldStart("settings");
      json.writeStringField("root", Plant.root(station.id()));
      // A link that hangs is noticed while somebody watches.
      json.writeStringField("keepAlive", "1s");
      if (!plant.secured()) {
        json.writeStringField("security", "none");
      }
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  /** Evil ones aren't signed; and those that one process isn't enough for get one of their own. */
  private static void plugins(JsonGenerator json, Gallery gallery) throws IOException {
    json.writeObjectFieldStart("plugins");
    json.writeBooleanField("allowUnsigned", true);
    json.writeArrayFieldStart("hosted");
    for (Evil evil : gallery.evils()) {
      if (evil.hosted()) {
        json.writeString(evil.plugin());
      }
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static String scheme(Street.Resident device) {
    return device.framing() == Street.Framing.RTU ? "modbus-rtu-tcp" : "modbus-tcp";
  }
}
