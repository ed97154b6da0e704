package io.culvert.simulator;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import io.culvert.simulator.street.Street;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;

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
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.append('\n').toString();
  }

  private static String scheme(Street.Resident device) {
    return device.framing() == Street.Framing.RTU ? "modbus-rtu-tcp" : "modbus-tcp";
  }
}
