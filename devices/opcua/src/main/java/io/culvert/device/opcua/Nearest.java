package io.culvert.device.opcua;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds what a person probably meant. */
final class Nearest {
  private Nearest() {}

  /** The word closest to the one written, if one is close enough to be a slip of the finger. */
  static Optional<String> to(String written, Collection<String> words) {
    return words.stream()
        .min(Comparator.comparingInt(word -> distance(written, word)))
        .filter(word -> distance(written, word) <= Math.max(1, word.length() / 3));
  }

  /** What is expected in words: all that may stand, and the nearest if there is one. */
  static String expected(String written, Collection<String> words) {
    String all = String.join(", ", words);
    return to(written, words).map(word -> word + "? (one of " + all + ")").orElse("one of " + all);
  }

  /** Levenshtein's distance. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int change = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }
}
