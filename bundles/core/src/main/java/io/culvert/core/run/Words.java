package io.culvert.core.run;

import java.time.Duration;

/** How things are told to people. */
final class Words {
  private Words() {}

  /** So many of something, in English. */
  static String count(long number, String one) {
    return number + " " + one + (number == 1 ? "" : "s");
  }

  /** As a person would write it in the site document: {@code 250ms}, {@code 2s}, {@code 5m}. */
  static String of(Duration duration) {
    long millis = duration.toMillis();
    if (millis == 0 || millis % 1000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1000;
    if (seconds % 3600 == 0) {
      return seconds / 3600 + "h";
    }
    return seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }
}
