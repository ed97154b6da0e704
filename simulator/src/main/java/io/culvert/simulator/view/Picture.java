package io.culvert.simulator.view;

import io.culvert.simulator.audit.LedgerClaim;
import io.culvert.simulator.platform.Platform;
import io.culvert.simulator.platform.Platform.Latest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Composes the live view: lines no wider and no more than the terminal has. One thread. */
public final class Picture {
  private static final String RESET = "\033[0m";
  private static final String BOLD = "\033[1m";
  private static final String DIM = "\033[2m";
  private static final String CYAN = "\033[36m";
  private static final String GREEN = "\033[32m";
  private static final String YELLOW = "\033[33m";
  private static final String RED = "\033[31m";
  private static final int HISTORY = 40;
  private static final long PAGE_MILLIS = 4_000;

  private final Words words;
  private final Platform platform;
  private final Scene scene;
  private final Deque<Double> rates = new ArrayDeque<>();
  private long sampledAt;
  private long sampledReadings;
  private long sampledMessages;
  private double messageRate;

  /**
   * What doesn't change while it runs.
   *
   * @param street line on the street
   * @param footer where things listen
   * @param devices how many are on the street
   * @param startedAt epoch milliseconds
   * @param seconds planned duration, 0 for none
   */
  public record Scene(String street, String footer, int devices, long startedAt, long seconds) {}

  /**
   * What is new in this picture.
   *
   * @param note what is going on, {@code ""} if nothing special is
   * @param answers shown by the street, −1 where there is none
   */
  public record Moment(
      long now, String note, long answers, long duplicates, List<LedgerClaim> ledger) {}

  public Picture(Words words, Platform platform, Scene scene) {
    this.words = words;
    this.platform = platform;
    this.scene = scene;
  }

  /** Takes the measure of the last second; call often. */
  public void sample(long now) {
    if (sampledAt == 0) {
      sampledAt = now;
      return;
    }
    if (now - sampledAt < 1_000) {
      return;
    }
    double seconds = (now - sampledAt) / 1e3;
    rates.addLast((platform.readings() - sampledReadings) / seconds);
    messageRate = (platform.messages() - sampledMessages) / seconds;
    if (rates.size() > HISTORY) {
      rates.removeFirst();
    }
    sampledAt = now;
    sampledReadings = platform.readings();
    sampledMessages = platform.messages();
  }

  /** Readings in the last second. */
  public double rate() {
    return rates.isEmpty() ? 0 : rates.peekLast();
  }

  /** Messages in the last second. */
  public double messageRate() {
    return messageRate;
  }

  /** The whole picture. */
  public List<String> lines(Moment moment, int columns, int rows) {
    List<String> lines = new ArrayList<>();
    header(lines, moment, columns);
    List<String> foot = foot(moment, columns);
    table(lines, moment, columns, rows - lines.size() - foot.size());
    while (lines.size() < rows - foot.size()) {
      lines.add("");
    }
    lines.addAll(foot);
    return lines;
  }

  private void header(List<String> lines, Moment moment, int columns) {
    long ran = (moment.now() - scene.startedAt()) / 1000;
    String clock =
        scene.seconds() > 0
            ? words.get("runningOf", Text.clock(ran), Text.clock(scene.seconds()))
            : words.get("running", Text.clock(ran));
    String name = " " + words.get("title") + "  " + platform.gatewayId();
    int room = columns - Text.width(clock) - 1;
    String left = Text.left(name, Math.max(0, room));
    lines.add(BOLD + CYAN + left + RESET + BOLD + clock + RESET);
    lines.add(DIM + Text.cut(" " + scene.street(), columns) + RESET);
    lines.add("");
    lines.add(figures(columns, "read", "suppressed", "accepted", "confirmed"));
    StringBuilder second = new StringBuilder(figures(columns, "pending", "missed", "dropped"));
    second.append(
        cell(columns, "twice", moment.duplicates(), moment.duplicates() > 0 ? YELLOW : ""));
    lines.add(second.toString());
    String now =
        " "
            + words.get("platform")
            + "  "
            + Text.count(rate())
            + " "
            + words.get("readingsPerSecond")
            + "  "
            + Text.count(messageRate)
            + " "
            + words.get("messagesPerSecond")
            + "  "
            + words.get("online", platform.online(), scene.devices());
    String bars = Text.bars(List.copyOf(rates));
    int left2 = columns - Text.width(now) - 3;
    if (left2 > 4) {
      String shown = bars.substring(Math.max(0, bars.length() - left2));
      lines.add(BOLD + now + RESET + "  " + GREEN + shown + RESET);
    } else {
      lines.add(BOLD + Text.cut(now, columns) + RESET);
    }
    lines.add(rule(columns));
  }

