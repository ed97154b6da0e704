package io.culvert.simulator.replay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A recording as {@code culvert record} writes it: format {@code culvert-recording/1} of {@code
 * docs/guides/record-replay.md}. A last line that breaks off, as a crash leaves it, is left out;
 * names and events that aren't known are, too.
 *
 * @param header the first line: names and texts
 * @param events in order of time
 */
public record Recording(Map<String, String> header, List<Event> events) {
  /** The format that is read, as the header names it. */
  public static final String FORMAT = "culvert-recording/1";

  /** Characters of a line; a chunk of 16 KiB has a fifteenth of it. */
  static final int LONGEST_LINE = 1 << 19;

  /** Bytes that passed, in all; what is held in memory. */
  static final long MOST_BYTES = 1L << 28;

  static final int MOST_EVENTS = 4_000_000;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** What happened. */
  public enum Kind {
    /** A connection was opened. */
    OPENED,
    /** Bytes to the device. */
    TO_DEVICE,
    /** Bytes from the device. */
    TO_GATEWAY,
    /** A connection ended in order. */
    CLOSED,
    /** A connection broke. */
    RESET,
    /** A connection could not be made. */
    UNREACHABLE,
    /** The recording ended. */
    ENDED
  }

  /**
   * Something that happened.
   *
   * @param nanos since the start of the recording
   * @param connection from 1 on; 0 of {@link Kind#ENDED}
   * @param bytes that passed, else none
   * @param byDevice of an end of a connection, whether it was the device's doing
   */
  public record Event(long nanos, int connection, Kind kind, byte[] bytes, boolean byDevice) {}

  public Recording {
    header = Map.copyOf(header);
    events = List.copyOf(events);
  }

  /** What the protocol says of its frames, {@code ""} if the recording doesn't tell. */
  public String matcher() {
    return header.getOrDefault("matcher", "");
  }

