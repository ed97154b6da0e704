package io.culvert.shell;

import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Recorder;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Makes lines of a recording, each a JSON object: the format {@code culvert-recording/1} of {@code
 * docs/guides/record-replay.md}. Called by one thread at a time.
 */
public final class RecordingWriter implements Recorder.Tape {
  static final String FORMAT = "culvert-recording/1";

  private final Consumer<String> lines;
  private final long start;

  /**
   * @param lines takes each line, without its end
   * @param start what times are counted from, by {@link System#nanoTime}
   */
  public RecordingWriter(Consumer<String> lines, long start) {
    this.lines = lines;
    this.start = start;
  }

  private interface Fields {
    void write(JsonGenerator json) throws IOException;
  }

  private static String line(Fields fields) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = Export.JSON.createGenerator(text)) {
      json.writeStartObject();
      fields.write(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  /**
   * The first line of all.
   *
   * @param start the moment from which times are counted
   */
  public static String header(Recorder.Subject subject, Instant start) {
    return line(
        json -> {
          json.writeStringField("format", FORMAT);
          json.writeStringField("gateway", subject.gateway());
          json.writeStringField("device", subject.device());
          json.writeStringField("profile", subject.profile());
          json.writeStringField("endpoint", subject.endpoint());
          json.writeStringField("scheme", subject.scheme());
          json.writeStringField("carrier", subject.carrier());
          if (!subject.matcher().isEmpty()) {
            json.writeStringField("matcher", subject.matcher());
          }
          json.writeStringField("start", start.toString());
        });
  }

  private void write(long nanos, Fields fields) {
    lines.accept(
        line(
            json -> {
              json.writeNumberField("nanos", Math.max(0, nanos - start));
              fields.write(json);
            }));
  }

  @Override
  public void opened(int connection, long nanos) {
    write(
        nanos,
        json -> {
          json.writeNumberField("connection", connection);
          json.writeStringField("event", "opened");
        });
  }

  @Override
  public void passed(int connection, boolean toDevice, byte[] bytes, long nanos) {
    write(
        nanos,
        json -> {
          json.writeNumberField("connection", connection);
          json.writeStringField("to", toDevice ? "device" : "gateway");
          json.writeStringField("hex", HexFormat.of().formatHex(bytes));
        });
  }

  @Override
  public void closed(int connection, Recorder.Closing how, boolean byDevice, long nanos) {
    write(
        nanos,
        json -> {
          json.writeNumberField("connection", connection);
          json.writeStringField("event", how.name().toLowerCase(Locale.ROOT));
          json.writeStringField("by", byDevice ? "device" : "gateway");
        });
  }

  @Override
  public void ended(String why, long nanos) {
    write(
        nanos,
        json -> {
          json.writeStringField("event", "ended");
          json.writeStringField("why", why);
        });
  }
}
