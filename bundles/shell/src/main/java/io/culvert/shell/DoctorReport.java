package io.culvert.shell;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Doctor.Cause;
import io.culvert.api.service.Doctor.Cycle;
import io.culvert.api.service.Doctor.Figures;
import io.culvert.api.service.Doctor.Finding;
import io.culvert.api.service.Doctor.Lane;
import io.culvert.api.service.Doctor.Patient;
import io.culvert.api.southbound.Diagnosed.Facts;
import io.culvert.api.southbound.Diagnosed.LineFacts;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Lanes as the doctor sees them: those in trouble with all that helps to mend it, then the rest.
 */
record DoctorReport(List<Lane> lanes, Instant now) {
  /** So many lanes in trouble fit some screens; the rest is counted. */
  private static final int LANES = 5;

  /** Devices of a lane, and healthy lanes, that are listed. */
  private static final int ROWS = 12;

  /** Only the lane of that name, or with that device; {@code null} if there is none. */
  DoctorReport only(String laneOrDevice) {
    List<Lane> found =
        lanes.stream()
            .filter(
                l ->
                    l.name().equals(laneOrDevice)
                        || l.devices().stream().anyMatch(p -> p.device().equals(laneOrDevice)))
            .toList();
    return found.isEmpty() ? null : new DoctorReport(found, now);
  }

  /** Every lane with all its devices. */
  String details() {
    StringBuilder out = new StringBuilder();
    for (Lane lane : lanes) {
      detail(out, lane, Integer.MAX_VALUE);
    }
    return out.toString();
  }

  String text() {
    if (lanes.isEmpty()) {
      return "No device has a lane yet: culvert status says why.\n";
    }
    List<Lane> healthy = those(Cause.HEALTHY);
    List<Lane> unheard = those(Cause.UNHEARD);
    List<Lane> troubled = new ArrayList<>(lanes);
    troubled.removeAll(healthy);
    troubled.removeAll(unheard);
    StringBuilder out = new StringBuilder();
    out.append(Text.plural(lanes.size(), "lane"))
        .append(": ")
        .append(troubled.isEmpty() ? "none" : Text.count(troubled.size()))
        .append(" in trouble, ")
        .append(Text.count(healthy.size()))
        .append(" healthy")
        .append(unheard.isEmpty() ? "" : ", " + Text.count(unheard.size()) + " not judged yet")
        .append("\n\n");
    for (Lane lane : Text.first(troubled, LANES)) {
      detail(out, lane, ROWS);
      out.append('\n');
    }
    if (troubled.size() > LANES) {
      more(out, troubled.size() - LANES, "lane in trouble", "lanes in trouble");
      out.append('\n');
    }
    table(out, "Healthy:", healthy, true);
    table(out, "Not enough heard yet:", unheard, false);
    return out.toString().stripTrailing() + "\n";
  }

  private List<Lane> those(Cause cause) {
    return lanes.stream().filter(l -> l.findings().get(0).cause() == cause).toList();
  }

  private static void more(StringBuilder out, int count, String one, String several) {
    if (count > 0) {
      out.append("  … and ")
          .append(Text.count(count))
          .append(" more ")
          .append(count == 1 ? one : several)
          .append(" (culvert doctor <lane>, culvert doctor --json)\n");
    }
  }

  /** One line a lane, the busiest first. */
  private static void table(StringBuilder out, String title, List<Lane> lanes, boolean judged) {
    if (lanes.isEmpty()) {
      return;
    }
    List<Lane> busiest = new ArrayList<>(lanes);
    busiest.sort(Comparator.comparing(l -> -l.figures().busy()));
    List<List<String>> rows = new ArrayList<>();
    for (Lane lane : Text.first(busiest, ROWS)) {
      Duration slowest =
          lane.devices().stream()
              .filter(p -> p.latency() != null)
              .map(p -> p.latency().percentile95())
              .max(Comparator.naturalOrder())
              .orElse(null);
      long heard = lane.devices().stream().mapToLong(p -> p.exchanges().made()).sum();
      rows.add(
          List.of(
              "  " + lane.name(),
              Text.count(lane.devices().size()),
              judged ? (slowest == null ? "-" : Text.brief(slowest)) : Text.count(heard),
              Text.percent(lane.figures().busy()),
              lane.figures().round().isZero() ? "-" : Text.brief(lane.figures().round())));
    }
    out.append(title).append('\n');
    out.append(
        Text.table(
            List.of("  lane", "devices", judged ? "95 % within" : "exchanges", "busy", "one round"),
            rows));
    more(out, lanes.size() - ROWS, "lane", "lanes");
    out.append('\n');
  }

