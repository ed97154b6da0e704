package io.culvert.core.site;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Generations.Plugin;
import io.culvert.api.service.Generations.TakenBack;
import io.culvert.core.document.Faults;
import io.culvert.core.document.Fields;
import io.culvert.core.document.JsonReader;
import io.culvert.core.document.Node;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What trials ended badly for, so that it doesn't come back by itself: plug-ins by the hash of
 * their jar, and the last site document that went with one. Without the file nothing is barred.
 */
final class Returns {
  private static final Logger LOG = LoggerFactory.getLogger(Returns.class);
  private static final String FILE = "taken-back.json";

  /** So many plug-ins are remembered, the latest. */
  static final int KEPT = 50;

  private static final Pattern SHORT = Pattern.compile("(?s).{0,500}");
  private static final Pattern LONG = Pattern.compile("(?s).{0,20000}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final JsonFactory JSON = new JsonFactory();

  /** By hash, the latest last. */
  private final Map<String, Entry> plugins = new LinkedHashMap<>();

  /** Hash of the document; {@code ""} for none. */
  private String site = "";

  private String siteReason = "";

  /**
   * @param generation that was on trial
   */
  private record Entry(TakenBack plugin, long generation) {}

  /** Writes a file of the store. */
  @FunctionalInterface
  interface Writer {
    void write(String file, byte[] content) throws IOException;
  }

  private Returns() {}

  /** What is remembered; nothing, with a word in the log, if the file is damaged. */
  static Returns read(Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    Returns returns = new Returns();
    if (Files.isRegularFile(file)) {
      Faults faults = new Faults(file.toString());
      Node document = JsonReader.read(Files.readAllBytes(file), faults);
      Fields all = document == null ? null : Fields.of(document, "", faults);
      if (all != null) {
        returns.take(all, faults);
      }
      if (!faults.none()) {
        faults.lines().forEach(LOG::error);
      }
    }
    return returns;
  }

  private void take(Fields all, Faults faults) {
    site = known(all.text("site", Pattern.compile("|[0-9a-f]{64}"), "64 hexadecimal digits"));
    siteReason = known(all.text("siteReason", LONG, "a reason"));
    if (all.required("plugins", "an object") instanceof Node.Obj entries) {
      entries
          .members()
          .forEach(
              (sha256, node) -> {
                Fields f = Fields.of(node, sha256, faults);
                if (f == null || !SHA256.matcher(sha256).matches()) {
                  return;
                }
                String name = f.text("name", SHORT, "a symbolic name");
                String version = f.text("version", SHORT, "a version");
                String origin = f.text("origin", SHORT, "a file name");
                String reason = f.text("reason", LONG, "a reason");
                BigDecimal interruptions = f.number("interruptions", BigDecimal.ZERO);
                BigDecimal generation = f.number("generation", BigDecimal.ZERO);
                if (name != null
                    && version != null
                    && origin != null
                    && reason != null
                    && interruptions != null
                    && generation != null) {
                  Plugin plugin = new Plugin(version, sha256, origin);
                  plugins.put(
                      sha256,
                      new Entry(
                          new TakenBack(name, plugin, reason, interruptions.intValue()),
                          generation.longValue()));
                }
              });
    }
  }

  private static String known(String text) {
    return text == null ? "" : text;
  }

  Map<String, TakenBack> plugins() {
    Map<String, TakenBack> all = new LinkedHashMap<>();
    plugins.forEach((sha256, entry) -> all.put(sha256, entry.plugin()));
    return all;
  }

  /**
   * Remembers a plug-in.
   *
   * @param interrupted whether it is only that the gateway ended; what was said of the same trial
   *     before it did is kept
   * @return the reason that is remembered
   */
  String add(long generation, String name, Plugin plugin, String reason, boolean interrupted) {
    Entry before = plugins.remove(plugin.sha256());
    Entry entry =
        interrupted && before != null && before.generation() == generation
            ? before
            : new Entry(
                new TakenBack(name, plugin, reason, interrupted ? interruptions(before) + 1 : 0),
                generation);
    plugins.put(plugin.sha256(), entry);
    while (plugins.size() > KEPT) {
      plugins.remove(plugins.keySet().iterator().next());
    }
    return entry.plugin().reason();
  }

  private static int interruptions(Entry before) {
    return before == null ? 0 : before.plugin().interruptions();
  }

  /** Remembers the site document, in place of an earlier one. */
  void add(byte[] document, String reason) {
    site = hash(document);
    siteReason = reason;
  }

  /**
   * @return {@code null} if it isn't this document
   */
  String site(byte[] document) {
    return !site.isEmpty() && site.equals(hash(document)) ? siteReason : null;
  }

  /**
   * @return whether there was something to forget
   */
  boolean dropSite() {
    boolean had = !site.isEmpty();
    site = "";
    siteReason = "";
    return had;
  }

  /**
   * @return whether there was something to forget
   */
  boolean drop(Collection<Plugin> proved) {
    boolean had = false;
    for (Plugin plugin : proved) {
      had |= plugins.remove(plugin.sha256()) != null;
    }
    return had;
  }

  void write(Writer writer) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      json.writeStringField("site", site);
      json.writeStringField("siteReason", siteReason);
      json.writeObjectFieldStart("plugins");
      for (Map.Entry<String, Entry> entry : plugins.entrySet()) {
        TakenBack plugin = entry.getValue().plugin();
        json.writeObjectFieldStart(entry.getKey());
        json.writeStringField("name", plugin.name());
        json.writeStringField("version", plugin.plugin().version());
        json.writeStringField("origin", plugin.plugin().origin());
        json.writeStringField("reason", plugin.reason());
        json.writeNumberField("interruptions", plugin.interruptions());
        json.writeNumberField("generation", entry.getValue().generation());
        json.writeEndObject();
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    writer.write(FILE, bytes.toByteArray());
  }

  private static String hash(byte[] document) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(document));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
