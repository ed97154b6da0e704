package io.culvert.device.opcua;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lengths of time as people write them: {@code 250ms}, {@code 5s}, {@code 10min}. */
final class Spans {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,7})(ms|s|min)");

  private Spans() {}

  /** Empty if it isn't one, or is shorter than the least or longer than the most. */
  static Optional<Duration> parse(String text, Duration least, Duration most) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long number = Long.parseLong(matcher.group(1));
    Duration span =
        switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(number);
          case "s" -> Duration.ofSeconds(number);
          default -> Duration.ofMinutes(number);
        };
    return span.compareTo(least) < 0 || span.compareTo(most) > 0
        ? Optional.empty()
        : Optional.of(span);
  }

  static String words(Duration span) {
    long millis = span.toMillis();
    if (millis % 60_000 == 0 && millis > 0) {
      return millis / 60_000 + "min";
    }
    return millis % 1000 == 0 && millis > 0 ? millis / 1000 + "s" : millis + "ms";
  }
}