  /**
   * Reads a file whole. Blocks.
   *
   * @throws RecordingException if it isn't such a file, with the line that shows it
   */
  public static Recording read(Path file) throws IOException {
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      return read(reader, file.toString());
    } catch (MalformedInputException e) {
      throw new RecordingException(file + ": found bytes that are no UTF-8; expected a recording");
    }
  }

  /**
   * Reads a recording whole.
   *
   * @param name for messages
   */
  static Recording read(Reader from, String name) throws IOException {
    BufferedReader reader =
        from instanceof BufferedReader buffered ? buffered : new BufferedReader(from);
    Map<String, String> header = new HashMap<>();
    List<Event> events = new ArrayList<>();
    long bytes = 0;
    Line line = new Line();
    for (int number = 1; line.read(reader); number++) {
      if (line.text().isBlank()) {
        continue;
      }
      String place = name + ":" + number + ": ";
      if (line.length() > LONGEST_LINE) {
        throw new RecordingException(
            place + "found more than " + LONGEST_LINE + " characters; expected a shorter line");
      }
      try {
        if (header.isEmpty()) {
          header = header(line.text(), place);
          continue;
        }
        Event event = event(fields(line.text(), place), place, events);
        if (event != null) {
          bytes += event.bytes().length;
          events.add(event);
        }
      } catch (RecordingException e) {
        if (!header.isEmpty() && !line.whole()) {
          break;
        }
        throw e;
      }
      if (bytes > MOST_BYTES || events.size() > MOST_EVENTS) {
        throw new RecordingException(
            place
                + "found more than "
                + MOST_BYTES
                + " bytes or "
                + MOST_EVENTS
                + " lines; expected a shorter recording: cut it after a line");
      }
    }
    if (header.isEmpty()) {
      throw new RecordingException(name + ": found nothing; expected a recording");
    }
    return new Recording(header, events);
  }

  /** One line at a time, bounded. */
  private static final class Line {
    private final StringBuilder text = new StringBuilder();
    private boolean whole;

    /** Whether there is one more; of one that is too long only the beginning is kept. */
    boolean read(BufferedReader reader) throws IOException {
      text.setLength(0);
      whole = false;
      for (int c = reader.read(); c >= 0; c = reader.read()) {
        if (c == '\n') {
          whole = true;
          return true;
        }
        text.append((char) c);
        if (text.length() > LONGEST_LINE) {
          return true;
        }
      }
      return !text.isEmpty();
    }

    /** Whether its end was there. */
    boolean whole() {
      return whole;
    }

    int length() {
      return text.length();
    }

    String text() {
      return text.toString();
    }
  }

  private static Map<String, String> header(String line, String place) throws RecordingException {
    Map<String, String> header = fields(line, place);
    String format = header.getOrDefault("format", "nothing");
    if (!format.equals(FORMAT)) {
      throw new RecordingException(
          place + "found the format " + format + "; expected " + FORMAT + " in the first line");
    }
    return header;
  }

  /** The texts and numbers of an object; whatever else it holds is passed over. */
  private static Map<String, String> fields(String line, String place) throws RecordingException {
    Map<String, String> fields = new HashMap<>();
    try (JsonParser json = JSON.createParser(line)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new RecordingException(place + "found no JSON object; expected one a line");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        JsonToken value = json.nextToken();
        if (value == JsonToken.VALUE_STRING || value == JsonToken.VALUE_NUMBER_INT) {
          fields.put(name, json.getText());
        } else {
          json.skipChildren();
        }
      }
      if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
        throw new RecordingException(place + "found more than an object; expected one a line");
      }
      return fields;
    } catch (JsonProcessingException e) {
      throw new RecordingException(
          place + "found what is no JSON (" + e.getOriginalMessage() + "); expected one object");
    } catch (RecordingException e) {
      throw e;
    } catch (IOException e) {
      throw new RecordingException(place + "can't be read: " + e.getMessage());
    }
  }

  /**
   * @return {@code null} if it is nothing that is known here
   */
  private static Event event(Map<String, String> fields, String place, List<Event> before)
      throws RecordingException {
    Kind kind;
    byte[] bytes = {};
    if (fields.containsKey("hex")) {
      String to = fields.getOrDefault("to", "nothing");
      kind =
          switch (to) {
            case "device" -> Kind.TO_DEVICE;
            case "gateway" -> Kind.TO_GATEWAY;
            default ->
                throw new RecordingException(
                    place + "found to " + to + "; expected device or gateway");
          };
      try {
        bytes = HexFormat.of().parseHex(fields.get("hex"));
      } catch (IllegalArgumentException e) {
        throw new RecordingException(
            place + "found hex that is none; expected two hexadecimal digits a byte");
      }
    } else {
      switch (fields.getOrDefault("event", "")) {
        case "opened" -> kind = Kind.OPENED;
        case "closed" -> kind = Kind.CLOSED;
        case "reset" -> kind = Kind.RESET;
        case "unreachable" -> kind = Kind.UNREACHABLE;
        case "ended" -> kind = Kind.ENDED;
        default -> {
          return null;
        }
      }
    }
    long nanos = number(fields, "nanos", Long.MAX_VALUE, place);
    if (!before.isEmpty() && nanos < before.get(before.size() - 1).nanos()) {
      throw new RecordingException(
          place + "found " + nanos + " nanos, which is before the line above; expected no less");
    }
    int connection =
        kind == Kind.ENDED ? 0 : (int) number(fields, "connection", Integer.MAX_VALUE, place);
    return new Event(nanos, connection, kind, bytes, "device".equals(fields.get("by")));
  }

  private static long number(Map<String, String> fields, String name, long most, String place)
      throws RecordingException {
    String text = fields.getOrDefault(name, "nothing");
    if (text.matches("[0-9]{1,18}")) {
      long number = Long.parseLong(text);
      if (number <= most) {
        return number;
      }
    }
    throw new RecordingException(
        place + "found " + name + " " + text + "; expected a whole number that isn't negative");
  }
}
