package io.culvert.mqtt;

import com.fasterxml.jackson.core.JsonGenerator;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Buffer.Delivered;
import io.culvert.api.service.LedgerEntry;
import io.culvert.mqtt.Dialect.Question;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The paras that answer a command {@code ledger}: {@code device}, {@code from}, {@code to} as
 * asked; by class {@code accepted} (on disk), and of these {@code settled} (this platform confirmed
 * them, or the ledger accounts for them) and {@code unconfirmed}; {@code counts} of readings in the
 * ledger by reason; its oldest {@code entries}, at most {@value #ENTRIES}, of {@code
 * entries_total}; {@code complete} false if not everything could be counted.
 */
final class IotDaLedger {
  static final int ENTRIES = 20;
  private static final int DETAIL = 200;

  private IotDaLedger() {}

  /**
   * @param account with the deliveries of the asking platform alone
   */
  static void write(JsonGenerator out, Question question, Account account) throws IOException {
    out.writeStartObject();
    out.writeStringField("device", JsonSize.wellFormed(question.device()));
    out.writeStringField("from", question.from().toString());
    out.writeStringField("to", question.to().toString());
    out.writeBooleanField("complete", account.complete());
    Map<String, Long> accepted = new TreeMap<>();
    Map<String, Long> settled = new TreeMap<>();
    Map<String, Long> unconfirmed = new TreeMap<>();
    Map<String, Long> counts = new TreeMap<>();
    account.accepted().forEach((streamClass, count) -> accepted.put(lower(streamClass), count));
    for (Delivered delivered : account.deliveries()) {
      settled.put(lower(delivered.streamClass()), delivered.settled());
      unconfirmed.put(lower(delivered.streamClass()), delivered.unconfirmed());
    }
    account.counts().forEach((reason, count) -> counts.put(lower(reason), count));
    write(out, "accepted", accepted);
    write(out, "settled", settled);
    write(out, "unconfirmed", unconfirmed);
    write(out, "counts", counts);
    out.writeNumberField("entries_total", account.entries().size());
    out.writeArrayFieldStart("entries");
    List<LedgerEntry> oldest = account.entries();
    for (LedgerEntry entry : oldest.subList(0, Math.min(ENTRIES, oldest.size()))) {
      out.writeStartObject();
      out.writeStringField("reason", lower(entry.reason()));
      out.writeStringField("device", JsonSize.wellFormed(entry.device()));
      out.writeStringField("class", entry.streamClass());
      out.writeStringField("from", entry.from().toString());
      out.writeStringField("to", entry.to().toString());
      out.writeNumberField("count", entry.count());
      out.writeBooleanField("exact", entry.exact());
      String detail = entry.detail();
      out.writeStringField(
          "detail",
          JsonSize.wellFormed(
              detail.length() <= DETAIL ? detail : detail.substring(0, DETAIL) + "…"));
      out.writeEndObject();
    }
    out.writeEndArray();
    out.writeEndObject();
  }

  private static void write(JsonGenerator out, String name, Map<String, Long> counts)
      throws IOException {
    out.writeObjectFieldStart(name);
    for (Map.Entry<String, Long> count : counts.entrySet()) {
      out.writeNumberField(count.getKey(), count.getValue());
    }
    out.writeEndObject();
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
