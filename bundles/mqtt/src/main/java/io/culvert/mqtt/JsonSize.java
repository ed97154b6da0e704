package io.culvert.mqtt;

import io.culvert.api.Reading;
import io.culvert.api.Value;
import java.time.Instant;
import java.util.Map;

/** How many bytes things take in JSON, at most, and what can't be said in it at all. */
final class JsonSize {

  private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59.999Z");

  static final String HALF_A_PAIR = "its text holds half a surrogate pair, which UTF-8 can't carry";

  /** Longest text of a number: a double such as -2.2250738585072014E-308. */
  private static final int NUMBER_BYTES = 26;

  /** Longest quality: a name of OPC UA and a number that JSON lacks. */
  private static final int QUALITY_BYTES = 60;

  private JsonSize() {}

  /** Upper bound for a reading with its companions. */
  static int of(Report.Item item) {
    Value value = item.entry().reading().value();
    return item.property().bytes()
        + (value == null ? 4 : of(value))
        + item.unit().bytes()
        + QUALITY_BYTES;
  }

  /**
   * Why a reading can't be sent, {@code ""} if it can.
   *
   * @param device its device's id
   * @param size of the reading
   * @param maxBytes of a message
   */
  static String reasonAgainst(Report.Item item, JsonNames.Word device, int size, int maxBytes) {
    Reading reading = item.entry().reading();
    if (!item.property().problem().isEmpty()) {
      return item.property().problem();
    }
    if (reading.eventTime().isBefore(FIRST) || reading.eventTime().isAfter(LAST)) {
      return "its time " + reading.eventTime() + " has no four-digit year";
    }
    int needed = Report.alone(device.bytes(), size);
    if (needed > maxBytes || needed < 0) {
      return "it takes up to " + needed + " bytes, a message holds " + maxBytes;
    }
    boolean wellFormed =
        device.wellFormed()
            && item.unit().wellFormed()
            && (reading.value() == null || isWellFormed(reading.value()));
    return wellFormed ? "" : HALF_A_PAIR;
  }

  private static int of(Value value) {
    if (value instanceof Value.Text text) {
      return of(text.value());
    } else if (value instanceof Value.Bytes bytes) {
      return (bytes.value().length + 2) / 3 * 4 + 2;
    } else if (value instanceof Value.Array array) {
      return array.values().stream().mapToInt(v -> of(v) + 1).sum() + 2;
    } else if (value instanceof Value.Struct struct) {
      int sum = 2;
      for (Map.Entry<String, Value> field : struct.fields().entrySet()) {
        sum += of(field.getKey()) + of(field.getValue()) + 2;
      }
      return sum;
    }
    return NUMBER_BYTES;
  }

  /** Bytes of a text in quotes, escaped, in UTF-8. */
  static int of(String text) {
    int sum = 2;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x20) {
        sum += 6;
      } else if (c == '"' || c == '\\') {
        sum += 2;
      } else if (c < 0x80) {
        sum += 1;
      } else if (c < 0x800) {
        sum += 2;
      } else {
        sum += 3;
      }
    }
    return sum;
  }

  /** The text with the sign for the unreadable in place of halves of surrogate pairs. */
  static String wellFormed(String text) {
    if (isWellFormed(text)) {
      return text;
    }
    return new String(
        text.codePoints().map(c -> c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c).toArray(),
        0,
        (int) text.codePoints().count());
  }

  private static boolean isWellFormed(Value value) {
    if (value instanceof Value.Text text) {
      return isWellFormed(text.value());
    } else if (value instanceof Value.Array array) {
      return array.values().stream().allMatch(JsonSize::isWellFormed);
    } else if (value instanceof Value.Struct struct) {
      return struct.fields().entrySet().stream()
          .allMatch(f -> isWellFormed(f.getKey()) && isWellFormed(f.getValue()));
    }
    return true;
  }

  static boolean isWellFormed(String text) {
    return text.codePoints().noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
  }
}
