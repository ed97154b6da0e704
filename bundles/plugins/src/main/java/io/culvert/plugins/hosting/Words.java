package io.culvert.plugins.hosting;

import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** An exception in words: all that crosses the wire of one. */
final class Words {
  private static final int LONGEST = 1000;

  private Words() {}

  /** Message of an {@link IOException}, kind and message of any other. */
  static String of(Throwable thrown) {
    Throwable t = root(thrown);
    String message;
    try {
      message = t.getMessage();
    } catch (RuntimeException e) {
      message = null;
    }
    String kind = t.getClass().getSimpleName();
    String words =
        message == null || message.isBlank()
            ? kind
            : t instanceof IOException ? message : kind + ": " + message;
    return shortened(words);
  }

  /** No longer than anybody reads. */
  static String shortened(String words) {
    return words.length() > LONGEST ? words.substring(0, LONGEST) + "…" : words;
  }

  /** Without what futures put around it. */
  static Throwable root(Throwable thrown) {
    Throwable t = thrown;
    while ((t instanceof CompletionException || t instanceof ExecutionException)
        && t.getCause() != null) {
      t = t.getCause();
    }
    return t;
  }
}
