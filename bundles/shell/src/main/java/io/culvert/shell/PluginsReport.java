package io.culvert.shell;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.Drivers.Quarantine;
import io.culvert.api.service.Plugins;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The plug-ins on one screen: whose they are and how far they have come, what their drivers cost,
 * and what is wrong with them.
 */
record PluginsReport(
    List<Plugins.Status> plugins,
    List<Plugins.Process> processes,
    List<DriverStatus> drivers,
    Instant now) {

  /** What isn't right with drivers, each with a way to mend it. */
  static List<String> findings(List<DriverStatus> drivers, Instant now) {
    List<String> findings = new ArrayList<>();
    for (DriverStatus d : drivers) {
      Quarantine quarantine = d.quarantine();
      if (quarantine != null) {
        findings.add(
            ("plug-in %s %s in quarantine for %s, %s without readings: %s; %s. Tell its maker, or go"
                    + " back to the version before")
                .formatted(
                    d.plugin(),
                    d.version(),
                    Text.age(quarantine.since(), now),
                    Text.plural(d.devices(), "device"),
                    quarantine.reason(),
                    next(quarantine, now)));
      } else if (d.stuck() > 0) {
        findings.add(
            "plug-in %s %s: %s; its driver blocks, which it may not: tell its maker"
                .formatted(d.plugin(), d.version(), stuck(d)));
      }
      d.warnings().forEach(warning -> findings.add(d.plugin() + ": " + warning));
    }
    return findings;
  }

  private static String stuck(DriverStatus driver) {
    return Text.plural(driver.stuck(), "call")
        + (driver.stuck() == 1 ? " doesn't" : " don't")
        + " return";
  }

  private static String next(Quarantine quarantine, Instant now) {
    Duration left = Duration.between(now, quarantine.until());
    return "it is tried again " + (left.toMillis() <= 0 ? "now" : "in " + Text.span(left));
  }

  /** The process of a hosted plug-in, to follow its name; {@code ""} if it has none. */
  String process(Plugins.Status plugin) {
    return processes.stream()
        .filter(p -> p.symbolicName().equals(plugin.symbolicName()))
        .map(
            p ->
                ", in process %d of its own: %s, %s of CPU time"
                    .formatted(p.pid(), Text.bytes(p.memory()), Text.span(p.cpu())))
        .findFirst()
        .orElse("");
  }

  /** Everything. */
  String text() {
    StringBuilder out = new StringBuilder();
    List<List<String>> rows = new ArrayList<>();
    for (Plugins.Status p : plugins) {
      rows.add(
          List.of(
              p.symbolicName().isEmpty() ? p.file() : p.symbolicName(),
              p.version(),
              p.vendor(),
              p.signer().isEmpty() && p.running() ? "unsigned" : p.signer(),
              p.stage().name().toLowerCase(Locale.ROOT) + (p.hosted() ? ", hosted" : "")));
    }
    out.append(Text.table(List.of("plug-in", "version", "vendor", "signed by", "stage"), rows));
    for (Plugins.Status p : plugins) {
      String process = process(p);
      if (!process.isEmpty()) {
        out.append(Text.wrap("", "  ", p.symbolicName() + process));
      }
      if (!p.message().isEmpty()) {
        out.append(Text.wrap(p.file() + ": ", "  ", p.message()));
      }
    }
    if (!drivers.isEmpty()) {
      out.append('\n').append(costs());
    }
    return out.toString();
  }

  /** What the drivers cost, and what is wrong with them. */
  String costs() {
    List<List<String>> rows = new ArrayList<>();
    for (DriverStatus d : drivers) {
      rows.add(
          List.of(
              d.plugin() + (two(d) ? " " + d.version() : ""),
              Text.count(d.devices()),
              Text.count(d.threads()),
              Text.percent(share(d)),
              Text.count(d.samples()),
              Text.bytes(d.bytes()),
              Text.count(d.errors()),
              d.quarantine() == null
                  ? d.stuck() > 0 ? stuck(d) : ""
                  : "quarantine " + d.quarantine().times()));
    }
    StringBuilder out = new StringBuilder();
    out.append(
        Text.table(
            List.of("driver of", "devices", "threads", "time", "samples", "size", "errors", ""),
            rows));
    for (DriverStatus d : drivers) {
      Quarantine q = d.quarantine();
      if (q != null) {
        out.append(
            Text.wrap(
                d.plugin() + ": ",
                "  ",
                "in quarantine since %s, %s: %s"
                    .formatted(Text.time(q.since()), next(q, now), q.reason())));
      }
    }
    if (!drivers.isEmpty()) {
      out.append(
          Text.wrap(
              "",
              "",
              "Time is that in calls since the plug-in came, waiting in them included, as a part of"
                  + " one core."));
    }
    return out.toString();
  }

  /** Whether there is another version of it too. */
  private boolean two(DriverStatus driver) {
    return drivers.stream().filter(d -> d.plugin().equals(driver.plugin())).count() > 1;
  }

  private static double share(DriverStatus driver) {
    return driver.present().isZero()
        ? 0
        : (double) driver.inCalls().toNanos() / driver.present().toNanos();
  }

  String json() throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator g = new JsonFactory().createGenerator(out)) {
      g.useDefaultPrettyPrinter();
      g.writeStartObject();
      write(g);
      g.writeEndObject();
    }
    return out.append('\n').toString();
  }

  /** Writes the fields {@code plugins}, {@code processes} and {@code drivers}. */
  void write(JsonGenerator g) throws IOException {
    g.writeArrayFieldStart("plugins");
    for (Plugins.Status p : plugins) {
      g.writeStartObject();
      g.writeStringField("file", p.file());
      g.writeStringField("symbolicName", p.symbolicName());
      g.writeStringField("version", p.version());
      g.writeStringField("vendor", p.vendor());
      g.writeStringField("signer", p.signer());
      g.writeStringField("stage", p.stage().name().toLowerCase(Locale.ROOT));
      g.writeBooleanField("hosted", p.hosted());
      g.writeBooleanField("running", p.running());
      g.writeStringField("message", p.message());
      g.writeEndObject();
    }
    g.writeEndArray();
    g.writeArrayFieldStart("processes");
    for (Plugins.Process p : processes) {
      g.writeStartObject();
      g.writeStringField("plugin", p.symbolicName());
      g.writeNumberField("pid", p.pid());
      g.writeNumberField("memory", p.memory());
      g.writeNumberField("cpuMillis", p.cpu().toMillis());
      g.writeNumberField("ends", p.ends());
      g.writeEndObject();
    }
    g.writeEndArray();
    g.writeArrayFieldStart("drivers");
    for (DriverStatus d : drivers) {
      g.writeStartObject();
      g.writeStringField("plugin", d.plugin());
      g.writeStringField("version", d.version());
      g.writeArrayFieldStart("schemes");
      for (String scheme : d.schemes()) {
        g.writeString(scheme);
      }
      g.writeEndArray();
      g.writeNumberField("devices", d.devices());
      g.writeNumberField("threads", d.threads());
      g.writeNumberField("stuck", d.stuck());
      g.writeNumberField("calls", d.calls());
      g.writeNumberField("secondsInCalls", d.inCalls().toMillis() / 1000.0);
      g.writeNumberField("seconds", d.present().toMillis() / 1000.0);
      g.writeNumberField("samples", d.samples());
      g.writeNumberField("bytes", d.bytes());
      g.writeNumberField("refused", d.refused());
      g.writeNumberField("errors", d.errors());
      g.writeArrayFieldStart("warnings");
      for (String warning : d.warnings()) {
        g.writeString(warning);
      }
      g.writeEndArray();
      if (d.quarantine() != null) {
        g.writeObjectFieldStart("quarantine");
        g.writeStringField("reason", d.quarantine().reason());
        g.writeNumberField("times", d.quarantine().times());
        g.writeStringField("since", d.quarantine().since().toString());
        g.writeStringField("until", d.quarantine().until().toString());
        g.writeEndObject();
      }
      g.writeEndObject();
    }
    g.writeEndArray();
  }
}
