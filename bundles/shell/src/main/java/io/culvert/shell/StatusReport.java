package io.culvert.shell;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Buffer;
import io.culvert.api.service.Drivers.DriverStatus;
import io.culvert.api.service.Monitor;
import io.culvert.api.service.Monitor.DeviceStatus;
import io.culvert.api.service.Monitor.State;
import io.culvert.api.service.Plugins;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The gateway on one screen: what isn't right first, each with a way to mend it, then the figures.
 */
record StatusReport(
    String gateway,
    Duration uptime,
    Instant now,
    List<String> findings,
    List<DeviceStatus> devices,
    Monitor.Figures figures,
    Buffer.Status buffer,
    PluginsReport plugins) {

  /** So many findings of one kind fit a screen; the rest is counted. */
  private static final int SHOWN = 8;

  static StatusReport of(Services services, Instant now, Duration uptime) {
    List<DeviceStatus> devices =
        services.monitor() == null ? List.of() : services.monitor().devices();
    Buffer.Status buffer = services.buffer() == null ? null : services.buffer().status();
    List<Plugins.Status> plugins =
        services.plugins() == null ? List.of() : services.plugins().plugins();
    List<String> findings = new ArrayList<>();
    missing(services, findings);
    if (services.generations() != null) {
      findings.addAll(services.generations().problems());
    }
    if (services.plugins() != null) {
      findings.addAll(services.plugins().problems());
    }
    for (Plugins.Status plugin : plugins) {
      if (!plugin.message().isEmpty()) {
        findings.add("plugins/" + plugin.file() + ": " + plugin.message());
      }
    }
    List<DriverStatus> drivers =
        services.drivers() == null ? List.of() : services.drivers().drivers();
    findings.addAll(PluginsReport.findings(drivers, now));
    if (buffer != null) {
      findings.addAll(BufferReport.findings(buffer));
    }
    for (DeviceStatus d : devices) {
      if (d.state() == State.OFFLINE || d.state() == State.WAITING || d.state() == State.INVALID) {
        findings.add(
            "device %s %s for %s: %s"
                .formatted(
                    d.id(),
                    d.state().name().toLowerCase(Locale.ROOT),
                    Text.age(d.since(), now),
                    d.message()));
      }
    }
    if (services.monitor() != null
        && devices.isEmpty()
        && (services.generations() == null || services.generations().problems().isEmpty())) {
      findings.add(
          "no device yet: write one into etc/site.json, as etc/site.example.json shows;"
              + " it is read without a restart");
    }
    return new StatusReport(
        services.monitor() == null ? "" : services.monitor().gateway(),
        uptime,
        now,
        List.copyOf(findings),
        devices,
        services.monitor() == null ? null : services.monitor().figures(),
        buffer,
        new PluginsReport(
            plugins,
            services.plugins() == null ? List.of() : services.plugins().processes(),
            drivers,
            now));
  }

  private static void missing(Services services, List<String> findings) {
    Map<String, Object> parts = new TreeMap<>();
    parts.put("core", services.monitor());
    parts.put("buffer", services.buffer());
    parts.put("plugins", services.plugins());
    parts.forEach(
        (name, service) -> {
          if (service == null) {
            findings.add(name + " doesn't run: data/log/culvert.log or the console says why");
          }
        });
  }

  String text() {
    StringBuilder out = new StringBuilder();
    long online = devices.stream().filter(d -> d.state() == State.ONLINE).count();
    out.append("Gateway")
        .append(gateway.isEmpty() ? "" : " " + gateway)
        .append(": ")
        .append(online)
        .append(" of ")
        .append(Text.plural(devices.size(), "device"))
        .append(" online, up ")
        .append(Text.span(uptime))
        .append('\n');
    if (findings.isEmpty()) {
      out.append("Nothing wrong.\n");
    } else {
      out.append('\n').append("To mend:\n");
      Text.first(findings, SHOWN).forEach(f -> out.append(Text.wrap("  - ", "    ", f)));
      if (findings.size() > SHOWN) {
        out.append("  - and ")
            .append(findings.size() - SHOWN)
            .append(" more: culvert shell devices, culvert status --json\n");
      }
    }
    out.append('\n');
    Map<State, Long> states = new TreeMap<>();
    devices.forEach(d -> states.merge(d.state(), 1L, Long::sum));
    List<String> counts = new ArrayList<>();
    states.forEach(
        (state, n) -> counts.add(Text.count(n) + " " + state.name().toLowerCase(Locale.ROOT)));
    line(out, "Devices", counts.isEmpty() ? "none" : String.join(", ", counts));
    if (figures != null) {
      line(
          out,
          "Readings",
          "%s read, %s suppressed, %s missed"
              .formatted(
                  Text.count(figures.read()),
                  Text.count(figures.suppressed()),
                  Text.plural(figures.missed(), "poll")));
    }
    if (buffer != null) {
      line(
          out,
          "Buffer",
          "%s accepted, %s pending, %s dropped, %s of %s on disk, %s written in a day"
              .formatted(
                  Text.count(buffer.accepted()),
                  Text.count(buffer.pending()),
                  Text.count(buffer.dropped()),
                  Text.bytes(buffer.bytes()),
                  Text.bytes(buffer.maxBytes()),
                  Text.bytes(buffer.written())));
      for (Buffer.Forwarding f : buffer.forwarders()) {
        line(
            out,
            "Platform",
            "%s %s: %s confirmed, %s refused, %s unconfirmed"
                .formatted(
                    f.id(),
                    f.ready() ? "connected" : "not reached",
                    Text.count(f.confirmed()),
                    Text.count(f.refused()),
                    Text.count(f.unconfirmed())));
      }
    }
    for (Plugins.Status p : plugins.plugins()) {
      if (p.running()) {
        line(out, "Plug-in", p.symbolicName() + " " + p.version() + plugins.process(p));
      }
    }
    return out.toString();
  }

  private static void line(StringBuilder out, String name, String text) {
    out.append(Text.wrap(String.format("%-10s", name), " ".repeat(10), text));
  }

  String json() throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator g = new JsonFactory().createGenerator(out)) {
      g.useDefaultPrettyPrinter();
      g.writeStartObject();
      g.writeStringField("gateway", gateway);
      g.writeNumberField("uptime", uptime.toSeconds());
      g.writeArrayFieldStart("findings");
      for (String finding : findings) {
        g.writeString(finding);
      }
      g.writeEndArray();
      if (figures != null) {
        g.writeObjectFieldStart("readings");
        g.writeNumberField("read", figures.read());
        g.writeNumberField("suppressed", figures.suppressed());
        g.writeNumberField("accepted", figures.accepted());
        g.writeNumberField("missed", figures.missed());
        g.writeEndObject();
      }
      if (buffer != null) {
        g.writeObjectFieldStart("buffer");
        g.writeNumberField("accepted", buffer.accepted());
        g.writeNumberField("pending", buffer.pending());
        g.writeNumberField("dropped", buffer.dropped());
        g.writeNumberField("bytes", buffer.bytes());
        g.writeNumberField("maxBytes", buffer.maxBytes());
        g.writeNumberField("written", buffer.written());
        g.writeStringField("disk", buffer.disk().name().toLowerCase(Locale.ROOT));
        g.writeStringField("problem", buffer.problem());
        g.writeEndObject();
        g.writeArrayFieldStart("platforms");
        for (Buffer.Forwarding f : buffer.forwarders()) {
          g.writeStartObject();
          g.writeStringField("id", f.id());
          g.writeBooleanField("ready", f.ready());
          g.writeNumberField("confirmed", f.confirmed());
          g.writeNumberField("refused", f.refused());
          g.writeNumberField("unconfirmed", f.unconfirmed());
          g.writeEndObject();
        }
        g.writeEndArray();
      }
      g.writeArrayFieldStart("devices");
      for (DeviceStatus d : devices) {
        g.writeStartObject();
        g.writeStringField("id", d.id());
        g.writeStringField("profile", d.profile());
        g.writeStringField("endpoint", d.endpoint());
        g.writeStringField("state", d.state().name().toLowerCase(Locale.ROOT));
        g.writeStringField("message", d.message());
        g.writeStringField("since", String.valueOf(d.since()));
        if (d.lastAnswer() != null) {
          g.writeStringField("lastAnswer", d.lastAnswer().toString());
        }
        g.writeNumberField("polls", d.polls());
        g.writeNumberField("failures", d.failures());
        g.writeEndObject();
      }
      g.writeEndArray();
      plugins.write(g);
      g.writeEndObject();
    }
    return out.append('\n').toString();
  }
}
