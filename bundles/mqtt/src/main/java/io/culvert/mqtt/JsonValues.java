package io.culvert.mqtt;

import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.Reading;
import io.culvert.api.Value;
import java.io.IOException;
import java.util.Map;

/** Writes values as JSON. */
final class JsonValues {

  private JsonValues() {}

  /** A reading as a property with its companions. */
  static void write(JsonGenerator out, Report.Item item) throws IOException {
    Reading reading = item.entry().reading();
    Value value = reading.quality().bad() ? null : reading.value();
    JsonNames.Property property = item.property();
    out.writeFieldName(property.value());
    boolean finite = !(value instanceof Value.Decimal d) || Double.isFinite(d.value());
    write(out, finite ? value : null);
    if (!reading.unit().isEmpty()) {
      out.writeFieldName(property.unit());
      out.writeString(item.unit().text());
    }
    if (!finite) {
      out.writeFieldName(property.quality());
      out.writeString("Bad(" + value + ")");
    } else if (!reading.quality().good()) {
      out.writeFieldName(property.quality());
      out.writeString(reading.quality().toString());
    }
  }

  /** A value, null for none. Numbers that JSON lacks become text. */
  static void write(JsonGenerator out, Value value) throws IOException {
    if (value == null) {
      out.writeNull();
    } else if (value instanceof Value.Bool bool) {
      out.writeBoolean(bool.value());
    } else if (value instanceof Value.Int integer) {
      out.writeNumber(integer.value());
    } else if (value instanceof Value.Decimal decimal) {
      if (Double.isFinite(decimal.value())) {
        out.writeNumber(decimal.value());
      } else {
        out.writeString(decimal.toString());
      }
    } else if (value instanceof Value.Text text) {
      out.writeString(JsonSize.wellFormed(text.value()));
    } else if (value instanceof Value.Bytes bytes) {
      out.writeBinary(bytes.value());
    } else if (value instanceof Value.Array array) {
      out.writeStartArray();
      for (Value element : array.values()) {
        write(out, element);
      }
      out.writeEndArray();
    } else if (value instanceof Value.Struct struct) {
      out.writeStartObject();
      for (Map.Entry<String, Value> field : struct.fields().entrySet()) {
        out.writeFieldName(JsonSize.wellFormed(field.getKey()));
        write(out, field.getValue());
      }
      out.writeEndObject();
    }
  }
}
