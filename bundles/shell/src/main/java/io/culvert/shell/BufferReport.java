package io.culvert.shell;

import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Buffer.Holdings;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The buffer on one screen: what isn't right, what is stored, and which platform waits for what.
 *
 * @param uptime of the gateway; {@code null} if it doesn't run and only its files are there
 */
record BufferReport(Buffer.Status status, Holdings holdings, Instant now, Duration uptime) {

  /** Before that, what has come says little of the rate. */
  private static final Duration SETTLED = Duration.ofSeconds(30);

  /** What isn't right with a running buffer, each with a way to mend it. */
  static List<String> findings(Buffer.Status status) {
    List<String> findings = new ArrayList<>();
    if (!status.problem().isEmpty()) {
      findings.add("buffer: " + status.problem());
    } else if (status.disk() != Buffer.Disk.WORKING) {
      findings.add("buffer: the disk " + inWords(status.disk()) + "; see data/log/culvert.log");
    }
    if (status.dropped() > 0) {
      findings.add(
          "buffer: %s deleted unconfirmed by a bound (see: culvert buffer ledger); raise"
                  .formatted(Text.plural(status.dropped(), "reading"))
              + " buffer.maxBytes or buffer.maxAgeHours in etc/site.json");
    }
    for (Buffer.Forwarding f : status.forwarders()) {
      if (!f.ready()) {
        findings.add(
            "platform %s isn't reached, %s on disk: check its url in etc/site.json and the network"
                .formatted(f.id(), Text.plural(f.unconfirmed(), "unconfirmed reading")));
      } else if (f.maxSentBytes() > 0 && f.sentBytes() >= f.maxSentBytes()) {
        findings.add(
            "platform %s has had the %s that may be sent in 24 h; what isn't urgent waits"
                .formatted(f.id(), Text.bytes(f.maxSentBytes())));
      }
    }
    return findings;
  }

  private static String inWords(Buffer.Disk disk) {
    return switch (disk) {
      case WORKING -> "works";
      case FULL -> "is full";
      case READ_ONLY -> "can only be read";
      case FAILING -> "answers with errors";
    };
  }

  private boolean running() {
    return uptime != null;
  }

  private List<String> findings() {
    List<String> findings = new ArrayList<>(running() ? findings(status) : List.of());
    if (holdings.damagedFiles() > 0) {
      findings.add(
          "%s (%s) can't be read: see culvert buffer verify and docs/guides/buffer.md"
              .formatted(
                  Text.plural(holdings.damagedFiles(), "file"),
                  Text.bytes(holdings.damagedBytes())));
    }
    return findings;
  }

  private long readings() {
    return holdings.classes().stream().mapToLong(Buffer.Held::readings).sum();
  }

  /** Readings a second since the start; 0 if not known. */
  private double rate() {
    return running() && uptime.compareTo(SETTLED) >= 0
        ? status.accepted() / (uptime.toMillis() / 1000.0)
        : 0;
  }

  /** How long the whole room takes to fill at the present rate; {@code null} if not known. */
  private Duration room() {
    if (rate() == 0 || readings() == 0 || status.maxBytes() == 0) {
      return null;
    }
    double bytesPerSecond = rate() * status.bytes() / readings();
    return Duration.ofSeconds((long) Math.min(1e10, status.maxBytes() / bytesPerSecond));
  }

  String text() {
    StringBuilder out = new StringBuilder();
    if (running()) {
      out.append("The disk ")
          .append(inWords(status.disk()))
          .append("; ")
          .append(Text.bytes(status.bytes()))
          .append(" of ")
          .append(Text.bytes(status.maxBytes()))
          .append(" used.\n");
    } else {
      out.append("The gateway doesn't run; ")
          .append(Text.bytes(status.bytes()))
          .append(" on disk.\n");
    }
    if (room() != null) {
      out.append(
          Text.wrap(
              "",
              "",
              "The room lasts for an outage of about %s at the present rate, %s readings a second."
                  .formatted(
                      Text.span(room()),
                      rate() < 10
                          ? String.format(Locale.ROOT, "%.1f", rate())
                          : Text.count(Math.round(rate())))));
    }
    List<String> findings = findings();
    if (!findings.isEmpty()) {
      out.append("\nTo mend:\n");
      findings.forEach(f -> out.append(Text.wrap("  - ", "    ", f)));
    }
    out.append('\n').append(stored()).append('\n').append(waiting());
    if (running() && !status.forwarders().isEmpty()) {
      out.append('\n').append(platforms());
    }
    return out.toString();
  }

