package io.culvert.simulator.view;

import io.culvert.simulator.audit.LedgerClaim;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Violation;
import java.util.List;
import java.util.Map;

/** The outcome of an audit as a table for people. */
public final class ReportText {
  private static final int LEDGER_LINES = 12;
  private static final int LEDGER_WIDTH = 100;

  private ReportText() {}

  public static String of(Report report) {
    StringBuilder text = new StringBuilder();
    text.append("Audit: truth = confirmed + ledger + suppressed\n\n");
    row(text, "", "shown", "confirmed", "ledger", "suppressed", "missing");
    report
        .byClass()
        .forEach(
            (name, tally) ->
                row(
                    text,
                    name,
                    Text.count(tally.shown()),
                    Text.count(tally.confirmed()),
                    Text.count(tally.explained()),
                    Text.count(tally.suppressed()),
                    Text.count(tally.lost())));
    row(
        text,
        "all",
        Text.count(report.shown()),
        Text.count(report.confirmed()),
        Text.count(report.explainedInAll()),
        Text.count(report.suppressed()),
        Text.count(
            report.shown() - report.confirmed() - report.explainedInAll() - report.suppressed()));
    text.append('\n');
    line(
        text,
        "received",
        Text.count(report.received().readings())
            + " readings, "
            + Text.count(report.received().historical())
            + " of them as history");
    line(
        text,
        "came twice",
        Text.count(report.received().duplicates())
            + " readings, "
            + Text.count(report.duplicatesAllowed())
            + " allowed");
    if (report.received().unjudged() > 0) {
      line(
          text,
          "not judged",
          Text.count(report.received().unjudged()) + " readings of tables without a tick counter");
    }
    for (Map.Entry<String, Long> reason : report.explained().entrySet()) {
      line(text, reason.getKey(), Text.count(reason.getValue()) + " readings explained");
    }
    ledger(text, report.ledger());
    text.append('\n');
    for (Violation violation : Violation.values()) {
      long count = report.count(violation);
      text.append(
          String.format(
              "  %-18s %12s%s%n",
              violation.label(),
              Text.count(count),
              count == 0 ? "" : "   ← " + violation.meaning()));
      for (String example : report.examples().getOrDefault(violation, List.of())) {
        text.append("      ").append(example).append('\n');
      }
    }
    text.append('\n')
        .append(
            !report.holds()
                ? "The account is OFF."
                : report.shown() == 0 ? "Nothing was shown." : "The account is exact.")
        .append('\n');
    return text.toString();
  }

  private static void ledger(StringBuilder text, List<LedgerClaim> ledger) {
    if (ledger.isEmpty()) {
      line(text, "ledger", "no entry");
      return;
    }
    line(text, "ledger", ledger.size() + (ledger.size() == 1 ? " entry" : " entries"));
    ledger.stream()
        .limit(LEDGER_LINES)
        .forEach(entry -> line(text, "", Text.cut(entry.toString(), LEDGER_WIDTH)));
    if (ledger.size() > LEDGER_LINES) {
      line(text, "", "… and " + (ledger.size() - LEDGER_LINES) + " more");
    }
  }

  private static void row(StringBuilder text, String name, String... cells) {
    text.append(String.format("  %-12s", name));
    for (String cell : cells) {
      text.append(String.format("%14s", cell));
    }
    text.append('\n');
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format("  %-14s %s%n", name, value));
  }
}
