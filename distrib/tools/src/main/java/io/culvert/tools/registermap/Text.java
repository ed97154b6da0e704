package io.culvert.tools.registermap;

import java.math.BigDecimal;
import java.text.Normalizer;
import java.util.Locale;

/** Small matters of texts and numbers in cells. */
final class Text {
  private static final int SHOWN = 60;

  private Text() {}

  static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  /** As a message repeats it: short, on one line. */
  static String shown(String text) {
    String line = text.strip().replaceAll("[\\p{Cntrl}\\p{Cf}]+", " ");
    return line.codePointCount(0, line.length()) <= SHOWN
        ? line
        : line.substring(0, line.offsetByCodePoints(0, SHOWN)) + "…";
  }

  /** In quotation marks, or the word for nothing. */
  static String quoted(String text) {
    return text.isBlank() ? "nothing" : '"' + shown(text) + '"';
  }

  /**
   * In the plain form of each character: full-width letters, ℃ and ³ as everyday ones; white space
   * of any kind as one blank.
   */
  static String plain(String text) {
    return Normalizer.normalize(text, Normalizer.Form.NFKC)
        .replaceAll("[\\s\\p{Z}\\p{Cf}\\p{Cntrl}]+", " ")
        .strip();
  }

  /** To compare by: letters and digits alone, in lower case. */
  static String key(String text) {
    return plain(text).toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", "");
  }

  /** The one way of writing a number: no needless zeros, an exponent only where it is shorter. */
  static String number(BigDecimal number) {
    BigDecimal least = number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
    int magnitude = least.precision() - least.scale();
    return magnitude > 20 || magnitude < -10
        ? least.toString().replace("E", "e")
        : least.toPlainString();
  }
}
