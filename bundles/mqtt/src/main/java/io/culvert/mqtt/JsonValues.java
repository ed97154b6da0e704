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
  static void write(JsonGenerator out, Reading reading) throws IOException {
    Value value = reading.quality().bad() ? null : reading.value();
    out.writeFieldName(reading.point());
    boolean finite = !(value instanceof Value.Decimal d) || Double.isFinite(d.value());
    write(out, finite ? value : null);
    if (!reading.unit().isEmpty()) {
      out.writeStringField(reading.point() + "_u", reading.unit());
    }
    if (!finite) {
      out.writeStringField(reading.point() + "_q", "Bad(" + value + ")");
    } else if (!reading.quality().good()) {
      out.writeStringField(reading.point() + "_q", reading.quality().toString());
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