  private void detail(StringBuilder out, Lane lane, int most) {
    Figures f = lane.figures();
    out.append(
        Text.wrap(
            "",
            "  ",
            "%s: %s busy%s in the last %s"
                .formatted(
                    lane.name(),
                    Text.percent(f.busy()),
                    f.unanswered() < 0.005
                        ? ""
                        : ", " + Text.percent(f.unanswered()) + " of it without an answer,",
                    Text.span(f.span()))));
    for (Finding finding : lane.findings()) {
      out.append(Text.wrap("  " + label(finding.cause()) + ": ", "    ", finding.evidence() + "."));
      if (!finding.advice().isEmpty()) {
        out.append(Text.wrap("    ", "    ", finding.advice()));
      }
    }
    List<Patient> patients = new ArrayList<>(lane.devices());
    patients.sort(Comparator.comparing(DoctorReport::trouble).reversed());
    out.append(devices(Text.first(patients, most)));
    more(out, patients.size() - most, "device", "devices");
    if (!f.round().isZero()) {
      out.append(
          Text.wrap(
              "  ",
              "    ",
              "Reading everything once takes %s; at the intervals wanted, %s of the lane.%s"
                  .formatted(Text.brief(f.round()), Text.percent(f.wanted()), waiting(f))));
    }
    String heard = heard(f.line());
    if (!heard.isEmpty()) {
      out.append(Text.wrap("  ", "    ", "Heard on the line: " + heard + "."));
    }
  }

  private static String waiting(Figures f) {
    return f.longestWait().toMillis() < 10
        ? ""
        : " Waiting for a turn: %s on average, %s at most."
            .formatted(Text.brief(f.meanWait()), Text.brief(f.longestWait()));
  }