  private String figures(int columns, String... names) {
    StringBuilder line = new StringBuilder();
    for (String name : names) {
      double value = platform.figure(name);
      boolean alarming = (name.equals("dropped") || name.equals("missed")) && value > 0;
      line.append(cell(columns, name, value, alarming ? YELLOW : ""));
    }
    return line.toString();
  }

  private String cell(int columns, String name, double value, String colour) {
    int width = (columns - 1) / 4;
    String label = words.get(name);
    String number = Text.count(value);
    String text = " " + label + " ";
    int rest = Math.max(1, width - Text.width(text));
    return DIM + text + RESET + colour + BOLD + Text.left(number, rest) + RESET;
  }

  private static String rule(int columns) {
    return DIM + "─".repeat(columns) + RESET;
  }

  private void table(List<String> lines, Moment moment, int columns, int room) {
    boolean narrow = columns < 76;
    int value = narrow ? 11 : 14;
    int unit = narrow ? 6 : 7;
    int quality = narrow ? 9 : 13;
    int age = 8;
    int names = Math.max(20, columns - value - unit - quality - age - 4);
    int device = Math.min(16, names * 2 / 5);
    int point = names - device - 1;
    lines.add(
        DIM
            + " "
            + Text.left(words.get("device"), device)
            + " "
            + Text.left(words.get("point"), point)
            + Text.right(words.get("value"), value)
            + " "
            + Text.left(words.get("unit"), unit)
            + " "
            + Text.left(words.get("quality"), quality)
            + Text.right(words.get("age"), age)
            + RESET);
    List<String> devices = alternating(platform.devices());
    if (devices.isEmpty()) {
      lines.add(" " + words.get("waiting"));
      return;
    }
    int left = room - 1;
    int at = (int) ((moment.now() - scene.startedAt()) / PAGE_MILLIS % devices.size());
    for (int i = 0; i < devices.size() && left > 0; i++) {
      String id = devices.get((at + i) % devices.size());
      String shownId = id;
      for (Map.Entry<String, Latest> entry : platform.latest(id).entrySet()) {
        if (left == 0) {
          break;
        }
        if (entry.getKey().startsWith("tick")) {
          continue;
        }
        Latest latest = entry.getValue();
        String shown = Text.value(latest.value());
        // What is long, such as the words of an alarm, may have what the point's name leaves free.
        int free = Math.max(0, point - Text.width(entry.getKey()) - 1);
        int wide = Math.min(value + free, Math.max(value, Text.width(shown)));
        lines.add(
            " "
                + CYAN
                + Text.left(shownId, device)
                + RESET
                + " "
                + Text.left(entry.getKey(), point - wide + value)
                + BOLD
                + Text.right(shown, wide)
                + RESET
                + " "
                + Text.left(Text.unit(latest.unit()), unit)
                + " "
                + quality(latest.quality(), quality)
                + DIM
                + Text.right(Text.age(moment.now() - latest.eventMillis()), age)
                + RESET);
        shownId = "";
        left--;
      }
    }
  }

  private String quality(String quality, int width) {
    if (quality.equals("Good")) {
      return GREEN + Text.left(words.get("good"), width) + RESET;
    }
    return (quality.startsWith("Bad") ? RED : YELLOW) + Text.left(quality, width) + RESET;
  }

  private List<String> foot(Moment moment, int columns) {
    List<String> foot = new ArrayList<>();
    foot.add(rule(columns));
    List<LedgerClaim> ledger = moment.ledger();
    String last =
        ledger.isEmpty()
            ? words.get("ledgerEmpty")
            : "(" + ledger.size() + ") " + ledger.get(ledger.size() - 1);
    foot.add(Text.cut(" " + words.get("ledger") + "  " + last, columns));
    String footer = words.get("ends") + " · " + scene.footer();
    foot.add(
        moment.note().isEmpty()
            ? DIM + Text.cut(" " + footer, columns) + RESET
            : BOLD + YELLOW + Text.cut(" " + moment.note(), columns) + RESET);
    return foot;
  }

  /** Devices in turn from each family (the id without its number), so that a page shows many. */
  private static List<String> alternating(List<String> ids) {
    Map<String, Deque<String>> families = new LinkedHashMap<>();
    for (String id : ids) {
      String family = id.replaceFirst("-?\\d+$", "");
      families.computeIfAbsent(family, key -> new ArrayDeque<>()).add(id);
    }
    List<String> order = new ArrayList<>();
    while (!families.isEmpty()) {
      families.values().forEach(family -> order.add(family.removeFirst()));
      families.values().removeIf(Deque::isEmpty);
    }
    return order;
  }
}
