package io.culvert.simulator.view;

import io.culvert.simulator.audit.Intervals;
import io.culvert.simulator.evil.GatewayWord.Said;
import io.culvert.simulator.evil.Outcome;
import java.util.List;

/** How steadily readings came, and what came of evil plug-ins, for people. */
public final class EvilText {
  private static final int LABEL = 40;
  private static final int NAME = 14;
  private static final int STATE = 18;
  private static final int NUMBER = 10;
  private static final int REASON = 150;

  private EvilText() {}

  /** One line on the time between readings. */
  public static String intervals(Intervals intervals, Words words) {
    return "  "
        + Text.left(words.get("intervals"), LABEL)
        + words.get(
            "intervalsOf",
            Text.count(intervals.median()),
            Text.count(intervals.tail()),
            Text.count(intervals.longest()))
        + "\n";
  }

  /** A table, {@code ""} if there were none. */
  public static String of(List<Outcome> outcomes, Words words) {
    if (outcomes.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder("\n").append(words.get("evil")).append("\n\n");
    line(
        text,
        words.get("evilName"),
        words.get("evilState"),
        words.get("evilTimes"),
        words.get("evilGood"),
        words.get("evilBad"),
        words.get("evilDid"));
    for (Outcome outcome : outcomes) {
      Said said = outcome.said();
      line(
          text,
          outcome.evil().key(),
          state(said, words),
          Text.count(Math.max(said.times(), said.ends())),
          Text.count(outcome.good()),
          Text.count(outcome.bad()),
          words.get("evil." + outcome.evil().key()));
      for (String reason : said.quarantine()) {
        says(text, reason);
      }
      if (!said.process().isEmpty()) {
        says(text, said.process());
      }
      if (said.quarantine().isEmpty() && said.process().isEmpty()) {
        said.devices().forEach((device, word) -> says(text, device + ": " + word));
        says(text, said.message());
      }
    }
    return text.toString();
  }

  private static String state(Said said, Words words) {
    String state =
        said.times() > 0
            ? words.get("evilQuarantined")
            : said.stage().isEmpty() ? words.get("evilUnknown") : said.stage();
    return said.hosted() ? state + "+" + words.get("evilHosted") : state;
  }

  private static void line(
      StringBuilder text,
      String name,
      String state,
      String times,
      String good,
      String bad,
      String did) {
    text.append("  ")
        .append(Text.left(name, NAME))
        .append(Text.left(state, STATE))
        .append(Text.right(times, NUMBER))
        .append(Text.right(good, NUMBER))
        .append(Text.right(bad, NUMBER))
        .append("  ")
        .append(did)
        .append('\n');
  }

  private static void says(StringBuilder text, String what) {
    if (what.isEmpty()) {
      return;
    }
    text.append("      ").append(Text.cut(what.replaceAll("\\s+", " "), REASON)).append('\n');
  }
}