  private String stored() {
    if (holdings.classes().isEmpty()) {
      return "Nothing is stored.\n";
    }
    List<List<String>> rows = new ArrayList<>();
    for (Buffer.Held held : holdings.classes()) {
      rows.add(
          List.of(
              Export.lower(held.streamClass()),
              Text.count(held.readings()),
              Text.bytes(held.bytes()),
              ago(held.oldest()),
              ago(held.newest())));
    }
    String files = Text.plural(holdings.segments(), "file");
    if (holdings.thinned() > 0) {
      files += ", " + Text.count(holdings.thinned()) + " of them thinned out";
    }
    return Text.table(List.of("stored", "readings", "size", "oldest", "newest"), rows)
        + "in "
        + files
        + "\n";
  }

  private String waiting() {
    if (holdings.owed().isEmpty()) {
      return status.forwarders().isEmpty()
          ? "No platform is known.\n"
          : "No platform waits for anything.\n";
    }
    List<List<String>> rows = new ArrayList<>();
    for (Buffer.Owed owed : holdings.owed()) {
      rows.add(
          List.of(
              owed.forwarder(),
              Export.lower(owed.streamClass()),
              Text.count(owed.readings()),
              ago(owed.oldest())));
    }
    return Text.table(List.of("waits for", "class", "readings", "since"), rows);
  }

  private String platforms() {
    List<List<String>> rows = new ArrayList<>();
    for (Buffer.Forwarding f : status.forwarders()) {
      String sent = f.sentBytes() == 0 && f.maxSentBytes() == 0 ? "-" : Text.bytes(f.sentBytes());
      rows.add(
          List.of(
              f.id(),
              f.ready() ? "connected" : "not reached",
              Text.count(f.confirmed()),
              Text.count(f.refused()),
              f.maxSentBytes() == 0 ? sent : sent + " of " + Text.bytes(f.maxSentBytes())));
    }
    return Text.table(List.of("platform", "state", "confirmed", "refused", "sent in 24 h"), rows);
  }

  private String ago(Instant then) {
    Duration age = Duration.between(then, now);
    if (age.abs().toSeconds() < 1) {
      return "now";
    }
    return age.isNegative() ? "in " + Text.span(age.abs()) : Text.span(age) + " ago";
  }

  String json() throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator g = Export.JSON.createGenerator(out)) {
      g.useDefaultPrettyPrinter();
      g.writeStartObject();
      g.writeBooleanField("running", running());
      g.writeArrayFieldStart("findings");
      for (String finding : findings()) {
        g.writeString(finding);
      }
      g.writeEndArray();
      if (running()) {
        g.writeStringField("disk", Export.lower(status.disk()));
        g.writeNumberField("maxBytes", status.maxBytes());
        g.writeNumberField("written", status.written());
        g.writeNumberField("pending", status.pending());
        g.writeNumberField("dropped", status.dropped());
      }
      g.writeNumberField("bytes", status.bytes());
      if (room() != null) {
        g.writeNumberField("readingsPerSecond", rate());
        g.writeNumberField("roomSeconds", room().toSeconds());
      }
      g.writeNumberField("files", holdings.segments());
      g.writeNumberField("thinnedFiles", holdings.thinned());
      g.writeNumberField("damagedFiles", holdings.damagedFiles());
      g.writeNumberField("damagedBytes", holdings.damagedBytes());
      g.writeArrayFieldStart("stored");
      for (Buffer.Held held : holdings.classes()) {
        g.writeStartObject();
        g.writeStringField("class", Export.lower(held.streamClass()));
        g.writeNumberField("readings", held.readings());
        g.writeNumberField("bytes", held.bytes());
        g.writeStringField("oldest", held.oldest().toString());
        g.writeStringField("newest", held.newest().toString());
        g.writeEndObject();
      }
      g.writeEndArray();
      g.writeArrayFieldStart("waiting");
      for (Buffer.Owed owed : holdings.owed()) {
        g.writeStartObject();
        g.writeStringField("platform", owed.forwarder());
        g.writeStringField("class", Export.lower(owed.streamClass()));
        g.writeNumberField("readings", owed.readings());
        g.writeStringField("since", owed.oldest().toString());
        g.writeEndObject();
      }
      g.writeEndArray();
      g.writeArrayFieldStart("platforms");
      for (Buffer.Forwarding f : status.forwarders()) {
        g.writeStartObject();
        g.writeStringField("id", f.id());
        g.writeNumberField("unconfirmed", f.unconfirmed());
        if (running()) {
          g.writeBooleanField("ready", f.ready());
          g.writeNumberField("confirmed", f.confirmed());
          g.writeNumberField("refused", f.refused());
          g.writeNumberField("sentBytes", f.sentBytes());
          g.writeNumberField("maxSentBytes", f.maxSentBytes());
        }
        g.writeEndObject();
      }
      g.writeEndArray();
      g.writeEndObject();
    }
    return out.append('\n').toString();
  }
}
