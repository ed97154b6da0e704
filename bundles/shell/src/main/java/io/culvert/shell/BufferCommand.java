package io.culvert.shell;

import io.culvert.api.service.Buffer;
import io.culvert.api.service.Buffer.Account;
import io.culvert.api.service.Buffer.Verification;
import io.culvert.api.service.LedgerEntry;
import io.culvert.api.service.Query;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** One command about the buffer: understands its words, asks, prints. */
final class BufferCommand {
  private static final String USAGE =
      """
      usage: culvert buffer <command>

        status             what is on disk, and which platform waits for what
        verify             reads everything and says what is damaged
        ledger             what the platforms don't get, and why
          --device ID      and what became of all readings of a device
        export             readings, to standard output
          --device ID      of one device
          --point ID       of one point
          --format FORMAT  jsonl (one reading a line; if nothing is said), csv, senml
          --out FILE       into a new file

      span, for ledger (the last 24 h) and export (everything):
          --since 24h      or 90s, 10m, 7d
          --from TIME      the first moment
          --to TIME        the first moment beyond it
      A time is 2026-11-29T08:00:00Z or 2026-11-29T16:00:00+08:00, or by this
      machine's time zone 2026-11-29T16:00 or 2026-11-29.

      status, verify and ledger print JSON with --json.
      exit: 0 done, 1 failed or damaged, 2 not understood
      """;

  private static final Set<String> SPAN = Set.of("--since", "--from", "--to");

  /** Bound on the entries that are shown. */
  private static final int ENTRIES = 10_000;

  private final Buffer buffer;
  private final Query query;
  private final Instant now;
  private final Duration uptime;
  private final PrintStream out;
  private final PrintStream err;

  /**
   * @param buffer {@code null} if it doesn't run
   * @param query likewise
   * @param uptime of the gateway, {@code null} if only its files are there
   * @param err for what is no data
   */
  BufferCommand(
      Buffer buffer, Query query, Instant now, Duration uptime, PrintStream out, PrintStream err) {
    this.buffer = buffer;
    this.query = query;
    this.now = now;
    this.uptime = uptime;
    this.out = out;
    this.err = err;
  }

  void run(List<String> words) throws CommandFailed, IOException {
    String name = words.isEmpty() ? "" : words.get(0);
    List<String> rest = words.subList(Math.min(1, words.size()), words.size());
    try {
      switch (name) {
        case "status" -> status(options(name, rest, Set.of("--json")));
        case "verify" -> verify(options(name, rest, Set.of("--json")));
        case "ledger" -> ledger(options(name, rest, with(SPAN, "--device", "--json")));
        case "export" -> export(options(name, rest, with(SPAN, "--device", "--point", "--format")));
        case "help", "--help", "-h" -> out.print(USAGE);
        default ->
            throw new CommandFailed(
                CommandFailed.USAGE,
                name.isEmpty()
                    ? "expected buffer status, verify, ledger or export; see: culvert buffer help"
                    : "found buffer %s; expected status, verify, ledger or export".formatted(name));
      }
    } catch (UncheckedIOException e) {
      throw new CommandFailed(CommandFailed.FAILED, "the buffer " + e.getCause().getMessage());
    }
  }

  private static Set<String> with(Set<String> some, String... more) {
    Set<String> all = new TreeSet<>(some);
    all.addAll(List.of(more));
    return all;
  }

  private static Map<String, String> options(String command, List<String> words, Set<String> known)
      throws CommandFailed {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (!known.contains(word)) {
        throw new CommandFailed(
            CommandFailed.USAGE,
            "buffer %s: found %s; expected %s"
                .formatted(command, word, String.join(", ", new TreeSet<>(known))));
      }
      String value = "";
      if (!word.equals("--json")) {
        i++;
        if (i == words.size()) {
          throw new CommandFailed(
              CommandFailed.USAGE,
              "buffer %s: found nothing after %s; expected its value".formatted(command, word));
        }
        value = words.get(i);
      }
      if (options.put(word, value) != null) {
        throw new CommandFailed(
            CommandFailed.USAGE,
            "buffer %s: found %s twice; expected it once".formatted(command, word));
      }
    }
    return options;
  }

  private Buffer buffer() throws CommandFailed {
    return Services.need(buffer, "buffer");
  }

  /**
   * A span of time.
   *
   * @param from inclusive
   * @param to exclusive
   */
  record Span(Instant from, Instant to) {}

  private Span span(Map<String, String> options, Instant start) throws CommandFailed {
    String since = options.get("--since");
    String from = options.get("--from");
    if (since != null && (from != null || options.containsKey("--to"))) {
      throw new CommandFailed(CommandFailed.USAGE, "expected either --since, or --from and --to");
    }
    Instant first =
        since != null ? now.minus(Text.duration(since)) : from != null ? Text.instant(from) : start;
    // What devices with a clock ahead of ours say belongs to everything too.
    Instant beyond =
        options.containsKey("--to")
            ? Text.instant(options.get("--to"))
            : since == null && from == null && start.equals(Instant.MIN)
                ? Instant.MAX
                : now.plusMillis(1);
    if (!first.isBefore(beyond)) {
      throw new CommandFailed(
          CommandFailed.USAGE,
          "found a span from %s to %s; expected one that begins before it ends"
              .formatted(first, beyond));
    }
    return new Span(first, beyond);
  }

  private void status(Map<String, String> options) throws CommandFailed, IOException {
    BufferReport report = new BufferReport(buffer().status(), buffer.holdings(), now, uptime);
    out.print(options.containsKey("--json") ? report.json() : report.text());
  }

  private void verify(Map<String, String> options) throws CommandFailed, IOException {
    long start = System.nanoTime();
    Verification verification = buffer().verify();
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    out.print(
        options.containsKey("--json")
            ? LedgerReport.json(verification, took)
            : LedgerReport.text(verification, took));
    if (!verification.problems().isEmpty()) {
      throw new CommandFailed(
          CommandFailed.FAILED,
          Text.plural(verification.problems().size(), "problem") + " in the buffer's files");
    }
  }

  private void ledger(Map<String, String> options) throws CommandFailed, IOException {
    Span span = span(options, now.minus(Duration.ofHours(24)));
    String device = options.get("--device");
    Account account;
    if (device == null) {
      List<LedgerEntry> entries = buffer().ledger(span.from(), span.to(), ENTRIES);
      account = new Account(Map.of(), List.of(), entries, Map.of(), entries.size() < ENTRIES);
    } else {
      account = buffer().account(device, span.from(), span.to());
    }
    LedgerReport report = new LedgerReport(device, span, account);
    out.print(options.containsKey("--json") ? report.json() : report.text());
  }

  private void export(Map<String, String> options) throws CommandFailed, IOException {
    Span span = span(options, Instant.MIN);
    Services.need(query, "buffer");
    Export export = Export.to(out, options.getOrDefault("--format", "jsonl"));
    boolean complete =
        query.each(
            options.getOrDefault("--device", ""),
            options.getOrDefault("--point", ""),
            span.from(),
            span.to(),
            export);
    if (export.isUnwanted()) {
      throw new CommandFailed(
          CommandFailed.FAILED, "the export ends early: nobody takes what it writes");
    }
    export.end();
    err.println("culvert: " + export.summary());
    if (!complete) {
      throw new CommandFailed(
          CommandFailed.FAILED,
          "some rows can't be read and are not among them; see: culvert buffer verify");
    }
  }
}
