package io.culvert.shell;

import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.Reading;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A pack of sensor measurements in JSON (RFC 8428), in the default version. Base name and base time
 * stand where they change. A structure is a record for each of its fields, a list one for each
 * element.
 */
final class SenMl extends Export {
  /** RFC 8428, 4.5.1. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9:./_-]*");

  /** RFC 8428, 4.5.3: a smaller number of seconds is a time relative to now. */
  private static final long FIRST_SECOND = 1 << 28;

  /** Units whose code in UCUM isn't the one in SenML; of the others, those in both are the same. */
  private static final Map<String, String> UNITS =
      Map.of(
          "1", "/", "[pH]", "pH", "L", "l", "L/s", "l/s", "/s", "1/s", "/min", "1/min", "By", "B",
          "V.A", "VA");

  private final JsonGenerator json;
  private String baseName = "";
  private long baseTime;
  private boolean first = true;

  SenMl(PrintStream out) {
    super(out);
    try {
      json = JSON.createGenerator(writer);
      json.writeRaw('[');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    json.setRootValueSeparator(null);
  }

  @Override
  String write(Batch.Entry entry) throws IOException {
    Reading reading = entry.reading();
    String reason = reasonAgainst(reading);
    if (reason.isEmpty()) {
      write(reading, reading.point(), reading.value());
    }
    return reason;
  }

  private static String reasonAgainst(Reading reading) {
    if (reading.quality().bad()) {
      return "bad, which SenML has no word for";
    }
    if (reading.eventTime().getEpochSecond() < FIRST_SECOND) {
      return "before " + Instant.ofEpochSecond(FIRST_SECOND) + ", which SenML can't say";
    }
    if (!sayable(reading.value())) {
      return "no finite number, or a name that SenML doesn't take";
    }
    return NAME.matcher(reading.device()).matches() && NAME.matcher(reading.point()).matches()
        ? ""
        : "a name that SenML doesn't take";
  }

  private static boolean sayable(Value value) {
    if (value instanceof Value.Array array) {
      return !array.values().isEmpty() && array.values().stream().allMatch(SenMl::sayable);
    }
    if (value instanceof Value.Struct struct) {
      return !struct.fields().isEmpty()
          && struct.fields().entrySet().stream()
              .allMatch(f -> NAME.matcher(f.getKey()).matches() && sayable(f.getValue()));
    }
    return !(value instanceof Value.Decimal decimal) || Double.isFinite(decimal.value());
  }

  private void write(Reading reading, String name, Value value) throws IOException {
    if (value instanceof Value.Struct struct) {
      for (Map.Entry<String, Value> field : struct.fields().entrySet()) {
        write(reading, name + "/" + field.getKey(), field.getValue());
      }
    } else if (value instanceof Value.Array array) {
      for (int i = 0; i < array.values().size(); i++) {
        write(reading, name + "/" + i, array.values().get(i));
      }
    } else {
      record(reading, name, value);
    }
  }

  private void record(Reading reading, String name, Value value) throws IOException {
    json.writeRaw(first ? "\n" : ",\n");
    first = false;
    json.writeStartObject();
    if (!reading.device().equals(baseName)) {
      baseName = reading.device();
      json.writeStringField("bn", baseName + "/");
    }
    if (reading.eventTime().getEpochSecond() != baseTime) {
      baseTime = reading.eventTime().getEpochSecond();
      json.writeNumberField("bt", baseTime);
    }
    json.writeStringField("n", name);
    if (!reading.unit().isEmpty()) {
      json.writeStringField("u", UNITS.getOrDefault(reading.unit(), reading.unit()));
    }
    if (value instanceof Value.Bool bool) {
      json.writeBooleanField("vb", bool.value());
    } else if (value instanceof Value.Int integer) {
      json.writeNumberField("v", integer.value());
    } else if (value instanceof Value.Decimal decimal) {
      json.writeNumberField("v", decimal.value());
    } else if (value instanceof Value.Bytes bytes) {
      json.writeStringField(
          "vd", Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.value()));
    } else {
      json.writeStringField("vs", value.toString());
    }
    if (reading.eventTime().getNano() > 0) {
      // Beside a base of whole seconds, a double holds it to the nanosecond.
      json.writeFieldName("t");
      json.writeNumber(
          BigDecimal.valueOf(reading.eventTime().getNano(), 9)
              .stripTrailingZeros()
              .toPlainString());
    }
    json.writeEndObject();
    json.flush();
  }

  @Override
  void close() throws IOException {
    json.writeRaw(first ? "]\n" : "\n]\n");
    json.close();
  }
}
