package io.culvert.mqtt;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The names of points and the codes of units as JSON has them, worked out once and not for each
 * reading. Thread-safe.
 */
final class JsonNames {
  private static final Set<String> RESERVED =
      Set.of("seq_first", "seq_count", "historical", "gateway_clock");

  /** Of each; names that no site has in such numbers are worked out anew. */
  private static final int MOST = 10_000;

  private final Map<String, Property> properties = new ConcurrentHashMap<>();
  private final Map<String, Word> words = new ConcurrentHashMap<>();

  /**
   * A point as a property with its companions.
   *
   * @param bytes of the three names with quotes and colons, at most
   * @param problem why none of its readings can be sent, {@code ""} if they can
   */
  record Property(
      SerializableString value,
      SerializableString unit,
      SerializableString quality,
      int bytes,
      String problem) {

    private static Property of(String point) {
      String problem = "";
      if (point.endsWith("_q") || point.endsWith("_u") || RESERVED.contains(point)) {
        problem = "the name " + point + " is taken by what the dialect says beside the values";
      } else if (!JsonSize.isWellFormed(point)) {
        problem = JsonSize.HALF_A_PAIR;
      }
      String safe = JsonSize.wellFormed(point);
      return new Property(
          new SerializedString(safe),
          new SerializedString(safe + "_u"),
          new SerializedString(safe + "_q"),
          3 * (JsonSize.of(point) + 4),
          problem);
    }
  }

  /**
   * @param bytes with quotes, at most
   */
  record Word(SerializableString text, int bytes, boolean wellFormed) {
    private static Word of(String text) {
      return new Word(
          new SerializedString(JsonSize.wellFormed(text)),
          JsonSize.of(text),
          JsonSize.isWellFormed(text));
    }
  }

  Property property(String point) {
    Property known = properties.get(point);
    if (known == null) {
      if (properties.size() >= MOST) {
        properties.clear();
      }
      known = Property.of(point);
      properties.put(point, known);
    }
    return known;
  }

  /** The code of a unit, or the id of a device. */
  Word word(String text) {
    Word known = words.get(text);
    if (known == null) {
      if (words.size() >= MOST) {
        words.clear();
      }
      known = Word.of(text);
      words.put(text, known);
    }
    return known;
  }
}