  private static String label(Cause cause) {
    return cause.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /** For the order: whom something is wrong with first. */
  private static double trouble(Patient p) {
    long lost = p.exchanges().made() - p.exchanges().answered() + broken(p);
    return p.exchanges().unansweredInARow() >= 3
        ? 2
        : (double) lost / Math.max(1, p.exchanges().made());
  }

  private static long broken(Patient p) {
    return p.facts() == null ? 0 : p.facts().checksumErrors() + p.facts().malformed();
  }

  private static long refused(Patient p) {
    return p.facts() == null
        ? 0
        : p.facts().refusals().values().stream().mapToLong(Long::longValue).sum();
  }

  private static long lost(Patient p) {
    return p.facts() == null
        ? p.exchanges().timeouts()
        : Math.max(p.facts().timeouts(), p.exchanges().timeouts());
  }

  /** The columns that have something to tell. */
  private String devices(List<Patient> patients) {
    Map<String, Function<Patient, String>> columns = new java.util.LinkedHashMap<>();
    columns.put("  device", p -> "  " + p.device());
    columns.put(
        "answered",
        p -> Text.count(p.exchanges().answered()) + "/" + Text.count(p.exchanges().made()));
    columns.put("median", p -> p.latency() == null ? "-" : Text.brief(p.latency().median()));
    columns.put("95 %", p -> p.latency() == null ? "-" : Text.brief(p.latency().percentile95()));
    columns.put("longest", p -> p.latency() == null ? "-" : Text.brief(p.latency().longest()));
    columns.put("lost", p -> Text.count(lost(p)));
    columns.put("broken", p -> Text.count(broken(p)));
    columns.put("refused", p -> Text.count(refused(p)));
    columns.put("left out", p -> Text.count(p.exchanges().missed()));
    columns.put("last answer", p -> ago(p.lastAnswer()));
    for (String optional : List.of("lost", "broken", "refused", "left out")) {
      if (patients.stream().allMatch(p -> columns.get(optional).apply(p).equals("0"))) {
        columns.remove(optional);
      }
    }
    List<List<String>> rows = new ArrayList<>();
    for (Patient p : patients) {
      rows.add(columns.values().stream().map(column -> column.apply(p)).toList());
    }
    return Text.table(List.copyOf(columns.keySet()), rows);
  }

  private String ago(Instant then) {
    return then != null && Duration.between(then, now).toSeconds() < 1
        ? "< 1 s ago"
        : then == null ? "never" : Text.age(then, now) + " ago";
  }

  private static String heard(LineFacts line) {
    List<String> heard = new ArrayList<>();
    if (line != null) {
      add(heard, line.foreign(), "request of another master");
      add(heard, line.collisions(), "collision");
      add(heard, line.wrongUnit(), "answer of another unit");
      add(heard, line.late(), "answer too late");
      add(heard, line.noise(), "byte of noise");
    }
    return String.join(", ", heard);
  }

  private static void add(List<String> heard, long count, String one) {
    if (count > 0) {
      // The noun comes first in each of them.
      heard.add(Text.count(count) + " " + (count == 1 ? one : one.replaceFirst("^\\w+", "$0s")));
    }
  }

  String json() throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator g = new JsonFactory().createGenerator(out)) {
      g.useDefaultPrettyPrinter();
      g.writeStartObject();
      g.writeArrayFieldStart("lanes");
      for (Lane lane : lanes) {
        g.writeStartObject();
        g.writeStringField("lane", lane.name());
        g.writeArrayFieldStart("findings");
        for (Finding finding : lane.findings()) {
          g.writeStartObject();
          g.writeStringField("cause", label(finding.cause()));
          strings(g, "devices", finding.devices());
          g.writeStringField("evidence", finding.evidence());
          g.writeStringField("advice", finding.advice());
          g.writeEndObject();
        }
        g.writeEndArray();
        Figures f = lane.figures();
        seconds(g, "span", f.span());
        share(g, "busy", f.busy());
        share(g, "unanswered", f.unanswered());
        share(g, "wanted", f.wanted());
        seconds(g, "round", f.round());
        seconds(g, "meanWait", f.meanWait());
        seconds(g, "longestWait", f.longestWait());
        if (f.line() != null) {
          g.writeObjectFieldStart("line");
          g.writeNumberField("wrongUnit", f.line().wrongUnit());
          g.writeNumberField("late", f.line().late());
          g.writeNumberField("foreign", f.line().foreign());
          g.writeNumberField("collisions", f.line().collisions());
          g.writeNumberField("noise", f.line().noise());
          g.writeEndObject();
        }
        g.writeArrayFieldStart("devices");
        for (Patient p : lane.devices()) {
          patient(g, p);
        }
        g.writeEndArray();
        g.writeEndObject();
      }
      g.writeEndArray();
      g.writeEndObject();
    }
    return out.append('\n').toString();
  }

  private static void patient(JsonGenerator g, Patient p) throws IOException {
    g.writeStartObject();
    g.writeStringField("id", p.device());
    g.writeStringField("state", p.state().name().toLowerCase(Locale.ROOT));
    seconds(g, "span", p.span());
    seconds(g, "timeout", p.timeout());
    g.writeArrayFieldStart("cycles");
    for (Cycle cycle : p.cycles()) {
      g.writeStartObject();
      seconds(g, "interval", cycle.interval());
      seconds(g, "takes", cycle.takes());
      g.writeEndObject();
    }
    g.writeEndArray();
    g.writeObjectFieldStart("exchanges");
    g.writeNumberField("made", p.exchanges().made());
    g.writeNumberField("answered", p.exchanges().answered());
    g.writeNumberField("timeouts", p.exchanges().timeouts());
    g.writeNumberField("missed", p.exchanges().missed());
    g.writeNumberField("unansweredInARow", p.exchanges().unansweredInARow());
    g.writeEndObject();
    if (p.latency() != null) {
      g.writeObjectFieldStart("latency");
      seconds(g, "median", p.latency().median());
      seconds(g, "percentile95", p.latency().percentile95());
      seconds(g, "longest", p.latency().longest());
      g.writeEndObject();
    }
    seconds(g, "meanWait", p.meanWait());
    seconds(g, "longestWait", p.longestWait());
    share(g, "busy", p.busy());
    Facts facts = p.facts();
    if (facts != null) {
      g.writeObjectFieldStart("requests");
      g.writeNumberField("sent", facts.requests());
      g.writeNumberField("answered", facts.answers());
      g.writeNumberField("timeouts", facts.timeouts());
      g.writeNumberField("checksumErrors", facts.checksumErrors());
      g.writeNumberField("malformed", facts.malformed());
      seconds(g, "answerTime", Duration.ofNanos(facts.answerNanos()));
      g.writeObjectFieldStart("refusals");
      for (Map.Entry<String, Long> refusal : new TreeMap<>(facts.refusals()).entrySet()) {
        g.writeNumberField(refusal.getKey(), refusal.getValue());
      }
      g.writeEndObject();
      g.writeEndObject();
    }
    g.writeObjectFieldStart("refusedPoints");
    for (Map.Entry<String, List<String>> refused : new TreeMap<>(p.refused()).entrySet()) {
      strings(g, refused.getKey(), refused.getValue());
    }
    g.writeEndObject();
    if (p.lastAnswer() != null) {
      g.writeStringField("lastAnswer", p.lastAnswer().toString());
    }
    if (p.lastTrouble() != null) {
      g.writeStringField("lastTrouble", p.lastTrouble().toString());
    }
    g.writeStringField("lastFailure", p.lastFailure());
    g.writeEndObject();
  }

  private static void strings(JsonGenerator g, String field, List<String> texts)
      throws IOException {
    g.writeArrayFieldStart(field);
    for (String text : texts) {
      g.writeString(text);
    }
    g.writeEndArray();
  }

  private static void seconds(JsonGenerator g, String field, Duration d) throws IOException {
    g.writeNumberField(field, Math.round(d.toNanos() / 1e3) / 1e6);
  }

  private static void share(JsonGenerator g, String field, double share) throws IOException {
    g.writeNumberField(field, Math.round(share * 1e4) / 1e4);
  }
}
