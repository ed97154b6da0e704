package io.culvert.device.modbus;

import io.culvert.api.Point;
import io.culvert.api.Problem;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the driver is told beyond the endpoint.
 *
 * @param order of the bytes of numbers, where an address names none; {@code abcd} if not set
 * @param maxGap registers read though not wanted, to merge neighbours into one request; 0 to 124, 8
 *     if not set. For coils and discrete inputs, sixteen times as many
 * @param maxBlock registers a request, 4 (the widest number) to 125 (V1.1b3, 6.3), 125 if not set.
 *     For coils and discrete inputs, sixteen times as many, so 2000 (V1.1b3, 6.1)
 * @param align registers of which each request for reading begins at a multiple and asks for a
 *     multiple, 1 to {@code maxBlock}, 1 if not set. For coils and discrete inputs, sixteen times
 *     as many
 * @param forbidden what is never read, not even to merge neighbours; empty if not set
 * @param inFlight requests that may be under way to the device at once, 1 to 16, 1 if not set; the
 *     transport may carry fewer
 * @param responseTimeout how long one request among several of an exchange may stay unanswered
 *     before the next is tried; 10 ms to 60 s, 800 ms if not set. A request that is alone has the
 *     whole of the core's deadline. Less than half of that deadline, so that two silent blocks
 *     don't cost the others' values
 * @param write which of the functions for writing the device knows
 * @param zone of the device's clock; Asia/Shanghai if not set
 * @param broadcast whether this is no device but all of a line at once: unit 0, which is written to
 *     and never answers
 */
