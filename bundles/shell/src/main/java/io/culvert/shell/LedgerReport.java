package io.culvert.shell;

import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Buffer.Delivered;
import io.culvert.api.service.Buffer.Verification;
import io.culvert.api.service.LedgerEntry;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the platforms don't get, and for one device what became of everything.
 *
 * @param device {@code null} for the ledger of all, without the rest
 * @param account holds nothing but entries for all
 */
record LedgerReport(String device, BufferCommand.Span span, Account account) {

  String text() {
    StringBuilder out = new StringBuilder();
    if (device != null) {
      out.append(Text.wrap("", "  ", device + ", " + inWords()));
      out.append('\n').append(proof()).append('\n');
    }
    for (LedgerEntry e : account.entries()) {
      out.append(
          Text.wrap(
              Text.time(e.from()) + "  ",
              "    ",
              "%s %s/%s: %s%s for %s%s"
                  .formatted(
                      reason(e.reason()),
                      e.device(),
                      e.streamClass(),
                      e.exact() ? "" : "about ",
                      Text.plural(e.count(), "reading"),
                      Text.span(Duration.between(e.from(), e.to())),
                      e.detail().isEmpty() ? "" : "; " + e.detail())));
    }
    // The end of a gap is none.
    out.append(
        Text.plural(
            account.entries().stream()
                .filter(e -> e.reason() != LedgerEntry.Reason.RECOVERED)
                .count(),
            "gap"));
    out.append(device == null ? " " + inWords() : total()).append('\n');
    if (!account.complete()) {
      out.append(
          Text.wrap(
              "",
              "",
              device == null
                  ? "There are more; ask for a shorter span."
                  : "Not everything could be counted: rows are damaged (see: culvert buffer"
                      + " verify), or there are more gaps than are shown; ask for a shorter span."));
    }
    return out.toString();
  }

  private String inWords() {
    return "from " + Text.time(span.from()) + " to " + Text.time(span.to());
  }

  /** By reason. */
  private String total() {
    List<String> parts = new ArrayList<>();
    new TreeMap<>(account.counts())
        .forEach((reason, count) -> parts.add(Text.count(count) + " " + reason(reason)));
    return parts.isEmpty() ? "" : ": " + String.join(", ", parts);
  }

  private String proof() {
    if (account.accepted().isEmpty()) {
      return "No reading of it in this span is on disk.\n";
    }
    List<List<String>> rows = new ArrayList<>();
    new TreeMap<>(account.accepted())
        .forEach(
            (streamClass, accepted) -> {
              List<Delivered> of =
                  account.deliveries().stream()
                      .filter(d -> d.streamClass() == streamClass)
                      .toList();
              if (of.isEmpty()) {
                rows.add(List.of(Export.lower(streamClass), Text.count(accepted), "-", "-", "-"));
              }
              for (Delivered d : of) {
                rows.add(
                    List.of(
                        Export.lower(streamClass),
                        Text.count(accepted),
                        d.forwarder(),
                        Text.count(d.settled()),
                        Text.count(d.unconfirmed())));
              }
            });
    return Text.table(
        List.of("class", "on disk", "platform", "confirmed or in ledger", "waiting"), rows);
  }

  private static String reason(LedgerEntry.Reason reason) {
    return reason.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  String json() throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator g = Export.JSON.createGenerator(out)) {
      g.useDefaultPrettyPrinter();
      g.writeStartObject();
      g.writeStringField("from", span.from().toString());
      g.writeStringField("to", span.to().toString());
      g.writeBooleanField("complete", account.complete());
      if (device != null) {
        g.writeStringField("device", device);
        g.writeObjectFieldStart("accepted");
        for (Map.Entry<?, Long> ofClass : new TreeMap<>(account.accepted()).entrySet()) {
          g.writeNumberField(Export.lower((Enum<?>) ofClass.getKey()), ofClass.getValue());
        }
        g.writeEndObject();
        g.writeArrayFieldStart("platforms");
        for (Delivered d : account.deliveries()) {
          g.writeStartObject();
          g.writeStringField("id", d.forwarder());
          g.writeStringField("class", Export.lower(d.streamClass()));
          g.writeNumberField("settled", d.settled());
          g.writeNumberField("waiting", d.unconfirmed());
          g.writeEndObject();
        }
        g.writeEndArray();
        g.writeObjectFieldStart("counts");
        for (Map.Entry<LedgerEntry.Reason, Long> count :
            new TreeMap<>(account.counts()).entrySet()) {
          g.writeNumberField(Export.lower(count.getKey()), count.getValue());
        }
        g.writeEndObject();
      }
      g.writeArrayFieldStart("entries");
      for (LedgerEntry e : account.entries()) {
        g.writeStartObject();
        g.writeStringField("reason", Export.lower(e.reason()));
        g.writeStringField("device", e.device());
        g.writeStringField("class", e.streamClass());
        g.writeStringField("from", e.from().toString());
        g.writeStringField("to", e.to().toString());
        g.writeNumberField("count", e.count());
        g.writeBooleanField("exact", e.exact());
        g.writeStringField("detail", e.detail());
        g.writeEndObject();
      }
      g.writeEndArray();
      g.writeEndObject();
    }
    return out.append('\n').toString();
  }

  static String text(Verification verification, Duration took) {
    StringBuilder out = new StringBuilder();
    out.append(
        Text.wrap(
            "",
            "",
            "Checked %s with %s, %s, in %s."
                .formatted(
                    Text.plural(verification.files(), "file"),
                    Text.plural(verification.readings(), "reading"),
                    Text.bytes(verification.bytes()),
                    Text.brief(took))));
    if (verification.problems().isEmpty()) {
      return out.append("Nothing is damaged.\n").toString();
    }
    out.append("\nDamaged:\n");
    verification.problems().forEach(p -> out.append(Text.wrap("  - ", "    ", p)));
    out.append('\n');
    out.append(
        Text.wrap(
            "",
            "",
            "What can't be read is counted in the ledger when delivery comes to it; the rest"
                + " goes on. Damage that grows is a dying disk: export what is here, then"
                + " replace it."));
    return out.toString();
  }

  static String json(Verification verification, Duration took) throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator g = Export.JSON.createGenerator(out)) {
      g.useDefaultPrettyPrinter();
      g.writeStartObject();
      g.writeNumberField("files", verification.files());
      g.writeNumberField("readings", verification.readings());
      g.writeNumberField("bytes", verification.bytes());
      g.writeNumberField("millis", took.toMillis());
      g.writeArrayFieldStart("problems");
      for (String problem : verification.problems()) {
        g.writeString(problem);
      }
      g.writeEndArray();
      g.writeEndObject();
    }
    return out.append('\n').toString();
  }
}
