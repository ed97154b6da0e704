package io.culvert.simulator;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.simulator.audit.LedgerClaim;
import io.culvert.simulator.audit.Report;
import io.culvert.simulator.audit.Violation;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
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
      json.writeArrayFieldStart("ledgerEntries");
      for (LedgerClaim claim : report.ledger()) {
        json.writeString(claim.toString());
      }
      json.writeEndArray();
      json.writeEndObject();
    }
  }
}
