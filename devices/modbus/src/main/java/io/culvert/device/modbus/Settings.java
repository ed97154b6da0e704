package io.culvert.device.modbus;

import io.culvert.api.Problem;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the driver is told beyond the endpoint.
 *
 * @param order of bytes, where an address names none; {@code abcd} if not set
 * @param maxGap registers read though not wanted, to merge neighbours into one request; 0 to 124, 8
 *     if not set. For coils and discrete inputs, sixteen times as many
 * @param maxBlock registers a request, 4 (the widest value) to 125 (V1.1b3, 6.3), 125 if not set.
 *     For coils and discrete inputs, sixteen times as many, so 2000 (V1.1b3, 6.1)
 * @param responseTimeout how long one request among several of an exchange may stay unanswered
 *     before the next is tried; 10 ms to 60 s, 800 ms if not set. A request that is alone has the
 *     whole of the core's deadline. Less than half of that deadline, so that two silent blocks
 *     don't cost the others' values
 */
record Settings(Order order, int maxGap, int maxBlock, Duration responseTimeout) {
  static final Settings DEFAULT = new Settings(Order.ABCD, 8, 125, Duration.ofMillis(800));

  private static final List<String> KEYS =
      List.of("order", "maxGap", "maxBlock", "responseTimeout");
  private static final List<String> ORDERS =
      Stream.of(Order.values()).map(Order::toString).toList();
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,5})(ms|s)");

  static Settings parse(Map<String, String> settings, Consumer<Problem> problems) {
    for (String key : settings.keySet()) {
      if (!KEYS.contains(key)) {
        problems.accept(new Problem("settings." + key, key, Nearest.expected(key, KEYS)));
      }
    }
    return new Settings(
        order(settings.get("order"), "settings.order", DEFAULT.order, problems),
        number(settings, "maxGap", 0, 124, DEFAULT.maxGap, problems),
        number(settings, "maxBlock", 4, 125, DEFAULT.maxBlock, problems),
        duration(settings.get("responseTimeout"), problems));
  }

  /** The order written, or the one given if none is written or it is wrong. */
  static Order order(String text, String key, Order otherwise, Consumer<Problem> problems) {
    if (text == null) {
      return otherwise;
    }
    if (!ORDERS.contains(text)) {
      problems.accept(new Problem(key, text, Nearest.expected(text, ORDERS)));
      return otherwise;
    }
    return Order.values()[ORDERS.indexOf(text)];
  }

  private static int number(
      Map<String, String> settings,
      String key,
      int least,
      int most,
      int otherwise,
      Consumer<Problem> problems) {
    String text = settings.get(key);
    if (text == null) {
      return otherwise;
    }
    OptionalInt number = Numbers.parse(text);
    if (number.isEmpty() || number.getAsInt() < least || number.getAsInt() > most) {
      problems.accept(new Problem("settings." + key, text, least + "–" + most + " registers"));
      return otherwise;
    }
    return number.getAsInt();
  }

  private static Duration duration(String text, Consumer<Problem> problems) {
    if (text == null) {
      return DEFAULT.responseTimeout;
    }
    Matcher matcher = DURATION.matcher(text);
    if (matcher.matches()) {
      long number = Long.parseLong(matcher.group(1));
      long millis = matcher.group(2).equals("s") ? 1000 * number : number;
      if (millis >= 10 && millis <= 60_000) {
        return Duration.ofMillis(millis);
      }
    }
    problems.accept(new Problem("settings.responseTimeout", text, "10ms–60s, such as 800ms"));
    return DEFAULT.responseTimeout;
  }
}
