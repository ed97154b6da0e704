package io.culvert.device.opcua;

/** What a person wrote, as messages show it. */
final class Shown {
  private static final int LONGEST = 80;

  private Shown() {}

  /** Shortened, with nothing in it that would spoil a line, and never blank. */
  static String of(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .limit(LONGEST)
        .forEach(c -> shown.appendCodePoint(unwritable(c) ? '\uFFFD' : c));
    if (text.codePointCount(0, text.length()) > LONGEST) {
      shown.append('…');
    }
    return shown.toString().isBlank() ? "nothing" : shown.toString();
  }

  /** The first control character or half of a character; {@code null} if there is none. */
  static String unwritable(String text) {
    return text.codePoints()
        .filter(Shown::unwritable)
        .mapToObj(c -> String.format("the character U+%04X", c))
        .findFirst()
        .orElse(null);
  }

  private static boolean unwritable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
