package io.culvert.shell;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import io.culvert.api.Reading;
import io.culvert.api.Value;
import io.culvert.api.northbound.Batch;
import io.culvert.api.service.Query;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes readings one by one, as they are handed over, and holds none of them. Whoever reads the
 * output sets the pace; when nobody reads it any more, no further reading is taken.
 */
abstract class Export implements Query.Visitor {
  /** So often it is looked after whether somebody still reads. */
  private static final int GLANCE = 256;

  static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
          .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
          .disable(StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
          .build();

  final Writer writer;
  private final PrintStream out;
  private final Map<String, Long> leftOut = new TreeMap<>();
  private long written;
  private long taken;
  private boolean unwanted;

  Export(PrintStream out) {
    this.out = out;
    this.writer = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8), 32 << 10);
  }

  static Export to(PrintStream out, String format) throws CommandFailed {
    return switch (format) {
      case "jsonl" -> new JsonLines(out);
      case "csv" -> new Csv(out);
      case "senml" -> new SenMl(out);
      default ->
          throw new CommandFailed(
              CommandFailed.USAGE,
              "found format %s; expected jsonl, csv or senml".formatted(format));
    };
  }

  /**
   * @return why it can't be said in this format, {@code ""} if it is written
   */
  abstract String write(Batch.Entry entry) throws IOException;

  /** What stands after the last reading. */
  abstract void close() throws IOException;

  @Override
  public final boolean take(Batch.Entry entry) {
    try {
      String reason = write(entry);
      if (reason.isEmpty()) {
        written++;
      } else {
        leftOut.merge(reason, 1L, Long::sum);
      }
      if (++taken % GLANCE == 0) {
        writer.flush();
        unwanted = out.checkError();
      }
      return !unwanted;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether it was ended by whoever should have read it. */
  final boolean isUnwanted() {
    return unwanted;
  }

  final void end() throws IOException {
    close();
    writer.flush();
    out.flush();
  }

  /** How many were written, and how many not and why. */
  final String summary() {
    StringBuilder text = new StringBuilder(Text.plural(written, "reading")).append(" written");
    leftOut.forEach(
        (reason, count) ->
            text.append(", ").append(Text.count(count)).append(" left out: ").append(reason));
    return text.toString();
  }

  static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  /** A value as JSON; what JSON can't say, as text: {@code "NaN"}, bytes in Base64. */
  static void write(JsonGenerator json, Value value) throws IOException {
    if (value == null) {
      json.writeNull();
    } else if (value instanceof Value.Bool bool) {
      json.writeBoolean(bool.value());
    } else if (value instanceof Value.Int integer) {
      json.writeNumber(integer.value());
    } else if (value instanceof Value.Decimal decimal && Double.isFinite(decimal.value())) {
      json.writeNumber(decimal.value());
    } else if (value instanceof Value.Bytes bytes) {
      json.writeString(Base64.getEncoder().encodeToString(bytes.value()));
    } else if (value instanceof Value.Array array) {
      json.writeStartArray();
      for (Value element : array.values()) {
        write(json, element);
      }
      json.writeEndArray();
    } else if (value instanceof Value.Struct struct) {
      json.writeStartObject();
      for (Map.Entry<String, Value> field : struct.fields().entrySet()) {
        json.writeFieldName(field.getKey());
        write(json, field.getValue());
      }
      json.writeEndObject();
    } else {
      json.writeString(value.toString());
    }
  }

  /** One JSON object a line. */
  private static final class JsonLines extends Export {
    private final JsonGenerator json;

    JsonLines(PrintStream out) {
      super(out);
      try {
        json = JSON.createGenerator(writer);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      json.setRootValueSeparator(null);
    }

    @Override
    String write(Batch.Entry entry) throws IOException {
      Reading reading = entry.reading();
      json.writeStartObject();
      json.writeStringField("device", reading.device());
      json.writeStringField("point", reading.point());
      json.writeStringField("class", lower(reading.streamClass()));
      json.writeNumberField("seq", entry.sequence());
      json.writeFieldName("value");
      write(json, reading.value());
      json.writeStringField("unit", reading.unit());
      json.writeStringField("quality", reading.quality().toString());
      json.writeStringField("eventTime", reading.eventTime().toString());
      json.writeStringField("receivedTime", reading.receivedTime().toString());
      json.writeStringField("clock", lower(reading.clock()));
      json.writeStringField("grade", lower(reading.grade()));
      json.writeEndObject();
      json.writeRaw('\n');
      json.flush();
      return "";
    }

    @Override
    void close() throws IOException {
      json.close();
    }
  }

  /**
   * RFC 4180. The value is JSON text, so that a text keeps its quotes: it can't be mistaken for a
   * number, nor a spreadsheet for a formula. Every other cell begins with a letter or a digit, or
   * is a unit.
   */
  private static final class Csv extends Export {
    Csv(PrintStream out) throws CommandFailed {
      super(out);
      try {
        writer.write(
            "device,point,class,seq,value,unit,quality,eventTime,receivedTime,clock,grade\r\n");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    String write(Batch.Entry entry) throws IOException {
      Reading reading = entry.reading();
      cell(reading.device(), ',');
      cell(reading.point(), ',');
      cell(lower(reading.streamClass()), ',');
      cell(Long.toString(entry.sequence()), ',');
      cell(reading.value() == null ? "" : json(reading.value()), ',');
      cell(reading.unit(), ',');
      cell(reading.quality().toString(), ',');
      cell(reading.eventTime().toString(), ',');
      cell(reading.receivedTime().toString(), ',');
      cell(lower(reading.clock()), ',');
      cell(lower(reading.grade()), '\r');
      writer.write('\n');
      return "";
    }

    private static String json(Value value) throws IOException {
      StringWriter text = new StringWriter();
      try (JsonGenerator json = JSON.createGenerator(text)) {
        write(json, value);
      }
      return text.toString();
    }

    private void cell(String text, char after) throws IOException {
      boolean quoted = text.chars().anyMatch(c -> c == '"' || c == ',' || c == '\r' || c == '\n');
      writer.write(quoted ? '"' + text.replace("\"", "\"\"") + '"' : text);
      writer.write(after);
    }

    @Override
    void close() {
      // Nothing stands after the last line.
    }
  }
}