record Settings(
    Order order,
    int maxGap,
    int maxBlock,
    int align,
    List<Range> forbidden,
    int inFlight,
    Duration responseTimeout,
    Write write,
    ZoneId zone,
    boolean broadcast) {
  static final Settings DEFAULT =
      new Settings(
          Order.ABCD,
          8,
          125,
          1,
          List.of(),
          1,
          Duration.ofMillis(800),
          Write.ANY,
          ZoneId.of("Asia/Shanghai"),
          false);

  private static final List<String> KEYS =
      List.of(
          "order",
          "maxGap",
          "maxBlock",
          "align",
          "forbidden",
          "inFlight",
          "responseTimeout",
          "write",
          "zone",
          "broadcast");
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,5})(ms|s)");

  /** Functions for writing coils and registers. */
  enum Write {
    /** 05 and 06 for one, 15 and 16 for more; where one is unknown, the other. */
    ANY,
    /** 05 and 06 only: a value of several registers is written in as many requests. */
    SINGLE,
    /** 15 and 16 only. */
    MULTIPLE
  }

  /**
   * Entries of a table.
   *
   * @param to the last
   */
  record Range(Table table, int from, int to) {
    @Override
    public String toString() {
      return table + ":" + from + (to == from ? "" : "-" + to);
    }
  }

  static Settings parse(Map<String, String> settings, Consumer<Problem> problems) {
    for (String key : settings.keySet()) {
      if (!KEYS.contains(key)) {
        problems.accept(new Problem("settings." + key, key, Nearest.expected(key, KEYS)));
      }
    }
    int maxBlock = number(settings, "maxBlock", 4, 125, " registers", DEFAULT.maxBlock, problems);
    return new Settings(
        order(settings.get("order"), "settings.order", DEFAULT.order, problems),
        number(settings, "maxGap", 0, 124, " registers", DEFAULT.maxGap, problems),
        maxBlock,
        number(settings, "align", 1, maxBlock, " registers, maxBlock at most", 1, problems),
        forbidden(settings.get("forbidden"), problems),
        number(settings, "inFlight", 1, 16, " requests", DEFAULT.inFlight, problems),
        duration(settings.get("responseTimeout"), problems),
        write(settings.get("write"), problems),
        zone(settings.get("zone"), problems),
        flag(settings.get("broadcast"), problems));
  }

  /**
   * Checks what a unit says of the device. On a serial line 0 is all units at once (Serial Line
   * V1.02, 2.2), which nobody should write by mistake. A device that is on TCP itself takes 0 for
   * its own (Messaging Guide V1.0b, 4.4), but a gateway may pass it on: the setting decides.
   *
   * @param serial whether units are those of a serial line
   */
  void check(int unit, boolean serial, List<Point> points, Consumer<Problem> problems) {
    if (!broadcast) {
      if (unit == 0 && serial) {
        problems.accept(
            new Problem(
                "endpoint",
                "unit=0",
                "unit=1–247; 0 is all units at once, which takes the setting broadcast: true and"
                    + " points that are only written"));
      }
      return;
    }
    if (unit != 0) {
      problems.accept(
          new Problem(
              "settings.broadcast",
              "true with unit=" + unit,
              "unit=0, which is all units at once"));
    }
    for (Point point : points) {
      if (point.access().readable()) {
        problems.accept(
            new Problem(
                "points." + point.id() + ".access",
                point.access().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                "write: nobody answers a broadcast"));
      }
    }
  }

  /** Entries that make up one of those that {@link #maxGap} and its like count. */
  static int unit(Table table) {
    return table.bits() ? 16 : 1;
  }

  /** First entry of the aligned request for some. */
  int floor(Table table, int start) {
    return start - start % step(table);
  }

  /** End of the aligned request for some; not beyond the table. */
  int ceiling(Table table, int end) {
    int step = step(table);
    return Math.min((end + step - 1) / step * step, Table.SIZE);
  }

  private int step(Table table) {
    return align == 1 || table == Table.FILE ? 1 : align * unit(table);
  }

  /** The first forbidden range that some entries touch; {@code null} if none. */
  Range forbidden(Table table, int start, int end) {
    for (Range range : forbidden) {
      if (range.table == table && range.from < end && start <= range.to) {
        return range;
      }
    }
    return null;
  }

  /** The order written, or the one given if none is written or it is wrong. */
  static Order order(String text, String key, Order otherwise, Consumer<Problem> problems) {
    if (text == null) {
      return otherwise;
    }
    return Order.named(text)
        .orElseGet(
            () -> {
              String found = text.isBlank() ? "nothing" : text;
              problems.accept(new Problem(key, found, Nearest.expected(text, Order.NAMES)));
              return otherwise;
            });
  }

  private static int number(
      Map<String, String> settings,
      String key,
      int least,
      int most,
      String what,
      int otherwise,
      Consumer<Problem> problems) {
    String text = settings.get(key);
    if (text == null) {
      return otherwise;
    }
    OptionalInt number = Numbers.parse(text);
    if (number.isEmpty() || number.getAsInt() < least || number.getAsInt() > most) {
      problems.accept(new Problem("settings." + key, text, least + "–" + most + what));
      return otherwise;
    }
    return number.getAsInt();
  }

  /** Such as {@code holding:100-120,4096-5000,input:7}: a table holds for what follows it. */
  private static List<Range> forbidden(String text, Consumer<Problem> problems) {
    if (text == null || text.isBlank()) {
      return List.of();
    }
    List<Range> ranges = new ArrayList<>();
    Table table = null;
    for (String part : text.split(",", -1)) {
      String[] place = part.strip().split(":", 2);
      if (place.length == 2) {
        table = Table.named(place[0]).filter(t -> t != Table.FILE).orElse(null);
      }
      String[] ends = place[place.length - 1].strip().split("-", 2);
      OptionalInt from = Numbers.parse(ends[0].strip());
      OptionalInt to = Numbers.parse(ends[ends.length - 1].strip());
      if (table == null
          || from.isEmpty()
          || to.isEmpty()
          || to.getAsInt() >= Table.SIZE
          || from.getAsInt() > to.getAsInt()) {
        problems.accept(
            new Problem(
                "settings.forbidden",
                part.isBlank() ? "an empty part" : part.strip(),
                "table:first-last, such as holding:100-120,4096-5000,input:7"));
        return List.of();
      }
      ranges.add(new Range(table, from.getAsInt(), to.getAsInt()));
    }
    return List.copyOf(ranges);
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

  private static Write write(String text, Consumer<Problem> problems) {
    if (text == null) {
      return DEFAULT.write;
    }
    switch (text) {
      case "single":
        return Write.SINGLE;
      case "multiple":
        return Write.MULTIPLE;
      default:
        problems.accept(
            new Problem(
                "settings.write",
                text,
                "single (functions 05 and 06 only) or multiple (15 and 16 only); without it, what"
                    + " the device knows"));
        return DEFAULT.write;
    }
  }

  private static ZoneId zone(String text, Consumer<Problem> problems) {
    if (text == null) {
      return DEFAULT.zone;
    }
    try {
      return ZoneId.of(text);
    } catch (DateTimeException unknown) {
      problems.accept(
          new Problem("settings.zone", text, "a time zone such as Asia/Shanghai, UTC or +08:00"));
      return DEFAULT.zone;
    }
  }

  private static boolean flag(String text, Consumer<Problem> problems) {
    if (text == null) {
      return DEFAULT.broadcast;
    }
    if (Stream.of("true", "false").noneMatch(text::equals)) {
      problems.accept(new Problem("settings.broadcast", text, "true or false"));
    }
    return text.equals("true");
  }
}
