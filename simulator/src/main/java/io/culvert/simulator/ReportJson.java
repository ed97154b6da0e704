package io.culvert.simulator;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.simulator.audit.Intervals;
import io.culvert.simulator.audit.LedgerClaim;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Violation;
import io.culvert.simulator.evil.GatewayWord;
import io.culvert.simulator.evil.Outcome;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The outcome of an audit for programs. */
final class ReportJson {
  private ReportJson() {}

  /**
   * @param figures of the run, by name
   */
  static void write(Report report, Map<String, Long> figures, Path file) throws IOException {
    write(report, figures, null, List.of(), file);
  }

  /**
   * @param figures of the run, by name
   * @param intervals between readings, {@code null} for none
   * @param outcomes of evil plug-ins
   */
  static void write(
      Report report,
      Map<String, Long> figures,
      Intervals intervals,
      List<Outcome> outcomes,
      Path file)
      throws IOException {
    try (Writer writer = Files.newBufferedWriter(file);
        JsonGenerator json = new JsonFactory().createGenerator(writer)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      json.writeBooleanField("holds", report.holds());
      json.writeNumberField("answers", report.answers());
      json.writeNumberField("shown", report.shown());
      json.writeNumberField("confirmed", report.confirmed());
      json.writeNumberField("suppressed", report.suppressed());
      json.writeNumberField("ledger", report.explainedInAll());
      json.writeNumberField("lost", report.count(Violation.LOST));
      json.writeObjectFieldStart("explained");
      for (Map.Entry<String, Long> reason : report.explained().entrySet()) {
        json.writeNumberField(reason.getKey(), reason.getValue());
      }
      json.writeEndObject();
      json.writeObjectFieldStart("byClass");
      for (Map.Entry<String, Report.Tally> one : report.byClass().entrySet()) {
        json.writeObjectFieldStart(one.getKey());
        json.writeNumberField("shown", one.getValue().shown());
        json.writeNumberField("confirmed", one.getValue().confirmed());
        json.writeNumberField("suppressed", one.getValue().suppressed());
        json.writeNumberField("ledger", one.getValue().explained());
        json.writeNumberField("lost", one.getValue().lost());
        json.writeEndObject();
      }
      json.writeEndObject();
      json.writeNumberField("received", report.received().readings());
      json.writeNumberField("historical", report.received().historical());
      json.writeNumberField("duplicates", report.received().duplicates());
      json.writeNumberField("duplicatesAllowed", report.duplicatesAllowed());
      json.writeObjectFieldStart("violations");
      for (Violation violation : Violation.values()) {
        json.writeNumberField(violation.name().toLowerCase(Locale.ROOT), report.count(violation));
      }
      json.writeEndObject();
      json.writeObjectFieldStart("examples");
      for (Map.Entry<Violation, List<String>> entry : report.examples().entrySet()) {
        json.writeArrayFieldStart(entry.getKey().name().toLowerCase(Locale.ROOT));
        for (String example : entry.getValue()) {
          json.writeString(example);
        }
        json.writeEndArray();
      }
      json.writeEndObject();
      json.writeObjectFieldStart("figures");
      for (Map.Entry<String, Long> figure : figures.entrySet()) {
        json.writeNumberField(figure.getKey(), figure.getValue());
      }
      json.writeEndObject();
      if (intervals != null) {
        json.writeObjectFieldStart("intervals");
        json.writeNumberField("count", intervals.count());
        json.writeNumberField("p50", intervals.median());
        json.writeNumberField("p99", intervals.tail());
        json.writeNumberField("max", intervals.longest());
        json.writeEndObject();
      }
      if (!outcomes.isEmpty()) {
        evil(json, outcomes);
      }
      json.writeArrayFieldStart("ledgerEntries");
      for (LedgerClaim claim : report.ledger()) {
        json.writeString(claim.toString());
      }
      json.writeEndArray();
      // Of each of these, when the span ends.
      json.writeArrayFieldStart("ledgerEnds");
      for (LedgerClaim claim : report.ledger()) {
        json.writeString(Instant.ofEpochMilli(claim.to()).toString());
      }
      json.writeEndArray();
      json.writeEndObject();
    }
  }

  private static void evil(JsonGenerator json, List<Outcome> outcomes) throws IOException {
    json.writeArrayFieldStart("evil");
    for (Outcome outcome : outcomes) {
      GatewayWord.Said said = outcome.said();
      json.writeStartObject();
      json.writeStringField("name", outcome.evil().key());
      json.writeStringField("plugin", outcome.evil().plugin());
      json.writeNumberField("devices", outcome.devices());
      json.writeNumberField("devicesBad", outcome.devicesBad());
      json.writeNumberField("good", outcome.good());
      json.writeNumberField("bad", outcome.bad());
      json.writeNumberField("sockets", outcome.sockets());
      json.writeStringField("stage", said.stage());
      json.writeBooleanField("hosted", said.hosted());
      json.writeStringField("message", said.message());
      json.writeStringField("process", said.process());
      json.writeNumberField("ends", said.ends());
      json.writeArrayFieldStart("quarantine");
      for (String reason : said.quarantine()) {
        json.writeString(reason);
      }
      json.writeEndArray();
      json.writeNumberField("times", said.times());
      json.writeNumberField("threads", said.threads());
      json.writeNumberField("stuck", said.stuck());
      json.writeNumberField("errors", said.errors());
      json.writeObjectFieldStart("says");
      for (Map.Entry<String, String> device : said.devices().entrySet()) {
        json.writeStringField(device.getKey(), device.getValue());
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
